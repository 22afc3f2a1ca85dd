#include "base/hlc.h"

#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

constexpr std::int64_t kWall = 1'800'000'000'000;
constexpr auto kWallStamp = static_cast<std::uint64_t>(kWall);

BOOST_AUTO_TEST_SUITE(hlc_test)

BOOST_AUTO_TEST_CASE(a_stamp_is_milliseconds_and_a_counter) {
  constexpr Hlc stamp = Hlc::of(0x123456789abc, 0xdef0);
  static_assert(stamp.bits == 0x123456789abcdef0);
  static_assert(stamp.millis() == 0x123456789abc && stamp.counter() == 0xdef0);
  static_assert(Hlc::of(7, 0xffff) < Hlc::of(8, 0));
}

BOOST_AUTO_TEST_CASE(a_stamp_follows_the_wall_clock) {
  HlcClock clock;
  BOOST_TEST(clock.tick(kWall).bits == Hlc::of(kWallStamp, 0).bits);
  BOOST_TEST(clock.tick(kWall + 3).bits == Hlc::of(kWallStamp + 3, 0).bits);
  BOOST_TEST(clock.last().bits == Hlc::of(kWallStamp + 3, 0).bits);
}

BOOST_AUTO_TEST_CASE(stamps_rise_while_the_wall_clock_stands_or_goes_back) {
  HlcClock clock;
  BOOST_TEST(clock.tick(kWall).counter() == 0U);
  BOOST_TEST(clock.tick(kWall).bits == Hlc::of(kWallStamp, 1).bits);
  BOOST_TEST(clock.tick(kWall - 86'400'000).bits == Hlc::of(kWallStamp, 2).bits);
  BOOST_TEST(clock.tick(kWall + 1).bits == Hlc::of(kWallStamp + 1, 0).bits);
}

BOOST_AUTO_TEST_CASE(a_restarted_clock_starts_above_what_was_given_out) {
  const Hlc before = Hlc::of(kWallStamp + 1000, 17);
  HlcClock clock(before);
  BOOST_TEST(clock.last().bits == before.bits);
  BOOST_TEST(clock.tick(kWall).bits == Hlc::of(kWallStamp + 1000, 18).bits);
}

BOOST_AUTO_TEST_CASE(a_full_counter_carries_into_the_milliseconds) {
  HlcClock clock(Hlc::of(kWallStamp, 0xffff));
  BOOST_TEST(clock.tick(kWall).bits == Hlc::of(kWallStamp + 1, 0).bits);
  // 65,534 further events of the same millisecond are what spends an unguarded counter.
  HlcClock busy;
  Hlc last;
  for (int i = 0; i < 200'000; ++i) {
    const Hlc stamp = busy.tick(kWall);
    BOOST_REQUIRE(stamp > last);
    last = stamp;
  }
  BOOST_TEST(last.millis() == kWallStamp + 3);
}

BOOST_AUTO_TEST_CASE(an_observed_stamp_is_passed) {
  HlcClock clock;
  const Hlc remote = Hlc::of(kWallStamp + 400, 9);
  BOOST_TEST(clock.observe(remote, kWall));
  BOOST_TEST(clock.last().bits == remote.bits);
  BOOST_TEST(clock.tick(kWall).bits == Hlc::of(kWallStamp + 400, 10).bits);
}

BOOST_AUTO_TEST_CASE(an_observed_old_stamp_changes_nothing) {
  HlcClock clock;
  const Hlc own = clock.tick(kWall);
  BOOST_TEST(clock.observe(Hlc{}, kWall));
  BOOST_TEST(clock.observe(Hlc::of(1, 1), kWall));
  BOOST_TEST(clock.last().bits == own.bits);
}

BOOST_AUTO_TEST_CASE(a_stamp_too_far_ahead_is_refused_and_does_not_move_the_clock) {
  HlcClock clock;
  const Hlc own = clock.tick(kWall);
  const Hlc limit = Hlc::of(kWallStamp + HlcClock::kDriftMillis, 0xffff);
  for (const Hlc remote : {Hlc{limit.bits + 1}, Hlc::of(kWallStamp + 3'155'760'000'000, 0),
                           Hlc::of(HlcClock::kMillisMax, 0xffff)}) {
    BOOST_TEST(HlcClock::too_far_ahead(remote, kWall));
    BOOST_TEST(!clock.observe(remote, kWall));
    BOOST_TEST(clock.last().bits == own.bits);
  }
  BOOST_TEST(!HlcClock::too_far_ahead(limit, kWall));
  BOOST_TEST(clock.observe(limit, kWall));
  BOOST_TEST(clock.last().bits == limit.bits);
}

BOOST_AUTO_TEST_CASE(the_drift_is_measured_from_the_wall_clock_and_not_from_the_stamp) {
  // Else a chain of agents could drag each other ahead without bound.
  HlcClock clock;
  BOOST_TEST(clock.observe(Hlc::of(kWallStamp + 4'000, 0), kWall));
  BOOST_TEST(!clock.observe(Hlc::of(kWallStamp + 8'000, 0), kWall));
}

BOOST_AUTO_TEST_CASE(a_wall_clock_out_of_range_is_clamped) {
  HlcClock early;
  BOOST_TEST(early.tick(-1).bits == Hlc{1}.bits);
  BOOST_TEST(early.tick(INT64_MIN).bits == Hlc{2}.bits);
  HlcClock late;
  const Hlc stamp = late.tick(INT64_MAX);
  BOOST_TEST(stamp.millis() == HlcClock::kMillisMax - HlcClock::kDriftMillis - 1);
  // What peers may add to it still leaves room for later stamps.
  BOOST_TEST(!late.observe(Hlc::of(HlcClock::kMillisMax, 0), INT64_MAX));
  BOOST_TEST(late.observe(Hlc::of(HlcClock::kMillisMax - 1, 0xffff), INT64_MAX));
  BOOST_TEST(late.tick(INT64_MAX).bits == Hlc::of(HlcClock::kMillisMax, 0).bits);
}

BOOST_AUTO_TEST_CASE(random_histories_are_monotone) {
  Prng prng(1);
  for (int run = 0; run < 200; ++run) {
    HlcClock clock;
    Hlc last;
    for (int i = 0; i < 200; ++i) {
      const std::int64_t wall = kWall + prng.between(-20'000, 20'000);
      if (prng.chance(1, 2)) {
        const std::int64_t millis = wall + prng.between(-10'000, 10'000);
        const Hlc remote = Hlc::of(static_cast<std::uint64_t>(millis), prng.below(0x10000));
        const bool accepted = clock.observe(remote, wall);
        BOOST_REQUIRE(accepted == (millis <= wall + 5'000));
        BOOST_REQUIRE(clock.last() >= last);
        if (accepted) BOOST_REQUIRE(clock.last() >= remote);
      } else {
        BOOST_REQUIRE(clock.tick(wall) > last);
      }
      last = clock.last();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
