#include "bench/bare.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/summary.h"

namespace waggle::bench {
namespace {

constexpr double kExchangeSeconds = 10;
constexpr int kBacklog = 4'096;

// The first byte of a frame.
enum Kind : char {
  kHello = 'h',
  kProbe = 'p',
  kRound = 'R',
  kWrite = 'W',
  kRequest = 'q',
  kAnswer = 'a',
  kUpdate = 'u',
  kResult = 'r',
  kReport = 'e',
};

struct Command {
  char kind = kRound;
  std::uint32_t agents = 0;
  Legs legs;
};

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string(what) + ": " + zmq_strerror(zmq_errno()));
}

void* make_context() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  void* context = zmq_ctx_new();
  check(context != nullptr, "context");
  zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 16'384);
  return context;
}

void* make_socket(void* context, int type) {
  void* socket = zmq_socket(context, type);
  check(socket != nullptr, "socket");
  const int zero = 0;
  const int backlog = kBacklog;
  zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
  zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof backlog);
  return socket;
}

int bind_any(void* socket) {
  check(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "bind");
  std::array<char, 256> text{};
  std::size_t size = text.size();
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, text.data(), &size) == 0, "endpoint");
  return std::atoi(std::strrchr(text.data(), ':') + 1);
}

std::string frame_of(char kind, std::size_t bytes) {
  std::string frame(std::max<std::size_t>(bytes, 1), 'x');
  frame[0] = kind;
  return frame;
}

class Server {
 public:
  Server()
      : context_(make_context()),
        router_(make_socket(context_, ZMQ_ROUTER)),
        xpub_(make_socket(context_, ZMQ_XPUB)) {
    const int no_limit = 0;
    zmq_setsockopt(router_, ZMQ_SNDHWM, &no_limit, sizeof no_limit);
    zmq_setsockopt(xpub_, ZMQ_SNDHWM, &no_limit, sizeof no_limit);
    const int router_port = bind_any(router_);
    std::printf("%d %d\n", router_port, bind_any(xpub_));
    std::fflush(stdout);
  }

  void run() {
    std::array<zmq_pollitem_t, 3> items{zmq_pollitem_t{router_, 0, ZMQ_POLLIN, 0},
                                        zmq_pollitem_t{xpub_, 0, ZMQ_POLLIN, 0},
                                        zmq_pollitem_t{nullptr, STDIN_FILENO, ZMQ_POLLIN, 0}};
    std::array<char, 4096> frame;
    std::array<char, 256> id;
    while (true) {
      zmq_poll(items.data(), static_cast<int>(items.size()), -1);
      if (items[2].revents != 0) return;
      while (zmq_recv(xpub_, frame.data(), frame.size(), ZMQ_DONTWAIT) >= 0) {
      }
      while (true) {
        const int id_size = zmq_recv(router_, id.data(), id.size(), ZMQ_DONTWAIT);
        if (id_size < 0) break;
        const int size = zmq_recv(router_, frame.data(), frame.size(), 0);
        on_frame(std::string(id.data(), static_cast<std::size_t>(id_size)),
                 {frame.data(), std::min(static_cast<std::size_t>(size), frame.size())});
      }
    }
  }

 private:
  void on_frame(std::string id, std::string_view frame) {
    switch (frame.front()) {
      case kHello:
        to(id, frame_of(kHello, 1));
        break;
      case kProbe:
        to_all(frame_of(kProbe, 1));
        break;
      case kRound:
        std::memcpy(&command_, frame.data(), sizeof command_);
        caller_ = std::move(id);
        answered_.clear();
        to_all(frame_of(kRequest, command_.legs.request));
        break;
      case kAnswer:
        answered_.push_back(std::move(id));
        if (answered_.size() == command_.agents) conclude();
        break;
      case kWrite:
        std::memcpy(&command_, frame.data(), sizeof command_);
        to_all(frame_of(kUpdate, command_.legs.update));
        to(id, frame_of(kReport, command_.legs.report));
        break;
      default:
        break;
    }
  }
  void conclude() {
    const Legs& legs = command_.legs;
    if (legs.update > 0) to_all(frame_of(kUpdate, legs.update));
    to(caller_, frame_of(kReport, legs.report));
    if (legs.result == 0) return;
    const std::string result = frame_of(kResult, legs.result);
    for (const std::string& id : answered_) to(id, result);
  }
  void to(const std::string& id, const std::string& frame) {
    zmq_send(router_, id.data(), id.size(), ZMQ_SNDMORE);
    zmq_send(router_, frame.data(), frame.size(), 0);
  }
  void to_all(const std::string& frame) { zmq_send(xpub_, frame.data(), frame.size(), 0); }

  void* context_;
  void* router_;
  void* xpub_;
  Command command_;
  std::string caller_;
  std::vector<std::string> answered_;
};

}  // namespace

int serve_bare() {
  Server server;
  server.run();
  return 0;
}

// ---- the agents' side --------------------------------------------------------------------------

