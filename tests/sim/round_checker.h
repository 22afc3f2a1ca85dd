#pragma once

// The checker `rounds`: a round with a quorum never overwrites a commit that it did not ask about,
// and a late answer nothing but what its round had left (docs/protocol.md, Safety R2). See
// checkers.h.

#include <map>

#include "tests/sim/checkers.h"

namespace waggle::sim {

class RoundChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Send& send) override;

 private:
  std::map<RoundId, Revision> asked_at_;  // the head that its request names
};

}  // namespace waggle::sim
