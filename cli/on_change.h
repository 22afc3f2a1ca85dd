#pragma once

// `--on-change CMD` and `--on-proposal CMD`: runs a command for each change, one at a time and in order, on a thread of its
// own, so that a slow command holds up nothing. The change is JSON on its standard input (a file in
// memory, so a command that never reads it does no harm); its standard output goes to our standard
// error, since ours carries data, and of a proposal it is the answer.
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
#include <string_view>
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
  static constexpr std::size_t kAnswerBytes = 4'096;  // what is read of an answer
  enum class Of : std::uint8_t { kChange, kProposal };

  // `environment` is added to that of this process for each run.
  OnChange(std::string command, Environment environment, std::function<void()> wake,
           Of of = Of::kChange);
  ~OnChange();
  OnChange(const OnChange&) = delete;
  OnChange& operator=(const OnChange&) = delete;

  void add(std::string key, std::uint64_t revision, const Json& change);
  // What is worth telling since the last call: runs that failed, changes that were dropped.
  [[nodiscard]] std::vector<Json> take_reports();
  // What the runs that went well printed since the last call, by key. Only of proposals.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_answers();
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
  pid_t spawn(const Waiting& change, int answer);
  [[nodiscard]] std::string event(std::string_view what) const;
  void report(Json event);

  const std::string command_;
  const Environment environment_;
  const std::function<void()> wake_;
  const Of of_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<Waiting> waiting_;
  std::vector<Json> reports_;
  std::vector<std::pair<std::string, std::string>> answers_;
  std::uint64_t dropped_ = 0;  // since the last report
  pid_t child_ = -1;           // running, not yet reaped
  bool busy_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace waggle::cli
