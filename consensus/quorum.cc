#include "consensus/quorum.h"

#include <algorithm>

#include "base/check.h"

namespace waggle {

bool reaches(std::uint64_t votes, std::uint64_t electorate, Threshold threshold) {
  return electorate > 0 && votes >= needed(electorate, threshold);
}

bool can_still_reach(std::uint64_t votes, std::uint64_t missing, std::uint64_t electorate,
                     Threshold threshold) {
  return reaches(votes + missing, electorate, threshold);
}

std::uint64_t needed(std::uint64_t electorate, Threshold threshold) {
  WAGGLE_CHECK(electorate > 0 && threshold.permille >= 1 && threshold.permille <= 1000);
  const std::uint64_t share = (electorate * threshold.permille + 999) / 1000;
  return std::max(share, electorate / 2 + 1);
}

}  // namespace waggle
