#include "io/loop.h"

#include <latch>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "io/journal.h"
#include "io/system_clock.h"
#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

// Answers each hello with a broadcast number in a Bye, and writes `rows` for it first.
class EchoCore final : public Core {
 public:
  explicit EchoCore(std::size_t rows) : rows_(rows) {}
  void step(const Event& event, const Now&, Actions& actions) override {
    if (const auto* received = std::get_if<Received>(&event)) {
      if (!std::holds_alternative<Hello>(*received->message)) return;
      actions.persist.rows.resize(actions.persist.rows.size() + rows_, ReplicaCursorRow{});
      actions.persist.sync = true;
      actions.send.emplace_back(SendTo{received->peer, bye_of(++answered)});
    } else if (std::holds_alternative<PeerLost>(event)) {
      ++lost;
    }
  }
  void finish(const Now&, Actions&) override {}
  [[nodiscard]] bool full() const override { return false; }
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;

 private:
  std::size_t rows_;
};

// Says hello, again every 200 ms, until it is answered; delivers the answer.
class AskingCore final : public Core {
 public:
  explicit AskingCore(std::string name) : hello_(hello_of(name)) {}
  void step(const Event& event, const Now& now, Actions& actions) override {
    if (std::holds_alternative<Received>(event) && !answered_) {
      answered_ = true;
      actions.deliver.emplace_back(DigestMismatch{});
    }
    if (!answered_ && now.monotonic >= wake_at_) {
      actions.send.emplace_back(SendUp{hello_});
      wake_at_ = now.monotonic + Millis{200};
    }
    actions.wake_at = answered_ ? Instant::never() : wake_at_;
  }
  void finish(const Now&, Actions& actions) override {
    actions.wake_at = answered_ ? Instant::never() : wake_at_;
  }
  [[nodiscard]] bool full() const override { return false; }

 private:
  MessagePtr hello_;
  bool answered_ = false;
  Instant wake_at_{0};
};

// Says hello once, and again for each answer, `times` in all. It has no timer, so that one wake-up
// that is lost stalls it for good.
class PlayingCore final : public Core {
 public:
  PlayingCore(std::string name, int times) : hello_(hello_of(name)), left_(times) {}
  void step(const Event& event, const Now&, Actions& actions) override {
    if (std::holds_alternative<Received>(event) && --left_ == 0) {
      actions.deliver.emplace_back(DigestMismatch{});
    } else if (left_ > 0) {
      actions.send.emplace_back(SendUp{hello_});
    }
  }
  void finish(const Now&, Actions&) override {}
  [[nodiscard]] bool full() const override { return false; }

 private:
  MessagePtr hello_;
  int left_;
};

// Counts the commands that it is posted and the ticks that it asked for.
class CountingCore final : public Core {
 public:
  void step(const Event& event, const Now& now, Actions& actions) override {
    if (std::holds_alternative<Tick>(event) && ticks_left > 0 && now.monotonic >= next_) {
      --ticks_left;
      next_ = now.monotonic + Millis{1};
    }
    if (std::holds_alternative<Command>(event)) {
      ++commands;
      if (writes) actions.persist.rows.emplace_back(ReplicaCursorRow{});
    }
    actions.deliver.emplace_back(DigestMismatch{});
    actions.wake_at = ticks_left > 0 ? next_ : Instant::never();
  }
  void finish(const Now&, Actions& actions) override {
    actions.wake_at = ticks_left > 0 ? next_ : Instant::never();
  }
  [[nodiscard]] bool full() const override { return false; }
  std::uint64_t commands = 0;
  int ticks_left = 0;
  bool writes = false;

 private:
  Instant next_{0};
};

class FakeStore final : public CommitStore {
 public:
  [[nodiscard]] Result<CoordinatorState> load_coordinator() override { return CoordinatorState{}; }
  [[nodiscard]] Result<AgentState> load_agent() override { return AgentState{}; }
  [[nodiscard]] CommitResult commit(const Batch& batch) override {
    rows += batch.rows.size();
    return result;
  }
  [[nodiscard]] std::string failure() const override { return "disk on fire"; }
  [[nodiscard]] Level level() const override { return Level::kMemory; }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan&) override {
    return std::vector<ReceiptRow>{};
  }
  CommitResult result = CommitResult::kDone;
  std::uint64_t rows = 0;
};

