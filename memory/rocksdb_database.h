#pragma once

// An open RocksDB database in the directory of a store: making it, checking what it is before it is
// used, settings, and RocksDB's statuses as errors for people. What the rows mean is not known here
// (rocksdb_rows.h).
//
// A resource; closes the database when it goes. Thread-safe as RocksDB is.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>

#include "base/status.h"
#include "memory/store_directory.h"

namespace waggle {

// Raised when an old Waggle must not touch the store any more: docs/storage.md says what changed.
// Older formats from the oldest on are read, and raised when the store is opened for writing.
inline constexpr std::uint64_t kStoreFormat = 2;
inline constexpr std::uint64_t kOldestStoreFormat = 1;

// What a database is for: the word in its meta family, and its families besides `meta`.
struct DatabaseKind {
  std::string_view name;
  std::vector<std::string> families;
  std::string_view remedy;  // what to do when it is damaged
};
[[nodiscard]] const DatabaseKind& coordinator_database();
[[nodiscard]] const DatabaseKind& agent_database();
[[nodiscard]] const DatabaseKind& provider_database();

struct DatabaseOptions {
  std::size_t write_buffer_bytes = 0;
  int open_files_max = 0;
};

class RocksdbDatabase {
 public:
  enum class Recovery {
    kStrict,        // refuses a damaged log
    kKeepReadable,  // keeps what stands before the damage
  };

  ~RocksdbDatabase();
  RocksdbDatabase(const RocksdbDatabase&) = delete;
  RocksdbDatabase& operator=(const RocksdbDatabase&) = delete;

  // Makes `db.new`, closed and durable.
  [[nodiscard]] static Status make(const StoreDirectory& directory, const DatabaseKind& kind,
                                   const DatabaseOptions& options);
  // Opens `db`; for reading only when the disk is full. Errors as open_rocksdb().
  [[nodiscard]] static Result<std::unique_ptr<RocksdbDatabase>> open(
      const StoreDirectory& directory, const DatabaseKind& kind, const DatabaseOptions& options,
      Recovery recovery);

  [[nodiscard]] rocksdb::DB& db() { return *db_; }
  // REQUIRES: `meta` or a family of the kind.
  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(std::string_view name) const;
  [[nodiscard]] bool read_only() const { return read_only_; }

  using Visit = std::function<Status(std::string_view key, std::string_view value)>;
  // Every row with begin <= key < end (empty: no end), in order, until `visit` fails.
  [[nodiscard]] Status scan(std::string_view family, std::string_view begin, std::string_view end,
                            const Visit& visit);
  // A row of `meta`, empty when there is none.
  [[nodiscard]] Result<std::string> meta(std::string_view key);
  [[nodiscard]] Status compact();
  [[nodiscard]] Status checkpoint(const std::string& path);
  // The sum over all families.
  [[nodiscard]] std::uint64_t property(std::string_view name) const;

  // kCorrupt, naming this database, with the way out.
  [[nodiscard]] Error damaged(std::string_view family, std::string_view text) const;

 private:
  RocksdbDatabase(std::string path, const DatabaseKind& kind)
      : path_(std::move(path)), kind_(kind) {}
  [[nodiscard]] rocksdb::Status open_database(const DatabaseOptions& options, Recovery recovery);
  [[nodiscard]] Status check_families() const;
  [[nodiscard]] Status check_meta();
  [[nodiscard]] Status raise_format();

  const std::string path_;
  const DatabaseKind& kind_;
  bool read_only_ = false;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*>
      handles_;  // owned, default first, then meta, then kind_
};

}  // namespace waggle
