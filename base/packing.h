#pragma once

// Compression of large values (Zstandard, RFC 8878), alone or against an earlier value that the
// other side has: then only what changed costs something. Packed bytes are never hashed or
// compared: another version of the library may pack the same in other bytes.

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace waggle {

// Nothing: it would save no more than 30 %, or the bytes are fewer than kPackLeast.
inline constexpr std::size_t kPackLeast = 256;
[[nodiscard]] std::optional<std::string> pack(std::string_view bytes, std::string_view prefix = {});
// Bound: `bytes_max`, whatever the packed bytes say. Errors: kRejected.
[[nodiscard]] Result<std::string> unpack(std::string_view packed, std::size_t bytes_max,
                                         std::string_view prefix = {});

}  // namespace waggle
