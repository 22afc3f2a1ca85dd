#pragma once

// Three-way merge of registers with the value that both sides began with: JSON by path
// (resolver/json_merge.h), text by line (resolver/diff3.h). Bytes are never merged.

#include <optional>
#include <string>
#include <vector>

#include "base/small_types.h"

namespace waggle {

// Whose change is taken where both sides changed the same.
enum class MergeFavor : std::uint8_t { kNone, kOurs, kTheirs };

struct ThreeWay {
  Register value;                      // with kNone and conflicts: ours at each of them
  std::vector<std::string> conflicts;  // a JSON pointer, or "line N"; empty: it merged of itself
};

// Nothing: the contents differ in type, or can't be merged (bytes, or JSON that is none).
[[nodiscard]] std::optional<ThreeWay> merge_three_way(const Register& base, const Register& ours,
                                                      const Register& theirs, MergeFavor favor);

}  // namespace waggle
