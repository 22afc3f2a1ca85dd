#pragma once

// Two hashes. Hash128 (XXH3, 128 bits) finds differences made by accident: content hashes and
// digests. ChainHash (BLAKE2b, RFC 7693, 256 bits) resists an adversary: receipts. Both are taken
// of our own canonical bytes, never of Cap'n Proto bytes, which are not canonical.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace waggle {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  // Addition and subtraction modulo 2^128: sums of element hashes don't depend on the order.
  Hash128& operator+=(const Hash128& other);
  Hash128& operator-=(const Hash128& other);
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};
[[nodiscard]] Hash128 hash128(std::string_view bytes);
[[nodiscard]] std::string to_hex(const Hash128& hash);

using ChainHash = std::array<std::uint8_t, 32>;
[[nodiscard]] ChainHash chain_hash(std::string_view bytes);

// Builds canonical bytes: little-endian numbers and length-prefixed strings, nothing optional.
class CanonicalBytes {
 public:
  explicit CanonicalBytes(std::size_t expected = 64) { bytes_.reserve(expected); }
  void u8(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void u64(std::uint64_t value);
  void text(std::string_view value);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace waggle
