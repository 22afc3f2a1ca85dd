// The smallest world, exhausted: two agents that join and write two keys, and every frame of it,
// and every pair of frames, lost, doubled or late. Whatever the checkers watch holds each time.
//
// Bound: two faults a history. A frame that comes late, or for the second time, comes some writes
// later, so that it is overtaken by what was sent behind it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/sim/random_world.h"

namespace waggle::sim {
namespace {

constexpr Fate kFates[] = {Fate::kLost, Fate::kDoubled, Fate::kLate};

Plan smallest_plan(std::uint64_t seed) {
  Plan plan = Plan::calm(2);
  plan.seed = seed;
  plan.smallest = true;
  plan.beat_millis = 5'000;
  plan.chaos_millis = 400;
  plan.write_every_millis = 80;
  return plan;
}

// How many frames were sent before healing.
std::uint64_t holds(std::uint64_t seed, std::vector<FatedFrame> fated) {
  Plan plan = smallest_plan(seed);
  plan.fated = std::move(fated);
  const RunResult result = run_world(plan, {});
  std::string frames;
  for (const FatedFrame& one : plan.fated)
    frames += " " + std::to_string(one.number) + ":" + std::to_string(static_cast<int>(one.fate));
  for (const Finding& finding : result.findings)
    BOOST_ERROR("seed " << seed << ", frames" << frames << ": " << finding.checker << ": "
                        << finding.text);
  return result.frames;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_two_frames_lost_doubled_or_late_break_anything) {
  std::uint64_t histories = 0;
  for (const std::uint64_t seed : {1u, 2u}) {
    const std::uint64_t frames = holds(seed, {});
    BOOST_TEST_REQUIRE(frames > 20u);
    for (std::uint64_t first = 1; first <= frames; ++first)
      for (const Fate fate : kFates) {
        // What the first does to the history decides what the later frames are.
        const std::uint64_t then = holds(seed, {{first, fate}});
        ++histories;
        for (std::uint64_t second = first + 1; second <= then; ++second)
          for (const Fate other : kFates) {
            (void)holds(seed, {{first, fate}, {second, other}});
            ++histories;
          }
      }
  }
  BOOST_TEST_MESSAGE(histories << " histories");
}

}  // namespace waggle::sim
