#pragma once

// `--on-change CMD`: runs a command for each change, one at a time and in order, on a thread of its
// own, so that a slow command holds up nothing. The change is JSON on its standard input (a file in
// memory, so a command that never reads it does no harm); its standard output goes to our standard
// error, since ours carries data.
//
// Bound: beyond kQueueMax waiting changes the oldest is dropped, which is reported. The newest
// state of every key is thus always told.
//
// Thread safety: one thread uses it; `wake` is called from its own thread.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "cli/child.h"
#include "cli/json.h"

namespace waggle::cli {

class OnChange {
 public:
  static constexpr std::size_t kQueueMax = 4'096;

  // `environment` is added to that of this process for each run.
  OnChange(std::string command, Environment environment, std::function<void()> wake);
  ~OnChange();
  OnChange(const OnChange&) = delete;
  OnChange& operator=(const OnChange&) = delete;

  void add(std::string key, std::uint64_t revision, const Json& change);
  // What is worth telling since the last call: runs that failed, changes that were dropped.
  [[nodiscard]] std::vector<Json> take_reports();
  // Nothing waits and nothing runs.
  [[nodiscard]] bool idle();
  // Ends a running command (TERM, a second later KILL) and gives up what waits. Gives its number.
  std::size_t stop();

 private:
  struct Waiting {
    std::string key;
    std::uint64_t revision = 0;
    std::string input;
  };
  void work();
  void run(const Waiting& change);
  // Starts the command. -1: could not be.
  pid_t spawn(const Waiting& change);
  void report(Json event);

  const std::string command_;
  const Environment environment_;
  const std::function<void()> wake_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<Waiting> waiting_;
  std::vector<Json> reports_;
  std::uint64_t dropped_ = 0;  // since the last report
  pid_t child_ = -1;           // running, not yet reaped
  bool busy_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace waggle::cli
