#pragma once

// The fields of maps within maps, by the names on the way to them.

#include <string>
#include <utility>
#include <vector>

#include "base/value.h"

namespace waggle::cli {

struct NamedField {
  FieldId id;
  const Field* field = nullptr;  // never null; lives as long as the value that it was found in
};

// Every field of that path, one for each type that its last name has, in the order of their types;
// empty where there is none, or a name on the way is no map. REQUIRES: a path of at least one name.
[[nodiscard]] std::vector<NamedField> fields_at(const Value& value,
                                                const std::vector<std::string>& path);

// 'home' / 'city', for people.
[[nodiscard]] std::string text_of_path(const std::vector<std::string>& path);

}  // namespace waggle::cli
