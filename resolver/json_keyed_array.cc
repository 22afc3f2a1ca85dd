#include "resolver/json_keyed_array.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace waggle {
namespace {

using Keys = std::vector<std::string>;

template <typename Wanted>
Keys only(const Keys& order, Wanted wanted) {
  Keys kept;
  std::ranges::copy_if(order, std::back_inserter(kept), wanted);
  return kept;
}

// The order of the items that both sides hold. What the base held too tells who moved items; items
// that both sides added have no order before.
JsonKeyOrder order_of_shared(const JsonKeyedArray& base, const JsonKeyedArray& ours,
                             const JsonKeyedArray& theirs, LeadingSide leading) {
  const Keys our_order =
      only(ours.order(), [&](const std::string& key) { return theirs.find(key) != nullptr; });
  const Keys their_order =
      only(theirs.order(), [&](const std::string& key) { return ours.find(key) != nullptr; });
  if (our_order == their_order) return {our_order, false};
  const auto in_base = [&](const std::string& key) { return base.find(key) != nullptr; };
  const Keys base_order = only(base.order(), [&](const std::string& key) {
    return ours.find(key) != nullptr && theirs.find(key) != nullptr;
  });
  const bool we_moved = only(our_order, in_base) != base_order;
  const bool they_moved = only(their_order, in_base) != base_order;
  if (we_moved != they_moved) return {we_moved ? our_order : their_order, false};
  return {leading == LeadingSide::kOurs ? our_order : their_order, true};
}

// The items of one side alone, by the shared item that stands before them; "", which is the text of
// no key, for those before all of them.
std::map<std::string, Keys> groups_behind_shared(const JsonKeyedArray& side,
                                                 const JsonKeyedArray& other,
                                                 const std::set<std::string>& left) {
  std::map<std::string, Keys> groups;
  std::string before;
  for (const std::string& key : side.order()) {
    if (other.find(key) != nullptr) {
      before = key;
    } else if (left.contains(key)) {
      groups[before].push_back(key);
    }
  }
  return groups;
}

}  // namespace

std::optional<JsonKeyedArray> JsonKeyedArray::of(const JsonValue::Array& items,
                                                 const std::string& key) {
  JsonKeyedArray keyed;
  for (const JsonValue& item : items) {
    const JsonValue::Object* members = item.object();
    if (members == nullptr) return std::nullopt;
    const auto member = members->find(key);
    if (member == members->end()) return std::nullopt;
    const JsonValue& value = member->second;
    if (value.text() == nullptr && value.number() == nullptr) return std::nullopt;
    std::string text = to_json(value);
    if (!keyed.items_.emplace(text, &item).second) return std::nullopt;
    keyed.order_.push_back(std::move(text));
  }
  return keyed;
}

const JsonValue* JsonKeyedArray::find(const std::string& key) const {
  const auto at = items_.find(key);
  return at == items_.end() ? nullptr : at->second;
}

JsonKeyOrder merge_key_orders(const JsonKeyedArray& base, const JsonKeyedArray& ours,
                              const JsonKeyedArray& theirs, const std::set<std::string>& left,
                              LeadingSide leading) {
  const JsonKeyOrder shared = order_of_shared(base, ours, theirs, leading);
  const auto our_groups = groups_behind_shared(ours, theirs, left);
  const auto their_groups = groups_behind_shared(theirs, ours, left);
  JsonKeyOrder merged{{}, shared.both_moved};
  const auto append = [&merged](const Keys& keys) {
    merged.keys.insert(merged.keys.end(), keys.begin(), keys.end());
  };
  const auto append_groups_behind = [&](const std::string& key) {
    const auto our_group = our_groups.find(key);
    const auto their_group = their_groups.find(key);
    const bool we_have = our_group != our_groups.end();
    const bool they_have = their_group != their_groups.end();
    const bool theirs_first =
        we_have && they_have && their_group->second.front() < our_group->second.front();
    if (theirs_first) append(their_group->second);
    if (we_have) append(our_group->second);
    if (they_have && !theirs_first) append(their_group->second);
  };
  append_groups_behind("");
  for (const std::string& key : shared.keys) {
    merged.keys.push_back(key);
    append_groups_behind(key);
  }
  return merged;
}

std::string keys_text(const std::vector<std::string>& order) {
  return fmt::format("[{}]", fmt::join(order, ","));
}

}  // namespace waggle
