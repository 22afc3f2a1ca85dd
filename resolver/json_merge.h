#pragma once

// Three-way merge of JSON by path: what `ours` and `theirs` each changed since `base`, in one
// value. A side that changed wins over one that did not; the same change on both sides is taken
// once; where both sides hold objects, each member is merged on its own; arrays are merged item by
// item as diff3 merges lines (Khanna, Kunal and Pierce, "A formal investigation of diff3", 2007).
// What is left is a conflict: two different scalars or types, a removal against a change, and
// changes of one array that overlap or touch, which are one conflict at the array.
//
// Nothing is invented: every member name and every item comes from one of the inputs. The result
// may be larger than either side (at most both together): the caller checks its size.
//
// Bound: kJsonArrayItemsMax, and the two bounds of one merge in json_merge.cc; what is beyond is
// not looked into and conflicts as a whole. They count both sides alike, so that exchanging the
// sides exchanges the result.

#include <cstdint>
#include <string>
#include <vector>

#include "resolver/json_document.h"

namespace waggle {

// Whose value stands at a conflict. With kNone ours does, and the caller decides.
enum class JsonFavor : std::uint8_t { kNone, kOurs, kTheirs };

struct JsonConflict {
  std::string path;  // RFC 6901
  // Canonical texts; empty: absent.
  std::string base;
  std::string ours;
  std::string theirs;
  friend bool operator==(const JsonConflict&, const JsonConflict&) = default;
};

struct JsonMerge {
  JsonValue value;
  // Sorted by path, whatever is favored. None: the value is the same for every favor.
  std::vector<JsonConflict> conflicts;
};

// REQUIRES: nesting as parse_json_document() grants it.
[[nodiscard]] JsonMerge merge_json(const JsonValue& base, const JsonValue& ours,
                                   const JsonValue& theirs, JsonFavor favor);

}  // namespace waggle
