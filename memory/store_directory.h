#pragma once

// The directory of a store: who has it, and what state it is in. Nothing is written into a
// directory that holds somebody else's files.
//
//   absent, empty ......... kNew: the store is made as `db.new` and renamed to `db` when it is
//   `db.new` only ......... kNew: its making was cut short, it is made anew
//   `db` .................. kExisting
//   anything else ......... refused
//
// A resource: the directory is locked (flock on LOCK.waggle) as long as the object lives. The lock
// ends with its process, however that ends. It does not reach other machines: two hosts must not
// share a store over a network file system.

#include <string>
#include <string_view>

#include "base/status.h"

namespace waggle {

class StoreDirectory {
 public:
  enum class Found { kNew, kExisting };

  static constexpr std::string_view kLock = "LOCK.waggle";
  static constexpr std::string_view kMarker = "HEAD";
  static constexpr std::string_view kDatabase = "db";
  static constexpr std::string_view kUnfinished = "db.new";

  StoreDirectory() = default;
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  // Locks `path`, and makes it when only the last part of it is missing. Errors: kRejected,
  // kUnavailable (locked; the holder's pid is named), kCorrupt (HEAD without db).
  // REQUIRES: called once.
  [[nodiscard]] Result<Found> open(const std::string& path);
  // Makes `db.new` the database, durably.
  [[nodiscard]] Status finish_making() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const;

 private:
  [[nodiscard]] Status make_directory() const;
  [[nodiscard]] Result<Found> look() const;
  [[nodiscard]] Status lock();

  std::string path_;
  int lock_ = -1;
};

// Makes the entries of a directory durable.
[[nodiscard]] Status sync_directory(const std::string& path);
// "PATH: TEXT (strerror)"
[[nodiscard]] std::string system_text(const std::string& path, std::string_view text, int error);

}  // namespace waggle
