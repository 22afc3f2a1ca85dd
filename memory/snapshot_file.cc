#include "memory/snapshot_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "memory/store_directory.h"
#include "memory/store_format.h"

namespace waggle {
namespace {

// An errno as what the caller should do.
Code code_of(int error) {
  return error == ENOSPC || error == EDQUOT || error == EIO ? Code::kUnavailable : Code::kRejected;
}

Status file_error(const std::string& file, std::string_view text, int error) {
  return failed(code_of(error), system_text(file, text, error));
}

std::string directory_of(const std::string& file) {
  const std::string parent = std::filesystem::path(file).parent_path();
  return parent.empty() ? "." : parent;
}

bool same_file(int fd, const std::string& file) {
  struct stat open{};
  struct stat named{};
  return fstat(fd, &open) == 0 && stat(file.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

}  // namespace

// ---- writing -----------------------------------------------------------------------------------

SnapshotFile::~SnapshotFile() {
  if (fd_ < 0) return;
  (void)unlink(part_.c_str());
  ::close(fd_);
}

Status SnapshotFile::open(const std::string& file, bool replace) {
  WAGGLE_CHECK(fd_ < 0, file);
  file_ = file;
  part_ = file + ".part";
  replace_ = replace;
  struct stat info{};
  if (stat(file.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) return failed(Code::kRejected, file + ": is no file");
    if (!replace)
      return failed(Code::kRejected, file +
                                         ": is there already; name another file, or replace it "
                                         "with --force");
  }
  return take_part();
}

// One process writes it at a time, by a lock. The one before may have renamed it between our
// opening and locking it: then the open file is its finished snapshot and not to be touched.
Status SnapshotFile::take_part() {
  while (true) {
    const int fd = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return file_error(part_, "can't be written", errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd);
      return failed(Code::kUnavailable, part_ + ": another process writes this snapshot");
    }
    if (!same_file(fd, part_)) {
      ::close(fd);
      continue;
    }
    fd_ = fd;
    if (ftruncate(fd_, 0) != 0) return file_error(part_, "can't be written", errno);
    return {};
  }
}

Status SnapshotFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(part_, "can't be written", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status SnapshotFile::finish() {
  if (fsync(fd_) != 0) return file_error(part_, "can't be synced", errno);
  int error = 0;
  if (replace_) {
    error = rename(part_.c_str(), file_.c_str()) == 0 ? 0 : errno;
  } else {
    error = renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, file_.c_str(), RENAME_NOREPLACE) == 0
                ? 0
                : errno;
    // Not every file system can; then the look at the beginning has to do.
    if (error == EINVAL || error == ENOSYS)
      error = rename(part_.c_str(), file_.c_str()) == 0 ? 0 : errno;
  }
  if (error != 0) return file_error(file_, "the snapshot can't be given its name", error);
  ::close(fd_);
  fd_ = -1;
  return sync_directory(directory_of(file_));
}

// ---- reading -----------------------------------------------------------------------------------

SnapshotInput::~SnapshotInput() {
  if (fd_ >= 0) ::close(fd_);
}

Status SnapshotInput::open(const std::string& file) {
  WAGGLE_CHECK(fd_ < 0, file);
  file_ = file;
  fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0 && errno == ENOENT) return failed(Code::kNotFound, file + ": there is no such file");
  if (fd_ < 0) return file_error(file, "can't be read", errno);
  struct stat info{};
  if (fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode))
    return failed(Code::kRejected, file + ": is a directory, expected a snapshot's file");
  return {};
}

SnapshotSource SnapshotInput::source() {
  return [this](char* bytes, std::size_t size) -> Result<std::size_t> {
    while (true) {
      const ssize_t count = ::read(fd_, bytes, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR)
        return failed(Code::kCorrupt, system_text(file_, "can't be read", errno) + "; " +
                                          std::string(kSnapshotRemedy));
    }
  };
}

Status SnapshotInput::rewind() {
  if (lseek(fd_, 0, SEEK_SET) == 0) return {};
  return file_error(file_, "can't be read twice; copy it into a file", errno);
}

// ---- checking ----------------------------------------------------------------------------------

Status check_store_format(const std::string& name, std::uint64_t format) {
  if (format >= kOldestStoreFormat && format <= kStoreFormat) return {};
  return failed(Code::kUnsupported,
                fmt::format("{}: holds a store of the format {}, this Waggle knows the format {}; "
                            "use the Waggle that made it or a later one",
                            name, format, kStoreFormat));
}

namespace {

// The head was written from the same rows, so it says the same.
Status check_head(const SnapshotHead& head, const RowAudit& audit) {
  if (head.epoch != audit.store().epoch) return failed(Code::kCorrupt, "its epoch");
  std::size_t known = 0;
  for (const SnapshotSwarm& swarm : head.swarms) {
    const auto found = audit.swarms().find(swarm.swarm);
    if (found == audit.swarms().end() ||
        swarm != SnapshotSwarm{swarm.swarm, found->second.row.head, found->second.row.floor,
                               found->second.row.digest})
      return failed(Code::kCorrupt, "swarm '" + swarm.swarm.value() + "'");
    ++known;
  }
  if (known != audit.swarms().size()) return failed(Code::kCorrupt, "the number of its swarms");
  return {};
}

}  // namespace

Result<CheckedSnapshot> check_snapshot(const std::string& name, const SnapshotSource& source) {
  SnapshotReader reader(name, source);
  const Result<SnapshotHead> head = reader.begin();
  if (!head) return std::unexpected(head.error());
  if (Status known = check_store_format(name, head->store_format); !known)
    return std::unexpected(known.error());
  CheckedSnapshot checked;
  const auto visit = [&](auto family, auto key, auto value) {
    return checked.audit.add(family, key, value);
  };
  Result<bool> more = true;
  while (more && *more) more = reader.next(visit);
  if (!more) return std::unexpected(more.error());
  if (const std::vector<Error> wrong = checked.audit.finish(); !wrong.empty())
    return failed(Code::kCorrupt,
                  fmt::format("{}: {}; {}", name, wrong.front().text, kSnapshotRemedy));
  if (Status same = check_head(*head, checked.audit); !same)
    return failed(Code::kCorrupt, fmt::format("{}: its head and its rows differ in {}; {}", name,
                                              same.error().text, kSnapshotRemedy));
  checked.summary = reader.summary();
  return checked;
}

Result<CheckedSnapshot> check_snapshot(const std::string& file) {
  SnapshotInput input;
  if (Status opened = input.open(file); !opened) return std::unexpected(opened.error());
  return check_snapshot(file, input.source());
}

}  // namespace waggle
