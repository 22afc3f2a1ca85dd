// The host's order of actions, by fake ports whose calls are written into one log.

#include "io/host.h"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"

namespace waggle {
namespace {

using Log = std::vector<std::string>;

// An event is a ReadCommand (answered by a send) or a WriteCommand (one row, a send, a delivery).
Event read(std::uint64_t n) {
  ReadCommand command;
  command.request = RequestId(n);
  return Command(std::move(command));
}
Event write(std::uint64_t n) {
  return Command(WriteCommand{.request = RequestId(n), .entries = {}});
}

class FakeCore final : public Core {
 public:
  explicit FakeCore(Log& log) : log_(log) {}

  void step(const Event& event, const Now& now, Actions& actions) override {
    if (std::holds_alternative<Tick>(event)) {
      log_.push_back("tick");
      next_wake = Instant::never();
    } else if (const auto* command = std::get_if<Command>(&event)) {
      std::uint64_t n = 0;
      if (const auto* reading = std::get_if<ReadCommand>(command)) n = reading->request.value();
      if (const auto* writing = std::get_if<WriteCommand>(command)) {
        n = writing->request.value();
        actions.persist.rows.emplace_back(ReplicaCursorRow{});
        actions.persist.sync = true;
      }
      actions.send.emplace_back(SendUp{make_message(Bye{SessionId(n)})});
      actions.deliver.emplace_back(DigestMismatch{Revision(n)});
      if (log_steps) log_.push_back("step " + std::to_string(n));
      ++open_;
    }
    actions.wake_at = next_wake;
    last_now = now;
  }
  void finish(const Now&, Actions& actions) override {
    log_.push_back("finish " + std::to_string(open_));
    open_ = 0;
    actions.wake_at = next_wake;
  }
  [[nodiscard]] bool full() const override { return open_ >= full_at; }

  Instant next_wake = Instant::never();
  Now last_now;
  std::size_t full_at = 1'000'000;
  bool log_steps = true;

 private:
  Log& log_;
  std::size_t open_ = 0;
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(Log& log) : log_(log) {}
  void receive(std::vector<Event>& events, std::size_t max) override {
    largest_max = std::max(largest_max, max);
    while (max-- > 0 && !inbox.empty()) {
      events.push_back(std::move(inbox.front()));
      inbox.pop_front();
    }
  }
  void send(const Send& send) override {
    const Message& message = *std::get<SendUp>(send).message;
    log_.push_back("send " + std::to_string(std::get<Bye>(message).session.value()));
  }
  std::deque<Event> inbox;
  std::size_t largest_max = 0;

 private:
  Log& log_;
};

class FakeJournal final : public Journal {
 public:
  explicit FakeJournal(Log& log) : log_(log) {}
  [[nodiscard]] Progress start(Batch batch) override {
    BOOST_TEST(!busy_);
    log_.push_back("start " + std::to_string(batch.rows.size()));
    if (at_once != Progress::kBusy) return at_once;
    busy_ = true;
    return Progress::kBusy;
  }
  [[nodiscard]] Progress poll() override {
    if (!busy_) return Progress::kIdle;
    if (next == Progress::kBusy) return Progress::kBusy;
    busy_ = false;
    log_.push_back("durable?");
    return std::exchange(next, Progress::kBusy);
  }
  [[nodiscard]] std::string failure() const override { return "disk on fire"; }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override {
    BOOST_TEST(!busy_);
    log_.push_back("read " + scan.key.value());
    return std::vector<ReceiptRow>(scan.limit);
  }

  Progress at_once = Progress::kBusy;
  Progress next = Progress::kBusy;

