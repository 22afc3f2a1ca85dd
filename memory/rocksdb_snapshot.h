#pragma once

// Snapshots of a coordinator's database, and a store made of one.
//
// Saving reads all families as they were at one moment, by a snapshot of RocksDB's own: it costs
// nothing to take, commits go on beside it, and a commit is in it as a whole or not at all. What a
// commit with `sync` wrote becomes visible only when its log is synced, so a snapshot holds every
// commit that was acknowledged before it began, and none that a power failure could still take.
//
// Restoring makes the whole store beside its place and gives it its name last:
//
//   the snapshot is checked whole --> db.restore: rows, a new epoch --> HEAD --> `db`
//
// A crash before the last step leaves a directory that is no store and that says so
// (store_directory.h); restoring again clears it away. The new epoch is what an accepted rollback
// begins: agents that know a later history than the snapshot's must not take it for their own.

#include <string>

#include "base/ids.h"
#include "base/status.h"
#include "memory/snapshot_file.h"
#include "memory/snapshot_format.h"

namespace waggle {

class RocksdbDatabase;

// Thread-safe beside commits. REQUIRES: a coordinator's database.
[[nodiscard]] Result<SnapshotSummary> write_snapshot(RocksdbDatabase& database,
                                                     const SnapshotStamp& stamp,
                                                     const SnapshotSink& sink);

// Of a store that no process holds, which stays as it is. Errors: kUnavailable (it is held;
// `holder` tells by whom), kNotFound (no store is there), kCorrupt (damaged, or it lost
// acknowledged commits), kUnsupported, those of the sink.
[[nodiscard]] Result<SnapshotSummary> save_store(const std::string& directory,
                                                 const SnapshotStamp& stamp,
                                                 const SnapshotSink& sink, std::string& holder);

struct RestoreRequest {
  std::string file;
  std::string directory;  // absent, empty, or with what an earlier restore left
  Epoch epoch;            // the new one
};
// The summary and the audit are of the snapshot: with the epoch that it ended. Errors: those of
// check_snapshot(), and then nothing was touched; those of StoreDirectory::open_to_restore();
// kUnavailable (the disk is full).
[[nodiscard]] Result<CheckedSnapshot> restore_snapshot(const RestoreRequest& request);

}  // namespace waggle
