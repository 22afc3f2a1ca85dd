#pragma once

// The one generator of the cores and the simulator: xoshiro256** (Blackman and Vigna, 2018), seeded
// by splitmix64. Integers only, no std:: distributions, so a seed gives the same run everywhere.
// Production seeds it from the system's random device.

#include <array>
#include <cstdint>

namespace waggle {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);
  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound). REQUIRES: bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high].
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);
  // True in `parts` of `whole` draws.
  [[nodiscard]] bool chance(std::uint64_t parts, std::uint64_t whole);
  // A random id: never 0, which means none, and below limits::kNumberMax.
  template <typename Id>
  [[nodiscard]] Id id() {
    return Id((next() >> 3) | 1);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace waggle
