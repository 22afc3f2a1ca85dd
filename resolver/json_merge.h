#pragma once

// Three-way merge of JSON by path: what `ours` and `theirs` each changed since `base`, in one
// value. A side that changed wins over one that did not; the same change on both sides is taken
// once; where both sides hold objects, each member is merged on its own; arrays with a declared key
// (resolver/json_keyed_array.h) are merged as if they were objects, other arrays item by item as
// diff3 merges lines (Khanna, Kunal and Pierce, "A formal investigation of diff3", 2007). What is
// left is a conflict, see JsonConflictKind. It decides about its own path only: all else merges.
//
// Nothing is invented: every member name, every item and, but for sums, every scalar comes from one
// of the inputs. The result may be larger than either side (at most both together): the caller
// checks its size.
//
// Bound: kJsonArrayItemsMax, and the two bounds of one merge in json_merge.cc; what is beyond is
// not looked into and conflicts as a whole. They count both sides alike, so that exchanging the
// sides exchanges the result.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "resolver/json_document.h"

namespace waggle {

// What stands at a conflict. It is listed whatever stands there, and the caller decides.
enum class JsonFavor : std::uint8_t {
  kNone,    // ours
  kOurs,    // ours
  kTheirs,  // theirs
  // Both, where that is possible: of arrays our items and then theirs that we lack, of a removal
  // and a change the change; else ours.
  kUnion,
};

struct JsonMergeOptions {
  JsonFavor favor = JsonFavor::kNone;
  // Whole numbers of 64 bits, present in all three, that both sides changed become
  // ours + theirs - base, also where both changed alike: two additions of one are two. A sum beyond
  // 64 bits is a conflict. Not for documents that hold ids, ports or times.
  bool additive_numbers = false;
  // The pointer of an array of objects, and the member by which its items are told apart. A "*" in
  // the pointer is any item of such an array: {"/tasks", "id"}, {"/tasks/*/steps", "name"}.
  std::map<std::string, std::string> array_keys = {};
};

enum class JsonConflictKind : std::uint8_t {
  kBothChanged,  // a scalar, or an array where the changes overlap or touch
  kTypeChanged,  // the same, and the three are not of one type
  kDeleteEdit,   // one side removed what the other changed
  kBothAdded,    // different values where the base had none
  kBothMoved,    // two orders of the items of a keyed array; the texts are arrays of their keys
};
[[nodiscard]] std::string_view to_text(JsonConflictKind kind);

struct JsonConflict {
  // RFC 6901. An item of a keyed array, whose place differs in the three, is named by its key:
  // /tasks/id="t42"/state. No array takes that for an index.
  std::string path;
  // Canonical texts; empty: absent.
  std::string base;
  std::string ours;
  std::string theirs;
  JsonConflictKind kind = JsonConflictKind::kBothChanged;
  friend bool operator==(const JsonConflict&, const JsonConflict&) = default;
};

struct JsonMerge {
  JsonValue value;
  // Sorted by path, whatever is favored. None: the value is the same for every favor.
  std::vector<JsonConflict> conflicts;

  [[nodiscard]] bool automergeable() const { return conflicts.empty(); }
};

// REQUIRES: nesting as parse_json_document() grants it.
[[nodiscard]] JsonMerge merge_json(const JsonValue& base, const JsonValue& ours,
                                   const JsonValue& theirs, const JsonMergeOptions& options = {});

}  // namespace waggle
