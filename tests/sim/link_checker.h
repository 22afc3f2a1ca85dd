#pragma once

// `links`: an agent to which nothing comes any more says so, also while the broadcasts still
// arrive: a way that works in one direction, or on one leg, is not taken for one that works.

#include <map>
#include <string>

#include "tests/sim/checkers.h"

namespace waggle::sim {

class LinkChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_deaf(const AgentSeen& agent, std::int64_t millis) override;

 private:
  struct Told {
    Link link = Link::kJoining;
    std::int64_t since = 0;
  };
  std::map<std::string, Told> told_;
};

}  // namespace waggle::sim
