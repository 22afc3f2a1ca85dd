#include "base/value_bytes.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"
#include "tests/base/values_of_every_type.h"

namespace waggle {
namespace {

using namespace std::string_literals;

Dot dot(std::uint64_t revision, std::uint32_t index, std::string agent, std::uint64_t incarnation,
        std::uint64_t seq) {
  return {
      Revision(revision), index, {AgentId(std::move(agent)), Incarnation(incarnation), Seq(seq)}};
}

const std::string kTable = "\x01\x01w\x03\0\0\0\0\0\0\0"s;  // one writer: w, incarnation 3
const std::string kExample = "\x01"s + kTable + "\x01\x01" + "a\x01\xac\x02\0\0\x04"s;

std::string encode_set(const OrSet& set) {
  return encode_value(Value(set));
}

Result<OrSet> decode_set(std::string_view bytes) {
  Result<Value> value = decode_value(ValueType::kOrSet, bytes);
  if (!value) return std::unexpected(value.error());
  return std::get<OrSet>(*std::move(value));
}

bool refused(std::string_view bytes, std::string_view part_of_text) {
  const Result<OrSet> set = decode_set(bytes);
  if (set) return false;
  BOOST_CHECK(set.error().code == Code::kRejected);
  BOOST_CHECK_MESSAGE(set.error().text.find(part_of_text) != std::string::npos, set.error().text);
  return true;
}

BOOST_AUTO_TEST_SUITE(value_bytes_test)

// DO NOT CHANGE: the example of base/value_bytes.h.
BOOST_AUTO_TEST_CASE(the_example_of_the_header_is_what_is_written) {
  OrSet set;
  set.elements.set("a", {dot(300, 0, "w", 3, 4)});
  BOOST_CHECK(encode_set(set) == kExample);
  BOOST_CHECK(decode_set(kExample) == set);
}

BOOST_AUTO_TEST_CASE(the_empty_set_has_three_bytes) {
  BOOST_CHECK(encode_set(OrSet{}) == "\x01\0\0"s);
  BOOST_CHECK(decode_set("\x01\0\0"s) == OrSet{});
}

BOOST_AUTO_TEST_CASE(any_set_comes_back_the_same_and_equal_sets_give_equal_bytes) {
  Prng prng(5);
  for (int round = 0; round < 300; ++round) {
    OrSet set;
    for (std::uint64_t i = prng.below(20); i > 0; --i) {
      std::string element;
      for (std::uint64_t size = 1 + prng.below(12); size > 0; --size)
        element.push_back(static_cast<char>(prng.next()));
      Dots dots;
      std::uint64_t revision = 0;
      for (std::uint64_t count = 1 + prng.below(4); count > 0; --count) {
        revision += 1 + (prng.next() >> (4 + prng.below(58)));
        dots.push_back(dot(revision, static_cast<std::uint32_t>(prng.next()),
                           "agent" + std::to_string(prng.below(4)), prng.below(3),
                           prng.next() >> (2 + prng.below(60))));
      }
      set.elements.set(element, std::move(dots));
    }
    const std::string bytes = encode_set(set);
    const Result<OrSet> decoded = decode_set(bytes);
    BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
    BOOST_REQUIRE(*decoded == set);

    // The same content, put in in the opposite order.
    OrSet again;
    std::vector<std::pair<std::string, Dots>> entries(set.elements.begin(), set.elements.end());
    for (auto it = entries.rbegin(); it != entries.rend(); ++it)
      again.elements.set(it->first, it->second);
    BOOST_REQUIRE(encode_set(again) == bytes);

    for (std::size_t size = 0; size < bytes.size(); ++size)
      BOOST_REQUIRE(!decode_set(std::string_view(bytes).substr(0, size)));
    BOOST_REQUIRE(!decode_set(bytes + '\0'));
  }
}

// What decodes is spelt in the one way: encoding it gives the bytes that came.
BOOST_AUTO_TEST_CASE(no_other_bytes_decode_to_a_set) {
  OrSet filled;
  filled.elements.set("text \xe2\x82\xac", {dot(3, 1, "w", 3, 4), dot(7, 0, "v", 9, 300)});
  filled.elements.set("other\xff", {dot(3, 2, "w", 3, 4)});
  const std::string bytes = encode_set(filled);
  int accepted = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] ^= static_cast<char>(1 << bit);
      const Result<OrSet> decoded = decode_set(flipped);
      if (!decoded) continue;
      ++accepted;
      BOOST_REQUIRE(encode_set(*decoded) == flipped);
    }
  }
  BOOST_CHECK_GT(accepted, 0);
}

