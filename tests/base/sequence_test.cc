#include "base/sequence.h"

#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"

namespace waggle {
namespace {

Dot dot_of(std::uint64_t revision, const std::string& agent, std::uint64_t seq) {
  return {Revision(revision), 0, {AgentId(agent), Incarnation(1), Seq(seq)}};
}

// An author who had seen everything up to that revision, and its own.
Sequence::Author author(std::uint64_t seen, const std::string& agent) {
  return {Revision(seen), [agent](const Dot& dot) { return dot.writer.agent.value() == agent; }};
}

// A document that is edited commit by commit.
struct Document {
  Sequence sequence;
  std::uint64_t head = 0;

  explicit Document(SequenceUnit unit = SequenceUnit::kScalar) : sequence(unit) {}
  Status edit(const std::string& agent, std::uint64_t seen, const std::vector<SequenceEdit>& edits) {
    ++head;
    return sequence.edit(edits, dot_of(head, agent, head), author(seen, agent));
  }
  Status insert(const std::string& agent, std::uint64_t seen, std::uint64_t at,
                const std::string& text) {
    return edit(agent, seen, {{at, 0, {text}}});
  }
};

bool refused(std::string_view bytes, std::string_view part) {
  const Result<Sequence> decoded = decode_sequence(bytes, limits::kFrameBytes);
  if (decoded) return false;
  BOOST_TEST((decoded.error().code == Code::kRejected));
  BOOST_TEST(decoded.error().text.find(part) != std::string::npos, decoded.error().text);
  return true;
}

BOOST_AUTO_TEST_SUITE(sequence_test)

BOOST_AUTO_TEST_CASE(an_author_who_has_seen_everything_edits_as_in_a_string) {
  Prng random(3);
  Document document;
  std::string plain;
  for (int i = 0; i < 3'000; ++i) {
    SequenceEdit edit;
    edit.at = random.below(plain.size() + 1);
    if (plain.size() > edit.at && random.chance(1, 3))
      edit.removed = 1 + random.below(plain.size() - edit.at);
    if (edit.removed > 40) edit.removed = 40;
    if (edit.removed == 0 || random.chance(1, 3))
      edit.inserted = {std::string(1 + random.below(200), static_cast<char>('a' + random.below(26)))};
    plain.replace(edit.at, edit.removed, edit.inserted.empty() ? "" : edit.inserted[0]);
    BOOST_REQUIRE(document.edit("a", document.head, {edit}));
    BOOST_REQUIRE(document.sequence.text() == plain);
  }
  document.sequence.check_invariants();
  BOOST_TEST(document.sequence.size() == plain.size());
  document.sequence.fold(Revision(document.head));
  document.sequence.check_invariants();
  BOOST_TEST(document.sequence.text() == plain);
  BOOST_TEST(document.sequence.history_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_typed_at_the_same_time_in_one_place_does_not_interleave) {
  for (const bool backwards : {false, true}) {
    Document document;
    BOOST_REQUIRE(document.insert("base", 0, 0, "<>"));
    // Letter by letter, the commits of three authors mixed.
    const std::vector<std::pair<std::string, std::string>> words = {
        {"a", "apple"}, {"b", "berry"}, {"c", "cocoa"}};
    for (std::size_t i = 0; i < 5; ++i)
      for (const auto& [agent, word] : words) {
        const std::size_t at = backwards ? 1 : 1 + i;
        const char letter = backwards ? word[word.size() - 1 - i] : word[i];
        BOOST_REQUIRE(document.insert(agent, 1, at, std::string(1, letter)));
      }
    const std::string text = document.sequence.text();
    for (const auto& [agent, word] : words)
      BOOST_TEST(text.find(word) != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(the_order_does_not_depend_on_who_commits_first) {
  const auto both = [](bool a_first) {
    Document document;
    BOOST_REQUIRE(document.insert("base", 0, 0, "<>"));
    BOOST_REQUIRE(document.insert(a_first ? "a" : "b", 1, 1, a_first ? "AAA" : "BBB"));
    BOOST_REQUIRE(document.insert(a_first ? "b" : "a", 1, 1, a_first ? "BBB" : "AAA"));
    return document.sequence.text();
  };
  BOOST_TEST(both(true) == "<AAABBB>");
  BOOST_TEST(both(false) == both(true));
}

BOOST_AUTO_TEST_CASE(an_edit_is_walked_forward_over_what_its_author_had_not_seen) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "hello world"));
  BOOST_REQUIRE(document.insert("b", 1, 0, ">> "));
  BOOST_REQUIRE(document.edit("c", 1, {{6, 5, {"bees"}}}));  // in "hello world"
  BOOST_TEST(document.sequence.text() == ">> hello bees");
  // Its own pending edit is in its view, the others' are not.
  BOOST_REQUIRE(document.insert("c", 1, 10, "!"));
  BOOST_TEST(document.sequence.text() == ">> hello bees!");
}

BOOST_AUTO_TEST_CASE(two_who_delete_the_same_delete_it_once) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "abcdef"));
  BOOST_REQUIRE(document.edit("b", 1, {{1, 3, {}}}));
  BOOST_REQUIRE(document.edit("c", 1, {{2, 3, {}}}));
  BOOST_TEST(document.sequence.text() == "af");
  // Of each the positions are those after its own deletion.
  BOOST_REQUIRE(document.insert("b", 1, 1, "B"));
  BOOST_REQUIRE(document.insert("c", 1, 2, "C"));
  BOOST_TEST(document.sequence.text() == "aBCf");
  document.sequence.check_invariants();
}

