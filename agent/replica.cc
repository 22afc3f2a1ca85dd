#include "agent/replica.h"

#include <utility>

#include "base/check.h"

namespace waggle {

void Replica::restore(const Cursor& cursor, const Key& key, RecordPtr record) {
  cursor_ = cursor;
  apply({key, std::move(record)});
}

RecordPtr Replica::find(const Key& key) const {
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : found->second;
}

void Replica::apply(const Change& change) {
  const auto found = records_.find(change.key);
  if (found != records_.end()) {
    digest_ -= digest_part(found->first, *found->second);
    bytes_ -= wire_size(found->first, *found->second);
  }
  if (!change.record || !change.record->live()) {
    if (found != records_.end()) records_.erase(found);
    return;
  }
  digest_ += digest_part(change.key, *change.record);
  bytes_ += wire_size(change.key, *change.record);
  if (found != records_.end()) {
    found->second = change.record;
  } else {
    records_.emplace(change.key, change.record);
  }
}

void Replica::clear() {
  records_.clear();
  digest_ = {};
  bytes_ = 0;
}

void Replica::check_invariants() const {
  Hash128 digest;
  std::uint64_t bytes = 0;
  for (const auto& [key, record] : records_) {
    WAGGLE_CHECK(record && record->live() && record->version <= cursor_.revision,
                 "a record that the cursor does not cover");
    digest += digest_part(key, *record);
    bytes += wire_size(key, *record);
  }
  WAGGLE_CHECK(digest == digest_ && bytes == bytes_, "derived sums are wrong");
}

}  // namespace waggle
