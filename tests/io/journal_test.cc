#include "io/journal.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <poll.h>

namespace waggle {
namespace {

class FakeStore final : public CommitStore {
 public:
  [[nodiscard]] Result<CoordinatorState> load_coordinator() override { return CoordinatorState{}; }
  [[nodiscard]] Result<AgentState> load_agent() override { return AgentState{}; }
  [[nodiscard]] CommitResult commit(const Batch& batch) override {
    if (throws) throw std::runtime_error("torn page");
    committed += batch.rows.size();
    thread = std::this_thread::get_id();
    return result;
  }
  [[nodiscard]] std::string failure() const override { return "disk on fire"; }
  [[nodiscard]] Level level() const override { return Level::kMemory; }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan&) override {
    return std::vector<ReceiptRow>{};
  }
  CommitResult result = CommitResult::kDone;
  bool throws = false;
  std::size_t committed = 0;
  std::thread::id thread;
};

Batch batch_of(std::size_t rows) {
  Batch batch;
  batch.rows.resize(rows, ReplicaCursorRow{});
  batch.sync = true;
  return batch;
}

class Watched final : public FdWatch {
 public:
  void watch(int fd) override { fd_ = fd; }
  void forget(int fd) override {
    BOOST_TEST(fd == fd_);
    fd_ = -1;
  }
  [[nodiscard]] bool speaks() const {
    pollfd item{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&item, 1, 60'000) == 1;
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

Journal::Progress outcome_of(ThreadJournal& journal) {
  Journal::Progress progress = journal.poll();
  while (progress == Journal::Progress::kBusy) {
    std::this_thread::yield();
    progress = journal.poll();
  }
  return progress;
}

BOOST_AUTO_TEST_CASE(few_rows_are_committed_on_the_calling_thread) {
  FakeStore store;
  ThreadJournal journal(store, {.inline_rows = 8});
  BOOST_TEST((journal.start(batch_of(8)) == Journal::Progress::kDone));
  BOOST_TEST((store.thread == std::this_thread::get_id()));
  BOOST_TEST((journal.poll() == Journal::Progress::kIdle));
  BOOST_TEST(journal.counters().inlined == 1u);
}

BOOST_AUTO_TEST_CASE(many_rows_go_to_the_thread_which_wakes_the_loop) {
  FakeStore store;
  ThreadJournal journal(store, {.inline_rows = 8});
  Watched watched;
  journal.attach(&watched);
  BOOST_TEST((journal.start(batch_of(9)) == Journal::Progress::kBusy));
  BOOST_TEST(watched.speaks());
  BOOST_TEST(journal.has_work());
  BOOST_TEST((outcome_of(journal) == Journal::Progress::kDone));
  BOOST_TEST(!journal.has_work());
  BOOST_TEST((journal.poll() == Journal::Progress::kIdle));
  BOOST_TEST((store.thread != std::this_thread::get_id()));
  BOOST_TEST(store.committed == 9u);
  journal.attach(nullptr);
  BOOST_TEST(watched.fd() == -1);
}

BOOST_AUTO_TEST_CASE(many_batches_one_after_the_other) {
  FakeStore store;
  ThreadJournal journal(store, {.inline_rows = 1});
  std::size_t rows = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    rows += 1 + i % 3;
    const Journal::Progress progress = journal.start(batch_of(1 + i % 3));
    if (progress == Journal::Progress::kBusy) {
      BOOST_TEST((outcome_of(journal) == Journal::Progress::kDone));
    } else {
      BOOST_TEST((progress == Journal::Progress::kDone));
    }
  }
  BOOST_TEST(store.committed == rows);
}

BOOST_AUTO_TEST_CASE(a_failing_store_makes_the_batch_unknown) {
  for (const std::size_t rows : {1, 100}) {
    FakeStore store;
    store.result = CommitResult::kUnknown;
    ThreadJournal journal(store);
    Journal::Progress progress = journal.start(batch_of(rows));
    if (progress == Journal::Progress::kBusy) progress = outcome_of(journal);
    BOOST_TEST((progress == Journal::Progress::kUnknown));
    BOOST_TEST(journal.failure() == "disk on fire");
  }
}

BOOST_AUTO_TEST_CASE(a_fenced_store_is_told_apart) {
  for (const std::size_t rows : {1, 100}) {
    FakeStore store;
    store.result = CommitResult::kFenced;
    ThreadJournal journal(store);
    Journal::Progress progress = journal.start(batch_of(rows));
    if (progress == Journal::Progress::kBusy) progress = outcome_of(journal);
    BOOST_TEST((progress == Journal::Progress::kFenced));
  }
}

BOOST_AUTO_TEST_CASE(a_store_that_throws_makes_the_batch_unknown) {
  FakeStore store;
  store.throws = true;
  ThreadJournal journal(store);
  BOOST_TEST((journal.start(batch_of(100)) == Journal::Progress::kBusy));
  BOOST_TEST((outcome_of(journal) == Journal::Progress::kUnknown));
  BOOST_TEST(journal.failure().contains("torn page"));
  InlineJournal inlined(store);
  BOOST_TEST((inlined.start(batch_of(1)) == Journal::Progress::kUnknown));
  BOOST_TEST(inlined.failure().contains("torn page"));
}

BOOST_AUTO_TEST_CASE(a_batch_in_flight_is_finished_when_the_journal_goes) {
  FakeStore store;
  {
    ThreadJournal journal(store);
    BOOST_TEST((journal.start(batch_of(100)) == Journal::Progress::kBusy));
  }
  BOOST_TEST(store.committed == 100u);
}

}  // namespace
}  // namespace waggle
