#pragma once

// Time as the cores see it: it comes in with every step and is never asked for. Leases, timeouts
// and rates use the monotonic clock; the wall clock feeds only the hybrid logical clock and what
// people read. A monotonic instant means nothing on another machine, so deadlines travel as
// remaining milliseconds.

#include <compare>
#include <cstdint>

namespace waggle {

struct Millis {
  std::int64_t count = 0;
  friend constexpr auto operator<=>(Millis, Millis) = default;
  friend constexpr Millis operator+(Millis a, Millis b) { return {a.count + b.count}; }
  friend constexpr Millis operator-(Millis a, Millis b) { return {a.count - b.count}; }
};

// A point of the monotonic clock, in milliseconds since an arbitrary start.
struct Instant {
  std::int64_t millis = 0;
  static constexpr Instant never() { return {INT64_MAX}; }
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Millis d) { return {t.millis + d.count}; }
  friend constexpr Millis operator-(Instant a, Instant b) { return {a.millis - b.millis}; }
};

struct Now {
  Instant monotonic;
  std::int64_t wall_millis = 0;  // since 1970-01-01 UTC
};

}  // namespace waggle
