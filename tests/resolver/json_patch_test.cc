// Merge patches by the examples of RFC 7396, lists of operations by those of RFC 6902, the errors
// that either RFC asks for, and patches that ask for more than a patch should get.

#include "resolver/json_patch.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "base/prng.h"
#include "resolver/json_document.h"

namespace waggle {
namespace {

std::string canonical(std::string_view text) {
  return text.empty() ? "" : to_json(parse_json_document(text).value());
}

struct Example {
  std::string_view document;
  std::string_view patch;
  std::string_view result;
};

// A failure: the words that its text must hold.
struct Refusal {
  std::string_view document;
  std::string_view patch;
  std::vector<std::string_view> words;
};

bool passes(std::string_view document, std::string_view patch) {
  return apply_json_patch(document, patch).has_value();
}

using Apply = Result<std::string> (*)(std::string_view, std::string_view);

void check_examples(Apply apply, const std::vector<Example>& examples) {
  for (const Example& example : examples)
    BOOST_TEST_CONTEXT(example.document << " <- " << example.patch) {
      const Result<std::string> result = apply(example.document, example.patch);
      BOOST_TEST((result ? *result : result.error().text) == canonical(example.result));
    }
}

void check_refusals(Apply apply, const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals)
    BOOST_TEST_CONTEXT(refusal.document << " <- " << refusal.patch) {
      const Result<std::string> result = apply(refusal.document, refusal.patch);
      BOOST_REQUIRE(!result);
      BOOST_TEST((result.error().code == Code::kRejected));
      for (const std::string_view word : refusal.words)
        BOOST_TEST(result.error().text.contains(word), result.error().text << " lacks " << word);
    }
}

BOOST_AUTO_TEST_SUITE(json_patch_test)

BOOST_AUTO_TEST_CASE(merge_patch_examples_of_rfc_7396_appendix_a) {
  check_examples(apply_merge_patch,
                 {
                     {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                     {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                     {R"({"a":"b"})", R"({"a":null})", "{}"},
                     {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                     {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                     {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                     {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                     {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                     {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
                     {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
                     {R"({"a":"foo"})", "null", "null"},
                     {R"({"a":"foo"})", R"("bar")", R"("bar")"},
                     {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                     {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
                     {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
                 });
}

BOOST_AUTO_TEST_CASE(the_example_of_rfc_7396_section_3) {
  check_examples(apply_merge_patch,
                 {{R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},
                       "tags":["example","sample"],"content":"This will be unchanged"})",
                   R"({"title":"Hello!","phoneNumber":"+01-123-456-7890",
                       "author":{"familyName":null},"tags":["example"]})",
                   R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],
                       "content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})"}});
}

BOOST_AUTO_TEST_CASE(a_merge_patch_makes_a_document_where_there_is_none) {
  check_examples(apply_merge_patch,
                 {
                     {"", R"({"a":1,"b":null,"c":{"d":null}})", R"({"a":1,"c":{}})"},
                     {"", "7", "7"},
                     {"", "null", "null"},
                     {"", "{}", "{}"},
                 });
}

BOOST_AUTO_TEST_CASE(a_merge_patch_leaves_null_within_arrays) {
  check_examples(apply_merge_patch,
                 {{"{}", R"({"a":[null,{"b":null}]})", R"({"a":[null,{"b":null}]})"}});
}

BOOST_AUTO_TEST_CASE(a_merge_patch_that_is_no_json_is_refused) {
  check_refusals(apply_merge_patch, {
                                        {"{", "{}", {"the document: ", "byte"}},
                                        {"{}", "", {"the patch: "}},
                                        {"{}", R"({"a":1,"a":2})", {"the patch: ", "twice"}},
                                        {"{}", "\"\xff\"", {"the patch: "}},
                                    });
}

BOOST_AUTO_TEST_CASE(a_merge_patch_stays_within_the_size_of_a_value) {
  const std::string half(limits::kValueBytes / 2, 'x');
  const std::string a = fmt::format(R"({{"a":"{}"}})", half);
  const std::string b = fmt::format(R"({{"b":"{}"}})", half);
  BOOST_TEST(!apply_merge_patch(a, b).has_value());
  BOOST_TEST(apply_merge_patch(a, a).value() == a);
}

BOOST_AUTO_TEST_CASE(operations_by_the_examples_of_rfc_6902_appendix_a) {
  check_examples(
      apply_json_patch,
      {
          // A.1 to A.4
          {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
           R"({"baz":"qux","foo":"bar"})"},
          {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
           R"({"foo":["bar","qux","baz"]})"},
          {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])",
           R"({"foo":"bar"})"},
          {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
           R"({"foo":["bar","baz"]})"},
          // A.5 to A.7
          {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
           R"({"baz":"boo","foo":"bar"})"},
          {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
           R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
           R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
          {R"({"foo":["all","grass","cows","eat"]})",
           R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
           R"({"foo":["all","cows","eat","grass"]})"},
          // A.8
          {R"({"baz":"qux","foo":["a",2,"c"]})",
           R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
           R"({"baz":"qux","foo":["a",2,"c"]})"},
          // A.10, A.11
          {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
           R"({"foo":"bar","child":{"grandchild":{}}})"},
          {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
           R"({"foo":"bar","baz":"qux"})"},
          // A.14, A.16
          {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])",
           R"({"/":9,"~1":10})"},
          {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
           R"({"foo":["bar",["abc","def"]]})"},
      });
}

BOOST_AUTO_TEST_CASE(errors_by_the_examples_of_rfc_6902_appendix_a) {
  check_refusals(apply_json_patch,
                 {
                     // A.9
                     {R"({"baz":"qux"})",
                      R"([{"op":"test","path":"/baz","value":"bar"}])",
                      {"operation 1 (test \"/baz\")", "expected \"bar\"", "found \"qux\""}},
                     // A.12
                     {R"({"foo":"bar"})",
                      R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
                      {"operation 1 (add \"/baz/bat\")", "a member \"baz\"", R"({"foo":"bar"})"}},
                     // A.13
                     {R"({"foo":"bar"})",
                      R"([{"op":"add","path":"/baz","value":"qux","op":"remove"}])",
                      {"the patch: ", "\"op\" comes twice"}},
                     // A.15
                     {R"({"/":9,"~1":10})",
                      R"([{"op":"test","path":"/~01","value":"10"}])",
                      {"expected \"10\"", "found 10"}},
                 });
}

BOOST_AUTO_TEST_CASE(operations_reach_every_place) {
  check_examples(
      apply_json_patch,
      {
          {"{}", "[]", "{}"},
          {"1", R"([{"op":"add","path":"","value":{"a":1}}])", R"({"a":1})"},
          {"1", R"([{"op":"replace","path":"","value":null}])", "null"},
          {R"({"a":1})", R"([{"op":"test","path":"","value":{"a":1}}])", R"({"a":1})"},
          {R"({"a":1})", R"([{"op":"add","path":"/a","value":null}])", R"({"a":null})"},
          {R"({"":1})", R"([{"op":"replace","path":"/","value":2}])", R"({"":2})"},
          {"[]", R"([{"op":"add","path":"/0","value":1},{"op":"add","path":"/1","value":2},
                 {"op":"add","path":"/0","value":0}])",
           "[0,1,2]"},
          {"[1]", R"([{"op":"add","path":"/-","value":2}])", "[1,2]"},
          {R"({"-":1})", R"([{"op":"remove","path":"/-"}])", "{}"},
          {R"({"01":1})", R"([{"op":"replace","path":"/01","value":2}])", R"({"01":2})"},
          {R"({"a/b":{"m~n":[1]}})", R"([{"op":"replace","path":"/a~1b/m~0n/0","value":2}])",
           R"({"a/b":{"m~n":[2]}})"},
          {"[[1,2],[3]]", R"([{"op":"move","from":"/0/0","path":"/1/-"}])", "[[2],[3,1]]"},
          {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])",
           R"({"a":{"b":1,"c":{"b":1}}})"},
          {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":""}])", R"({"b":1})"},
          {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/a"}])", R"({"a":1})"},
          {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":""}])", R"({"b":1})"},
          {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
          {R"({"a":1})", R"([{"op":"move","from":"","path":""}])", R"({"a":1})"},
          // A name that only begins alike is not below it.
          {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/ab"}])", R"({"ab":1})"},
          {R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
          // Each operation sees what the one before it left.
          {"[1,2,3]", R"([{"op":"remove","path":"/0"},{"op":"remove","path":"/0"}])", "[3]"},
      });
}

BOOST_AUTO_TEST_CASE(a_test_compares_by_value) {
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
           {"1", "1.0"},
           {"100000", "1e5"},
           {"[1e5]", "[100000]"},
           {"0", "-0.0"},
           {R"({"a":1e5,"b":[]})", R"({"b":[],"a":100000})"},
           {"18446744073709551616", "1.8446744073709551616e19"}})
    BOOST_TEST(passes(a, fmt::format(R"([{{"op":"test","path":"","value":{}}}])", b)));
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
           {"1", "true"},
           {"0", "null"},
           {"[1,2]", "[2,1]"},
           {"[]", "{}"},
           {"[1]", "[1,1]"},
           {R"({"a":1})", R"({"b":1})"},
           {R"({"a":1})", R"({"a":1,"b":1})"},
           {"\"1\"", "1"},
           {"18446744073709551616", "18446744073709551617"}})
    BOOST_TEST(!passes(a, fmt::format(R"([{{"op":"test","path":"","value":{}}}])", b)));
}

