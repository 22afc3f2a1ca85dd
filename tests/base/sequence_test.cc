#include "base/sequence.h"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"

namespace waggle {
namespace {

constexpr std::size_t kMost = std::size_t{16} << 20;

Dot dot_of(const char* agent, std::uint64_t revision, std::uint64_t seq) {
  return {Revision(revision), 0, {AgentId(agent), Incarnation(1), Seq(seq)}};
}

// One author that has seen everything up to `seen`, and its own.
Sequence::Author author_of(const char* agent, std::uint64_t seen) {
  return {Revision(seen), [agent](const Dot& dot) { return dot.writer.agent == AgentId(agent); }};
}

SequenceEdit put(std::uint64_t at, std::string text) {
  return {at, 0, {std::move(text)}};
}
SequenceEdit cut(std::uint64_t at, std::uint64_t removed) {
  return {at, removed, {}};
}

// A sequence with a head: each commit is one revision, the author has seen what it says.
struct Document {
  Sequence sequence;
  std::uint64_t head = 0;
  std::uint64_t seq = 0;

  Status commit(const char* agent, std::uint64_t seen, const std::vector<SequenceEdit>& edits) {
    Status edited = sequence.edit(edits, dot_of(agent, head + 1, seq + 1), author_of(agent, seen));
    if (edited) {
      ++head;
      ++seq;
    }
    return edited;
  }
  void must(const char* agent, std::uint64_t seen, const std::vector<SequenceEdit>& edits) {
    const Status edited = commit(agent, seen, edits);
    BOOST_REQUIRE_MESSAGE(edited.has_value(), (edited ? "" : edited.error().text));
  }
  void must(const std::vector<SequenceEdit>& edits) { must("a", head, edits); }
};

// A document with history of every kind: several authors, tombstones, late edits, a fold.
Document busy_document(std::uint64_t seed, SequenceUnit unit, int commits) {
  Prng random(seed);
  Document document{Sequence(unit), 0, 0};
  const std::vector<std::string> pieces = {"x", "yz", "\u00e4\u20ac", "\U0001f41d", "abcdefgh"};
  const char* const agents[] = {"a", "b", "c"};
  for (int i = 0; i < commits; ++i) {
    const std::uint64_t base = document.sequence.base().value();
    const std::uint64_t late = random.below(std::min<std::uint64_t>(document.head - base, 6) + 1);
    Sequence::Author nobody{Revision(document.head - late), {}};
    // How long the document was for somebody who has only seen that: by asking for too much.
    const std::uint64_t size = [&] {
      Sequence copy = document.sequence;
      const Dot dot = dot_of("z", document.head + 1, 1);
      std::uint64_t low = 0;
      std::uint64_t high = 100'000;
      while (low < high) {
        const std::uint64_t middle = (low + high + 1) / 2;
        if (copy.edit({cut(middle, 0)}, dot, nobody))
          low = middle;
        else
          high = middle - 1;
      }
      return low;
    }();
    SequenceEdit edit;
    edit.at = random.below(size + 1);
    if (size > edit.at && random.chance(2, 5))
      edit.removed = 1 + random.below(std::min<std::uint64_t>(size - edit.at, 9));
    if (edit.removed == 0 || random.chance(1, 4))
      edit.inserted = {pieces[random.below(pieces.size())]};
    const Dot dot = dot_of(agents[random.below(3)], ++document.head, ++document.seq);
    BOOST_REQUIRE(document.sequence.edit({edit}, dot, nobody));
    if (random.chance(1, 40)) document.sequence.fold(Revision(document.head - document.head / 8));
  }
  document.sequence.check_invariants();
  return document;
}

Sequence elsewhere(const Sequence& sequence) {  // equal, in other chunks
  return decode_sequence(encode(sequence), kMost).value();
}

BOOST_AUTO_TEST_SUITE(sequence_test)

// ---- one after the other -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(edits_one_after_the_other_do_what_they_do_to_a_string) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng random(seed);
      Document document;
      std::string expected;
      for (int i = 0; i < 1500; ++i) {
        SequenceEdit edit;
        edit.at = random.below(expected.size() + 1);
        if (random.chance(1, 3)) edit.removed = random.below(expected.size() - edit.at + 1) % 20;
        if (random.chance(2, 3))
          edit.inserted = {std::string(1 + random.below(4), static_cast<char>('a' + i % 26))};
        expected.replace(edit.at, edit.removed, edit.inserted.empty() ? "" : edit.inserted[0]);
        document.must({edit});
        if (random.chance(1, 200)) document.sequence.fold(Revision(document.head));
        BOOST_REQUIRE_EQUAL(document.sequence.size(), expected.size());
        if (i % 50 == 0) {
          BOOST_REQUIRE_EQUAL(document.sequence.text(), expected);
          document.sequence.check_invariants();
        }
      }
      BOOST_REQUIRE_EQUAL(document.sequence.text(), expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(edits_one_after_the_other_do_what_they_do_to_a_vector) {
  Prng random(7);
  Document document{Sequence(SequenceUnit::kElement), 0, 0};
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    SequenceEdit edit;
    edit.at = random.below(expected.size() + 1);
    if (random.chance(1, 3)) edit.removed = random.below(expected.size() - edit.at + 1) % 9;
    for (std::uint64_t n = random.below(4); n > 0; --n)
      edit.inserted.push_back(std::string(random.below(300) * random.below(4), '\xff'));
    const auto at = expected.begin() + static_cast<std::ptrdiff_t>(edit.at);
    expected.erase(at, at + static_cast<std::ptrdiff_t>(edit.removed));
    expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(edit.at), edit.inserted.begin(),
                    edit.inserted.end());
    document.must({edit});
  }
  BOOST_TEST((document.sequence.elements() == expected));
  document.sequence.check_invariants();
}

BOOST_AUTO_TEST_CASE(each_edit_speaks_of_the_positions_that_the_ones_before_leave) {
  Document document;
  document.must({put(0, "hello"), put(5, " world"), cut(0, 1), put(0, "J"), cut(5, 6)});
  BOOST_TEST(document.sequence.text() == "Jello");
  document.must({{1, 3, {"ung"}}});  // removes and inserts at one place
  BOOST_TEST(document.sequence.text() == "Jungo");
}

BOOST_AUTO_TEST_CASE(positions_count_scalars_and_not_bytes_or_what_is_seen_as_one) {
  Document document;
  document.must({put(0, "e\u0301\U0001f469\u200d\U0001f692")});  // e and acute, firefighter
  BOOST_TEST(document.sequence.size() == 5U);
  document.must({cut(1, 1), cut(2, 2)});
  BOOST_TEST(document.sequence.text() == "e\U0001f469");
}

BOOST_AUTO_TEST_CASE(an_element_may_be_empty_or_any_bytes_up_to_the_limit) {
  Document document{Sequence(SequenceUnit::kElement), 0, 0};
  const std::vector<std::string> elements = {"", std::string(limits::kElementBytes, '\0'), "",
                                             "\xff"};
  document.must({{0, 0, elements}});
  BOOST_TEST((document.sequence.elements() == elements));
  BOOST_TEST(!document.commit("a", document.head,
                              {{0, 0, {std::string(limits::kElementBytes + 1, 'x')}}}));
}

BOOST_AUTO_TEST_CASE(an_edit_of_nothing_changes_nothing) {
  Document document;
  document.must({put(0, "abc")});
  const Sequence before = document.sequence;
  document.must({cut(1, 0), {3, 0, {}}, {0, 0, {""}}});
  BOOST_TEST((document.sequence == before));
  BOOST_TEST((document.sequence.newest() == Revision(1)));
}

BOOST_AUTO_TEST_CASE(a_position_beyond_the_end_is_rejected_with_both_numbers_and_nothing_is_done) {
  Document document;
  document.must({put(0, "abc")});
  const Sequence before = document.sequence;
  const std::vector<std::vector<SequenceEdit>> wrong = {{put(4, "x")},
                                                        {cut(0, 4)},
                                                        {cut(2, 2)},
                                                        {cut(0, UINT64_MAX)},
                                                        {cut(UINT64_MAX, UINT64_MAX)},
                                                        {put(3, "xy"), cut(5, 1)},
                                                        {cut(0, 2), put(2, "x")}};
  for (const auto& edits : wrong) {
    const Status edited = document.commit("b", document.head, edits);
    BOOST_REQUIRE(!edited);
    BOOST_TEST((edited.error().code == Code::kRejected));
    BOOST_TEST(edited.error().text.contains(std::to_string(edits.back().at)));
    BOOST_TEST((document.sequence == before));
  }
  BOOST_TEST(!document.commit("b", document.head, {put(0, "\xc3")}));
  BOOST_TEST((document.sequence == before));
}

BOOST_AUTO_TEST_CASE(a_million_scalars_are_edited_anywhere) {
  Document document;
  std::string expected;
  while (expected.size() < 1'000'000) expected += "swarm of bees\n";
  document.must({put(0, expected)});
  for (std::size_t at = 0; at < expected.size(); at += 9'973) {
    document.must({{at, 3, {"\u03b2"}}});
    expected.replace(at, 3, "#");
  }
  std::string text = document.sequence.text();
  for (std::size_t at = 0; (at = text.find("\u03b2", at)) != std::string::npos;)
    text.replace(at, 2, "#");
  BOOST_TEST((text == expected));
  document.sequence.check_invariants();
  elsewhere(document.sequence).check_invariants();
  BOOST_TEST((elsewhere(document.sequence) == document.sequence));
  document.sequence.fold(Revision(document.head));
  document.sequence.check_invariants();
}

BOOST_AUTO_TEST_CASE(a_copy_keeps_what_it_had) {
  Document document = busy_document(3, SequenceUnit::kScalar, 400);
  const Sequence copy = document.sequence;
  const std::string bytes = encode(copy);
  for (int i = 0; i < 50; ++i) document.must({{0, 1, {"new"}}});
  document.sequence.fold(Revision(document.head));
  BOOST_TEST((encode(copy) == bytes));
  copy.check_invariants();
}

// ---- at the same time --------------------------------------------------------------------------

// What each of several types at the same place, unit by unit, arriving in every mixture, stays
// together.
void check_no_interleaving(bool backwards) {
  const std::vector<std::pair<const char*, std::string>> authors = {
      {"a", "aaaa"}, {"b", "bbbb"}, {"c", "cccc"}};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng random(seed);
      Document document;
      document.must("o", 0, {put(0, "[]")});
      std::vector<std::size_t> typed(authors.size(), 0);
      while (std::ranges::any_of(typed, [](std::size_t n) { return n < 4; })) {
        const std::size_t who = random.below(authors.size());
        if (typed[who] == 4) continue;
        const std::uint64_t at = 1 + (backwards ? 0 : typed[who]);
        document.must(authors[who].first, 1, {put(at, authors[who].second.substr(0, 1))});
        ++typed[who];
      }
      BOOST_REQUIRE_EQUAL(document.sequence.text(), "[aaaabbbbcccc]");
    }
  }
}
BOOST_AUTO_TEST_CASE(what_is_typed_forwards_at_the_same_time_does_not_interleave) {
  check_no_interleaving(false);
}
BOOST_AUTO_TEST_CASE(what_is_typed_backwards_at_the_same_time_does_not_interleave) {
  check_no_interleaving(true);
}