BOOST_AUTO_TEST_CASE(positions_count_unicode_scalar_values) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "na\xc3\xafve \xf0\x9f\x90\x9d\xe2\x82\xac"));  // naïve 🐝€
  BOOST_TEST(document.sequence.size() == 8u);
  BOOST_REQUIRE(document.edit("a", 1, {{6, 1, {"bee"}}}));
  BOOST_TEST(document.sequence.text() == "na\xc3\xafve bee\xe2\x82\xac");
  BOOST_REQUIRE(document.edit("a", 2, {{2, 1, {}}}));
  BOOST_TEST(document.sequence.text() == "nave bee\xe2\x82\xac");
  document.sequence.check_invariants();
}

BOOST_AUTO_TEST_CASE(a_position_beyond_the_end_changes_nothing) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "abc"));
  const Sequence before = document.sequence;
  for (const SequenceEdit& wrong :
       {SequenceEdit{4, 0, {"x"}}, SequenceEdit{2, 2, {}}, SequenceEdit{UINT64_MAX, 0, {"x"}},
        SequenceEdit{0, UINT64_MAX, {}}}) {
    // Also where an edit before it would have been fine.
    const Status edited = document.edit("a", 1, {{0, 1, {}}, wrong});
    BOOST_REQUIRE(!edited);
    BOOST_TEST((edited.error().code == Code::kRejected));
    BOOST_TEST(edited.error().text.find("saw 2 units") != std::string::npos, edited.error().text);
    BOOST_TEST((document.sequence == before));
  }
  // What the author had not seen can't be pointed at.
  BOOST_REQUIRE(document.insert("b", 1, 3, "defghi"));
  BOOST_TEST(!document.insert("c", 1, 5, "x"));
}

