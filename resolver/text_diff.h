#pragma once

// Which units of one text are still there in another, in the same order: the common subsequence
// that a three-way merge stands on.
//
// Myers, "An O(ND) difference algorithm and its variations", 1986, in its linear-space form: search
// from both ends until the two frontiers meet, split there, go on with the halves. That is a
// longest common subsequence at a cost of (size + distance^2). Beyond the bounds below it becomes
// shorter, but stays a common subsequence, and is still the same for the same input:
//   1. split at the units that occur once on both sides, along the longest run of them that is in
//      order on both (Fredman, "On computing the length of longest increasing subsequences", 1975);
//   2. where there are none, split where one of the two searches got furthest.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace waggle {

// They count steps, not time, so that every machine finds the same.
// REQUIRES: 2 <= coarse_depth <= exact_depth.
struct DiffBounds {
  std::ptrdiff_t exact_depth = 1024;  // half a distance up to which the longest is found
  std::ptrdiff_t coarse_depth = 32;   // the same once `steps` are spent
  std::uint64_t steps = 12'000'000;   // of all searches of one alignment
};

inline constexpr std::size_t kUnmatched = std::numeric_limits<std::size_t>::max();

// For each unit of `from` the place of its partner in `to`, or kUnmatched. Partners have the same
// number, and their places rise. Numbers as of number_units() in resolver/text_units.h.
[[nodiscard]] std::vector<std::size_t> align(const std::vector<std::size_t>& from,
                                             const std::vector<std::size_t>& to,
                                             const DiffBounds& bounds = {});

}  // namespace waggle
