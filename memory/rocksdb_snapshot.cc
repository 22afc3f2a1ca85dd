#include "memory/rocksdb_snapshot.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include "memory/head_marker.h"
#include "memory/rocksdb_database.h"
#include "memory/rocksdb_rows.h"
#include "memory/store_directory.h"
#include "memory/store_keys.h"
#include "memory/stored_rows.h"

namespace waggle {
namespace {

namespace keys = store_keys;

constexpr std::string_view kMeta = "meta";
constexpr std::size_t kWriteBufferBytes = std::size_t{16} << 20;
constexpr std::size_t kBatchBytes = std::size_t{1} << 20;
constexpr DatabaseOptions kOptions{kWriteBufferBytes, 256};

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

// What the rows of `meta` say, for the head.
Result<SnapshotHead> head_of(RocksdbDatabase& database, const rocksdb::Snapshot* at,
                             const SnapshotStamp& stamp) {
  SnapshotHead head;
  head.program = stamp.program;
  head.made_wall_millis = stamp.wall_millis;
  const Result<std::string> format = database.meta(keys::kFormat, at);
  if (!format) return std::unexpected(format.error());
  head.store_format = std::stoull(*format);  // was looked at when the database was opened
  Status read = database.scan(
      kMeta, {}, {},
      [&](auto key, auto value) -> Status {
        if (key == keys::kStore) {
          const Result<StoreRow> row = stored_rows::decode<StoreRow>(key, value);
          if (!row) return std::unexpected(database.bad_row(kMeta, row.error()));
          head.epoch = row->epoch;
        } else if (key.starts_with(keys::kSwarmPrefix)) {
          const Result<SwarmRow> row = stored_rows::swarm(key, value);
          if (!row) return std::unexpected(database.bad_row(kMeta, row.error()));
          head.swarms.push_back({row->swarm, row->head, row->floor, row->digest});
        }
        return {};
      },
      at);
  if (!read) return std::unexpected(read.error());
  return head;
}

// Rows of a snapshot into a database that nobody uses yet: no log, everything is synced at the end.
class RowImport {
 public:
  explicit RowImport(RocksdbDatabase& database) : database_(database) {}

  [[nodiscard]] Status add(std::string_view family, std::string_view key, std::string_view value) {
    if (family == kMeta && key == keys::kStore) {
      const Result<StoreRow> row = stored_rows::decode<StoreRow>(key, value);
      if (!row) return std::unexpected(row.error());
      store_ = *row;
      return {};
    }
    if (family == kMeta && key.starts_with(keys::kSwarmPrefix)) {
      Result<SwarmRow> row = stored_rows::swarm(key, value);
      if (!row) return std::unexpected(row.error());
      swarms_.push_back(std::move(*row));
      return {};
    }
    (void)batch_.Put(database_.family(family), slice(key), slice(value));
    return batch_.GetDataSize() < kBatchBytes ? Status() : write();
  }
  // The rows that know of epochs, in a new one; then all of it is on disk.
  [[nodiscard]] Result<Heads> finish(Epoch epoch) {
    begin_epoch(store_, swarms_, epoch);
    Heads heads;
    heads.epoch = epoch;
    std::vector<Row> rows = {store_};
    for (const SwarmRow& swarm : swarms_) {
      rows.emplace_back(swarm);
      heads.heads[swarm.swarm] = swarm.head;
    }
    add_rows(database_, rows, batch_);
    if (Status written = write(); !written) return std::unexpected(written.error());
    if (Status synced = database_.flush(); !synced) return std::unexpected(synced.error());
    return heads;
  }

 private:
  [[nodiscard]] Status write() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    const rocksdb::Status status = database_.db().Write(options, &batch_);
    batch_.Clear();
    if (status.ok()) return {};
    return failed(Code::kUnavailable, "the store can't be written: " + status.ToString() +
                                          "; free space and restore again");
  }