BOOST_AUTO_TEST_CASE(a_list_holds_elements_of_any_bytes) {
  Document document(SequenceUnit::kElement);
  const std::string any("\0\xff", 2);
  BOOST_REQUIRE(document.edit("a", 0, {{0, 0, {"one", "", any, std::string(1'000, 'x')}}}));
  BOOST_REQUIRE(document.edit("b", 1, {{1, 1, {"two", "three"}}}));
  BOOST_TEST((document.sequence.elements() ==
              std::vector<std::string>{"one", "two", "three", any, std::string(1'000, 'x')}));
  const Result<Sequence> decoded =
      decode_sequence(encode(document.sequence), limits::kFrameBytes);
  BOOST_REQUIRE(decoded);
  BOOST_TEST((*decoded == document.sequence));
  BOOST_TEST((decoded->elements() == document.sequence.elements()));
}

BOOST_AUTO_TEST_CASE(what_was_folded_is_out_of_reach_and_the_rest_goes_on) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "hello world"));
  BOOST_REQUIRE(document.edit("a", 1, {{5, 6, {}}}));
  BOOST_REQUIRE(document.insert("b", 2, 5, " bees"));
  document.sequence.fold(Revision(2));
  BOOST_TEST(!document.sequence.reaches(Revision(1)));
  BOOST_TEST(document.sequence.reaches(Revision(2)));
  BOOST_REQUIRE(document.insert("c", 2, 5, "!"));  // has not seen b's
  BOOST_TEST(document.sequence.text() == "hello bees!");
  document.sequence.check_invariants();
}

BOOST_AUTO_TEST_CASE(the_history_can_be_held_to_a_bound) {
  Document document;
  Prng random(9);
  for (int i = 0; i < 2'000; ++i)
    BOOST_REQUIRE(
        document.insert("a", document.head, random.below(document.sequence.size() + 1), "x"));
  const std::size_t before = document.sequence.history_bytes();
  document.sequence.fold(document.sequence.fold_point(before / 2));
  BOOST_TEST(document.sequence.history_bytes() <= before / 2 + 100);
  BOOST_TEST(document.sequence.history_bytes() > before / 8);
  BOOST_TEST(document.sequence.size() == 2'000u);
}

BOOST_AUTO_TEST_CASE(everything_that_somebody_saw_can_be_removed_and_the_unseen_stays) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "old"));
  BOOST_REQUIRE(document.insert("b", 1, 3, " new"));
  BOOST_TEST(document.sequence.remove_seen(author(1, "c"), dot_of(3, "c", 1)));
  BOOST_TEST(document.sequence.text() == " new");
  BOOST_TEST(!document.sequence.remove_seen(author(1, "c"), dot_of(4, "c", 2)));
}

BOOST_AUTO_TEST_CASE(a_change_costs_what_changed) {
  Document document;
  for (int i = 0; i < 200; ++i)
    BOOST_REQUIRE(document.insert("a", document.head, document.sequence.size() / 2, "some words "));
  const Sequence before = document.sequence;
  BOOST_REQUIRE(document.insert("b", document.head, 700, "X"));
  const std::string change = diff(before, document.sequence);
  BOOST_TEST(change.size() < 200u);
  const Result<Sequence> made = apply_diff(before, change, limits::kFrameBytes);
  BOOST_REQUIRE(made);
  BOOST_TEST((*made == document.sequence));
  // Of another length it is refused; of the same length the content hash of its record tells.
  BOOST_TEST(!apply_diff(document.sequence, change, limits::kFrameBytes));
}

BOOST_AUTO_TEST_CASE(no_bytes_crash_the_decoders_and_what_decodes_has_one_spelling) {
  Document document;
  BOOST_REQUIRE(document.insert("a", 0, 0, "hello world"));
  BOOST_REQUIRE(document.edit("b", 1, {{2, 3, {"XY"}}}));
  BOOST_REQUIRE(document.edit("c", 1, {{3, 4, {}}, {3, 0, {"\xe2\x82\xac"}}}));
  const Sequence before = document.sequence;
  BOOST_REQUIRE(document.insert("a", 2, 1, "zz"));
  const std::string bytes = encode(document.sequence);
  const std::string change = diff(before, document.sequence);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_REQUIRE(!decode_sequence(std::string_view(bytes).substr(0, size), limits::kFrameBytes));
  for (std::size_t size = 0; size < change.size(); ++size)
    BOOST_REQUIRE(
        !apply_diff(before, std::string_view(change).substr(0, size), limits::kFrameBytes));
  Prng random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = i % 2 == 0 ? bytes : change;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    if (i % 2 == 0) {
      const Result<Sequence> decoded = decode_sequence(damaged, limits::kFrameBytes);
      if (decoded) BOOST_REQUIRE(encode(*decoded) == damaged);
    } else {
      const Result<Sequence> made = apply_diff(before, damaged, limits::kFrameBytes);
      if (made) (void)encode(*made);
    }
  }
  BOOST_TEST(refused("", "more bytes"));
  BOOST_TEST(refused(bytes + "x", "end"));
  BOOST_TEST(!decode_sequence(bytes, 10));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
