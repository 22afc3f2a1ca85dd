#pragma once

// The port through which a core's rows become durable. Two stores implement it: one in memory, one
// in RocksDB; one contract suite (tests/memory) holds for both.
//
// A commit is atomic: after a crash either all rows of a batch are there or none, and a batch is
// there only if every earlier one is. A batch with `sync` is on disk when commit() returns.
//
// Safety: a commit that failed is *unknown*, not failed: it may be there after reopening, and the
// store refuses every later one. The caller must stop, and start again from load(). A full disk is
// no exception; the host avoids it by refusing writes early (SpaceChanged).
//
// Not thread-safe: one thread at a time. load() is called once, before the first commit.

#include <cstdint>
#include <string>
#include <vector>

#include "base/row.h"
#include "base/status.h"

namespace waggle {

// Everything a coordinator needs to go on. Empty vectors and a zero epoch: a new store.
struct CoordinatorState {
  StoreRow store;
  std::vector<SwarmRow> swarms;
  std::vector<RecordRow> records;  // by swarm, then key; tombstones included
  std::vector<WriterRow> writers;
  std::vector<OutcomeRow> outcomes;
  std::vector<ConflictRow> conflicts;  // by swarm, then id
  std::vector<HistoryRow> history;     // by swarm, key, version
};
// Begins a new history: each swarm's lineage tells how far the one before went. After a restore and
// after an accepted loss, since revisions of the old epoch may be known to agents with other
// content.
inline void begin_epoch(StoreRow& store, std::vector<SwarmRow>& swarms, Epoch epoch) {
  for (SwarmRow& swarm : swarms) swarm.lineage.push_back({store.epoch, swarm.head});
  store.epoch = epoch;
}

// Everything an agent needs to go on. A zero token: a new store.
struct AgentState {
  IdentityRow identity;
  Cursor cursor;
  std::uint64_t view = 0;  // see Welcome: under which the replica was pulled
  std::vector<ReplicaRow> replica;
  std::vector<OutboxRow> outbox;  // by (order, seq)
};

enum class CommitResult : std::uint8_t {
  kDone,     // at the level that the store gives
  kUnknown,  // stop; after reopening the batch is there as a whole or not at all
  kFenced,   // another process owns the store now; stop
};

class CommitStore {
 public:
  virtual ~CommitStore() = default;
  [[nodiscard]] virtual Result<CoordinatorState> load_coordinator() = 0;
  [[nodiscard]] virtual Result<AgentState> load_agent() = 0;
  [[nodiscard]] virtual CommitResult commit(const Batch& batch) = 0;
  // Why the last commit was not done, for people.
  [[nodiscard]] virtual std::string failure() const = 0;
  // What kDone means for a batch with `sync`.
  [[nodiscard]] virtual Level level() const = 0;
  // At most `limit` of a swarm's receipts, in an order that does not change; of one key oldest
  // first.
  [[nodiscard]] virtual Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) = 0;
};

}  // namespace waggle
