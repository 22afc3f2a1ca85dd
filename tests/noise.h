#pragma once

// Bytes that no compression makes smaller, for tests of sizes.

#include <cstdint>
#include <string>

#include "base/prng.h"

namespace waggle::testing {

[[nodiscard]] inline std::string noise(std::size_t size, std::uint64_t seed = 1) {
  Prng random(seed);
  std::string bytes;
  bytes.reserve(size + 8);
  while (bytes.size() < size) {
    const std::uint64_t eight = random.next();
    for (unsigned shift = 0; shift < 64; shift += 8)
      bytes.push_back(static_cast<char>(eight >> shift));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace waggle::testing
