#include "memory/rocksdb_database.h"

#include <algorithm>
#include <cstdarg>
#include <filesystem>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include "base/check.h"
#include "memory/store_keys.h"

namespace waggle {
namespace {

constexpr std::string_view kMeta = "meta";

// RocksDB's own log goes nowhere. Its writer asserts that no write follows a failed one, and Debian
// builds RocksDB with assertions: a full disk would abort the process. What went wrong is in the
// statuses, which are all read.
class NoLog final : public rocksdb::Logger {
 public:
  NoLog() : rocksdb::Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

// Why each setting is so: docs/storage.md, "Settings".
rocksdb::DBOptions database_settings(const DatabaseOptions& options,
                                     RocksdbDatabase::Recovery recovery) {
  const bool strict = recovery == RocksdbDatabase::Recovery::kStrict;
  rocksdb::DBOptions settings;
  settings.create_if_missing = false;
  settings.create_missing_column_families = false;
  settings.paranoid_checks = true;
  settings.wal_recovery_mode = strict ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                                      : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  settings.track_and_verify_wals_in_manifest = strict;
  settings.db_write_buffer_size = 4 * options.write_buffer_bytes;
  settings.max_total_wal_size = 4 * options.write_buffer_bytes;
  settings.max_open_files = options.open_files_max;
  settings.max_background_jobs = 2;
  settings.bytes_per_sync = std::uint64_t{1} << 20;
  settings.allow_concurrent_memtable_write = false;
  settings.info_log = std::make_shared<NoLog>();
  settings.max_manifest_file_size = std::uint64_t{16} << 20;
  settings.stats_dump_period_sec = 0;
  settings.stats_persist_period_sec = 0;
  return settings;
}

rocksdb::ColumnFamilyOptions family_settings(const DatabaseOptions& options) {
  rocksdb::ColumnFamilyOptions settings;
  settings.write_buffer_size = options.write_buffer_bytes;
  settings.compression = rocksdb::kLZ4Compression;
  settings.bottommost_compression = rocksdb::kZSTD;
  settings.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(std::size_t{8} << 20);
  table.block_size = std::size_t{16} << 10;
  settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return settings;
}

std::vector<rocksdb::ColumnFamilyDescriptor> descriptors(const DatabaseKind& kind,
                                                         const DatabaseOptions& options) {
  const rocksdb::ColumnFamilyOptions settings = family_settings(options);
  std::vector<rocksdb::ColumnFamilyDescriptor> all;
  all.emplace_back(rocksdb::kDefaultColumnFamilyName, settings);
  all.emplace_back(std::string(kMeta), settings);
  for (const std::string& family : kind.families) all.emplace_back(family, settings);
  return all;
}

std::vector<std::string> sorted_families(const DatabaseKind& kind) {
  std::vector<std::string> names = kind.families;
  names.emplace_back(kMeta);
  names.push_back(rocksdb::kDefaultColumnFamilyName);
  std::sort(names.begin(), names.end());
  return names;
}

// Those of `a` that are not in `b`, for people. REQUIRES: both sorted.
std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> names;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(names));
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

bool is_damage(const rocksdb::Status& status) {
  // A file that is missing comes as an IOError, a missing CURRENT as InvalidArgument.
  return status.IsCorruption() || status.IsPathNotFound() || status.IsInvalidArgument() ||
         status.ToString().find("No such file") != std::string::npos;
}

Error open_error(const std::string& path, const DatabaseKind& kind, const rocksdb::Status& status) {
  const std::string text = path + ": ";
  if (is_damage(status))
    return {Code::kCorrupt,
            text + "is damaged: " + status.ToString() + "; " + std::string(kind.remedy)};
  if (status.IsNoSpace())
    return {Code::kUnavailable, text + "the disk is full: " + status.ToString() + "; free space"};
  if (status.IsNotSupported())
    return {Code::kUnsupported, text + status.ToString() + "; it needs a newer Waggle"};
  return {Code::kUnavailable, text + "can't be opened: " + status.ToString()};
}

}  // namespace

const DatabaseKind& coordinator_database() {
  static const DatabaseKind kind{
      "coordinator",
      {"state", "changes", "history", "writers", "outcomes", "conflicts", "receipts", "proposals",
       "claims"},
      "restore a backup, or, if only its write-ahead log is damaged, start with --accept-rollback, "
      "which keeps what stands before the damage and begins a new epoch"};
  return kind;
}

const DatabaseKind& agent_database() {
  static const DatabaseKind kind{
      "agent",
      {"outbox", "replica"},
      "restore a backup, or move the directory away: the state is pulled again from the "
      "coordinator, writes that were not answered yet are lost"};
  return kind;
}

const DatabaseKind& provider_database() {
  static const DatabaseKind kind{
      "provider", {"values"}, "restore a backup, or move the directory away to begin with nothing"};
  return kind;
}

namespace {

// Sorted.
rocksdb::Status list_families(const std::string& path, std::vector<std::string>& found) {
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &found);
  std::sort(found.begin(), found.end());
  return status;
}

// REQUIRES: sorted.
const DatabaseKind* kind_with(const std::vector<std::string>& families) {
  for (const DatabaseKind* kind :
       {&coordinator_database(), &agent_database(), &provider_database()})
    if (families == sorted_families(*kind)) return kind;
  return nullptr;
}

}  // namespace

