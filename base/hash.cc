#include "base/hash.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <sodium.h>
#include <xxhash.h>

#include "base/check.h"

namespace waggle {

Hash128& Hash128::operator+=(const Hash128& other) {
  const std::uint64_t sum = low + other.low;
  high += other.high + (sum < low ? 1 : 0);
  low = sum;
  return *this;
}

Hash128& Hash128::operator-=(const Hash128& other) {
  high -= other.high + (low < other.low ? 1 : 0);
  low -= other.low;
  return *this;
}

Hash128 hash128(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

std::string to_hex(const Hash128& hash) {
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

ChainHash chain_hash(std::string_view bytes) {
  ChainHash hash;
  const int failure = crypto_generichash(hash.data(), hash.size(),
                                         reinterpret_cast<const unsigned char*>(bytes.data()),
                                         bytes.size(), nullptr, 0);
  WAGGLE_CHECK(failure == 0);
  return hash;
}

void CanonicalBytes::u64(std::uint64_t value) {
  std::array<char, 8> little;
  for (std::size_t i = 0; i < little.size(); ++i) little[i] = static_cast<char>(value >> (8 * i));
  bytes_.append(little.data(), little.size());
}

void CanonicalBytes::text(std::string_view value) {
  u64(value.size());
  bytes_.append(value);
}

}  // namespace waggle