BOOST_AUTO_TEST_CASE(where_there_is_no_document_only_one_can_be_added) {
  check_examples(
      apply_json_patch,
      {
          {"", R"([{"op":"add","path":"","value":{}},{"op":"add","path":"/a","value":1}])",
           R"({"a":1})"},
      });
  check_refusals(
      apply_json_patch,
      {
          {"", "[]", {"adds a document"}},
          {"", R"([{"op":"add","path":"/a","value":1}])", {"operation 1 (add \"/a\")", "none"}},
          {"", R"([{"op":"replace","path":"","value":1}])", {"none"}},
          {"", R"([{"op":"test","path":"","value":null}])", {"none"}},
          {"", R"([{"op":"copy","from":"","path":""}])", {"none"}},
          {"", R"([{"op":"move","from":"","path":""}])", {"none"}},
          {"", R"([{"op":"remove","path":""}])", {"operation 1"}},
      });
}

BOOST_AUTO_TEST_CASE(an_array_takes_only_indices_that_exist) {
  for (const std::string_view index :
       {"3", "99", "-1", "01", "00", "1e0", "a", "", "1.0", "+1", "99999999999999999999999"})
    for (const std::string_view operation :
         {R"("op":"add","value":0)", R"("op":"replace","value":0)", R"("op":"test","value":0)",
          R"("op":"remove")"})
      check_refusals(apply_json_patch,
                     {{"[1,2]",
                       fmt::format(R"([{{"path":"/{}",{}}}])", index, operation),
                       {"operation 1", "an index", fmt::format("found \"{}\"", index)}}});
  for (const std::string_view operation :
       {R"("op":"replace","value":0)", R"("op":"test","value":0)", R"("op":"remove")"})
    for (const std::string_view index : {"2", "-"})
      check_refusals(apply_json_patch, {{"[1,2]",
                                         fmt::format(R"([{{"path":"/{}",{}}}])", index, operation),
                                         {"an index below 2"}}});
  check_refusals(apply_json_patch,
                 {{"[[1]]", R"([{"op":"add","path":"/-/0","value":1}])", {"an index below 1"}},
                  {"[1]", R"([{"op":"move","from":"/0","path":"/1"}])", {"an index of 0..0"}}});
}