BOOST_AUTO_TEST_CASE(a_value_of_any_type_has_one_spelling_and_none_that_is_cut_short) {
  for (const TwoVersions& versions : values_of_every_type()) {
    for (const Value& value : {versions.earlier, versions.later}) {
      const ValueType type = type_of(value);
      BOOST_TEST_CONTEXT(to_text(type)) {
        const std::string bytes = encode_value(value);
        BOOST_REQUIRE(decode_value(type, bytes) == value);
        for (std::size_t size = 0; size < bytes.size(); ++size)
          BOOST_REQUIRE(!decode_value(type, std::string_view(bytes).substr(0, size)));
        BOOST_REQUIRE(!decode_value(type, bytes + '\0'));
        for (std::size_t at = 0; at < bytes.size(); ++at) {
          for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = bytes;
            flipped[at] ^= static_cast<char>(1 << bit);
            const Result<Value> decoded = decode_value(type, flipped);
            if (!decoded) continue;
            BOOST_REQUIRE(encode_value(*decoded) == flipped);
            BOOST_REQUIRE(content_hash(*decoded) != content_hash(value));
            check_invariants(*decoded);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_canonical_are_refused) {
  const std::string dot1 = "\x01\0\0\x04"s;  // revision 1, index 0, writer 0, seq 4
  const std::string head = "\x01"s + kTable;
  BOOST_REQUIRE(decode_set(head +
                           "\x01\x01"
                           "a\x01"s +
                           dot1));

  BOOST_CHECK(refused("\x02"s + kTable + "\0"s, "format"));
  BOOST_CHECK(refused("", "more bytes"));
  BOOST_CHECK(refused(head + "\0"s, "each writer in use"));
  BOOST_CHECK(refused(head +
                          "\x01\x81\0"
                          "a\x01"s +
                          dot1,
                      "no longer than needed"));
  BOOST_CHECK(refused(head +
                          "\x01\x01"
                          "a\0"s +
                          dot1 + "x",
                      "a dot for each element"));
  BOOST_CHECK(refused(head + "\x01\0\x01"s + dot1 + "x", "1 or more bytes"));
  BOOST_CHECK(refused(head +
                          "\x02\x01"
                          "b\x01"s +
                          dot1 +
                          "\x01"
                          "a\x01"s +
                          dot1,
                      "sorted"));
  BOOST_CHECK(refused(head +
                          "\x02\x01"
                          "a\x01"s +
                          dot1 +
                          "\x01"
                          "a\x01"s +
                          dot1,
                      "sorted"));
  BOOST_CHECK(refused(head +
                          "\x01\x01"
                          "a\x02"s +
                          dot1 + dot1,
                      "dots sorted"));
  BOOST_CHECK(refused(head + "\x01\x01"
                             "a\x01\x01\0\x01\x04"s,
                      "up to 0"));  // writer 1 of 1
  BOOST_CHECK(
      refused("\x01\0\x01\x01"
              "a\x01"s +
                  dot1,
              "a writer"));

  const std::string two_writers = "\x01w\x03\0\0\0\0\0\0\0"s;
  BOOST_CHECK(refused("\x01\x02"s + two_writers + two_writers + "\0"s, "writers sorted"));
}

BOOST_AUTO_TEST_CASE(numbers_and_counts_are_held_to_their_limits) {
  const auto with = [](Dot one) {
    OrSet set;
    set.elements.set("a", {std::move(one)});
    return encode_set(set);
  };
  BOOST_CHECK(
      decode_set(with(dot(limits::kNumberMax, UINT32_MAX, "w", UINT64_MAX, limits::kNumberMax))));
  BOOST_CHECK(refused(with(dot(limits::kNumberMax + 1, 0, "w", 1, 1)), "up to"));
  BOOST_CHECK(refused(with(dot(1, 0, "w", 1, limits::kNumberMax + 1)), "up to"));
  BOOST_CHECK(refused(with(dot(UINT64_MAX, 0, "w", 1, 1)), "up to"));
  BOOST_CHECK(refused(with(dot(1, 0, std::string(limits::kIdBytes + 1, 'w'), 1, 1)), "up to"));
  BOOST_CHECK(refused(with(dot(1, 0, "\xff", 1, 1)), "UTF-8"));

  OrSet set;
  set.elements.set(std::string(limits::kElementBytes, 'e'), {dot(1, 0, "w", 1, 1)});
  BOOST_CHECK(decode_set(encode_set(set)));
  set.elements.set(std::string(limits::kElementBytes + 1, 'e'), {dot(1, 0, "w", 1, 1)});
  BOOST_CHECK(refused(encode_set(set), "up to"));

  // Counts far beyond what is there reserve nothing.
  BOOST_CHECK(refused("\x01\xff\xff\xff\xff\x0f"s, "up to"));
  BOOST_CHECK(refused("\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "up to"));
  BOOST_CHECK(refused("\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s, "64 bits"));
  BOOST_CHECK(refused("\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "64 bits"));
}

BOOST_AUTO_TEST_CASE(a_set_beyond_the_size_of_a_frame_is_refused) {
  OrSet set;
  // With its dot an element counts 41 + 1024 bytes.
  const auto add = [&] {
    std::string element(limits::kElementBytes, 'e');
    const std::string number = std::to_string(set.elements.size());
    element.replace(0, number.size(), number);
    set.elements.set(element, {dot(1 + set.elements.size(), 0, "w", 1, 1)});
  };
  while (size_of(Value(set)) + 41 + limits::kElementBytes <= limits::kFrameBytes) add();
  BOOST_CHECK(decode_set(encode_set(set)));
  add();
  BOOST_CHECK(refused(encode_set(set), "at most 4194304 bytes"));
}

// Each dot by another writer with the longest id: what a set counts for bounds what it is encoded
// to.
BOOST_AUTO_TEST_CASE(the_size_of_a_set_bounds_its_bytes) {
  OrSet set;
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    std::string agent(limits::kIdBytes, 'a');
    const std::string number = std::to_string(i);
    agent.replace(0, number.size(), number);
    set.elements.set("e" + number, {dot(limits::kNumberMax - i, UINT32_MAX, agent, UINT64_MAX,
                                        limits::kNumberMax)});
  }
  BOOST_TEST(encode_set(set).size() <= size_of(Value(set)) + 64);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
