// Parked conflicts through the core: events in, actions out.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "bench_of_conflicts.h"
#include "resolver/receipt.h"

namespace waggle {
namespace {

SettleOp take_side(ConflictId id, std::uint32_t side) {
  return {id, Settle::kSide, side, {}};
}

std::string sides_of(const ParkedConflict& conflict) {
  std::string sides;
  for (const ConflictSide& side : conflict.sides)
    sides += fmt::format("{}{}:{}", sides.empty() ? "" : " ", side.agent.value(),
                         side.value ? side.value->bytes : "-");
  return sides;
}

BOOST_AUTO_TEST_SUITE(conflicts)

// ---- parking -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_concurrent_write_parks_and_the_key_keeps_its_value) {
  ConflictBench bench;
  const Outcome parked = bench.park("m/k");
  BOOST_TEST((parked.code == Code::kParked && parked.final()));
  BOOST_TEST(parked.parked.value() == 1u);
  BOOST_TEST((parked.conflict == ConflictKind::kConcurrentUpdate));
  BOOST_TEST(!parked.changed);
  BOOST_REQUIRE(parked.committed != nullptr);
  BOOST_TEST(parked.committed->version.value() == 1u);
  BOOST_TEST(parked.text.find("C1") != std::string::npos, parked.text);
  // Row and number are in the same batch as the outcome.
  BOOST_REQUIRE_EQUAL(bench.rows<ConflictRow>().size(), 1u);
  BOOST_REQUIRE(bench.rows<ConflictRow>()[0]->conflict.has_value());
  BOOST_TEST(sides_of(*bench.rows<ConflictRow>()[0]->conflict) == "a:A b:B");
  BOOST_REQUIRE_EQUAL(bench.rows<SwarmRow>().size(), 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->last_conflict.value() == 1u);
  BOOST_TEST(bench.last.persist.sync);
  BOOST_TEST(bench.rows<RecordRow>().empty());
  BOOST_TEST(bench.broadcasts<StateUpdate>().empty());
  BOOST_TEST(bench.value("m/k") == "A");
  BOOST_TEST(bench.head() == 1u);
}

BOOST_AUTO_TEST_CASE(a_record_says_which_rule_chose_it_over_which_version) {
  ConflictBench bench;
  const auto choice = [&](const char* key) {
    const RecordPtr record = bench.record(key);
    return record->choice ? fmt::format("{} over {}", record->choice->rule,
                                        record->choice->over.value())
                          : "none";
  };
  // By the default, lww; an informed write and one that loses leave none.
  (void)bench.put_text("a", "k", "A", 0);
  BOOST_TEST(choice("k") == "none");
  (void)bench.put_text("b", "k", "B", 0);
  BOOST_TEST(choice("k") == "lww over 1");
  (void)bench.put_text("a", "k", "C", 2);
  BOOST_TEST(choice("k") == "none");
  // Merged.
  (void)bench.put_json("a", "j/k", R"({"l":1,"r":1})", 3);
  const std::uint64_t base = bench.head();
  (void)bench.put_json("a", "j/k", R"({"l":2,"r":1})", base);
  (void)bench.put_json("b", "j/k", R"({"l":1,"r":2})", base);
  BOOST_TEST(choice("j/k") == fmt::format("merge over {}", base + 1));
  // Settled by a person.
  const Outcome parked = bench.park("m/k");
  const std::uint64_t stood = bench.record("m/k")->version.value();
  (void)bench.settle("m/k", take_side(parked.parked, 1));
  BOOST_TEST(choice("m/k") == fmt::format("settled(C1 by a) over {}", stood));
}

BOOST_AUTO_TEST_CASE(the_same_submit_again_is_answered_alike_and_parks_once) {
  ConflictBench bench;
  (void)bench.put_text("a", "m/k", "A", 0);
  const Mutation lost = CoreBench::put(1, "m/k", "B", bench.welcomes.at("b"));
  const auto first = bench.submit("b", bench.welcomes.at("b"), {lost});
  const auto again = bench.submit("b", bench.welcomes.at("b"), {lost});
  BOOST_REQUIRE_EQUAL(again.size(), 1u);
  BOOST_TEST((again[0].outcome == first[0].outcome));
  BOOST_TEST(sides_of(bench.parked().at(0)) == "a:A b:B");
}

BOOST_AUTO_TEST_CASE(further_writes_add_sides_and_side_a_stays_what_stood_first) {
  ConflictBench bench;
  const Outcome first = bench.park("m/k");
  const Outcome second = bench.put_text("b", "m/k", "B2", 0);
  BOOST_TEST((second.code == Code::kParked && second.parked == first.parked));
  // An informed write is no conflict, and closes none.
  BOOST_TEST((bench.put_text("a", "m/k", "A2", bench.head()).code == Code::kCommitted));
  const Outcome deleted = bench.send("b", {Key("m/k"), {}, DeleteOp{}, {}}, 0);
  BOOST_TEST((deleted.code == Code::kParked && deleted.parked == first.parked));
  BOOST_TEST(sides_of(bench.parked().at(0)) == "a:A b:B b:B2 b:-");
  BOOST_TEST(bench.value("m/k") == "A2");
}

BOOST_AUTO_TEST_CASE(a_conflict_with_all_its_sides_takes_no_more_and_says_so) {
  ConflictBench bench;
  BOOST_TEST((bench.park("m/k").code == Code::kParked));
  for (std::size_t side = 2; side < limits::kConflictSides; ++side)
    BOOST_REQUIRE((bench.put_text("b", "m/k", "B", 0).code == Code::kParked));
  const Outcome above = bench.put_text("b", "m/k", "one too many", 0);
  BOOST_TEST((above.code == Code::kConflict));
  BOOST_TEST((above.committed != nullptr));
  BOOST_TEST(above.text.find("16 values") != std::string::npos, above.text);
  BOOST_TEST(bench.rows<ConflictRow>().empty());
  BOOST_TEST(bench.parked().at(0).sides.size() == limits::kConflictSides);
  // Another key has its own conflict.
  BOOST_TEST((bench.park("m/other").code == Code::kParked));
}

// One that is listed travels in one frame, however large its values are.
BOOST_AUTO_TEST_CASE(a_conflict_of_large_values_fits_a_frame) {
  ConflictBench bench;
  const std::string large(limits::kValueBytes - 100, 'x');
  BOOST_TEST((bench.park("m/k", large, large).code == Code::kParked));
  Outcome outcome;
  for (int write = 0; write < 4; ++write) outcome = bench.put_text("b", "m/k", large, 0);
  BOOST_TEST((outcome.code == Code::kConflict));
  std::size_t bytes = 0;
  const ParkedConflict waits = bench.parked().at(0);
  for (const ConflictSide& side : waits.sides) bytes += side.value->bytes.size();
  BOOST_TEST(bytes >= 2 * large.size());
  BOOST_TEST(bytes < limits::kFrameBytes);
  // What is small still fits.
  BOOST_TEST((bench.put_text("b", "m/k", "small", 0).code == Code::kParked));
}

BOOST_AUTO_TEST_CASE(a_swarm_full_of_conflicts_takes_sides_and_no_new_ones) {
  CoordinatorState state;
  state.store.epoch = Epoch(5);
  SwarmRow row;
  row.swarm = SwarmId("s");
  row.last_conflict = ConflictId(limits::kConflicts);
  state.swarms = {row};
  for (std::uint64_t id = 1; id <= limits::kConflicts; ++id) {
    ParkedConflict waits;
    waits.id = ConflictId(id);
    waits.key = Key(fmt::format("m/{}", id));
    waits.sides.resize(2);
    state.conflicts.push_back({SwarmId("s"), waits.id, waits});
  }
  ConflictBench bench(std::move(state));
  const Outcome refused = bench.park("m/new");
  BOOST_TEST((refused.code == Code::kConflict));
  BOOST_TEST(refused.text.find("10000 conflicts") != std::string::npos, refused.text);
  const Outcome added = bench.park("m/7");
  BOOST_TEST((added.code == Code::kParked && added.parked == ConflictId(7)));
  // One settled makes room for one, under a number that nobody had.
  BOOST_TEST(
      (bench.settle("m/9", {ConflictId(9), Settle::kDismiss, 0, {}}).code == Code::kCommitted));
  const Outcome fresh = bench.park("m/new");
  BOOST_TEST((fresh.code == Code::kParked));
  BOOST_TEST(fresh.parked.value() == limits::kConflicts + 1);
}

BOOST_AUTO_TEST_CASE(a_group_never_waits) {
  ConflictBench bench;
  (void)bench.put_text("a", "m/k", "A", 0);
  Mutation group = CoreBench::put(1, "m/k", "B", bench.welcomes.at("b"));
  group.entries.push_back({Key("other"), {}, PutOp{ContentType::kText, "x"}, {}});
  const auto results = bench.submit("b", bench.welcomes.at("b"), {group});
  BOOST_TEST((results.at(0).outcome.code == Code::kConflict));
  BOOST_TEST(bench.value("other") == "(absent)");
  BOOST_TEST(bench.parked().empty());
}

// ---- settling ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_taken_side_is_a_commit_of_the_coordinator_in_the_name_of_who_settled) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  const Outcome settled = bench.settle("m/k", take_side(id, 1), {}, {{"why", "newer"}});
  BOOST_TEST((settled.code == Code::kCommitted && settled.changed));
  BOOST_TEST(settled.revision.value() == 2u);
  BOOST_TEST(bench.value("m/k") == "B");
  const RecordPtr record = bench.record("m/k");
  BOOST_TEST(record->writer.agent.value() == kCoordinatorName);
  const Metadata expected = {{"settled", "C1"}, {"settled_by", "a"}, {"why", "newer"}};
  BOOST_TEST((record->metadata == expected));
  BOOST_REQUIRE_EQUAL(bench.rows<ConflictRow>().size(), 1u);
  BOOST_TEST(!bench.rows<ConflictRow>()[0]->conflict.has_value());
  BOOST_REQUIRE_EQUAL(bench.broadcasts<StateUpdate>().size(), 1u);
  BOOST_TEST(bench.broadcasts<StateUpdate>()[0]->applied.size() == 1u);
  // The choice is kept: from what, and what came of it.
  BOOST_REQUIRE_EQUAL(bench.rows<ReceiptRow>().size(), 1u);
  const Receipt& receipt = bench.rows<ReceiptRow>()[0]->receipt;
  BOOST_TEST(receipt.rule == "settled(C1 by a)");
  BOOST_TEST(receipt.inputs.size() == 2u);
  BOOST_TEST(receipt.inputs[0].committed);
  BOOST_TEST((receipt.output == record->content && hash_of(receipt) == record->receipt));
  BOOST_TEST(bench.parked().empty());
}

