#pragma once

// What applications ask of their agents: writes of every kind, conditional ones from what the view
// shows, groups, offers, synchronisations, reads. Drawn at random.
//
// One thread.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/access.h"
#include "base/conflict.h"
#include "base/event.h"
#include "base/prng.h"
#include "resolver/policy.h"
#include "tests/sim/checkers.h"
#include "tests/sim/plan.h"

namespace waggle::sim {

// `k/` keeps, `q/` needs a quorum; `fww/`, `json/` (merges, else parks), `lines/` (merges, else the
// later one), `person/` (parks), `aged/` (parks for a while) and `near/` (the later one, else
// parks) are registers under the strategies, `brief/` lives for a while; `here/` and, for a
// while, `soon/` are ephemeral; everything else is the default.
[[nodiscard]] Policies policies_of_the_world();
// Everybody may everything, but for reading `#`, which is for the agents with an even number.
[[nodiscard]] AccessRulesPtr access_of_the_world();

class Workload {
 public:
  Workload(Prng& random, const Plan& plan) : random_(random), plan_(plan) {}

  // Writes still lack their request and their id. An observer's are to be refused.
  [[nodiscard]] Command next(const Agent& agent, const AgentId& id, bool observes);
  [[nodiscard]] std::vector<Entry> client_entries();
  [[nodiscard]] Entry put_on(const Agent& agent, const Key& key);
  // By whoever comes to it. REQUIRES: one waits.
  [[nodiscard]] Entry settlement(const std::vector<ParkedConflict>& waiting);

 private:
  // A register that all write, and the counter of which it is known what each write did.
  [[nodiscard]] WriteCommand of_two_keys(const AgentId& id);
  [[nodiscard]] static UpdateCommand append(const std::string& text);
  [[nodiscard]] EphemeralCommand ephemeral(const AgentId& id);
  [[nodiscard]] ClaimCommand claim(const Agent& agent);
  [[nodiscard]] Entry decision(const Agent& agent, const AgentId& id);
  [[nodiscard]] std::string proposal();
  [[nodiscard]] Command task(const Agent& agent);
  [[nodiscard]] std::string task_document(const std::vector<Change>& seen);
  [[nodiscard]] Command work_on(const std::string& key);
  [[nodiscard]] WriteCommand write(const Agent& agent, const AgentId& id);
  [[nodiscard]] Key register_key();
  [[nodiscard]] std::string value();
  // A put that fits the key: of JSON and lines one that differs in few places from what is seen.
  [[nodiscard]] PutOp put(const Agent& agent, const Key& key);
  [[nodiscard]] std::vector<std::string> elements();

  Prng& random_;
  const Plan& plan_;
  std::uint64_t values_ = 0;
};

}  // namespace waggle::sim
