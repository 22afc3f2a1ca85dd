#include "memory/store_directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace waggle {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kForeignNamed = 3;

bool is_ours(const std::string& name) {
  return name == StoreDirectory::kLock || name == StoreDirectory::kMarker ||
         name == StoreDirectory::kDatabase || name == StoreDirectory::kUnfinished ||
         name == StoreDirectory::kRestoring || name == StoreDirectory::kSocket ||
         name == std::string(StoreDirectory::kMarker) + ".new" ||
         name == "lost+found";  // of a file system's own root
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kForeignNamed; ++i)
    text += (i == 0 ? "'" : ", '") + names[i] + "'";
  return names.size() > kForeignNamed ? text + ", ..." : text;
}

// Who wrote their pid into the lock file.
std::string name_in(int lock) {
  std::array<char, 32> text{};
  const ssize_t count = pread(lock, text.data(), text.size(), 0);
  std::string pid(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  pid.erase(std::find(pid.begin(), pid.end(), '\n'), pid.end());
  if (pid.empty()) return "another process";
  return pid == std::to_string(getpid()) ? "this process (pid " + pid + ")"
                                         : "the process with pid " + pid;
}

}  // namespace

std::string system_text(const std::string& path, std::string_view text, int error) {
  return path + ": " + std::string(text) + " (" + std::generic_category().message(error) + ")";
}

Status sync_directory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return failed(Code::kUnavailable, system_text(path, "can't be opened to sync it", errno));
  const int error = fsync(directory) == 0 ? 0 : errno;
  ::close(directory);
  if (error != 0) return failed(Code::kUnavailable, system_text(path, "can't be synced", error));
  return {};
}

StoreDirectory::~StoreDirectory() {
  if (lock_ < 0) return;
  // An empty file: nobody. Leaving the old pid would only mislead, so a failure doesn't matter.
  if (named_) (void)!ftruncate(lock_, 0);
  ::close(lock_);
}

std::string StoreDirectory::file(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

Result<StoreDirectory::Found> StoreDirectory::open(const std::string& path) {
  WAGGLE_CHECK(lock_ < 0, path);
  path_ = path;
  if (path_.empty()) return failed(Code::kRejected, "the path of a store must not be empty");
  if (Status made = make_directory(); !made) return std::unexpected(made.error());
  // Before the lock is made: it would be a file of ours among foreign ones.
  if (Result<Found> found = look(); !found) return found;
  if (Status locked = lock(); !locked) return std::unexpected(locked.error());
  // Again: another process may have made the store meanwhile.
  return look();
}

Status StoreDirectory::make_directory() const {
  struct stat info{};
  if (stat(path_.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return failed(Code::kRejected, path_ + ": is a file; a store needs a directory of its own");
  }
  if (errno != ENOENT)
    return failed(Code::kRejected, system_text(path_, "can't be used as a store", errno));
  if (mkdir(path_.c_str(), 0750) != 0 && errno != EEXIST) {
    if (errno == ENOENT)
      return failed(Code::kRejected, path_ +
                                         ": its parent directory does not exist; make it, or "
                                         "check that the disk is mounted");
    const Code code = errno == ENOSPC ? Code::kUnavailable : Code::kRejected;
    return failed(code, system_text(path_, "the directory can't be made", errno));
  }
  const std::string parent = fs::absolute(fs::path(path_) / ".").parent_path().parent_path();
  return sync_directory(parent);
}

Result<StoreDirectory::Contents> StoreDirectory::list() const {
  Contents found;
  std::error_code error;
  fs::directory_iterator entry(path_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    found.database |= name == kDatabase;
    found.marker |= name == kMarker;
    found.unfinished |= name == kUnfinished;
    found.restoring |= name == kRestoring;
    if (!is_ours(name)) found.foreign.push_back(name);
  }
  if (error) return failed(Code::kRejected, system_text(path_, "can't be listed", error.value()));
  std::sort(found.foreign.begin(), found.foreign.end());
  return found;
}

Error StoreDirectory::foreign_files(const Contents& found) const {
  return {Code::kRejected, path_ + ": holds files that are not a store's (" +
                               joined(found.foreign) + "); name an empty or a new directory"};
}

Result<StoreDirectory::Found> StoreDirectory::look() const {
  const Result<Contents> found = list();
  if (!found) return std::unexpected(found.error());
  if (found->database) return Found::kExisting;
  if (!found->foreign.empty()) return std::unexpected(foreign_files(*found));
  if (found->restoring)
    return failed(Code::kCorrupt, path_ +
                                      ": a restore of a snapshot was cut short here; run "
                                      "`waggle snapshot restore` again, or empty the "
                                      "directory to begin with nothing");
  // Making a store writes HEAD last, between finishing `db.new` and renaming it.
  if (found->marker && !found->unfinished)
    return failed(Code::kCorrupt, file(kDatabase) + ": is missing, though " + file(kMarker) +
                                      " shows that a store was here; restore a backup, or empty "
                                      "the directory to begin with nothing");
  return Found::kNew;
}

Status StoreDirectory::look_to_restore() const {
  const Result<Contents> found = list();
  if (!found) return std::unexpected(found.error());
  const bool cut_short = found->restoring || found->unfinished;
  if (found->database || (found->marker && !cut_short))
    return failed(Code::kRejected,
                  path_ +
                      ": holds a store, or a part of one; name an empty or a new directory, or "
                      "move this one away");
  if (!found->foreign.empty()) return std::unexpected(foreign_files(*found));
  return {};
}

Status StoreDirectory::open_to_restore(const std::string& path) {
  WAGGLE_CHECK(lock_ < 0, path);
  path_ = path;
  if (path_.empty()) return failed(Code::kRejected, "the path of a store must not be empty");
  if (Status made = make_directory(); !made) return made;
  if (Status empty = look_to_restore(); !empty) return empty;
  if (Status locked = lock(); !locked) return locked;
  if (Status empty = look_to_restore(); !empty) return empty;
  // `db.restore` goes last: as long as it is there, nobody takes the directory for a new one.
  for (const std::string& name : {std::string(kMarker), std::string(kMarker) + ".new",
                                  std::string(kUnfinished), std::string(kRestoring)}) {
    std::error_code error;
    fs::remove_all(file(name), error);
    if (error)
      return failed(Code::kUnavailable,
                    system_text(file(name), "can't be cleared away", error.value()));
  }
  return {};
}

Status StoreDirectory::open_to_read(const std::string& path) {
  WAGGLE_CHECK(lock_ < 0, path);
  path_ = path;
  struct stat info{};
  if (path_.empty() || stat(path_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return failed(Code::kNotFound, "'" + path_ + "': is no directory, so no store is there");
  // A copy may be without it; then nobody can hold it.
  lock_ = ::open(file(kLock).c_str(), O_RDONLY | O_CLOEXEC);
  if (lock_ < 0 && errno != ENOENT)
    return failed(Code::kRejected, system_text(file(kLock), "can't be read", errno));
  if (lock_ >= 0)
    if (Status held = hold(); !held) return held;
  const Result<Found> found = look();
  if (!found && found.error().code == Code::kRejected)
    return failed(Code::kNotFound, path_ + ": holds no store");
  if (!found) return std::unexpected(found.error());
  if (*found == Found::kNew) return failed(Code::kNotFound, path_ + ": holds no store");
  return {};
}

Status StoreDirectory::hold() {
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  const int error = errno;
  if (error == EWOULDBLOCK) holder_ = name_in(lock_);
  Error refused{Code::kUnavailable,
                error == EWOULDBLOCK
                    ? path_ + ": is in use by " + holder_ + "; stop it, or name another directory"
                    : system_text(file(kLock), "can't be locked", error)};
  ::close(lock_);
  lock_ = -1;
  return std::unexpected(std::move(refused));
}

Status StoreDirectory::lock() {
  const std::string name = file(kLock);
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock_ < 0) {
    const Code code = errno == ENOSPC ? Code::kUnavailable : Code::kRejected;
    return failed(code, system_text(name,
                                    "can't be written; a store needs a directory that it "
                                    "may write to",
                                    errno));
  }
  if (Status held = hold(); !held) return held;
  // Only for the text of a refusal, so a full disk doesn't matter.
  const std::string pid = std::to_string(getpid()) + "\n";
  (void)!ftruncate(lock_, 0);
  (void)!pwrite(lock_, pid.data(), pid.size(), 0);
  named_ = true;
  return {};
}

Status StoreDirectory::finish_making(std::string_view made) const {
  if (rename(file(made).c_str(), file(kDatabase).c_str()) != 0)
    return failed(Code::kUnavailable, system_text(file(made), "can't be renamed to 'db'", errno));
  return sync_directory(path_);
}

}  // namespace waggle
