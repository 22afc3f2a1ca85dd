#pragma once

// The number of the stores' format, in `meta` of each of them and in every snapshot of one.

#include <cstdint>

namespace waggle {

// Raised when an old Waggle must not touch the store any more: docs/storage.md says what changed.
// Older formats from the oldest on are read, and raised when the store is opened for writing.
inline constexpr std::uint64_t kStoreFormat = 2;
inline constexpr std::uint64_t kOldestStoreFormat = 1;

}  // namespace waggle