BOOST_AUTO_TEST_CASE(what_is_not_there_can_not_be_changed) {
  check_refusals(
      apply_json_patch,
      {
          {R"({"a":1})", R"([{"op":"remove","path":"/b"}])", {"a member \"b\"", R"({"a":1})"}},
          {R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])", {"a member \"b\""}},
          {R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])", {"a member \"b\""}},
          {R"({"a":1})", R"([{"op":"move","from":"/b","path":"/c"}])", {"a member \"b\""}},
          {R"({"a":1})", R"([{"op":"move","from":"/b","path":"/b"}])", {"a member \"b\""}},
          {R"({"a":1})", R"([{"op":"copy","from":"/b","path":"/c"}])", {"a member \"b\""}},
          {R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])", {"to add to", "found 1"}},
          {R"({"a":1})", R"([{"op":"remove","path":"/a/b"}])", {"that holds \"b\"", "found 1"}},
          {R"("text")", R"([{"op":"add","path":"/0","value":1}])", {"to add to", "\"text\""}},
          {"{}", R"([{"op":"remove","path":""}])", {"whole document"}},
          {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b"}])", {"below"}},
          {R"({"a":{"b":1}})", R"([{"op":"move","from":"","path":"/a"}])", {"below"}},
      });
}

BOOST_AUTO_TEST_CASE(a_patch_that_is_not_one_is_refused) {
  check_refusals(
      apply_json_patch,
      {
          {"{", "[]", {"the document: "}},
          {"{}", "", {"the patch: "}},
          {"{}", "[", {"the patch: "}},
          {"{}", "{}", {"an array of operations", "an object"}},
          {"{}", "null", {"an array of operations", "null"}},
          {"{}", "[1]", {"operation 1: ", "an object", "found 1"}},
          {"{}", "[{}]", {"operation 1: ", "\"op\""}},
          {"{}", R"([{"op":"add","value":1}])", {"operation 1: ", "\"path\""}},
          {"{}", R"([{"op":1,"path":""}])", {"\"op\" to be a string", "found 1"}},
          {"{}", R"([{"op":"add","path":null,"value":1}])", {"\"path\" to be a string", "null"}},
          {"{}", R"([{"op":"add","path":"/a"}])", {"\"value\""}},
          {"{}", R"([{"op":"test","path":""}])", {"\"value\""}},
          {"{}", R"([{"op":"move","path":"/a"}])", {"\"from\""}},
          {"{}", R"([{"op":"copy","path":"/a","from":1}])", {"\"from\" to be a string"}},
          {"{}", R"([{"op":"spam","path":""}])", {"add, remove", "found \"spam\""}},
          {"{}", R"([{"op":"Add","path":"","value":1}])", {"found \"Add\""}},
          {"{}", R"([{"op":"add","path":"a","value":1}])", {"begins with \"/\"", "found \"a\""}},
          {"{}", R"([{"op":"add","path":"/~","value":1}])", {"\"~\" is followed by"}},
          {"{}", R"([{"op":"add","path":"/~2","value":1}])", {"\"~\" is followed by"}},
          {"{}", R"([{"op":"copy","from":"x","path":"/a"}])", {"begins with \"/\"", "found \"x\""}},
      });
}

