#pragma once

// A difference between two Sequences. Inner header of base/sequence.h.
//
//   difference := 1 sequence                                          all of it
//               | 2 check(8 bytes) base writers { step }              from the older one, folded to
//               base
//   writers    := count { length agent incarnation(8 bytes) }         as first used
//   step       := (units << 2 | what) and, by what it is:
//     0 keep     nothing
//     1 drop     nothing
//     2 put      flags(1 byte) [dot offset] [left] [right] [deletions] [length content]
//     3 mark     deletions: they become those of the units
//   dot        := writer revision index seq            revision and seq against the dot before,
//   signed origin     := revision index offset                revision against the unit's, signed
//   deletions  := flags(1 byte) [dot] [count { dot }]
//
// What is behind the last step is kept. `check` is of both sequences, so a difference is refused by
// any other one.

#include <cstdint>

#include "base/hash.h"

namespace waggle::sequence_diff_format {

// DO NOT CHANGE the numbers.
inline constexpr std::uint8_t kWhole = 1;
inline constexpr std::uint8_t kSteps = 2;
enum What : std::uint8_t { kKeep = 0, kDrop = 1, kPut = 2, kMark = 3 };

inline constexpr std::uint8_t kBase = 1;
inline constexpr std::uint8_t kRising = 2;
inline constexpr std::uint8_t kDeleted = 4;
// Two bits each: nearest base unit, beyond, the unit before or behind the place, named.
enum Origin : std::uint8_t { kNearest = 0, kBeyond = 1, kNeighbour = 2, kNamed = 3 };
inline constexpr unsigned kLeftShift = 3;
inline constexpr unsigned kRightShift = 5;

inline constexpr std::uint8_t kGone = 1;
inline constexpr std::uint8_t kLater = 2;
inline constexpr unsigned kStepShift = 2;  // step + 1

inline std::uint64_t check_of(const Hash128& from, const Hash128& to) {
  return (from.low * 0x9e3779b97f4a7c15) ^ to.low;
}

}  // namespace waggle::sequence_diff_format
