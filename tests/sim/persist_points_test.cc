// A process dies at every single batch of a small history, the coordinator's or an agent's: with
// the batch on the disk and nobody told, and without it. Whatever the checkers watch holds after
// each of these deaths.

#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "tests/sim/random_world.h"

namespace waggle::sim {
namespace {

// No fault but the one death; all that applications can ask for.
Plan busy_plan(std::uint64_t seed, bool agent) {
  Plan plan = Plan::calm(3);
  plan.seed = seed;
  plan.dying_is_agent = agent;
  plan.chaos_millis = 5'000;
  plan.write_every_millis = 80;
  plan.rounds = plan.clients = plan.mixed_types = plan.all_types = plan.strategies = true;
  plan.ephemeral = plan.proposals = plan.claims = plan.tasks = plan.clears = true;
  return plan;
}

// How many batches it made; 0: something was found.
std::uint64_t batches_of(const Plan& plan) {
  const RunResult result = run_world(plan, {});
  for (const Finding& finding : result.findings)
    BOOST_TEST_MESSAGE(finding.checker << ": " << finding.text);
  return result.findings.empty() ? result.batches : 0;
}

void die_at_each_batch(std::uint64_t seed, bool agent) {
  const std::uint64_t batches = batches_of(busy_plan(seed, agent));
  BOOST_TEST_REQUIRE(batches > 20u);
  for (std::uint64_t at = 1; at <= batches; ++at)
    for (const bool stays : {false, true}) {
      Plan plan = busy_plan(seed, agent);
      plan.dies_at_batch = at;
      plan.dying_batch_stays = stays;
      BOOST_TEST(batches_of(plan) != 0u, "seed " << seed << ", batch " << at << " of " << batches
                                                 << (stays ? ", on the disk" : ", not written"));
    }
  BOOST_TEST_MESSAGE("seed " << seed << ": " << 2 * batches << " deaths");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_coordinator_that_dies_at_any_batch_loses_nothing_and_doubles_nothing) {
  for (const std::uint64_t seed : {1u, 2u}) die_at_each_batch(seed, false);
}

BOOST_AUTO_TEST_CASE(an_agent_that_dies_at_any_batch_loses_nothing_and_doubles_nothing) {
  for (const std::uint64_t seed : {1u, 2u}) die_at_each_batch(seed, true);
}

}  // namespace waggle::sim