BareSwarm::BareSwarm(std::size_t agents)
    : server_({own_program(), "--serve-bare"}),
      context_(make_context()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      agents_(agents),
      probed_(agents) {
  int router = 0;
  int xpub = 0;
  if (std::sscanf(server_.read_line(10).c_str(), "%d %d", &router, &xpub) != 2)
    throw std::runtime_error("the bare server named no ports");
  for (std::size_t i = 0; i < agents; ++i) {
    Agent& agent = agents_[i];
    agent.dealer = make_socket(context_, ZMQ_DEALER);
    agent.sub = make_socket(context_, ZMQ_SUB);
    check(zmq_connect(agent.dealer, fmt::format("tcp://127.0.0.1:{}", router).c_str()) == 0,
          "dial");
    check(zmq_connect(agent.sub, fmt::format("tcp://127.0.0.1:{}", xpub).c_str()) == 0, "dial");
    zmq_setsockopt(agent.sub, ZMQ_SUBSCRIBE, "", 0);
    for (const bool sub : {false, true}) {
      int fd = -1;
      std::size_t size = sizeof fd;
      zmq_getsockopt(sub ? agent.sub : agent.dealer, ZMQ_FD, &fd, &size);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLET;
      event.data.u64 = 2 * i + (sub ? 1 : 0);
      check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
    }
  }
  join();
}

BareSwarm::~BareSwarm() {
  for (const Agent& agent : agents_) {
    if (agent.dealer != nullptr) zmq_close(agent.dealer);
    if (agent.sub != nullptr) zmq_close(agent.sub);
  }
  close(epoll_);
  zmq_ctx_term(context_);
}

// Until every agent is connected on both legs.
void BareSwarm::join() {
  for (const Agent& agent : agents_) zmq_send(agent.dealer, "h", 1, 0);
  const double deadline = now_micros() + 30e6;
  double probe_at = 0;
  while (hellos_ < agents_.size() || probes_ < agents_.size()) {
    if (now_micros() > deadline)
      throw std::runtime_error("the bare agents did not connect in time");
    if (now_micros() > probe_at) {
      zmq_send(agents_.front().dealer, "p", 1, 0);
      probe_at = now_micros() + 100e3;
    }
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      read_dealer(i);
      read_sub(i);
    }
    pump(10);
  }
  for (const double end = now_micros() + 200e3; now_micros() < end;) pump(20);
}

void BareSwarm::pump(int timeout_millis) {
  std::array<epoll_event, 256> events;
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_millis);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t which = events[static_cast<std::size_t>(i)].data.u64;
    if (which % 2 == 1) {
      read_sub(which / 2);
    } else {
      read_dealer(which / 2);
    }
  }
}

void BareSwarm::read_dealer(std::size_t agent) {
  std::array<char, 4096> frame;
  while (zmq_recv(agents_[agent].dealer, frame.data(), frame.size(), ZMQ_DONTWAIT) > 0) {
    reports_ += frame[0] == kReport ? 1 : 0;
    results_ += frame[0] == kResult ? 1 : 0;
    hellos_ += frame[0] == kHello ? 1 : 0;
  }
}

void BareSwarm::read_sub(std::size_t agent) {
  std::array<char, 4096> frame;
  while (zmq_recv(agents_[agent].sub, frame.data(), frame.size(), ZMQ_DONTWAIT) > 0) {
    if (frame[0] == kRequest) {
      zmq_send(agents_[agent].dealer, answer_.data(), answer_.size(), 0);
      // Sending may have used up the word of what arrived meanwhile.
      read_dealer(agent);
    } else if (frame[0] == kUpdate) {
      ++updates_;
    } else if (frame[0] == kProbe && !probed_[agent]) {
      probed_[agent] = true;
      ++probes_;
    }
  }
}

double BareSwarm::exchange(const Legs& legs) {
  Command command;
  command.kind = legs.request > 0 ? kRound : kWrite;
  command.agents = static_cast<std::uint32_t>(agents_.size());
  command.legs = legs;
  std::string frame(std::max(legs.command, sizeof command), 'x');
  std::memcpy(frame.data(), &command, sizeof command);
  answer_ = frame_of(kAnswer, legs.answer);
  updates_ = reports_ = results_ = 0;
  const std::size_t updates = legs.update > 0 ? agents_.size() : 0;
  const std::size_t results = legs.result > 0 ? agents_.size() : 0;
  const std::size_t reports = legs.request > 0 ? 1 : 0;

  const double begin = now_micros();
  double end = 0;
  zmq_send(agents_.front().dealer, frame.data(), frame.size(), 0);
  read_dealer(0);
  // What follows the end (results, the writer's answer) is waited for too, so that it does not run
  // into the next exchange.
  while (updates_ < updates || reports_ < 1 || results_ < results) {
    pump(1'000);
    const double now = now_micros();
    if (end == 0 && updates_ >= updates && reports_ >= reports) end = now;
    if (now - begin > kExchangeSeconds * 1e6)
      throw std::runtime_error("a bare exchange lost a message");
  }
  return (end == 0 ? now_micros() : end) - begin;
}

}  // namespace waggle::bench
