#pragma once

// What one seed draws: which faults a world has and how often, how many agents, how small the
// limits, how long. Every class of fault is on in about half of the seeds, so that some worlds are
// calm, some have a single fault, and some have all at once.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/prng.h"

namespace waggle::sim {

// Of 1000 frames so many are ...
struct LinkRates {
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t overtaken = 0;  // arrive out of order
  std::uint64_t late = 0;       // arrive up to `late_millis` later
  std::int64_t latency_min = 1;
  std::int64_t latency_max = 5;
  std::int64_t late_millis = 0;
};

// What becomes of one frame, by its number in the order in which all are sent.
enum class Fate : std::uint8_t { kLost, kDoubled, kLate };
struct FatedFrame {
  std::uint64_t number = 0;
  Fate fate = Fate::kLost;
};

struct Plan {
  std::uint64_t seed = 0;
  std::size_t agents = 3;
  std::size_t observers = 0;  // so many of them, the last ones
  std::size_t unstored = 0;   // so many of them, the first ones, have no data directory
  std::int64_t chaos_millis = 30'000;
  std::int64_t heal_millis = 120'000;
  std::int64_t beat_millis = 1'000;
  std::int64_t fault_every_millis = 1'500;
  std::int64_t write_every_millis = 300;

  LinkRates up, down, broadcast;
  bool through_codec = false;

  // Faults of the world, drawn one after another while there is chaos.
  bool crash_coordinator = false;
  bool crash_agents = false;
  bool lose_agent_data = false;
  bool restore_coordinator = false;
  bool lose_coordinator_data = false;
  bool reconnect = false;
  bool partitions = false;
  bool failing_syncs = false;
  bool slow_disk = false;
  bool clocks = false;
  bool clocks_far_ahead = false;
  bool clocks_of_other_years = false;
  bool clocks_unsteady = false;  // swing to and fro, stand still
  bool replays = false;          // frames of earlier connections come again
  bool twins = false;            // other processes with the id of an agent
  bool compact = false;
  bool offline = false;
  bool disk_full = false;
  bool leave = false;
  bool channel_fails = false;
  bool flood = false;         // a member that floods, and limits that it alone is over
  bool tight_limits = false;  // that everybody is over now and then

  std::vector<FatedFrame> fated;  // beside the rates of the links
  bool smallest = false;          // all start at once and write two keys

  // The batch of that number ends with its process, the coordinator or the first agent: on
  // the disk, or not.
  std::uint64_t dies_at_batch = 0;  // 0: none does
  bool dying_is_agent = false;
  bool dying_batch_stays = false;

  std::uint64_t tombstones_max = 100'000;
  std::uint32_t chunk_bytes = 0;  // 0: the coordinator's own
  bool rounds = true;
  bool clients = true;
  bool mixed_types = false;
  bool all_types = false;   // writes of every value type
  bool strategies = false;  // registers under every strategy, conflicts that are parked and settled
  bool ephemeral = false;   // writes of keys that live in memory only
  bool proposals = false;   // proposals and votes
  bool claims = false;      // of the keys of registers, for a while
  bool tasks = false;       // tasks: added, taken, done, failed
  bool clears = false;      // now and then the whole swarm is cleared
  bool hidden = false;      // keys that every other agent may not read

  [[nodiscard]] bool blind(std::size_t agent) const { return hidden && agent % 2 == 1; }
  [[nodiscard]] bool observes(std::size_t agent) const { return agent + observers >= agents; }
  [[nodiscard]] bool stores(std::size_t agent) const { return agent >= unstored; }

  static Plan drawn(std::uint64_t seed);
  // No fault, no workload: what a scenario starts from.
  static Plan calm(std::size_t agents);
};

}  // namespace waggle::sim
