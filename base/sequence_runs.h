#pragma once

// A Sequence as the longest runs that there are, whatever spans it is stored in: a function of its
// content. Inner header of base/sequence.h.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/sequence_tree.h"
#include "base/status.h"

namespace waggle {

// Both lists cover all units in their order, each for itself: `names` with the fields of names, and
// `deletions` with those of deletions.
struct SequenceRuns {
  std::vector<SequenceSpan> names;
  std::vector<SequenceSpan> deletions;
  std::string content;
};
[[nodiscard]] SequenceRuns runs_of(const SequenceTree& tree);

// Where named units stand.
class NameIndex {
 public:
  // The runs outlive the index. REQUIRES: their counts add up to less than 2^32.
  explicit NameIndex(const std::vector<SequenceSpan>& names);

  // The unit's number among all, tombstones included.
  [[nodiscard]] std::optional<std::uint64_t> position(const UnitRef& name) const;
  // The run that holds a unit, and its number in the run. REQUIRES: the unit is there.
  struct Found {
    std::size_t run = 0;
    std::uint32_t unit = 0;
  };
  [[nodiscard]] Found at(std::uint64_t position) const;
  [[nodiscard]] std::uint64_t start_of(std::size_t run) const { return starts_[run]; }
  [[nodiscard]] bool unique() const;  // no name twice

 private:
  const std::vector<SequenceSpan>& names_;
  std::vector<std::uint64_t> starts_;
  std::vector<std::uint32_t> commits_;  // runs of one commit by (revision, index, offset)
  std::vector<std::uint32_t> rising_;   // the others by (index, offset, revision)
};

// Names are unique, above the base, and origins stand on their side. Errors: kRejected.
[[nodiscard]] Status check_names(const SequenceTree& tree, Revision base);

}  // namespace waggle