RocksdbDatabase::~RocksdbDatabase() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  (void)db_->Close();
}

Status RocksdbDatabase::make(const std::string& path, const DatabaseKind& kind,
                             const DatabaseOptions& options) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  RocksdbDatabase made(path, kind);
  rocksdb::DBOptions settings = database_settings(options, Recovery::kStrict);
  settings.create_if_missing = true;
  settings.create_missing_column_families = true;
  settings.error_if_exists = true;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status =
      rocksdb::DB::Open(settings, path, descriptors(kind, options), &made.handles_, &db);
  if (!status.ok()) return std::unexpected(open_error(path, kind, status));
  made.db_.reset(db);
  rocksdb::WriteBatch batch;
  rocksdb::ColumnFamilyHandle* meta = made.family(kMeta);
  status = batch.Put(meta, slice(store_keys::kFormat), std::to_string(kStoreFormat));
  if (status.ok()) status = batch.Put(meta, slice(store_keys::kKind), slice(kind.name));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (status.ok()) status = db->Write(synced, &batch);
  if (!status.ok()) return std::unexpected(open_error(path, kind, status));
  return {};
}

Result<std::unique_ptr<RocksdbDatabase>> RocksdbDatabase::open(const std::string& path,
                                                               const DatabaseKind& kind,
                                                               const DatabaseOptions& options,
                                                               Recovery recovery, Access access) {
  std::unique_ptr<RocksdbDatabase> opened(new RocksdbDatabase(path, kind));
  if (Status known = opened->check_families(); !known) return std::unexpected(known.error());
  if (const rocksdb::Status status = opened->open_database(options, recovery, access); !status.ok())
    return std::unexpected(open_error(opened->path_, kind, status));
  if (Status known = opened->check_meta(); !known) return std::unexpected(known.error());
  return opened;
}

rocksdb::Status RocksdbDatabase::open_database(const DatabaseOptions& options, Recovery recovery,
                                               Access access) {
  const rocksdb::DBOptions settings = database_settings(options, recovery);
  const auto families = descriptors(kind_, options);
  rocksdb::DB* db = nullptr;
  read_only_ = access == Access::kRead;
  rocksdb::Status status;
  if (!read_only_) status = rocksdb::DB::Open(settings, path_, families, &handles_, &db);
  if (read_only_ || status.IsNoSpace()) {
    read_only_ = true;
    status = rocksdb::DB::OpenForReadOnly(settings, path_, families, &handles_, &db);
  }
  db_.reset(db);
  return status;
}

Result<const DatabaseKind*> RocksdbDatabase::kind_of(const std::string& path) {
  std::vector<std::string> found;
  if (const rocksdb::Status listed = list_families(path, found); !listed.ok())
    return std::unexpected(open_error(path, coordinator_database(), listed));
  return kind_with(found);
}

// Before opening: RocksDB opens a database only with all its families named.
Status RocksdbDatabase::check_families() const {
  std::vector<std::string> found;
  if (const rocksdb::Status listed = list_families(path_, found); !listed.ok())
    return std::unexpected(open_error(path_, kind_, listed));
  const std::vector<std::string> expected = sorted_families(kind_);
  if (found == expected) return {};
  if (const DatabaseKind* const other = kind_with(found))
    return failed(Code::kRejected, path_ + ": is the store of a kind '" + std::string(other->name) +
                                       "', expected '" + std::string(kind_.name) +
                                       "'; name another directory");
  const std::string unknown = difference(found, expected);
  if (!unknown.empty())
    return failed(Code::kUnsupported,
                  path_ + ": holds families that this Waggle doesn't know: " + unknown +
                      "; it was written by a newer Waggle than this one, which knows format " +
                      std::to_string(kStoreFormat) + "; use that one or a later one");
  return failed(Code::kCorrupt, path_ + ": misses its families " + difference(expected, found) +
                                    "; " + std::string(kind_.remedy));
}

