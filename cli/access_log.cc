#include "cli/access_log.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/durations.h"
#include "cli/json.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

int open_to_add(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path, const Bounds& bounds) {
  const int fd = open_to_add(path);
  struct stat about{};
  if (fd < 0 || fstat(fd, &about) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return failed(Code::kRejected, fmt::format("the access log '{}' can't be written: {}", path,
                                               std::strerror(error)));
  }
  return std::unique_ptr<AccessLog>(
      new AccessLog(path, bounds, fd, static_cast<std::uint64_t>(about.st_size)));
}

AccessLog::~AccessLog() {
  if (fd_ >= 0) close(fd_);
}

void AccessLog::add(const AccessNote& note) {
  const std::lock_guard lock(mutex_);
  const std::int64_t second = note.wall_millis / 1'000;
  if (second != std::exchange(second_, second)) {
    in_second_ = 0;
    if (left_out_ != 0) {
      Json line;
      line.set("at", wall_text(note.wall_millis)).set("left_out", std::exchange(left_out_, 0));
      write_line(line.dump());
    }
  }
  if (++in_second_ > bounds_.lines_a_second) {
    ++left_out_;
    return;
  }
  Json line;
  line.set("at", wall_text(note.wall_millis)).set("refused", note.refused);
  const auto set = [&](const char* name, const std::string& text) {
    if (!text.empty()) line.set(name, text);
  };
  set("agent", note.agent);
  set("key", note.key);
  set("from", note.from);
  set("swarm", note.swarm);
  set("what", note.what);
  set("on", note.on);
  set("why", note.why);
  write_line(line.dump());
}

void AccessLog::write_line(std::string_view line) {
  if (bytes_ > 0 && bytes_ + line.size() + 1 > bounds_.file_bytes) rotate();
  const std::string whole = fmt::format("{}\n", line);
  // In one call: lines of several writers never mix (O_APPEND).
  const ssize_t put = fd_ < 0 ? -1 : write(fd_, whole.data(), whole.size());
  const int error = errno;
  if (put > 0) bytes_ += static_cast<std::uint64_t>(put);
  const bool broken = put != static_cast<ssize_t>(whole.size());
  if (broken == std::exchange(broken_, broken)) return;
  say(broken ? fmt::format("WARNING: the access log '{}' can't be written: {}", path_,
                           std::strerror(error))
             : fmt::format("the access log '{}' is written again", path_));
}

void AccessLog::rotate() {
  for (int number = bounds_.files - 1; number > 0; --number) {
    const std::string older = fmt::format("{}.{}", path_, number);
    const std::string newer = number == 1 ? path_ : fmt::format("{}.{}", path_, number - 1);
    (void)rename(newer.c_str(), older.c_str());  // absent at first
  }
  const int fresh = open_to_add(path_);
  if (fresh < 0) return;  // goes on in the old one
  close(std::exchange(fd_, fresh));
  bytes_ = 0;
}

}  // namespace waggle::cli
