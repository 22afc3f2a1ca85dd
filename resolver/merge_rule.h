#pragma once

// How the strategy `merge` joins two values with their ancestor: the settings of a policy, and the
// words in which a receipt names them, so that a merge can be run again.
//
//   rule   := "merge" | "merge(" word {"," word} ")"
//   word   := "token" | "union" | "sums" | "ours" | "theirs" | "lww" | "fww" | pointer "=" member
//
// In pointers and members '%', ',', '=', '(', ')', white space and control characters are written
// as '%' and two hexadecimal digits.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "resolver/text_units.h"

namespace waggle {

// Whose change is taken where both sides changed the same; `ours` is what stands, `theirs` the
// write or offer that comes in. kNone: a conflict.
enum class MergeFavor : std::uint8_t { kNone, kOurs, kTheirs };

struct MergeRule {
  TextUnit unit = TextUnit::kLine;
  // Of conflicting pieces of text and of arrays both are taken, ours first, and a change wins over
  // a removal; what can't be united is left to `favor`.
  bool unite = false;
  MergeFavor favor = MergeFavor::kNone;
  // Of JSON, see resolver/json_merge.h.
  bool additive_numbers = false;
  std::map<std::string, std::string> array_keys = {};  // the member by pointer
  // Of a receipt: "lww" or "fww", by which the write has the fields that both changed. Empty: what
  // stands has them, or `favor` says.
  std::string fields = {};
  friend bool operator==(const MergeRule&, const MergeRule&) = default;
};

[[nodiscard]] std::string to_text(const MergeRule& rule);
// Of what to_text() writes. Nothing: a word of a newer Waggle.
[[nodiscard]] std::optional<MergeRule> merge_rule_of(std::string_view text);

}  // namespace waggle
