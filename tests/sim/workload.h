#pragma once

// What applications ask of their agents: writes of every kind, conditional ones from what the view
// shows, groups, offers, synchronisations, reads. Drawn at random.
//
// One thread.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/event.h"
#include "base/prng.h"
#include "resolver/policy.h"
#include "tests/sim/checkers.h"
#include "tests/sim/plan.h"

namespace waggle::sim {

// `k/` keeps, `q/` needs a quorum, everything else is the default.
[[nodiscard]] Policies policies_of_the_world();

class Workload {
 public:
  Workload(Prng& random, const Plan& plan) : random_(random), plan_(plan) {}

  // Writes still lack their request and their id. An observer's are to be refused.
  [[nodiscard]] Command next(const Agent& agent, const AgentId& id, bool observes);
  [[nodiscard]] std::vector<Entry> client_entries();

 private:
  [[nodiscard]] WriteCommand write(const Agent& agent, const AgentId& id);
  [[nodiscard]] Key register_key();
  [[nodiscard]] std::string value();
  [[nodiscard]] std::vector<std::string> elements();

  Prng& random_;
  const Plan& plan_;
  std::uint64_t values_ = 0;
};

}  // namespace waggle::sim
