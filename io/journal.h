#pragma once

// The two journals of production, over any CommitStore.
//
// A hand-off to the commit thread and back costs about as much as a small synced batch, so a batch
// of few rows is committed inline; a large one goes to the thread, and the core steps on meanwhile:
//
//   start(batch) --few rows--> commit() here ------------------> kDone, kUnknown, kFenced
//                \-many rows-> commit thread --> wakes the loop --> poll(): the same
//
// Safety: at most one batch is in flight, so batches reach the store in the order of start(), and
// the store is used by one thread at a time. An exception of a store counts as kUnknown.
//
// One thread owns a journal; the commit thread is its own.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "io/host.h"
#include "io/poll_source.h"
#include "io/wake_fd.h"
#include "memory/commit_store.h"

namespace waggle {

// Commits on the calling thread. For tests, for stores in memory and for hosts that wait anyway.
class InlineJournal final : public Journal {
 public:
  // Borrows the store.
  explicit InlineJournal(CommitStore& store) : store_(store) {}

  [[nodiscard]] Progress start(Batch batch) override;
  [[nodiscard]] Progress poll() override { return Progress::kIdle; }
  [[nodiscard]] std::string failure() const override { return failure_; }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override {
    return store_.receipts(scan);
  }

 private:
  CommitStore& store_;
  std::string failure_;
};

class ThreadJournal final : public Journal, public PollSource {
 public:
  struct Options {
    std::size_t inline_rows = 8;  // at most so many rows: committed without a hand-off
  };
  // Borrows the store.
  explicit ThreadJournal(CommitStore& store) : ThreadJournal(store, Options{}) {}
  ThreadJournal(CommitStore& store, const Options& options);
  // Waits for the batch in flight.
  ~ThreadJournal() override;

  ThreadJournal(const ThreadJournal&) = delete;
  ThreadJournal& operator=(const ThreadJournal&) = delete;

  // ---- Journal
  [[nodiscard]] Progress start(Batch batch) override;
  [[nodiscard]] Progress poll() override;
  [[nodiscard]] std::string failure() const override { return failure_; }
  // The commit thread sleeps while nothing is in flight.
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override {
    return store_.receipts(scan);
  }

  // ---- PollSource
  void attach(FdWatch* watch) override;
  void spoke(int) override {}  // poll() looks at the state itself
  [[nodiscard]] bool has_work() override;

  struct Counters {
    std::uint64_t inlined = 0;
    std::uint64_t handed_off = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { kIdle, kHanded, kDone };

  void run();

  const Options options_;
  CommitStore& store_;
  WakeFd wake_;
  FdWatch* watch_ = nullptr;
  std::string failure_;  // of the owner
  Counters counters_;

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kIdle;  // guarded by mutex_, as what follows
  std::optional<Batch> batch_;
  Progress outcome_ = Progress::kIdle;
  std::string outcome_text_;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace waggle
