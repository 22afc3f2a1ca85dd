// What the coordinator keeps of earlier states, and what it is good for: merges, deltas, and keys
// whose time is over.

#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "bench_of_conflicts.h"

namespace waggle {
namespace {

// Large enough for a delta to pay.
std::string large(char letter) {
  return std::string(1'000, letter);
}

const DeltaChunk& pull(ConflictBench& bench, const std::string& agent, std::uint64_t since,
                       bool holds) {
  DeltaRequest request;
  request.session = bench.session(agent);
  request.request = RequestId(3);
  request.cursor = {bench.core.epoch(), Revision(since)};
  request.holds = holds;
  bench.receive(agent, request);
  bench.close();
  return *bench.to<DeltaChunk>(agent);
}

// "KEY VERSION<BASE ...", a base of 0: none.
std::string text_of(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes)
    text +=
        fmt::format("{}{} {}<{}", text.empty() ? "" : ", ", change.key.value(),
                    change.record->version.value(), change.base ? change.base->version.value() : 0);
  return text;
}

constexpr const char* kBase = R"({"a":1,"b":1})";

BOOST_AUTO_TEST_SUITE(earlier_states)

// ---- merges ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(two_who_began_alike_are_merged_by_the_coordinator) {
  ConflictBench bench;
  (void)bench.put_json("a", "j/k", kBase, 0);
  (void)bench.put_json("a", "j/k", R"({"a":2,"b":1})", 1);
  BOOST_REQUIRE_EQUAL(bench.rows<HistoryRow>().size(), 1u);
  BOOST_TEST(bench.rows<HistoryRow>()[0]->version.value() == 1u);
  const Outcome merged = bench.put_json("b", "j/k", R"({"a":1,"b":3})", 1);
  BOOST_TEST((merged.code == Code::kCommitted && merged.changed));
  BOOST_TEST((merged.conflict == ConflictKind::kNone));
  BOOST_TEST(bench.value("j/k") == R"({"a":2,"b":3})");
  const RecordPtr record = bench.record("j/k");
  BOOST_TEST(record->writer.agent.value() == kCoordinatorName);
  const Metadata expected = {{"merged_from", "b"}, {"merged_with", "a"}};
  BOOST_TEST((record->metadata == expected));
  const Receipt& receipt = bench.rows<ReceiptRow>().at(0)->receipt;
  BOOST_TEST(receipt.rule == "merge");
  BOOST_REQUIRE_EQUAL(receipt.inputs.size(), 3u);
  BOOST_TEST((receipt.inputs[0].ancestor && receipt.inputs[0].version == Revision(1)));
  // Its writer has not seen it either: the next write from there merges again.
  const Outcome again = bench.put_json("b", "j/k", R"({"a":1,"b":4})", 1);
  BOOST_TEST((again.code == Code::kConflict && again.conflict == ConflictKind::kFieldConflict));
  BOOST_TEST(bench.value("j/k") == R"({"a":2,"b":3})");
}

BOOST_AUTO_TEST_CASE(who_began_from_a_version_that_is_gone_is_told_base_lost) {
  ConflictBench bench;
  for (const char* value : {kBase, R"({"a":2,"b":1})", R"({"a":3,"b":1})"})
    (void)bench.put_json("a", "j1/k", value, bench.head());
  const Outcome lost = bench.put_json("b", "j1/k", R"({"a":1,"b":3})", 1);
  BOOST_TEST((lost.code == Code::kConflict && lost.reason == Reason::kBaseLost));
  const Outcome kept = bench.put_json("b", "j1/k", R"({"a":2,"b":3})", 2);
  BOOST_TEST((kept.code == Code::kCommitted));
  BOOST_TEST(bench.value("j1/k") == R"({"a":3,"b":3})");
}

// What a store has after these writes by "a", for a coordinator that starts again.
CoordinatorState stored(ConflictBench& bench, const char* key,
                        const std::vector<std::string>& values) {
  CoordinatorState state;
  for (const std::string& value : values) {
    (void)bench.put_json("a", key, value, bench.head());
    state.records = {*bench.rows<RecordRow>().at(0)};
    state.swarms = {*bench.rows<SwarmRow>().at(0)};
    for (const HistoryRow* row : bench.rows<HistoryRow>())
      if (row->record) state.history.push_back(*row);
  }
  state.store.epoch = bench.core.epoch();
  return state;
}

BOOST_AUTO_TEST_CASE(the_history_comes_back_after_a_restart) {
  ConflictBench before;
  ConflictBench bench(stored(before, "j/k", {kBase, R"({"a":2,"b":1})"}));
  BOOST_TEST((bench.put_json("b", "j/k", R"({"a":1,"b":3})", 1).code == Code::kCommitted));
  BOOST_TEST(bench.value("j/k") == R"({"a":2,"b":3})");
}

// A policy that kept none for a while leaves no gap in the history of a key.
BOOST_AUTO_TEST_CASE(history_that_no_policy_wants_any_more_goes_with_the_next_commit) {
  ConflictBench before;
  CoordinatorState state = stored(before, "j/k", {kBase, R"({"a":2,"b":1})"});
  state.records[0].key = Key("plain");
  state.history[0].key = Key("plain");
  ConflictBench bench(std::move(state));
  (void)bench.put_json("a", "plain", "3", bench.head());
  BOOST_REQUIRE_EQUAL(bench.rows<HistoryRow>().size(), 1u);
  BOOST_TEST((bench.rows<HistoryRow>()[0]->record == nullptr));
}

BOOST_AUTO_TEST_CASE(a_deleted_key_has_no_history_and_begins_anew) {
  ConflictBench bench;
  for (const char* value : {kBase, R"({"a":2,"b":1})"})
    (void)bench.put_json("a", "j/k", value, bench.head());
  (void)bench.send("a", {Key("j/k"), {}, DeleteOp{}, {}}, bench.head());
  for (const HistoryRow* row : bench.rows<HistoryRow>()) BOOST_TEST((row->record == nullptr));
  BOOST_TEST(!bench.rows<HistoryRow>().empty());
  bench.receive("a", CompactRequest{bench.session("a"), RequestId(9), Revision(bench.head())});
  bench.close();
  for (const char* value : {R"({"a":5,"b":5})", R"({"a":6,"b":5})"})
    (void)bench.put_json("a", "j/k", value, bench.head());
  // It saw the key absent: that is no ancestor, and what was deleted is none either.
  const Outcome late = bench.put_json("b", "j/k", R"({"a":5,"b":7})", 3);
  BOOST_TEST((late.code == Code::kConflict && late.reason == Reason::kBaseLost));
}

BOOST_AUTO_TEST_CASE(clearing_the_swarm_drops_its_history) {
  ConflictBench bench;
  for (const char* value : {kBase, "2", "3"}) (void)bench.put_json("a", "j/k", value, bench.head());
  (void)bench.send("a", {Key(), {}, ClearOp{}, {}}, bench.head());
  BOOST_TEST(bench.rows<HistoryRow>().size() == 2u);
  for (const HistoryRow* row : bench.rows<HistoryRow>()) BOOST_TEST((row->record == nullptr));
}

// ---- time to live ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_key_that_nobody_wrote_for_its_time_is_deleted) {
  ConflictBench bench;
  (void)bench.put_text("a", "t/old", "x", 0);
  (void)bench.put_text("a", "other", "x", 1);
  bench.wait(1'000);
  (void)bench.put_text("a", "t/new", "x", 2);
  bench.wait(1'000);
  BOOST_TEST(bench.value("t/old") == "(absent)");
  BOOST_TEST(bench.value("t/new") == "x");
  const RecordPtr gone = bench.record("t/old");
  BOOST_REQUIRE(gone != nullptr);
  BOOST_TEST(gone->writer.agent.value() == kCoordinatorName);
  BOOST_TEST(gone->metadata.at("expired_after_ms") == "2000");
  BOOST_REQUIRE_EQUAL(bench.broadcasts<StateUpdate>().size(), 1u);
  BOOST_TEST(text_of(bench.broadcasts<StateUpdate>()[0]->changes) == "t/old 4<0");
  // A write gives it its time again, and a key is deleted once.
  (void)bench.put_text("a", "t/new", "y", 4);
  bench.wait(1'000);
  BOOST_TEST(bench.value("t/new") == "y");
  bench.wait(1'000);
  BOOST_TEST(bench.value("t/new") == "(absent)");
  const std::uint64_t head = bench.head();
  for (int second = 0; second < 3; ++second) bench.wait(1'000);
  BOOST_TEST(bench.head() == head);
  BOOST_TEST(bench.value("other") == "x");
}

BOOST_AUTO_TEST_CASE(more_old_keys_than_one_sweep_looks_at_go_in_several) {
  ConflictBench bench;
  constexpr int kKeys = 2'500;
  for (int i = 0; i < kKeys; ++i)
    (void)bench.put_text("a", fmt::format("t/{}", i).c_str(), "x", bench.head());
  std::uint64_t left = kKeys;
  int sweeps = 0;
  bench.wait(1'000);
  for (; left > 0 && sweeps < 10; ++sweeps) {
    bench.wait(1'000);
    left = bench.core.swarm(SwarmId("s"))->live_keys();
  }
  BOOST_TEST(left == 0u);
  BOOST_TEST(sweeps > 1);
}

// ---- deltas ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_pull_of_one_who_holds_the_state_names_what_it_holds) {
  ConflictBench bench;
  (void)bench.put_text("a", "k", large('1'), 0);
  (void)bench.put_text("a", "small", "1", 1);
  (void)bench.put_text("a", "k", large('2'), 2);
  (void)bench.put_text("a", "small", "2", 3);
  (void)bench.put_text("a", "k", large('3'), 4);
  BOOST_TEST(text_of(pull(bench, "b", 2, true).changes) == "small 4<0, k 5<1");
  BOOST_TEST(text_of(pull(bench, "b", 3, true).changes) == "small 4<0, k 5<3");
  BOOST_TEST(text_of(pull(bench, "b", 2, false).changes) == "small 4<0, k 5<0");
  BOOST_TEST(text_of(pull(bench, "b", 0, true).changes) == "small 4<0, k 5<0");
}

BOOST_AUTO_TEST_CASE(a_deleted_key_that_comes_again_has_no_base) {
  ConflictBench bench;
  (void)bench.put_text("a", "k", large('1'), 0);
  (void)bench.send("a", {Key("k"), {}, DeleteOp{}, {}}, 1);
  (void)bench.put_text("a", "k", large('2'), 2);
  (void)bench.put_text("a", "k", large('3'), 3);
  BOOST_TEST(text_of(pull(bench, "b", 1, true).changes) == "k 4<0");
  BOOST_TEST(text_of(pull(bench, "b", 2, true).changes) == "k 4<0");
  BOOST_TEST(text_of(pull(bench, "b", 3, true).changes) == "k 4<3");
}

BOOST_AUTO_TEST_CASE(an_update_names_what_its_readers_held_before_it) {
  ConflictBench bench;
  (void)bench.put_text("a", "k", large('1'), 0);
  BOOST_TEST(text_of(bench.broadcasts<StateUpdate>().at(0)->changes) == "k 1<0");
  (void)bench.put_text("a", "k", large('2'), 1);
  BOOST_TEST(text_of(bench.broadcasts<StateUpdate>().at(0)->changes) == "k 2<1");
  // Two commits in one update: from what stood before both.
  const Welcome& a = bench.welcomes.at("a");
  (void)bench.submit(
      "a", a, {CoreBench::put(3, "k", large('3'), a, 2), CoreBench::put(4, "k", large('4'), a, 2)});
  BOOST_REQUIRE_EQUAL(bench.broadcasts<StateUpdate>().size(), 1u);
  BOOST_TEST(text_of(bench.broadcasts<StateUpdate>()[0]->changes) == "k 4<2");
}

// However many there are, and however large the key is: it comes once, and as a difference.
BOOST_AUTO_TEST_CASE(many_commits_of_a_large_key_are_one_update_from_what_stood_before) {
  ConflictBench bench;
  const std::string value(limits::kUpdateBytes / 3, '1');
  (void)bench.put_text("a", "k", value, 0);
  const Welcome& a = bench.welcomes.at("a");
  std::vector<Mutation> mutations;
  for (std::uint64_t seq = 2; seq <= 201; ++seq)
    mutations.push_back(CoreBench::put(seq, "k", value + std::to_string(seq), a, 1));
  (void)bench.submit("a", a, std::move(mutations));
  BOOST_REQUIRE_EQUAL(bench.broadcasts<StateUpdate>().size(), 1u);
  BOOST_TEST(text_of(bench.broadcasts<StateUpdate>()[0]->changes) == "k 201<1");
  // Of different keys as many go together as fit.
  std::vector<Mutation> others;
  for (std::uint64_t seq = 202; seq <= 205; ++seq)
    others.push_back(CoreBench::put(seq, fmt::format("other/{}", seq), value, a, 201));
  (void)bench.submit("a", a, std::move(others));
  BOOST_TEST(bench.broadcasts<StateUpdate>().size() == 2u);
}

// Whoever completed it holds what stood then, and not what stood before the group.
BOOST_AUTO_TEST_CASE(a_pull_completed_in_the_middle_of_a_group_cuts_its_update) {
  ConflictBench bench;
  (void)bench.put_text("a", "k", large('1'), 0);
  const Welcome& a = bench.welcomes.at("a");
  const auto submit = [&](std::uint64_t seq, char letter) {
    bench.receive(
        "a", Submit{a.session, a.epoch, {}, {CoreBench::put(seq, "k", large(letter), a, seq - 1)}});
  };
  submit(2, '2');
  DeltaRequest request;
  request.session = bench.session("b");
  request.request = RequestId(3);
  request.cursor = {a.epoch, Revision(1)};
  request.holds = true;
  bench.receive("b", request);
  submit(3, '3');
  submit(4, '4');
  bench.close();
  BOOST_TEST(bench.to<DeltaChunk>("b")->complete);
  BOOST_TEST(text_of(bench.to<DeltaChunk>("b")->changes) == "k 2<1");
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 2u);
  BOOST_TEST(text_of(updates[0]->changes) == "k 2<1");
  BOOST_TEST(updates[1]->from.value() == 2u);
  BOOST_TEST(text_of(updates[1]->changes) == "k 4<2");
  // The next group is not cut for it.
  submit(5, '5');
  submit(6, '6');
  bench.close();
  BOOST_TEST(bench.broadcasts<StateUpdate>().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