class NoTransport final : public Transport {
 public:
  void receive(std::vector<Event>&, std::size_t) override {}
  void send(const Send&) override {}
};

// Stops the loop when nothing happened for a minute, so that a fault is a failure and no hang.
class Watchdog {
 public:
  explicit Watchdog(Loop& loop) : loop_(loop) {
    loop_.set_watcher([this] {
      if (++seconds_ < 60) return;
      barked = true;
      loop_.stop();
    });
  }
  bool barked = false;

 private:
  Loop& loop_;
  int seconds_ = 0;
};

// One coordinator and `count` agents with cores of this type in one loop, until each agent
// delivered once.
template <typename AgentCore, typename... Options>
void many_agents(const std::string& listen, int count, std::size_t rows, Options... options) {
  ZmqContext context;
  SystemClock clock;
  FakeStore store;
  ThreadJournal journal(store, {.inline_rows = 0});
  InlineJournal none(store);
  CoordinatorPump coordinator = coordinator_at(context, listen);
  EchoCore echo(rows);
  Host host(echo, *coordinator.transport, journal, clock, [](const Delivery&) {});

  struct Agent {
    AgentPump pump;
    AgentCore core;
    Host host;
    Agent(const ZmqContext& zmq, const Endpoint& endpoint, int number, Journal& the_journal,
          Clock& the_clock, DeliverFn deliver, Options... the_options)
        : pump(agent_of(zmq, endpoint)),
          core("a" + std::to_string(number), the_options...),
          host(core, *pump.transport, the_journal, the_clock, std::move(deliver)) {}
  };
  std::vector<std::unique_ptr<Agent>> agents;
  int answered = 0;
  Loop loop;
  Watchdog watchdog(loop);
  loop.add(host, {coordinator.transport.get(), &journal});
  for (int i = 0; i < count; ++i) {
    agents.push_back(std::make_unique<Agent>(
        context, coordinator.transport->endpoint(), i, none, clock,
        [&](const Delivery&) {
          if (++answered == count) loop.stop();
        },
        options...));
    loop.add(agents.back()->host, {agents.back()->pump.transport.get()});
  }
  loop.run();
  BOOST_TEST(!watchdog.barked);
  BOOST_TEST(answered == count);
  BOOST_TEST(store.rows >= rows * static_cast<std::uint64_t>(count));
  BOOST_TEST((host.counters().batches > 0) == (rows > 0));
}

BOOST_AUTO_TEST_CASE(many_agents_and_their_coordinator_share_one_thread) {
  many_agents<AskingCore>("tcp://127.0.0.1:*", 100, 20);
  many_agents<AskingCore>("inproc://w", 300, 1);
}

