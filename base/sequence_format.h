#pragma once

// The bytes of a Sequence. Made to be packed: what is alike stands together in a column, and what
// can be told from what came before is left out.
//
//   sequence  := format(1 byte, 1) unit(1 byte) base writers { column } content
//   writers   := count { length agent incarnation(8 bytes) }    by name, those that are used
//   column    := length bytes; in this order:
//     name flags       a byte for each run of names
//     name counts      its units
//     distances        from a run's first unit back to its left origin, from its last to its right
//     revisions        of a new run against the last of the new run before, with a sign
//     name dots        [writer index offset seq] where they are not as before
//     deletion flags   a byte for each run of deletions (also of what is not deleted)
//     deletion counts  its units
//     deletion dots    revision after the one in which its first unit came, or after the base;
//     [writer
//                      index seq]; [count { revision after the one before, writer index seq }]
//   content   := length bytes: of the visible units UTF-8, or each behind its length
//
// A seq is given as its difference, with a sign, from the revision and what the writer's last one
// was away from its revision. See SequenceRuns for the runs.
//
// Not checked when decoding: that FugueMax puts the units in that order.
//
// Inner header of base/sequence.h.

#include <cstdint>
#include <vector>

#include "base/sequence_span.h"

namespace waggle::sequence_format {

inline constexpr std::uint8_t kFormat = 1;

// DO NOT CHANGE the numbers below. Name flags: what the run is ...
enum : std::uint8_t { kBase = 0, kContinued = 1, kNew = 2, kWhat = 3 };
inline constexpr std::uint8_t kRising = 4;
// ... of a continued one, whose left origin's run it goes on: with the next commit ...
inline constexpr std::uint8_t kNextCommit = 8;
// ... of a new one its origins, and whether its dot is as expected.
enum Origin : std::uint8_t { kNearest = 0, kBeyond = 1, kNeighbour = 2, kDistant = 3 };
inline constexpr unsigned kLeftShift = 3;
inline constexpr unsigned kRightShift = 5;
inline constexpr std::uint8_t kOtherDot = 128;
// Deletion flags.
inline constexpr std::uint8_t kDeleted = 1;
inline constexpr std::uint8_t kGone = 2;
inline constexpr unsigned kStepShift = 2;  // step + 1
inline constexpr std::uint8_t kLater = 16;

// What both sides expect of the next dot.
class Expected {
 public:
  explicit Expected(std::size_t writers) : leads_(writers) {}
  std::uint32_t writer = 0;
  [[nodiscard]] std::uint64_t seq(std::uint64_t revision, std::uint32_t of) const {
    return revision + leads_[of];
  }
  void saw(const SpanDot& dot) {
    writer = dot.writer;
    leads_[dot.writer] = dot.seq - dot.revision;
  }

 private:
  std::vector<std::uint64_t> leads_;
};

}  // namespace waggle::sequence_format
