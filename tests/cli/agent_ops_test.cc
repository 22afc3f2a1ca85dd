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

Op op_of(std::string_view verb, std::string_view fields) {
  return entry_of(R"({"op":")" + std::string(verb) + R"(","key":"k")" +
                  (fields.empty() ? "" : "," + std::string(fields)) + "}")
      .op;
}

EditOp edit(std::uint64_t at, std::uint64_t removed, std::vector<std::string> inserted,
            ValueType type) {
  return {{{.at = at, .removed = removed, .inserted = std::move(inserted)}}, type};
}

BOOST_AUTO_TEST_CASE(every_type_has_its_verbs) {
  using enum ValueType;
  BOOST_TEST((op_of("put", R"("value":"v","beside":true)") ==
              Op(PutOp{ContentType::kText, "v", kMultiRegister})));
  BOOST_TEST((op_of("incr", R"("type":"grow-counter","amount":2)") == Op(IncrOp{2, kGrowCounter})));
  BOOST_TEST((op_of("reset", "") == Op(ResetOp{})));
  BOOST_TEST((op_of("reserve", R"("amount":3)") == Op(EscrowOp{EscrowVerb::kReserve, 3, {}})));
  BOOST_TEST((op_of("release", R"("amount":3)") == Op(EscrowOp{EscrowVerb::kRelease, 3, {}})));
  BOOST_TEST((op_of("handover", R"("amount":3,"to":"ada")") ==
              Op(EscrowOp{EscrowVerb::kHandOver, 3, AgentId("ada")})));
  BOOST_TEST((op_of("add", R"("elements":["a"],"type":"remove-wins-set")") ==
              Op(SetAddOp{{"a"}, kRemoveWinsSet})));
  BOOST_TEST((op_of("remove", R"("elements":["a"],"type":"remove-wins-set")") ==
              Op(SetRemoveOp{{"a"}, kRemoveWinsSet})));
  BOOST_TEST((op_of("once", "") == Op(FlagOp{true, kOnceFlag})));
  BOOST_TEST((op_of("on", "") == Op(FlagOp{true, kEnableFlag})));
  BOOST_TEST((op_of("off", R"("type":"disable-flag")") == Op(FlagOp{false, kDisableFlag})));
  BOOST_TEST((op_of("insert", R"("at":2,"text":"hum")") == Op(edit(2, 0, {"hum"}, kText))));
  BOOST_TEST(
      (op_of("insert", R"("at":2,"elements":["b","a"])") == Op(edit(2, 0, {"b", "a"}, kList))));
  BOOST_TEST((op_of("erase", R"("at":2)") == Op(edit(2, 1, {}, kText))));
  BOOST_TEST((op_of("erase", R"("at":2,"count":4,"type":"list")") == Op(edit(2, 4, {}, kList))));
}

BOOST_AUTO_TEST_CASE(max_and_min_take_the_kind_of_their_number) {
  using enum ValueType;
  BOOST_TEST((op_of("max", R"("value":-7)") == Op(RaiseOp{std::int64_t{-7}, kMax})));
  BOOST_TEST((op_of("max", R"("value":18446744073709551615)") == Op(RaiseOp{UINT64_MAX, kMax})));
  BOOST_TEST((op_of("min", R"("value":7.5)") == Op(RaiseOp{7.5, kMin})));
  BOOST_TEST((op_of("min", R"("value":7,"kind":"real")") == Op(RaiseOp{7.0, kMin})));
  BOOST_TEST(
      (op_of("max", R"("value":7,"kind":"natural")") == Op(RaiseOp{std::uint64_t{7}, kMax})));
  BOOST_TEST(
      (op_of("max", R"("value":"zoe","kind":"bytes")") == Op(RaiseOp{std::string("zoe"), kMax})));
  BOOST_TEST((op_of("max", R"("base64":"/w==","kind":"bytes")") ==
              Op(RaiseOp{std::string("\xff"), kMax})));
}