BOOST_AUTO_TEST_CASE(what_somebody_else_deletes_meanwhile_is_still_counted_by_who_has_not_seen_it) {
  Document document;
  document.must("a", 0, {put(0, "abcdef")});
  document.must("a", 1, {cut(0, 3)});
  document.must("b", 1, {put(3, "X"), cut(0, 2)});  // its own deletion counts, the other's does not
  document.must("b", 1, {put(1, "Y")});
  BOOST_TEST(document.sequence.text() == "YXdef");
}

BOOST_AUTO_TEST_CASE(everybody_who_deletes_a_unit_has_seen_its_deletion) {
  Document document;
  document.must("o", 0, {put(0, "abc")});
  std::vector<std::string> agents;
  for (int i = 0; i < 100; ++i) agents.push_back("agent" + std::to_string(i));
  for (const std::string& agent : agents) document.must(agent.c_str(), 1, {cut(1, 1)});
  for (const std::string& agent : agents) document.must(agent.c_str(), 1, {put(2, "!")});
  BOOST_TEST(document.sequence.text() == "ac" + std::string(100, '!'));
  document.sequence.check_invariants();
  BOOST_TEST((elsewhere(document.sequence) == document.sequence));
  document.sequence.fold(Revision(document.head));
  BOOST_TEST(document.sequence.history_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_reset_removes_what_its_author_had_seen_and_nothing_else) {
  Document document;
  document.must("a", 0, {put(0, "seen")});
  document.must("b", 1, {put(2, "NEW")});
  BOOST_TEST(document.sequence.remove_seen(author_of("c", 1), dot_of("c", 3, 1)));
  BOOST_TEST(document.sequence.text() == "NEW");
  BOOST_TEST(!document.sequence.remove_seen(author_of("c", 1), dot_of("c", 4, 2)));
  BOOST_TEST(!Sequence().remove_seen(author_of("c", 1), dot_of("c", 3, 1)));
  document.sequence.check_invariants();
}

// ---- folding -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
    folding_forgets_tombstones_and_names_and_who_is_below_can_not_be_walked_forward) {
  Document document = busy_document(5, SequenceUnit::kScalar, 300);
  const std::string text = document.sequence.text();
  document.sequence.fold(Revision(document.head));
  BOOST_TEST(document.sequence.text() == text);
  BOOST_TEST(document.sequence.history_bytes() == 0U);
  BOOST_TEST(document.sequence.bytes() == text.size());
  BOOST_TEST((document.sequence.base() == Revision(document.head)));
  BOOST_TEST((document.sequence.newest() == Revision(document.head)));
  BOOST_TEST(!document.sequence.reaches(Revision(document.head - 1)));
  const Status late = document.commit("a", document.head - 1, {put(0, "x")});
  BOOST_REQUIRE(!late);
  BOOST_TEST(late.error().text.contains(std::to_string(document.head)));
  document.must({put(0, "x")});
}

