#pragma once

// Numbers of JSON by their value, exactly: no digit is rounded away.

#include <optional>
#include <string>
#include <string_view>

namespace waggle {

// As RFC 6902 asks for it: 100000 and 1e5 are one number. REQUIRES: numbers of JSON. Cost: linear
// in the texts.
[[nodiscard]] bool equal_json_numbers(std::string_view a, std::string_view b);

// Written as a whole number, which a signed or unsigned integer of 64 bits holds.
[[nodiscard]] bool is_whole_json_number(std::string_view text);

// ours + theirs - base: what both changes together make of the base. Nothing: beyond 64 bits.
// REQUIRES: whole numbers, see is_whole_json_number().
[[nodiscard]] std::optional<std::string> sum_of_changes(std::string_view base,
                                                        std::string_view ours,
                                                        std::string_view theirs);

}  // namespace waggle
