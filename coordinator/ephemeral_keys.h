#pragma once

// The ephemeral keys of one swarm: who is there, what each is doing, where each stands. They are in
// memory only and belong to the session that wrote them last:
//
//   written --> (written again, by anybody) --> gone, with a tombstone in the next update
//                                                ^ deleted, its session ended, its time is over
//
// Changes are counted from 1 in each start of the coordinator, apart from the revisions. No
// tombstone is kept: a reader with a hole takes everything anew. Bound: limits::kEphemeralBytes.

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/record.h"
#include "base/time.h"

namespace waggle {

class EphemeralKeys {
 public:
  // Of the newest change; 0: none.
  [[nodiscard]] Revision at() const { return at_; }
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Null: there is none.
  [[nodiscard]] RecordPtr find(const Key& key) const;

  // The key is the owner's from now on, or nobody's (0), until `gone_at`. The version is given
  // here. What is there already is no change, but belongs to that owner and begins its time anew.
  void put(const Key& key, Record record, SessionId owner, Instant gone_at);
  // Nothing, if there is none.
  void erase(const Key& key, Writer by, std::int64_t wall_millis);
  // A session ended: its keys go, or to another session of the same process.
  void end(SessionId owner, std::int64_t wall_millis);
  void hand_over(SessionId from, SessionId to);
  void expire(Instant now, std::int64_t wall_millis);

  // What changed since it was asked last, each key once, in the order of the changes; nothing:
  // nothing did.
  struct News {
    Revision from;
    Revision to;
    std::vector<Change> changes;
  };
  [[nodiscard]] std::optional<News> take_news();

  // By key, above `after` and, where that is given, up to `last`, that match the glob; at most
  // `most`.
  [[nodiscard]] std::vector<Change> list(std::string_view glob, const Key& after,
                                         const std::optional<Key>& last, std::size_t most) const;

  // Recomputes what is derived. Costly: for tests and the simulator.
  void check_invariants() const;

 private:
  struct Slot {
    RecordPtr record;
    SessionId owner;
    Instant gone_at = Instant::never();
  };
  void place(const Key& key, Slot& slot, SessionId owner, Instant gone_at);
  void displace(const Key& key, const Slot& slot);
  void tell(const Key& key, RecordPtr record);

  Revision at_;
  Revision told_through_;
  std::map<Key, Slot> slots_;
  std::map<SessionId, std::set<Key>> by_owner_;
  std::set<std::pair<Instant, Key>> by_end_;
  std::map<Key, RecordPtr> news_;
  std::size_t bytes_ = 0;
};

}  // namespace waggle
