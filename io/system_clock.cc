#include "io/system_clock.h"

#include <chrono>

namespace waggle {

namespace {

template <typename Clock>
std::int64_t millis_of() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return duration_cast<milliseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

Instant monotonic_now() {
  return {millis_of<std::chrono::steady_clock>()};
}

Now SystemClock::now() {
  return {.monotonic = monotonic_now(), .wall_millis = millis_of<std::chrono::system_clock>()};
}

}  // namespace waggle
