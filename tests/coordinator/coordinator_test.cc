#include "coordinator/coordinator.h"

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "bench_of_core.h"

namespace waggle {
namespace {

BOOST_AUTO_TEST_SUITE(coordinator)

BOOST_AUTO_TEST_CASE(a_hello_waits_for_the_channel_and_is_then_welcomed) {
  CoreBench bench;
  bench.receive("p", CoreBench::hello("a"));
  bench.core.finish(bench.now, bench.actions);
  BOOST_TEST(bench.actions.send.size() == 1u);
  BOOST_TEST(std::holds_alternative<OpenChannel>(bench.actions.send[0]));
  bench.feed(ChannelOpened{SwarmId("s"), "tcp:9"});
  bench.close();
  BOOST_REQUIRE(bench.to<Welcome>("p") != nullptr);
  BOOST_TEST(bench.to<Welcome>("p")->channel == "tcp:9");
}

BOOST_AUTO_TEST_CASE(attached_is_said_when_the_nonce_is_read) {  // protocol.md, Safety J1
  CoreBench bench;
  const Welcome welcome = bench.join("a");
  BOOST_REQUIRE(bench.to<Attached>("a") != nullptr);
  BOOST_TEST((bench.to<Attached>("a")->session == welcome.session));
}

BOOST_AUTO_TEST_CASE(an_unknown_protocol_version_is_refused_by_name) {
  CoreBench bench;
  Hello hello = CoreBench::hello("a");
  hello.protocol = 9;
  bench.receive("p", hello);
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>("p") != nullptr);
  BOOST_TEST((bench.to<Refused>("p")->code == Code::kUnsupported));
  BOOST_TEST(bench.to<Refused>("p")->text.find("protocol 9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_member_may_not_take_an_id_of_waggles_own) {
  CoreBench bench;
  bench.receive("p", CoreBench::hello("~coordinator"));
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>("p") != nullptr);
  BOOST_TEST(bench.to<Refused>("p")->retry_millis == 0);
}

BOOST_AUTO_TEST_CASE(an_id_in_use_is_refused_without_its_token_and_fenced_with_it) {  // Safety J2
  CoreBench bench;
  const Welcome first = bench.join("a");
  bench.receive("thief", CoreBench::hello("a", 2));
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>("thief") != nullptr);
  BOOST_TEST(bench.to<Refused>("thief")->text.starts_with("id_in_use"));
  BOOST_TEST(bench.to<Refused>("thief")->retry_millis > 0);
  bench.receive("again", CoreBench::hello("a", 1));
  bench.close();
  BOOST_TEST((bench.to<Welcome>("again") != nullptr));
  BOOST_REQUIRE(bench.to<Fenced>("a") != nullptr);
  BOOST_TEST((bench.to<Fenced>("a")->session == first.session));
  bench.receive("a", Submit{first.session, first.epoch, {}, {}});
  bench.close();
  BOOST_TEST((bench.to<NoSession>("a") != nullptr));
}

BOOST_AUTO_TEST_CASE(an_expired_lease_frees_the_id) {
  CoreBench bench;
  bench.join("a");
  for (int second = 0; second < 46; ++second) bench.wait(1'000);
  bench.receive("other", CoreBench::hello("a", 2));
  bench.close();
  BOOST_TEST((bench.to<Welcome>("other") != nullptr));
}

BOOST_AUTO_TEST_CASE(leases_survive_a_coordinator_that_stood_still) {
  CoreBench bench;
  bench.join("a");
  bench.wait(60'000);
  bench.wait(1'000);
  bench.receive("other", CoreBench::hello("a", 2));
  bench.close();
  BOOST_TEST((bench.to<Refused>("other") != nullptr));
}

BOOST_AUTO_TEST_CASE(many_commits_of_a_group_are_one_update_one_result_one_synced_batch) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  const Welcome b = bench.join("b");
  bench.receive("a", Submit{a.session,
                            a.epoch,
                            {},
                            {CoreBench::put(1, "x", "1", a), CoreBench::put(2, "y", "2", a)}});
  bench.receive("b", Submit{b.session, b.epoch, {}, {CoreBench::put(1, "z", "3", b)}});
  bench.close();
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 1u);
  BOOST_TEST(updates[0]->from.value() == 0u);
  BOOST_TEST(updates[0]->to.value() == 3u);
  BOOST_TEST(updates[0]->changes.size() == 3u);
  BOOST_TEST(updates[0]->applied.size() == 2u);
  BOOST_TEST(bench.to<SubmitResult>("a")->results.size() == 2u);
  BOOST_TEST(bench.last.persist.sync);
  BOOST_TEST(bench.rows<RecordRow>().size() == 3u);
  BOOST_TEST(bench.rows<SwarmRow>().size() == 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->head.value() == 3u);
}

BOOST_AUTO_TEST_CASE(a_repeated_mutation_commits_once_and_gets_its_first_outcome) {  // Safety W2
  CoreBench bench;
  const Welcome a = bench.join("a");
  const auto first = bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  const auto again = bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  BOOST_REQUIRE_EQUAL(again.size(), 1u);
  BOOST_TEST((again[0].outcome == first[0].outcome));
  BOOST_TEST(bench.core.swarm(SwarmId("s"))->head().value() == 1u);
}

BOOST_AUTO_TEST_CASE(a_gap_names_the_seq_that_comes_first_and_stops_the_batch) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  const auto results =
      bench.submit("a", a, {CoreBench::put(2, "x", "1", a), CoreBench::put(3, "y", "1", a)});
  BOOST_REQUIRE_EQUAL(results.size(), 1u);
  BOOST_TEST((results[0].outcome.code == Code::kGap));
  BOOST_TEST(results[0].outcome.expected.value() == 1u);
}

BOOST_AUTO_TEST_CASE(a_group_commits_whole_or_not_at_all) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  Mutation group = CoreBench::put(2, "y", "1", a, 1);
  group.entries.push_back({Key("x"), ExpectVersion{Revision(99)}, DeleteOp{}, {}});
  const auto results = bench.submit("a", a, {group});
  BOOST_TEST((results[0].outcome.code == Code::kConflict));
  BOOST_TEST((results[0].outcome.conflict == ConflictKind::kVersionMismatch));
  BOOST_TEST(results[0].outcome.key.value() == "x");
  BOOST_TEST((results[0].outcome.committed != nullptr));
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("y")) == nullptr));
  BOOST_TEST(bench.broadcasts<StateUpdate>().empty());
}

