#pragma once

// Quorum arithmetic, in integers: no rounding can make a minority win. A threshold is given in
// thousandths of the whole electorate, and always needs more than one half, so that two different
// values can't both reach it.

#include <cstdint>

namespace waggle {

struct Threshold {
  std::uint32_t permille = 510;  // 1..1000
  friend bool operator==(const Threshold&, const Threshold&) = default;
};

// True iff `votes` of `electorate` reach the threshold. False for an empty electorate.
[[nodiscard]] bool reaches(std::uint64_t votes, std::uint64_t electorate, Threshold threshold);

// True iff they would reach it with all `missing` votes added.
[[nodiscard]] bool can_still_reach(std::uint64_t votes, std::uint64_t missing,
                                   std::uint64_t electorate, Threshold threshold);

// The votes needed. REQUIRES: electorate > 0.
[[nodiscard]] std::uint64_t needed(std::uint64_t electorate, Threshold threshold);

}  // namespace waggle
