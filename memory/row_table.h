#pragma once

// The state that results from applying rows in order: what a store must give back at load. It is
// the whole in-memory store, the base of the simulator's faulty one, and the reference that the
// RocksDB store is compared with.
//
// A plain value: copying one takes a snapshot that shares the immutable records. Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/row.h"
#include "base/status.h"
#include "memory/commit_store.h"

namespace waggle {

// The order in which AgentState holds the outbox: by (order, seq).
[[nodiscard]] inline bool sends_before(const OutboxRow& a, const OutboxRow& b) {
  return std::tie(a.order, a.incarnation, a.seq) < std::tie(b.order, b.incarnation, b.seq);
}

class RowTable {
 public:
  void apply(const Batch& batch);
  void apply(const Row& row);

  // Error kCorrupt: the records don't add up to their swarm's digest, which is a bug of whoever
  // wrote the rows.
  [[nodiscard]] Result<CoordinatorState> load_coordinator() const;
  [[nodiscard]] AgentState load_agent() const;
  [[nodiscard]] std::vector<ReceiptRow> receipts(const ReceiptScan& scan) const;

  friend bool operator==(const RowTable&, const RowTable&) = default;

 private:
  // Equal by what it points to.
  struct SharedRecord {
    RecordPtr record;
    friend bool operator==(const SharedRecord& a, const SharedRecord& b) {
      return a.record == b.record || (a.record && b.record && *a.record == *b.record);
    }
  };
  struct OutboxEntry {
    std::uint64_t order = 0;
    Mutation mutation;
    friend bool operator==(const OutboxEntry&, const OutboxEntry&) = default;
  };
  using KeyAt = std::pair<SwarmId, Key>;
  using WriterAt = std::tuple<SwarmId, AgentId, Incarnation>;

  void apply_row(const StoreRow& row);
  void apply_row(const SwarmRow& row);
  void apply_row(const RecordRow& row);
  void apply_row(const ForgetRow& row);
  void apply_row(const WriterRow& row);
  void apply_row(const OutcomeRow& row);
  void apply_row(const ReceiptRow& row);
  void apply_row(const ConflictRow& row);
  void apply_row(const HistoryRow& row);
  void apply_row(const IdentityRow& row);
  void apply_row(const OutboxRow& row);
  void apply_row(const ReplicaRow& row);
  void apply_row(const ReplicaCursorRow& row);

  StoreRow store_;
  std::map<SwarmId, SwarmRow> swarms_;
  std::map<KeyAt, SharedRecord> records_;
  std::map<WriterAt, WriterRow> writers_;
  // By the first seq of each row. Invariant: no inner map is empty.
  std::map<WriterAt, std::map<Seq, std::vector<Outcome>>> outcomes_;
  // A key's receipts in the order (head at the time, number): a key that was forgotten and written
  // again counts its receipts from 0 again.
  std::map<KeyAt, std::map<std::pair<Revision, std::uint32_t>, Receipt>> receipts_;
  std::map<std::pair<SwarmId, ConflictId>, ParkedConflict> conflicts_;
  std::map<std::tuple<SwarmId, Key, Revision>, SharedRecord> history_;

  IdentityRow identity_;
  HeldState held_;
  std::map<std::pair<Incarnation, Seq>, OutboxEntry> outbox_;
  std::map<Key, SharedRecord> replica_;
};

}  // namespace waggle