BOOST_AUTO_TEST_CASE(errors_name_the_operation_that_failed) {
  check_refusals(apply_json_patch,
                 {{R"({"a":1})",
                   R"([{"op":"add","path":"/b","value":1},{"op":"remove","path":"/a"},
                       {"op":"test","path":"/a","value":1}])",
                   {"operation 3 (test \"/a\"): expected a member \"a\", found {\"b\":1}"}}});
}

BOOST_AUTO_TEST_CASE(errors_stay_short_and_utf8) {
  std::string long_text;
  for (int i = 0; i < 1000; ++i) long_text += "\u20ac";
  const Result<std::string> result =
      apply_json_patch(fmt::format("\"{}\"", long_text),
                       fmt::format(R"([{{"op":"test","path":"/{0}","value":"{0}"}}])", long_text));
  BOOST_REQUIRE(!result);
  BOOST_TEST(result.error().text.size() < 500U);
  // Whoever quotes the error in JSON needs UTF-8.
  std::string quoted = "\"";
  for (const char c : result.error().text) quoted += c == '"' ? '\'' : c;
  BOOST_TEST(parse_json_document(quoted + "\"").has_value());
}

BOOST_AUTO_TEST_CASE(copies_that_double_the_document_end_at_the_bound) {
  std::string patch = "[";
  for (int i = 0; i < 60; ++i)
    patch += fmt::format(R"({}{{"op":"copy","from":"","path":"/{}"}})", i == 0 ? "" : ",", i);
  check_refusals(apply_json_patch, {{"{}", patch + "]", {"operation ", "too much work"}}});
}

