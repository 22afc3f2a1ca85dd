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
         name == std::string(StoreDirectory::kMarker) + ".new" ||
         name == "lost+found";  // of a file system's own root
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kForeignNamed; ++i)
    text += (i == 0 ? "'" : ", '") + names[i] + "'";
  return names.size() > kForeignNamed ? text + ", ..." : text;
}

std::string holder(int lock) {
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
  (void)!ftruncate(lock_, 0);
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

Result<StoreDirectory::Found> StoreDirectory::look() const {
  std::vector<std::string> foreign;
  bool database = false;
  bool marker = false;
  std::error_code error;
  fs::directory_iterator entry(path_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    database |= name == kDatabase;
    marker |= name == kMarker;
    if (!is_ours(name)) foreign.push_back(name);
  }
  if (error) return failed(Code::kRejected, system_text(path_, "can't be listed", error.value()));
  if (database) return Found::kExisting;
  if (!foreign.empty()) {
    std::sort(foreign.begin(), foreign.end());
    return failed(Code::kRejected, path_ + ": holds files that are not a store's (" +
                                       joined(foreign) + "); name an empty or a new directory");
  }
  // Making a store writes HEAD last, between finishing `db.new` and renaming it.
  if (marker && !fs::exists(file(kUnfinished)))
    return failed(Code::kCorrupt, file(kDatabase) + ": is missing, though " + file(kMarker) +
                                      " shows that a store was here; restore a backup, or empty "
                                      "the directory to begin with nothing");
  return Found::kNew;
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
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    Error refused{Code::kUnavailable, error == EWOULDBLOCK
                                          ? path_ + ": is in use by " + holder(lock_) +
                                                "; stop it, or name another directory"
                                          : system_text(name, "can't be locked", error)};
    ::close(lock_);
    lock_ = -1;
    return std::unexpected(std::move(refused));
  }
  // Only for the text above, so a full disk doesn't matter.
  const std::string pid = std::to_string(getpid()) + "\n";
  (void)!ftruncate(lock_, 0);
  (void)!pwrite(lock_, pid.data(), pid.size(), 0);
  return {};
}

Status StoreDirectory::finish_making() const {
  if (rename(file(kUnfinished).c_str(), file(kDatabase).c_str()) != 0)
    return failed(Code::kUnavailable,
                  system_text(file(kUnfinished), "can't be renamed to 'db'", errno));
  return sync_directory(path_);
}

}  // namespace waggle
