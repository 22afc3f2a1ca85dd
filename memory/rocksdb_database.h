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
#include "memory/store_format.h"

namespace waggle {

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
  enum class Access {
    kWrite,  // for reading only when the disk is full
    kRead,   // changes no byte of the directory, and raises no format
  };

  ~RocksdbDatabase();
  RocksdbDatabase(const RocksdbDatabase&) = delete;
  RocksdbDatabase& operator=(const RocksdbDatabase&) = delete;

  // Makes one at `path`, in the place of what is there; closed and durable.
  [[nodiscard]] static Status make(const std::string& path, const DatabaseKind& kind,
                                   const DatabaseOptions& options);
  // Errors as open_rocksdb().
  [[nodiscard]] static Result<std::unique_ptr<RocksdbDatabase>> open(
      const std::string& path, const DatabaseKind& kind, const DatabaseOptions& options,
      Recovery recovery, Access access = Access::kWrite);
  // Which of the kinds the database at `path` is, by its families. Null: of none.
  [[nodiscard]] static Result<const DatabaseKind*> kind_of(const std::string& path);

  [[nodiscard]] rocksdb::DB& db() { return *db_; }
  // REQUIRES: `meta` or a family of the kind.
  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(std::string_view name) const;
  [[nodiscard]] bool read_only() const { return read_only_; }

  using Visit = std::function<Status(std::string_view key, std::string_view value)>;
  // Every row with begin <= key < end (empty: no end), in order, until `visit` fails. `at`: as of
  // that moment, null: of now.
  [[nodiscard]] Status scan(std::string_view family, std::string_view begin, std::string_view end,
                            const Visit& visit, const rocksdb::Snapshot* at = nullptr);
  // A row of `meta`, empty when there is none.
  [[nodiscard]] Result<std::string> meta(std::string_view key,
                                         const rocksdb::Snapshot* at = nullptr);
  [[nodiscard]] Status compact();
  // Everything that was written is in synced files, also what was written without a log.
  [[nodiscard]] Status flush();
  // Reads every block of every table and checks its checksum.
  [[nodiscard]] Status verify_tables();
  [[nodiscard]] Status checkpoint(const std::string& path);
  // The sum over all families.
  [[nodiscard]] std::uint64_t property(std::string_view name) const;

  // kCorrupt, naming this database, with the way out.
  [[nodiscard]] Error damaged(std::string_view family, std::string_view text) const;
  // What stored_rows.h says of a row, with the place and the way out.
  [[nodiscard]] Error bad_row(std::string_view family, const Error& error) const;

 private:
  RocksdbDatabase(std::string path, const DatabaseKind& kind)
      : path_(std::move(path)), kind_(kind) {}
  [[nodiscard]] rocksdb::Status open_database(const DatabaseOptions& options, Recovery recovery,
                                              Access access);
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
