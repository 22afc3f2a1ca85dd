#pragma once

// What one agent may do to the coordinator that all share. Rates are kept by allowances.h, the
// others are judged where they are met. 0: there is no limit, where nothing else is said.

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace waggle {

struct AgentLimits {
  // A second, over time. The defaults are beyond what an honest agent sends on one machine; they
  // bound one that has lost its mind.
  std::uint64_t messages = 50'000;                 // frames of any kind
  std::uint64_t writes = 250'000;                  // mutations and ephemeral entries
  std::uint64_t bytes = std::uint64_t{256} << 20;  // of frames
  std::int64_t burst_millis = 2'000;  // what so much time brings may come at once; at least 1

  std::size_t rounds = 32;  // asked for and not over yet; of all clients of a swarm together too
  std::uint64_t keys = 0;   // live ones of a swarm that it wrote last; then it makes no new one
  std::size_t value_bytes = limits::kValueBytes;     // not 0
  std::uint32_t history = limits::kHistoryVersions;  // earlier versions of a key; 0: none
  [[nodiscard]] bool bound_rates() const { return messages > 0 || writes > 0 || bytes > 0; }
};

}  // namespace waggle