BOOST_AUTO_TEST_CASE(nobody_has_seen_a_settled_value_yet_not_even_who_settled) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  (void)bench.settle("m/k", take_side(id, 1));
  BOOST_TEST((bench.put_text("a", "m/k", "late", 1).code == Code::kParked));
  BOOST_TEST((bench.put_text("a", "m/k", "informed", 2).code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(another_value_settles_too) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  const Register both{ContentType::kText, "A and B"};
  BOOST_TEST(bench.settle("m/k", {id, Settle::kValue, 0, both}).changed);
  BOOST_TEST(bench.value("m/k") == "A and B");
}

BOOST_AUTO_TEST_CASE(a_side_without_a_value_deletes_the_key) {
  ConflictBench bench;
  (void)bench.put_text("a", "m/k", "A", 0);
  const ConflictId id = bench.send("b", {Key("m/k"), {}, DeleteOp{}, {}}, 0).parked;
  BOOST_REQUIRE(id);
  BOOST_TEST(bench.settle("m/k", take_side(id, 1)).changed);
  BOOST_TEST(bench.value("m/k") == "(absent)");
}

BOOST_AUTO_TEST_CASE(dismissing_and_taking_what_stands_commit_nothing_and_leave_a_receipt) {
  for (const bool dismissed : {true, false}) {
    ConflictBench bench;
    const ConflictId id = bench.park("m/k").parked;
    const SettleOp how = dismissed ? SettleOp{id, Settle::kDismiss, 0, {}} : take_side(id, 0);
    const Outcome settled = bench.settle("m/k", how);
    BOOST_TEST((settled.code == Code::kCommitted && !settled.changed));
    BOOST_TEST(bench.head() == 1u);
    BOOST_TEST(bench.value("m/k") == "A");
    BOOST_REQUIRE_EQUAL(bench.rows<ReceiptRow>().size(), 1u);
    BOOST_TEST((hash_of(bench.rows<ReceiptRow>()[0]->receipt) == bench.record("m/k")->receipt));
    BOOST_TEST(bench.broadcasts<StateUpdate>().empty());
    BOOST_TEST(bench.parked().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_settling_that_names_what_does_not_wait_changes_nothing) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  const auto refused = [&](const char* key, SettleOp how, const char* part) {
    const Outcome outcome = bench.settle(key, std::move(how));
    BOOST_TEST((outcome.code == Code::kRejected && outcome.reason == Reason::kInvalid));
    BOOST_TEST(outcome.text.find(part) != std::string::npos, outcome.text);
    BOOST_TEST(bench.rows<ConflictRow>().empty());
  };
  refused("m/k", {ConflictId(2), Settle::kDismiss, 0, {}}, "C2");
  refused("m/other", {id, Settle::kDismiss, 0, {}}, "m/other");
  refused("m/k", take_side(id, 2), "sides A to B");
  BOOST_TEST(bench.settle("m/k", take_side(id, 1)).changed);
  refused("m/k", take_side(id, 1), "settled already");
}

BOOST_AUTO_TEST_CASE(a_settling_may_expect_the_version_that_it_looked_at) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  (void)bench.put_text("a", "m/k", "A2", 1);
  const Outcome stale = bench.settle("m/k", take_side(id, 1), ExpectVersion{Revision(1)});
  BOOST_TEST((stale.code == Code::kConflict && stale.conflict == ConflictKind::kVersionMismatch));
  BOOST_REQUIRE(stale.committed != nullptr);
  BOOST_TEST(stale.committed->version.value() == 2u);
  BOOST_TEST(bench.parked().size() == 1u);
  BOOST_TEST(bench.settle("m/k", take_side(id, 1), ExpectVersion{Revision(2)}).changed);
}

BOOST_AUTO_TEST_CASE(a_key_that_became_another_type_can_only_be_dismissed) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  (void)bench.send("a", {Key("m/k"), {}, DeleteOp{}, {}}, 1);
  (void)bench.send("a", {Key("m/k"), {}, IncrOp{4}, {}}, 2);
  const Outcome refused = bench.settle("m/k", take_side(id, 1));
  BOOST_TEST((refused.code == Code::kRejected && refused.reason == Reason::kTypeMismatch));
  BOOST_TEST(bench.parked().size() == 1u);
  const Outcome dismissed = bench.settle("m/k", {id, Settle::kDismiss, 0, {}});
  BOOST_TEST((dismissed.code == Code::kCommitted && !dismissed.changed));
  BOOST_TEST(bench.parked().empty());
}