 private:
  Log& log_;
  bool busy_ = false;
};

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Now now() override { return at; }
  Now at{.monotonic = {1'000}, .wall_millis = 5'000};
};

struct World {
  Log log;
  FakeCore core{log};
  FakeTransport transport{log};
  FakeJournal journal{log};
  FakeClock clock;
  Host host{core, transport, journal, clock, [this](const Delivery& delivery) {
              const auto& mark = std::get<DigestMismatch>(delivery);
              log.push_back("deliver " + std::to_string(mark.revision.value()));
            }};
  World() {
    settle();  // the first Tick
    log.clear();
  }
  void settle() {
    while (host.turn()) {
    }
  }
  // The log since the last call.
  Log seen() { return std::exchange(log, {}); }
};

void check_log(const Log& found, const Log& expected) {
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_leaves_before_its_batch_is_durable) {
  World world;
  world.transport.inbox.push_back(write(1));
  world.settle();
  check_log(world.seen(), {"step 1", "finish 1", "start 1"});
  world.settle();
  check_log(world.seen(), {});
  world.journal.next = Journal::Progress::kDone;
  world.settle();
  check_log(world.seen(), {"durable?", "send 1", "deliver 1"});
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_over_at_once_is_followed_by_its_sends) {
  World world;
  world.journal.at_once = Journal::Progress::kDone;
  world.transport.inbox.push_back(write(1));
  world.settle();
  check_log(world.seen(), {"step 1", "finish 1", "start 1", "send 1", "deliver 1"});
}

BOOST_AUTO_TEST_CASE(a_group_without_rows_is_sent_at_once) {
  World world;
  world.transport.inbox.push_back(read(1));
  world.settle();
  check_log(world.seen(), {"step 1", "finish 1", "send 1", "deliver 1"});
  BOOST_TEST(world.host.counters().batches == 0u);
}

BOOST_AUTO_TEST_CASE(what_arrives_during_a_batch_joins_one_later_group) {
  World world;
  world.transport.inbox.push_back(write(1));
  world.settle();
  world.transport.inbox.push_back(write(2));
  world.settle();
  world.transport.inbox.push_back(read(3));
  world.settle();
  check_log(world.seen(), {"step 1", "finish 1", "start 1", "step 2", "step 3"});
  world.journal.next = Journal::Progress::kDone;
  world.settle();
  // The first group leaves before the next one is finished; the read waits for the write before it.
  check_log(world.seen(), {"durable?", "send 1", "deliver 1", "finish 2", "start 1"});
  world.journal.next = Journal::Progress::kDone;
  world.settle();
  check_log(world.seen(), {"durable?", "send 2", "send 3", "deliver 2", "deliver 3"});
}

BOOST_AUTO_TEST_CASE(a_read_does_not_overtake_the_batch_of_an_earlier_write) {
  World world;
  world.transport.inbox.push_back(write(1));
  world.settle();
  world.transport.inbox.push_back(read(2));
  world.settle();
  check_log(world.seen(), {"step 1", "finish 1", "start 1", "step 2"});
  world.journal.next = Journal::Progress::kDone;
  world.settle();
  check_log(world.seen(), {"durable?", "send 1", "deliver 1", "finish 1", "send 2", "deliver 2"});
}

BOOST_AUTO_TEST_CASE(an_unknown_batch_stops_the_host_and_nothing_of_it_leaves) {
  for (const bool at_once : {false, true}) {
    World world;
    if (at_once) world.journal.at_once = Journal::Progress::kUnknown;
    world.transport.inbox.push_back(write(1));
    world.settle();
    world.transport.inbox.push_back(read(2));
    if (!at_once) world.journal.next = Journal::Progress::kUnknown;
    world.settle();
    world.settle();
    BOOST_REQUIRE(world.host.stopped().has_value());
    BOOST_TEST((world.host.stopped()->code == Code::kUnknown));
    BOOST_TEST(world.host.stopped()->text.contains("disk on fire"));
    for (const std::string& line : world.seen()) {
      BOOST_TEST(!line.starts_with("send"));
      BOOST_TEST(!line.starts_with("deliver"));
    }
    BOOST_TEST(!world.host.turn());
    BOOST_TEST(world.host.drained());
  }
}

BOOST_AUTO_TEST_CASE(a_fenced_batch_stops_the_host) {
  World world;
  world.transport.inbox.push_back(write(1));
  world.settle();
  world.journal.next = Journal::Progress::kFenced;
  world.settle();
  BOOST_REQUIRE(world.host.stopped().has_value());
  BOOST_TEST((world.host.stopped()->code == Code::kDenied));
  check_log(world.seen(), {"step 1", "finish 1", "start 1", "durable?"});
}

BOOST_AUTO_TEST_CASE(a_turn_takes_a_bounded_number_of_events) {
  World world;
  world.core.log_steps = false;
  for (std::size_t i = 0; i < 10; ++i) world.host.post(read(i));
  for (std::size_t i = 0; i < 2 * limits::kEventsPerTurn; ++i) {
    world.transport.inbox.push_back(read(i));
  }
  const std::uint64_t before = world.host.counters().events;
  BOOST_TEST(world.host.turn());
  BOOST_TEST(world.host.counters().events - before == limits::kEventsPerTurn);
  BOOST_TEST(world.transport.inbox.size() == limits::kEventsPerTurn + 10);
  world.settle();
  BOOST_TEST(world.transport.inbox.empty());
  BOOST_TEST(world.transport.largest_max <= limits::kEventsPerTurn);
}

BOOST_AUTO_TEST_CASE(a_full_group_behind_a_slow_disk_takes_nothing_more) {
  World world;
  world.core.full_at = 2;
  world.transport.inbox.push_back(write(1));
  world.settle();
  for (std::uint64_t n = 2; n < 4; ++n) world.transport.inbox.push_back(write(n));
  world.settle();
  world.transport.inbox.push_back(write(4));
  world.core.next_wake = {0};
  world.settle();
  check_log(world.seen(), {"step 1", "finish 1", "start 1", "step 2", "step 3"});
  BOOST_TEST(world.transport.inbox.size() == 1u);
  world.journal.next = Journal::Progress::kDone;
  world.settle();
  const Log log = world.seen();
  BOOST_TEST(std::ranges::count(log, "start 3") == 1);  // 2, 3 and 4
}

BOOST_AUTO_TEST_CASE(events_come_before_timers) {
  World world;
  world.core.next_wake = {2'000};
  world.transport.inbox.push_back(read(1));
  world.settle();
  BOOST_TEST(world.host.wake_at().millis == 2'000);
  static_cast<void>(world.seen());
  world.settle();
  check_log(world.seen(), {});
  world.clock.at.monotonic = {60'000};
  world.transport.inbox.push_back(read(2));
  world.settle();
  check_log(world.seen(), {"step 2", "tick", "finish 1", "send 2", "deliver 2"});
}

BOOST_AUTO_TEST_CASE(a_drained_host_has_carried_out_everything) {
  World world;
  world.host.post(write(1));
  world.transport.inbox.push_back(write(2));
  BOOST_TEST(!world.host.drained());
  BOOST_TEST(!world.host.drained());
  world.journal.next = Journal::Progress::kDone;
  BOOST_TEST(world.host.drained());
  check_log(world.seen(), {"step 1", "step 2", "finish 2", "start 2", "durable?", "send 1",
                           "send 2", "deliver 1", "deliver 2"});
}

BOOST_AUTO_TEST_CASE(a_command_posted_by_a_delivery_is_stepped_next) {
  Log log;
  FakeCore core(log);
  FakeTransport transport(log);
  FakeJournal journal(log);
  FakeClock clock;
  bool posted = false;
  Host* self = nullptr;
  Host host(core, transport, journal, clock, [&](const Delivery&) {
    if (!std::exchange(posted, true)) self->post(read(2));
  });
  self = &host;
  host.post(read(1));
  while (host.turn()) {
  }
  check_log(log, {"step 1", "tick", "finish 1", "send 1", "step 2", "finish 1", "send 2"});
}

}  // namespace
}  // namespace waggle
