// Each checker of the simulator catches the bug that was planted for it.

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "tests/sim/random_world.h"

namespace waggle::sim {
namespace {

constexpr std::uint64_t kSeeds = 1'000;

// The first seed in which the checker that is meant finds the bug; 0: none does.
std::uint64_t caught_by(const PlantedBug& bug) {
  const auto is_it = [&](const Finding& finding) {
    return finding.checker == bug.checker.text() &&
           finding.text.find(bug.says) != std::string::npos;
  };
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RunOptions options;
    options.wanted = is_it;
    options.saboteur = bug.make();
    const RunResult result = run_world(Plan::drawn(seed), std::move(options));
    if (std::any_of(result.findings.begin(), result.findings.end(), is_it)) return seed;
  }
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_planted_bug_is_caught_by_its_checker) {
  for (const PlantedBug& bug : planted_bugs()) {
    const std::uint64_t seed = caught_by(bug);
    BOOST_TEST(seed != 0u, "not caught by '" << bug.checker.text() << "': " << bug.name);
    if (seed != 0)
      BOOST_TEST_MESSAGE(bug.checker.text() << " caught in seed " << seed << ": " << bug.name);
  }
}

BOOST_AUTO_TEST_CASE(every_checker_has_a_planted_bug) {
  for (const std::string_view checker : kCheckers)
    BOOST_TEST(std::any_of(planted_bugs().begin(), planted_bugs().end(),
                           [&](const PlantedBug& bug) { return bug.checker.text() == checker; }),
               checker << " has none");
}

BOOST_AUTO_TEST_CASE(one_seed_makes_one_run) {
  for (const std::uint64_t seed : {3u, 7u, 20u}) {
    const RunResult once = run_world(Plan::drawn(seed), {});
    const RunResult twice = run_world(Plan::drawn(seed), {});
    BOOST_TEST(once.fingerprint == twice.fingerprint);
    BOOST_TEST(once.deeds == twice.deeds);
  }
}

BOOST_AUTO_TEST_CASE(another_seed_makes_another_run) {
  BOOST_TEST(run_world(Plan::drawn(1), {}).fingerprint !=
             run_world(Plan::drawn(2), {}).fingerprint);
}

}  // namespace waggle::sim
