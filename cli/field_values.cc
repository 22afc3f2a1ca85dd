#include "cli/field_values.h"

#include <variant>

#include "cli/output.h"

namespace waggle::cli {

std::vector<NamedField> fields_at(const Value& value, const std::vector<std::string>& path) {
  const Map* map = std::get_if<Map>(&value);
  for (std::size_t i = 0; map != nullptr && i + 1 < path.size(); ++i) {
    const Field* inner = map->fields.find(FieldId{path[i], ValueType::kMap});
    map = inner == nullptr ? nullptr : std::get_if<Map>(&inner->value->value);
  }
  std::vector<NamedField> found;
  if (map == nullptr) return found;
  for (const ValueType type : kValueTypes) {
    FieldId id{path.back(), type};
    if (const Field* field = map->fields.find(id)) found.push_back({std::move(id), field});
  }
  return found;
}

std::string text_of_path(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& name : path)
    text += (text.empty() ? "'" : " / '") + printable(name, 128) + "'";
  return text;
}

}  // namespace waggle::cli
