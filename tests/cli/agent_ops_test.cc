#include "cli/agent_ops.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

std::string error_of(std::string_view line) {
  const ParsedOp parsed = parse_op(line);
  return parsed.op ? std::string("accepted") : parsed.op.error().text;
}

Entry entry_of(std::string_view line) {
  const ParsedOp parsed = parse_op(line);
  BOOST_REQUIRE_MESSAGE(parsed.op, parsed.op.error().text);
  return std::get<WriteCommand>(parsed.op->ask).entries.at(0);
}

BOOST_AUTO_TEST_CASE(the_type_of_a_value_follows_from_its_form) {
  const auto put = [](std::string_view rest) {
    return std::get<PutOp>(entry_of(R"({"op":"put","key":"k",)" + std::string(rest) + "}").op);
  };
  BOOST_TEST((put(R"("value":"hi")") == PutOp{ContentType::kText, "hi"}));
  BOOST_TEST((put(R"("value":{"b":1,"a":2})") == PutOp{ContentType::kJson, R"({"a":2,"b":1})"}));
  BOOST_TEST((put(R"("value":"hi","type":"json")") == PutOp{ContentType::kJson, "\"hi\""}));
  BOOST_TEST((put(R"("value":"aGk=","type":"bytes")") == PutOp{ContentType::kBytes, "hi"}));
  BOOST_TEST((put(R"("base64":"aGk=")") == PutOp{ContentType::kBytes, "hi"}));
  BOOST_TEST((put(R"("base64":"aGk=","type":"text")") == PutOp{ContentType::kText, "hi"}));
  BOOST_TEST((put(R"("value":null)") == PutOp{ContentType::kJson, "null"}));
}

BOOST_AUTO_TEST_CASE(writes_and_their_conditions) {
  BOOST_TEST((entry_of(R"({"op":"incr","key":"n"})").op == Op(IncrOp{1})));
  BOOST_TEST((entry_of(R"({"op":"incr","key":"n","amount":-4})").op == Op(IncrOp{-4})));
  BOOST_TEST((entry_of(R"({"op":"add","key":"s","elements":["b","a","b"]})").op ==
              Op(SetAddOp{{"a", "b"}})));
  BOOST_TEST((entry_of(R"({"op":"delete","key":"k","if_version":7})").expect ==
              Expect(ExpectVersion{Revision(7)})));
  BOOST_TEST((entry_of(R"({"op":"put","key":"k","value":1,"if_absent":true})").expect ==
              Expect(ExpectVersion{Revision(0)})));
  BOOST_TEST((entry_of(R"({"op":"put","key":"k","value":1,"if_mine":3})").expect ==
              Expect(ExpectMine{Seq(3)})));
  BOOST_TEST((entry_of(R"({"op":"put","key":"k","value":1,"metadata":{"a":"b"}})").metadata ==
              Metadata{{"a", "b"}}));
}

BOOST_AUTO_TEST_CASE(a_group_holds_writes_only) {
  const ParsedOp group = parse_op(
      R"({"op":"group","entries":[{"op":"put","key":"a","value":1},{"op":"incr","key":"n"}],"id":[1]})");
  BOOST_REQUIRE(group.op);
  BOOST_TEST(std::get<WriteCommand>(group.op->ask).entries.size() == 2U);
  BOOST_TEST(group.op->id.dump() == "[1]");
  BOOST_TEST(error_of(R"({"op":"group","entries":[{"op":"get","key":"a"}]})").contains("entry 1"));
  BOOST_TEST(error_of(R"({"op":"group","entries":[]})").contains("entries"));
}

BOOST_AUTO_TEST_CASE(reads_and_rounds) {
  const ParsedOp list = parse_op(R"({"op":"list","glob":"t/*","after":"t/5","limit":3})");
  BOOST_REQUIRE(list.op);
  BOOST_TEST(std::get<ReadCommand>(list.op->ask).glob == "t/*");
  BOOST_TEST(list.op->after == "t/5");
  BOOST_TEST(list.op->limit == 3U);
  const ParsedOp get = parse_op(R"({"op":"get","key":"k","at_least":9,"timeout":"2s"})");
  BOOST_REQUIRE(get.op);
  BOOST_TEST(get.op->single);
  BOOST_TEST(std::get<ReadCommand>(get.op->ask).timeout_millis == 2'000);
  const ParsedOp sync = parse_op(R"({"op":"sync","keys":["a"],"priority":"high"})");
  BOOST_REQUIRE(sync.op);
  BOOST_TEST((std::get<SyncCommand>(sync.op->ask).priority == Priority::kHigh));
  BOOST_TEST((std::get<LocalOp>(parse_op(R"({"op":"quit"})").op->ask) == LocalOp::kLeave));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_with_what_was_expected) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nonsense", "expected one JSON object a line"},
      {"[]", "expected a JSON object, found an array"},
      {"{}", "\"op\" is missing"},
      {R"({"op":1})", "expected a string, found 1"},
      {R"({"op":"putt"})", "did you mean 'put'"},
      {R"({"op":"xyzzy"})", "expected one of put"},
      {R"({"op":"put","key":"k"})", "expected either \"value\""},
      {R"({"op":"put","key":"k","value":1,"base64":""})", "expected either \"value\""},
      {R"({"op":"put","key":"k","vaule":1})", "did you mean 'value'"},
      {R"({"op":"put","key":1,"value":1})", "\"key\": expected a string"},
      {R"({"op":"put","key":"k","value":1,"type":"text"})", "as \"type\" is text"},
      {R"({"op":"put","key":"k","value":"%%","type":"bytes"})", "base64"},
      {R"({"op":"put","key":"k","value":1,"if_version":-1})", "\"if_version\""},
      {R"({"op":"put","key":"k","value":1,"if_version":1,"if_mine":1})", "only one of"},
      {R"({"op":"incr","key":"n","amount":1.5})", "a whole number"},
      {R"({"op":"add","key":"s","elements":"a"})", "a list of one or more strings"},
      {R"({"op":"get"})", "either \"key\" or \"keys\""},
      {R"({"op":"get","keys":[]})", "one or more strings"},
      {R"({"op":"get","key":""})", "1..1024"},
      {R"({"op":"get","key":"k","timeout":5})", "a duration"},
      {R"({"op":"list","limit":0})", "above 0"},
      {R"({"op":"sync"})", "either \"keys\" or \"all\""},
      {R"({"op":"sync","all":true,"priority":"urgent"})", "normal, high or critical"},
      {R"({"op":"delta","since":1})", "has no field \"since\""},
  };
  for (const auto& [line, text] : cases)
    BOOST_TEST(error_of(line).contains(text), line << " -> " << error_of(line));
}

BOOST_AUTO_TEST_CASE(the_id_is_echoed_although_the_rest_is_wrong) {
  BOOST_TEST(parse_op(R"({"op":"putt","id":"seven"})").id.dump() == "\"seven\"");
  BOOST_TEST(parse_op(R"({"id":7})").id.dump() == "7");
}

}  // namespace
}  // namespace waggle::cli
