// Durable writes acknowledged a second. The writers are 50 connections on one thread that speak the
// protocol as clients and keep a number of writes under way each; the subscribers are real agents
// on a thread of their own, which decode and apply every update. All of them share the cores with
// the coordinator, so the processor time that each side needs for a write is shown beside the rate.

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kWriters = 50;
constexpr std::size_t kSubscribers = 10;
constexpr std::size_t kWindow = 64;   // writes under way of one writer
constexpr std::size_t kKeys = 1'000;  // of one writer, one after the other
constexpr std::size_t kValueBytes = 256;
constexpr double kGoal = 80'000;
constexpr double kWindowMicros = 250e3;  // one sample of the rate

class Writers {
 public:
  Writers(const std::string& endpoint) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < kWriters; ++i) {
      writers_.push_back(
          std::make_unique<Peer>(context_, endpoint, fmt::format("~client-writer-{}", i)));
      written_.push_back(0);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLET;
      event.data.u64 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, writers_.back()->descriptor(), &event);
    }
  }
  ~Writers() { close(epoll_); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  void begin() {
    for (std::size_t i = 0; i < kWriters; ++i) write(i, kWindow);
    for (std::size_t i = 0; i < kWriters; ++i) take(i, true);
  }
  // Goes on until then; no new writes without `more`.
  void run_until(double micros, bool more) {
    std::array<epoll_event, kWriters> events;
    while (now_micros() < micros && (more || under_way_ > 0)) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10);
      for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)].data.u64, more);
    }
  }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::size_t under_way() const { return under_way_; }

 private:
  void write(std::size_t i, std::size_t count) {
    std::vector<Mutation> mutations;
    mutations.reserve(count);
    for (; count > 0; --count)
      mutations.push_back(
          writers_[i]->put(fmt::format("w{}/{}", i, written_[i]++ % kKeys), value_));
    under_way_ += mutations.size();
    writers_[i]->send(writers_[i]->submit(std::move(mutations)));
  }
  void take(std::size_t i, bool more) {
    while (const MessagePtr message = writers_[i]->receive(0)) {
      const auto* result = std::get_if<SubmitResult>(message.get());
      if (result == nullptr) throw std::runtime_error("a writer got something else than a result");
      const std::size_t count = writers_[i]->acknowledge(*result);
      acknowledged_ += count;
      under_way_ -= count;
      if (more) write(i, count);
    }
  }

  ZmqContext context_;
  int epoll_;
  std::vector<std::unique_ptr<Peer>> writers_;
  std::vector<std::uint64_t> written_;
  const std::string value_ = std::string(kValueBytes, 'v');
  std::uint64_t acknowledged_ = 0;
  std::size_t under_way_ = 0;
};

void measure(Run& run, const std::string& name, std::size_t subscribers) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  std::unique_ptr<RealSwarm> swarm;
  if (subscribers > 0)
    swarm = std::make_unique<RealSwarm>(coordinator.endpoint(), subscribers, Role::kObserver);
  Writers writers(coordinator.endpoint());

  writers.begin();
  writers.run_until(now_micros() + 1e6, true);  // warm-up: every key is there
  Samples rates;
  const std::uint64_t before = writers.acknowledged();
  const double coordinator_before = cpu_seconds(coordinator.pid());
  const double own_before = cpu_seconds(getpid());
  for (int i = 0; i < (run.quick ? 10 : 24); ++i) {
    const std::uint64_t acknowledged = writers.acknowledged();
    const double begin = now_micros();
    writers.run_until(begin + kWindowMicros, true);
    rates.push_back(static_cast<double>(writers.acknowledged() - acknowledged) /
                    (now_micros() - begin) * 1e6);
  }
  const auto each = static_cast<double>(writers.acknowledged() - before) / 1e6;
  const double coordinator_cpu = (cpu_seconds(coordinator.pid()) - coordinator_before) / each;
  const double own_cpu = (cpu_seconds(getpid()) - own_before) / each;
  writers.run_until(now_micros() + 10e6, false);
  if (writers.under_way() > 0) throw std::runtime_error("some writes were never acknowledged");

  Row row{.name = name, .value = summarise(rates), .unit = "/s"};
  if (subscribers == kSubscribers) {
    row.goal = "80,000 /s";
    row.reached = row.value.median >= kGoal;
  }
  row.parts.emplace_back("CPU a write: coordinator", with_unit(coordinator_cpu, "us"));
  row.parts.emplace_back("writers and subscribers", with_unit(own_cpu, "us"));
  if (swarm) {
    // They may be behind: a full queue loses updates, and a delta makes up for them.
    RealSwarm::Told told = swarm->told();
    for (int i = 0; i < 100 && told.fewest < writers.acknowledged(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      told = swarm->told();
    }
    row.parts.emplace_back(
        "told to each subscriber",
        fmt::format("{:.1f} % of {}",
                    100.0 * static_cast<double>(told.all) / static_cast<double>(subscribers) /
                        static_cast<double>(writers.acknowledged()),
                    writers.acknowledged()));
  }
  run.report.add(std::move(row));
}

}  // namespace

void measure_throughput(Run& run) {
  if (!run.wanted("writes")) return;
  run.report.section(
      "durable writes acknowledged a second",
      fmt::format(
          "{} writers of 256 B values, each with {} writes under way; every acknowledgement "
          "is behind a synced log.\n"
          "  writes.N: published to N agents, which decode and apply all of it.",
          kWriters, kWindow));
  for (const std::size_t subscribers : {std::size_t{0}, kSubscribers}) {
    const std::string name = fmt::format("writes.{}", subscribers);
    if (!run.wanted(name)) continue;
    try {
      measure(run, name, subscribers);
    } catch (const std::exception& error) {
      run.report.failure(name, error.what());
    }
  }
}

}  // namespace waggle::bench
