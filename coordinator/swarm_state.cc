#include "coordinator/swarm_state.h"

#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/glob.h"
#include "coordinator/own_keys.h"

namespace waggle {

SwarmState::SwarmState(SwarmRow row) : row_(std::move(row)) {}

void SwarmState::restore(const Key& key, RecordPtr record) {
  const auto [slot, fresh] = records_.try_emplace(key);
  WAGGLE_CHECK(fresh, "two stored records of one key");
  // In what order the keys of one commit stand means nothing to anybody; the next place will do.
  std::uint32_t index = 0;
  auto next = changes_.upper_bound(At{record->version, UINT32_MAX});
  if (next != changes_.begin() && (--next)->first.revision == record->version)
    index = next->first.index + 1;
  place(slot, std::move(record), index);
}

SwarmRow SwarmState::stored_row() const {
  SwarmRow row = row_;
  row.digest = digest_;
  return row;
}

RecordPtr SwarmState::find(const Key& key) const {
  const auto slot = records_.find(key);
  return slot == records_.end() ? nullptr : slot->second.record;
}

void SwarmState::place(Records::iterator slot, RecordPtr record, std::uint32_t index) {
  const At at{record->version, index};
  slot->second.part = digest_part(slot->first, *record);
  digest_ += slot->second.part;
  bytes_ += wire_size(slot->first, *record);
  changes_.emplace_hint(changes_.end(), at, slot);
  if (!record->live()) tombstones_.emplace_hint(tombstones_.end(), at, slot);
  if (owned_) note_owner(slot->first, *record, true);
  slot->second.record = std::move(record);
  slot->second.index = index;
}

void SwarmState::displace(Records::iterator slot) {
  const At at{slot->second.record->version, slot->second.index};
  digest_ -= slot->second.part;
  bytes_ -= wire_size(slot->first, *slot->second.record);
  changes_.erase(at);
  if (owned_) note_owner(slot->first, *slot->second.record, false);
  if (!slot->second.record->live()) tombstones_.erase(at);
}

void SwarmState::note_owner(const Key& key, const Record& record, bool comes) {
  if (!record.live() || is_own_key(key.value())) return;
  const auto owned = owned_->try_emplace(public_name(record.writer.agent)).first;
  owned->second += comes ? 1 : UINT64_MAX;
  if (owned->second == 0) owned_->erase(owned);
}

void SwarmState::count_owners() {
  owned_.emplace();
  for (const auto& [key, slot] : records_) note_owner(key, *slot.record, true);
}

std::uint64_t SwarmState::owned_by(const AgentId& agent) const {
  WAGGLE_CHECK(owned_.has_value());
  const auto owned = owned_->find(public_name(agent));
  return owned == owned_->end() ? 0 : owned->second;
}

void SwarmState::commit(const std::vector<Change>& changes, std::vector<Row>& rows) {
  const Revision revision = row_.head.next();
  std::uint32_t index = 0;
  for (const Change& change : changes) {
    WAGGLE_CHECK(change.record->version == revision, "a record of another revision");
    const auto [slot, fresh] = records_.try_emplace(change.key);
    if (!fresh) {
      displace(slot);
      earlier_.add(change.key, slot->second.record);
    }
    place(slot, change.record, index++);
    rows.emplace_back(RecordRow{id(), change.key, change.record});
  }
  row_.head = revision;
}

void SwarmState::amend(const Key& key, RecordPtr record, std::vector<Row>& rows) {
  const auto slot = records_.find(key);
  WAGGLE_CHECK(slot != records_.end() && slot->second.record->version == record->version &&
               slot->second.record->content == record->content);
  bytes_ -= wire_size(key, *slot->second.record);
  bytes_ += wire_size(key, *record);
  slot->second.record = record;
  rows.emplace_back(RecordRow{id(), key, std::move(record)});
}

void SwarmState::forget(Records::iterator slot, std::vector<Row>& rows) {
  rows.emplace_back(ForgetRow{id(), slot->first, slot->second.record->version});
  displace(slot);
  earlier_.forget(slot->first);
  records_.erase(slot);
}

void SwarmState::clear(std::vector<Row>& rows) {
  while (!records_.empty()) forget(records_.begin(), rows);
  row_.head = row_.head.next();
  row_.floor = row_.head;
}

std::vector<Key> SwarmState::raise_floor(Revision floor, std::uint64_t most,
                                         std::vector<Row>& rows) {
  WAGGLE_CHECK(floor <= row_.head, "a floor above the head");
  std::vector<Key> forgotten;
  while (!tombstones_.empty() && tombstones_.begin()->first.revision <= floor) {
    const Revision version = tombstones_.begin()->first.revision;
    // Never between the tombstones of one commit, so a floor is a revision whose deletions are all
    // forgotten or all kept.
    if (forgotten.size() >= most && row_.floor != version) return forgotten;
    forgotten.push_back(tombstones_.begin()->second->first);
    forget(tombstones_.begin()->second, rows);
    row_.floor = std::max(row_.floor, version);
  }
  row_.floor = std::max(row_.floor, floor);
  return forgotten;
}

Revision SwarmState::newest_tombstone_before(std::int64_t wall_millis, std::size_t most) const {
  Revision newest;
  for (const auto& [at, slot] : tombstones_) {
    if (most-- == 0 || slot->second.record->commit_wall_millis >= wall_millis) break;
    newest = at.revision;
  }
  return newest;
}

Revision SwarmState::tombstone_version(std::uint64_t n) const {
  WAGGLE_CHECK(n < tombstones_.size());
  return std::next(tombstones_.begin(), static_cast<std::ptrdiff_t>(n))->first.revision;
}

SwarmState::Scan SwarmState::changed_since(Revision since, std::string_view prefix,
                                           std::size_t bytes_max, bool holds) const {
  Scan scan;
  scan.to = since;
  std::size_t bytes = 0;
  Revision last = since;
  for (auto at = changes_.upper_bound(At{since, UINT32_MAX}); at != changes_.end(); ++at) {
    const auto& [key, slot] = *at->second;
    if (!key.value().starts_with(prefix)) continue;
    const std::size_t size = wire_size(key, *slot.record);
    const bool new_commit = at->first.revision != last;
    if (new_commit && !scan.changes.empty() && bytes + size > bytes_max) {
      // Everything up to the revision before this one is in.
      scan.to = Revision(at->first.revision.value() - 1);
      return scan;
    }
    bytes += size;
    last = at->first.revision;
    scan.changes.push_back(
        Change{key, slot.record, holds ? earlier_.held_at(key, since, *slot.record) : nullptr});
  }
  scan.to = row_.head;
  scan.complete = true;
  return scan;
}

SwarmState::Listing SwarmState::list(std::string_view glob, const Key& after, std::size_t limit,
                                     std::size_t bytes_max) const {
  const std::string literal(glob.substr(0, glob.find_first_of("*?")));
  Listing listing;
  std::size_t bytes = 0;
  auto slot = records_.lower_bound(Key(literal));
  if (!after.empty() && after.value() >= literal) slot = records_.upper_bound(after);
  for (; slot != records_.end(); ++slot) {
    const auto& [key, held] = *slot;
    if (!key.value().starts_with(literal)) break;
    if (!held.record->live() || (!glob.empty() && !glob_match(glob, key.value()))) continue;
    bytes += wire_size(key, *held.record);
    if (listing.changes.size() >= limit || (!listing.changes.empty() && bytes > bytes_max)) {
      listing.more = true;
      break;
    }
    listing.changes.push_back(Change{key, held.record});
  }
  return listing;
}

std::vector<Key> SwarmState::keys_after(std::string_view prefix, const Key& after,
                                        std::size_t most) const {
  std::vector<Key> keys;
  auto slot =
      after.value() >= prefix ? records_.upper_bound(after) : records_.lower_bound(Key(prefix));
  if (after.empty() && prefix.empty()) slot = records_.begin();
  for (; slot != records_.end() && keys.size() < most; ++slot) {
    if (!slot->first.value().starts_with(prefix)) break;
    keys.push_back(slot->first);
  }
  return keys;
}

void SwarmState::check_invariants() const {
  Hash128 digest;
  std::uint64_t bytes = 0;
  std::uint64_t dead = 0;
  for (auto slot = records_.begin(); slot != records_.end(); ++slot) {
    const auto& [key, held] = *slot;
    digest += digest_part(key, *held.record);
    bytes += wire_size(key, *held.record);
    const auto at = changes_.find(At{held.record->version, held.index});
    WAGGLE_CHECK(at != changes_.end() && at->second == slot, "a record without its index entry");
    WAGGLE_CHECK(held.record->version <= row_.head, "a record above the head");
    if (!held.record->live()) {
      ++dead;
      WAGGLE_CHECK(held.record->version > row_.floor, "a tombstone at or below the floor");
    }
  }
  WAGGLE_CHECK(changes_.size() == records_.size() && dead == tombstones_.size());
  WAGGLE_CHECK(digest == digest_ && bytes == bytes_, "derived sums are wrong");
  WAGGLE_CHECK(row_.floor <= row_.head);
  if (!owned_) return;
  std::map<AgentId, std::uint64_t> owned;
  for (const auto& [key, held] : records_)
    if (held.record->live() && !is_own_key(key.value()))
      ++owned[public_name(held.record->writer.agent)];
  WAGGLE_CHECK(owned == *owned_, "the keys of some agent are counted wrongly");
}

}  // namespace waggle
