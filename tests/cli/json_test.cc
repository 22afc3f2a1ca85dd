#include "cli/json.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

std::string round(std::string_view text) {
  const auto json = parse_json(text);
  return json ? json->dump() : "error: " + json.error().text;
}

std::string canonical(std::string_view text) {
  return parse_json(text)->canonical();
}

BOOST_AUTO_TEST_CASE(a_line_keeps_the_order_of_its_fields_and_escapes_what_must_be) {
  Json line;
  line.set("z", 1).set("a", "tab\t\"quote\" back\\slash\x01\x7f\n");
  line.set("list", Json(Json::Array{Json(), true, -5, 2.5}));
  BOOST_TEST(line.dump() ==
             R"({"z":1,"a":"tab\t\"quote\" back\\slash\u0001\u007f\n","list":[null,true,-5,2.5]})");
  BOOST_TEST(line.dump().find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(text_round_trips) {
  for (const char* text :
       {"null", "true", "[]", "{}", "-9223372036854775808", "18446744073709551615", "0.1",
        R"({"b":[1,2,{"c":null}],"a":"\u00e4"})", R"("grüße 🐝")"})
    BOOST_TEST(!round(text).starts_with("error"), text);
  BOOST_TEST(round(R"("\u00e4\ud83d\udc1d")") == R"("ä🐝")");
  BOOST_TEST(round(" [ 1 , 2 ] ") == "[1,2]");
}

BOOST_AUTO_TEST_CASE(canonical_form_is_one_for_equal_content) {
  BOOST_TEST(canonical(R"({"b":1,"a":{"d":2,"c":3}})") == R"({"a":{"c":3,"d":2},"b":1})");
  BOOST_TEST(canonical("1.0") == canonical("1e0"));
  BOOST_TEST(canonical("[2.50]") == "[2.5]");
}

BOOST_AUTO_TEST_CASE(no_digit_of_a_number_is_lost) {
  BOOST_TEST(round("123456789012345678901234567890") == "123456789012345678901234567890");
  BOOST_TEST(round("3.14159265358979323846264338") == "3.14159265358979323846264338");
  std::int64_t whole = 0;
  std::uint64_t natural = 0;
  BOOST_TEST(parse_json("-3")->integer(whole));
  BOOST_TEST(whole == -3);
  BOOST_TEST(!parse_json("-3")->natural(natural));
  BOOST_TEST(!parse_json("18446744073709551615")->integer(whole));
  BOOST_TEST(parse_json("18446744073709551615")->natural(natural));
  BOOST_TEST(!parse_json("1.5")->integer(whole));
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_the_place) {
  for (const char* text : {"", "{", "[1,]", "nul", "\"\xff\"", "1 2", "{\"a\":1,\"a\":2}", "1e999"})
    BOOST_TEST(round(text).starts_with("error"), text);
  BOOST_TEST(parse_json("[1,]").error().text.contains("byte 4"));
  BOOST_TEST(parse_json("{\"a\":1,\"a\":2}").error().text.contains("twice"));
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused) {
  const std::string deep(kJsonDepthMax, '[');
  BOOST_TEST(!round(deep + std::string(kJsonDepthMax, ']')).starts_with("error"));
  BOOST_TEST(round(std::string(1'000'000, '[')).contains("nested deeper"));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_never_break_a_line) {
  BOOST_TEST(parse_json(Json(std::string("a\xff\xc3")).dump()).has_value());
}

BOOST_AUTO_TEST_CASE(base64_round_trips_any_bytes) {
  for (const std::string& bytes : {std::string(), std::string("a"), std::string("\0\xff\x80", 3)})
    BOOST_TEST(*from_base64(to_base64(bytes)) == bytes);
  BOOST_TEST(to_base64("hello") == "aGVsbG8=");
  for (const char* text : {"\x80WFu", "TWF\u00e9", "aGVsbG8", "a", "!!!!", "aGVs bG8="})
    BOOST_TEST(!from_base64(text), text);
}

}  // namespace
}  // namespace waggle::cli
