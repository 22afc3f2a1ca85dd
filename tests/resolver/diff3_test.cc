// Three-way text merge: its laws on random triples, and each favour and style by hand. Laws from
// Khanna, Kunal and Pierce, "A formal investigation of diff3", 2007.

#include "resolver/diff3.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

// Triples of a randomized case, and the first seed: WAGGLE_SCHEDULES=1 WAGGLE_SEED=7 repeats one.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Triple {
  std::string base, ours, theirs;
};

std::vector<std::string> units_of(std::string_view text, TextUnit unit) {
  const UnitText units(text, unit);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < units.size(); ++i) all.emplace_back(units.slice(i, i + 1));
  return all;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

// Few different lines, so that they repeat; one in three is empty or ends in "\r\n".
std::string some_line(Prng& prng) {
  const std::uint64_t kind = prng.below(9);
  if (kind == 0) return "\n";
  const std::string word(1, static_cast<char>('a' + prng.below(5)));
  if (kind <= 2) return word + "\r\n";
  return kind == 3 ? word + "." + word + " b\n" : word + "\n";
}

std::string some_text(Prng& prng) {
  std::string text;
  for (std::uint64_t lines = prng.below(12); lines > 0; --lines) text += some_line(prng);
  if (!text.empty() && prng.chance(1, 3)) text.pop_back();
  return text;
}

std::string edited(Prng& prng, const std::string& text) {
  if (prng.chance(1, 12)) return some_text(prng);
  std::vector<std::string> lines = units_of(text, TextUnit::kLine);
  for (std::uint64_t edits = prng.below(4); edits > 0; --edits) {
    const auto place = static_cast<std::ptrdiff_t>(prng.below(lines.size() + 1));
    if (place == std::ssize(lines) || prng.chance(1, 3))
      lines.insert(lines.begin() + place, some_line(prng));
    else if (prng.chance(1, 2))
      lines.erase(lines.begin() + place);
    else
      lines[static_cast<std::size_t>(place)] = some_line(prng);
  }
  std::string result = joined(lines);
  if (!result.empty() && prng.chance(1, 6)) result.pop_back();
  return result;
}

Triple some_triple(Prng& prng) {
  Triple triple;
  triple.base = some_text(prng);
  triple.ours = edited(prng, triple.base);
  triple.theirs = edited(prng, triple.base);
  return triple;
}

TextMergeOptions some_options(Prng& prng) {
  TextMergeOptions options;
  options.unit = prng.chance(1, 2) ? TextUnit::kLine : TextUnit::kToken;
  options.favor = static_cast<TextFavor>(prng.below(4));
  options.style = static_cast<MarkerStyle>(prng.below(3));
  options.markers = prng.chance(1, 2);
  return options;
}

// Runs `check` with the triple, options and generator of each seed.
template <typename Check>
void for_each_triple(Check check) {
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  const std::uint64_t count = from_environment("WAGGLE_SCHEDULES", 30'000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("WAGGLE_SCHEDULES=1 WAGGLE_SEED=" << seed) {
      Prng prng(seed);
      const Triple triple = some_triple(prng);
      check(triple, some_options(prng), prng);
    }
  }
}

TextMergeOptions favoring(TextFavor favor, TextUnit unit = TextUnit::kLine) {
  TextMergeOptions options;
  options.favor = favor;
  options.unit = unit;
  return options;
}

TextMergeOptions styled(MarkerStyle style) {
  TextMergeOptions options;
  options.style = style;
  return options;
}

