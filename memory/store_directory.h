#pragma once

// The directory of a store: who has it, and what state it is in. Nothing is written into a
// directory that holds somebody else's files.
//
//   absent, empty ......... kNew: the store is made as `db.new` and renamed to `db` when it is
//   `db.new` only ......... kNew: its making was cut short, it is made anew
//   `db` .................. kExisting
//   `db.restore` .......... refused: a restore was cut short, and an empty store in the place of
//                           what was to be restored is the last thing that anybody wants
//   anything else ......... refused
//
// A resource: the directory is locked (flock on LOCK.waggle) as long as the object lives. The lock
// ends with its process, however that ends. It does not reach other machines: two hosts must not
// share a store over a network file system.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace waggle {

class StoreDirectory {
 public:
  enum class Found { kNew, kExisting };

  static constexpr std::string_view kLock = "LOCK.waggle";
  static constexpr std::string_view kMarker = "HEAD";
  static constexpr std::string_view kDatabase = "db";
  static constexpr std::string_view kUnfinished = "db.new";
  static constexpr std::string_view kRestoring = "db.restore";
  static constexpr std::string_view kSocket = "snapshot.sock";

  StoreDirectory() = default;
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  // Locks `path`, and makes it when only the last part of it is missing. Errors: kRejected,
  // kUnavailable (locked; the holder's pid is named), kCorrupt (HEAD without db).
  // REQUIRES: called once.
  [[nodiscard]] Result<Found> open(const std::string& path);
  // The same to restore a snapshot: what an earlier restore left is cleared away. Errors: of
  // open(), and kRejected where anything but that is there. REQUIRES: as open().
  [[nodiscard]] Status open_to_restore(const std::string& path);
  // To read a store and change nothing, not even who holds it. Errors: kNotFound (no store is
  // there), kUnavailable (locked, see holder()), kCorrupt. REQUIRES: as open().
  [[nodiscard]] Status open_to_read(const std::string& path);
  // After kUnavailable: who holds it, for people. Empty: nobody.
  [[nodiscard]] const std::string& holder() const { return holder_; }
  // Makes `db.new`, or what is named so, the database, durably.
  [[nodiscard]] Status finish_making(std::string_view made = kUnfinished) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const;

 private:
  // What lies there.
  struct Contents {
    bool database = false;
    bool marker = false;
    bool unfinished = false;
    bool restoring = false;
    std::vector<std::string> foreign;  // sorted
  };
  [[nodiscard]] Status make_directory() const;
  [[nodiscard]] Result<Contents> list() const;
  [[nodiscard]] Result<Found> look() const;
  [[nodiscard]] Status look_to_restore() const;
  [[nodiscard]] Error foreign_files(const Contents& found) const;
  [[nodiscard]] Status lock();
  [[nodiscard]] Status hold();

  std::string path_;
  std::string holder_;
  int lock_ = -1;
  bool named_ = false;  // our pid is in the file
};

// Makes the entries of a directory durable.
[[nodiscard]] Status sync_directory(const std::string& path);
// "PATH: TEXT (strerror)"
[[nodiscard]] std::string system_text(const std::string& path, std::string_view text, int error);

}  // namespace waggle
