#include "memory/rocksdb_store.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>
#include <variant>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "memory/head_marker.h"
#include "memory/rocksdb_database.h"
#include "memory/rocksdb_rows.h"
#include "memory/rocksdb_snapshot.h"
#include "memory/store_directory.h"

namespace waggle {
namespace {

constexpr std::string_view kRollbackRemedy =
    "restore a backup, or start with --accept-rollback, which begins a new epoch";

class Store final : public RocksdbStore {
 public:
  explicit Store(RocksdbOptions options) : options_(std::move(options)) {}
  ~Store() override { close(); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] Status open();

  [[nodiscard]] Result<CoordinatorState> load_coordinator() override;
  [[nodiscard]] Result<AgentState> load_agent() override;
  [[nodiscard]] CommitResult commit(const Batch& batch) override;
  [[nodiscard]] std::string failure() const override { return failure_; }
  [[nodiscard]] Level level() const override {
    return options_.sync ? Level::kDurable : Level::kWritten;
  }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override;
  [[nodiscard]] std::string rolled_back() const override { return rolled_back_; }
  [[nodiscard]] bool read_only() const override { return database_->read_only(); }
  [[nodiscard]] Status compact() override { return database_->compact(); }
  [[nodiscard]] Status checkpoint(const std::string& directory) override;
  [[nodiscard]] Result<SnapshotSummary> snapshot(const SnapshotStamp& stamp,
                                                 const SnapshotSink& sink) override;
  [[nodiscard]] std::vector<NamedCount> statistics() const override;

 private:
  [[nodiscard]] bool coordinator() const { return options_.kind == StoreKind::kCoordinator; }
  [[nodiscard]] std::string marker_file() const { return directory_.file(StoreDirectory::kMarker); }
  [[nodiscard]] Status make();
  [[nodiscard]] Status open_database();
  [[nodiscard]] Status open_marker();
  void note_heads(const Batch& batch);
  void publish_heads();
  void close();

  const RocksdbOptions options_;
  // In the order of opening; closed the other way round: the lock goes last.
  StoreDirectory directory_;
  std::unique_ptr<RocksdbDatabase> database_;
  HeadMarker marker_;

  std::string rolled_back_;
  std::string failure_;               // of a commit: nothing is committed any more
  Heads heads_;                       // as committed, synced or not
  std::optional<Epoch> ended_epoch_;  // see RocksdbStore::rolled_back(): must not go on

