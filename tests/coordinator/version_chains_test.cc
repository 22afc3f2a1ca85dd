#include "coordinator/version_chains.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/prng.h"

namespace waggle {
namespace {

RecordPtr version(std::uint64_t number) {
  auto record = std::make_shared<Record>();
  record->version = Revision(number);
  return record;
}

std::string text_of(const std::vector<VersionChains::Dropped>& dropped) {
  std::string text;
  for (const auto& [key, revision] : dropped)
    text += fmt::format("{}{} ", key.value(), revision.value());
  return text;
}

// 0: none.
std::uint64_t at(const VersionChains& chains, const char* key, std::uint64_t revision) {
  const RecordPtr found =
      chains.newest(Key(key), [&](const Record& one) { return one.version.value() <= revision; });
  return found ? found->version.value() : 0;
}

BOOST_AUTO_TEST_SUITE(version_chains_test)

BOOST_AUTO_TEST_CASE(the_newest_version_that_holds_is_found) {
  VersionChains chains(1'000);
  std::vector<VersionChains::Dropped> dropped;
  for (const std::uint64_t number : {2, 5, 9}) chains.add(Key("k"), version(number), 1, 9, dropped);
  chains.add(Key("l"), version(6), 1, 9, dropped);
  BOOST_TEST(at(chains, "k", 1) == 0u);
  BOOST_TEST(at(chains, "k", 2) == 2u);
  BOOST_TEST(at(chains, "k", 8) == 5u);
  BOOST_TEST(at(chains, "k", 99) == 9u);
  BOOST_TEST(at(chains, "none", 99) == 0u);
  BOOST_TEST(dropped.empty());
}

BOOST_AUTO_TEST_CASE(the_oldest_of_a_key_goes_when_it_has_too_many) {
  VersionChains chains(1'000);
  std::vector<VersionChains::Dropped> dropped;
  chains.add(Key("other"), version(1), 1, 2, dropped);
  for (const std::uint64_t number : {2, 3, 4}) chains.add(Key("k"), version(number), 1, 2, dropped);
  BOOST_TEST(text_of(dropped) == "k2 ");
  // A lesser bound than before counts at once.
  chains.add(Key("k"), version(5), 1, 1, dropped);
  BOOST_TEST(text_of(dropped) == "k2 k3 k4 ");
  BOOST_TEST(at(chains, "k", 99) == 5u);
  BOOST_TEST(at(chains, "other", 99) == 1u);
  BOOST_TEST(chains.bytes() == 2u);
}

BOOST_AUTO_TEST_CASE(the_oldest_of_all_goes_when_all_together_are_too_large) {
  VersionChains chains(10);
  std::vector<VersionChains::Dropped> dropped;
  chains.add(Key("b"), version(1), 4, 9, dropped);
  chains.add(Key("a"), version(2), 4, 9, dropped);
  chains.add(Key("b"), version(3), 2, 9, dropped);
  BOOST_TEST(dropped.empty());  // exactly the bound
  chains.add(Key("a"), version(4), 1, 9, dropped);
  BOOST_TEST(text_of(dropped) == "b1 ");
  chains.add(Key("c"), version(5), 8, 9, dropped);
  BOOST_TEST(text_of(dropped) == "b1 a2 b3 ");
  BOOST_TEST(chains.bytes() == 9u);
  // One that is above the bound by itself is not kept either.
  chains.add(Key("d"), version(6), 11, 9, dropped);
  BOOST_TEST(text_of(dropped) == "b1 a2 b3 a4 c5 d6 ");
  BOOST_TEST(chains.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_forgotten_key_tells_all_its_versions_and_leaves_the_others) {
  VersionChains chains(100);
  std::vector<VersionChains::Dropped> dropped;
  for (const std::uint64_t number : {1, 2}) chains.add(Key("k"), version(number), 3, 9, dropped);
  chains.add(Key("l"), version(3), 5, 9, dropped);
  chains.forget(Key("none"), dropped);
  BOOST_TEST(dropped.empty());
  chains.forget(Key("k"), dropped);
  BOOST_TEST(text_of(dropped) == "k1 k2 ");
  BOOST_TEST(chains.bytes() == 5u);
  chains.clear();
  BOOST_TEST(chains.bytes() == 0u);
  BOOST_TEST(at(chains, "l", 99) == 0u);
}

// Against the rule in other words: one list in the order of adding.
BOOST_AUTO_TEST_CASE(random_schedules_agree_with_a_plain_list) {
  struct Kept {
    std::string key;
    std::uint64_t number;
    std::size_t cost;
  };
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Prng prng(seed);
    VersionChains chains(50);
    std::deque<Kept> kept;
    std::string gone;
    std::vector<VersionChains::Dropped> dropped;
    const auto drop_first = [&](const auto& chosen) {
      for (auto one = kept.begin(); one != kept.end(); ++one) {
        if (!chosen(*one)) continue;
        gone += fmt::format("{}{} ", one->key, one->number);
        kept.erase(one);
        return true;
      }
      return false;
    };
    for (std::uint64_t step = 1; step <= 100; ++step) {
      const std::string key(1, "abc"[prng.below(3)]);
      const auto of_key = [&](const Kept& one) { return one.key == key; };
      if (prng.chance(1, 12)) {
        chains.forget(Key(key), dropped);
        while (drop_first(of_key)) {
        }
      } else {
        const std::size_t cost = 1 + prng.below(20);
        const std::size_t most = 1 + prng.below(5);
        chains.add(Key(key), version(step), cost, most, dropped);
        kept.push_back({key, step, cost});
        while (static_cast<std::size_t>(std::ranges::count_if(kept, of_key)) > most)
          drop_first(of_key);
      }
      std::size_t bytes = 0;
      for (const Kept& one : kept) bytes += one.cost;
      for (; bytes > 50; drop_first([](const Kept&) { return true; })) bytes -= kept.front().cost;
      BOOST_REQUIRE_MESSAGE(text_of(dropped) == gone, "seed " << seed << " step " << step);
      BOOST_REQUIRE_MESSAGE(chains.bytes() == bytes, "seed " << seed << " step " << step);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
