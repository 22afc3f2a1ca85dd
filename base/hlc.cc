#include "base/hlc.h"

#include <algorithm>

namespace waggle {
namespace {

std::uint64_t clamp_wall(std::int64_t wall_millis) {
  return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(wall_millis, 0)),
                  HlcClock::kMillisMax - HlcClock::kDriftMillis - 1);
}

}  // namespace

Hlc HlcClock::tick(std::int64_t wall_millis) {
  // A full counter carries into the milliseconds because bits + 1 does just that.
  last_ = std::max(Hlc::of(clamp_wall(wall_millis), 0), Hlc{last_.bits + 1});
  return last_;
}

bool HlcClock::too_far_ahead(Hlc remote, std::int64_t wall_millis) {
  return remote.millis() > clamp_wall(wall_millis) + kDriftMillis;
}

bool HlcClock::observe(Hlc remote, std::int64_t wall_millis) {
  if (too_far_ahead(remote, wall_millis)) return false;
  last_ = std::max(last_, remote);
  return true;
}

}  // namespace waggle
