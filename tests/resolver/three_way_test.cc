#include "resolver/three_way.h"

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"

namespace waggle {
namespace {

Register of(ContentType content, std::string_view bytes) {
  return {content, std::string(bytes)};
}

struct Row {
  std::string_view base;
  std::string_view ours;
  std::string_view theirs;
  std::string_view merged;  // with kNone
  std::vector<std::string> conflicts = {};
  std::string_view by_ours = {};  // with kOurs, kTheirs; only where there are conflicts
  std::string_view by_theirs = {};
};

void check_rows(ContentType content, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT(row.base << " | " << row.ours << " | " << row.theirs) {
      const auto merged = [&](MergeFavor favor) {
        auto result = merge_three_way(of(content, row.base), of(content, row.ours),
                                      of(content, row.theirs), {.favor = favor});
        BOOST_REQUIRE(result.has_value());
        BOOST_TEST((result->value.content == content));
        return *std::move(result);
      };
      const ThreeWay plain = merged(MergeFavor::kNone);
      BOOST_TEST(plain.value.bytes == row.merged);
      BOOST_TEST(plain.conflicts == row.conflicts, boost::test_tools::per_element());
      const bool clean = row.conflicts.empty();
      BOOST_TEST(merged(MergeFavor::kOurs).value.bytes == (clean ? row.merged : row.by_ours));
      BOOST_TEST(merged(MergeFavor::kTheirs).value.bytes == (clean ? row.merged : row.by_theirs));
    }
  }
}

BOOST_AUTO_TEST_SUITE(three_way_test)

BOOST_AUTO_TEST_CASE(documents_merge_by_path) {
  check_rows(
      ContentType::kJson,
      {{R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":1,"b":3})", R"({"a":2,"b":3})"},
       {R"({"o":{"x":1}})", R"({"o":{"x":1,"y":2}})", R"({"o":{"x":3}})", R"({"o":{"x":3,"y":2}})"},
       {R"({"a":1,"b":1})", R"({"b":1})", R"({"a":1,"b":2})", R"({"b":2})"},
       {R"({"a":1})", R"({"a":2})", R"({"a":2})", R"({"a":2})"},
       {R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":2})", {"/a"}, R"({"a":2})", R"({"a":3})"},
       {R"({"a":1,"b":1})",
        R"({"a":2,"b":1})",
        R"({"a":3,"b":2})",
        R"({"a":2,"b":2})",
        {"/a"},
        R"({"a":2,"b":2})",
        R"({"a":3,"b":2})"},
       {"1", "2", "3", "2", {"the whole"}, "2", "3"},
       {"[1,2,3]", "[0,1,2,3]", "[1,2,3,4]", "[0,1,2,3,4]"}});
}

BOOST_AUTO_TEST_CASE(a_document_that_one_side_wrote_stays_as_it_is_spelt) {
  check_rows(ContentType::kJson,
             {{R"({"a":1})", R"({ "a": 1 })", R"({ "a" : 2 })", R"({ "a" : 2 })"},
              {R"({"a":1})", R"({ "a": 2 })", R"({"a":1})", R"({ "a": 2 })"},
              {R"({"a":1})",
               R"({ "a": 2 })",
               R"({"a": 3})",
               R"({ "a": 2 })",
               {"/a"},
               R"({ "a": 2 })",
               R"({"a": 3})"}});
}

BOOST_AUTO_TEST_CASE(texts_merge_by_line) {
  check_rows(ContentType::kText, {{"1\n2\n3\n", "one\n2\n3\n", "1\n2\nthree\n", "one\n2\nthree\n"},
                                  {"1\n2\n3\n", "1\n3\n", "1\n2\n3\n4\n", "1\n3\n4\n"},
                                  {"1\n", "1\n", "2\n", "2\n"},
                                  {"1\n2\n3\n",
                                   "1\ntwo\n3\n",
                                   "1\nTWO\n3\n",
                                   "1\ntwo\n3\n",
                                   {"line 2"},
                                   "1\ntwo\n3\n",
                                   "1\nTWO\n3\n"},
                                  // Only the conflict is favored, not the rest of a side.
                                  {"1\n2\n3\n4\n5\n",
                                   "one\n2\n3\n4\nV\n",
                                   "1\n2\n3\n4\nfive\n",
                                   "one\n2\n3\n4\nV\n",
                                   {"line 5"},
                                   "one\n2\n3\n4\nV\n",
                                   "one\n2\n3\n4\nfive\n"}});
}

BOOST_AUTO_TEST_CASE(texts_may_merge_by_token) {
  const auto merged = merge_three_way(
      of(ContentType::kText, "go north now"), of(ContentType::kText, "go south now"),
      of(ContentType::kText, "go north soon"), {.unit = TextUnit::kToken});
  BOOST_REQUIRE(merged);
  BOOST_TEST(merged->value.bytes == "go south soon");
  BOOST_TEST(merged->conflicts.empty());
}

BOOST_AUTO_TEST_CASE(a_union_takes_both_and_leaves_what_it_cant_unite) {
  const auto united = [](ContentType content, std::string_view base, std::string_view ours,
                         std::string_view theirs, MergeFavor favor) {
    auto merged = merge_three_way(of(content, base), of(content, ours), of(content, theirs),
                                  {.unite = true, .favor = favor});
    BOOST_REQUIRE(merged);
    return *std::move(merged);
  };
  const ThreeWay text = united(ContentType::kText, "1\n", "1\na\n", "1\nb\n", MergeFavor::kNone);
  BOOST_TEST(text.value.bytes == "1\na\nb\n");
  BOOST_TEST(text.conflicts.empty());
  const std::string_view base = R"({"n":1,"t":[1],"x":1})";
  const std::string_view ours = R"({"n":2,"t":[1,2]})";
  const std::string_view theirs = R"({"n":3,"t":[1,3],"x":2})";
  const ThreeWay document = united(ContentType::kJson, base, ours, theirs, MergeFavor::kNone);
  BOOST_TEST(document.value.bytes == R"({"n":2,"t":[1,2,3],"x":2})");
  BOOST_TEST(document.conflicts == std::vector<std::string>{"/n"},
             boost::test_tools::per_element());
  const ThreeWay later = united(ContentType::kJson, base, ours, theirs, MergeFavor::kTheirs);
  BOOST_TEST(later.value.bytes == R"({"n":3,"t":[1,3,2],"x":2})");
}

BOOST_AUTO_TEST_CASE(numbers_add_up_and_arrays_have_keys_where_the_rule_says_so) {
  const auto merged =
      merge_three_way(of(ContentType::kJson, R"({"n":1,"t":[{"id":"a","s":0},{"id":"b","s":0}]})"),
                      of(ContentType::kJson, R"({"n":3,"t":[{"id":"a","s":1},{"id":"b","s":0}]})"),
                      of(ContentType::kJson, R"({"n":2,"t":[{"id":"a","s":0},{"id":"b","s":2}]})"),
                      {.additive_numbers = true, .array_keys = {{"/t", "id"}}});
  BOOST_REQUIRE(merged);
  BOOST_TEST(merged->value.bytes == R"({"n":4,"t":[{"id":"a","s":1},{"id":"b","s":2}]})");
  BOOST_TEST(merged->conflicts.empty());
}

BOOST_AUTO_TEST_CASE(a_conflict_names_its_kind_where_it_is_not_the_usual_one) {
  const auto merged = merge_three_way(of(ContentType::kJson, R"({"a":1,"b":1})"),
                                      of(ContentType::kJson, R"({"b":2})"),
                                      of(ContentType::kJson, R"({"a":2,"b":3})"));
  BOOST_REQUIRE(merged);
  const std::vector<std::string> expected = {"/a (delete_edit)", "/b"};
  BOOST_TEST(merged->conflicts == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_rule_is_told_by_its_words) {
  const std::vector<std::pair<MergeRule, std::string_view>> rows = {
      {{}, "merge"},
      {{.unit = TextUnit::kToken, .unite = true}, "merge(token,union)"},
      {{.favor = MergeFavor::kTheirs, .additive_numbers = true}, "merge(sums,theirs)"},
      {{.favor = MergeFavor::kOurs, .array_keys = {{"/a,b (x)", "i d"}, {"/t/*", "id"}}},
       "merge(ours,/a%2cb%20%28x%29=i%20d,/t/*=id)"}};
  for (const auto& [rule, words] : rows) {
    BOOST_TEST(to_text(rule) == words);
    BOOST_TEST((merge_rule_of(words) == rule), words);
  }
  for (const std::string_view unknown :
       {"", "merge()", "merge(", "merge(tokens)", "merge(token,)", "merge(/a=%2)", "lww"})
    BOOST_TEST(!merge_rule_of(unknown), unknown);
}

BOOST_AUTO_TEST_CASE(bytes_and_mixed_contents_are_not_merged) {
  for (const ContentType base : {ContentType::kText, ContentType::kJson, ContentType::kBytes})
    for (const ContentType ours : {ContentType::kText, ContentType::kJson, ContentType::kBytes})
      for (const ContentType theirs :
           {ContentType::kText, ContentType::kJson, ContentType::kBytes}) {
        const bool same = base == ours && ours == theirs && ours != ContentType::kBytes;
        BOOST_TEST(merge_three_way(of(base, "1"), of(ours, "1"), of(theirs, "2"),
                                   {.favor = MergeFavor::kTheirs})
                       .has_value() == same);
      }
}

BOOST_AUTO_TEST_CASE(what_is_no_document_is_not_merged) {
  for (const auto& [base, ours, theirs] :
       {std::tuple("{", "1", "2"), std::tuple("1", "{", "2"), std::tuple("1", "2", "{")})
    BOOST_TEST(!merge_three_way(of(ContentType::kJson, base), of(ContentType::kJson, ours),
                                of(ContentType::kJson, theirs)));
}

BOOST_AUTO_TEST_CASE(a_merge_may_be_as_large_as_a_value_and_no_larger) {
  const std::string base = "m\n";
  for (const std::size_t above : {std::size_t{0}, std::size_t{1}}) {
    const std::string ours = std::string(limits::kValueBytes / 2 - 2, 'a') + "\nm\n";
    const std::string theirs =
        "m\n" + std::string(limits::kValueBytes - ours.size() - 1 + above, 'b') + "\n";
    const auto merged = merge_three_way(of(ContentType::kText, base), of(ContentType::kText, ours),
                                        of(ContentType::kText, theirs));
    BOOST_TEST(merged.has_value() == (above == 0));
    if (merged) BOOST_TEST(merged->value.bytes.size() == limits::kValueBytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