  rocksdb::WriteBatch batch_;               // empty between commits; keeps its memory
  std::atomic<std::uint64_t> commits_ = 0;  // these are read from other threads too
  std::atomic<std::uint64_t> synced_commits_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
};

const DatabaseKind& database_kind(StoreKind kind) {
  return kind == StoreKind::kCoordinator ? coordinator_database() : agent_database();
}

Status Store::open() {
  const Result<StoreDirectory::Found> found = directory_.open(options_.path);
  if (!found) return std::unexpected(found.error());
  if (*found == StoreDirectory::Found::kNew)
    if (Status made = make(); !made) return made;
  if (Status opened = open_database(); !opened) return opened;
  if (!coordinator()) return {};
  return open_marker();
}

// Until the last step the directory counts as new.
Status Store::make() {
  const DatabaseOptions options{options_.write_buffer_bytes, options_.open_files_max};
  if (Status made = RocksdbDatabase::make(directory_.file(StoreDirectory::kUnfinished),
                                          database_kind(options_.kind), options);
      !made)
    return made;
  if (coordinator())
    if (Status made = HeadMarker::make(marker_file(), Heads{}); !made) return made;
  return directory_.finish_making();
}

Status Store::open_database() {
  const DatabaseKind& kind = database_kind(options_.kind);
  const DatabaseOptions options{options_.write_buffer_bytes, options_.open_files_max};
  using Recovery = RocksdbDatabase::Recovery;
  const std::string path = directory_.file(StoreDirectory::kDatabase);
  auto opened = RocksdbDatabase::open(path, kind, options, Recovery::kStrict);
  if (!opened && opened.error().code == Code::kCorrupt && options_.accept_rollback) {
    if (coordinator()) {
      // Opening drops what can't be read, and the next opening would find nothing wrong: the marker
      // must say before that the epoch may not go on. A missing one says it too.
      Result<std::optional<Heads>> marked = HeadMarker::read(marker_file());
      if (!marked) return std::unexpected(marked.error());
      if (*marked) {
        (*marked)->ended = true;
        if (Status made = HeadMarker::make(marker_file(), **marked); !made) return made;
      }
    }
    rolled_back_ = opened.error().text;
    opened = RocksdbDatabase::open(path, kind, options, Recovery::kKeepReadable);
  }
  if (!opened) return std::unexpected(opened.error());
  database_ = std::move(*opened);
  return {};
}

Status Store::open_marker() {
  const Result<RecoveredHeads> recovered = load_heads(*database_);
  if (!recovered) return std::unexpected(recovered.error());
  const Result<std::string> lost = lost_since(marker_file(), *recovered);
  if (!lost) return std::unexpected(lost.error());
  if (!lost->empty()) {
    const std::string text = options_.path + ": the store lost acknowledged commits: " + *lost;
    if (!options_.accept_rollback)
      return failed(Code::kCorrupt, text + "; " + std::string(kRollbackRemedy));
    rolled_back_ += (rolled_back_.empty() ? "" : "; ") + text;
  }
  heads_.epoch = recovered->epoch;
  for (const auto& [swarm, at] : recovered->swarms) heads_.heads[swarm] = at.head;
  if (database_->read_only()) return {};
  if (!rolled_back_.empty()) {
    ended_epoch_ = recovered->epoch;
    Heads ended = heads_;
    ended.ended = true;
    if (Status made = HeadMarker::make(marker_file(), ended); !made) return made;
  }
  HeadMarker::SyncFirst sync_first;
  if (!options_.sync) sync_first = [this] { return database_->db().SyncWAL().ok(); };
  return marker_.open(marker_file(), std::move(sync_first));
}

Result<CoordinatorState> Store::load_coordinator() {
  if (!coordinator())
    return failed(Code::kRejected, options_.path + ": is an agent's store, not a coordinator's");
  return load_coordinator_rows(*database_);
}

Result<AgentState> Store::load_agent() {
  if (coordinator())
    return failed(Code::kRejected, options_.path + ": is a coordinator's store, not an agent's");
  return load_agent_rows(*database_);
}

Result<std::vector<ReceiptRow>> Store::receipts(const ReceiptScan& scan) {
  if (!coordinator())
    return failed(Code::kRejected, options_.path + ": an agent's store has no receipts");
  return scan_receipts(*database_, scan);
}

CommitResult Store::commit(const Batch& batch) {
  if (!failure_.empty()) return CommitResult::kUnknown;
  if (batch.empty()) return CommitResult::kDone;
  if (database_->read_only()) {
    failure_ = options_.path +
               ": the disk was full when the store was opened, so it can only be "
               "read; free space and start again";
    return CommitResult::kUnknown;
  }
  add_rows(*database_, batch.rows, batch_);
  rocksdb::WriteOptions write;
  write.sync = options_.sync && batch.sync;
  const rocksdb::Status status = database_->db().Write(write, &batch_);
  bytes_ += batch_.GetDataSize();
  batch_.Clear();
  if (!status.ok()) {
    failure_ = options_.path +
               ": a commit failed, it is there after the next start as a whole or "
               "not at all: " +
               status.ToString();
    return CommitResult::kUnknown;
  }
  ++commits_;
  synced_commits_ += write.sync ? 1 : 0;
  if (!coordinator()) return CommitResult::kDone;
  note_heads(batch);
  // A synced batch has synced all earlier ones. Where nothing is synced here, the marker's own
  // thread syncs the log before the marker.
  if (write.sync || !options_.sync) publish_heads();
  return CommitResult::kDone;
}

void Store::note_heads(const Batch& batch) {
  for (const Row& row : batch.rows) {
    if (const auto* swarm = std::get_if<SwarmRow>(&row))
      heads_.heads[swarm->swarm] = swarm->head;
    else if (const auto* store = std::get_if<StoreRow>(&row))
      heads_.epoch = store->epoch;
  }
}

void Store::publish_heads() {
  if (ended_epoch_ == heads_.epoch) return;
  ended_epoch_.reset();
  marker_.publish(heads_);
}

void Store::close() {
  // After a failed commit nothing may be synced behind its back; the marker has only what was.
  marker_.close();
  database_.reset();
}

Status Store::checkpoint(const std::string& directory) {
  if (mkdir(directory.c_str(), 0750) != 0)
    return failed(Code::kRejected,
                  system_text(directory, "the copy's directory can't be made", errno));
  const std::string database = directory + "/" + std::string(StoreDirectory::kDatabase);
  if (Status copied = database_->checkpoint(database); !copied) return copied;
  return sync_directory(directory);
}

Result<SnapshotSummary> Store::snapshot(const SnapshotStamp& stamp, const SnapshotSink& sink) {
  if (!coordinator())
    return failed(Code::kRejected, options_.path + ": snapshots are of a coordinator's store");
  return write_snapshot(*database_, stamp, sink);
}

std::vector<NamedCount> Store::statistics() const {
  return {{"store_commits", commits_},
          {"store_synced_commits", synced_commits_},
          {"store_bytes_committed", bytes_},
          {"store_marker_syncs", marker_.syncs()},
          {"store_marker_failed", marker_.failure().empty() ? 0U : 1U},
          {"store_rows_estimate", database_->property("rocksdb.estimate-num-keys")},
          {"store_file_bytes", database_->property("rocksdb.total-sst-files-size")},
          {"store_memory_bytes", database_->property("rocksdb.cur-size-all-mem-tables")},
          {"store_pending_compaction_bytes",
           database_->property("rocksdb.estimate-pending-compaction-bytes")},
          {"store_background_errors", database_->property("rocksdb.background-errors")}};
}

}  // namespace

Result<std::unique_ptr<RocksdbStore>> open_rocksdb(const RocksdbOptions& options) {
  auto store = std::make_unique<Store>(options);
  if (Status opened = store->open(); !opened) return std::unexpected(opened.error());
  return store;
}

Result<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0)
    return failed(Code::kUnavailable, system_text(path, "its free space can't be read", errno));
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace waggle