BOOST_AUTO_TEST_CASE(a_conflict_of_a_forgotten_key_can_be_settled) {
  ConflictBench bench;
  const ConflictId id = bench.park("m/k").parked;
  const ConflictId other = bench.park("m/other").parked;
  for (const char* key : {"m/k", "m/other"})
    (void)bench.send("a", {Key(key), {}, DeleteOp{}, {}}, bench.head());
  bench.receive("a", CompactRequest{bench.session("a"), RequestId(9), Revision(bench.head())});
  bench.close();
  BOOST_TEST((bench.record("m/k") == nullptr));
  BOOST_TEST(bench.settle("m/k", take_side(id, 1)).changed);
  BOOST_TEST(bench.value("m/k") == "B");
  BOOST_TEST((bench.settle("m/other", {other, Settle::kDismiss, 0, {}}).code == Code::kCommitted));
  BOOST_TEST(bench.parked().empty());
}

// ---- what becomes of them ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_inbox_comes_back_after_a_restart) {
  CoordinatorState state;
  ParkedConflict before;
  {
    ConflictBench bench;
    (void)bench.put_text("a", "m/k", "A", 0);
    state.records.push_back(*bench.rows<RecordRow>().at(0));
    (void)bench.put_text("b", "m/k", "B", 0);
    state.store.epoch = bench.core.epoch();
    state.swarms = {*bench.rows<SwarmRow>().at(0)};
    state.conflicts = {*bench.rows<ConflictRow>().at(0)};
    before = bench.parked().at(0);
  }
  ConflictBench bench(std::move(state));
  BOOST_REQUIRE_EQUAL(bench.parked().size(), 1u);
  BOOST_TEST((bench.parked()[0] == before));
  // It goes on: another side, and numbers that were not given out before.
  BOOST_TEST((bench.put_text("b", "m/k", "B2", 0).parked == before.id));
  BOOST_TEST(bench.park("m/other").parked.value() == 2u);
  BOOST_TEST(bench.settle("m/k", take_side(before.id, 2)).changed);
  BOOST_TEST(bench.value("m/k") == "B2");
}

