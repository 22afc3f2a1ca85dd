#include "cli/op_words.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

using Path = std::vector<std::string>;

std::string error_of(const auto& result) {
  return result ? std::string("accepted") : result.error().text;
}

BOOST_AUTO_TEST_CASE(a_number_is_of_the_first_kind_that_holds_it) {
  BOOST_TEST((*scalar_of("7", "") == Scalar(std::int64_t{7})));
  BOOST_TEST((*scalar_of("-9223372036854775808", "") == Scalar(INT64_MIN)));
  BOOST_TEST((*scalar_of("9223372036854775808", "") == Scalar(std::uint64_t{1} << 63)));
  BOOST_TEST((*scalar_of("18446744073709551616", "") == Scalar(18446744073709551616.0)));
  BOOST_TEST((*scalar_of("7.5", "") == Scalar(7.5)));
  BOOST_TEST((*scalar_of("1e3", "") == Scalar(1000.0)));
  BOOST_TEST((*scalar_of("-0.0", "") == Scalar(0.0)));
}

BOOST_AUTO_TEST_CASE(a_kind_holds_or_the_number_is_refused) {
  BOOST_TEST((*scalar_of("7", "natural") == Scalar(std::uint64_t{7})));
  BOOST_TEST((*scalar_of("7", "real") == Scalar(7.0)));
  BOOST_TEST((*scalar_of("7", "bytes") == Scalar(std::string("7"))));
  BOOST_TEST((*scalar_of("", "bytes") == Scalar(std::string())));
  BOOST_TEST(error_of(scalar_of("-7", "natural")).contains("without sign"));
  BOOST_TEST(error_of(scalar_of("7.5", "integer")).contains("with sign"));
  for (const char* text : {"hello", "", "nan", "inf", "1e999", "7 ", "0x10"})
    BOOST_TEST(error_of(scalar_of(text, "")).contains("expected a number"), text);
  BOOST_TEST(error_of(scalar_of("7", "integr")).contains("did you mean 'integer'"));
}

BOOST_AUTO_TEST_CASE(a_field_is_a_name_or_a_path_as_in_rfc_6901) {
  BOOST_TEST((*field_path("mood") == Path{"mood"}));
  BOOST_TEST((*field_path("a/b") == Path{"a/b"}));
  BOOST_TEST((*field_path("a~1b") == Path{"a~1b"}));
  BOOST_TEST((*field_path("/home/city") == Path{"home", "city"}));
  BOOST_TEST((*field_path("/a~1b/m~0n/~01") == Path{"a/b", "m~n", "~1"}));
  BOOST_TEST((*field_path("/a/") == Path{"a", ""}));
  BOOST_TEST(error_of(field_path("/a~")).contains("behind '~'"));
  BOOST_TEST(error_of(field_path("/a~2")).contains("behind '~'"));
}

BOOST_AUTO_TEST_CASE(a_verb_knows_its_types_and_its_own_comes_first) {
  BOOST_TEST((types_of("incr").front() == ValueType::kCounter));
  BOOST_TEST((types_of("add").front() == ValueType::kOrSet));
  BOOST_TEST((types_of("off").front() == ValueType::kEnableFlag));
  BOOST_TEST((types_of("append").front() == ValueType::kText));
  BOOST_TEST(types_of("put").empty());
  BOOST_TEST((*type_for("add", "remove-wins-set") == ValueType::kRemoveWinsSet));
  BOOST_TEST(error_of(type_for("incr", "set")).contains("counter|grow-counter"));
  BOOST_TEST(error_of(type_for("incr", "grow-countr")).contains("did you mean 'grow-counter'"));
  BOOST_TEST((*field_type_of("json") == ValueType::kRegister));
  BOOST_TEST((*field_type_of("shared-text") == ValueType::kText));
}

}  // namespace
}  // namespace waggle::cli
