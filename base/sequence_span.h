#pragma once

// What a Sequence is made of. Inner header of base/sequence.
//
// A unit is named by the commit that inserted it and its number among the units of that commit.
// Units that were typed one after the other, each in a commit of its own, or all in one commit, are
// one span; so are tombstones that were deleted one after the other, in either direction.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"

namespace waggle {

// A dot with its writer's place in the sequence's table. Revision 0: of the folded text.
struct SpanDot {
  std::uint64_t revision = 0;
  std::uint32_t index = 0;
  std::uint32_t writer = 0;
  std::uint64_t seq = 0;
  friend bool operator==(const SpanDot&, const SpanDot&) = default;
  // The dot so many commits of the same writer later.
  [[nodiscard]] SpanDot after(std::int64_t commits) const {
    SpanDot dot = *this;
    dot.revision += static_cast<std::uint64_t>(commits);
    dot.seq += static_cast<std::uint64_t>(commits);
    return dot;
  }
};

struct UnitId {
  std::uint64_t revision = 0;
  std::uint32_t index = 0;
  std::uint32_t offset = 0;
  bool none = true;  // before the first, or behind the last
  friend bool operator==(const UnitId&, const UnitId&) = default;
};

// Who deleted the units of a span: unit i by `dot` and so many commits later (step 1), earlier
// (-1), or all by the same (0).
struct SpanDeletion {
  SpanDot dot;
  std::int8_t step = 0;
  [[nodiscard]] SpanDot of(std::uint32_t unit) const {
    return dot.after(std::int64_t{step} * unit);
  }
  friend bool operator==(const SpanDeletion&, const SpanDeletion&) = default;
};

struct SequenceSpan {
  static constexpr std::uint32_t kUnits = 128;   // of one span, so that splitting one is cheap
  static constexpr std::size_t kDeletions = 32;  // of one unit that are told apart

  SpanDot dot;               // of the first unit
  std::uint32_t offset = 0;  // of the first unit
  bool rising = false;  // each unit is of the next commit; else of the same, at the next offset
  std::uint32_t count = 0;
  UnitId left;   // origin on the left of the first unit; of the others the unit before
  UnitId right;  // origin on the right, of each unit: what its author saw behind it
  std::vector<SpanDeletion> deletions;  // by revision; empty: the units are there
  std::string bytes;                    // UTF-8, or each element behind its length as a varint

  [[nodiscard]] bool visible() const { return deletions.empty(); }
  [[nodiscard]] bool folded() const { return dot.revision == 0; }
  [[nodiscard]] UnitId id_of(std::uint32_t unit) const {
    return {dot.revision + (rising ? unit : 0), dot.index, offset + (rising ? 0 : unit), false};
  }
  [[nodiscard]] SpanDot dot_of(std::uint32_t unit) const { return rising ? dot.after(unit) : dot; }
  [[nodiscard]] bool holds(const UnitId& id) const {
    if (id.none || id.index != dot.index) return false;
    if (rising)
      return id.offset == offset && id.revision >= dot.revision &&
             id.revision - dot.revision < count;
    return id.revision == dot.revision && id.offset >= offset && id.offset - offset < count;
  }
  // The greatest revision of a dot in it.
  [[nodiscard]] std::uint64_t newest() const;
  friend bool operator==(const SequenceSpan&, const SequenceSpan&) = default;
};

struct SequenceChunk {
  std::vector<SequenceSpan> spans;
  std::uint64_t visible = 0;
  std::uint64_t total = 0;
  std::uint64_t newest = 0;  // of all dots in it, or more
};

// Bytes of the unit that begins there, and of the first `units` units of a span.
[[nodiscard]] std::size_t unit_bytes(const std::string& bytes, std::size_t at, bool scalars);
[[nodiscard]] std::size_t prefix_bytes(const SequenceSpan& span, std::uint32_t units, bool scalars);
// Takes the units from `units` on off the span and gives them.
[[nodiscard]] SequenceSpan split_span(SequenceSpan& span, std::uint32_t units, bool scalars);
// Takes as many units off the front of `next` as belong to the same run, at most up to `most` units
// in the run. True: all of them.
bool extend_span(SequenceSpan& span, SequenceSpan& next, std::uint32_t most, bool scalars);

}  // namespace waggle
