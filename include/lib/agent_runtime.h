#pragma once

// A whole agent: store, core, sockets, on a loop that many agents of a process may share. The
// program `waggle agent run`, `waggle tail` and the public SwarmAgent are faces of it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/agent.h"
#include "base/event.h"
#include "base/ids.h"
#include "base/status.h"
#include "io/host.h"

namespace waggle {

// One ZeroMQ context and one thread for any number of agents.
class AgentLoop {
 public:
  AgentLoop();
  ~AgentLoop();  // REQUIRES: no AgentRuntime uses it any more
  AgentLoop(const AgentLoop&) = delete;
  AgentLoop& operator=(const AgentLoop&) = delete;

  // True on the loop's own thread, where a blocking call would wait for itself.
  [[nodiscard]] bool on_loop_thread() const;

  struct Parts;
  [[nodiscard]] Parts& parts() { return *parts_; }

 private:
  std::shared_ptr<Parts> parts_;  // shared with the thread, which may end last
};

struct AgentRuntimeOptions {
  std::string coordinator = "tcp://127.0.0.1:4600";
  // Files of this agent's secret key and of the coordinator's public key (io/keys.h); both or none.
  std::string key;
  std::string coordinator_key;
  bool sign = true;      // with a key: registers that it writes
  bool explain = false;  // say why a connection does not come about; with keys always
  SwarmId swarm;
  AgentId agent;
  Role role = Role::kMember;
  std::string data;  // outbox and replica on disk; empty: in memory
  bool start_from_head = false;
};

class AgentRuntime {
 public:
  // Deliveries come on the loop's thread, in revision order, and must not block. Errors: of
  // parse_dial(), of check_agent_id(), of open_rocksdb(). Never because no coordinator answers.
  [[nodiscard]] static Result<std::unique_ptr<AgentRuntime>> open(
      const AgentRuntimeOptions& options, std::shared_ptr<AgentLoop> loop, DeliverFn deliver);
  // Leaves the loop at once; what is in the outbox stays there. Use LeaveCommand before it to free
  // the id at the coordinator.
  ~AgentRuntime();

  AgentRuntime(const AgentRuntime&) = delete;
  AgentRuntime& operator=(const AgentRuntime&) = delete;

  // Thread-safe. False: too many wait.
  [[nodiscard]] bool post(Command command);
  // Ids for commands, unique in this process. Thread-safe.
  [[nodiscard]] RequestId next_request();
  // Runs on the loop's thread and waits for it; the core may be read there. REQUIRES: not on the
  // loop's thread already.
  void inspect(const std::function<void(const Agent&)>& look);
  // Why the agent stopped by itself (its store failed); kCommitted and no text while it runs.
  [[nodiscard]] Error stopped() const;

 private:
  struct Parts;
  explicit AgentRuntime(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
