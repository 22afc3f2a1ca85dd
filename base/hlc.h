#pragma once

// Hybrid logical clock: 48 bits of wall-clock milliseconds and a 16-bit counter in one number that
// only grows (Kulkarni, Demirbas et al., "Logical Physical Clocks", 2014). It stays close to the
// wall clock, survives a wall clock that goes back, and breaks ties of last-write-wins together
// with the agent id. It never orders commits: revisions do.
//
// Safety: a stamp more than kDriftMillis ahead of the local wall clock is refused and does not move
// the clock, so one agent from the future can't drag everybody along. A full counter carries into
// the milliseconds; it never wraps.

#include <compare>
#include <cstdint>

#include "base/status.h"

namespace waggle {

struct Hlc {
  std::uint64_t bits = 0;
  static constexpr Hlc of(std::uint64_t millis, std::uint64_t counter) {
    return {(millis << 16) | counter};
  }
  [[nodiscard]] constexpr std::uint64_t millis() const { return bits >> 16; }
  [[nodiscard]] constexpr std::uint64_t counter() const { return bits & 0xffff; }
  friend constexpr auto operator<=>(Hlc, Hlc) = default;
};

class HlcClock {
 public:
  static constexpr std::uint64_t kDriftMillis = 5'000;
  static constexpr std::uint64_t kMillisMax = (std::uint64_t{1} << 48) - 1;

  HlcClock() = default;
  // Starts above every stamp given out before a restart.
  explicit HlcClock(Hlc at_least) : last_(at_least) {}

  // A stamp above all given out or observed before.
  [[nodiscard]] Hlc tick(std::int64_t wall_millis);
  // Takes a peer's stamp into account. False: too far ahead, refused, nothing changed.
  [[nodiscard]] bool observe(Hlc remote, std::int64_t wall_millis);
  // True iff a peer's stamp would be refused.
  [[nodiscard]] static bool too_far_ahead(Hlc remote, std::int64_t wall_millis);
  [[nodiscard]] Hlc last() const { return last_; }

 private:
  Hlc last_;
};

}  // namespace waggle
