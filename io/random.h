#pragma once

// Seeds from the system's random device. Everything random in a core comes from one Prng that was
// seeded here. Thread-safe.

#include <cstdint>

namespace waggle {

// 64 random bits of getrandom(2). Waits only while the machine boots.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace waggle
