#pragma once

// A machine's clocks, made from virtual time. The monotonic one starts anywhere and drifts; the
// wall clock is off by an offset that jumps, and stands still at times. Neither knows of the other.
//
// One thread.

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "io/host.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

inline constexpr std::int64_t kWallStart = 1'700'000'000'000;

class SimClock final : public Clock {
 public:
  explicit SimClock(const Timeline& timeline) : timeline_(timeline) {}

  [[nodiscard]] Now now() override {
    const std::int64_t wall = frozen_at_.value_or(kWallStart + timeline_.now()) + wall_offset_;
    return {{monotonic(timeline_.now())}, wall};
  }
  // The first moment of virtual time at which the monotonic clock shows `instant` or later.
  [[nodiscard]] std::int64_t virtual_time_of(Instant instant) const {
    std::int64_t t = booted_ + (instant.millis - start_) * 1'000'000 / (1'000'000 + drift_ppm_);
    while (monotonic(t) < instant.millis) ++t;
    return t;
  }
  // After a restart the monotonic clock begins anew.
  void boot(std::int64_t start, std::int64_t drift_ppm) {
    booted_ = timeline_.now();
    start_ = start;
    drift_ppm_ = drift_ppm;
  }
  void set_wall_offset(std::int64_t millis) { wall_offset_ = millis; }
  // The wall clock stands still until it is thawed.
  void freeze() { frozen_at_ = kWallStart + timeline_.now(); }
  void thaw() { frozen_at_.reset(); }
  [[nodiscard]] std::int64_t wall_offset() const { return wall_offset_; }

 private:
  [[nodiscard]] std::int64_t monotonic(std::int64_t t) const {
    const std::int64_t passed = t - booted_;
    return start_ + passed + passed * drift_ppm_ / 1'000'000;
  }

  const Timeline& timeline_;
  std::int64_t booted_ = 0;
  std::int64_t start_ = 0;
  std::int64_t drift_ppm_ = 0;
  std::int64_t wall_offset_ = 0;
  std::optional<std::int64_t> frozen_at_;
};

}  // namespace waggle::sim