BOOST_AUTO_TEST_CASE(folding_in_steps_gives_what_folding_at_once_gives) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      const Document document = busy_document(seed, SequenceUnit::kScalar, 60);
      for (std::uint64_t floor = 0; floor <= document.head; floor += 7) {
        Sequence at_once = document.sequence;
        at_once.fold(Revision(floor));
        at_once.check_invariants();
        BOOST_REQUIRE(at_once.text() == document.sequence.text());
        Sequence again = at_once;
        again.fold(Revision(floor));
        BOOST_REQUIRE(again == at_once);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_fold_point_leaves_about_as_much_history_as_is_wanted) {
  const Document document = busy_document(11, SequenceUnit::kScalar, 1500);
  const std::size_t history = document.sequence.history_bytes();
  for (const std::size_t parts : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
    Sequence folded = document.sequence;
    folded.fold(folded.fold_point(history * parts / 4));
    BOOST_TEST(folded.history_bytes() <= history * (parts + 1) / 4);
  }
  BOOST_TEST((document.sequence.fold_point(history) == document.sequence.base()));
}

// ---- bytes -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(bytes_hash_and_sizes_are_functions_of_the_content) {
  for (const SequenceUnit unit : {SequenceUnit::kScalar, SequenceUnit::kElement}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      BOOST_TEST_CONTEXT("seed " << seed) {
        const Sequence sequence = busy_document(seed, unit, 500).sequence;
        const Sequence other = elsewhere(sequence);
        other.check_invariants();
        BOOST_REQUIRE(other == sequence);
        BOOST_REQUIRE(encode(other) == encode(sequence));
        BOOST_REQUIRE(other.hash() == sequence.hash());
        BOOST_REQUIRE_EQUAL(other.bytes(), sequence.bytes());
        BOOST_REQUIRE_EQUAL(other.history_bytes(), sequence.history_bytes());
      }
    }
  }
  BOOST_TEST((Sequence(SequenceUnit::kScalar) != Sequence(SequenceUnit::kElement)));
}

BOOST_AUTO_TEST_CASE(sequences_that_differ_in_anything_have_different_hashes) {
  const auto made = [](const char* agent, std::uint64_t revision, const char* text) {
    Sequence sequence;
    BOOST_REQUIRE(sequence.edit({put(0, text)}, dot_of(agent, revision, 1), author_of(agent, 0)));
    return sequence;
  };
  const Sequence one = made("a", 1, "ab");
  std::vector<Sequence> all = {Sequence(), one, made("b", 1, "ab"), made("a", 2, "ab"),
                               made("a", 1, "ba")};
  Sequence cut_one = one;
  BOOST_REQUIRE(cut_one.edit({cut(0, 1)}, dot_of("a", 3, 2), author_of("a", 1)));
  all.push_back(cut_one);
  for (const std::size_t which : {1, 4}) {
    Sequence folded = all[which];
    folded.fold(Revision(1));
    all.push_back(std::move(folded));
  }
  for (std::size_t a = 0; a < all.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      BOOST_TEST((all[a].hash() != all[b].hash()));
      BOOST_TEST((all[a] != all[b]));
    }
}

BOOST_AUTO_TEST_CASE(every_truncation_and_every_changed_byte_is_refused_or_is_another_sequence) {
  for (const SequenceUnit unit : {SequenceUnit::kScalar, SequenceUnit::kElement}) {
    const Sequence sequence = busy_document(21, unit, 120).sequence;
    const std::string bytes = encode(sequence);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      BOOST_REQUIRE(!decode_sequence(bytes.substr(0, size), kMost));
    BOOST_REQUIRE(!decode_sequence(bytes + '\0', kMost));
    BOOST_REQUIRE(!decode_sequence(bytes, sequence.bytes() - 1));
    Prng random(5);
    for (int i = 0; i < 20'000; ++i) {
      BOOST_TEST_INFO_SCOPE("draw " << i);
      std::string wrong = bytes;
      for (std::uint64_t n = 1 + random.below(2); n > 0; --n)
        wrong[random.below(wrong.size())] = static_cast<char>(random.next());
      const Result<Sequence> decoded = decode_sequence(wrong, kMost);
      if (!decoded) continue;
      if (i % 16 == 0) decoded->check_invariants();
      BOOST_REQUIRE(encode(*decoded) == wrong);
      BOOST_REQUIRE((*decoded == sequence) == (wrong == bytes));
    }
  }
}

// ---- differences -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_difference_makes_one_of_any_two) {
  std::vector<Sequence> all;
  for (const SequenceUnit unit : {SequenceUnit::kScalar, SequenceUnit::kElement}) {
    all.emplace_back(unit);
    for (const std::uint64_t seed : {1, 2}) {
      Document document = busy_document(seed, unit, 200);
      for (int i = 0; i < 4; ++i) {
        all.push_back(document.sequence);
        if (i == 2) document.sequence.fold(Revision(document.head - 20));
        for (int n = 0; n < 30; ++n) document.must({{document.sequence.size() / 2, 1, {"ab"}}});
      }
      document.sequence.fold(Revision(document.head));
      all.push_back(document.sequence);
    }
  }
  for (const Sequence& from : all)
    for (const Sequence& to : all) {
      const std::string change = diff(from, to);
      for (const Sequence& held : {from, elsewhere(from)}) {
        const Result<Sequence> made = apply_diff(held, change, kMost);
        BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().text));
        made->check_invariants();
        BOOST_REQUIRE(*made == to);
        BOOST_REQUIRE(made->hash() == to.hash());
      }
    }
}

BOOST_AUTO_TEST_CASE(a_difference_of_one_edit_is_small_and_several_in_a_row_add_up) {
  Document document = busy_document(9, SequenceUnit::kScalar, 2000);
  Sequence held = elsewhere(document.sequence);
  for (int i = 0; i < 200; ++i) {
    const Sequence before = document.sequence;
    document.must({{(document.sequence.size() * static_cast<std::size_t>(i)) / 200, 1, {"x"}}});
    const std::string change = diff(before, document.sequence);
    BOOST_TEST(change.size() < 80U);
    held = apply_diff(held, change, kMost).value();
    BOOST_REQUIRE(held == document.sequence);
  }
}

BOOST_AUTO_TEST_CASE(a_difference_tells_deletions_apart_that_begin_alike) {
  const auto made = [](std::uint64_t first_gone, std::uint64_t second_gone) {
    Sequence sequence;
    BOOST_REQUIRE(sequence.edit({put(0, "ab")}, dot_of("a", 1, 1), author_of("a", 0)));
    const bool first = first_gone < second_gone;
    const std::uint64_t early = std::min(first_gone, second_gone);
    const std::uint64_t late = std::max(first_gone, second_gone);
    BOOST_REQUIRE(
        sequence.edit({cut(first ? 0 : 1, 1)}, dot_of("a", early, early), author_of("a", 1)));
    BOOST_REQUIRE(sequence.edit({cut(0, 1)}, dot_of("a", late, late), author_of("a", 1)));
    return sequence;
  };
  const Sequence from = made(3, 4);
  const Sequence to = made(3, 2);
  BOOST_TEST((apply_diff(from, diff(from, to), kMost).value() == to));
}

BOOST_AUTO_TEST_CASE(a_difference_from_another_sequence_is_refused) {
  const Sequence from = busy_document(1, SequenceUnit::kScalar, 100).sequence;
  Document document{from, 1000, 1000};
  document.must({put(0, "x")});
  const std::string change = diff(from, document.sequence);
  BOOST_TEST(apply_diff(from, change, kMost).has_value());
  BOOST_TEST(!apply_diff(Sequence(), change, kMost));
  BOOST_TEST(!apply_diff(document.sequence, change, kMost));
  BOOST_TEST(!apply_diff(busy_document(2, SequenceUnit::kScalar, 100).sequence, change, kMost));
}

BOOST_AUTO_TEST_CASE(changed_bytes_of_a_difference_are_refused) {
  Document document = busy_document(31, SequenceUnit::kScalar, 150);
  const Sequence from = document.sequence;
  document.must({{3, 2, {"new"}}, put(0, "front")});
  document.must("b", document.head - 1, {cut(5, 4)});
  Sequence folded = document.sequence;
  folded.fold(Revision(document.head - 1));
  for (const Sequence& to : {document.sequence, folded}) {
    const std::string change = diff(from, to);
    for (std::size_t size = 0; size < change.size(); ++size)
      BOOST_REQUIRE(!apply_diff(from, change.substr(0, size), kMost));
    Prng random(6);
    for (int i = 0; i < 10'000; ++i) {
      BOOST_TEST_INFO_SCOPE("draw " << i);
      std::string wrong = change;
      wrong[random.below(wrong.size())] = static_cast<char>(random.next());
      const Result<Sequence> made = apply_diff(from, wrong, kMost);
      if (!made) continue;
      made->check_invariants();
      BOOST_REQUIRE(*made == to);  // the change was in nothing that is told
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
