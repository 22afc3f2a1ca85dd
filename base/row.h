#pragma once

// What a step wants made durable, as typed rows. The rows of all steps that the host joins go into
// one atomic, synced batch; the store (memory/commit_store.h) turns them into bytes, the layout is
// in docs/storage.md. A coordinator and an agent use different rows of the same vocabulary.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/conflict.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/message.h"
#include "base/mutation.h"
#include "base/receipt.h"
#include "base/record.h"

namespace waggle {

// ---- coordinator -------------------------------------------------------------------------------

// The store as a whole.
struct StoreRow {
  Epoch epoch;
  Hlc hlc_bound;  // no stamp above it was given out; reserved ahead in batches written anyway
  friend bool operator==(const StoreRow&, const StoreRow&) = default;
};
// One swarm. Its commits carry the new head in the same batch.
struct SwarmRow {
  SwarmId swarm;
  Lineage lineage;
  Revision head;
  Revision floor;
  std::string channel;  // of its broadcast socket, wanted again after a restart
  // The greatest beyond_seen of a forgotten writer's row, see coordinator/writers.h.
  Revision clients_mark;
  Revision members_mark;
  // Of the live records at `head`, checked at loading. None: not known, of an older store.
  std::optional<Hash128> digest;
  ConflictId last_conflict;    // given out
  FenceToken last_token = {};  // given out
  friend bool operator==(const SwarmRow&, const SwarmRow&) = default;
};
// A key's new record, in the place of the one before. The index by revision is made of the records
// when they are loaded.
struct RecordRow {
  SwarmId swarm;
  Key key;
  RecordPtr record;
};
// A tombstone at or below the floor is forgotten.
struct ForgetRow {
  SwarmId swarm;
  Key key;
  Revision version;  // that it had
};
// The last seq that was consumed for a writer.
struct WriterRow {
  SwarmId swarm;
  AgentId agent;
  Incarnation incarnation;
  Seq through;
  Revision beyond_seen;  // 1 + the greatest seen_revision of its commits; 0: none made
  std::int64_t used_wall_millis = 0;
  bool gone = false;  // delete the row and its outcomes
  friend bool operator==(const WriterRow&, const WriterRow&) = default;
};
// Final outcomes that their writer has not confirmed yet, of consecutive seqs: one row for all that
// a group decided for a writer, so that a pipelining writer costs one row and not one a write.
struct OutcomeRow {
  SwarmId swarm;
  AgentId agent;
  Incarnation incarnation;
  Seq seq;                        // of the first
  std::vector<Outcome> outcomes;  // empty: all of that row are confirmed, delete it
};
// A conflict that waits; without it: settled, delete the row.
struct ConflictRow {
  SwarmId swarm;
  ConflictId id;
  std::optional<ParkedConflict> conflict;
  friend bool operator==(const ConflictRow&, const ConflictRow&) = default;
};
// An earlier version of a key, kept by policy as what a later merge may begin from. Without a
// record: delete the row.
struct HistoryRow {
  SwarmId swarm;
  Key key;
  Revision version;
  RecordPtr record;
};

// ---- agent -------------------------------------------------------------------------------------

struct IdentityRow {
  SwarmId swarm;
  AgentId agent;
  Token token{};
  friend bool operator==(const IdentityRow&, const IdentityRow&) = default;
};
struct OutboxRow {
  Incarnation incarnation;
  Seq seq;
  std::uint64_t order = 0;           // of the incarnation among the agent's own, rising
  std::optional<Mutation> mutation;  // empty: answered, delete
};
// The committed state that the agent holds; not synced, since it can be pulled again.
struct ReplicaRow {
  Key key;
  RecordPtr record;  // null: delete the row (a tombstone is not kept by an agent)
};
struct ReplicaCursorRow {
  Cursor cursor;
  bool wiped = false;      // every ReplicaRow before this one in the store is void
  std::uint64_t view = 0;  // see Welcome: which keys may be in it
};
// What is stored of it.
struct HeldState {
  Cursor cursor;
  std::uint64_t view = 0;
  friend bool operator==(const HeldState&, const HeldState&) = default;
};

using Row =
    std::variant<StoreRow, SwarmRow, RecordRow, ForgetRow, WriterRow, OutcomeRow, ReceiptRow,
                 ConflictRow, HistoryRow, IdentityRow, OutboxRow, ReplicaRow, ReplicaCursorRow>;

// One atomic unit. Rows apply in order.
struct Batch {
  std::vector<Row> rows;
  bool sync = false;  // must be on disk before anything that depends on it leaves
  [[nodiscard]] bool empty() const { return rows.empty(); }
};

}  // namespace waggle
