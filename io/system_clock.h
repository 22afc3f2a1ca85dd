#pragma once

// The clock of production: steady_clock for leases and timers, system_clock for the wall. The
// monotonic millis mean nothing on another machine or after a reboot. Thread-safe.

#include "io/host.h"

namespace waggle {

// What SystemClock says of the monotonic clock.
[[nodiscard]] Instant monotonic_now();

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Now now() override;
};

}  // namespace waggle
