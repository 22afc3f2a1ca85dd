#pragma once

// Equality of numbers by value, as RFC 6902 asks for it: 100000 and 1e5 are one number.

#include <string_view>

namespace waggle {

// REQUIRES: numbers of JSON. Exact: no digit is rounded away. Cost: linear in the texts.
[[nodiscard]] bool equal_json_numbers(std::string_view a, std::string_view b);

}  // namespace waggle