BOOST_AUTO_TEST_CASE(clearing_the_swarm_closes_all) {
  ConflictBench bench;
  (void)bench.park("m/1");
  (void)bench.park("m/2");
  BOOST_TEST((bench.send("a", {Key(), {}, ClearOp{}, {}}, bench.head()).code == Code::kCommitted));
  const auto rows = bench.rows<ConflictRow>();
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  for (const ConflictRow* row : rows) BOOST_TEST(!row->conflict.has_value());
  BOOST_TEST(bench.parked().empty());
  BOOST_TEST(bench.park("m/1").parked.value() == 3u);
}

BOOST_AUTO_TEST_CASE(a_conflict_whose_time_is_over_is_dismissed_with_a_receipt) {
  ConflictBench bench;
  (void)bench.park("p/k");
  (void)bench.park("m/k");  // waits for ever
  bench.wait(1'000);
  BOOST_TEST(bench.rows<ConflictRow>().empty());
  bench.wait(1'000);
  BOOST_REQUIRE_EQUAL(bench.rows<ConflictRow>().size(), 1u);
  BOOST_TEST(!bench.rows<ConflictRow>()[0]->conflict.has_value());
  BOOST_REQUIRE_EQUAL(bench.rows<ReceiptRow>().size(), 1u);
  BOOST_TEST(bench.rows<ReceiptRow>()[0]->receipt.rule == "aged(C1)");
  BOOST_TEST(bench.value("p/k") == "A");
  BOOST_REQUIRE_EQUAL(bench.parked().size(), 1u);
  BOOST_TEST(bench.parked()[0].key.value() == "m/k");
}

BOOST_AUTO_TEST_CASE(nothing_ages_or_expires_while_the_disk_is_full) {
  ConflictBench bench;
  (void)bench.park("p/k");
  (void)bench.put_text("a", "t/k", "mortal", bench.head());
  bench.feed(SpaceChanged{false, "disk full"});
  for (int second = 0; second < 4; ++second) {
    bench.wait(1'000);
    BOOST_TEST(bench.last.persist.rows.empty());
  }
  bench.feed(SpaceChanged{true, ""});
  bench.wait(1'000);
  BOOST_TEST(bench.parked().empty());
  BOOST_TEST(bench.value("t/k") == "(absent)");
}

// ---- rounds ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_round_under_manual_parks_its_offers_beside_what_stands) {
  ConflictBench bench;
  (void)bench.put_text("a", "m/k", "P", 0);
  const RoundId round = bench.ask("a", 1, {"m/k"});
  bench.say("a", round, {ConflictBench::offers("m/k", "A", 1)});
  bench.answer("b", round, {ConflictBench::offers("m/k", "B", 2)});
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kParked));
  BOOST_TEST(bench.value("m/k") == "P");
  BOOST_TEST(bench.rows<ReceiptRow>().at(0)->receipt.rule == "manual");
  const ParkedConflict waits = bench.parked().at(0);
  BOOST_TEST(sides_of(waits) == "a:P a:A b:B");
  BOOST_TEST((waits.round == round));
  BOOST_TEST(bench.settle("m/k", take_side(waits.id, 2)).changed);
  BOOST_TEST(bench.value("m/k") == "B");
}

// A person decides among all or nothing: what was offered waits for the next round.
BOOST_AUTO_TEST_CASE(a_round_under_manual_that_lacks_an_answer_keeps_the_offers) {
  ConflictBench bench;
  const RoundId round = bench.ask("a", 1, {"m/k"}, 500);
  bench.answer("a", round, {ConflictBench::offers("m/k", "A", 1)});
  bench.wait(600);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kPartial));
  BOOST_TEST((bench.to<OfferResult>("a") == nullptr));
  BOOST_TEST(bench.parked().empty());
}

