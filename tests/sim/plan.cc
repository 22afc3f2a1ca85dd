#include "tests/sim/plan.h"

namespace waggle::sim {
namespace {

LinkRates rates(Prng& random, bool loss, bool doubles, bool overtaking, bool late) {
  LinkRates rates;
  // Mostly small rates: a link that loses a third of everything hides what a rare loss breaks.
  const auto rate = [&](std::uint64_t most) {
    return random.chance(3, 4) ? random.below(most / 10 + 1) + 1 : random.below(most) + 1;
  };
  if (loss) rates.lost = rate(300);
  if (doubles) rates.doubled = rate(300);
  if (overtaking) rates.overtaken = rate(500);
  if (late) {
    rates.late = rate(100);
    rates.late_millis = random.between(500, 8'000);
  }
  rates.latency_min = random.between(1, 5);
  rates.latency_max = rates.latency_min + random.between(0, 60);
  return rates;
}

}  // namespace

Plan Plan::drawn(std::uint64_t seed) {
  Prng random(seed * 2 + 1);
  const auto coin = [&] { return random.chance(1, 2); };
  Plan plan;
  plan.seed = seed;
  plan.agents = static_cast<std::size_t>(random.between(1, 6));
  plan.chaos_millis = random.between(8'000, 40'000);
  constexpr std::int64_t kBeats[] = {300, 1'000, 2'000, 5'000};
  plan.beat_millis = kBeats[random.below(4)];
  plan.fault_every_millis = random.between(300, 4'000);
  plan.write_every_millis = random.between(50, 1'000);
  const bool loss = coin(), doubles = coin(), overtaking = coin(), late = coin();
  plan.up = rates(random, loss, doubles, overtaking, late);
  plan.down = rates(random, loss, doubles, overtaking, late);
  plan.broadcast = rates(random, loss, doubles, overtaking, late);
  plan.through_codec = random.chance(1, 4);
  plan.crash_coordinator = coin();
  plan.crash_agents = coin();
  plan.lose_agent_data = coin();
  plan.restore_coordinator = random.chance(1, 3);
  plan.reconnect = coin();
  plan.partitions = coin();
  plan.failing_syncs = coin();
  plan.slow_disk = coin();
  plan.clocks = coin();
  plan.clocks_far_ahead = coin();
  plan.compact = coin();
  plan.offline = coin();
  plan.disk_full = random.chance(1, 4);
  plan.leave = random.chance(1, 4);
  plan.channel_fails = random.chance(1, 4);
  plan.tombstones_max = coin() ? random.below(8) : 100'000;
  plan.chunk_bytes = coin() ? static_cast<std::uint32_t>(random.between(1, 2'000)) : 0;
  plan.rounds = coin();
  plan.clients = coin();
  plan.mixed_types = coin();
  plan.clears = random.chance(1, 3);
  plan.lose_coordinator_data = random.chance(1, 6);
  if (random.chance(1, 3)) plan.observers = random.below(plan.agents);
  if (random.chance(1, 4)) plan.unstored = random.below(plan.agents) + 1;
  plan.all_types = random.chance(2, 3);
  plan.strategies = random.chance(2, 3);
  plan.ephemeral = coin();
  plan.claims = coin();
  plan.proposals = coin();
  plan.tasks = coin();
  plan.clocks_of_other_years = random.chance(1, 4);
  plan.clocks_unsteady = random.chance(1, 4);
  plan.replays = coin();
  plan.twins = random.chance(1, 4);
  plan.hidden = random.chance(1, 4);
  plan.flood = random.chance(1, 4);
  plan.tight_limits = !plan.flood && random.chance(1, 4);
  return plan;
}

Plan Plan::calm(std::size_t agents) {
  Plan plan;
  plan.agents = agents;
  plan.rounds = false;
  plan.clients = false;
  plan.up.latency_max = plan.up.latency_min;
  plan.down.latency_max = plan.down.latency_min;
  plan.broadcast.latency_max = plan.broadcast.latency_min;
  return plan;
}

}  // namespace waggle::sim
