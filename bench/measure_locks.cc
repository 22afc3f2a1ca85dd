// A lock, taken and given back by one client over loopback, each step on disk before it is
// answered: Waggle's claim beside Redis (SET NX PX and a compared DEL, with every write synced) and
// etcd (a transaction that puts where nothing is, and a delete), in the same run. Servers that are
// not installed are left out.
//
// What differs: a claim and an etcd key have a token that only grows, so that a late holder can be
// refused; a lock of Redis has none. etcd is asked through its JSON gateway over HTTP/1.1, which
// costs it more than gRPC would; its own disk write is the larger part.

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/claims.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"

namespace waggle::bench {
namespace {

constexpr int kPatienceMillis = 10'000;
constexpr double kStartMicros = 20e6;

// A connection to a server of this machine. Throws std::runtime_error.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int error = errno;
      close(fd_);
      throw std::runtime_error(std::string("connect: ") + std::strerror(error));
    }
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  // Up to and with `end`, which is taken off.
  std::string line(std::string_view end = "\r\n") {
    std::size_t at = 0;
    while ((at = buffer_.find(end)) == std::string::npos) more();
    std::string found = buffer_.substr(0, at);
    buffer_.erase(0, at + end.size());
    return found;
  }
  std::string bytes(std::size_t count) {
    while (buffer_.size() < count) more();
    std::string found = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return found;
  }

 private:
  void more() {
    pollfd readable{fd_, POLLIN, 0};
    if (poll(&readable, 1, kPatienceMillis) <= 0) throw std::runtime_error("no answer in time");
    std::array<char, 4096> chunk{};
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
    if (got <= 0) throw std::runtime_error("the server closed the connection");
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  }

  int fd_;
  std::string buffer_;
};

// Of this machine, free a moment ago.
std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Connection::loopback(0);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error(std::string("no free port: ") + std::strerror(errno));
  return ntohs(address.sin_port);
}

// Empty: it is not installed.
std::string installed(const char* name) {
  for (const char* directory : {"/usr/bin/", "/usr/local/bin/", "/usr/sbin/"})
    if (std::string path = std::string(directory) + name; access(path.c_str(), X_OK) == 0)
      return path;
  return {};
}