// ---- questions ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(conflicts_are_listed_by_glob_number_and_page) {
  ConflictBench bench;
  (void)bench.park("m/1");
  (void)bench.park("p/2");
  (void)bench.park("m/3");
  const auto keys = [](const std::vector<ParkedConflict>& parked) {
    std::string joined;
    for (const ParkedConflict& one : parked) joined += one.key.value() + " ";
    return joined;
  };
  BOOST_TEST(keys(bench.parked()) == "m/1 p/2 m/3 ");
  BOOST_TEST(keys(bench.parked("m/*")) == "m/1 m/3 ");
  BOOST_TEST(keys(bench.parked("x*")) == "");
  BOOST_TEST(keys(bench.query(ConflictsQuery{{}, ConflictId(2), {}}).conflicts) == "p/2 ");
  BOOST_TEST(keys(bench.query(ConflictsQuery{{}, {}, ConflictId(1)}).conflicts) == "p/2 m/3 ");
  const QueryResult& none = bench.query(ConflictsQuery{{}, ConflictId(9), {}});
  BOOST_TEST((none.code == Code::kNotFound));
}

BOOST_AUTO_TEST_CASE(large_conflicts_come_in_pages_that_name_each_once) {
  ConflictBench bench;
  const std::string large(limits::kChunkBytes / 5, 'x');
  for (int i = 0; i < 7; ++i) (void)bench.park(fmt::format("m/{}", i).c_str(), large, large);
  std::vector<std::uint64_t> ids;
  int pages = 0;
  for (ConflictId after;;) {
    const QueryResult& page = bench.query(ConflictsQuery{{}, {}, after});
    ++pages;
    BOOST_REQUIRE(!page.conflicts.empty());
    for (const ParkedConflict& one : page.conflicts) ids.push_back(one.id.value());
    if (!page.more) break;
    after = page.conflicts.back().id;
  }
  BOOST_TEST(pages > 1);
  BOOST_TEST((ids == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7}));
}

