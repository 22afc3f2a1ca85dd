#pragma once

// What a Sequence is made of. Inner header of base/sequence.h.
//
// A unit is named by the commit that inserted it and its number among the units of that commit.
// Base units, those below the fold, have no name: nothing asks for it, because everybody who may
// still write has seen all of them, so a unit that somebody puts between two of them stays between
// them. What a later unit says of its neighbours is then either "the nearest base unit on that
// side" or "something beyond it". The edges of the sequence count as base units.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace waggle {

enum class SequenceUnit : std::uint8_t { kScalar = 0, kElement = 1 };

// A dot with its writer's place in the sequence's table. Revision 0: none.
struct SpanDot {
  std::uint64_t revision = 0;
  std::uint64_t seq = 0;
  std::uint32_t index = 0;
  std::uint32_t writer = 0;
  // The dot so many commits of the same writer later.
  [[nodiscard]] SpanDot after(std::int64_t commits) const {
    const auto by = static_cast<std::uint64_t>(commits);
    return {revision + by, seq + by, index, writer};
  }
  friend bool operator==(const SpanDot&, const SpanDot&) = default;
};

// An origin of FugueMax: the unit next to which its author put a unit.
struct UnitRef {
  enum class Kind : std::uint8_t { kNear, kFar, kUnit };
  Kind kind = Kind::kNear;
  std::uint32_t index = 0;
  std::uint32_t offset = 0;
  std::uint64_t revision = 0;
  friend bool operator==(const UnitRef&, const UnitRef&) = default;
};

// Deletions of a span's units beyond the earliest: each is of all its units. By revision; null:
// none.
using LaterDeletions = std::shared_ptr<const std::vector<SpanDot>>;

// Neighbouring units that can be told in a few words. A span of one unit is not rising and has no
// step, so equal spans have equal fields.
struct SequenceSpan {
  SpanDot dot;               // of the first unit; of base units none
  std::uint32_t offset = 0;  // of the first unit
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;  // of content, 0 iff deleted
  bool rising = false;      // each unit is of the next commit; else of the same, the next offset
  bool deleted = false;
  std::int8_t step = 0;  // deleted each by the same commit (0), the next (1), the one before (-1)
  UnitRef left;          // of the first unit; of the others the unit before
  UnitRef right;         // of all units
  SpanDot deletion;      // the earliest, of the first unit; none: of a base unit long gone
  LaterDeletions later;

  [[nodiscard]] bool base() const { return dot.revision == 0; }
  // A base unit that everybody knows to be deleted: it only keeps two others apart.
  [[nodiscard]] bool gone() const { return deleted && deletion.revision == 0; }
  [[nodiscard]] SpanDot dot_of(std::uint32_t unit) const { return rising ? dot.after(unit) : dot; }
  [[nodiscard]] UnitRef name_of(std::uint32_t unit) const {
    if (base()) return {};
    return {UnitRef::Kind::kUnit, dot.index, offset + (rising ? 0 : unit),
            dot.revision + (rising ? unit : 0)};
  }
  [[nodiscard]] SpanDot deletion_of(std::uint32_t unit) const {
    return deletion.after(std::int64_t{step} * unit);
  }
  // What `name` finds in the span: the unit's number, or `count`.
  [[nodiscard]] std::uint32_t find(const UnitRef& name) const;
  [[nodiscard]] std::uint64_t newest() const;  // revision of a dot
};

[[nodiscard]] bool same_later(const LaterDeletions& a, const LaterDeletions& b);

// Bytes of the first `units` units of that content. REQUIRES: it has so many.
[[nodiscard]] std::size_t prefix_bytes(std::string_view content, std::uint32_t units,
                                       SequenceUnit unit);
// Bytes of as many of its first units as one span may hold, at least one.
[[nodiscard]] std::size_t piece_bytes(std::string_view content, SequenceUnit unit);
[[nodiscard]] std::uint32_t units_in(std::string_view content, SequenceUnit unit);

// Takes the units from `units` on off the span; `bytes` is what the others have of the content.
// REQUIRES: 0 < units < count.
[[nodiscard]] SequenceSpan split_span(SequenceSpan& span, std::uint32_t units, std::uint32_t bytes);
// True iff both are one span, and makes it in `span`. Bound: kSpanUnits and kSpanBytes.
[[nodiscard]] bool join_span(SequenceSpan& span, const SequenceSpan& next);
// How many units of `next`, from its first one on, continue the names, or the deletions, of `span`.
[[nodiscard]] std::uint32_t names_continue(const SequenceSpan& span, const SequenceSpan& next);
[[nodiscard]] std::uint32_t deletions_continue(const SequenceSpan& span, const SequenceSpan& next);

// Of one stored span, so that splitting one and copying a chunk is cheap.
inline constexpr std::uint32_t kSpanUnits = 512;
inline constexpr std::uint32_t kSpanBytes = 1024;

}  // namespace waggle
