#pragma once

// Rows as RocksDB holds them: a row becomes operations of a write batch, and families become what
// load gives. The layout is in store_keys.h and docs/storage.md. What comes out must be what
// RowTable gives for the same rows; tests/memory compares the two.

#include <string>
#include <vector>

#include <rocksdb/write_batch.h>

#include "base/row.h"
#include "base/status.h"
#include "memory/commit_store.h"
#include "memory/head_marker.h"
#include "memory/rocksdb_database.h"

namespace waggle {

// REQUIRES: the rows are of the database's kind.
void add_rows(RocksdbDatabase& database, const std::vector<Row>& rows, rocksdb::WriteBatch& batch);

// Errors: kCorrupt with the place, kUnsupported for a value written by a newer Waggle.
[[nodiscard]] Result<StoreRow> load_store(RocksdbDatabase& database);
[[nodiscard]] Result<std::vector<SwarmRow>> load_swarms(RocksdbDatabase& database);
// What the marker is compared with.
[[nodiscard]] Result<RecoveredHeads> load_heads(RocksdbDatabase& database);
[[nodiscard]] Result<CoordinatorState> load_coordinator_rows(RocksdbDatabase& database);
[[nodiscard]] Result<AgentState> load_agent_rows(RocksdbDatabase& database);
[[nodiscard]] Result<std::vector<ReceiptRow>> scan_receipts(RocksdbDatabase& database,
                                                            const ReceiptScan& scan);

}  // namespace waggle
