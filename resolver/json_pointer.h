#pragma once

// JSON pointers: the path of a value in a JSON text, RFC 6901. "/" stands before each name, which
// writes "~" as "~0" and "/" as "~1"; the empty pointer is the whole text.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace waggle {

// The pointer of a member or item of what `parent` points to.
[[nodiscard]] std::string json_pointer_below(std::string_view parent, std::string_view name);

// The names of a pointer, unescaped. Errors: kRejected with what was expected.
[[nodiscard]] Result<std::vector<std::string>> parse_json_pointer(std::string_view pointer);

// A name as the index of an array's item: digits without a leading zero.
[[nodiscard]] std::optional<std::size_t> to_array_index(std::string_view name);

}  // namespace waggle
