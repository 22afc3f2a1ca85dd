// The canonical form of JSON and what is refused before it becomes a tree.

#include "resolver/json_document.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "resolver/json_number.h"
#include "resolver/json_pointer.h"

namespace waggle {
namespace {

std::string canonical(std::string_view text) {
  const Result<JsonValue> value = parse_json_document(text);
  return value ? to_json(*value) : "refused: " + value.error().text;
}

bool refused(std::string_view text) {
  const Result<JsonValue> value = parse_json_document(text);
  return !value && value.error().code == Code::kRejected && !value.error().text.empty();
}

std::string nested(std::size_t levels, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += open;
  text += "0";
  for (std::size_t i = 0; i < levels; ++i) text += close;
  return text;
}

BOOST_AUTO_TEST_SUITE(json_document_test)

BOOST_AUTO_TEST_CASE(members_are_sorted_by_bytes_and_white_space_goes) {
  BOOST_TEST(canonical(" { \"b\" : [ 1 , 2 ] , \"a\" : { } ,\n\"B\":null, \"\":true }\t") ==
             R"({"":true,"B":null,"a":{},"b":[1,2]})");
  BOOST_TEST(canonical("{\"\u00e9\":1,\"z\":2}") == "{\"z\":2,\"\u00e9\":1}");
  BOOST_TEST(canonical("[]") == "[]");
  BOOST_TEST(canonical("[[],{},false]") == "[[],{},false]");
}

BOOST_AUTO_TEST_CASE(numbers_take_their_shortest_form_or_keep_their_text) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0", "0"},
      {"-0", "0"},
      {"-0.0", "-0"},
      {"-7", "-7"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      // Beyond 64 bits.
      {"18446744073709551616", "18446744073709551616"},
      {"-9223372036854775809", "-9223372036854775809"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"1.0", "1"},
      {"1.50", "1.5"},
      {"0.1", "0.1"},
      {"1E2", "100"},
      {"1e5", "1e+05"},
      {"1e300", "1e+300"},
      {"2.5e-8", "2.5e-08"},
      // What a double would round.
      {"1234567890123456.7", "1234567890123456.7"},
      {"9007199254740993.0", "9007199254740993.0"},
      {"12345678901234567e0", "12345678901234567e0"},
      {"1e-400", "1e-400"},
      {"0e-400", "0"},
      {"1.00000000000000000000", "1"},
      // More digits than a double holds.
      {"0.12345678901234567890123", "0.12345678901234567890123"},
      {"3.14159265358979323846e1", "3.14159265358979323846e1"},
  };
  for (const auto& [text, expected] : cases) BOOST_TEST(canonical(text) == expected);
}

BOOST_AUTO_TEST_CASE(the_canonical_text_is_its_own_canonical_text) {
  for (const std::string_view text :
       {R"({"a":[1.0,1e5,2.5e-8,18446744073709551616],"b":"\u0041\u0000\u007f\ud83d\ude00\/"})",
        R"("\"\\\b\f\n\r\t")", R"([0.12345678901234567890123])"}) {
    const std::string once = canonical(text);
    BOOST_TEST(!once.starts_with("refused"));
    BOOST_TEST(canonical(once) == once);
  }
}

BOOST_AUTO_TEST_CASE(texts_are_escaped_where_they_have_to_be_and_nowhere_else) {
  BOOST_TEST(canonical(R"("\u0041\/\"\\")") == R"("A/\"\\")");
  BOOST_TEST(canonical(R"("\b\f\n\r\t\u0000\u001f\u007f")") ==
             R"("\u0008\u000c\n\r\t\u0000\u001f\u007f")");
  BOOST_TEST(canonical(R"("\ud83d\ude00")") == "\"\U0001f600\"");
  BOOST_TEST(canonical(R"({"a\u0000b":1})") == R"({"a\u0000b":1})");
}

BOOST_AUTO_TEST_CASE(a_name_that_comes_twice_is_refused_at_every_level) {
  BOOST_TEST(refused(R"({"a":1,"a":1})"));
  BOOST_TEST(refused(R"([{"b":{"a":1,"\u0061":2}}])"));
  BOOST_TEST(canonical(R"({"a":1,"a":2})").contains("\"a\" comes twice"));
  BOOST_TEST(!refused(R"({"a":{"a":{"a":1}}})"));
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s,         " "s,         "nul"s,         "NaN"s,         "Infinity"s,  "-Infinity"s,
        "[NaN]"s,    "01"s,        "+1"s,          "1."s,          ".5"s,        "1e"s,
        "0x10"s,     "1e400"s,     "-1e400"s,      "{"s,           "[1,]"s,      "{\"a\":}"s,
        "{a:1}"s,    "'a'"s,       "1 2"s,         "[] x"s,        "\"a"s,       "\"\t\""s,
        "// c\n1"s,  R"("\x41")"s, R"("\ud83d")"s, R"("\ude00")"s, R"("\u12")"s, "1\0"s,
        "\"a\0b\""s, "\0"s})
    BOOST_TEST(refused(text), text);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_refused) {
  for (const std::string_view bytes :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    BOOST_TEST(refused("\"" + std::string(bytes) + "\""));
    BOOST_TEST(refused("{\"" + std::string(bytes) + "\":1}"));
  }
}

