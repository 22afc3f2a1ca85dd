#pragma once

// `order`: the commits are in an order that real time allows. A write that begins after another one
// was acknowledged, to anybody, is committed later than that. With what each commit did (history.h
// replays them, conditions included) this is what linearizability asks of writes and of
// compare-and-set: the order of the revisions is the order in which they happened.
//
// Source: Herlihy and Wing, "Linearizability", 1990.

#include <map>
#include <string>
#include <utility>

#include "tests/sim/checkers.h"

namespace waggle::sim {

class OrderChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_command(const AgentSeen& agent, const Command& command) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  // What was acknowledged may be undone: another history begins.
  void on_restore() override { acknowledged_ = {}; }

 private:
  struct Begun {
    std::uint64_t restores = 0;
    Revision after;
  };
  std::map<std::pair<std::string, RequestId>, Begun> begun_;
  Revision acknowledged_;  // the newest
};

}  // namespace waggle::sim
