// The checker itself: what it must accept and reject, and that it agrees with trying every order.

#include "tests/linearizability/register_history.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle::linearizability {
namespace {

using Kind = Operation::Kind;

Operation write(std::int64_t called, std::int64_t returned, const char* value,
                std::uint64_t version) {
  return {Kind::kWrite, called, returned, value, version, 0, "w"};
}
Operation lost(std::int64_t called, const char* value) {
  return {Kind::kWrite, called, kNever, value, 0, 0, "w"};
}
Operation read(std::int64_t called, std::int64_t returned, const char* value,
               std::uint64_t version) {
  return {Kind::kRead, called, returned, value, version, 0, "r"};
}
Operation swap(std::int64_t called, std::int64_t returned, std::uint64_t expected,
               const char* value, std::uint64_t version) {
  return {Kind::kSwap, called, returned, value, version, expected, "s"};
}
Operation no_swap(std::int64_t called, std::int64_t returned, std::uint64_t expected) {
  return {Kind::kNoSwap, called, returned, {}, 0, expected, "s"};
}
bool fine(std::vector<Operation> operations) {
  const Answer answer = check(std::move(operations));
  BOOST_TEST((answer.verdict != Verdict::kGaveUp));
  return answer.verdict == Verdict::kLinearizable;
}

BOOST_AUTO_TEST_SUITE(register_history)

BOOST_AUTO_TEST_CASE(what_happened_one_after_another_is_accepted) {
  BOOST_TEST(fine({}));
  BOOST_TEST(fine({read(0, 1, "", 0), write(2, 3, "a", 5), read(4, 5, "a", 5),
                   swap(6, 7, 5, "b", 8), no_swap(8, 9, 5), read(10, 11, "b", 8)}));
}

BOOST_AUTO_TEST_CASE(a_stale_read_is_rejected_and_named) {
  const std::vector<Operation> history = {write(0, 1, "a", 1), write(2, 3, "b", 2),
                                          read(4, 5, "a", 1)};
  const Answer answer = check(history);
  BOOST_TEST((answer.verdict == Verdict::kNot));
  BOOST_TEST(answer.text ==
             "r read 'a' @1 [4, 5] can't be placed; before it stood w write 'b' @2 [2, 3]");
  // Of two that overlap each may be first.
  BOOST_TEST(fine({write(0, 1, "a", 1), write(2, 6, "b", 2), read(4, 5, "a", 1)}));
  BOOST_TEST(
      fine({write(0, 1, "a", 1), write(2, 6, "b", 2), read(4, 5, "b", 2), read(7, 8, "b", 2)}));
  BOOST_TEST(
      !fine({write(0, 1, "a", 1), write(2, 6, "b", 2), read(3, 4, "b", 2), read(5, 7, "a", 1)}));
}

BOOST_AUTO_TEST_CASE(a_lost_update_is_rejected) {
  BOOST_TEST(!fine({write(0, 1, "a", 1), swap(2, 5, 1, "b", 2), swap(3, 6, 1, "c", 3)}));
  BOOST_TEST(fine({write(0, 1, "a", 1), swap(2, 5, 1, "b", 2), no_swap(3, 6, 1)}));
  BOOST_TEST(!fine({write(0, 1, "a", 1), no_swap(3, 6, 1)}));
}

BOOST_AUTO_TEST_CASE(what_was_never_answered_may_have_an_effect_late_or_never) {
  BOOST_TEST(fine({write(0, 1, "a", 1), lost(2, "b"), read(3, 4, "a", 1), read(5, 6, "b", 2)}));
  BOOST_TEST(fine({write(0, 1, "a", 1), lost(2, "b"), read(3, 4, "a", 1)}));
  // But once.
  BOOST_TEST(!fine({write(0, 1, "a", 1), lost(2, "b"), read(3, 4, "b", 2), write(5, 6, "c", 3),
                    read(7, 8, "b", 2)}));
  // And not before it was asked.
  BOOST_TEST(!fine({write(0, 1, "a", 1), read(2, 3, "b", 2), lost(4, "b")}));
}

BOOST_AUTO_TEST_CASE(versions_only_grow_and_are_of_their_value) {
  BOOST_TEST(!fine({write(0, 1, "a", 7), write(2, 3, "b", 6)}));
  BOOST_TEST(!fine({write(0, 1, "a", 7), read(2, 3, "a", 8)}));
  BOOST_TEST(!fine({write(0, 1, "a", 7), read(2, 3, "", 0)}));
}

BOOST_AUTO_TEST_CASE(it_gives_up_rather_than_search_for_ever) {
  std::vector<Operation> history;
  for (int i = 0; i < 40; ++i) history.push_back(lost(0, std::string(1, 'A' + i).c_str()));
  history.push_back(read(1, 2, "none of them", 9));
  BOOST_TEST((check(history, 1'000).verdict == Verdict::kGaveUp));
}

// All orders of a small history, tried one by one. A reference that shares nothing with the search.
bool some_order_fits(const std::vector<Operation>& history) {
  std::vector<std::size_t> order(history.size());
  std::iota(order.begin(), order.end(), 0U);
  do {
    std::string value;
    std::uint64_t version = 0;
    bool fits = true;
    for (std::size_t i = 0; i < order.size() && fits; ++i) {
      const Operation& one = history[order[i]];
      for (std::size_t j = i + 1; j < order.size(); ++j)
        fits = fits && history[order[j]].returned >= one.called;
      const bool writes = one.kind == Kind::kWrite || one.kind == Kind::kSwap;
      if (one.kind == Kind::kRead) fits = fits && one.value == value && one.version == version;
      if (one.kind == Kind::kSwap) fits = fits && version == one.expected;
      if (one.kind == Kind::kNoSwap) fits = fits && version != one.expected;
      if (!writes) continue;
      fits = fits && one.version > version;
      value = one.value;
      version = one.version;
    }
    if (fits) return true;
  } while (std::ranges::next_permutation(order).found);
  return false;
}

BOOST_AUTO_TEST_CASE(it_agrees_with_trying_every_order) {
  Prng random(5);
  std::size_t accepted = 0;
  constexpr int kHistories = 3'000;
  for (int n = 0; n < kHistories; ++n) {
    std::vector<Operation> history;
    std::vector<std::pair<std::string, std::uint64_t>> written = {{"", 0}};
    for (int i = 0; i < 6; ++i) {
      Operation one;
      one.called = random.between(0, 12);
      one.returned = one.called + random.between(1, 6);
      one.kind = static_cast<Kind>(random.below(4));
      const auto& [value, version] = written[random.below(written.size())];
      if (one.kind == Kind::kRead) {
        one.value = value;
        one.version = version;
      } else if (one.kind == Kind::kNoSwap) {
        one.expected = version;
      } else {
        one.expected = version;
        one.value = std::string(1, static_cast<char>('a' + i));
        one.version = static_cast<std::uint64_t>(random.between(1, 4) + 10 * one.called);
        written.emplace_back(one.value, one.version);
      }
      history.push_back(one);
    }
    const bool expected = some_order_fits(history);
    BOOST_TEST_REQUIRE(fine(history) == expected);
    accepted += expected ? 1 : 0;
  }
  BOOST_TEST((accepted > kHistories / 50 && accepted < kHistories / 2), accepted);
}

// A real register that clients use at once: always accepted; with one reading turned back,
// rejected.
BOOST_AUTO_TEST_CASE(histories_of_a_register_are_accepted_and_with_a_stale_read_rejected) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Prng random(seed);
    std::vector<Operation> history;
    std::string value;
    std::uint64_t version = 0;
    bool known = true;  // its version, to somebody
    std::vector<std::pair<std::string, std::uint64_t>> old;
    for (int i = 0; i < 300; ++i) {
      // It takes effect at 10 i, within its interval.
      Operation one;
      one.called = 10 * i - random.between(0, 40);
      one.returned = 10 * i + random.between(1, 40);
      one.kind = static_cast<Kind>(random.below(4));
      if (one.kind == Kind::kSwap && !known) one.kind = Kind::kRead;
      if (one.kind == Kind::kNoSwap) {
        one.expected = version + 1'000'000;
      } else if (one.kind == Kind::kRead) {
        one.value = value;
        one.version = version;
        known = true;
      } else {
        one.expected = version;
        if (version > 0 && known) old.emplace_back(value, version);
        known = true;
        value = "v" + std::to_string(i);
        version += static_cast<std::uint64_t>(random.between(1, 3));
        one.value = value;
        one.version = version;
        if (random.chance(1, 30)) {
          one.returned = kNever;
          one.version = 0;
          known = false;
        }
      }
      history.push_back(one);
    }
    BOOST_TEST_REQUIRE(fine(history));
    Operation stale = read(5'000, 5'001, old.front().first.c_str(), old.front().second);
    history.push_back(stale);
    BOOST_TEST_REQUIRE(!fine(history));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle::linearizability