BOOST_AUTO_TEST_CASE(no_wake_up_is_lost_in_a_long_exchange) {
  for (const std::size_t rows : {0, 1}) {
    many_agents<PlayingCore>("tcp://127.0.0.1:*", 1, rows, 3'000);
    many_agents<PlayingCore>("tcp://127.0.0.1:*", 20, rows, 500);
    many_agents<PlayingCore>("inproc://w", 20, rows, 500);
  }
}

BOOST_AUTO_TEST_CASE(events_of_many_threads_are_all_stepped) {
  SystemClock clock;
  FakeStore store;
  for (const std::size_t inline_rows : {0, 1'000'000}) {
    ThreadJournal journal(store, {.inline_rows = inline_rows});
    NoTransport transport;
    CountingCore core;
    core.writes = true;
    Host host(core, transport, journal, clock, [](const Delivery&) {});
    Loop loop;
    Watchdog watchdog(loop);
    loop.add(host, {&journal});
    std::thread running([&] { loop.run(); });
    constexpr int kThreads = 4;
    constexpr int kEvents = 20'000;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < kEvents; ++n) {
          while (!loop.post(host, Command(StatusCommand{}))) std::this_thread::yield();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    // What was taken is stepped before the loop ends.
    loop.stop();
    running.join();
    BOOST_TEST(core.commands == static_cast<std::uint64_t>(kThreads) * kEvents);
    BOOST_TEST(!host.waiting_for_journal());
    BOOST_TEST(!loop.post(host, Tick{}));
    BOOST_TEST(!loop.call([] {}));
  }
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses) {
  SystemClock clock;
  FakeStore store;
  InlineJournal journal(store);
  NoTransport transport;
  CountingCore core;
  Host host(core, transport, journal, clock, [](const Delivery&) {});
  Host stranger(core, transport, journal, clock, [](const Delivery&) {});
  Loop loop({.posted_max = 3});
  loop.add(host, {});
  for (int i = 0; i < 3; ++i) BOOST_TEST(loop.post(host, Command(StatusCommand{})));
  BOOST_TEST(!loop.post(host, Command(StatusCommand{})));
  BOOST_TEST(!loop.post(stranger, Command(StatusCommand{})));
  loop.stop();
  loop.run();
  BOOST_TEST(core.commands == 3u);
}

BOOST_AUTO_TEST_CASE(timers_come_until_none_is_asked_for) {
  SystemClock clock;
  FakeStore store;
  InlineJournal journal(store);
  NoTransport transport;
  CountingCore core;
  core.ticks_left = 20;
  Loop loop;
  Watchdog watchdog(loop);
  Host host(core, transport, journal, clock, [&](const Delivery&) {
    if (core.ticks_left == 0) loop.stop();
  });
  loop.add(host, {});
  loop.run();
  BOOST_TEST(core.ticks_left == 0);
  BOOST_TEST(!watchdog.barked);
  loop.remove(host);
}

BOOST_AUTO_TEST_CASE(a_host_whose_batch_is_unknown_ends_the_loop) {
  SystemClock clock;
  FakeStore store;
  store.result = CommitResult::kUnknown;
  ThreadJournal journal(store, {.inline_rows = 0});
  NoTransport transport;
  CountingCore core;
  core.writes = true;
  Host host(core, transport, journal, clock, [](const Delivery&) {});
  Loop loop;
  Watchdog watchdog(loop);
  int told = 0;
  loop.set_on_stopped([&](Host& stopped) { told += &stopped == &host ? 1 : 100; });
  loop.add(host, {&journal});
  BOOST_TEST(loop.post(host, Command(StatusCommand{})));
  loop.run();
  BOOST_TEST(!watchdog.barked);
  BOOST_TEST(told == 1);
  BOOST_REQUIRE(host.stopped().has_value());
  BOOST_TEST((host.stopped()->code == Code::kUnknown));
}

BOOST_AUTO_TEST_CASE(hosts_come_and_go_while_it_runs) {
  SystemClock clock;
  FakeStore store;
  InlineJournal journal(store);
  NoTransport transport;
  CountingCore first_core;
  CountingCore second_core;
  Host first(first_core, transport, journal, clock, [](const Delivery&) {});
  Host second(second_core, transport, journal, clock, [](const Delivery&) {});
  Loop loop;
  loop.add(first, {});
  std::thread running([&] { loop.run(); });
  std::latch added(1);
  BOOST_TEST(loop.call([&] {
    loop.add(second, {});
    added.count_down();
  }));
  added.wait();
  BOOST_TEST(loop.post(second, Command(StatusCommand{})));
  std::latch removed(1);
  BOOST_TEST(loop.call([&] {
    loop.remove(first);
    removed.count_down();
  }));
  removed.wait();
  BOOST_TEST(!loop.post(first, Command(StatusCommand{})));
  loop.stop();
  running.join();
  BOOST_TEST(second_core.commands == 1u);
}

BOOST_AUTO_TEST_CASE(an_idle_loop_sleeps) {
  SystemClock clock;
  FakeStore store;
  InlineJournal journal(store);
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(context, "tcp://127.0.0.1:*");
  EchoCore core(0);
  Host host(core, *coordinator.transport, journal, clock, [](const Delivery&) {});
  Loop loop;
  int beats = 0;
  loop.set_watcher([&] {
    if (++beats == 3) loop.stop();
  });
  loop.add(host, {coordinator.transport.get()});
  loop.run();
  // Two beats of the watcher and a few turns at the start; a loop that spins has millions.
  BOOST_TEST(loop.counters().wakeups < 100u);
}

}  // namespace
}  // namespace waggle
