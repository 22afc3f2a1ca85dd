#include "resolver/json_array_merge.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace waggle {
namespace {

// Stands for an item: equal items have equal ids, so that they are compared in one step.
using ItemId = std::uint32_t;
using ItemIds = std::span<const ItemId>;

class ItemTable {
 public:
  [[nodiscard]] std::vector<ItemId> ids_of(const JsonValue::Array& items) {
    std::vector<ItemId> ids;
    ids.reserve(items.size());
    for (const JsonValue& item : items)
      ids.push_back(
          ids_.try_emplace(to_json(item), static_cast<ItemId>(ids_.size())).first->second);
    return ids;
  }

 private:
  std::map<std::string, ItemId> ids_;
};

constexpr std::size_t kUnmatched = SIZE_MAX;

// For each item of the base the index of the side's item that it became, ascending: a longest
// common subsequence, of several the one that takes the earliest items. Cost: the product of the
// lengths, without what is equal at the front and the end.
std::vector<std::size_t> matches_of(ItemIds base, ItemIds side) {
  std::vector<std::size_t> match(base.size(), kUnmatched);
  std::size_t front = 0;
  while (front < base.size() && front < side.size() && base[front] == side[front]) {
    match[front] = front;
    ++front;
  }
  std::size_t base_end = base.size();
  std::size_t side_end = side.size();
  while (base_end > front && side_end > front && base[base_end - 1] == side[side_end - 1])
    match[--base_end] = --side_end;

  // longest[i * width + j]: of what begins at base[front + i] and side[front + j].
  static_assert(kJsonArrayItemsMax <= UINT16_MAX);
  const std::size_t height = base_end - front;
  const std::size_t width = side_end - front + 1;
  std::vector<std::uint16_t> longest((height + 1) * width, 0);
  for (std::size_t i = height; i-- > 0;)
    for (std::size_t j = width - 1; j-- > 0;)
      longest[i * width + j] =
          base[front + i] == side[front + j]
              ? static_cast<std::uint16_t>(longest[(i + 1) * width + j + 1] + 1)
              : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  for (std::size_t i = 0, j = 0; i < height && j + 1 < width;) {
    if (base[front + i] == side[front + j]) {
      match[front + i++] = front + j++;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return match;
}

// Where a piece begins or ends in each of the three.
struct Position {
  std::size_t base = 0;
  std::size_t ours = 0;
  std::size_t theirs = 0;
};

class ArrayMerge {
 public:
  ArrayMerge(const JsonValue::Array& base, const JsonValue::Array& ours,
             const JsonValue::Array& theirs)
      : ours_(ours), theirs_(theirs) {
    ItemTable table;
    base_ids_ = table.ids_of(base);
    our_ids_ = table.ids_of(ours);
    their_ids_ = table.ids_of(theirs);
  }

  [[nodiscard]] std::optional<JsonValue::Array> run() {
    const std::vector<std::size_t> our_match = matches_of(base_ids_, our_ids_);
    const std::vector<std::size_t> their_match = matches_of(base_ids_, their_ids_);
    Position done;
    for (std::size_t i = 0; i < base_ids_.size(); ++i) {
      if (our_match[i] == kUnmatched || their_match[i] == kUnmatched) continue;
      const Position stable{i, our_match[i], their_match[i]};
      if (!take_piece(done, stable)) return std::nullopt;
      merged_.push_back(ours_[stable.ours]);
      done = {stable.base + 1, stable.ours + 1, stable.theirs + 1};
    }
    if (!take_piece(done, {base_ids_.size(), our_ids_.size(), their_ids_.size()}))
      return std::nullopt;
    return std::move(merged_);
  }

 private:
  // Appends what stands between two positions. False: both sides changed it, differently.
  [[nodiscard]] bool take_piece(const Position& from, const Position& to) {
    const ItemIds base = ItemIds(base_ids_).subspan(from.base, to.base - from.base);
    const ItemIds ours = ItemIds(our_ids_).subspan(from.ours, to.ours - from.ours);
    const ItemIds theirs = ItemIds(their_ids_).subspan(from.theirs, to.theirs - from.theirs);
    if (std::ranges::equal(theirs, base) || std::ranges::equal(ours, theirs)) {
      append(ours_, from.ours, to.ours);
    } else if (std::ranges::equal(ours, base)) {
      append(theirs_, from.theirs, to.theirs);
    } else {
      return false;
    }
    return true;
  }
  void append(const JsonValue::Array& items, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) merged_.push_back(items[i]);
  }

  const JsonValue::Array& ours_;  // of the caller, for the length of the call
  const JsonValue::Array& theirs_;
  std::vector<ItemId> base_ids_;
  std::vector<ItemId> our_ids_;
  std::vector<ItemId> their_ids_;
  JsonValue::Array merged_;
};

}  // namespace

std::optional<JsonValue::Array> merge_json_arrays(const JsonValue::Array& base,
                                                  const JsonValue::Array& ours,
                                                  const JsonValue::Array& theirs,
                                                  std::size_t& cells) {
  if (std::max({base.size(), ours.size(), theirs.size()}) > kJsonArrayItemsMax) return std::nullopt;
  const std::size_t needed = base.size() * (ours.size() + theirs.size());
  if (needed > cells) return std::nullopt;
  cells -= needed;
  return ArrayMerge(base, ours, theirs).run();
}

JsonValue::Array unite_json_arrays(const JsonValue::Array& base, const JsonValue::Array& ours,
                                   const JsonValue::Array& theirs) {
  ItemTable table;
  const std::vector<ItemId> base_ids = table.ids_of(base);
  const std::vector<ItemId> our_ids = table.ids_of(ours);
  const std::vector<ItemId> their_ids = table.ids_of(theirs);
  const std::set<ItemId> began(base_ids.begin(), base_ids.end());
  const std::set<ItemId> they_hold(their_ids.begin(), their_ids.end());
  std::set<ItemId> known = began;  // what theirs can't add any more
  known.insert(our_ids.begin(), our_ids.end());
  JsonValue::Array united;
  for (std::size_t i = 0; i < ours.size(); ++i)
    if (!began.contains(our_ids[i]) || they_hold.contains(our_ids[i])) united.push_back(ours[i]);
  for (std::size_t i = 0; i < theirs.size(); ++i)
    if (known.insert(their_ids[i]).second) united.push_back(theirs[i]);
  return united;
}

}  // namespace waggle
