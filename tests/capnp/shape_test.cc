// base/shape.h: the rules by themselves. That the codec applies them is in codec_test.cc.

#include "base/shape.h"

#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"

namespace waggle {
namespace {

using namespace std::string_literals;

bool refused(const Status& status, std::string_view part_of_text) {
  if (status) return false;
  BOOST_CHECK(status.error().code == Code::kRejected);
  BOOST_CHECK_MESSAGE(status.error().text.find(part_of_text) != std::string::npos,
                      status.error().text);
  return true;
}

Entry entry(std::string key, Op op) {
  return {Key(std::move(key)), {}, std::move(op), {}};
}

BOOST_AUTO_TEST_SUITE(shape_test)

BOOST_AUTO_TEST_CASE(utf8_is_told_from_other_bytes) {
  for (const std::string& good :
       {""s, "a"s, "\0"s, "0123456789abcdef"s, "0123456\xc2\x80"s, "\xc3\xbc"s, "\xdf\xbf"s,
        "\xe0\xa0\x80"s, "\xed\x9f\xbf"s, "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s,
        "\xf4\x8f\xbf\xbf"s, "abcdefg\xf0\x9f\x90\x9dxyzabcdefgh"s})
    BOOST_CHECK_MESSAGE(is_utf8(good), good);
  for (const std::string& bad : {"\x80"s,
                                 "\xbf"s,
                                 "\xc0\x80"s,
                                 "\xc1\xbf"s,
                                 "\xc3"s,
                                 "\xc3("s,
                                 "\xe0\x9f\xbf"s,
                                 "\xe2\x82"s,
                                 "\xe2(\xac"s,
                                 "\xed\xa0\x80"s,
                                 "\xed\xbf\xbf"s,
                                 "\xf0\x8f\xbf\xbf"s,
                                 "\xf0\x9f\x90"s,
                                 "\xf4\x90\x80\x80"s,
                                 "\xf5\x80\x80\x80"s,
                                 "\xf8\x88\x80\x80\x80"s,
                                 "\xfe"s,
                                 "\xff"s,
                                 "0123456789abcde\xff"s,
                                 "01234567\xc3"s})
    BOOST_CHECK(!is_utf8(bad));
}

BOOST_AUTO_TEST_CASE(an_id_is_short_and_plain) {
  for (const std::string& good :
       {"a"s, "~client-1"s, "robot.7_b:c"s, "bi\xc3\xaane"s, std::string(limits::kIdBytes, 'a')}) {
    BOOST_CHECK(check_agent_id(good));
    BOOST_CHECK(check_swarm_id(good));
  }
  BOOST_CHECK(refused(check_agent_id(""), "agent id: expected 1..64 bytes, got 0"));
  BOOST_CHECK(refused(check_swarm_id(""), "swarm id: expected 1..64 bytes, got 0"));
  BOOST_CHECK(refused(check_agent_id(std::string(limits::kIdBytes + 1, 'a')), "got 65"));
  BOOST_CHECK(refused(check_agent_id("ab\xff"), "byte 2"));
  BOOST_CHECK(refused(check_agent_id("a/b"), "U+002F at byte 1"));
  for (const std::string& bad : {" "s, "a\tb"s, "\0"s, "\x7f"s, "a\xc2\x85"s, "a\xc2\xa0"s,
                                 "\xe2\x80\xa8"s, "\xe3\x80\x80"s})
    BOOST_CHECK(refused(check_agent_id(bad), "white space"));
}

BOOST_AUTO_TEST_CASE(a_key_is_utf8_within_its_length) {
  BOOST_CHECK(check_key("a/b c"));
  BOOST_CHECK(check_key(std::string(limits::kKeyBytes, 'k')));
  BOOST_CHECK(refused(check_key(""), "key: expected 1..1024 bytes, got 0"));
  BOOST_CHECK(refused(check_key(std::string(limits::kKeyBytes + 1, 'k')), "got 1025"));
  BOOST_CHECK(refused(check_key("\xc0\x80"), "UTF-8"));
}

BOOST_AUTO_TEST_CASE(a_value_is_within_its_size) {
  BOOST_CHECK(check_value(Register{ContentType::kBytes, std::string(limits::kValueBytes, 'x')}));
  BOOST_CHECK(
      refused(check_value(Register{ContentType::kBytes, std::string(limits::kValueBytes + 1, 'x')}),
              "at most 1048576 bytes, got 1048577"));
  BOOST_CHECK(refused(check_value(Register{static_cast<ContentType>(0), ""}), "content type"));
  BOOST_CHECK(check_value(Counter{-1}));

  // Each element counts 42 bytes with its dot.
  OrSet set;
  const auto add = [&set] {
    set.elements.set(std::to_string(10'000 + set.elements.size()), {Dot{Revision(1), 0, {}}});
  };
  while (size_of(Value(set)) <= limits::kValueBytes) {
    BOOST_REQUIRE(check_value(set));
    add();
  }
  BOOST_CHECK(refused(check_value(set), "set: expected at most"));
}

BOOST_AUTO_TEST_CASE(input_bytes_counts_what_the_user_gave) {
  BOOST_CHECK_EQUAL(input_bytes(entry("key", PutOp{ContentType::kText, "12345"})), 8U);
  BOOST_CHECK_EQUAL(input_bytes(entry("key", DeleteOp{})), 3U);
  BOOST_CHECK_EQUAL(input_bytes(entry("key", IncrOp{1})), 11U);
  BOOST_CHECK_EQUAL(input_bytes(entry("key", SetAddOp{{"a", "bc"}})), 38U);
  Entry with_metadata = entry("key", DeleteOp{});
  with_metadata.metadata = {{"name", "text"}};
  BOOST_CHECK_EQUAL(input_bytes(with_metadata), 11U);
}

BOOST_AUTO_TEST_CASE(entries_are_one_a_key_and_a_clear_stands_alone) {
  BOOST_CHECK(refused(check_entries({}), "at least one"));
  BOOST_CHECK(check_entries({entry("a", DeleteOp{}), entry("b", DeleteOp{})}));
  BOOST_CHECK(refused(
      check_entries({entry("b", DeleteOp{}), entry("a", IncrOp{1}), entry("b", DeleteOp{})}),
      "'b'"));
  BOOST_CHECK(check_entries({entry("", ClearOp{})}));
  BOOST_CHECK(refused(check_entries({entry("a", DeleteOp{}), entry("", ClearOp{})}), "alone"));
  BOOST_CHECK(refused(check_entries({entry("k", ClearOp{})}), "empty key"));
  Entry expecting = entry("", ClearOp{});
  expecting.expect = ExpectVersion{Revision(1)};
  BOOST_CHECK(refused(check_entries({expecting}), "clear"));
  // A single value may be larger than a group's input.
  BOOST_CHECK(check_entries(
      {entry("a", PutOp{ContentType::kText, std::string(limits::kGroupBytes + 1, 'x')})}));
}

BOOST_AUTO_TEST_CASE(a_mutation_has_an_incarnation_and_a_seq_from_one_on) {
  Mutation mutation{Incarnation(1), Seq(1), {}, {}, {entry("a", DeleteOp{})}};
  BOOST_CHECK(check_mutation(mutation));
  mutation.seq = Seq(limits::kNumberMax);
  BOOST_CHECK(check_mutation(mutation));
  mutation.seq = Seq(limits::kNumberMax + 1);
  BOOST_CHECK(refused(check_mutation(mutation), "seq: expected 1..2^62"));
  mutation.seq = Seq(0);
  BOOST_CHECK(refused(check_mutation(mutation), "seq: expected 1..2^62, got 0"));
  mutation.seq = Seq(1);
  mutation.incarnation = Incarnation();
  BOOST_CHECK(refused(check_mutation(mutation), "incarnation"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
