#include "base/token_bucket.h"

#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

constexpr Instant kStart{5'000};

Instant after(std::int64_t millis) {
  return kStart + Millis{millis};
}

BOOST_AUTO_TEST_SUITE(token_bucket_test)

BOOST_AUTO_TEST_CASE(a_burst_passes_at_once_and_what_follows_waits) {
  TokenBucket bucket({10, 3}, kStart);
  for (int i = 0; i < 3; ++i) BOOST_TEST(bucket.take(1, kStart));
  BOOST_TEST(!bucket.take(1, kStart));
  BOOST_TEST(bucket.wait(1, kStart).count == 100);
  BOOST_TEST(bucket.wait(2, kStart).count == 200);
  BOOST_TEST(!bucket.take(1, after(99)));
  BOOST_TEST(bucket.take(1, after(100)));
}

BOOST_AUTO_TEST_CASE(what_is_refused_takes_nothing) {
  TokenBucket bucket({10, 5}, kStart);
  BOOST_TEST(bucket.take(3, kStart));
  for (int i = 0; i < 100; ++i) BOOST_TEST(!bucket.take(4, kStart));
  BOOST_TEST(bucket.left(kStart) == 2u);
  BOOST_TEST(bucket.take(2, kStart));
}

BOOST_AUTO_TEST_CASE(it_is_never_fuller_than_its_burst) {
  TokenBucket bucket({1'000, 7}, kStart);
  BOOST_TEST(bucket.take(7, kStart));
  BOOST_TEST(!bucket.full(after(6)));
  BOOST_TEST(bucket.full(after(7)));
  BOOST_TEST(bucket.left(after(1'000'000)) == 7u);
  BOOST_TEST(bucket.take(7, after(1'000'000)));
  BOOST_TEST(!bucket.take(1, after(1'000'000)));
}

BOOST_AUTO_TEST_CASE(a_clock_that_stands_still_or_goes_back_gives_nothing) {
  TokenBucket bucket({1'000, 1}, kStart);
  BOOST_TEST(bucket.take(1, kStart));
  for (int i = 0; i < 10; ++i) BOOST_TEST(!bucket.take(1, kStart));
  BOOST_TEST(!bucket.take(1, after(-4'000)));
  BOOST_TEST(bucket.wait(1, after(-4'000)).count == 4'001);
  // What it went back by is not given twice.
  BOOST_TEST(!bucket.take(1, after(0)));
  BOOST_TEST(bucket.take(1, after(1)));
}

BOOST_AUTO_TEST_CASE(a_cost_above_the_burst_passes_when_it_is_full_and_leaves_a_debt) {
  TokenBucket bucket({100, 10}, kStart);
  BOOST_TEST(bucket.take(1, kStart));
  BOOST_TEST(bucket.wait(60, kStart).count == 10);
  BOOST_TEST(!bucket.take(60, kStart));
  BOOST_TEST(bucket.take(60, after(10)));
  BOOST_TEST(bucket.left(after(10)) == 0u);
  BOOST_TEST(bucket.wait(1, after(10)).count == 510);  // 50 owed, and one
}

BOOST_AUTO_TEST_CASE(what_can_not_be_refused_is_owed_up_to_a_burst) {
  TokenBucket bucket({10, 5}, kStart);
  BOOST_TEST(bucket.owe(8, kStart));
  BOOST_TEST(bucket.wait(1, kStart).count == 400);
  BOOST_TEST(bucket.owe(1'000, kStart));
  BOOST_TEST(bucket.wait(1, kStart).count == 600);  // 5 owed, not a thousand
  BOOST_TEST(!bucket.owe(1, kStart));
  BOOST_TEST(bucket.owe(1, after(1)));
}

BOOST_AUTO_TEST_CASE(without_a_rate_everything_passes) {
  TokenBucket bucket({0, 0}, kStart);
  for (int i = 0; i < 1'000; ++i) BOOST_TEST(bucket.take(UINT64_MAX, kStart));
  BOOST_TEST(bucket.owe(UINT64_MAX, kStart));
  BOOST_TEST(bucket.wait(UINT64_MAX, kStart).count == 0);
  BOOST_TEST(bucket.full(kStart));
}

BOOST_AUTO_TEST_CASE(a_burst_of_nothing_counts_as_one) {
  TokenBucket bucket({1, 0}, kStart);
  BOOST_TEST(bucket.take(1, kStart));
  BOOST_TEST(bucket.wait(1, kStart).count == 1'000);
}

BOOST_AUTO_TEST_CASE(the_largest_numbers_do_not_overflow) {
  TokenBucket bucket({UINT64_MAX, UINT64_MAX}, kStart);
  BOOST_TEST(bucket.burst() == TokenBucket::kMax);
  BOOST_TEST(bucket.take(UINT64_MAX, kStart));
  BOOST_TEST(bucket.owe(UINT64_MAX, kStart));
  BOOST_TEST(bucket.wait(UINT64_MAX, kStart).count == 2'000);
  BOOST_TEST(bucket.left(Instant{INT64_MAX}) == TokenBucket::kMax);

  TokenBucket slow({1, UINT64_MAX}, kStart);
  BOOST_TEST(slow.take(UINT64_MAX, kStart));
  BOOST_TEST(slow.wait(UINT64_MAX, kStart).count ==
             static_cast<std::int64_t>(TokenBucket::kMax) * 1'000);
  BOOST_TEST(slow.left(after(2'500)) == 2u);
}

// Against sums kept apart: whatever is asked and when, no more passes than the rate and one burst.
BOOST_AUTO_TEST_CASE(over_time_no_more_passes_than_the_rate_and_one_burst) {
  Prng random(3);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t rate = random.below(500) + 1;
    const std::uint64_t burst = random.below(200) + 1;
    TokenBucket bucket({rate, burst}, kStart);
    std::int64_t now = 0;
    std::uint64_t passed = 0;
    for (int i = 0; i < 300; ++i) {
      now += random.between(0, 40);
      const std::uint64_t cost = random.below(burst) + 1;
      const Millis wait = bucket.wait(cost, after(now));
      BOOST_TEST_REQUIRE(bucket.take(cost, after(now)) == (wait.count == 0));
      if (wait.count == 0) {
        passed += cost;
      } else {
        // It says exactly when.
        TokenBucket then = bucket;
        BOOST_TEST_REQUIRE(!then.take(cost, after(now + wait.count - 1)));
        BOOST_TEST_REQUIRE(then.take(cost, after(now + wait.count)));
      }
      BOOST_TEST_REQUIRE(passed * 1'000 <= burst * 1'000 + rate * static_cast<std::uint64_t>(now));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
