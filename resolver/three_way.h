#pragma once

// Three-way merge of registers with the value that both sides began with: JSON by path
// (resolver/json_merge.h), text by line (resolver/diff3.h). Bytes are never merged.

#include <optional>
#include <string>
#include <vector>

#include "base/conflict.h"
#include "base/small_types.h"
#include "base/status.h"
#include "resolver/merge_rule.h"

namespace waggle {

struct ThreeWay {
  Register value;  // at a conflict: what the rule favors, else ours
  // A JSON pointer, with the kind where it is not that both changed it (resolver/json_merge.h), or
  // "line N"; listed whatever is favored. Empty: it merged of itself, or all could be united.
  std::vector<std::string> conflicts;
};

// Nothing: the contents differ in type, or can't be merged (bytes, or JSON that is none).
[[nodiscard]] std::optional<ThreeWay> merge_three_way(const Register& base, const Register& ours,
                                                      const Register& theirs,
                                                      const MergeRule& rule = {});

// All sides of a conflict in one value. REQUIRES: there are sides. Errors: kConflict where two of
// them changed the same of what they began from, with the place; where that is not known; and where
// a side is a deletion.
[[nodiscard]] Result<Register> merge_sides(const ParkedConflict& conflict);

}  // namespace waggle
