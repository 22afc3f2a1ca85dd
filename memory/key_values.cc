#include "memory/key_values.h"

namespace waggle {

Status MapKeyValues::put(const std::string& space, const std::string& key,
                         const std::string& value) {
  spaces_[space][key] = value;
  return {};
}

Status MapKeyValues::remove(const std::string& space, const std::string& key) {
  const auto found = spaces_.find(space);
  if (found == spaces_.end()) return {};
  found->second.erase(key);
  if (found->second.empty()) spaces_.erase(found);
  return {};
}

Status MapKeyValues::clear(const std::string& space) {
  spaces_.erase(space);
  return {};
}

Result<std::optional<std::string>> MapKeyValues::get(const std::string& space,
                                                     const std::string& key) {
  const auto found = spaces_.find(space);
  if (found == spaces_.end()) return std::nullopt;
  const auto value = found->second.find(key);
  if (value == found->second.end()) return std::nullopt;
  return value->second;
}

Status MapKeyValues::visit(const std::string& space, std::string_view prefix, const Visit& visit) {
  const auto found = spaces_.find(space);
  if (found == spaces_.end()) return {};
  const auto& keys = found->second;
  for (auto key = keys.lower_bound(std::string(prefix));
       key != keys.end() && key->first.starts_with(prefix); ++key)
    visit(space, key->first, key->second);
  return {};
}

Status MapKeyValues::visit_all(const Visit& visit) {
  for (const auto& [space, keys] : spaces_)
    for (const auto& [key, value] : keys) visit(space, key, value);
  return {};
}

}  // namespace waggle
