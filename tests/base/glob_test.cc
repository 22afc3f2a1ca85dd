#include "base/glob.h"

#include <algorithm>
#include <string>
#include <vector>

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

// Of all patterns and texts up to a length: what is told to be covered is.
BOOST_AUTO_TEST_CASE(a_pattern_that_is_covered_matches_nothing_else) {
  const std::vector<std::string> patterns = [] {
    std::vector<std::string> all = {""};
    for (std::size_t i = 0; i < all.size() && all[i].size() < 4; ++i)
      for (const char letter : {'a', 'b', '?', '*'}) all.push_back(all[i] + letter);
    return all;
  }();
  std::vector<std::string> texts = {""};
  for (std::size_t i = 0; i < texts.size() && texts[i].size() < 5; ++i)
    for (const char letter : {'a', 'b', 'c'}) texts.push_back(texts[i] + letter);
  std::uint64_t covered = 0;
  for (const std::string& outer : patterns)
    for (const std::string& inner : patterns) {
      if (!glob_covers(outer, inner)) continue;
      ++covered;
      for (const std::string& text : texts)
        if (glob_match(inner, text) && !glob_match(outer, text))
          BOOST_FAIL("'" + outer + "' is told to cover '" + inner + "', but not '" + text + "'");
    }
  BOOST_TEST(covered > patterns.size());
  for (const std::string& pattern : patterns) {
    BOOST_TEST(glob_covers(pattern, pattern) == true);
    BOOST_TEST(glob_covers("*", pattern));
  }
  BOOST_TEST(glob_covers("plan/*", "plan/a?c*"));
  BOOST_TEST(!glob_covers("plan/?", "plan/*"));
  BOOST_TEST(!glob_covers("a", "?"));
}

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

BOOST_AUTO_TEST_CASE(patterns_overlap_where_some_text_matches_both) {
  BOOST_TEST(globs_overlap("plan/*", "plan/a"));
  BOOST_TEST(globs_overlap("plan/**", "plan/a/b"));
  BOOST_TEST(globs_overlap("plan/*", "*/a"));
  BOOST_TEST(globs_overlap("*", ""));
  BOOST_TEST(globs_overlap("a?c", "ab*"));
  BOOST_TEST(!globs_overlap("plan/*", "plan"));
  BOOST_TEST(!globs_overlap("plan/*", "plans/a"));
  BOOST_TEST(!globs_overlap("a*b", "a*c"));
  BOOST_TEST(!globs_overlap("??", "a"));
  BOOST_TEST(is_plain_key("plan/a"));
  BOOST_TEST((!is_plain_key("plan/*") && !is_plain_key("plan/?")));
}

// Against all texts of up to six letters: patterns of up to five bytes that share none have none
// that is longer, since a shortest one has at most a byte for each byte of both.
BOOST_AUTO_TEST_CASE(overlap_is_what_trying_all_texts_says) {
  std::vector<std::string> texts = {""};
  for (std::size_t from = 0, length = 0; length < 6; ++length) {
    const std::size_t to = texts.size();
    for (; from < to; ++from)
      for (const char letter : {'a', 'b'}) texts.push_back(texts[from] + letter);
  }
  Prng prng(11);
  int overlapping = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string a = random_text(prng, "ab*?").substr(0, 3);
    std::string b = random_text(prng, "ab*?").substr(0, 3);
    const bool expected = std::ranges::any_of(
        texts, [&](const std::string& text) { return glob_match(a, text) && glob_match(b, text); });
    overlapping += expected ? 1 : 0;
    BOOST_TEST_REQUIRE(globs_overlap(a, b) == expected, a << " and " << b);
    BOOST_TEST_REQUIRE(globs_overlap(b, a) == expected, b << " and " << a);
  }
  BOOST_TEST((overlapping > 2'000 && overlapping < 18'000));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
