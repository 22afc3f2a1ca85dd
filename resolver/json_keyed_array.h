#pragma once

// An array of objects that are told apart by the value of one member, their key: the view of it by
// key, and the order of the items after a merge. No comparison of items and no bound is needed.
//
//   both sides hold an item   in the order of the side that moved items since the base; if both
//                             did, differently, the order is a conflict and the caller chooses
//   only one side holds it    behind the item that stands before it on its side; where both sides
//                             put items at one place, the group whose first key is less comes first
//
// So exchanging the sides gives the same order, unless it is a conflict. Cost: n log n.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "resolver/json_document.h"

namespace waggle {

class JsonKeyedArray {
 public:
  // Nothing: an item is no object, lacks the key, has it as null, boolean, array or object, or two
  // items have the same.
  [[nodiscard]] static std::optional<JsonKeyedArray> of(const JsonValue::Array& items,
                                                        const std::string& key);

  // The keys as canonical text, in the order of the array.
  [[nodiscard]] const std::vector<std::string>& order() const { return order_; }
  // By key. The items are the array's own, which outlives this.
  [[nodiscard]] const std::map<std::string, const JsonValue*>& items() const { return items_; }
  // Null: no such item.
  [[nodiscard]] const JsonValue* find(const std::string& key) const;

 private:
  std::vector<std::string> order_;
  std::map<std::string, const JsonValue*> items_;
};

struct JsonKeyOrder {
  std::vector<std::string> keys;
  bool both_moved = false;  // then the order is that of `leading`
};

enum class LeadingSide : std::uint8_t { kOurs, kTheirs };

// The order of the items that are left after a merge. REQUIRES: `left` holds every key that both
// sides have, and no key that neither has.
[[nodiscard]] JsonKeyOrder merge_key_orders(const JsonKeyedArray& base, const JsonKeyedArray& ours,
                                            const JsonKeyedArray& theirs,
                                            const std::set<std::string>& left, LeadingSide leading);

// The keys as one JSON array.
[[nodiscard]] std::string keys_text(const std::vector<std::string>& order);

}  // namespace waggle
