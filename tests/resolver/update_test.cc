#include "resolver/update.h"

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Record record_of(Value value) {
  Record record;
  record.value = std::move(value);
  return record;
}
Register json(std::string bytes) {
  return {ContentType::kJson, std::move(bytes)};
}
Value map_of(const std::string& name, Value value) {
  Map map;
  Field field;
  const ValueType type = type_of(value);
  field.value = std::make_shared<const Nested>(Nested{std::move(value)});
  map.fields.set({name, type}, std::move(field));
  return map;
}
// What a patch puts, or the error's text.
std::string patched(const Record* standing, std::string_view patch,
                    std::vector<std::string> path = {}) {
  const Result<PatchForm> form = patch_form_of(patch);
  if (!form) return form.error().text;
  const Result<Op> op = patch_op(standing, path, *form, patch);
  if (!op) return op.error().text;
  const auto* field = std::get_if<FieldOp>(&*op);
  BOOST_TEST((field != nullptr) == !path.empty());
  if (field != nullptr) BOOST_TEST(field->path == path);
  const auto& put = std::get<PutOp>(field != nullptr ? field->op->op : *op);
  BOOST_TEST((put.content == ContentType::kJson));
  return put.bytes;
}
std::uint64_t end_of(const Record* standing, ValueType type, std::vector<std::string> path = {}) {
  const Op op = append_op(standing, std::move(path), {"x"}, type);
  const auto* field = std::get_if<FieldOp>(&op);
  return std::get<EditOp>(field != nullptr ? field->op->op : op).edits.at(0).at;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_object_is_merged_and_a_list_is_done_in_order) {
  const Record record = record_of(json(R"({"a":1,"b":[1]})"));
  BOOST_TEST(patched(&record, R"({"a":null,"c":2})") == R"({"b":[1],"c":2})");
  BOOST_TEST(patched(&record, R"( [{"op":"add","path":"/b/-","value":2}])") ==
             R"({"a":1,"b":[1,2]})");
  BOOST_TEST(patched(nullptr, R"({"a":1})") == R"({"a":1})");
}

BOOST_AUTO_TEST_CASE(a_patch_that_does_not_fit_says_why) {
  const Record record = record_of(json("{}"));
  BOOST_TEST(patched(&record, "7").contains("expected an object"));
  BOOST_TEST(patched(&record, "").contains("expected an object"));
  BOOST_TEST(patched(&record, R"([{"op":"remove","path":"/a"}])").contains("/a"));
  BOOST_TEST(patched(nullptr, R"([{"op":"remove","path":"/a"}])").contains("operation 1"));
  const Record text = record_of(Register{ContentType::kText, "{}"});
  BOOST_TEST(patched(&text, "{}").contains("what stands is text"));
}

BOOST_AUTO_TEST_CASE(a_field_is_patched_where_it_stands) {
  const Record record = record_of(map_of("home", map_of("door", json(R"({"a":1})"))));
  BOOST_TEST(patched(&record, R"({"b":2})", {"home", "door"}) == R"({"a":1,"b":2})");
  BOOST_TEST(patched(&record, R"({"b":2})", {"home", "roof"}) == R"({"b":2})");
  BOOST_TEST(patched(&record, R"({"b":2})", {"house"}) == R"({"b":2})");
}

BOOST_AUTO_TEST_CASE(an_append_is_behind_what_stands) {
  Text text;
  BOOST_REQUIRE(text.sequence.edit({{.at = 0, .removed = 0, .inserted = {"h\u00fcm"}}},
                                   {Revision(1), 0, {AgentId("a"), Incarnation(1), Seq(1)}},
                                   {Revision(0), [](const Dot&) { return false; }}));
  const Record record = record_of(text);
  BOOST_TEST(end_of(&record, ValueType::kText) == 3U);
  BOOST_TEST(end_of(&record, ValueType::kList) == 0U);
  BOOST_TEST(end_of(nullptr, ValueType::kText) == 0U);
  const Record map = record_of(map_of("song", text));
  BOOST_TEST(end_of(&map, ValueType::kText, {"song"}) == 3U);
  BOOST_TEST(end_of(&map, ValueType::kText, {"hymn"}) == 0U);
}

}  // namespace waggle