BOOST_AUTO_TEST_CASE(copies_and_moves_do_not_nest_deeper_than_a_document_may) {
  std::string patch = "[";
  for (int i = 0; i < 7; ++i)
    patch += fmt::format(R"({}{{"op":"copy","from":"/a","path":"/b"}},
                             {{"op":"move","from":"/b","path":"/a{}"}})",
                         i == 0 ? "" : ",", [i] {
                           std::string path;
                           for (int level = 0; level < (1 << i); ++level) path += "/a";
                           return path;
                         }());
  check_refusals(apply_json_patch, {{R"({"a":{}})", patch + "]", {"at most 64 levels"}}});

  std::string path;
  for (std::size_t i = 0; i < kJsonNestingMax - 1; ++i) path += "/0";
  const std::string deep = std::string(kJsonNestingMax, '[') + std::string(kJsonNestingMax, ']');
  BOOST_TEST(passes(deep, fmt::format(R"([{{"op":"add","path":"{}/-","value":1}}])", path)));
  BOOST_TEST(!passes(deep, fmt::format(R"([{{"op":"add","path":"{}/-","value":[]}}])", path)));
}

BOOST_AUTO_TEST_CASE(many_insertions_at_the_front_of_a_large_array_end_at_the_bound) {
  std::string document = "[0";
  for (int i = 0; i < 400'000; ++i) document += ",0";
  document += "]";
  const auto insertions = [](int count) {
    std::string patch = "[";
    for (int i = 0; i < count; ++i)
      patch += fmt::format(R"({}{{"op":"add","path":"/0","value":1}})", i == 0 ? "" : ",");
    return patch + "]";
  };
  BOOST_TEST(passes(document, insertions(10)));
  const Result<std::string> refused = apply_json_patch(document, insertions(10'000));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().text.contains("too much work"));
}

// Random operations, most of which fit: the result is a document or an error with a text, and
// a patch that is cut before an operation which fails passes.
BOOST_AUTO_TEST_CASE(random_patches_pass_up_to_the_operation_that_the_error_names) {
  constexpr std::string_view kPaths[] = {"", "/a", "/b", "/a/0", "/a/-", "/a/1", "/b/a", "/b/~0"};
  constexpr std::string_view kValues[] = {"1", "null", "[1,2]", R"({"a":[]})", "\"x\""};
  constexpr std::string_view kKinds[] = {"add", "remove", "replace", "move", "copy", "test"};
  std::size_t failures = 0;
  for (std::uint64_t seed = 0; seed < 5000; ++seed) BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      std::vector<std::string> operations;
      for (std::uint64_t i = 1 + prng.below(6); i > 0; --i)
        operations.push_back(fmt::format(
            R"({{"op":"{}","path":"{}","from":"{}","value":{}}})",
            kKinds[prng.below(std::size(kKinds))], kPaths[prng.below(std::size(kPaths))],
            kPaths[prng.below(std::size(kPaths))], kValues[prng.below(std::size(kValues))]));
      const auto first = [&](std::size_t count) {
        return fmt::format("[{}]",
                           fmt::join(operations.begin(),
                                     operations.begin() + static_cast<std::ptrdiff_t>(count), ","));
      };
      const std::string document = R"({"a":[1,2],"b":{"a":1,"~":2}})";
      const Result<std::string> result = apply_json_patch(document, first(operations.size()));
      if (result) {
        BOOST_REQUIRE_EQUAL(*result, canonical(*result));
        continue;
      }
      ++failures;
      std::size_t passing = 0;
      while (passes(document, first(passing + 1))) ++passing;
      BOOST_REQUIRE_MESSAGE(
          result.error().text.starts_with(fmt::format("operation {} (", passing + 1)),
          result.error().text);
    }
  BOOST_TEST(failures > 500U);
  BOOST_TEST(failures < 4800U);
}

BOOST_AUTO_TEST_CASE(a_merge_patch_holds_only_what_differs) {
  check_examples(make_merge_patch, {
                                       {R"({"a":1,"b":2})", R"({"a":1,"b":3})", R"({"b":3})"},
                                       {R"({"a":1,"b":2})", R"({"a":1})", R"({"b":null})"},
                                       {R"({"a":{"x":1,"y":[1]}})", R"({"a":{"x":1,"y":[1,null]}})",
                                        R"({"a":{"y":[1,null]}})"},
                                       {R"({"a":{"x":1}})", R"({"a":{}})", R"({"a":{"x":null}})"},
                                       {R"({"a":5})", R"({"a":{}})", R"({"a":{}})"},
                                       {R"({"a":null,"b":1})", R"({"a":null,"b":2})", R"({"b":2})"},
                                       {"[1]", R"({"a":1})", R"({"a":1})"},
                                       {R"({"a":1})", "[null]", "[null]"},
                                       {R"({"a":1})", "null", "null"},
                                       {R"({"a":1})", R"({"a":1})", "{}"},
                                       {"", R"({"a":1})", R"({"a":1})"},
                                   });
}

BOOST_AUTO_TEST_CASE(a_merge_patch_that_would_have_to_set_null_is_refused) {
  check_refusals(make_merge_patch, {
                                       {R"({"a":1})", R"({"a":null})", {"/a to null"}},
                                       {"{}", R"({"a":{"b/c":null}})", {"/a/b~1c to null"}},
                                       {"", R"({"a":null})", {"/a to null"}},
                                       {"{", "{}", {"the document: "}},
                                       {"{}", "", {"the wanted document: "}},
                                   });
}

BOOST_AUTO_TEST_CASE(a_merge_patch_larger_than_a_value_is_refused) {
  std::string document = "{\"0\":1";
  for (int i = 1; document.size() < limits::kValueBytes - 20; ++i)
    document += fmt::format(",\"{}\":1", i);
  check_refusals(make_merge_patch, {{document + "}", "{}", {"the merge patch: ", "at most"}}});
}

// A null among the members of `wanted`, outside of arrays, which `from` has not at the same place.
bool sets_null(const JsonValue* from, const JsonValue& wanted) {
  if (wanted.is_null()) return from == nullptr || !from->is_null();
  if (wanted.object() == nullptr) return false;
  for (const auto& [name, member] : *wanted.object()) {
    const JsonValue::Object* before = from == nullptr ? nullptr : from->object();
    const bool known = before != nullptr && before->contains(name);
    if (sets_null(known ? &before->at(name) : nullptr, member)) return true;
  }
  return false;
}

JsonValue random_document(Prng& prng, int levels) {
  constexpr std::string_view kLeaves[] = {"1", "2", "null", "[null,{\"a\":null}]", "\"x\"", "{}"};
  if (levels == 0 || prng.chance(1, 6))
    return parse_json_document(kLeaves[prng.below(std::size(kLeaves))]).value();
  JsonValue::Object members;
  for (const char* name : {"a", "b", "c/d"})
    if (prng.chance(1, 2)) members.emplace(name, random_document(prng, levels - 1));
  return {members};
}

BOOST_AUTO_TEST_CASE(a_made_merge_patch_makes_the_wanted_document) {
  std::uint64_t refused = 0;
  constexpr std::uint64_t kCount = 20'000;
  for (std::uint64_t seed = 0; seed < kCount; ++seed) BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      const JsonValue from = random_document(prng, 3);
      const JsonValue wanted = random_document(prng, 3);
      const Result<std::string> patch = make_merge_patch(to_json(from), to_json(wanted));
      const bool impossible = wanted.object() != nullptr && sets_null(&from, wanted);
      BOOST_REQUIRE_EQUAL(patch.has_value(), !impossible);
      if (patch)
        BOOST_REQUIRE_EQUAL(apply_merge_patch(to_json(from), *patch).value(), to_json(wanted));
      refused += impossible ? 1 : 0;
    }
  BOOST_TEST(refused > kCount / 10);
  BOOST_TEST(refused < kCount - kCount / 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
