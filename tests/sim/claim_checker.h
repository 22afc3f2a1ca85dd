#pragma once

// `claims`, at the agents: what is asked about a claim is answered once; what an application was
// told that it holds is what its agent believes, and no more than it was given. What the
// coordinator grants and lets pass is watched in claim_truth.h.

#include <map>
#include <set>
#include <string>

#include "tests/sim/checkers.h"

namespace waggle::sim {

class ClaimChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_command(const AgentSeen& agent, const Command& command) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_turn(const AgentSeen& agent) override;
  void at_end(const std::vector<AgentSeen>& agents) override;

 private:
  struct Application {
    std::map<RequestId, ClaimCommand> asked;
    std::map<std::string, FenceToken> held;
    std::map<RequestId, Entry> reports;  // writes of tasks that are not settled
    // Handed over, perhaps under an earlier grant than the one that is held: an answer that came
    // late does not say.
    std::set<std::string> given;
  };
  void on_done(const AgentSeen& agent, Application& application, const ClaimDone& done);

  std::map<std::string, Application> applications_;
};

}  // namespace waggle::sim
