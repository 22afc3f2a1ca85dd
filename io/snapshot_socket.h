#pragma once

// How another process of the same machine gets a snapshot of a running coordinator: through a
// socket file in the store's directory, which only the coordinator's own user (and root) may open.
// Nothing of it is reached over the network, and the file that is written is the caller's, with the
// caller's rights.
//
//   caller                         coordinator
//   "snapshot 1\n"        -->      (a thread of its own; one caller at a time, others wait)
//                         <--      length(4) bytes, again and again
//                         <--      0(4) code(1) length(4) text: the end, and whether all of it came
//
// The bytes are those of a snapshot; nothing here knows what is in them. The loop and the commits
// of the coordinator don't wait for a caller; one that takes nothing for kSnapshotPatience is cut
// off, since the store keeps what it overwrites for as long as it is read.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/status.h"
#include "io/wake_fd.h"

namespace waggle {

inline constexpr std::chrono::seconds kSnapshotPatience{30};

using ByteSink = std::function<Status(std::string_view bytes)>;

class SnapshotSocket {
 public:
  // Writes one snapshot. Called on a thread of the socket's own.
  using Make = std::function<Status(const ByteSink& sink)>;

  // A socket that an earlier process left is replaced. REQUIRES: the caller holds the lock of the
  // directory. Errors: kUnavailable.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotSocket>> open(const std::string& directory,
                                                                    std::string_view name,
                                                                    Make make);
  // Cuts off the snapshot that is on its way and waits for the end of Make.
  ~SnapshotSocket();

  SnapshotSocket(const SnapshotSocket&) = delete;
  SnapshotSocket& operator=(const SnapshotSocket&) = delete;

 private:
  SnapshotSocket(std::string file, Make make) : file_(std::move(file)), make_(std::move(make)) {}
  void run();
  void serve(int caller);

  const std::string file_;
  const Make make_;
  int listener_ = -1;
  WakeFd stop_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  int caller_ = -1;  // guarded by mutex_; -1: none
  std::thread thread_;
};

// Takes a snapshot of the coordinator that has the directory open. Errors: kUnavailable (nobody
// answers there, or it ended meanwhile), kTimeout, kDenied (another user's), what its Make or the
// sink gave.
[[nodiscard]] Status fetch_snapshot(const std::string& directory, std::string_view name,
                                    const ByteSink& sink);

}  // namespace waggle
