#include "resolver/json_merge.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

#include "resolver/json_array_merge.h"
#include "resolver/json_keyed_array.h"
#include "resolver/json_number.h"
#include "resolver/json_pointer.h"

namespace waggle {
namespace {

// Work on all arrays of one merge together: enough for two merges of arrays of full length.
constexpr std::size_t kArrayCellsMax = 4 * kJsonArrayItemsMax * kJsonArrayItemsMax;
// Bytes of conflicts' paths, counted before an object is looked into as if each of its members
// conflicted: many members below a long path would need memory out of all proportion.
constexpr std::size_t kPathBytesMax = std::size_t{16} << 20;

// What stands at one path in each of the three; null: absent.
struct Sides {
  const JsonValue* base;
  const JsonValue* ours;
  const JsonValue* theirs;
};

bool same(const JsonValue* a, const JsonValue* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

std::string text_of(const JsonValue* value) {
  return value == nullptr ? "" : to_json(*value);
}

std::optional<JsonValue> copy_of(const JsonValue* value) {
  return value == nullptr ? std::nullopt : std::optional(*value);
}

const JsonValue::Object* object_of(const JsonValue* value) {
  return value == nullptr ? nullptr : value->object();
}

const JsonValue::Array* array_of(const JsonValue* value) {
  return value == nullptr ? nullptr : value->array();
}

const JsonValue* member_of(const JsonValue::Object* object, const std::string& name) {
  if (object == nullptr) return nullptr;
  const auto at = object->find(name);
  return at == object->end() ? nullptr : &at->second;
}

const JsonValue::Number* whole_number_of(const JsonValue* value) {
  const JsonValue::Number* number = value == nullptr ? nullptr : value->number();
  return number != nullptr && is_whole_json_number(number->text) ? number : nullptr;
}

bool all_whole_numbers(const Sides& sides) {
  return whole_number_of(sides.base) != nullptr && whole_number_of(sides.ours) != nullptr &&
         whole_number_of(sides.theirs) != nullptr;
}

JsonConflictKind kind_of(const Sides& sides) {
  if (sides.base == nullptr) return JsonConflictKind::kBothAdded;
  if (sides.ours == nullptr || sides.theirs == nullptr) return JsonConflictKind::kDeleteEdit;
  const std::size_t type = sides.base->content.index();
  const bool one_type =
      type == sides.ours->content.index() && type == sides.theirs->content.index();
  return one_type ? JsonConflictKind::kBothChanged : JsonConflictKind::kTypeChanged;
}

// Where a value stands: its pointer, and that with "*" for items of keyed arrays.
struct Place {
  std::string path;
  std::string pattern;

  [[nodiscard]] Place member(const std::string& name) const {
    return {json_pointer_below(path, name), json_pointer_below(pattern, name)};
  }
  [[nodiscard]] Place item(const std::string& member, const std::string& key) const {
    return {json_pointer_below(path, member + "=" + key), pattern + "/*"};
  }
};

// The three arrays by key; a base that is no array had no item.
struct KeyedSides {
  JsonKeyedArray base;
  JsonKeyedArray ours;
  JsonKeyedArray theirs;
};

class Merger {
 public:
  explicit Merger(const JsonMergeOptions& options) : options_(options) {}

  // Nothing: absent in the result.
  [[nodiscard]] std::optional<JsonValue> merge(const Sides& sides, const Place& place) {
    if (same(sides.base, sides.theirs)) return copy_of(sides.ours);
    if (same(sides.base, sides.ours)) return copy_of(sides.theirs);
    const bool alike = same(sides.ours, sides.theirs);
    if (alike && !options_.additive_numbers) return copy_of(sides.ours);
    if (options_.additive_numbers && all_whole_numbers(sides)) {
      if (auto sum = sum_of_changes(sides.base->number()->text, sides.ours->number()->text,
                                    sides.theirs->number()->text))
        return JsonValue{JsonValue::Number{std::move(*sum)}};
    } else if (object_of(sides.ours) != nullptr && object_of(sides.theirs) != nullptr) {
      const std::size_t names = sides.ours->object()->size() + sides.theirs->object()->size();
      if (reserve_paths(names, place)) return JsonValue{merge_members(sides, place)};
    } else if (array_of(sides.ours) != nullptr && array_of(sides.theirs) != nullptr) {
      if (auto merged = merge_arrays(sides, place)) return JsonValue{std::move(*merged)};
    } else if (alike) {
      return copy_of(sides.ours);
    }
    conflicts_.push_back({place.path, text_of(sides.base), text_of(sides.ours),
                          text_of(sides.theirs), kind_of(sides)});
    return favored(sides);
  }

  // Paths are walked in the order of names, which is not that of pointers.
  [[nodiscard]] std::vector<JsonConflict> take_conflicts() {
    std::ranges::sort(conflicts_, {}, [](const JsonConflict& conflict) {
      return std::tie(conflict.path, conflict.kind);
    });
    return std::move(conflicts_);
  }

 private:
  [[nodiscard]] std::optional<JsonValue> favored(const Sides& sides) const {
    if (options_.favor == JsonFavor::kTheirs) return copy_of(sides.theirs);
    if (options_.favor != JsonFavor::kUnion) return copy_of(sides.ours);
    if (sides.ours == nullptr) return copy_of(sides.theirs);
    static const JsonValue::Array kNoItems;
    const JsonValue::Array* base = array_of(sides.base);
    if (array_of(sides.ours) != nullptr && array_of(sides.theirs) != nullptr)
      return JsonValue{unite_json_arrays(base == nullptr ? kNoItems : *base, *sides.ours->array(),
                                         *sides.theirs->array())};
    return copy_of(sides.ours);
  }

  [[nodiscard]] bool reserve_paths(std::size_t names, const Place& place) {
    const std::size_t bytes = place.path.size() * names;
    if (bytes > path_bytes_left_) return false;
    path_bytes_left_ -= bytes;
    return true;
  }

  // A base that is no object had no member: both sides put an object in its place.
  [[nodiscard]] JsonValue::Object merge_members(const Sides& sides, const Place& place) {
    const JsonValue::Object* base = object_of(sides.base);
    const JsonValue::Object& ours = *sides.ours->object();
    const JsonValue::Object& theirs = *sides.theirs->object();
    // One order for both sides, so that exchanging them spends the bounds alike.
    std::vector<std::string> names;
    std::ranges::set_union(std::views::keys(ours), std::views::keys(theirs),
                           std::back_inserter(names));
    JsonValue::Object merged;
    for (const std::string& name : names) {
      const Sides below{member_of(base, name), member_of(&ours, name), member_of(&theirs, name)};
      if (auto value = merge(below, place.member(name))) merged.emplace(name, std::move(*value));
    }
    return merged;
  }

  // Nothing: a conflict of the arrays as a whole. REQUIRES: arrays on both sides.
  [[nodiscard]] std::optional<JsonValue::Array> merge_arrays(const Sides& sides,
                                                             const Place& place) {
    const auto declared = options_.array_keys.find(place.pattern);
    if (declared != options_.array_keys.end()) {
      if (const auto keyed = keyed_sides(sides, declared->second)) {
        const std::size_t items = keyed->ours.order().size() + keyed->theirs.order().size();
        if (!reserve_paths(items, place)) return std::nullopt;
        return merge_items(*keyed, declared->second, place);
      }
    }
    if (same(sides.ours, sides.theirs)) return *sides.ours->array();
    if (array_of(sides.base) == nullptr) return std::nullopt;
    return merge_json_arrays(*sides.base->array(), *sides.ours->array(), *sides.theirs->array(),
                             cells_left_);
  }

  // Nothing: one of them can't be told apart by the key.
  [[nodiscard]] static std::optional<KeyedSides> keyed_sides(const Sides& sides,
                                                             const std::string& key) {
    static const JsonValue::Array kNoItems;
    const JsonValue::Array* base = array_of(sides.base);
    auto began = JsonKeyedArray::of(base == nullptr ? kNoItems : *base, key);
    auto ours = JsonKeyedArray::of(*sides.ours->array(), key);
    auto theirs = JsonKeyedArray::of(*sides.theirs->array(), key);
    if (!began || !ours || !theirs) return std::nullopt;
    return KeyedSides{std::move(*began), std::move(*ours), std::move(*theirs)};
  }

  [[nodiscard]] JsonValue::Array merge_items(const KeyedSides& keyed, const std::string& member,
                                             const Place& place) {
    std::vector<std::string> keys;
    std::ranges::set_union(std::views::keys(keyed.ours.items()),
                           std::views::keys(keyed.theirs.items()), std::back_inserter(keys));
    std::map<std::string, JsonValue> items;
    std::set<std::string> left;
    for (const std::string& key : keys) {
      const Sides below{keyed.base.find(key), keyed.ours.find(key), keyed.theirs.find(key)};
      auto item = merge(below, place.item(member, key));
      if (!item) continue;
      items.emplace(key, std::move(*item));
      left.insert(key);
    }
    const JsonKeyOrder order = merge_key_orders(
        keyed.base, keyed.ours, keyed.theirs, left,
        options_.favor == JsonFavor::kTheirs ? LeadingSide::kTheirs : LeadingSide::kOurs);
    if (order.both_moved)
      conflicts_.push_back({place.path, keys_text(keyed.base.order()),
                            keys_text(keyed.ours.order()), keys_text(keyed.theirs.order()),
                            JsonConflictKind::kBothMoved});
    JsonValue::Array merged;
    for (const std::string& key : order.keys) merged.push_back(std::move(items.at(key)));
    return merged;
  }

  const JsonMergeOptions& options_;  // of the caller, for the length of the call
  std::size_t cells_left_ = kArrayCellsMax;
  std::size_t path_bytes_left_ = kPathBytesMax;
  std::vector<JsonConflict> conflicts_;
};

}  // namespace

std::string_view to_text(JsonConflictKind kind) {
  switch (kind) {
    case JsonConflictKind::kBothChanged:
      return "both_changed";
    case JsonConflictKind::kTypeChanged:
      return "type_changed";
    case JsonConflictKind::kDeleteEdit:
      return "delete_edit";
    case JsonConflictKind::kBothAdded:
      return "both_added";
    case JsonConflictKind::kBothMoved:
      return "both_moved";
  }
  return "unknown";
}

JsonMerge merge_json(const JsonValue& base, const JsonValue& ours, const JsonValue& theirs,
                     const JsonMergeOptions& options) {
  Merger merger(options);
  // All three are there, so the result is.
  JsonValue value = *merger.merge({&base, &ours, &theirs}, {});
  return {std::move(value), merger.take_conflicts()};
}

}  // namespace waggle
