#pragma once

// Compression of large values, alone or against an earlier value that the other side has: then only
// what changed costs something. Packed bytes are never hashed or compared: another version of the
// library may pack the same in other bytes.
//
//   packed := a Zstandard frame with its size and a checksum (RFC 8878)
//           | 'L' hash(8 bytes: the low half of hash128() of the bytes) size an LZ4 block
//
// The size is a varint as base/bytes.h has it. LZ4 reaches 64 KiB back, so of a large value against
// an earlier one it finds only what moved by less; Zstandard sees all of it. LZ4 unpacks three
// times as fast.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace waggle {

// kAuto: what measures best at present, which is kZstd.
enum class Packing : std::uint8_t { kAuto, kNone, kLz4, kZstd };

// Nothing: it would save no more than 30 %, the bytes are fewer than kPackLeast, or it is kNone.
inline constexpr std::size_t kPackLeast = 256;
[[nodiscard]] std::optional<std::string> pack(std::string_view bytes, std::string_view prefix = {},
                                              Packing packing = Packing::kAuto);
// Bound: `bytes_max`, whatever the packed bytes say. Errors: kRejected.
[[nodiscard]] Result<std::string> unpack(std::string_view packed, std::size_t bytes_max,
                                         std::string_view prefix = {});

}  // namespace waggle
