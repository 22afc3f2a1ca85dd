#include "coordinator/conflict_inbox.h"

#include <utility>

#include "base/check.h"
#include "base/glob.h"
#include "base/limits.h"

namespace waggle {
namespace {

std::size_t bytes_of(const ConflictSide& side) {
  return side.value ? side.value->bytes.size() : 0;
}

// Without what it began from.
bool fits(const ParkedConflict& conflict, std::size_t bytes) {
  for (const ConflictSide& side : conflict.sides) bytes += bytes_of(side);
  return conflict.sides.size() < limits::kConflictSides && bytes <= limits::kConflictBytes;
}

// In their order, each that still fits. What somebody wants is worth more than what it came from.
void add_sides(ParkedConflict& conflict, std::vector<ConflictSide> sides) {
  for (ConflictSide& side : sides)
    if (fits(conflict, bytes_of(side))) conflict.sides.push_back(std::move(side));
  if (conflict.ancestor && value_bytes(conflict) > limits::kConflictBytes)
    conflict.ancestor.reset();
}

}  // namespace

void ConflictInbox::restore(ParkedConflict conflict) {
  const ConflictId id = conflict.id;
  by_key_[conflict.key] = id;
  by_id_.emplace(id, std::move(conflict));
}

const ParkedConflict* ConflictInbox::find(ConflictId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

const ParkedConflict* ConflictInbox::of_key(const Key& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : find(found->second);
}

bool ConflictInbox::has_room(const Key& key, std::size_t bytes) const {
  const ParkedConflict* waits = of_key(key);
  return waits != nullptr ? fits(*waits, bytes) : by_id_.size() < limits::kConflicts;
}

const ParkedConflict& ConflictInbox::park(ParkedConflict conflict, std::vector<Row>& rows) {
  WAGGLE_CHECK(has_room(conflict.key, 0) && conflict.sides.size() >= 2);
  std::vector<ConflictSide> sides = std::exchange(conflict.sides, {});
  const auto waits = by_key_.find(conflict.key);
  if (waits == by_key_.end()) {
    const ConflictId id = conflict.id;
    by_key_[conflict.key] = id;
    add_sides(conflict, std::move(sides));
    const ParkedConflict& parked = by_id_.emplace(id, std::move(conflict)).first->second;
    rows.emplace_back(ConflictRow{swarm_, id, parked});
    return parked;
  }
  // What stood at first is side A for good; only what is new comes in.
  ParkedConflict& parked = by_id_.at(waits->second);
  if (parked.ancestor != conflict.ancestor) parked.ancestor.reset();
  sides.erase(sides.begin());
  add_sides(parked, std::move(sides));
  rows.emplace_back(ConflictRow{swarm_, parked.id, parked});
  return parked;
}

void ConflictInbox::close(ConflictId id, std::vector<Row>& rows) {
  const auto found = by_id_.find(id);
  WAGGLE_CHECK(found != by_id_.end());
  by_key_.erase(found->second.key);
  by_id_.erase(found);
  rows.emplace_back(ConflictRow{swarm_, id, std::nullopt});
}

void ConflictInbox::close_all(std::vector<Row>& rows) {
  while (!by_id_.empty()) close(by_id_.begin()->first, rows);
}

std::vector<const ParkedConflict*> ConflictInbox::list(std::string_view glob,
                                                       ConflictId after) const {
  std::vector<const ParkedConflict*> found;
  for (auto at = by_id_.upper_bound(after); at != by_id_.end(); ++at)
    if (glob.empty() || glob_match(glob, at->second.key.value())) found.push_back(&at->second);
  return found;
}

}  // namespace waggle
