// One flooding agent among a hundred: what the others' writes take without and with it. The members
// write at a fixed rate, each one value at a time; the flooder is a process of its own that sends
// one write after the other as fast as its socket takes them and comes back at once whatever it is
// told. It has the lowest priority, since in use it is another machine that burns its own cores.

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/flood.h"
#include "bench/peer.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kMembers = 99;
constexpr double kEachMicros = 100e3;  // from one write of a member to its next
constexpr std::size_t kValueBytes = 256;
constexpr std::uint64_t kLimit = 200;  // messages and writes a second of an agent, in flood.limited
constexpr double kGoal = 2;
constexpr std::size_t kDrainEvery = 32;

class Members {
 public:
  explicit Members(const std::string& endpoint)
      : endpoint_(endpoint), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < kMembers; ++i) {
      peers_.push_back(std::make_unique<Peer>(context_, endpoint, fmt::format("agent-{}", i)));
      peers_.back()->join_channel(context_, endpoint);
      due_.push_back(0);
      sent_.push_back(0);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLET;
      event.data.u64 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, peers_.back()->descriptor(), &event);
    }
  }
  ~Members() { close(epoll_); }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  // Round trips of all writes that begin within the time.
  [[nodiscard]] Samples run(double seconds) {
    samples_.clear();
    const double begin = now_micros();
    for (std::size_t i = 0; i < kMembers; ++i)
      due_[i] = begin + kEachMicros * static_cast<double>(i) / kMembers;
    const double end = begin + seconds * 1e6;
    const double bound = end + 10e6;
    std::array<epoll_event, kMembers> events;
    while (true) {
      const double now = now_micros();
      for (std::size_t i = 0; i < kMembers && now < end; ++i) {
        if (sent_[i] > 0 || now < due_[i]) continue;
        due_[i] = std::max(due_[i] + kEachMicros, now);
        write(i);
      }
      if (now >= end && under_way_ == 0) return samples_;
      if (now > bound) throw std::runtime_error("a member's write was not answered in 10 s");
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
      for (int n = 0; n < count; ++n) take(events[static_cast<std::size_t>(n)].data.u64);
    }
  }

 private:
  void write(std::size_t i) {
    Mutation mutation = peers_[i]->put(fmt::format("m{}", i), value_);
    ++under_way_;
    sent_[i] = now_micros();
    peers_[i]->send(peers_[i]->submit({std::move(mutation)}));
    take(i);
  }
  void take(std::size_t i) {
    while (const MessagePtr message = peers_[i]->receive(0)) {
      const auto* result = std::get_if<SubmitResult>(message.get());
      if (result == nullptr) continue;  // attached
      if (peers_[i]->acknowledge(*result) == 0) continue;
      samples_.push_back(now_micros() - sent_[i]);
      sent_[i] = 0;
      --under_way_;
    }
  }

  ZmqContext context_;
  const std::string endpoint_;
  int epoll_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<double> due_;
  std::vector<double> sent_;  // 0: nothing is under way
  std::size_t under_way_ = 0;
  const std::string value_ = std::string(kValueBytes, 'v');
  Samples samples_;
};

double quantile(Samples samples, double part) {
  if (samples.empty()) throw std::runtime_error("nothing was measured");
  const auto at = static_cast<std::size_t>(part * static_cast<double>(samples.size() - 1));
  std::ranges::nth_element(samples, samples.begin() + static_cast<std::ptrdiff_t>(at));
  return samples[at];
}

