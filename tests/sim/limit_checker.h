#pragma once

// `limits`: nobody is told that it sent too much but who did. In a world with a flooder that is the
// flooder alone, whatever it does; in one whose limits are tight it may be anybody; in all others
// nobody.

#include "tests/sim/checkers.h"

namespace waggle::sim {

class LimitChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Send& send) override;
};

}  // namespace waggle::sim
