#include "base/glob.h"

#include <string>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

// The definition, word by word.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         matches(pattern.substr(1), text.substr(1));
}

std::string random_text(Prng& prng, std::string_view letters) {
  std::string text;
  for (std::uint64_t i = prng.below(9); i > 0; --i)
    text.push_back(letters[prng.below(letters.size())]);
  return text;
}

BOOST_AUTO_TEST_SUITE(glob_test)

BOOST_AUTO_TEST_CASE(a_star_is_any_text_and_a_question_mark_one_byte) {
  BOOST_TEST(glob_match("", ""));
  BOOST_TEST(!glob_match("", "a"));
  BOOST_TEST(glob_match("*", ""));
  BOOST_TEST(glob_match("*", "a/b/c"));
  BOOST_TEST(glob_match("a/*", "a/b/c"));
  BOOST_TEST(!glob_match("a/*", "a"));
  BOOST_TEST(glob_match("?/1", "a/1"));
  BOOST_TEST(!glob_match("?", ""));
  BOOST_TEST(glob_match("??", "\xc3\xa4"));
  BOOST_TEST(glob_match("[a]\\*", "[a]\\anything"));
  BOOST_TEST(glob_match("*.json", "a.json.json"));
  BOOST_TEST(!glob_match("*.json", "a.json5"));
}

BOOST_AUTO_TEST_CASE(it_agrees_with_the_definition) {
  Prng prng(77);
  for (int i = 0; i < 20'000; ++i) {
    const std::string pattern = random_text(prng, "ab*?");
    const std::string text = random_text(prng, "ab*");
    BOOST_TEST(glob_match(pattern, text) == matches(pattern, text), pattern << " " << text);
  }
}

BOOST_AUTO_TEST_CASE(many_stars_do_not_make_it_slow) {
  // With a backtracking matcher this would not end.
  std::string pattern;
  for (int i = 0; i < 400; ++i) pattern += "*a";
  BOOST_TEST(!glob_match(pattern + "b", std::string(1024, 'a')));
}

BOOST_AUTO_TEST_CASE(the_prefix_ends_at_the_first_wildcard) {
  BOOST_TEST(glob_prefix("a/b") == "a/b");
  BOOST_TEST(glob_prefix("a/*b") == "a/");
  BOOST_TEST(glob_prefix("?") == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
