#pragma once

// Who made what part of a committed value. The coordinator is the only actor of committed state: it
// gives each part of a commit one dot, (revision, index), so metadata never grows with the number
// of agents that ever wrote. The writer is kept with it, because an author knows its own additions
// before it knows the revision that they got.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"

namespace waggle {

// Which mutation of whom.
struct Writer {
  AgentId agent;
  Incarnation incarnation;
  Seq seq;
  friend auto operator<=>(const Writer&, const Writer&) = default;
};

// One committed part: unique by (revision, index).
struct Dot {
  Revision revision;
  std::uint32_t index = 0;
  Writer writer;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

// Sorted and unique. Bound: limits::kDots, see add_dot().
using Dots = std::vector<Dot>;

// Adds a dot above all that are there. Beyond limits::kDots the two oldest become one with the
// later's place, of which nobody can claim that it is its own. An author who has not seen that
// place still counts as not having seen it, so what is collapsed can keep something alive that an
// exact account would have let go, and never the other way round.
void add_dot(Dots& dots, Dot dot);

// What dots add to a content hash, and count for in the size of a value: each 40 bytes and its
// writer's id.
void put_dots(CanonicalBytes& bytes, const Dots& dots);
[[nodiscard]] std::size_t size_of(const Dots& dots);

}  // namespace waggle
