#pragma once

// Three-way merge of arrays, item by item, as diff3 merges lines (Khanna, Kunal and Pierce, 2007):
// the longest common subsequences of the base with either side split the arrays where all three
// agree; of each piece between, the side that changed is taken.

#include <cstddef>
#include <optional>

#include "resolver/json_document.h"

namespace waggle {

// Bound: an array of more items is not compared item by item.
inline constexpr std::size_t kJsonArrayItemsMax = 2000;

// Nothing: both sides changed a piece, differently; or an array is too long, or `cells`, the
// steps of work that are left, would not do. Takes from `cells` what it may use: at most the
// product of the lengths of base and side, for each of the two.
[[nodiscard]] std::optional<JsonValue::Array> merge_json_arrays(const JsonValue::Array& base,
                                                                const JsonValue::Array& ours,
                                                                const JsonValue::Array& theirs,
                                                                std::size_t& cells);

// As sets: what either side added, without what either removed; ours in its order, then what only
// theirs added. Items that occur more often keep the number that ours has. Cost: n log n.
[[nodiscard]] JsonValue::Array unite_json_arrays(const JsonValue::Array& base,
                                                 const JsonValue::Array& ours,
                                                 const JsonValue::Array& theirs);

}  // namespace waggle
