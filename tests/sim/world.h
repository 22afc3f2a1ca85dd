#pragma once

// One coordinator, some agents, some clients, a network, and what goes wrong between them. The
// world owns all of them, starts and restarts their processes, and lets the checkers watch.
//
// A random world (random_world.h) drives it by a plan drawn from the seed, a scenario (scenario.h)
// by the lines of a file.
//
// One thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/prng.h"
#include "coordinator/coordinator.h"
#include "tests/sim/checkers.h"
#include "tests/sim/client.h"
#include "tests/sim/flooder.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"
#include "tests/sim/plan.h"
#include "tests/sim/saboteur.h"
#include "tests/sim/story.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

class World {
 public:
  World(const Plan& plan, bool told, std::unique_ptr<Saboteur> saboteur = nullptr);
  ~World();

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // ---- processes
  void start_coordinator();
  void stop_coordinator(bool power);
  // Remembers what the disk holds for certain; the newest few are kept.
  void back_up();
  // REQUIRES: the coordinator is down. False: there is no backup.
  bool restore();
  // Its store is empty. REQUIRES: the coordinator is down.
  void lose_coordinator_data();
  void start_agent(std::size_t n);
  void stop_agent(std::size_t n, bool power);
  void lose_data(std::size_t n);  // REQUIRES: it is down

  // ---- applications
  // Gives the command a request, and a write its id. 0: the agent is down.
  RequestId command(std::size_t n, Command command);
  void write_by_client(std::vector<Entry> entries);
  void compact(Revision floor);
  // Where the plan has a flooder.
  void flood(std::int64_t until) {
    if (flooder_) flooder_->begin(until);
  }

  // Cuts one way between the coordinator and an agent, or mends it. Who is deaf for so long that it
  // must have noticed is asked what it says.
  void cut(std::size_t n, Leg leg, bool is_cut);
  // Another process with the id of that agent says hello, once: with the token of its disk (a copy
  // of it that was started by mistake) or with one of its own (somebody else).
  void say_hello_as(std::size_t n, bool same_token);

  // ---- time
  void run_for(std::int64_t millis);
  // One deed. False: nothing was due.
  bool step(std::int64_t until) { return timeline_.step(until); }

  // ---- looking
  [[nodiscard]] std::int64_t now() const { return timeline_.now(); }
  [[nodiscard]] std::size_t agents() const { return agents_.size(); }
  [[nodiscard]] bool coordinator_runs() const { return coordinator_machine_->running(); }
  [[nodiscard]] bool agent_runs(std::size_t n) const { return agents_[n]->machine->running(); }
  [[nodiscard]] const Coordinator& coordinator() const { return *coordinator_; }
  [[nodiscard]] const SwarmState* swarm() const;
  [[nodiscard]] const Agent& agent(std::size_t n) const { return *agents_[n]->core; }
  [[nodiscard]] const AgentId& agent_id(std::size_t n) const { return agents_[n]->id; }
  [[nodiscard]] AgentSeen seen(std::size_t n) const;
  [[nodiscard]] Machine& coordinator_machine() { return *coordinator_machine_; }
  [[nodiscard]] Machine& machine(std::size_t n) { return *agents_[n]->machine; }
  [[nodiscard]] std::size_t peer(std::size_t n) const { return agents_[n]->peer; }
  [[nodiscard]] std::size_t client_peer() const { return writer_peer_; }
  [[nodiscard]] SimNetwork& network() { return *network_; }
  [[nodiscard]] Timeline& timeline() { return timeline_; }
  [[nodiscard]] Story& story() { return story_; }
  [[nodiscard]] Truth& truth() { return truth_; }
  [[nodiscard]] Prng& random() { return random_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] SimClient& client() { return *writer_; }
  // What the present process of an agent was told, once that is kept.
  void keep_what_is_heard() { keeps_heard_ = true; }
  [[nodiscard]] const std::vector<Delivery>& heard(std::size_t n) const {
    return agents_[n]->heard;
  }
  [[nodiscard]] const std::optional<MutationResult>& client_heard() const { return client_heard_; }

  // ---- the end
  void heal();
  // Empty: all is quiet and equal; else what is not yet.
  [[nodiscard]] std::string restless() const;
  // Runs the checks that need quiet.
  void check_end();

 private:
  struct AgentNode {
    AgentId id;
    std::size_t peer = 0;
    std::unique_ptr<Machine> machine;
    Agent* core = nullptr;  // owned by the machine's process
    std::uint64_t requests = 0;
    std::int64_t started_at = 0;
    std::int64_t deaf_since = -1;  // -1: it hears
    std::vector<Delivery> heard;
  };
  struct Backup {
    RowTable table;
    History history;
  };

  void send_of_coordinator(const Send& send);
  void send_of_agent(std::size_t n, const Send& send);
  void on_delivery(std::size_t n, const Delivery& delivery);
  void on_agent_turn(std::size_t n);
  void on_twin(const Event& event);
  // Its session was ended by another process of its id: somebody sees to it.
  void start_again_later(std::size_t n);
  void on_coordinator_batch(const Batch& batch);
  void count_choices(const Batch& batch, Revision head);
  [[nodiscard]] History empty_history();
  void given_up();
  void compare_with_truth();
  void check_ephemeral();

  Plan plan_;
  Prng random_;
  Timeline timeline_;
  Story story_;
  Truth truth_;
  std::unique_ptr<Saboteur> saboteur_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Machine> coordinator_machine_;
  Coordinator* coordinator_ = nullptr;  // owned by the machine's process
  bool new_epoch_due_ = false;          // restored, and the new epoch is not durable yet
  std::uint64_t coordinator_turns_ = 0;
  std::vector<Backup> backups_;
  std::vector<std::unique_ptr<AgentNode>> agents_;
  std::size_t writer_peer_ = 0;
  std::size_t twin_peer_ = 0;
  std::size_t compactor_peer_ = 0;
  std::unique_ptr<SimClient> writer_;
  std::unique_ptr<SimClient> compactor_;
  std::size_t flooder_peer_ = 0;
  std::unique_ptr<Flooder> flooder_;  // null: nobody floods
  std::optional<MutationResult> client_heard_;
  bool keeps_heard_ = false;
};

}  // namespace waggle::sim
