#pragma once

// Durations and sizes as people write them: "250ms", "5s", "2m", "24h", "7d"; "512", "64KiB",
// "256MiB", "1GB". A unit is needed for a duration, since a bare number means seconds to one and
// milliseconds to another.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace waggle::cli {

// In milliseconds, 0 or more; fractions such as "1.5s" are fine.
[[nodiscard]] Result<std::int64_t> parse_duration(std::string_view text);
// In bytes. K, M, G (with or without "iB") are powers of 1024; kB, MB, GB are powers of 1000.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// "12 ms", "1.5 s", "2 m 5 s", "3 h 20 m"
[[nodiscard]] std::string duration_text(std::int64_t millis);
// "812 B", "2.1 KiB", "256 MiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);
// "2025-03-01T12:00:00.250Z"
[[nodiscard]] std::string wall_text(std::int64_t wall_millis);

}  // namespace waggle::cli
