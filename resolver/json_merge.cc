#include "resolver/json_merge.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>
#include <utility>

#include "resolver/json_array_merge.h"
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

class Merger {
 public:
  explicit Merger(JsonFavor favor) : favor_(favor) {}

  // Nothing: absent in the result.
  [[nodiscard]] std::optional<JsonValue> merge(const Sides& sides, const std::string& path) {
    if (same(sides.ours, sides.theirs) || same(sides.base, sides.theirs))
      return copy_of(sides.ours);
    if (same(sides.base, sides.ours)) return copy_of(sides.theirs);
    if (object_of(sides.ours) != nullptr && object_of(sides.theirs) != nullptr) {
      if (reserve_paths(sides, path)) return JsonValue{merge_members(sides, path)};
    } else if (array_of(sides.base) != nullptr && array_of(sides.ours) != nullptr &&
               array_of(sides.theirs) != nullptr) {
      if (auto merged = merge_json_arrays(*sides.base->array(), *sides.ours->array(),
                                          *sides.theirs->array(), cells_left_))
        return JsonValue{std::move(*merged)};
    }
    conflicts_.push_back({path, text_of(sides.base), text_of(sides.ours), text_of(sides.theirs)});
    return copy_of(favor_ == JsonFavor::kTheirs ? sides.theirs : sides.ours);
  }

  // Paths are walked in the order of names, which is not that of pointers.
  [[nodiscard]] std::vector<JsonConflict> take_conflicts() {
    std::ranges::sort(conflicts_, {}, &JsonConflict::path);
    return std::move(conflicts_);
  }

 private:
  [[nodiscard]] bool reserve_paths(const Sides& sides, const std::string& path) {
    const std::size_t bytes =
        path.size() * (sides.ours->object()->size() + sides.theirs->object()->size());
    if (bytes > path_bytes_left_) return false;
    path_bytes_left_ -= bytes;
    return true;
  }

  // A base that is no object had no member: both sides put an object in its place.
  [[nodiscard]] JsonValue::Object merge_members(const Sides& sides, const std::string& path) {
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
      if (auto value = merge(below, json_pointer_below(path, name)))
        merged.emplace(name, std::move(*value));
    }
    return merged;
  }

  const JsonFavor favor_;
  std::size_t cells_left_ = kArrayCellsMax;
  std::size_t path_bytes_left_ = kPathBytesMax;
  std::vector<JsonConflict> conflicts_;
};

}  // namespace

JsonMerge merge_json(const JsonValue& base, const JsonValue& ours, const JsonValue& theirs,
                     JsonFavor favor) {
  Merger merger(favor);
  // All three are there, so the result is.
  JsonValue value = *merger.merge({&base, &ours, &theirs}, "");
  return {std::move(value), merger.take_conflicts()};
}

}  // namespace waggle
