#include "cli/record_json.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

Change change(Value value) {
  auto record = std::make_shared<Record>();
  record->value = std::move(value);
  record->version = Revision(12);
  record->writer.agent = AgentId("scout");
  return {Key("k"), std::move(record)};
}

std::string shown(Value value) {
  return record_json(change(std::move(value))).dump();
}

BOOST_AUTO_TEST_CASE(each_type_has_its_form) {
  BOOST_TEST(
      shown(Register{ContentType::kText, "hi"}) ==
      R"({"key":"k","exists":true,"version":12,"type":"text","value":"hi","writer":"scout"})");
  BOOST_TEST(shown(Register{ContentType::kJson, "{\"a\":\n1}"}).contains(R"("value":{"a":1})"));
  BOOST_TEST(
      shown(Register{ContentType::kBytes, "hi"}).contains(R"("type":"bytes","base64":"aGk=")"));
  BOOST_TEST(shown(Counter{-3}).contains(R"("type":"counter","value":-3)"));
  OrSet set;
  set.elements.set("b", {});
  set.elements.set("a", {});
  set.elements.set("\xff", {});
  BOOST_TEST(shown(set).contains(R"("type":"set","value":["a","b",{"base64":"/w=="}])"));
}

BOOST_AUTO_TEST_CASE(what_claims_to_be_text_or_json_and_is_not_comes_as_base64) {
  BOOST_TEST(
      shown(Register{ContentType::kText, "\xff"}).contains(R"("type":"text","base64":"/w==")"));
  BOOST_TEST(shown(Register{ContentType::kJson, "{"}).contains(R"("type":"json","base64":"ew==")"));
}

BOOST_AUTO_TEST_CASE(absent_and_deleted_are_told_apart_from_values) {
  BOOST_TEST(record_json({Key("k"), nullptr}).dump() == R"({"key":"k","exists":false})");
  auto gone = std::make_shared<Record>();
  gone->version = Revision(4);
  BOOST_TEST(change_json({Key("k"), gone}).dump() == R"({"key":"k","version":4,"deleted":true})");
}

BOOST_AUTO_TEST_CASE(a_preview_is_one_line) {
  BOOST_TEST(preview(Register{ContentType::kText, "a\nb"}, 60) == "a\\nb");
  BOOST_TEST(preview(Register{ContentType::kBytes, "abc"}, 60) == "(3 B of bytes)");
  BOOST_TEST(preview(Counter{5}, 60) == "5");
}

}  // namespace
}  // namespace waggle::cli
