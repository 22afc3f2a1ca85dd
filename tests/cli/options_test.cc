// From the words of a command line to the operation that is sent.

#include "cli/options.h"

#include <boost/test/unit_test.hpp>

#include "base/shape.h"
#include "cli/state_op.h"

namespace waggle::cli {
namespace {

std::expected<CommandLine, int> parsed(std::vector<std::string> words) {
  words.insert(words.begin(), {"waggle", "state"});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

CommandLine line_of(std::vector<std::string> words) {
  auto line = parsed(std::move(words));
  BOOST_REQUIRE(line.has_value());
  BOOST_REQUIRE((line->verb == Verb::kStateWrite));
  return *std::move(line);
}

Op op_of_words(std::vector<std::string> words) {
  Result<Op> op = op_of(line_of(std::move(words)).state);
  BOOST_REQUIRE_MESSAGE(op, op.error().text);
  BOOST_TEST(check_entry(Entry{Key("k"), {}, *op, {}}).has_value());
  return *std::move(op);
}

EditOp edit(std::uint64_t at, std::uint64_t removed, std::vector<std::string> inserted,
            ValueType type) {
  return {{{.at = at, .removed = removed, .inserted = std::move(inserted)}}, type};
}

BOOST_AUTO_TEST_CASE(counters) {
  using enum ValueType;
  BOOST_TEST((op_of_words({"incr", "k"}) == Op(IncrOp{1, kCounter})));
  BOOST_TEST((op_of_words({"incr", "k", "-3"}) == Op(IncrOp{-3, kCounter})));
  BOOST_TEST((op_of_words({"incr", "k", "--type", "resettable-counter"}) ==
              Op(IncrOp{1, kResettableCounter})));
  BOOST_TEST((op_of_words({"reset", "k"}) == Op(ResetOp{})));
}

BOOST_AUTO_TEST_CASE(sets_extremes_and_flags) {
  using enum ValueType;
  BOOST_TEST((op_of_words({"add", "k", "b", "a", "b", "--type", "grow-set"}) ==
              Op(SetAddOp{{"a", "b"}, kGrowSet})));
  BOOST_TEST((op_of_words({"remove", "k", "b"}) == Op(SetRemoveOp{{"b"}, kOrSet})));
  BOOST_TEST((op_of_words({"max", "k", "-7"}) == Op(RaiseOp{std::int64_t{-7}, kMax})));
  BOOST_TEST((op_of_words({"max", "k", "-7.5"}) == Op(RaiseOp{-7.5, kMax})));
  BOOST_TEST((op_of_words({"min", "k", "zoe", "--kind", "bytes"}) ==
              Op(RaiseOp{std::string("zoe"), kMin})));
  BOOST_TEST((op_of_words({"once", "k"}) == Op(FlagOp{true, kOnceFlag})));
  BOOST_TEST((op_of_words({"on", "k"}) == Op(FlagOp{true, kEnableFlag})));
  BOOST_TEST(
      (op_of_words({"off", "k", "--type", "disable-flag"}) == Op(FlagOp{false, kDisableFlag})));
}

BOOST_AUTO_TEST_CASE(registers_and_fields) {
  using enum ValueType;
  const PutOp ulm{ContentType::kText, "Ulm"};
  BOOST_TEST((op_of_words({"put", "k", "Ulm", "--beside"}) ==
              Op(PutOp{ContentType::kText, "Ulm", kMultiRegister})));
  BOOST_TEST((op_of_words({"setfield", "k", "city", "Ulm"}) == Op(field_op({"city"}, ulm))));
  BOOST_TEST(
      (op_of_words({"setfield", "k", "/home/city", "Ulm"}) == Op(field_op({"home", "city"}, ulm))));
  BOOST_TEST((op_of_words({"setfield", "k", "city", "Ulm", "--field", "home"}) ==
              Op(field_op({"home", "city"}, ulm))));
  BOOST_TEST((op_of_words({"incr", "k", "2", "--field", "home", "--field", "/visits"}) ==
              Op(field_op({"home", "/visits"}, IncrOp{2}))));
  BOOST_TEST((op_of_words({"incr", "--field", "visits", "k", "2"}) ==
              Op(field_op({"visits"}, IncrOp{2}))));
  FieldOp removal = field_op({"city"}, DeleteOp{});
  BOOST_TEST((op_of_words({"rmfield", "k", "city"}) == Op(removal)));
  removal.removed_type = kCounter;
  BOOST_TEST((op_of_words({"rmfield", "k", "city", "--type", "counter"}) == Op(removal)));
}

BOOST_AUTO_TEST_CASE(texts_and_lists) {
  using enum ValueType;
  BOOST_TEST((op_of_words({"insert", "k", "3", "hum"}) == Op(edit(3, 0, {"hum"}, kText))));
  BOOST_TEST((op_of_words({"insert", "k", "3", "b", "a", "b", "--list"}) ==
              Op(edit(3, 0, {"b", "a", "b"}, kList))));
  BOOST_TEST((op_of_words({"erase", "k", "3"}) == Op(edit(3, 1, {}, kText))));
  BOOST_TEST((op_of_words({"erase", "k", "3", "2", "--list"}) == Op(edit(3, 2, {}, kList))));
  BOOST_TEST((op_of_words({"append", "k", "hum", "--field", "song"}) ==
              Op(field_op({"song"}, edit(0, 0, {"hum"}, kText)))));
  BOOST_TEST(line_of({"insert", "k", "0", "x", "--as-of", "12"}).state.as_of == "12");
}

BOOST_AUTO_TEST_CASE(conditions_of_every_write) {
  BOOST_TEST((line_of({"max", "k", "1", "--if-version", "7"}).state.if_version == 7U));
  BOOST_TEST((line_of({"erase", "k", "1", "--if-version", "7"}).state.if_version == 7U));
  BOOST_TEST(line_of({"once", "k", "--if-absent"}).state.if_absent);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_ends_with_usage) {
  const std::vector<std::vector<std::string>> lines = {
      {"incr", "k", "--type", "set"},
      {"reserve", "k", "4"},
      {"release", "k", "4"},
      {"handover", "k", "4", "ada"},
      {"max", "k"},
      {"max", "k", "hello"},
      {"max", "k", "1", "--kind", "number"},
      {"on", "k", "--type", "once"},
      {"setfield", "k"},
      {"setfield", "k", "/~2", "v"},
      {"setfield", "k", "f", "v", "--file", "x"},
      {"rmfield", "k", "f", "--type", "nope"},
      {"rmfield", "k", "f", "--if-absent"},
      {"insert", "k", "x", "text"},
      {"insert", "k", "-1", "text"},
      {"insert", "k", "0"},
      {"insert", "k", "0", "two", "texts"},
      {"append", "k", "two", "texts"},
      {"erase", "k", "0", "0"},
      {"incr", "k", "--field", ""},
      {"insert", "k", "0", "x", "--as-of", ""},
  };
  for (const auto& words : lines) {
    const auto line = parsed(words);
    BOOST_TEST(!line.has_value(), words.at(0));
    if (!line) BOOST_TEST(line.error() == 2);
  }
}

}  // namespace
}  // namespace waggle::cli
