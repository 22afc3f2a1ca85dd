#include "io/journal.h"

#include <exception>
#include <utility>

#include "base/check.h"

namespace waggle {

namespace {

Journal::Progress commit(CommitStore& store, const Batch& batch, std::string& failure) {
  try {
    const CommitResult result = store.commit(batch);
    if (result == CommitResult::kDone) return Journal::Progress::kDone;
    failure = store.failure();
    if (result == CommitResult::kFenced) return Journal::Progress::kFenced;
  } catch (const std::exception& error) {
    failure = std::string("the store threw: ") + error.what();
  } catch (...) {
    failure = "the store threw something unknown";
  }
  return Journal::Progress::kUnknown;
}

}  // namespace

Journal::Progress InlineJournal::start(Batch batch) {
  return commit(store_, batch, failure_);
}

ThreadJournal::ThreadJournal(CommitStore& store, const Options& options)
    : options_(options), store_(store), thread_([this] { run(); }) {}

ThreadJournal::~ThreadJournal() {
  attach(nullptr);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Journal::Progress ThreadJournal::start(Batch batch) {
  if (batch.rows.size() <= options_.inline_rows) {
    {
      const std::lock_guard lock(mutex_);
      WAGGLE_CHECK(state_ == State::kIdle, "a batch is in flight");
    }
    ++counters_.inlined;
    return commit(store_, batch, failure_);
  }
  {
    const std::lock_guard lock(mutex_);
    WAGGLE_CHECK(state_ == State::kIdle, "a batch is in flight");
    batch_ = std::move(batch);
    state_ = State::kHanded;
  }
  changed_.notify_one();
  ++counters_.handed_off;
  return Progress::kBusy;
}

Journal::Progress ThreadJournal::poll() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kIdle) return Progress::kIdle;
  if (state_ == State::kHanded) return Progress::kBusy;
  state_ = State::kIdle;
  failure_ = std::move(outcome_text_);
  return outcome_;
}

void ThreadJournal::attach(FdWatch* watch) {
  if (watch_ != nullptr) watch_->forget(wake_.fd());
  watch_ = watch;
  if (watch_ != nullptr) watch_->watch(wake_.fd());
}

bool ThreadJournal::has_work() {
  const std::lock_guard lock(mutex_);
  return state_ == State::kDone;
}

void ThreadJournal::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || state_ == State::kHanded; });
    if (state_ == State::kHanded) {
      Batch batch = std::move(*batch_);
      batch_.reset();
      lock.unlock();
      std::string failure;
      const Progress outcome = commit(store_, batch, failure);
      // Freed here: the rows of a large batch cost the loop nothing.
      batch.rows.clear();
      lock.lock();
      outcome_ = outcome;
      outcome_text_ = std::move(failure);
      state_ = State::kDone;
      wake_.wake();
      continue;
    }
    return;
  }
}

}  // namespace waggle