BOOST_AUTO_TEST_CASE(a_question_for_receipts_is_handed_to_who_has_the_store) {
  ConflictBench bench;
  (void)bench.put_text("a", "k", "x", 0);
  const auto asked = [&](ReceiptsQuery query) {
    bench.receive("a", Query{bench.session("a"), RequestId(6), std::move(query)});
    bench.close();
    BOOST_TEST((bench.to<QueryResult>("a") == nullptr));
    for (const Send& send : bench.last.send)
      if (const auto* receipts = std::get_if<SendReceipts>(&send)) return *receipts;
    BOOST_FAIL("nothing was asked of the store");
    return SendReceipts{};
  };
  const ReceiptPlace place{Key("k"), Revision(3), 2};
  const SendReceipts some = asked({Key("k"), place, 10});
  BOOST_TEST(some.peer.value() == "a");
  BOOST_TEST((some.result.request == RequestId(6) && some.result.session == bench.session("a")));
  BOOST_TEST(some.result.at.revision.value() == 1u);
  BOOST_TEST((some.scan.swarm == SwarmId("s") && some.scan.key == Key("k")));
  BOOST_TEST((some.scan.after == place));
  BOOST_TEST(some.scan.limit == 10u);
  BOOST_TEST(asked({}).scan.limit == limits::kReceiptsPage);
  BOOST_TEST(asked({Key(), {}, 1'000'000}).scan.limit == limits::kReceiptsPage);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
