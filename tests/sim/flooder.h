#pragma once

// A member that has lost its mind: it asks, pulls and submits many times at once, whatever it is
// answered. Nothing of it is ever committed, so that all else in the world stays as it was.
//
// One thread.

#include <cstdint>
#include <functional>

#include "base/event.h"
#include "base/message.h"
#include "base/prng.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

class Flooder {
 public:
  using Send = std::function<void(MessagePtr)>;
  Flooder(Timeline& timeline, std::uint64_t seed, Send send)
      : timeline_(timeline), random_(seed), send_(std::move(send)) {}

  // Floods until then.
  void begin(std::int64_t until);
  void arrive(const Message& message);

 private:
  void go_on();
  [[nodiscard]] MessagePtr next();

  Timeline& timeline_;
  Prng random_;  // of its own: without it a world is as it was
  Send send_;
  std::int64_t until_ = 0;
  SessionId session_;
  Epoch epoch_;
};

}  // namespace waggle::sim
