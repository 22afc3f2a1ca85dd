#pragma once

// The committed state of one swarm, in memory, with the index by revision that makes a delta cost
// what changed and not what is there.
//
//   records   key -> newest record, tombstones included
//   changes   (revision, index) -> key, at most one entry a key: its newest version
//   floor     the oldest revision from which a delta can be served
//
// Invariants: every record has exactly one entry in `changes`, at its version; the digest is the
// sum of digest_part over the live records; no tombstone is at or below the floor.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/record.h"
#include "base/row.h"
#include "coordinator/earlier_versions.h"

namespace waggle {

class SwarmState {
 public:
  explicit SwarmState(SwarmRow row);

  // Recovery: a record as it was stored.
  void restore(const Key& key, RecordPtr record);

  [[nodiscard]] const SwarmRow& row() const { return row_; }
  [[nodiscard]] SwarmRow& row() { return row_; }
  // The row as it is stored: with the digest of the present state.
  [[nodiscard]] SwarmRow stored_row() const;
  [[nodiscard]] const SwarmId& id() const { return row_.swarm; }
  [[nodiscard]] Revision head() const { return row_.head; }
  [[nodiscard]] Revision floor() const { return row_.floor; }
  [[nodiscard]] const Hash128& digest() const { return digest_; }
  [[nodiscard]] std::uint64_t live_keys() const { return records_.size() - tombstones_.size(); }
  [[nodiscard]] std::uint64_t tombstones() const { return tombstones_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // From now on it is known how many live keys each agent wrote last, clients as one; what the
  // coordinator keeps for itself apart. Else nobody pays for it.
  void count_owners();
  // REQUIRES: they are counted.
  [[nodiscard]] std::uint64_t owned_by(const AgentId& agent) const;

  // Null: never written, or forgotten. May be a tombstone.
  [[nodiscard]] RecordPtr find(const Key& key) const;

  // Commits the changes at head + 1, which is their records' version, and appends the rows.
  void commit(const std::vector<Change>& changes, std::vector<Row>& rows);
  // Replaces a record by one of the same version and content: a receipt was added to it.
  void amend(const Key& key, RecordPtr record, std::vector<Row>& rows);
  // Deletes everything in one commit at head + 1 and raises the floor to it.
  void clear(std::vector<Row>& rows);
  // Raises the floor and forgets at most `most` tombstones at or below it. Returns their keys; the
  // floor moves only as far as tombstones were forgotten.
  std::vector<Key> raise_floor(Revision floor, std::uint64_t most, std::vector<Row>& rows);
  // The version of the last of the oldest tombstones that were all committed before that time, of
  // at most `most`; 0: none.
  [[nodiscard]] Revision newest_tombstone_before(std::int64_t wall_millis, std::size_t most) const;
  // The version of the n-th oldest tombstone. REQUIRES: n < tombstones().
  [[nodiscard]] Revision tombstone_version(std::uint64_t n) const;

  // The record that a reader who holds the whole state at `since` has of a key that became `later`,
  // where a delta to it can be made; null otherwise.
  [[nodiscard]] RecordPtr held_at(const Key& key, Revision since, const Record& later) const {
    return earlier_.held_at(key, since, later);
  }

  // The keys changed after `since`, each at its latest, commits never split, about `bytes_max`
  // (at least one commit). `to` is the head when nothing is left. `holds`: the reader has the whole
  // state at `since`, so the changes name what they may be a delta to.
  struct Scan {
    Revision to;
    bool complete = false;
    std::vector<Change> changes;
  };
  [[nodiscard]] Scan changed_since(Revision since, std::string_view prefix, std::size_t bytes_max,
                                   bool holds = false) const;

  // Live keys above `after` that match the glob, at most `limit` and about `bytes_max`.
  struct Listing {
    std::vector<Change> changes;
    bool more = false;
  };
  [[nodiscard]] Listing list(std::string_view glob, const Key& after, std::size_t limit,
                             std::size_t bytes_max) const;

  // Keys that begin so, tombstones included, above `after`, at most `most`.
  [[nodiscard]] std::vector<Key> keys_after(std::string_view prefix, const Key& after,
                                            std::size_t most) const;

  // Recomputes everything that is derived, and checks it. Costly: for tests and the simulator.
  void check_invariants() const;

 private:
  struct At {
    Revision revision;
    std::uint32_t index = 0;
    friend auto operator<=>(const At&, const At&) = default;
  };
  struct Slot {
    RecordPtr record;
    std::uint32_t index = 0;
    Hash128 part;
  };
  using Records = std::map<Key, Slot>;
  using Index = std::map<At, Records::const_iterator>;

  void place(Records::iterator slot, RecordPtr record, std::uint32_t index);
  void displace(Records::iterator slot);
  void forget(Records::iterator slot, std::vector<Row>& rows);
  void note_owner(const Key& key, const Record& record, bool comes);

  SwarmRow row_;
  EarlierVersions earlier_;
  Records records_;
  Index changes_;
  std::map<At, Records::iterator> tombstones_;
  std::optional<std::map<AgentId, std::uint64_t>> owned_;
  Hash128 digest_;
  std::uint64_t bytes_ = 0;
};

}  // namespace waggle
