#pragma once

// The marker: the last synced heads of a coordinator's swarms, in a small file beside the database.
// It notices what a write-ahead log can't notice of itself: that its end is missing, or that the
// whole directory was put back from an older copy. A head that was given to agents must never be
// given out again for other content in the same epoch.
//
// The file is two slots, docs/storage.md has their bytes. A write goes to the *open* slot; once
// that slot was synced the other one becomes open, so one whole slot is always on disk:
//
//    publish() --> open slot --(a second later: fdatasync)--> closed; the other one is open
//         \--> while a sync runs: kept, written after it
//
// Safety: publish() is called only with heads whose batch was synced before, so the marker is never
// ahead of the store; it may lag by about a second after a power failure, by nothing after a crash
// of the process. publish() never waits for the disk: a thread of its own syncs.
//
// publish() and close() are for one thread; the syncing thread is the object's own.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/ids.h"
#include "base/message.h"
#include "base/status.h"

namespace waggle {

struct Heads {
  Epoch epoch;
  // The epoch must not go on: a rollback of it was accepted and no new one was begun yet.
  bool ended = false;
  std::map<SwarmId, Revision> heads;
  friend bool operator==(const Heads&, const Heads&) = default;
};

// The same for what a store recovered, with the epochs that each swarm went through.
struct RecoveredHeads {
  Epoch epoch;
  struct Swarm {
    Revision head;
    Lineage lineage;
  };
  std::map<SwarmId, Swarm> swarms;
};

// What of the marker the store no longer knows, as a text for people; empty: nothing is missing.
[[nodiscard]] std::string lost_since(const Heads& marker, const RecoveredHeads& recovered);
// The same of a marker's file. A missing one is a loss as well: nobody can tell what it would have
// said. That is how a copy of a database arrives, which must not go on in the old epoch. Error
// kRejected: can't be read.
[[nodiscard]] Result<std::string> lost_since(const std::string& file,
                                             const RecoveredHeads& recovered);

class HeadMarker {
 public:
  // Run before the marker's own sync, by its thread; false: leave the marker as it is.
  using SyncFirst = std::function<bool()>;

  HeadMarker() = default;
  ~HeadMarker();
  HeadMarker(const HeadMarker&) = delete;
  HeadMarker& operator=(const HeadMarker&) = delete;

  // Nothing: the file is missing, or no slot of it is whole. Error kRejected: can't be read.
  [[nodiscard]] static Result<std::optional<Heads>> read(const std::string& file);
  // Makes the file anew with these heads, durable on return.
  [[nodiscard]] static Status make(const std::string& file, const Heads& heads);

  // Opens the file for publish(). REQUIRES: read() gave heads.
  [[nodiscard]] Status open(const std::string& file, SyncFirst sync_first = {});
  void publish(const Heads& heads);
  // Syncs what was published and ends the thread.
  void close();

  // How often the thread synced. For statistics.
  [[nodiscard]] std::uint64_t syncs() const;
  // Why the marker stands still, or empty. A marker that stands still is behind, thus safe.
  [[nodiscard]] std::string failure() const;

 private:
  void run();
  void sync(std::unique_lock<std::mutex>& lock);
  void write_open_slot();  // REQUIRES: the mutex is held, no sync runs

  int file_ = -1;
  SyncFirst sync_first_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Heads latest_;
  bool unwritten_ = false;  // latest_ waits for the end of a sync
  bool dirty_ = false;      // the open slot was written since its last sync
  bool syncing_ = false;
  bool stopping_ = false;
  int open_slot_ = 0;
  std::uint64_t counter_ = 0;  // of the newest written slot
  std::uint64_t syncs_ = 0;
  std::string failure_;
  std::thread thread_;
};

}  // namespace waggle
