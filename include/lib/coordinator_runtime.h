#pragma once

// A whole coordinator: store, core, sockets and loop put together. The program `waggle serve` and
// the public StateSynchronizer are two faces of it.
//
//   open()   store (RocksDB, or in memory without a data directory) -> recovered state -> core;
//            listens; nothing is answered yet
//   run()    the loop, on the calling thread, until stop() or until the host stopped by itself
//   stop()   from any thread or a signal's watcher: takes no more, drains, persists, closes
//
// While it is open, `waggle snapshot save` gets snapshots of its store, see io/snapshot_socket.h.
//
// Once a second the free space of the data directory is looked at: below `disk_reserve_bytes`
// writes are refused with `unavailable`, reads go on, and writes resume when space returns.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "coordinator/coordinator.h"
#include "io/local_peers.h"

namespace waggle {

struct CoordinatorRuntimeOptions {
  std::string listen = "tcp://127.0.0.1:4600";
  bool allow_remote = false;  // without keys too
  // With a secret key (io/keys.h) every connection is encrypted, and only keys of the file
  // `authorized_keys` are let in; it may be absent at first. Empty: no keys.
  std::string key;
  std::string authorized_keys;
  std::uint16_t channel_port_low = 0;  // of the broadcast sockets; 0: any free port
  std::uint16_t channel_port_high = 0;
  std::string data;  // the store's directory; empty: in memory
  bool sync = true;  // false: acknowledged writes may be lost by a power failure
  bool accept_rollback = false;
  std::uint64_t disk_reserve_bytes = std::uint64_t{256} << 20;
  std::size_t peer_queue_bytes = limits::kPeerQueueBytes;  // unsent, for one slow peer
  // Called on the loop's thread with what a person should know; must not block.
  std::function<void(const std::string&)> on_alarm;
  // Called with who was not let in; on any thread, must not block.
  std::function<void(const AccessNote&)> on_access;
  CoordinatorOptions core;  // seed, level, new_epoch and version are set by open()
};

class CoordinatorRuntime {
 public:
  // Errors: of parse_listen(), of the keys' files, of open_rocksdb(), or the address is in use
  // (kUnavailable).
  [[nodiscard]] static Result<std::unique_ptr<CoordinatorRuntime>> open(
      const CoordinatorRuntimeOptions& options);
  ~CoordinatorRuntime();

  CoordinatorRuntime(const CoordinatorRuntime&) = delete;
  CoordinatorRuntime& operator=(const CoordinatorRuntime&) = delete;

  [[nodiscard]] std::string endpoint() const;
  // Of the coordinator's public key, and how many keys are let in; empty and 0 without keys.
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] std::size_t authorized() const;
  [[nodiscard]] Level level() const;
  [[nodiscard]] Epoch epoch() const;
  // As recovered: for the ready line.
  struct SwarmHead {
    SwarmId swarm;
    Revision head;
    std::uint64_t keys = 0;
  };
  [[nodiscard]] std::vector<SwarmHead> recovered() const;
  // What people should know about how it was opened (rollback accepted, disk full); may be empty.
  [[nodiscard]] std::string notice() const;

  // Why it ended, when not by stop().
  [[nodiscard]] Status run();
  void stop();
  // Reads the authorized keys again: whose key is gone is told, ended and heard no more.
  // Thread-safe. Errors: those of the file; all stays as it was then.
  [[nodiscard]] Status reload();
  // From now on these rules hold; null: none. Everybody joins again. Thread-safe. Errors: the
  // coordinator does not run.
  [[nodiscard]] Status set_access(AccessRulesPtr rules);
  // A peer of this process, for RequestClient. Thread-safe.
  [[nodiscard]] std::unique_ptr<LocalPort> local_port();
  // Compacts the store's files, on the loop's thread. For `waggle compact` at an embedder.
  [[nodiscard]] Status compact_files();

 private:
  struct Parts;
  explicit CoordinatorRuntime(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