std::uint64_t counter(Peer& peer, std::string_view name) {
  peer.send(Query{peer.welcome().session, RequestId(1), StatusQuery{}});
  for (int i = 0; i < 100; ++i) {
    const MessagePtr message = peer.receive(1'000);
    const auto* result = message ? std::get_if<QueryResult>(message.get()) : nullptr;
    if (result == nullptr) continue;
    for (const NamedCount& one : result->counters)
      if (one.name == name) return one.count;
    return 0;
  }
  throw std::runtime_error("the coordinator does not tell its counters");
}

void measure(Run& run, const std::string& name, std::optional<std::uint64_t> limit) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"), limit);
  Members members(coordinator.endpoint());
  ZmqContext context;
  Peer looker(context, coordinator.endpoint(), "~client-looker");
  const int blocks = run.quick ? 3 : 8;
  const double seconds = run.quick ? 2 : 4;
  static_cast<void>(members.run(1));  // warm-up
  Samples without;
  Samples with;
  Samples ratios;
  Samples ratios_99;
  double frames = 0;
  double committed = 0;
  const std::uint64_t unread_before = counter(looker, "transport_ignored");
  for (int block = 0; block < blocks; ++block) {
    const Samples calm = members.run(seconds);
    Child flooder({own_program(), "--flood", coordinator.endpoint()});
    static_cast<void>(flooder.read_line(20));  // it floods
    static_cast<void>(members.run(0.5));
    const Samples flooded = members.run(seconds);
    flooder.finish_input();
    const std::string line = flooder.read_line(20);
    double rate = 0;
    double taken = 0;
    if (std::sscanf(line.c_str(), "%lf %lf", &rate, &taken) != 2)
      throw std::runtime_error("the flooder said: " + line);
    frames += rate / blocks;
    committed += taken / blocks;
    ratios.push_back(median(flooded) / median(calm));
    ratios_99.push_back(quantile(flooded, 0.99) / quantile(calm, 0.99));
    without.insert(without.end(), calm.begin(), calm.end());
    with.insert(with.end(), flooded.begin(), flooded.end());
  }
  std::this_thread::sleep_for(
      std::chrono::milliseconds(1'200));  // counters are measured each second
  const std::uint64_t unread = counter(looker, "transport_ignored") - unread_before;

  Row row{.name = name, .value = summarise(with), .unit = "us"};
  row.baseline = median(without);
  row.ratio = median(ratios);
  if (limit) {
    row.goal = "2";
    row.reached = *row.ratio <= kGoal && median(ratios_99) <= kGoal;
  }
  row.parts.emplace_back("99th percentile without", with_unit(quantile(without, 0.99), "us"));
  row.parts.emplace_back("with", with_unit(quantile(with, 0.99), "us"));
  row.parts.emplace_back("ratio of the 99th", fmt::format("{:.2f}", median(ratios_99)));
  row.parts.emplace_back("flood", with_unit(frames, "/s"));
  row.parts.emplace_back("of it committed", with_unit(committed, "/s"));
  row.parts.emplace_back("thrown away unread", fmt::format("{}", unread));
  run.report.add(std::move(row));
}

}  // namespace

int flood(const std::string& endpoint) {
  setpriority(PRIO_PROCESS, 0, 19);
  ZmqContext context;
  // Another one each time: the coordinator still holds the id of the one before.
  Peer peer(context, endpoint, fmt::format("flooder-{}", getpid()));
  std::printf("floods\n");
  std::fflush(stdout);
  const std::string value(kValueBytes, 'f');
  std::uint64_t frames = 0;
  std::uint64_t committed = 0;
  const double begin = now_micros();
  // A hot loop of one write after the other. What was refused is sent again at once, as somebody
  // does who never reads the time to come back.
  Mutation mutation = peer.put("flood", value);
  Seq confirmed;
  while (!input_ended()) {
    for (std::size_t n = 0; n < kDrainEvery; ++n) {
      mutation.context.own_through = {{mutation.incarnation, Seq(mutation.seq.value() - 1)}};
      Submit submit = peer.submit({mutation});
      submit.confirmed = {{mutation.incarnation, confirmed}};
      peer.send(submit);
      mutation.seq = mutation.seq.next();
      ++frames;
    }
    while (const MessagePtr message = peer.receive(0)) {
      const auto* result = std::get_if<SubmitResult>(message.get());
      if (result == nullptr) continue;
      for (const MutationResult& one : result->results) {
        if (one.outcome.code == Code::kCommitted) {
          ++committed;
          confirmed = std::max(confirmed, one.seq);
        } else if (one.outcome.code == Code::kGap) {
          mutation.seq = one.outcome.expected;
        } else if (one.outcome.code == Code::kOverloaded) {
          mutation.seq = one.seq;
        }
      }
    }
  }
  const double seconds = (now_micros() - begin) / 1e6;
  std::printf("%.0f %.0f\n", static_cast<double>(frames) / seconds,
              static_cast<double>(committed) / seconds);
  std::fflush(stdout);
  std::_Exit(0);  // what it sent last need not arrive
}

void measure_flood(Run& run) {
  if (!run.wanted("flood")) return;
  run.report.section(
      "a flooding agent among 100",
      fmt::format(
          "{} members write a value of {} B every {:.0f} ms each; round trip of a durable write "
          "without (bare)\n"
          "  and with one more member that sends writes as fast as its socket takes them.\n"
          "  flood.limited: at most {} messages and writes a second of an agent. flood.default: "
          "with the default limits.",
          kMembers, kValueBytes, kEachMicros / 1e3, kLimit));
  for (const bool limited : {true, false}) {
    const std::string name = limited ? "flood.limited" : "flood.default";
    if (!run.wanted(name)) continue;
    try {
      measure(run, name, limited ? std::optional(kLimit) : std::nullopt);
    } catch (const std::exception& error) {
      run.report.failure(name, error.what());
    }
  }
}

}  // namespace waggle::bench
