#pragma once

// Patterns of keys: `*` stands for any text, the empty one and '/' included, `?` for exactly one
// byte, everything else for itself. There is no escape and no character class.

#include <string_view>

namespace waggle {

// Time: at most the product of the lengths, whatever the pattern. No memory.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);
// No `*` and no `?`: it matches itself alone.
[[nodiscard]] bool is_plain_key(std::string_view pattern);
// Some text matches both. Time: at most the product of the lengths. Memory: the second's length.
[[nodiscard]] bool globs_overlap(std::string_view a, std::string_view b);
// Every text that matches `inner` matches `outer`. False where that takes more than to let each `*`
// and `?` of `inner` be matched by one of `outer`: of "a*" and "?*" it is told, of "**?" and "?*"
// not.
[[nodiscard]] bool glob_covers(std::string_view outer, std::string_view inner);
// The bytes before the first `*` or `?`: every match begins with them.
[[nodiscard]] std::string_view glob_prefix(std::string_view pattern);

}  // namespace waggle
