#pragma once

// The conflicts of one swarm that wait for a person. A key has at most one: whoever writes it while
// it waits, without having seen what was parked, adds a side. Bound: limits::kConflicts.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/conflict.h"
#include "base/ids.h"
#include "base/row.h"

namespace waggle {

class ConflictInbox {
 public:
  explicit ConflictInbox(SwarmId swarm) : swarm_(std::move(swarm)) {}

  void restore(ParkedConflict conflict);

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] const ParkedConflict* find(ConflictId id) const;
  [[nodiscard]] const ParkedConflict* of_key(const Key& key) const;
  // True iff another side of that key, with a value of so many bytes, can be taken in.
  [[nodiscard]] bool has_room(const Key& key, std::size_t bytes) const;

  // A new conflict, or sides added to the one that the key has; of several those that still fit.
  // The ancestor goes where a side needs its room, or has another one.
  // REQUIRES: has_room(key, 0), and that an id for a new one is given.
  const ParkedConflict& park(ParkedConflict conflict, std::vector<Row>& rows);
  void close(ConflictId id, std::vector<Row>& rows);
  void close_all(std::vector<Row>& rows);

  // By id, above `after`, whose keys match the glob.
  [[nodiscard]] std::vector<const ParkedConflict*> list(std::string_view glob,
                                                        ConflictId after) const;

 private:
  const SwarmId swarm_;
  std::map<ConflictId, ParkedConflict> by_id_;
  std::map<Key, ConflictId> by_key_;
};

}  // namespace waggle