std::unique_ptr<Connection> dial(std::uint16_t port) {
  const double deadline = now_micros() + kStartMicros;
  while (true) {
    try {
      return std::make_unique<Connection>(port);
    } catch (const std::runtime_error&) {
      if (now_micros() > deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

// One request of Redis (RESP 2) and the first line of its answer.
std::string ask_redis(Connection& server, std::initializer_list<std::string_view> words) {
  std::string request = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words)
    request += fmt::format("${}\r\n{}\r\n", word.size(), word);
  server.send(request);
  return server.line();
}

std::string ask_etcd(Connection& server, const char* what, const std::string& json) {
  server.send(
      fmt::format("POST /v3/kv/{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                  "application/json\r\nContent-Length: {}\r\n\r\n{}",
                  what, json.size(), json));
  const std::string status = server.line();
  std::size_t length = 0;
  while (true) {
    const std::string header = server.line();
    if (header.empty()) break;
    constexpr std::string_view kLength = "Content-Length: ";
    if (header.starts_with(kLength)) length = std::stoul(header.substr(kLength.size()));
  }
  std::string body = server.bytes(length);
  if (!status.starts_with("HTTP/1.1 200"))
    throw std::runtime_error(fmt::format("etcd: {} {}", status, body));
  return body;
}

void require(bool fine, const std::string& what, const std::string& answer) {
  if (!fine) throw std::runtime_error(fmt::format("{}: {}", what, answer));
}

template <typename Take, typename Release>
void measure(Run& run, const std::string& name, const Take& take, const Release& release) {
  Samples takes;
  Samples pairs;
  for (int i = 0; i < (run.quick ? 300 : 1'500); ++i) {
    const double begin = now_micros();
    take();
    const double taken = now_micros();
    release();
    if (i < 50) continue;  // warm-up
    takes.push_back(taken - begin);
    pairs.push_back(now_micros() - begin);
  }
  run.report.add({.name = name + ".take", .value = summarise(takes), .unit = "us"});
  run.report.add({.name = name + ".take_release", .value = summarise(pairs), .unit = "us"});
}

void measure_waggle(Run& run) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  ZmqContext context;
  Peer peer(context, coordinator.endpoint(), "~client-locker");
  FenceToken token;
  measure(
      run, "locks.waggle",
      [&] {
        peer.send(claim_request(peer, ClaimVerb::kTake, "bench/lock"));
        token = claim_granted(peer).token;
      },
      [&] {
        peer.send(claim_request(peer, ClaimVerb::kRelease, "bench/lock", token));
        (void)claim_granted(peer);
      });
}

void measure_redis(Run& run, const std::string& program) {
  const ScratchDirectory scratch;
  const std::uint16_t port = free_port();
  const Child server({program, "--port", std::to_string(port), "--bind", "127.0.0.1", "--save", "",
                      "--appendonly", "yes", "--appendfsync", "always", "--dir", scratch.path("."),
                      "--logfile", scratch.path("log")},
                     true);
  const auto redis = dial(port);
  constexpr std::string_view kRelease =
      "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 "
      "end";
  measure(
      run, "locks.redis",
      [&] {
        const std::string answer =
            ask_redis(*redis, {"SET", "bench/lock", "me", "NX", "PX", "60000"});
        require(answer == "+OK", "redis: SET", answer);
      },
      [&] {
        const std::string answer = ask_redis(*redis, {"EVAL", kRelease, "1", "bench/lock", "me"});
        require(answer == ":1", "redis: EVAL", answer);
      });
}

void measure_etcd(Run& run, const std::string& program) {
  const ScratchDirectory scratch;
  const std::uint16_t port = free_port();
  const std::string client = fmt::format("http://127.0.0.1:{}", port);
  const std::string peer = fmt::format("http://127.0.0.1:{}", free_port());
  const Child server(
      {program, "--data-dir", scratch.path("etcd"), "--listen-client-urls", client,
       "--advertise-client-urls", client, "--listen-peer-urls", peer,
       "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer},
      true);
  const auto etcd = dial(port);
  const std::string key = "YmVuY2gvbG9jaw==";  // bench/lock
  measure(
      run, "locks.etcd",
      [&] {
        const std::string answer = ask_etcd(
            *etcd, "txn",
            fmt::format(R"({{"compare":[{{"key":"{0}","target":"CREATE","create_revision":"0"}}],)"
                        R"("success":[{{"request_put":{{"key":"{0}","value":"bWU="}}}}]}})",
                        key));
        require(answer.find("\"succeeded\":true") != std::string::npos, "etcd: txn", answer);
      },
      [&] {
        const std::string answer =
            ask_etcd(*etcd, "deleterange", fmt::format(R"({{"key":"{}"}})", key));
        require(answer.find("\"deleted\":\"1\"") != std::string::npos, "etcd: delete", answer);
      });
}

}  // namespace

void measure_locks(Run& run) {
  const std::string redis = installed("redis-server");
  const std::string etcd = installed("etcd");
  const auto wanted = [&](const char* of) {
    return run.wanted(fmt::format("locks.{}.take", of)) ||
           run.wanted(fmt::format("locks.{}.take_release", of));
  };
  if (!wanted("waggle") && !wanted("redis") && !wanted("etcd")) return;
  run.report.section("locks",
                     fmt::format("taken and given back by one client, each step synced{}{}",
                                 redis.empty() ? "; redis-server is not installed" : "",
                                 etcd.empty() ? "; etcd is not installed" : ""));
  const auto one = [&](const char* name, const auto& measured) {
    try {
      measured();
    } catch (const std::exception& error) {
      run.report.failure(std::string("locks.") + name, error.what());
    }
  };
  if (wanted("waggle")) one("waggle", [&] { measure_waggle(run); });
  if (wanted("redis") && !redis.empty()) one("redis", [&] { measure_redis(run, redis); });
  if (wanted("etcd") && !etcd.empty()) one("etcd", [&] { measure_etcd(run, etcd); });
}

}  // namespace waggle::bench
