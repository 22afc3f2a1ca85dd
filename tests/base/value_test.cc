#include "base/value.h"

#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

Dot dot(std::uint64_t revision, std::uint32_t index = 0, const char* agent = "a",
        std::uint64_t incarnation = 1, std::uint64_t seq = 1) {
  return {Revision(revision), index, {AgentId(agent), Incarnation(incarnation), Seq(seq)}};
}

OrSet set_of(std::vector<std::pair<std::string, std::vector<Dot>>> elements) {
  OrSet set;
  for (auto& [element, dots] : elements) set.elements.set(element, std::move(dots));
  return set;
}

std::string hash(const Value& value) {
  return to_hex(content_hash(value));
}

BOOST_AUTO_TEST_SUITE(value_test)

BOOST_AUTO_TEST_CASE(every_type_has_its_number_and_its_text) {
  BOOST_TEST(static_cast<int>(type_of(Register{})) == 1);
  BOOST_TEST(static_cast<int>(type_of(Counter{})) == 2);
  BOOST_TEST(static_cast<int>(type_of(OrSet{})) == 3);
  BOOST_TEST(to_text(ValueType::kRegister) == "register");
  BOOST_TEST(to_text(ValueType::kCounter) == "counter");
  BOOST_TEST(to_text(ValueType::kOrSet) == "set");
  BOOST_TEST(to_text(ContentType::kText) == "text");
  BOOST_TEST(to_text(ContentType::kJson) == "json");
  BOOST_TEST(to_text(ContentType::kBytes) == "bytes");
}

BOOST_AUTO_TEST_CASE(a_size_counts_the_content_and_32_bytes_a_dot) {
  BOOST_TEST(size_of(Register{ContentType::kText, "hello"}) == 5U);
  BOOST_TEST(size_of(Register{}) == 0U);
  BOOST_TEST(size_of(Counter{-1}) == 8U);
  BOOST_TEST(size_of(OrSet{}) == 0U);
  BOOST_TEST(size_of(set_of({{"ab", {dot(1)}}, {"c", {dot(2), dot(3)}}})) == 3U + 3U * (40U + 1U));
}

// DO NOT CHANGE: content hashes lie on disk and are compared by agents of other releases.
BOOST_AUTO_TEST_CASE(content_hashes_have_known_values) {
  BOOST_TEST(hash(Register{ContentType::kText, "hello"}) == "3ea597d812c4c564f6a43aeeaf1de507");
  BOOST_TEST(hash(Counter{-2}) == "6ea91d5282efcca4ccea657e3d21a9da");
  BOOST_TEST(hash(set_of({{"x", {dot(7, 1, "bee", 3, 9)}}})) == "e6007d820d341aa0adc7685ab58b9440");
}

BOOST_AUTO_TEST_CASE(a_register_hashes_its_bytes_and_its_content_type) {
  const std::string text = hash(Register{ContentType::kText, "1"});
  BOOST_TEST(text == hash(Register{ContentType::kText, "1"}));
  BOOST_TEST(text != hash(Register{ContentType::kText, "2"}));
  BOOST_TEST(text != hash(Register{ContentType::kJson, "1"}));
  BOOST_TEST(text != hash(Register{ContentType::kBytes, "1"}));
  BOOST_TEST(hash(Counter{1}) != hash(Counter{-1}));
}

BOOST_AUTO_TEST_CASE(the_hash_of_a_set_is_the_sum_of_its_elements) {
  BOOST_TEST((content_hash(OrSet{}) == Hash128{}));
  Prng prng(8);
  for (int run = 0; run < 200; ++run) {
    OrSet set;
    Hash128 sum;
    for (int i = 0; i < 8; ++i) {
      const std::string element = "e" + std::to_string(i);
      std::vector<Dot> dots;
      for (std::uint64_t n = 0; n <= prng.below(3); ++n)
        dots.push_back(dot(n * 10 + prng.below(9)));
      sum += content_hash(set_of({{element, dots}}));
      set.elements.set(element, dots);
      BOOST_REQUIRE((content_hash(set) == sum));
    }
    // What is taken away is subtracted: a change costs what changed.
    sum -= content_hash(set_of({{"e3", *set.elements.find("e3")}}));
    set.elements.erase("e3");
    BOOST_REQUIRE((content_hash(set) == sum));
  }
}

BOOST_AUTO_TEST_CASE(the_hash_of_a_set_differs_with_each_part_of_a_dot) {
  const std::string base = hash(set_of({{"x", {dot(5, 1, "a", 2, 3)}}}));
  for (const Dot& other : {dot(6, 1, "a", 2, 3), dot(5, 2, "a", 2, 3), dot(5, 1, "b", 2, 3),
                           dot(5, 1, "a", 9, 3), dot(5, 1, "a", 2, 9)})
    BOOST_TEST(hash(set_of({{"x", {other}}})) != base);
  BOOST_TEST(hash(set_of({{"y", {dot(5, 1, "a", 2, 3)}}})) != base);
  BOOST_TEST(hash(set_of({{"x", {dot(5, 1, "a", 2, 3), dot(6)}}})) != base);
}

BOOST_AUTO_TEST_CASE(dots_are_ordered_by_their_commit) {
  BOOST_TEST((dot(1, 9, "z") < dot(2, 0, "a")));
  BOOST_TEST((dot(2, 0) < dot(2, 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