Status RocksdbDatabase::check_meta() {
  const Result<std::string> format = meta(store_keys::kFormat);
  if (!format) return std::unexpected(format.error());
  const bool number = !format->empty() && format->size() <= 18 &&
                      std::all_of(format->begin(), format->end(),
                                  [](char digit) { return digit >= '0' && digit <= '9'; });
  if (!number) return std::unexpected(damaged(kMeta, "no format number"));
  const std::uint64_t found = std::stoull(*format);
  if (found < kOldestStoreFormat || found > kStoreFormat)
    return failed(Code::kUnsupported, path_ + ": has the format " + *format +
                                          ", this Waggle knows the format " +
                                          std::to_string(kStoreFormat) +
                                          "; use the Waggle that wrote it or a later one");
  const Result<std::string> kind = meta(store_keys::kKind);
  if (!kind) return std::unexpected(kind.error());
  if (*kind != kind_.name)
    return std::unexpected(damaged(kMeta, "the kind '" + *kind + "' does not fit its families"));
  if (found == kStoreFormat || read_only_) return {};
  return raise_format();
}

// Before the first row in the new form, so that an older Waggle does not take it for damage. The
// index of format 1 is not kept up any more, so it goes in the same batch.
Status RocksdbDatabase::raise_format() {
  rocksdb::WriteBatch batch;
  rocksdb::Status raised =
      batch.Put(family(kMeta), slice(store_keys::kFormat), std::to_string(kStoreFormat));
  if (raised.ok() && kind_.name == coordinator_database().name)
    raised = batch.DeleteRange(family("changes"), slice(""), slice("\xff"));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (raised.ok()) raised = db_->Write(synced, &batch);
  if (!raised.ok()) return std::unexpected(open_error(path_, kind_, raised));
  return {};
}

rocksdb::ColumnFamilyHandle* RocksdbDatabase::family(std::string_view name) const {
  if (name == kMeta) return handles_.at(1);
  const auto found = std::find(kind_.families.begin(), kind_.families.end(), name);
  WAGGLE_CHECK(found != kind_.families.end(), std::string(name));
  return handles_.at(2 + static_cast<std::size_t>(found - kind_.families.begin()));
}

Status RocksdbDatabase::scan(std::string_view family_name, std::string_view begin,
                             std::string_view end, const Visit& visit,
                             const rocksdb::Snapshot* at) {
  rocksdb::ReadOptions options;
  options.snapshot = at;
  options.fill_cache = false;
  options.readahead_size = std::size_t{1} << 20;
  const rocksdb::Slice upper = slice(end);
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(options, family(family_name)));
  for (row->Seek(slice(begin)); row->Valid(); row->Next())
    if (Status done = visit(row->key().ToStringView(), row->value().ToStringView()); !done)
      return done;
  // A damaged block ends an iteration as the last row does; only the status tells.
  if (!row->status().ok()) return std::unexpected(damaged(family_name, row->status().ToString()));
  return {};
}

Result<std::string> RocksdbDatabase::meta(std::string_view key, const rocksdb::Snapshot* at) {
  std::string value;
  rocksdb::ReadOptions options;
  options.snapshot = at;
  const rocksdb::Status status = db_->Get(options, family(kMeta), slice(key), &value);
  if (status.IsNotFound()) return std::string();
  if (!status.ok()) return std::unexpected(damaged(kMeta, status.ToString()));
  return value;
}

Status RocksdbDatabase::compact() {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    const rocksdb::Status status = db_->CompactRange(options, handle, nullptr, nullptr);
    if (!status.ok()) return std::unexpected(open_error(path_, kind_, status));
  }
  return {};
}

Status RocksdbDatabase::flush() {
  const rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), handles_);
  if (!status.ok()) return std::unexpected(open_error(path_, kind_, status));
  return {};
}

Status RocksdbDatabase::verify_tables() {
  const rocksdb::Status status = db_->VerifyChecksum();
  if (!status.ok()) return std::unexpected(open_error(path_, kind_, status));
  return {};
}

Status RocksdbDatabase::checkpoint(const std::string& path) {
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  if (status.ok()) return {};
  return failed(status.IsInvalidArgument() ? Code::kRejected : Code::kUnavailable,
                path + ": the copy can't be made: " + status.ToString());
}

std::uint64_t RocksdbDatabase::property(std::string_view name) const {
  std::uint64_t sum = 0;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    std::uint64_t value = 0;
    if (db_->GetIntProperty(handle, slice(name), &value)) sum += value;
  }
  return sum;
}

Error RocksdbDatabase::damaged(std::string_view family_name, std::string_view text) const {
  return {Code::kCorrupt, path_ + ", family '" + std::string(family_name) + "': is damaged: " +
                              std::string(text) + "; " + std::string(kind_.remedy)};
}

Error RocksdbDatabase::bad_row(std::string_view family_name, const Error& error) const {
  if (error.code != Code::kUnsupported) return damaged(family_name, error.text);
  return {Code::kUnsupported, path_ + ", family '" + std::string(family_name) + "': " + error.text +
                                  "; use the Waggle that wrote it or a later one"};
}

}  // namespace waggle
