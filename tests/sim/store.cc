#include "tests/sim/store.h"

#include "base/check.h"

namespace waggle::sim {

void SimStore::write(Batch batch) {
  const bool sync = batch.sync;
  unsynced_.push_back(std::move(batch));
  if (sync) make_durable(unsynced_.size());
}

void SimStore::crash(Prng& random) {
  make_durable(random.below(unsynced_.size() + 1));
  unsynced_.clear();
}

void SimStore::flush() {
  make_durable(unsynced_.size());
}

void SimStore::wipe() {
  unsynced_.clear();
  durable_ = RowTable{};
}

void SimStore::replace(RowTable table) {
  unsynced_.clear();
  durable_ = std::move(table);
}

void SimStore::make_durable(std::size_t batches) {
  for (std::size_t i = 0; i < batches; ++i) {
    durable_.apply(unsynced_[i]);
    if (observer_) observer_(unsynced_[i]);
  }
  unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<std::ptrdiff_t>(batches));
}

Journal::Progress SimJournal::start(Batch batch) {
  WAGGLE_CHECK(!in_flight_, "a batch is in flight");
  if (habits_.latency_max == 0) return end(std::move(batch));
  in_flight_ = std::move(batch);
  over_at_ = timeline_.now() + random_.between(1, habits_.latency_max);
  timeline_.at(over_at_, woken_);
  return Progress::kBusy;
}

Journal::Progress SimJournal::poll() {
  if (!in_flight_) return Progress::kIdle;
  if (timeline_.now() < over_at_) return Progress::kBusy;
  Batch batch = *std::move(in_flight_);
  in_flight_.reset();
  return end(std::move(batch));
}

Journal::Progress SimJournal::end(Batch batch) {
  if (habits_.lies) batch.sync = false;
  if (habits_.fail_next && batch.sync) {
    habits_.fail_next = false;
    batch.sync = false;
    // Half of the time it is on its way to the disk, and a crash may keep it.
    if (random_.chance(1, 2)) store_.write(std::move(batch));
    return Progress::kUnknown;
  }
  if (++habits_.batches == habits_.dies_at) {
    batch.sync = true;
    if (habits_.dying_stays) store_.write(std::move(batch));
    return Progress::kUnknown;
  }
  store_.write(std::move(batch));
  return Progress::kDone;
}

std::vector<ReceiptRow> SimStore::receipts(const ReceiptScan& scan) const {
  RowTable written = durable_;
  for (const Batch& batch : unsynced_) written.apply(batch);
  return written.receipts(scan);
}

Result<std::vector<ReceiptRow>> SimJournal::receipts(const ReceiptScan& scan) {
  return store_.receipts(scan);
}

void SimJournal::kill() {
  if (!in_flight_) return;
  Batch batch = *std::move(in_flight_);
  in_flight_.reset();
  batch.sync = false;
  if (random_.chance(1, 2)) store_.write(std::move(batch));
}

}  // namespace waggle::sim
