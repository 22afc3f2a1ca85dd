#pragma once

// The three sets. All are persistent maps from element to dots, so that a commit costs what it
// changes, and versions share what they have in common.
//
//                | concurrent add and remove | metadata                        | when
//   set          | add wins                  | dots of live elements           | membership
//   grow-set     | there is no remove        | none                            | what was ever seen
//   remove-wins- | remove wins               | dots of live elements, and one  | revocations
//     set        |                           | of each removed until the floor |
//
// `set` is ORSWOT, an observed-remove set without tombstones (Bieniusa et al., "An optimized
// conflict-free replicated set", 2012). The remove-wins set is its dual and can't do without
// tombstones: that an element was removed must be known to whoever adds it without having seen the
// removal. Once the floor is above a removal it is dropped; an addition of an absent element by who
// had seen less than what was swept can't be judged any more, and is a conflict.
//
// Cost of an operation: O(log n) for each element that it names, and the delta names these only.

#include <cstdint>
#include <string>

#include "base/dot.h"
#include "base/persistent_map.h"

namespace waggle {

struct WeighDots {
  Weight operator()(const std::string& element, const Dots& dots) const;
};
// Invariant: an element has at least one dot.
struct OrSet {
  PersistentMap<std::string, Dots, WeighDots> elements;
  friend bool operator==(const OrSet&, const OrSet&) = default;
};

struct NoDots {
  friend bool operator==(const NoDots&, const NoDots&) = default;
};
struct WeighElement {
  Weight operator()(const std::string& element, const NoDots&) const;
};
struct GrowSet {
  PersistentMap<std::string, NoDots, WeighElement> elements;
  friend bool operator==(const GrowSet&, const GrowSet&) = default;
};

// Invariant: an entry has at least one dot of either kind. The element is in the set iff it has no
// removal.
struct AddsAndRemovals {
  Dots adds;
  Dots removals;
  [[nodiscard]] bool present() const { return removals.empty(); }
  friend bool operator==(const AddsAndRemovals&, const AddsAndRemovals&) = default;
};
struct WeighBoth {
  Weight operator()(const std::string& element, const AddsAndRemovals& dots) const;
};
struct RemoveWinsSet {
  PersistentMap<std::string, AddsAndRemovals, WeighBoth> elements;
  std::uint64_t removed = 0;  // entries with a removal
  Revision swept;             // no removal above this floor was dropped
  friend bool operator==(const RemoveWinsSet&, const RemoveWinsSet&) = default;
};

}  // namespace waggle