BOOST_AUTO_TEST_CASE(every_write_can_be_one_on_a_field) {
  const PutOp ulm{ContentType::kText, "Ulm"};
  BOOST_TEST((op_of("setfield", R"("field":"city","value":"Ulm")") == Op(field_op({"city"}, ulm))));
  BOOST_TEST((op_of("put", R"("field":["home","city"],"value":"Ulm")") ==
              Op(field_op({"home", "city"}, ulm))));
  BOOST_TEST((op_of("incr", R"("field":"/visits")") == Op(field_op({"/visits"}, IncrOp{1}))));
  BOOST_TEST((op_of("insert", R"("field":"song","at":0,"text":"x")") ==
              Op(field_op({"song"}, edit(0, 0, {"x"}, ValueType::kText)))));
  FieldOp removal = field_op({"city"}, DeleteOp{});
  BOOST_TEST((op_of("rmfield", R"("field":"city")") == Op(removal)));
  BOOST_TEST((op_of("delete", R"("field":"city")") == Op(removal)));
  removal.removed_type = ValueType::kRegister;
  BOOST_TEST((op_of("rmfield", R"("field":"city","type":"text")") == Op(removal)));
  const ParsedOp group =
      parse_op(R"({"op":"group","entries":[{"op":"max","key":"a","value":1},)"
               R"({"op":"setfield","key":"b","field":"f","value":1},{"op":"on","key":"c"}]})");
  BOOST_REQUIRE(group.op);
  BOOST_TEST(std::get<WriteCommand>(group.op->ask).entries.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_group_holds_writes_only) {
  const ParsedOp group = parse_op(
      R"({"op":"group","entries":[{"op":"put","key":"a","value":1},{"op":"incr","key":"n"}],"id":[1]})");
  BOOST_REQUIRE(group.op);
  BOOST_TEST(std::get<WriteCommand>(group.op->ask).entries.size() == 2U);
  BOOST_TEST(group.op->id.dump() == "[1]");
  BOOST_TEST(error_of(R"({"op":"group","entries":[{"op":"get","key":"a"}]})").contains("entry 1"));
  BOOST_TEST(error_of(R"({"op":"group","entries":[{"op":"onn","key":"a"}]})")
                 .contains("did you mean 'on'"));
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
      {R"({"op":"incr","key":"n","type":"set"})", "counter|grow-counter"},
      {R"({"op":"on","key":"f","type":"disable-flg"})", "did you mean 'disable-flag'"},
      {R"({"op":"reserve","key":"b"})", "\"amount\" is missing"},
      {R"({"op":"reserve","key":"b","amount":0})", "above 0"},
      {R"({"op":"handover","key":"b","amount":1})", "\"to\" is missing"},
      {R"({"op":"max","key":"m","value":"7"})", "\"kind\":\"bytes\""},
      {R"({"op":"max","key":"m","value":7,"kind":"bytes"})", "as \"kind\" is bytes"},
      {R"({"op":"max","key":"m","value":-7,"kind":"natural"})", "without sign"},
      {R"({"op":"max","key":"m","value":7,"kind":"number"})", "integer, natural, real or bytes"},
      {R"({"op":"max","key":"m"})", "a number in \"value\""},
      {R"({"op":"setfield","key":"m","value":1})", "\"field\" is missing"},
      {R"({"op":"put","key":"m","field":[],"value":1})", "a list of one or more names"},
      {R"({"op":"put","key":"m","field":["a",1],"value":1})", "a list of one or more names"},
      {R"({"op":"rmfield","key":"m","field":"f","type":"txt"})", "register|counter"},
      {R"({"op":"put","key":"m","value":1,"beside":1})", "true or false"},
      {R"({"op":"insert","key":"t","at":0})", "either \"text\""},
      {R"({"op":"insert","key":"t","text":"x"})", "\"at\" is missing"},
      {R"({"op":"insert","key":"t","at":-1,"text":"x"})", "a position"},
      {R"({"op":"erase","key":"t","at":0,"count":0})", "above 0"},
      {R"({"op":"erase","key":"t","at":0,"type":"text"})", "shared-text|list"},
      {R"({"op":"reset","key":"n","if_absent":true})", "has no field \"if_absent\""},
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
