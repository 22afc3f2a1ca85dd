#pragma once

// The coordinator's access log: who was refused, one JSON line each, only ever added to.
//
//   {"at":"2026-11-27T10:00:00.250Z","refused":true,"agent":"planner","key":"81f3...","from":
//    "10.0.0.7","swarm":"build","what":"write","on":"plan/a","why":"..."}
//
// Absent are the members that are not known. Past 16 MiB FILE becomes FILE.1, and so on to FILE.3;
// the oldest goes. Bound: at most 200 lines a second, so that who is refused can't fill the disk;
// what was left out is told in a line {"at":...,"left_out":N}.
//
// Thread-safe. A log that can't be written is said once, and again when it can.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/event.h"
#include "base/status.h"

namespace waggle::cli {

class AccessLog {
 public:
  struct Bounds {
    std::uint64_t file_bytes = std::uint64_t{16} << 20;
    int files = 4;
    std::uint64_t lines_a_second = 200;
  };
  // Errors: kRejected when the file can't be opened for writing.
  [[nodiscard]] static Result<std::unique_ptr<AccessLog>> open(const std::string& path,
                                                               const Bounds& bounds);
  [[nodiscard]] static Result<std::unique_ptr<AccessLog>> open(const std::string& path) {
    return open(path, Bounds{});
  }
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void add(const AccessNote& note);

 private:
  AccessLog(std::string path, const Bounds& bounds, int fd, std::uint64_t bytes)
      : path_(std::move(path)), bounds_(bounds), fd_(fd), bytes_(bytes) {}
  void write_line(std::string_view line);
  void rotate();

  const std::string path_;
  const Bounds bounds_;
  std::mutex mutex_;  // guards what follows
  int fd_;
  std::uint64_t bytes_;
  std::int64_t second_ = 0;
  std::uint64_t in_second_ = 0;
  std::uint64_t left_out_ = 0;
  bool broken_ = false;
};

}  // namespace waggle::cli