BOOST_AUTO_TEST_CASE(a_concurrent_register_write_leaves_a_receipt_and_tells_the_loser) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  const Welcome b = bench.join("b");
  Mutation winner = CoreBench::put(1, "x", "a", a);
  winner.hlc = Hlc::of(1'000'000, 9);
  bench.submit("a", a, {winner});
  Mutation loser = CoreBench::put(1, "x", "b", b);
  loser.hlc = Hlc::of(999'999, 0);
  const auto results = bench.submit("b", b, {loser});
  BOOST_TEST((results[0].outcome.code == Code::kConflict));
  BOOST_TEST((results[0].outcome.conflict == ConflictKind::kConcurrentUpdate));
  BOOST_REQUIRE_EQUAL(bench.rows<ReceiptRow>().size(), 1u);
  BOOST_TEST(bench.rows<ReceiptRow>()[0]->receipt.inputs.size() == 2u);
  BOOST_TEST(bench.core.swarm(SwarmId("s"))->find(Key("x"))->receipts == 1u);
}

BOOST_AUTO_TEST_CASE(a_clock_from_the_future_consumes_nothing_and_is_told_the_time) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  Mutation ahead = CoreBench::put(1, "x", "1", a);
  ahead.hlc = Hlc::of(1'000'000 + 365ull * 24 * 3600 * 1000, 0);
  const auto results = bench.submit("a", a, {ahead});
  BOOST_TEST((results[0].outcome.reason == Reason::kClockAhead));
  BOOST_TEST(results[0].outcome.coordinator_wall_millis == 1'000'000u);
  BOOST_TEST(
      (bench.submit("a", a, {CoreBench::put(1, "x", "1", a)})[0].outcome.code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_writes_serves_reads_and_recovers) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.feed(SpaceChanged{false, "disk full"});
  BOOST_TEST((bench.submit("a", a, {CoreBench::put(1, "x", "1", a)})[0].outcome.reason ==
              Reason::kDiskFull));
  bench.receive("a", Query{a.session, RequestId(1), GetQuery{{Key("x")}, {}}});
  bench.close();
  BOOST_TEST((bench.to<QueryResult>("a")->code == Code::kCommitted));
  bench.feed(SpaceChanged{true, ""});
  BOOST_TEST(
      (bench.submit("a", a, {CoreBench::put(1, "x", "1", a)})[0].outcome.code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(a_cursor_beyond_the_head_or_of_a_foreign_epoch_is_reset) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  DeltaRequest request{a.session, RequestId(1), {a.epoch, Revision(9)}, {}, "", 0};
  bench.receive("a", request);
  bench.close();
  BOOST_TEST(bench.to<DeltaChunk>("a")->reset);
  request.cursor = {Epoch(123), Revision(1)};
  bench.receive("a", request);
  bench.close();
  BOOST_TEST(bench.to<DeltaChunk>("a")->reset);
  request.cursor = {a.epoch, Revision(0)};
  bench.receive("a", request);
  bench.close();
  BOOST_TEST(!bench.to<DeltaChunk>("a")->reset);
  BOOST_TEST(bench.to<DeltaChunk>("a")->complete);
  BOOST_TEST(bench.to<DeltaChunk>("a")->applied.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_new_epoch_keeps_the_old_one_in_the_lineage) {
  CoordinatorState state;
  state.store.epoch = Epoch(5);
  SwarmRow row;
  row.swarm = SwarmId("s");
  row.head = Revision(12);
  state.swarms = {row};
  CoordinatorOptions options = CoreBench::defaults();
  options.new_epoch = true;
  CoreBench bench(options, state);
  BOOST_TEST((bench.core.epoch() != Epoch(5)));
  const Welcome welcome = bench.join("a");
  BOOST_REQUIRE_EQUAL(welcome.lineage.size(), 1u);
  BOOST_TEST(welcome.lineage[0].last.value() == 12u);
}

BOOST_AUTO_TEST_CASE(a_round_asks_the_roster_takes_the_greatest_offer_and_names_the_missing) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  const Welcome b = bench.join("b");
  SyncRequest request;
  request.session = a.session;
  request.request = RequestId(4);
  request.keys = {Key("x")};
  request.timeout_millis = 1'000;
  bench.receive("a", request);
  bench.close();
  const auto asked = bench.broadcasts<StateRequest>();
  BOOST_REQUIRE_EQUAL(asked.size(), 1u);
  StateResponse response{a.session, asked[0]->round, AnswerKind::kSame, {}};
  response.answers = {{Key("x"), AnswerKind::kOffer,
                       Offer{{ContentType::kText, "mine"}, {}, Hlc::of(1'000'000, 1)}}};
  bench.receive("a", response);
  bench.close();
  BOOST_TEST((bench.to<SyncReport>("a") == nullptr));  // b may have a greater one
  bench.wait(300);
  BOOST_TEST((bench.to<StateRequest>("b") != nullptr));  // reminded by ROUTER
  bench.wait(800);
  const auto* report = bench.to<SyncReport>("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST((report->outcome == RoundOutcome::kPartial));
  BOOST_REQUIRE_EQUAL(report->missing.size(), 1u);
  BOOST_TEST(report->missing[0].value() == "b");
  BOOST_TEST(report->keys[0].winner.value() == "a");
  BOOST_TEST(bench.broadcasts<StateUpdate>().size() == 1u);
  BOOST_TEST((bench.broadcasts<StateUpdate>()[0]->round == report->round));
  BOOST_TEST(bench.to<OfferResult>("a")->outcomes[0].took);
  BOOST_TEST(bench.rows<ReceiptRow>().size() == 1u);
  (void)b;
}

BOOST_AUTO_TEST_CASE(a_round_that_changes_nothing_commits_nothing) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  SyncRequest request;
  request.session = a.session;
  request.request = RequestId(4);
  request.keys = {Key("x")};
  bench.receive("a", request);
  bench.close();
  const RoundId round = bench.broadcasts<StateRequest>()[0]->round;
  bench.receive("a", StateResponse{a.session, round, AnswerKind::kSame, {}});
  bench.close();
  BOOST_REQUIRE(bench.to<SyncReport>("a") != nullptr);
  BOOST_TEST((bench.to<SyncReport>("a")->outcome == RoundOutcome::kUnchanged));
  BOOST_TEST(bench.last.persist.rows.empty());
}

BOOST_AUTO_TEST_CASE(an_empty_roster_is_reported_at_once) {
  CoreBench bench;
  Hello hello = CoreBench::hello("~client-1", 1, Role::kClient);
  bench.receive("c", hello);
  bench.close();
  const Welcome welcome = *bench.to<Welcome>("c");
  SyncRequest request;
  request.session = welcome.session;
  request.request = RequestId(1);
  request.keys = {Key("x")};
  bench.receive("c", request);
  bench.close();
  BOOST_REQUIRE(bench.to<SyncReport>("c") != nullptr);
  BOOST_TEST((bench.to<SyncReport>("c")->outcome == RoundOutcome::kNoAgents));
}

BOOST_AUTO_TEST_CASE(a_stale_heartbeat_never_retires_a_writer) {  // Safety W2
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  AgentHeartbeat beat;
  beat.session = a.session;
  beat.number = 2;
  beat.incarnations = {Incarnation(77)};
  bench.receive("a", beat);
  bench.close();
  beat.number = 1;
  beat.incarnations = {};
  bench.receive("a", beat);
  bench.close();
  const auto again = bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  BOOST_TEST(bench.core.swarm(SwarmId("s"))->head().value() == 1u);
  BOOST_TEST((again[0].outcome.code == Code::kCommitted));
}

// One message of all five would be above what a frame carries, and would never arrive.
BOOST_AUTO_TEST_CASE(conflicts_that_carry_large_records_come_in_several_results) {
  CoreBench bench;
  const Welcome writer = bench.join("w");
  Mutation large = CoreBench::put(1, "k", std::string(limits::kValueBytes, 'x'), writer);
  BOOST_TEST((bench.submit("w", writer, {large})[0].outcome.code == Code::kCommitted));
  const Welcome welcome = bench.join("a");
  Submit submit{welcome.session, welcome.epoch, {}, {}};
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    Mutation mutation = CoreBench::put(seq, "k", "mine", welcome);
    mutation.entries[0].expect = ExpectVersion{Revision(99)};
    submit.mutations.push_back(mutation);
  }
  bench.receive("a", submit);
  bench.close();
  std::vector<std::uint64_t> seqs;
  for (const Send& send : bench.last.send) {
    const auto* to = std::get_if<SendTo>(&send);
    const auto* result = to ? std::get_if<SubmitResult>(to->message.get()) : nullptr;
    if (result == nullptr) continue;
    std::size_t bytes = 0;
    for (const MutationResult& one : result->results) {
      bytes += wire_size(one.outcome);
      seqs.push_back(one.seq.value());
      BOOST_TEST((one.outcome.code == Code::kConflict && one.outcome.committed != nullptr));
    }
    BOOST_TEST(bytes < limits::kFrameBytes);
  }
  BOOST_TEST((seqs == std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(an_agent_of_another_swarm_with_the_same_id_has_no_say_in_a_round) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  Hello foreign = CoreBench::hello("a");
  foreign.swarm = SwarmId("other");
  bench.receive("stranger", foreign);
  bench.close();
  bench.close();
  BOOST_REQUIRE(bench.to<Welcome>("stranger") != nullptr);
  const Welcome other = *bench.to<Welcome>("stranger");
  SyncRequest sync;
  sync.session = a.session;
  sync.request = RequestId(5);
  sync.keys = {Key("k")};
  bench.receive("a", sync);
  bench.close();
  const RoundId round = bench.broadcasts<StateRequest>()[0]->round;
  StateResponse answer;
  answer.session = other.session;
  answer.round = round;
  answer.rest = AnswerKind::kAbsent;
  answer.answers = {{Key("k"), AnswerKind::kOffer, {Register{ContentType::kText, "x"}, {}, {}}}};
  bench.receive("stranger", answer);
  bench.close();
  BOOST_TEST((bench.to<SyncReport>("a") == nullptr));
  BOOST_TEST(bench.core.counters().at("ignored_round_answers") == 1u);
}

BOOST_AUTO_TEST_CASE(an_offer_for_all_other_keys_is_none) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  SyncRequest sync;
  sync.session = a.session;
  sync.request = RequestId(5);
  sync.keys = {Key("k")};
  bench.receive("a", sync);
  bench.close();
  StateResponse answer;
  answer.session = a.session;
  answer.round = bench.broadcasts<StateRequest>()[0]->round;
  answer.rest = AnswerKind::kOffer;
  bench.receive("a", answer);
  bench.close();
  BOOST_REQUIRE(bench.to<SyncReport>("a") != nullptr);
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("k")) == nullptr));
  BOOST_TEST(bench.core.counters().at("offers_refused") == 1u);
}

