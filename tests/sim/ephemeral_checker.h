#pragma once

// `ephemeral`: keys that live in memory only. Their changes are counted without a hole in each
// start of the coordinator, nothing durable carries one, each ephemeral write is answered once, and
// what an agent was told, change by change, is what it shows.

#include <map>
#include <set>
#include <string>

#include "tests/sim/checkers.h"

namespace waggle::sim {

class EphemeralChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_command(const AgentSeen& agent, const Command& command) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_turn(const AgentSeen& agent) override;
  void on_send(const Send& send) override;
  void at_end(const std::vector<AgentSeen>& agents) override;

 private:
  struct Application {
    std::map<Key, RecordPtr> told;
    std::set<RequestId> asked;
  };
  void check_durable(const std::vector<Change>& changes, const char* what);

  StartId start_;
  Revision at_;
  std::map<std::string, Application> applications_;
};

}  // namespace waggle::sim
