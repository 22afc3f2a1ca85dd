#pragma once

// "Did you mean ...?": the known name that a mistyped one is nearest to.

#include <string>
#include <string_view>
#include <vector>

namespace waggle::cli {

// Letters to insert, delete, replace or swap with their neighbour to get from `a` to `b`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, the first one among equals; empty when none is near enough to be meant.
[[nodiscard]] std::string nearest(std::string_view name, const std::vector<std::string>& known);

// ", did you mean 'listen'?" or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       const std::vector<std::string>& known);

}  // namespace waggle::cli
