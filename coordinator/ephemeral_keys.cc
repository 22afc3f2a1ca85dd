#include "coordinator/ephemeral_keys.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/glob.h"

namespace waggle {

RecordPtr EphemeralKeys::find(const Key& key) const {
  const auto found = slots_.find(key);
  return found == slots_.end() ? nullptr : found->second.record;
}

void EphemeralKeys::put(const Key& key, Record record, SessionId owner, Instant gone_at) {
  Slot& slot = slots_[key];
  const RecordPtr before = slot.record;
  if (before) displace(key, slot);
  place(key, slot, owner, gone_at);
  const bool same = before && before->value == record.value &&
                    before->metadata == record.metadata && before->writer == record.writer;
  if (same) return;
  record.ephemeral = true;
  record.version = at_.next();
  if (before) bytes_ -= wire_size(key, *before);
  slot.record = std::make_shared<const Record>(std::move(record));
  bytes_ += wire_size(key, *slot.record);
  tell(key, slot.record);
}

void EphemeralKeys::erase(const Key& key, Writer by, std::int64_t wall_millis) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  displace(key, found->second);
  bytes_ -= wire_size(key, *found->second.record);
  slots_.erase(found);
  auto tombstone = std::make_shared<Record>();
  tombstone->ephemeral = true;
  tombstone->version = at_.next();
  tombstone->commit_wall_millis = wall_millis;
  tombstone->writer = std::move(by);
  tell(key, std::move(tombstone));
}

void EphemeralKeys::end(SessionId owner, std::int64_t wall_millis) {
  const auto owned = by_owner_.find(owner);
  if (owned == by_owner_.end()) return;
  for (const std::set<Key> keys = owned->second; const Key& key : keys)
    erase(key, slots_.at(key).record->writer, wall_millis);
}

void EphemeralKeys::hand_over(SessionId from, SessionId to) {
  const auto owned = by_owner_.find(from);
  if (owned == by_owner_.end()) return;
  for (const std::set<Key> keys = owned->second; const Key& key : keys) {
    Slot& slot = slots_.at(key);
    displace(key, slot);
    place(key, slot, to, slot.gone_at);
  }
}

void EphemeralKeys::expire(Instant now, std::int64_t wall_millis) {
  while (!by_end_.empty() && by_end_.begin()->first <= now) {
    const Key key = by_end_.begin()->second;
    erase(key, slots_.at(key).record->writer, wall_millis);
  }
}

void EphemeralKeys::place(const Key& key, Slot& slot, SessionId owner, Instant gone_at) {
  slot.owner = owner;
  slot.gone_at = gone_at;
  if (owner) by_owner_[owner].insert(key);
  if (gone_at != Instant::never()) by_end_.emplace(gone_at, key);
}

void EphemeralKeys::displace(const Key& key, const Slot& slot) {
  by_end_.erase({slot.gone_at, key});
  const auto owned = by_owner_.find(slot.owner);
  if (owned == by_owner_.end()) return;
  owned->second.erase(key);
  if (owned->second.empty()) by_owner_.erase(owned);
}

void EphemeralKeys::tell(const Key& key, RecordPtr record) {
  at_ = record->version;
  news_.insert_or_assign(key, std::move(record));
}

std::optional<EphemeralKeys::News> EphemeralKeys::take_news() {
  if (at_ == told_through_) return std::nullopt;
  News news{std::exchange(told_through_, at_), at_, {}};
  for (auto& [key, record] : news_) news.changes.push_back({key, std::move(record)});
  news_.clear();
  std::ranges::sort(news.changes, {}, [](const Change& change) { return change.record->version; });
  return news;
}

std::vector<Change> EphemeralKeys::list(std::string_view glob, const Key& after,
                                        const std::optional<Key>& last, std::size_t most) const {
  std::vector<Change> changes;
  for (auto slot = slots_.upper_bound(after); slot != slots_.end() && changes.size() < most;
       ++slot) {
    const auto& [key, held] = *slot;
    if (last && *last < key) break;
    if (glob.empty() || glob_match(glob, key.value())) changes.push_back({key, held.record});
  }
  return changes;
}

void EphemeralKeys::check_invariants() const {
  std::size_t bytes = 0;
  std::size_t owned = 0;
  std::size_t ending = 0;
  for (const auto& [key, slot] : slots_) {
    WAGGLE_CHECK(
        slot.record && slot.record->ephemeral && slot.record->live() && slot.record->version <= at_,
        "an ephemeral key without an ephemeral record");
    WAGGLE_CHECK(slot.owner || slot.gone_at != Instant::never(),
                 "an ephemeral key that nothing would ever end");
    bytes += wire_size(key, *slot.record);
    if (slot.owner) {
      ++owned;
      WAGGLE_CHECK(by_owner_.at(slot.owner).contains(key));
    }
    if (slot.gone_at != Instant::never()) {
      ++ending;
      WAGGLE_CHECK(by_end_.contains({slot.gone_at, key}));
    }
  }
  for (const auto& [owner, keys] : by_owner_) owned -= keys.size();
  WAGGLE_CHECK(bytes == bytes_ && owned == 0 && ending == by_end_.size(),
               "what is derived of the ephemeral keys is wrong");
}

}  // namespace waggle
