#pragma once

// A store on disk. One directory belongs to one process at a time; what lies in it, byte by byte,
// is in docs/storage.md:
//
//   LOCK.waggle   held (flock) by the process that has the store open; its pid
//   HEAD          the marker: heads that were synced, beside the database (coordinator only)
//   db/           the RocksDB database
//
// Safety: commit() returns kDone for a batch with `sync` only after the write-ahead log was synced.
// What was acknowledged is there after a crash, or opening fails and says what to do; a shorter
// history is never given out as the whole one. The marker sees what the log's own checks can't: a
// log that was cut off or is gone, a directory that was put back from a copy.
//
// Thread safety: that of CommitStore. A thread of the store's own syncs the marker.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/message.h"
#include "base/status.h"
#include "memory/commit_store.h"
#include "memory/snapshot_format.h"

namespace waggle {

enum class StoreKind : std::uint8_t { kCoordinator, kAgent };

struct RocksdbOptions {
  std::string path;  // the directory; is made when its parent exists
  StoreKind kind = StoreKind::kCoordinator;
  // False: kDone means written, not synced (level kWritten). A power failure may then lose what was
  // acknowledged in about the last second.
  bool sync = true;
  // Open although acknowledged commits are missing, see RocksdbStore::rolled_back().
  bool accept_rollback = false;
  std::size_t write_buffer_bytes = std::size_t{16} << 20;  // of all families together: 4 times this
  int open_files_max = 256;
};

class RocksdbStore : public CommitStore {
 public:
  // Why the store was opened only because of accept_rollback; empty: it was complete. Of a
  // coordinator's store: revisions were given out that this store doesn't know, so the first batch
  // must hold a StoreRow with a new epoch and SwarmRows with the old one in their lineage. Until
  // then each opening needs accept_rollback again.
  [[nodiscard]] virtual std::string rolled_back() const = 0;
  // True when the disk was too full to open the store for writing: load() and receipts() work,
  // every commit is refused. Free space and open it again.
  [[nodiscard]] virtual bool read_only() const = 0;
  // Rewrites all files, which drops what was overwritten. Takes as long as the store is large.
  [[nodiscard]] virtual Status compact() = 0;
  // A copy of the store as it is, in a directory that does not exist yet. On the same file system
  // it costs links, not bytes. The copy has no marker: opening it needs accept_rollback.
  [[nodiscard]] virtual Status checkpoint(const std::string& directory) = 0;
  // Everything that was acknowledged before the call, at one moment, as a snapshot. Unlike all else
  // here it may be called by any thread, beside the one that commits; commits don't wait for it.
  // REQUIRES: the store outlives the call. Errors: kCorrupt, those of the sink.
  [[nodiscard]] virtual Result<SnapshotSummary> snapshot(const SnapshotStamp& stamp,
                                                         const SnapshotSink& sink) = 0;
  // Counters and gauges, for people and metrics.
  [[nodiscard]] virtual std::vector<NamedCount> statistics() const = 0;
};

// Makes the store when the directory is absent or empty. Errors, each with the way out in its text:
//   kRejected     the path can't hold a store (a file, no permission, read-only, foreign files, a
//                 store of the other kind)
//   kUnavailable  another process has it open (its pid is named), or the disk is full
//   kUnsupported  a newer Waggle wrote it
//   kCorrupt      damaged, or acknowledged commits are missing
[[nodiscard]] Result<std::unique_ptr<RocksdbStore>> open_rocksdb(const RocksdbOptions& options);

// What a process without privileges can still write to the file system of `path`.
[[nodiscard]] Result<std::uint64_t> free_bytes(const std::string& path);

}  // namespace waggle