BOOST_AUTO_TEST_CASE(a_cursor_beyond_the_head_of_the_same_epoch_raises_an_alarm_once) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  Hello hello = CoreBench::hello("b");
  hello.cursor = {a.epoch, Revision(9)};
  bench.receive("b", hello);
  bench.close();
  BOOST_REQUIRE_EQUAL(bench.last.deliver.size(), 1u);
  BOOST_TEST(std::get<Alarm>(bench.last.deliver[0]).text.find("holds revision 9") !=
             std::string::npos);
  hello.agent = AgentId("c");
  bench.receive("c", hello);
  bench.close();
  BOOST_TEST(bench.last.deliver.empty());
  BOOST_TEST(bench.core.counters().at("cursors_beyond_head") == 2u);
}

BOOST_AUTO_TEST_CASE(offers_of_an_undecided_round_stay_for_the_next) {
  CoordinatorOptions options = CoreBench::defaults();
  Policy policy;
  policy.prefix = "q/";
  policy.strategy = Strategy::kQuorum;
  BOOST_REQUIRE(options.policies.add(std::move(policy)));
  CoreBench bench(std::move(options));
  const Welcome a = bench.join("a");
  (void)bench.join("b");
  SyncRequest sync;
  sync.session = a.session;
  sync.request = RequestId(5);
  sync.keys = {Key("q/x")};
  sync.timeout_millis = 1'000;
  bench.receive("a", sync);
  bench.close();
  StateResponse answer;
  answer.session = a.session;
  answer.round = bench.broadcasts<StateRequest>()[0]->round;
  answer.rest = AnswerKind::kAbsent;
  answer.answers = {{Key("q/x"), AnswerKind::kOffer, {Register{ContentType::kText, "v"}, {}, {}}}};
  bench.receive("a", answer);
  bench.close();
  bench.wait(1'500);
  BOOST_REQUIRE(bench.to<SyncReport>("a") != nullptr);
  BOOST_TEST((bench.to<SyncReport>("a")->outcome == RoundOutcome::kPartial));
  BOOST_TEST((bench.to<OfferResult>("a") == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