  RocksdbDatabase& database_;
  rocksdb::WriteBatch batch_;
  StoreRow store_;
  std::vector<SwarmRow> swarms_;
};

Result<Heads> import_rows(const std::string& path, const std::string& file,
                          const SnapshotSource& source, Epoch epoch,
                          const SnapshotSummary& expected) {
  const auto database = RocksdbDatabase::open(path, coordinator_database(), kOptions,
                                              RocksdbDatabase::Recovery::kStrict);
  if (!database) return std::unexpected(database.error());
  RowImport import(**database);
  SnapshotReader reader(file, source);
  if (const auto head = reader.begin(); !head) return std::unexpected(head.error());
  const auto visit = [&](auto family, auto key, auto value) {
    return import.add(family, key, value);
  };
  Result<bool> more = true;
  while (more && *more) more = reader.next(visit);
  if (!more) return std::unexpected(more.error());
  if (reader.summary().digest != expected.digest)
    return failed(Code::kCorrupt, file + ": changed while it was read; restore again");
  return import.finish(epoch);
}

// What was written is read back, through RocksDB's own checksums.
Status read_back(const std::string& path, const RowAudit& expected) {
  const auto database =
      RocksdbDatabase::open(path, coordinator_database(), kOptions,
                            RocksdbDatabase::Recovery::kStrict, RocksdbDatabase::Access::kRead);
  if (!database) return std::unexpected(database.error());
  RowAudit audit;
  const auto scan = [&](std::string_view family) {
    return (*database)->scan(family, {}, {}, [&](auto key, auto value) -> Status {
      Status whole = audit.add(family, key, value);
      if (!whole) return std::unexpected((*database)->bad_row(family, whole.error()));
      return {};
    });
  };
  Status read = scan(kMeta);
  for (const std::string& family : coordinator_database().families)
    if (read) read = scan(family);
  if (!read) return read;
  if (const auto wrong = audit.finish(); !wrong.empty())
    return std::unexpected((*database)->damaged("state", wrong.front().text));
  for (const auto& [id, swarm] : expected.swarms()) {
    const auto found = audit.swarms().find(id);
    if (found == audit.swarms().end() || found->second.keys != swarm.keys ||
        found->second.tombstones != swarm.tombstones || found->second.digest != swarm.digest)
      return std::unexpected(
          (*database)->damaged("state", "swarm '" + id.value() + "' is not what was written"));
  }
  return {};
}

}  // namespace

Result<SnapshotSummary> write_snapshot(RocksdbDatabase& database, const SnapshotStamp& stamp,
                                       const SnapshotSink& sink) {
  rocksdb::ManagedSnapshot moment(&database.db());
  const rocksdb::Snapshot* const at = moment.snapshot();
  const Result<SnapshotHead> head = head_of(database, at, stamp);
  if (!head) return std::unexpected(head.error());
  SnapshotWriter writer(sink);
  Status written = writer.begin(*head);
  const auto write = [&](std::string_view family) {
    return database.scan(
        family, {}, {}, [&](auto key, auto value) { return writer.add(family, key, value); }, at);
  };
  if (written) written = write(kMeta);
  for (const std::string& family : coordinator_database().families)
    if (written) written = write(family);
  if (written) written = writer.end();
  if (!written) return std::unexpected(written.error());
  return writer.summary();
}

Result<SnapshotSummary> save_store(const std::string& path, const SnapshotStamp& stamp,
                                   const SnapshotSink& sink, std::string& holder) {
  StoreDirectory directory;
  const Status opened = directory.open_to_read(path);
  holder = directory.holder();
  if (!opened) return std::unexpected(opened.error());
  const auto database = RocksdbDatabase::open(
      directory.file(StoreDirectory::kDatabase), coordinator_database(), kOptions,
      RocksdbDatabase::Recovery::kStrict, RocksdbDatabase::Access::kRead);
  if (!database) return std::unexpected(database.error());
  const Result<RecoveredHeads> heads = load_heads(**database);
  if (!heads) return std::unexpected(heads.error());
  const Result<std::string> lost = lost_since(directory.file(StoreDirectory::kMarker), *heads);
  if (!lost) return std::unexpected(lost.error());
  if (!lost->empty())
    return failed(Code::kCorrupt, path + ": the store lost acknowledged commits: " + *lost +
                                      "; use an earlier backup, or accept the loss with `waggle "
                                      "serve --accept-rollback` and save then");
  return write_snapshot(**database, stamp, sink);
}

Result<CheckedSnapshot> restore_snapshot(const RestoreRequest& request) {
  SnapshotInput input;
  if (Status opened = input.open(request.file); !opened) return std::unexpected(opened.error());
  Result<CheckedSnapshot> checked = check_snapshot(request.file, input.source());
  if (!checked) return checked;
  if (Status again = input.rewind(); !again) return std::unexpected(again.error());

  StoreDirectory directory;
  if (Status opened = directory.open_to_restore(request.directory); !opened)
    return std::unexpected(opened.error());
  const std::string path = directory.file(StoreDirectory::kRestoring);
  Status done = RocksdbDatabase::make(path, coordinator_database(), kOptions);
  if (done) done = sync_directory(directory.path());
  if (!done) return std::unexpected(done.error());
  const Result<Heads> heads =
      import_rows(path, request.file, input.source(), request.epoch, checked->summary);
  if (!heads) return std::unexpected(heads.error());
  done = read_back(path, checked->audit);
  if (done) done = HeadMarker::make(directory.file(StoreDirectory::kMarker), *heads);
  if (done) done = directory.finish_making(StoreDirectory::kRestoring);
  if (!done) return std::unexpected(done.error());
  return checked;
}

}  // namespace waggle
