#pragma once

// Real agents of a real coordinator: the coordinator is CoordinatorRuntime in its own process, as
// `waggle serve` runs it, the agents are AgentRuntimes that share one loop and thread of this one.
// What is timed goes on from the loop's thread, as in an application that answers a change with the
// next command, so no hand-over between our own threads is in a figure.

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/message.h"
#include "bench/process.h"
#include "bench/summary.h"
#include "include/lib/agent_runtime.h"

namespace waggle::bench {

// The hidden role: a coordinator until standard input ends. Says one line: endpoint, then the
// number of keys that it recovered. `data` empty: in memory. `limit`: of messages and of writes a
// second of an agent; none: the default ones.
int serve_waggle(const std::string& data, std::optional<std::uint64_t> limit = {});

class Coordinator {
 public:
  explicit Coordinator(const std::string& data, std::optional<std::uint64_t> limit = {});
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  void stop() { child_.stop(); }

 private:
  Child child_;
  std::string endpoint_;
};

inline constexpr const char* kSwarmName = "bench";

class RealSwarm {
 public:
  // Waits until all are attached and hold the state. Throws when that takes too long.
  RealSwarm(const std::string& endpoint, std::size_t agents, Role role = Role::kMember);
  ~RealSwarm();
  RealSwarm(const RealSwarm&) = delete;
  RealSwarm& operator=(const RealSwarm&) = delete;

  // One synchronisation of one key after the other, asked for by the first agent. `conflict`:
  // before each, every agent offers a value of its own. Microseconds from the command until the
  // caller has its report and every agent what was published.
  [[nodiscard]] Samples rounds(std::size_t count, bool conflict);

  // One write after the other by the first agent.
  struct Writes {
    Samples acknowledged;  // until the writer was told
    Samples first;         // until the first agent has it in its committed state
    Samples last;
  };
  [[nodiscard]] Writes writes(std::size_t count);

  // Changes that all agents together were told of, and those of the agent that has the fewest.
  struct Told {
    std::uint64_t all = 0;
    std::uint64_t fewest = 0;
  };
  [[nodiscard]] Told told();
  // The report of the newest round.
  [[nodiscard]] const SyncReport& report() const { return report_; }

 private:
  enum class Doing { kNothing, kOffering, kRound, kWrite };
  void deliver(std::size_t agent, const Delivery& delivery);
  void begin();
  void ask();
  void check_end();
  void end(const std::string& failure);
  void wait(double seconds, const std::string& what);

  std::shared_ptr<AgentLoop> loop_;
  std::vector<std::unique_ptr<AgentRuntime>> agents_;

  // Of the loop's thread, or of the caller while nothing is under way.
  Doing doing_ = Doing::kNothing;
  bool conflict_ = false;
  std::size_t left_ = 0;
  std::uint64_t number_ = 0;  // of values
  double begun_ = 0;
  double acknowledged_at_ = 0;
  double first_at_ = 0;
  double last_at_ = 0;
  double reported_at_ = 0;
  std::size_t offered_ = 0;
  std::size_t updated_ = 0;
  std::size_t settled_ = 0;
  std::vector<bool> attached_;
  std::vector<bool> caught_up_;
  std::vector<std::uint64_t> changes_;
  std::size_t ready_ = 0;
  Samples samples_;
  Writes writes_;
  SyncReport report_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool finished_ = false;  // guarded by mutex_
  std::string failure_;
};

}  // namespace waggle::bench
