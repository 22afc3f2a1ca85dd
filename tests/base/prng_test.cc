#include "base/prng.h"

#include <array>
#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "base/ids.h"
#include "base/limits.h"

namespace waggle {
namespace {

BOOST_AUTO_TEST_SUITE(prng_test)

// Computed apart from this code, after the authors' xoshiro256starstar.c and splitmix64.c: seeds of
// failing simulations must mean the same run for ever.
BOOST_AUTO_TEST_CASE(a_seed_gives_the_published_sequence) {
  Prng zero(0);
  for (const std::uint64_t expected :
       {0x99ec5f36cb75f2b4U, 0xbf6e1f784956452aU, 0x1a5f849d4933e6e0U, 0x6aa594f1262d2d2cU})
    BOOST_TEST(zero.next() == expected);
  Prng other(42);
  for (const std::uint64_t expected :
       {0x15780b2e0c2ec716U, 0x6104d9866d113a7eU, 0xae17533239e499a1U, 0xecb8ad4703b360a1U})
    BOOST_TEST(other.next() == expected);
}

BOOST_AUTO_TEST_CASE(below_stays_below_and_reaches_every_number) {
  Prng prng(3);
  for (const std::uint64_t bound : {1U, 2U, 3U, 7U, 10U}) {
    std::array<int, 10> seen{};
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t drawn = prng.below(bound);
      BOOST_REQUIRE(drawn < bound);
      ++seen.at(drawn);
    }
    // Uniform within a wide margin; the seed is fixed.
    for (std::uint64_t n = 0; n < bound; ++n)
      BOOST_TEST(seen.at(n) > static_cast<int>(2000 / bound / 2));
  }
  for (int i = 0; i < 1000; ++i) BOOST_REQUIRE(prng.below(UINT64_MAX) < UINT64_MAX);
}

BOOST_AUTO_TEST_CASE(between_holds_both_ends_over_the_whole_range) {
  Prng prng(4);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t drawn = prng.between(-3, 2);
    BOOST_REQUIRE((drawn >= -3 && drawn <= 2));
    low |= drawn == -3;
    high |= drawn == 2;
  }
  BOOST_TEST((low && high));
  BOOST_TEST(prng.between(5, 5) == 5);
  BOOST_TEST(prng.between(INT64_MAX, INT64_MAX) == INT64_MAX);
  bool negative = false;
  bool positive = false;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t drawn = prng.between(INT64_MIN, INT64_MAX);
    negative |= drawn < 0;
    positive |= drawn > 0;
  }
  BOOST_TEST((negative && positive));
}

BOOST_AUTO_TEST_CASE(chance_is_never_at_none_and_always_at_all) {
  Prng prng(5);
  int hits = 0;
  for (int i = 0; i < 4000; ++i) {
    BOOST_REQUIRE(!prng.chance(0, 7));
    BOOST_REQUIRE(prng.chance(7, 7));
    hits += prng.chance(1, 4) ? 1 : 0;
  }
  BOOST_TEST((hits > 800 && hits < 1200));
}

BOOST_AUTO_TEST_CASE(an_id_is_never_none_and_leaves_room_to_count) {
  Prng prng(6);
  for (int i = 0; i < 10'000; ++i) {
    const auto id = prng.id<SessionId>();
    BOOST_REQUIRE(id);
    BOOST_REQUIRE(id.value() < limits::kNumberMax);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
