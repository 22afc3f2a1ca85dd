// The alignment against its definition: partners are equal and rise, and within the bounds there
// are as many as the textbook table of the longest common subsequence says.

#include "resolver/text_diff.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "resolver/text_units.h"

namespace waggle {
namespace {

using Numbers = std::vector<std::size_t>;

Numbers some_numbers(Prng& prng, std::size_t size_max, std::uint64_t kinds) {
  Numbers numbers(prng.below(size_max + 1));
  for (std::size_t& number : numbers) number = prng.below(kinds);
  return numbers;
}

std::size_t longest_common(const Numbers& from, const Numbers& to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (const std::size_t number : from) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = number == to[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

// The number of partners; fails if they are no common subsequence.
std::size_t checked_partners(const Numbers& from, const Numbers& to, const Numbers& partner) {
  BOOST_REQUIRE(partner.size() == from.size());
  std::size_t count = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (partner[i] == kUnmatched) continue;
    BOOST_REQUIRE(partner[i] >= next);
    BOOST_REQUIRE(partner[i] < to.size());
    BOOST_REQUIRE(to[partner[i]] == from[i]);
    next = partner[i] + 1;
    ++count;
  }
  return count;
}

std::vector<std::string> cut(std::string_view text, TextUnit unit) {
  const UnitText units(text, unit);
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < units.size(); ++i) pieces.emplace_back(units.slice(i, i + 1));
  return pieces;
}

Numbers shuffled(Prng& prng, Numbers numbers) {
  for (std::size_t i = numbers.size(); i > 1; --i)
    std::swap(numbers[i - 1], numbers[prng.below(i)]);
  return numbers;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(text_diff)

BOOST_AUTO_TEST_CASE(lines_keep_their_ends_and_the_last_may_lack_one) {
  using Lines = std::vector<std::string>;
  BOOST_TEST((cut("", TextUnit::kLine) == Lines{}));
  BOOST_TEST((cut("\n", TextUnit::kLine) == Lines{"\n"}));
  BOOST_TEST((cut("a\r\n\nb", TextUnit::kLine) == Lines{"a\r\n", "\n", "b"}));
}

BOOST_AUTO_TEST_CASE(tokens_are_words_white_space_and_single_other_bytes) {
  using Tokens = std::vector<std::string>;
  BOOST_TEST((cut("", TextUnit::kToken) == Tokens{}));
  BOOST_TEST((cut("ab_1 \t\n+= \xc3\xa9x.", TextUnit::kToken) ==
              Tokens{"ab_1", " \t\n", "+", "=", " ", "\xc3\xa9x", "."}));
  BOOST_TEST((cut(std::string_view("\0\0", 2), TextUnit::kToken).size() == 2));
}

BOOST_AUTO_TEST_CASE(units_have_the_same_number_iff_they_have_the_same_bytes) {
  UnitText one("a\nb\na\nb", TextUnit::kLine);
  UnitText two("b\nb", TextUnit::kLine);
  number_units({&one, &two});
  const Numbers& a = one.numbers();
  const Numbers& b = two.numbers();
  BOOST_TEST(a[0] == a[2]);
  BOOST_TEST(a[1] == b[0]);
  BOOST_TEST(a[3] == b[1]);
  const Numbers distinct = {a[0], a[1], a[3]};
  BOOST_TEST((std::ranges::is_permutation(distinct, Numbers{0, 1, 2})));
}

BOOST_AUTO_TEST_CASE(within_the_bounds_the_longest_common_subsequence_is_found) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      const std::uint64_t kinds = 1 + prng.below(8);
      const Numbers from = some_numbers(prng, 24, kinds);
      const Numbers to = some_numbers(prng, 24, kinds);
      BOOST_REQUIRE(checked_partners(from, to, align(from, to)) == longest_common(from, to));
    }
  }
}

BOOST_AUTO_TEST_CASE(beyond_the_bounds_it_is_still_a_common_subsequence) {
  std::size_t found = 0;
  std::size_t longest = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      const std::uint64_t kinds = 1 + prng.below(40);
      const Numbers from = some_numbers(prng, 60, kinds);
      const Numbers to = some_numbers(prng, 60, kinds);
      DiffBounds bounds;
      bounds.coarse_depth = prng.between(2, 4);
      bounds.exact_depth = prng.between(bounds.coarse_depth, 8);
      bounds.steps = prng.below(400);
      const Numbers partner = align(from, to, bounds);
      found += checked_partners(from, to, partner);
      longest += longest_common(from, to);
      BOOST_REQUIRE((partner == align(from, to, bounds)));
    }
  }
  BOOST_TEST(found < longest);      // else the bounds were never reached
  BOOST_TEST(found > longest / 2);  // coarse, not useless
}

BOOST_AUTO_TEST_CASE(beyond_the_bounds_units_that_occur_once_are_aligned_along_the_longest_run) {
  Prng prng(1);
  Numbers from(6000);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = i;
  const Numbers to = shuffled(prng, from);
  DiffBounds bounds;
  bounds.coarse_depth = bounds.exact_depth = 2;
  BOOST_TEST(checked_partners(from, to, align(from, to, bounds)) == longest_common(from, to));
}

BOOST_AUTO_TEST_CASE(long_inputs_of_every_kind_finish) {
  Prng prng(2);
  constexpr std::size_t kSize = 200'000;
  for (const std::uint64_t kinds : {2, 4, 1000, 20'000, 1'000'000}) {
    Numbers from(kSize);
    Numbers to(kSize);
    for (std::size_t& number : from) number = prng.below(kinds);
    for (std::size_t& number : to) number = prng.below(kinds);
    checked_partners(from, to, align(from, to));
    const Numbers mixed = shuffled(prng, from);
    checked_partners(from, mixed, align(from, mixed));
  }
}

// Equal units run along every diagonal of the search: a bound on its depth alone would not do.
BOOST_AUTO_TEST_CASE(a_long_run_of_equal_units_between_noise_finishes_and_is_kept) {
  Prng prng(3);
  const auto noise_around = [&](std::size_t run) {
    Numbers numbers(2000 + run + 2000, 9);
    for (std::size_t i = 0; i < 2000; ++i) {
      numbers[i] = prng.below(4);
      numbers[2000 + run + i] = prng.below(4);
    }
    return numbers;
  };
  const Numbers from = noise_around(500'000);
  const Numbers to = noise_around(500'000);
  BOOST_TEST(checked_partners(from, to, align(from, to)) > 490'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle
