// Changes that come as deltas to what the agent holds, and what it does where they don't fit.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/value_delta.h"
#include "bench_of_bounds.h"

namespace waggle {
namespace {

std::string large(char letter) {
  std::string text(2'000, 'x');
  text[1'000] = letter;
  return text;
}

RecordPtr held(std::uint64_t version, char letter) {
  return BoundsBench::change("k", version, large(letter)).record;
}

// "k" of that version as it arrives: without its value, beside the delta.
Change delta(std::uint64_t from_version, char from, std::uint64_t version, char letter) {
  const RecordPtr before = held(from_version, from);
  const RecordPtr after = held(version, letter);
  Delta bytes{Revision(from_version), encode_delta(*before->value, *after->value).value()};
  auto record = std::make_shared<Record>(*after);
  record->value.reset();
  return {Key("k"), std::move(record), {}, std::make_shared<const Delta>(std::move(bytes))};
}

// Whose content is not what the record promises.
Change damaged(std::uint64_t from_version, char from, std::uint64_t version) {
  Change change = delta(from_version, from, version, 'd');
  auto record = std::make_shared<Record>(*change.record);
  record->content = held(version, 'e')->content;
  change.record = std::move(record);
  return change;
}

// Long enough for what is started with jitter.
void let_it_pull(BoundsBench& bench) {
  for (int tenth = 0; tenth < 20 && bench.up<DeltaRequest>() == nullptr; ++tenth) bench.wait(100);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
}

BOOST_AUTO_TEST_SUITE(deltas)

BOOST_AUTO_TEST_CASE(an_update_with_a_delta_to_what_is_held_is_applied) {
  BoundsBench bench;
  bench.attach(1, {{Key("k"), held(1, 'a')}});
  bench.hear(BoundsBench::update(1, 2, {delta(1, 'a', 2, 'b')}));
  BOOST_TEST(bench.cursor() == 2u);
  BOOST_TEST(bench.view("k") == large('b'));
  const auto* changed = bench.told<StateChanged>();
  BOOST_REQUIRE(changed != nullptr);
  BOOST_REQUIRE_EQUAL(changed->changes.size(), 1u);
  BOOST_TEST((changed->changes[0].record->live() && changed->changes[0].delta == nullptr));
  // The next one is against that.
  bench.hear(BoundsBench::update(2, 3, {delta(2, 'b', 3, 'c')}));
  BOOST_TEST(bench.view("k") == large('c'));
  BOOST_TEST(bench.counter("delta_bases_missed") == 0u);
}

BOOST_AUTO_TEST_CASE(the_first_pull_may_come_as_deltas_and_a_pull_that_follows_too) {
  BoundsBench bench;
  bench.attach(1, {{Key("k"), held(1, 'a')}});
  bench.hear(BoundsBench::update(2, 3, {}));  // one was lost
  let_it_pull(bench);
  BOOST_TEST(bench.up<DeltaRequest>()->holds);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 1u);
  DeltaChunk chunk = bench.chunk(1, 3, true);
  chunk.changes = {delta(1, 'a', 2, 'b')};
  bench.receive(std::move(chunk));
  BOOST_TEST(bench.cursor() == 3u);
  BOOST_TEST(bench.view("k") == large('b'));
}

BOOST_AUTO_TEST_CASE(a_delta_to_a_version_that_is_not_held_is_pulled_as_a_whole) {
  BoundsBench bench;
  bench.attach(1, {{Key("k"), held(1, 'a')}});
  bench.hear(BoundsBench::update(1, 3, {delta(2, 'b', 3, 'c')}));
  BOOST_TEST(bench.cursor() == 1u);
  BOOST_TEST(bench.view("k") == large('a'));
  BOOST_TEST((bench.told<StateChanged>() == nullptr));
  BOOST_TEST(bench.counter("delta_bases_missed") == 1u);
  let_it_pull(bench);
  BOOST_TEST(!bench.up<DeltaRequest>()->holds);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 1u);  // no snapshot
  DeltaChunk chunk = bench.chunk(1, 3, true);
  chunk.changes = {{Key("k"), held(3, 'c')}};
  bench.receive(std::move(chunk));
  BOOST_TEST(bench.view("k") == large('c'));
  // Deltas are welcome again.
  bench.hear(BoundsBench::update(4, 5, {}));
  let_it_pull(bench);
  BOOST_TEST(bench.up<DeltaRequest>()->holds);
}

BOOST_AUTO_TEST_CASE(an_update_is_applied_whole_or_not_at_all) {
  BoundsBench bench;
  bench.attach(1, {{Key("k"), held(1, 'a')}});
  bench.hear(BoundsBench::update(1, 3,
                                 {BoundsBench::change("before", 2, "x"), delta(2, 'b', 3, 'c'),
                                  BoundsBench::change("z", 3, "y")}));
  BOOST_TEST((bench.core.view(Key("before")) == nullptr));
  BOOST_TEST(bench.rows<ReplicaRow>() == 0u);
}

BOOST_AUTO_TEST_CASE(a_damaged_delta_leads_to_a_snapshot) {
  BoundsBench bench;
  bench.attach(1, {{Key("k"), held(1, 'a')}});
  bench.hear(BoundsBench::update(1, 2, {damaged(1, 'a', 2)}));
  BOOST_TEST(bench.view("k") == large('a'));
  BOOST_TEST(bench.counter("deltas_damaged") == 1u);
  let_it_pull(bench);
  BOOST_TEST(!bench.up<DeltaRequest>()->holds);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 0u);
  DeltaChunk chunk = bench.chunk(0, 2, true);
  chunk.changes = {{Key("k"), held(2, 'b')}};
  bench.receive(std::move(chunk));
  BOOST_TEST(bench.view("k") == large('b'));
  BOOST_TEST(bench.cursor() == 2u);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_delta_lead_to_a_snapshot_too) {
  BoundsBench bench;
  bench.attach(1, {{Key("k"), held(1, 'a')}});
  Change change = delta(1, 'a', 2, 'b');
  change.delta = std::make_shared<const Delta>(Delta{Revision(1), "\xff no delta"});
  bench.hear(BoundsBench::update(1, 2, {std::move(change)}));
  BOOST_TEST(bench.counter("deltas_damaged") == 1u);
  let_it_pull(bench);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 0u);
}

BOOST_AUTO_TEST_CASE(a_delta_in_a_pull_that_does_not_fit_begins_the_pull_again_without_deltas) {
  for (const bool fault_is_ours : {false, true}) {
    BoundsBench bench;
    bench.attach(1, {{Key("k"), held(1, 'a')}});
    bench.hear(BoundsBench::update(2, 3, {}));
    let_it_pull(bench);
    DeltaChunk chunk = bench.chunk(1, 3, true);
    chunk.changes = {fault_is_ours ? damaged(1, 'a', 3) : delta(2, 'b', 3, 'c')};
    bench.receive(std::move(chunk));
    BOOST_TEST(bench.cursor() == 1u);
    const auto* again = bench.up<DeltaRequest>();
    BOOST_REQUIRE(again != nullptr);
    BOOST_TEST(!again->holds);
    BOOST_TEST(again->cursor.revision.value() == (fault_is_ours ? 0u : 1u));
  }
}

// A chunk is staged: the next one may come as a delta to it.
BOOST_AUTO_TEST_CASE(a_later_chunk_of_a_snapshot_may_be_a_delta_to_an_earlier_one) {
  BoundsBench bench;
  bench.feed(Tick{});
  bench.receive(bench.welcome_to(1, 3));
  bench.receive(Attached{SessionId(1), Revision(3), {}});
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  DeltaChunk first = bench.chunk(0, 2, false);
  first.head = Revision(3);
  first.changes = {{Key("k"), held(2, 'a')}};
  bench.receive(std::move(first));
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST(bench.up<DeltaRequest>()->holds);
  DeltaChunk second = bench.chunk(2, 3, true);
  second.changes = {delta(2, 'a', 3, 'b')};
  bench.receive(std::move(second));
  BOOST_TEST(bench.cursor() == 3u);
  BOOST_TEST(bench.view("k") == large('b'));
}

// ---- a write that was committed, and then overruled --------------------------------------------

// "k" of version 5 by this agent, and the one that "fww" chose over it.
Change own(std::uint64_t version) {
  auto record = std::make_shared<Record>(*held(version, 'a'));
  record->writer = {AgentId("a"), Incarnation(7), Seq(2)};
  return {Key("k"), std::move(record)};
}
Change chosen_over(std::uint64_t over, std::uint64_t version, const char* writer = "a") {
  auto record = std::make_shared<Record>(*held(version, 'b'));
  record->choice = std::make_shared<const Choice>(
      Choice{"fww", Revision(over), {AgentId(writer), Incarnation(7), Seq(2)}});
  return {Key("k"), std::move(record)};
}

BOOST_AUTO_TEST_CASE(whose_committed_write_is_overruled_is_told_once_the_view_has_what_stands) {
  BoundsBench bench;
  bench.attach(5, {own(5)});
  bench.hear(BoundsBench::update(5, 6, {chosen_over(5, 6)}));
  const auto told = bench.all_told<WriteOverruled>();
  BOOST_REQUIRE_EQUAL(told.size(), 1u);
  BOOST_TEST((told[0]->key == Key("k") && told[0]->incarnation == Incarnation(7) &&
              told[0]->seq == Seq(2) && told[0]->version == Revision(5)));
  BOOST_TEST(told[0]->now->choice->rule == "fww");
  BOOST_TEST((std::holds_alternative<WriteOverruled>(bench.last.deliver.back())));
  BOOST_TEST(bench.view("k") == large('b'));
}

BOOST_AUTO_TEST_CASE(who_was_away_is_told_by_the_delta) {
  BoundsBench bench;
  bench.attach(5, {own(5)});
  bench.hear(BoundsBench::update(8, 9, {}));  // some were lost
  let_it_pull(bench);
  DeltaChunk chunk = bench.chunk(5, 9, true);
  chunk.changes = {chosen_over(5, 7)};
  bench.receive(std::move(chunk));
  BOOST_TEST(bench.all_told<WriteOverruled>().size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_never_saw_its_write_since_one_update_has_both_is_told_too) {
  BoundsBench bench;
  bench.attach(5, {});
  bench.hear(BoundsBench::update(5, 7, {chosen_over(6, 7)}));
  BOOST_TEST(bench.all_told<WriteOverruled>().size() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_is_told_of_others_or_of_what_it_finds_at_its_start) {
  BoundsBench bench;
  bench.attach(5, {chosen_over(4, 5)});
  BOOST_TEST((bench.told<WriteOverruled>() == nullptr));
  bench.hear(BoundsBench::update(5, 6, {chosen_over(5, 6, "b")}));
  BOOST_TEST((bench.told<WriteOverruled>() == nullptr));
  bench.hear(BoundsBench::update(6, 7, {own(7)}));
  bench.hear(BoundsBench::update(7, 8, {{Key("k"), held(8, 'c')}}));  // no choice: it was informed
  BOOST_TEST((bench.told<WriteOverruled>() == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
