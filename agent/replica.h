#pragma once

// What an agent holds of the swarm: the committed state at one cursor, its digest, and the overlay
// of its own writes that the cursor does not reflect yet.
//
//   view = committed state at the cursor + own writes not yet reflected in it, applied again
//
// That one rule gives offline work, reads of one's own writes, and reconciliation: when the cursor
// moves, the overlay is applied to what is there now.
//
// Tombstones are not kept: the coordinator's floor says from where it can still name deletions.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/record.h"

namespace waggle {

class Replica {
 public:
  // Recovery.
  void restore(const Cursor& cursor, const Key& key, RecordPtr record);
  void restore(const Cursor& cursor) { cursor_ = cursor; }

  [[nodiscard]] const Cursor& cursor() const { return cursor_; }
  [[nodiscard]] bool holds_state() const { return static_cast<bool>(cursor_.epoch); }
  [[nodiscard]] const Hash128& digest() const { return digest_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t keys() const { return records_.size(); }
  // Null: absent.
  [[nodiscard]] RecordPtr find(const Key& key) const;
  // What a record adds to the sums is kept with it: a change then costs its own hash only.
  struct Held {
    RecordPtr record;
    Hash128 part;
    std::size_t bytes = 0;
  };
  [[nodiscard]] const std::map<Key, Held>& records() const { return records_; }

  // Sets one key; a tombstone removes it.
  void apply(const Change& change);
  // Everything is gone.
  void clear();
  // Moves the cursor. REQUIRES: all changes up to it were applied.
  void advance(const Cursor& cursor) { cursor_ = cursor; }

  // Recomputes the digest. Costly: for tests and the simulator.
  void check_invariants() const;

 private:
  Cursor cursor_;
  std::map<Key, Held> records_;
  Hash128 digest_;
  std::uint64_t bytes_ = 0;
};

}  // namespace waggle