TextFavor mirrored(TextFavor favor) {
  if (favor == TextFavor::kOurs) return TextFavor::kTheirs;
  return favor == TextFavor::kTheirs ? TextFavor::kOurs : favor;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(diff3)

BOOST_AUTO_TEST_CASE(a_change_of_one_side_or_the_same_of_both_is_the_result) {
  for_each_triple([](const Triple& t, const TextMergeOptions& options, Prng&) {
    const TextMerge ours = merge_text(t.base, t.ours, t.base, options);
    BOOST_REQUIRE(ours.text == t.ours);
    BOOST_REQUIRE(ours.automergeable);
    const TextMerge theirs = merge_text(t.base, t.base, t.theirs, options);
    BOOST_REQUIRE(theirs.text == t.theirs);
    BOOST_REQUIRE(theirs.automergeable);
    const TextMerge both = merge_text(t.base, t.ours, t.ours, options);
    BOOST_REQUIRE(both.text == t.ours);
    BOOST_REQUIRE(both.automergeable);
  });
}

BOOST_AUTO_TEST_CASE(sides_changed_about_mirror_the_merge) {
  std::size_t conflicts = 0;
  for_each_triple([&](const Triple& t, TextMergeOptions options, Prng&) {
    const TextMerge merge = merge_text(t.base, t.ours, t.theirs, options);
    options.favor = mirrored(options.favor);
    const TextMerge mirror = merge_text(t.base, t.theirs, t.ours, options);
    BOOST_REQUIRE(merge.conflicts.size() == mirror.conflicts.size());
    for (std::size_t i = 0; i < merge.conflicts.size(); ++i) {
      TextConflict turned = mirror.conflicts[i];
      std::swap(turned.ours, turned.theirs);
      std::swap(turned.ours_line, turned.theirs_line);
      BOOST_REQUIRE((merge.conflicts[i] == turned));
    }
    conflicts += merge.conflicts.size();
    if (options.favor == TextFavor::kOurs || options.favor == TextFavor::kTheirs ||
        merge.automergeable) {
      if (options.favor != TextFavor::kUnion) BOOST_REQUIRE(merge.text == mirror.text);
    }
  });
  if (from_environment("WAGGLE_SCHEDULES", 30'000) > 1000) BOOST_TEST(conflicts > 1000U);
}

BOOST_AUTO_TEST_CASE(a_merge_has_conflicts_iff_it_is_not_automergeable) {
  for_each_triple([](const Triple& t, const TextMergeOptions& options, Prng&) {
    const TextMerge merge = merge_text(t.base, t.ours, t.theirs, options);
    BOOST_REQUIRE(merge.automergeable == merge.conflicts.empty());
    if (options.favor != TextFavor::kNone) BOOST_REQUIRE(merge.automergeable);
    for (const TextConflict& conflict : merge.conflicts) {
      BOOST_REQUIRE(conflict.ours != conflict.theirs);
      const std::size_t place = t.base.find(conflict.base);
      BOOST_REQUIRE(place != std::string::npos);
    }
  });
}

BOOST_AUTO_TEST_CASE(without_markers_every_unit_is_one_of_an_input) {
  for_each_triple([](const Triple& t, TextMergeOptions options, Prng&) {
    options.markers = false;
    std::set<std::string> known = {""};
    for (const std::string& text : {t.base, t.ours, t.theirs})
      for (const std::string& unit : units_of(text, options.unit)) known.insert(unit);
    for (std::string unit :
         units_of(merge_text(t.base, t.ours, t.theirs, options).text, options.unit)) {
      if (known.contains(unit)) continue;
      // The separators of a union; two runs of white space become one.
      BOOST_REQUIRE(options.favor == TextFavor::kUnion);
      if (options.unit == TextUnit::kLine) {
        BOOST_REQUIRE(unit.ends_with('\n'));
        unit.pop_back();
        BOOST_REQUIRE(known.contains(unit));
      } else {
        BOOST_REQUIRE(unit.find_first_not_of(" \r\n") == std::string::npos);
      }
    }
  });
}

// The base has lines that occur once; each piece of it is changed by one side, by both in the same
// way, or by nobody, and a line that nobody changes stands between two of them.
BOOST_AUTO_TEST_CASE(changes_of_one_side_only_always_arrive) {
  for_each_triple([](const Triple&, TextMergeOptions options, Prng& prng) {
    options.unit = TextUnit::kLine;
    std::string base;
    std::string ours;
    std::string theirs;
    std::string expected;
    const std::uint64_t pieces = prng.below(8);
    for (std::uint64_t piece = 0; piece < pieces; ++piece) {
      const std::string number = std::to_string(piece);
      const std::string old = prng.chance(1, 4) ? "" : "old " + number + "\n";
      std::string changed;
      for (std::uint64_t lines = prng.below(3); lines > 0; --lines)
        changed += "new " + number + "." + std::to_string(lines) + "\n";
      const std::uint64_t who = prng.below(4);  // a bit for each side
      const std::string fixed = "fixed " + number + "\n";
      base += old + fixed;
      ours += ((who & 1) != 0 ? changed : old) + fixed;
      theirs += ((who & 2) != 0 ? changed : old) + fixed;
      expected += (who != 0 ? changed : old) + fixed;
    }
    const TextMerge merge = merge_text(base, ours, theirs, options);
    BOOST_REQUIRE(merge.text == expected);
    BOOST_REQUIRE(merge.automergeable);
  });
}

// What stands between the markers, put back, gives the merge that favours that side.
BOOST_AUTO_TEST_CASE(a_marked_text_holds_both_sides) {
  for_each_triple([](const Triple& t, TextMergeOptions options, Prng&) {
    options.unit = TextUnit::kLine;
    options.favor = TextFavor::kNone;
    options.markers = true;
    // Else a '\n' is added before a marker.
    if (!t.ours.ends_with('\n') || !t.theirs.ends_with('\n')) return;
    std::string as_ours;
    std::string as_theirs;
    char section = ' ';
    for (const std::string& line :
         units_of(merge_text(t.base, t.ours, t.theirs, options).text, TextUnit::kLine)) {
      const bool marker = line.size() >= 8 && line.starts_with(std::string(7, line[0]));
      if (marker) {
        section = line[0] == '>' ? ' ' : line[0];
        continue;
      }
      if (section == ' ' || section == '<') as_ours += line;
      if (section == ' ' || section == '=') as_theirs += line;
    }
    BOOST_REQUIRE(as_ours == merge_text(t.base, t.ours, t.theirs, favoring(TextFavor::kOurs)).text);
    BOOST_REQUIRE(as_theirs ==
                  merge_text(t.base, t.ours, t.theirs, favoring(TextFavor::kTheirs)).text);
  });
}

BOOST_AUTO_TEST_CASE(empty_texts_merge) {
  BOOST_TEST(merge_text("", "", "").text.empty());
  BOOST_TEST(merge_text("", "", "").automergeable);
  BOOST_TEST(merge_text("", "a\n", "").text == "a\n");
  BOOST_TEST(merge_text("a\n", "", "a\n").text.empty());
  BOOST_TEST(merge_text("a\n", "", "").text.empty());
  BOOST_TEST(!merge_text("", "a\n", "b\n").automergeable);
  BOOST_TEST(!merge_text("a\n", "", "b\n").automergeable);
}

BOOST_AUTO_TEST_CASE(changes_with_an_untouched_line_between_them_both_arrive) {
  const TextMerge merge = merge_text("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n");
  BOOST_TEST(merge.text == "A\nb\nC\n");
  BOOST_TEST(merge.automergeable);
}

BOOST_AUTO_TEST_CASE(changes_of_neighbouring_lines_conflict) {
  const TextMerge merge = merge_text("a\nb\n", "A\nb\n", "a\nB\n");
  BOOST_REQUIRE(merge.conflicts.size() == 1);
  BOOST_TEST(merge.conflicts[0].ours == "A\nb\n");
  BOOST_TEST(merge.conflicts[0].theirs == "a\nB\n");
}

BOOST_AUTO_TEST_CASE(a_conflict_names_its_lines_and_versions) {
  const TextMerge merge =
      merge_text("0\na\n1\nb\n", "0\n0\nA\n1\nB\n", "0\n1\nB2\nB3\n", styled(MarkerStyle::kDiff3));
  BOOST_REQUIRE(merge.conflicts.size() == 2);
  BOOST_TEST((merge.conflicts[0] == TextConflict{2, 2, 2, "a\n", "0\nA\n", ""}));
  BOOST_TEST((merge.conflicts[1] == TextConflict{4, 5, 3, "b\n", "B\n", "B2\nB3\n"}));
}

BOOST_AUTO_TEST_CASE(lines_of_a_conflict_of_tokens_are_counted_too) {
  const TextMerge merge = merge_text("a\nb c\n", "a\n\nb d\n", "a\nb e\n",
                                     favoring(TextFavor::kNone, TextUnit::kToken));
  BOOST_REQUIRE(merge.conflicts.size() == 1);
  BOOST_TEST((merge.conflicts[0] == TextConflict{2, 3, 2, "c", "d", "e"}));
}

struct Contested {
  std::string base = "0\nb\nB\n9\n";
  std::string ours = "0\nsame\nours\nend\n9\n";
  std::string theirs = "0\nsame\ntheirs\nend\n9\n";
};

BOOST_AUTO_TEST_CASE(style_merge_shows_both_sides_and_keeps_what_they_share_outside) {
  const Contested c;
  BOOST_TEST(merge_text(c.base, c.ours, c.theirs).text ==
             "0\nsame\n<<<<<<< ours\nours\n=======\ntheirs\n>>>>>>> theirs\nend\n9\n");
}

BOOST_AUTO_TEST_CASE(style_diff3_shows_the_base_and_each_side_whole) {
  const Contested c;
  BOOST_TEST(merge_text(c.base, c.ours, c.theirs, styled(MarkerStyle::kDiff3)).text ==
             "0\n<<<<<<< ours\nsame\nours\nend\n||||||| base\nb\nB\n=======\n"
             "same\ntheirs\nend\n>>>>>>> theirs\n9\n");
}

BOOST_AUTO_TEST_CASE(style_zdiff3_shows_the_base_and_keeps_what_the_sides_share_outside) {
  const Contested c;
  BOOST_TEST(merge_text(c.base, c.ours, c.theirs, styled(MarkerStyle::kZdiff3)).text ==
             "0\nsame\n<<<<<<< ours\nours\n||||||| base\nb\nB\n=======\n"
             "theirs\n>>>>>>> theirs\nend\n9\n");
}

BOOST_AUTO_TEST_CASE(each_favor_decides_the_contested_lines) {
  const Contested c;
  const auto merged = [&](TextFavor favor) {
    const TextMerge merge = merge_text(c.base, c.ours, c.theirs, favoring(favor));
    BOOST_TEST(merge.automergeable);
    return merge.text;
  };
  BOOST_TEST(merged(TextFavor::kOurs) == c.ours);
  BOOST_TEST(merged(TextFavor::kTheirs) == c.theirs);
  BOOST_TEST(merged(TextFavor::kUnion) == "0\nsame\nours\ntheirs\nend\n9\n");
}

BOOST_AUTO_TEST_CASE(a_favor_leaves_the_other_side_what_is_not_contested) {
  BOOST_TEST(merge_text("a\nb\nc\n", "A1\nb\nc\n", "A2\nb\nC\n", favoring(TextFavor::kOurs)).text ==
             "A1\nb\nC\n");
}

BOOST_AUTO_TEST_CASE(without_markers_a_conflict_keeps_ours_and_is_reported) {
  const Contested c;
  TextMergeOptions options;
  options.markers = false;
  const TextMerge merge = merge_text(c.base, c.ours, c.theirs, options);
  BOOST_TEST(merge.text == c.ours);
  BOOST_TEST(!merge.automergeable);
}

BOOST_AUTO_TEST_CASE(labels_and_the_size_of_markers_are_options) {
  TextMergeOptions options = styled(MarkerStyle::kDiff3);
  options.marker_size = 3;
  options.ours_label = "agent 1";
  options.base_label = "";
  options.theirs_label = "agent 2";
  BOOST_TEST(merge_text("b\n", "o\n", "t\n", options).text ==
             "<<< agent 1\no\n|||\nb\n===\nt\n>>> agent 2\n");
  options.marker_size = std::size_t{1} << 60;
  BOOST_TEST(merge_text("b\n", "o\n", "t\n", options).text.size() < 5 * kMarkerSizeMax);
}

BOOST_AUTO_TEST_CASE(a_marker_begins_a_line_though_the_last_line_has_no_end) {
  BOOST_TEST(merge_text("b", "o", "t").text == "<<<<<<< ours\no\n=======\nt\n>>>>>>> theirs\n");
  BOOST_TEST(merge_text("x b", "x o", "x t", favoring(TextFavor::kNone, TextUnit::kToken)).text ==
             "x \n<<<<<<< ours\no\n=======\nt\n>>>>>>> theirs\n");
}

BOOST_AUTO_TEST_CASE(a_union_ends_a_line_and_parts_two_words) {
  BOOST_TEST(merge_text("", "o", "t\n", favoring(TextFavor::kUnion)).text == "o\nt\n");
  BOOST_TEST(merge_text("", "o", "t", favoring(TextFavor::kUnion)).text == "o\nt");
  const TextMergeOptions tokens = favoring(TextFavor::kUnion, TextUnit::kToken);
  BOOST_TEST(merge_text("a b.", "a o.", "a t.", tokens).text == "a o t.");
  BOOST_TEST(merge_text("a b.", "a +.", "a -.", tokens).text == "a +-.");
}

BOOST_AUTO_TEST_CASE(a_line_end_is_bytes_like_any_other) {
  BOOST_TEST(merge_text("a\r\nb\r\n", "a\r\nb\n", "a\r\nb\r\n").text == "a\r\nb\n");
  BOOST_TEST(!merge_text("a\n", "a\r\n", "a").automergeable);
}

BOOST_AUTO_TEST_CASE(tokens_merge_within_a_line_where_lines_conflict) {
  const std::string base = "the quick brown fox";
  const std::string ours = "the slow brown fox";
  const std::string theirs = "the quick brown cat";
  BOOST_TEST(!merge_text(base, ours, theirs).automergeable);
  const TextMerge merge =
      merge_text(base, ours, theirs, favoring(TextFavor::kNone, TextUnit::kToken));
  BOOST_TEST(merge.automergeable);
  BOOST_TEST(merge.text == "the slow brown cat");
}

BOOST_AUTO_TEST_CASE(large_texts_with_every_line_different_merge) {
  const auto text = [](const std::string& side) {
    std::string lines;
    for (std::size_t i = 0; lines.size() < (std::size_t{1} << 20); ++i)
      lines += side + std::to_string(i) + "\n";
    return lines;
  };
  const TextMerge merge = merge_text(text("b"), text("o"), text("t"));
  BOOST_REQUIRE(merge.conflicts.size() == 1);
  BOOST_TEST((merge.conflicts[0].ours == text("o")));
  BOOST_TEST((merge_text(text("b"), text("o"), text("b")).text == text("o")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle
