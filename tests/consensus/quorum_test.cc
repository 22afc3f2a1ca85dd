#include "consensus/quorum.h"

#include <cstdint>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

// The definition, in rational arithmetic: at least permille/1000 of all, and more than one half.
bool reaches_by_definition(std::uint64_t votes, std::uint64_t electorate, std::uint64_t permille) {
  return electorate > 0 && votes * 1000 >= electorate * permille && votes * 2 > electorate;
}

BOOST_AUTO_TEST_SUITE(quorum_test)

BOOST_AUTO_TEST_CASE(every_small_electorate_agrees_with_rational_arithmetic) {
  for (std::uint64_t electorate = 0; electorate <= 60; ++electorate) {
    for (std::uint32_t permille = 1; permille <= 1000; ++permille) {
      const Threshold threshold{permille};
      std::uint64_t fewest = 0;
      bool any = false;
      for (std::uint64_t votes = 0; votes <= electorate + 1; ++votes) {
        const bool expected = reaches_by_definition(votes, electorate, permille);
        if (reaches(votes, electorate, threshold) != expected)
          BOOST_FAIL(votes << " of " << electorate << " at " << permille);
        if (expected && !any) {
          any = true;
          fewest = votes;
        }
      }
      if (electorate > 0 && needed(electorate, threshold) != fewest)
        BOOST_FAIL("needed of " << electorate << " at " << permille);
    }
  }
}

BOOST_AUTO_TEST_CASE(two_values_never_reach_it_both) {
  for (std::uint64_t electorate = 1; electorate <= 60; ++electorate)
    for (std::uint32_t permille = 1; permille <= 1000; ++permille)
      BOOST_REQUIRE(2 * needed(electorate, {permille}) > electorate);
}

BOOST_AUTO_TEST_CASE(an_even_split_never_reaches_it) {
  for (std::uint64_t half = 1; half <= 100; ++half)
    for (const std::uint32_t permille : {1U, 500U, 501U, 510U, 1000U})
      BOOST_REQUIRE(!reaches(half, 2 * half, {permille}));
}

BOOST_AUTO_TEST_CASE(all_of_an_electorate_always_reach_it) {
  for (std::uint64_t electorate = 1; electorate <= 2000; ++electorate) {
    BOOST_REQUIRE(reaches(electorate, electorate, {1000}));
    BOOST_REQUIRE(!reaches(electorate - 1, electorate, {1000}));
  }
}

BOOST_AUTO_TEST_CASE(an_empty_electorate_reaches_nothing) {
  BOOST_TEST(!reaches(0, 0, {}));
  BOOST_TEST(!reaches(5, 0, {1}));
  BOOST_TEST(!can_still_reach(0, 0, 0, {}));
}

BOOST_AUTO_TEST_CASE(missing_votes_can_still_reach_it_when_all_of_them_would) {
  for (std::uint64_t electorate = 1; electorate <= 30; ++electorate)
    for (std::uint64_t votes = 0; votes <= electorate; ++votes)
      for (std::uint64_t missing = 0; votes + missing <= electorate; ++missing)
        for (const std::uint32_t permille : {501U, 510U, 667U, 900U, 1000U})
          BOOST_REQUIRE(can_still_reach(votes, missing, electorate, {permille}) ==
                        reaches_by_definition(votes + missing, electorate, permille));
}

BOOST_AUTO_TEST_CASE(the_default_is_a_majority_of_small_swarms) {
  BOOST_TEST(needed(1, {}) == 1U);
  BOOST_TEST(needed(2, {}) == 2U);
  BOOST_TEST(needed(3, {}) == 2U);
  BOOST_TEST(needed(4, {}) == 3U);
  BOOST_TEST(needed(5, {}) == 3U);
  BOOST_TEST(needed(100, {}) == 51U);
  BOOST_TEST(needed(1000, {}) == 510U);
  BOOST_TEST(needed(20'000, {}) == 10'200U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
