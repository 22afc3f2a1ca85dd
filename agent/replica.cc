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
  return found == records_.end() ? nullptr : found->second.record;
}

void Replica::apply(const Change& change) {
  if (!change.record || !change.record->live()) {
    const auto found = records_.find(change.key);
    if (found == records_.end()) return;
    digest_ -= found->second.part;
    bytes_ -= found->second.bytes;
    records_.erase(found);
    return;
  }
  Held& held = records_[change.key];
  digest_ -= held.part;
  bytes_ -= held.bytes;
  held = {change.record, digest_part(change.key, *change.record),
          wire_size(change.key, *change.record)};
  digest_ += held.part;
  bytes_ += held.bytes;
}

void Replica::clear() {
  records_.clear();
  digest_ = {};
  bytes_ = 0;
}

void Replica::check_invariants() const {
  Hash128 digest;
  std::uint64_t bytes = 0;
  for (const auto& [key, held] : records_) {
    const RecordPtr& record = held.record;
    WAGGLE_CHECK(record && record->live() && record->version <= cursor_.revision,
                 "a record that the cursor does not cover");
    digest += digest_part(key, *record);
    bytes += wire_size(key, *record);
  }
  WAGGLE_CHECK(digest == digest_ && bytes == bytes_, "derived sums are wrong");
}

}  // namespace waggle
