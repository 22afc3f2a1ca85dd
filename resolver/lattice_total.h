#pragma once

// Arithmetic of counters: sums are made in 128 bits and come out in 64, or not at all. Nothing
// wraps and nothing sticks at an end of the range.

#include <cstdint>

#include "base/status.h"

namespace waggle::lattice {

__extension__ typedef __int128 WideTotal;

[[nodiscard]] constexpr std::uint64_t magnitude(std::int64_t amount) {
  return amount < 0 ? -static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
}
// Errors of both: kRejected outside the range.
[[nodiscard]] Result<std::int64_t> narrowed(WideTotal total);
[[nodiscard]] Result<std::uint64_t> narrowed_natural(WideTotal total);

}  // namespace waggle::lattice
