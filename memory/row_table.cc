#include "memory/row_table.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "base/check.h"
#include "memory/state_digest.h"

namespace waggle {

void RowTable::apply(const Batch& batch) {
  for (const Row& row : batch.rows) apply(row);
}

void RowTable::apply(const Row& row) {
  std::visit([this](const auto& typed) { apply_row(typed); }, row);
}

void RowTable::apply_row(const StoreRow& row) {
  store_ = row;
}

void RowTable::apply_row(const SwarmRow& row) {
  swarms_[row.swarm] = row;
}

void RowTable::apply_row(const RecordRow& row) {
  WAGGLE_CHECK(row.record != nullptr, "a record row without a record: " + row.key.value());
  records_[{row.swarm, row.key}] = SharedRecord{row.record};
}

void RowTable::apply_row(const ForgetRow& row) {
  records_.erase({row.swarm, row.key});
}

void RowTable::apply_row(const WriterRow& row) {
  const WriterAt at{row.swarm, row.agent, row.incarnation};
  if (row.gone) {
    writers_.erase(at);
    outcomes_.erase(at);
  } else {
    writers_[at] = row;
  }
}

void RowTable::apply_row(const OutcomeRow& row) {
  const WriterAt at{row.swarm, row.agent, row.incarnation};
  if (!row.outcomes.empty()) {
    outcomes_[at].insert_or_assign(row.seq, row.outcomes);
    return;
  }
  const auto writer = outcomes_.find(at);
  if (writer == outcomes_.end()) return;
  writer->second.erase(row.seq);
  if (writer->second.empty()) outcomes_.erase(writer);
}

void RowTable::apply_row(const ReceiptRow& row) {
  auto& of_key = receipts_[{row.swarm, row.receipt.key}];
  of_key.insert_or_assign({row.at, row.index}, row.receipt);
  while (row.keep > 0 && of_key.size() > row.keep) of_key.erase(of_key.begin());
}

void RowTable::apply_row(const ConflictRow& row) {
  if (row.conflict)
    conflicts_.insert_or_assign({row.swarm, row.id}, *row.conflict);
  else
    conflicts_.erase({row.swarm, row.id});
}

void RowTable::apply_row(const HistoryRow& row) {
  if (row.record)
    history_[{row.swarm, row.key, row.version}] = SharedRecord{row.record};
  else
    history_.erase({row.swarm, row.key, row.version});
}

void RowTable::apply_row(const IdentityRow& row) {
  identity_ = row;
}

void RowTable::apply_row(const OutboxRow& row) {
  if (row.mutation)
    outbox_.insert_or_assign({row.incarnation, row.seq}, OutboxEntry{row.order, *row.mutation});
  else
    outbox_.erase({row.incarnation, row.seq});
}

void RowTable::apply_row(const ReplicaRow& row) {
  if (row.record)
    replica_[row.key] = SharedRecord{row.record};
  else
    replica_.erase(row.key);
}

void RowTable::apply_row(const ReplicaCursorRow& row) {
  if (row.wiped) replica_.clear();
  held_ = {row.cursor, row.view};
}

Result<CoordinatorState> RowTable::load_coordinator() const {
  CoordinatorState state;
  state.store = store_;
  for (const auto& [swarm, row] : swarms_) state.swarms.push_back(row);
  for (const auto& [at, shared] : records_)
    state.records.push_back(RecordRow{at.first, at.second, shared.record});
  for (const auto& [at, row] : writers_) state.writers.push_back(row);
  for (const auto& [at, of_writer] : outcomes_) {
    const auto& [swarm, agent, incarnation] = at;
    for (const auto& [seq, outcomes] : of_writer)
      state.outcomes.push_back(OutcomeRow{swarm, agent, incarnation, seq, outcomes});
  }
  for (const auto& [at, conflict] : conflicts_)
    state.conflicts.push_back(ConflictRow{at.first, at.second, conflict});
  for (const auto& [at, shared] : history_) {
    const auto& [swarm, key, version] = at;
    state.history.push_back(HistoryRow{swarm, key, version, shared.record});
  }
  if (Status whole = check_digests(state); !whole) return std::unexpected(whole.error());
  return state;
}

AgentState RowTable::load_agent() const {
  AgentState state;
  state.identity = identity_;
  state.cursor = held_.cursor;
  state.view = held_.view;
  for (const auto& [key, shared] : replica_)
    state.replica.push_back(ReplicaRow{key, shared.record});
  for (const auto& [at, entry] : outbox_)
    state.outbox.push_back(OutboxRow{at.first, at.second, entry.order, entry.mutation});
  std::sort(state.outbox.begin(), state.outbox.end(), sends_before);
  return state;
}

std::vector<ReceiptRow> RowTable::receipts(const ReceiptScan& scan) const {
  std::vector<ReceiptRow> found;
  const Key& first = scan.after ? scan.after->key : scan.key;
  for (auto chain = receipts_.lower_bound({scan.swarm, first});
       chain != receipts_.end() && chain->first.first == scan.swarm; ++chain) {
    const Key& key = chain->first.second;
    if (!scan.key.empty() && key != scan.key) {
      if (key > scan.key) break;
      continue;
    }
    for (const auto& [at, receipt] : chain->second) {
      if (scan.after && ReceiptPlace{key, at.first, at.second} <= *scan.after) continue;
      if (found.size() >= scan.limit) return found;
      found.push_back(ReceiptRow{scan.swarm, at.first, at.second, receipt});
    }
  }
  return found;
}

}  // namespace waggle