BOOST_AUTO_TEST_CASE(size_and_nesting_are_bounded) {
  const std::string full = "\"" + std::string(limits::kValueBytes - 2, 'x') + "\"";
  BOOST_TEST(!refused(full));
  BOOST_TEST(refused(full + " "));
  BOOST_TEST(!refused(nested(kJsonNestingMax, "[", "]")));
  BOOST_TEST(refused(nested(kJsonNestingMax + 1, "[", "]")));
  BOOST_TEST(!refused(nested(kJsonNestingMax, "{\"a\":", "}")));
  BOOST_TEST(refused(nested(kJsonNestingMax + 1, "{\"a\":", "}")));
  BOOST_TEST(refused(std::string(limits::kValueBytes, '[')));
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_text_is_refused_or_has_a_canonical_form) {
  const std::string text = R"({"a":[1.5,-2,"\u00e9\n",{"b":null}],"c":true})";
  for (std::size_t size = 0; size < text.size(); ++size) BOOST_TEST(refused(text.substr(0, size)));
  for (std::size_t at = 0; at < text.size(); ++at)
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      if (const auto value = parse_json_document(changed)) {
        const auto again = parse_json_document(to_json(*value));
        BOOST_REQUIRE(again);
        BOOST_REQUIRE((*again == *value));
      }
    }
}

BOOST_AUTO_TEST_CASE(values_say_what_they_are) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"null", "null"},     {"true", "a boolean"}, {"1", "a number"},
      {"\"\"", "a string"}, {"[]", "an array"},    {"{}", "an object"}};
  for (const auto& [text, kind] : cases) BOOST_TEST(parse_json_document(text)->kind() == kind);
}

BOOST_AUTO_TEST_CASE(numbers_are_equal_by_value) {
  const std::vector<std::pair<std::string_view, std::string_view>> equal = {
      {"1", "1.000"},
      {"100000", "1e+05"},
      {"0", "-0.0e9"},
      {"0.001", "1e-3"},
      {"-12.50", "-125e-1"},
      {"10e1", "1e2"},
      {"0e99999999999999999999", "0e99999999999999999999"},
      {"18446744073709551616", "1.8446744073709551616E19"}};
  for (const auto& [a, b] : equal)
    BOOST_TEST((equal_json_numbers(a, b) && equal_json_numbers(b, a)));
  const std::vector<std::pair<std::string_view, std::string_view>> different = {
      {"1", "-1"},
      {"1", "10"},
      {"0.1", "0.01"},
      {"18446744073709551616", "18446744073709551617"},
      {"1e-99999999999999999999", "2e-99999999999999999999"}};
  for (const auto& [a, b] : different) BOOST_TEST(!equal_json_numbers(a, b));
}

BOOST_AUTO_TEST_CASE(pointers_escape_and_unescape) {
  // RFC 6901, section 5, unescaped in section 3's order: "~01" is "~1", not "/".
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"", {}},          {"/", {""}},        {"/foo/0", {"foo", "0"}}, {"/a~1b", {"a/b"}},
      {"/c%d", {"c%d"}}, {"/m~0n", {"m~n"}}, {"/~01", {"~1"}},         {"/ //", {" ", "", ""}}};
  for (const auto& [pointer, names] : cases) {
    BOOST_TEST((parse_json_pointer(pointer) == names), pointer);
    std::string built;
    for (const std::string& name : names) built = json_pointer_below(built, name);
    BOOST_TEST(built == pointer);
  }
  for (const std::string_view pointer : {"a", "a/b", "#/a", "/~", "/a~", "/~2", "/~~0"})
    BOOST_TEST(!parse_json_pointer(pointer), pointer);
}

BOOST_AUTO_TEST_CASE(an_index_is_digits_without_a_leading_zero) {
  BOOST_TEST((to_array_index("0") == 0U));
  BOOST_TEST((to_array_index("10") == 10U));
  for (const std::string_view name :
       {"", "-", "-1", "+1", "00", "01", "1e0", "1.0", " 1", "1 ", "a", "99999999999999999999999"})
    BOOST_TEST(!to_array_index(name), name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
