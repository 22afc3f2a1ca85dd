// What the agent's core does at its bounds, and when its coordinator refuses or forgets.

#include <algorithm>
#include <optional>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "bench_of_bounds.h"

namespace waggle {
namespace {

using Bench = BoundsBench;

MutationResult result_of(const Mutation& mutation, Code code, std::uint64_t revision) {
  MutationResult result{mutation.incarnation, mutation.seq, {}};
  result.outcome.code = code;
  result.outcome.revision = Revision(revision);
  result.outcome.changed = code == Code::kCommitted;
  return result;
}

BOOST_AUTO_TEST_SUITE(agent_bounds)

// ---- the outbox --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_full_outbox_is_overloaded_and_loses_nothing) {
  Bench bench;  // offline: nothing is answered
  for (std::uint64_t n = 1; n <= limits::kOutboxEntries; ++n) {
    bench.write(n, IncrOp{1});
    BOOST_REQUIRE(bench.told<WriteQueued>() != nullptr);
  }
  bench.write(0, IncrOp{1});
  BOOST_REQUIRE(bench.told<CommandFailed>() != nullptr);
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kOverloaded));
  BOOST_TEST((bench.told<WriteQueued>() == nullptr));
  BOOST_TEST(bench.last.persist.rows.empty());
  BOOST_TEST(bench.core.outbox().unanswered() == limits::kOutboxEntries);
  BOOST_TEST(std::get<Counter>(*bench.core.view(Key("x"))->value).total ==
             static_cast<std::int64_t>(limits::kOutboxEntries));

  // What it holds goes out from the first one on, and each answer makes room.
  bench.attach();
  const auto submits = bench.ups<Submit>();
  BOOST_REQUIRE(!submits.empty());
  const Mutation first = submits.front()->mutations.front();
  BOOST_TEST(first.seq.value() == 1u);
  std::uint64_t sent = 0;
  for (const Submit* submit : submits)
    for (const Mutation& mutation : submit->mutations)
      BOOST_REQUIRE(mutation.seq.value() == ++sent);
  BOOST_TEST(sent <= limits::kWindow);
  bench.receive(SubmitResult{SessionId(1), Bench::kEpoch, {result_of(first, Code::kCommitted, 1)}});
  bench.write(0, IncrOp{1});
  BOOST_REQUIRE(bench.told<WriteQueued>() != nullptr);
  BOOST_TEST(bench.told<WriteQueued>()->seq.value() == limits::kOutboxEntries + 1);
}

BOOST_AUTO_TEST_CASE(an_outbox_full_of_bytes_is_overloaded_and_loses_nothing) {
  Bench bench;
  const std::string large(limits::kValueBytes, 'x');
  std::uint64_t written = 0;
  while (bench.core.outbox().bytes() < limits::kOutboxBytes) {
    bench.write(++written, PutOp{ContentType::kBytes, large});
    BOOST_REQUIRE(bench.told<WriteQueued>() != nullptr);
    BOOST_REQUIRE(written <= limits::kOutboxBytes / limits::kValueBytes);
  }
  bench.write(0, PutOp{ContentType::kText, "small"});
  BOOST_REQUIRE(bench.told<CommandFailed>() != nullptr);
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kOverloaded));
  BOOST_TEST(bench.core.outbox().unanswered() == written);
  BOOST_TEST(bench.view("x").size() == large.size());

  bench.attach();
  BOOST_REQUIRE(!bench.ups<Submit>().empty());
  const Mutation first = bench.ups<Submit>().front()->mutations.front();
  BOOST_TEST(first.seq.value() == 1u);
  bench.receive(SubmitResult{SessionId(1), Bench::kEpoch, {result_of(first, Code::kCommitted, 1)}});
  bench.write(0, PutOp{ContentType::kText, "small"});
  BOOST_TEST((bench.told<WriteQueued>() != nullptr));
}

BOOST_AUTO_TEST_CASE(at_most_half_a_window_is_on_its_way) {
  Bench bench;
  bench.attach();
  std::uint64_t sent = 0;
  std::vector<Mutation> first;
  for (std::uint64_t n = 1; n <= limits::kWindow; ++n) {
    bench.write(n, IncrOp{1});
    for (const Submit* submit : bench.ups<Submit>()) {
      sent += submit->mutations.size();
      if (first.empty()) first = submit->mutations;
    }
  }
  BOOST_TEST(sent == limits::kWindow / 2);
  // Each answer lets one more go.
  bench.receive(
      SubmitResult{SessionId(1), Bench::kEpoch, {result_of(first[0], Code::kCommitted, 1)}});
  BOOST_REQUIRE_EQUAL(bench.ups<Submit>().size(), 1u);
  BOOST_REQUIRE_EQUAL(bench.up<Submit>()->mutations.size(), 1u);
  BOOST_TEST(bench.up<Submit>()->mutations[0].seq.value() == limits::kWindow / 2 + 1);
}

// ---- a writer that the coordinator forgot ------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_forgotten_writers_sent_writes_are_unknown_and_the_rest_is_renumbered) {
  Bench bench;
  bench.attach();
  constexpr std::uint64_t kSent = limits::kWindow / 2;
  std::optional<Mutation> first;
  for (std::uint64_t n = 1; n <= kSent + 3; ++n) {
    bench.write(n, PutOp{ContentType::kText, std::to_string(n)}, n % 2 == 0 ? "even" : "odd");
    if (!first) first = bench.up<Submit>()->mutations[0];
  }
  MutationResult forgotten = result_of(*first, Code::kStale, 0);
  forgotten.outcome.reason = Reason::kWriterForgotten;
  bench.receive(SubmitResult{SessionId(1), Bench::kEpoch, {forgotten}});

  // What may have reached the coordinator is told, in order, once each.
  const auto settled = bench.all_told<WriteSettled>();
  BOOST_REQUIRE_EQUAL(settled.size(), kSent);
  for (std::uint64_t n = 1; n <= kSent; ++n) {
    BOOST_TEST((settled[n - 1]->outcome.code == Code::kUnknown));
    BOOST_TEST((settled[n - 1]->outcome.reason == Reason::kWriterForgotten));
    BOOST_TEST(settled[n - 1]->request.value() == n);
  }
  // The rest was never sent, so it can be written anew without being counted twice.
  BOOST_REQUIRE_EQUAL(bench.ups<Submit>().size(), 1u);
  const std::vector<Mutation> anew = bench.up<Submit>()->mutations;
  BOOST_REQUIRE_EQUAL(anew.size(), 3u);
  for (std::uint64_t n = 0; n < 3; ++n) {
    BOOST_TEST((anew[n].incarnation != first->incarnation));
    BOOST_TEST(anew[n].seq.value() == n + 1);
    BOOST_TEST(std::get<PutOp>(anew[n].entries[0].op).bytes == std::to_string(kSent + n + 1));
  }
  BOOST_TEST(bench.last.persist.sync);
  BOOST_TEST(bench.core.outbox().unanswered() == 3u);
  BOOST_TEST(bench.view("odd") == std::to_string(kSent + 3));

  // A second answer of the same kind, and one to a number of before, have nothing left to change.
  bench.receive(SubmitResult{SessionId(1), Bench::kEpoch, {forgotten}});
  BOOST_TEST(bench.all_told<WriteSettled>().empty());
  BOOST_TEST(bench.core.outbox().unanswered() == 3u);
  std::vector<MutationResult> results;
  for (const Mutation& mutation : anew) results.push_back(result_of(mutation, Code::kCommitted, 1));
  bench.receive(SubmitResult{SessionId(1), Bench::kEpoch, results});
  BOOST_REQUIRE_EQUAL(bench.all_told<WriteSettled>().size(), 3u);
  BOOST_TEST(bench.all_told<WriteSettled>()[0]->request.value() == kSent + 1);
  BOOST_TEST(bench.core.outbox().unanswered() == 0u);
}

BOOST_AUTO_TEST_CASE(restored_writes_may_have_been_sent_so_a_forgotten_writer_makes_them_unknown) {
  AgentState state;
  state.identity = {SwarmId("s"), AgentId("a"), Token{1}};
  state.cursor = {Bench::kEpoch, Revision(4)};
  for (std::uint64_t seq = 3; seq <= 4; ++seq) {
    Mutation mutation;
    mutation.incarnation = Incarnation(50);
    mutation.seq = Seq(seq);
    mutation.context = {Bench::kEpoch, Revision(4), {}};
    mutation.entries = {Entry{Key("x"), {}, IncrOp{1}, {}}};
    state.outbox.push_back({Incarnation(50), Seq(seq), 1, mutation});
  }
  Bench bench(state);
  bench.write(9, IncrOp{1});  // of this process
  bench.attach(4);
  BOOST_REQUIRE(bench.core.outbox().unanswered() == 3u);
  MutationResult forgotten{Incarnation(50), Seq(3), {}};
  forgotten.outcome.code = Code::kStale;
  forgotten.outcome.reason = Reason::kWriterForgotten;
  bench.receive(SubmitResult{SessionId(1), Bench::kEpoch, {forgotten}});
  BOOST_REQUIRE_EQUAL(bench.all_told<WriteSettled>().size(), 2u);
  for (const WriteSettled* settled : bench.all_told<WriteSettled>()) {
    BOOST_TEST((settled->incarnation == Incarnation(50)));
    BOOST_TEST((settled->outcome.code == Code::kUnknown));
  }
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_REQUIRE_EQUAL(bench.up<Submit>()->mutations.size(), 1u);
  BOOST_TEST(bench.up<Submit>()->mutations[0].seq.value() == 1u);
}

// ---- offers ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(offers_are_bounded_and_a_withdrawn_one_makes_room) {
  Bench bench;
  bench.attach();
  for (std::size_t n = 0; n < limits::kOffersPerAgent; ++n) {
    bench.offer(1, "k" + std::to_string(n), "v");
    BOOST_REQUIRE(bench.told<WriteQueued>() != nullptr);
  }
  bench.offer(7, "one more", "v");
  BOOST_REQUIRE(bench.told<CommandFailed>() != nullptr);
  BOOST_TEST((bench.told<CommandFailed>()->request == RequestId(7)));
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kOverloaded));
  bench.offer(8, "k0", "another value");  // in the place of one
  BOOST_TEST((bench.told<WriteQueued>() != nullptr));
  bench.offer(9, "k1", std::nullopt);
  BOOST_TEST((bench.told<WriteQueued>() != nullptr));
  bench.offer(10, "one more", "v");
  BOOST_TEST((bench.told<WriteQueued>() != nullptr));

  StateRequest request;
  request.swarm = SwarmId("s");
  request.start = Bench::kStart;
  request.round = RoundId(4);
  request.epoch = Bench::kEpoch;
  request.all = true;
  bench.hear(request);
  BOOST_REQUIRE(bench.up<StateResponse>() != nullptr);
  const std::vector<Answer>& answers = bench.up<StateResponse>()->answers;
  BOOST_TEST(answers.size() == limits::kOffersPerAgent);
  const auto offered = [&](const char* key) {
    return std::find_if(answers.begin(), answers.end(),
                        [&](const Answer& answer) { return answer.key.value() == key; });
  };
  BOOST_TEST((offered("k1") == answers.end()));
  BOOST_TEST((offered("one more") != answers.end()));
  BOOST_REQUIRE((offered("k0") != answers.end()));
  BOOST_TEST(offered("k0")->offer.value.bytes == "another value");
}

BOOST_AUTO_TEST_CASE(an_offer_replaced_during_a_round_is_not_settled_by_it) {
  Bench bench;
  bench.attach();
  bench.offer(1, "x", "first");
  StateRequest request;
  request.swarm = SwarmId("s");
  request.start = Bench::kStart;
  request.round = RoundId(4);
  request.epoch = Bench::kEpoch;
  request.keys = {{Key("x"), {}, {}}};
  bench.hear(request);
  const Hlc sent = bench.up<StateResponse>()->answers.at(0).offer.hlc;
  bench.offer(2, "x", "second");
  bench.receive(OfferResult{SessionId(1), RoundId(4), {{Key("x"), sent, true, Revision(1)}}});
  BOOST_TEST((bench.told<OfferSettled>() == nullptr));
  bench.hear(request);
  BOOST_REQUIRE_EQUAL(bench.up<StateResponse>()->answers.size(), 1u);
  BOOST_TEST(bench.up<StateResponse>()->answers[0].offer.value.bytes == "second");
}

// ---- following ---------------------------------------------------------------------------------

// docs/protocol.md, Safety C2: in whole commits and only forward, whatever had to be dropped.
BOOST_AUTO_TEST_CASE(held_updates_are_dropped_oldest_first_and_pulled_again) {
  Bench bench;
  bench.attach();
  const std::string large(limits::kValueBytes, 'x');
  constexpr std::uint64_t kFits = limits::kHeldUpdateBytes / limits::kValueBytes;  // one less does
  // Revision 1 was lost, so all later ones are held.
  for (std::uint64_t to = 2; to <= 2 * kFits; ++to)
    bench.hear(Bench::update(to - 1, to, {Bench::change("k" + std::to_string(to), to, large)}));
  const std::uint64_t dropped = bench.counter("held_updates_dropped");
  BOOST_TEST(dropped >= 2 * kFits - 1 - kFits);
  BOOST_TEST(dropped < 2 * kFits - 1);
  BOOST_TEST(bench.cursor() == 0u);

  // The pull brings the state up to 3 only: what follows was dropped.
  bench.wait(150);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 0u);
  DeltaChunk chunk = bench.chunk(0, 3, true);
  chunk.changes = {Bench::change("k1", 1, "1"), Bench::change("k2", 2, large),
                   Bench::change("k3", 3, large)};
  bench.receive(chunk);
  BOOST_TEST(bench.cursor() == 3u);
  BOOST_TEST(!bench.core.caught_up());
  bench.wait(150);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 3u);
  // Now up to the last one dropped; the newest ones were kept and follow at once.
  const std::uint64_t kept_from = 2 + dropped;
  chunk = bench.chunk(3, kept_from - 1, true);
  for (std::uint64_t to = 4; to < kept_from; ++to)
    chunk.changes.push_back(Bench::change("k" + std::to_string(to), to, large));
  bench.receive(chunk);
  BOOST_TEST(bench.cursor() == 2 * kFits);
  BOOST_TEST(bench.core.caught_up());
  BOOST_TEST(bench.core.replica().keys() == 2 * kFits);
  bench.core.check_invariants();
}

BOOST_AUTO_TEST_CASE(a_chunk_of_an_earlier_request_is_ignored) {
  Bench bench;
  bench.feed(Tick{});
  bench.receive(bench.welcome_to(1, 9));
  bench.receive(Attached{SessionId(1), Revision(9), {}});
  DeltaChunk late = bench.chunk(0, 9, true);
  late.changes = {Bench::change("x", 9, "of the first request")};
  bench.wait(1'600);  // asked again
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  DeltaChunk right = bench.chunk(0, 9, true);
  right.changes = {Bench::change("x", 9, "of the second")};
  BOOST_TEST((late.request != right.request));
  bench.receive(late);
  BOOST_TEST(bench.counter("ignored_old_chunk") == 1u);
  BOOST_TEST((bench.told<StateChanged>() == nullptr));
  BOOST_TEST(bench.view("x") == "(absent)");
  bench.receive(right);
  BOOST_TEST(bench.view("x") == "of the second");
  BOOST_TEST(bench.cursor() == 9u);
  bench.receive(right);  // repeated by the network
  BOOST_TEST(bench.counter("ignored_old_chunk") == 2u);
}

BOOST_AUTO_TEST_CASE(a_chunk_that_does_not_go_on_from_the_last_one_is_ignored) {
  Bench bench;
  bench.feed(Tick{});
  bench.receive(bench.welcome_to(1, 9));
  bench.receive(Attached{SessionId(1), Revision(9), {}});
  DeltaChunk odd = bench.chunk(3, 9, true);
  odd.changes = {Bench::change("x", 9, "1")};
  bench.receive(odd);
  BOOST_TEST(bench.counter("ignored_odd_chunk") == 1u);
  BOOST_TEST(bench.cursor() == 0u);
  BOOST_TEST(!bench.core.caught_up());
}

// Safety C3.
BOOST_AUTO_TEST_CASE(a_digest_mismatch_is_told_and_a_snapshot_repairs_the_state) {
  Bench bench;
  const Change sound = Bench::change("x", 1, "sound");
  bench.attach(3, {sound, Bench::change("y", 2, "damaged"), Bench::change("extra", 3, "damaged")});
  BOOST_TEST(bench.cursor() == 3u);
  const Change repaired = Bench::change("y", 2, "repaired");
  Hash128 digest = digest_part(sound.key, *sound.record);
  digest += digest_part(repaired.key, *repaired.record);

  bench.hear(Bench::heartbeat(2, digest));  // of another revision: says nothing about this one
  BOOST_TEST((bench.told<DigestMismatch>() == nullptr));
  bench.hear(Bench::heartbeat(3, digest));
  BOOST_REQUIRE(bench.told<DigestMismatch>() != nullptr);
  BOOST_TEST(bench.told<DigestMismatch>()->revision.value() == 3u);
  BOOST_TEST(bench.counter("digest_mismatches") == 1u);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 0u);
  BOOST_TEST(bench.up<DeltaRequest>()->base.value() == 3u);

  DeltaChunk chunk = bench.chunk(0, 3, true);
  chunk.changes = {sound, repaired};
  bench.hear(Bench::heartbeat(3, digest));  // told once, not at each beat while it pulls
  BOOST_TEST((bench.told<DigestMismatch>() == nullptr));
  bench.receive(chunk);
  BOOST_REQUIRE(bench.told<StateChanged>() != nullptr);
  const StateChanged& change = *bench.told<StateChanged>();
  BOOST_TEST((change.source == ChangeSource::kSnapshot));
  BOOST_REQUIRE_EQUAL(change.changes.size(), 2u);  // what differs, and what is gone
  for (const Change& one : change.changes) BOOST_TEST((one.key != sound.key));
  BOOST_TEST((bench.core.replica().digest() == digest));
  BOOST_TEST(bench.view("y") == "repaired");
  BOOST_TEST(bench.view("extra") == "(absent)");
  bench.hear(Bench::heartbeat(3, digest));
  BOOST_TEST(bench.counter("digest_mismatches") == 1u);
  BOOST_TEST(bench.counter("digests_equal") == 1u);
}

// ---- the coordinator refuses, or half of the link is dead --------------------------------------

BOOST_AUTO_TEST_CASE(a_refusal_with_a_retry_time_is_obeyed) {
  Bench bench;
  bench.feed(Tick{});
  BOOST_REQUIRE(bench.up<Hello>() != nullptr);
  bench.receive(Refused{Code::kUnavailable, 60'000, "id_in_use: try later"});
  BOOST_REQUIRE(bench.told<LinkChanged>() != nullptr);
  BOOST_TEST((bench.told<LinkChanged>()->link == Link::kLost));
  BOOST_TEST(bench.told<LinkChanged>()->text == "id_in_use: try later");
  // Jitter is half of the time in either direction.
  for (int n = 0; n < 29; ++n) {
    bench.wait(1'000);
    BOOST_TEST((bench.up<Hello>() == nullptr));
  }
  bool asked = false;
  for (int n = 0; n < 62 && !asked; ++n) {
    bench.wait(1'000);
    asked = bench.up<Hello>() != nullptr;
  }
  BOOST_TEST(asked);
  bench.receive(bench.welcome_to(1, 0));
  BOOST_TEST(bench.sent<JoinChannel>());
}

BOOST_AUTO_TEST_CASE(a_refusal_without_a_retry_time_is_for_good) {
  Bench bench;
  bench.feed(Tick{});
  bench.receive(Refused{Code::kUnsupported, 0, "another protocol"});
  BOOST_TEST((bench.core.link() == Link::kEnded));
  BOOST_TEST(bench.told<LinkChanged>()->text == "another protocol");
  for (int n = 0; n < 60; ++n) {
    bench.wait(1'000);
    BOOST_TEST(bench.last.send.empty());
  }
  BOOST_TEST((bench.last.wake_at == Instant::never()));
}

BOOST_AUTO_TEST_CASE(a_refusal_that_comes_late_ends_no_attachment) {
  Bench bench;
  bench.attach();
  bench.receive(Refused{Code::kUnsupported, 0, "of an earlier hello"});
  BOOST_TEST((bench.core.link() == Link::kAttached));
  BOOST_TEST(bench.counter("ignored_refusal") == 1u);
}

BOOST_AUTO_TEST_CASE(two_acks_with_the_broadcast_leg_behind_make_the_agent_join_anew) {
  Bench bench;
  bench.attach();
  const auto ack = [&](std::uint64_t number, std::uint64_t broadcast) {
    bench.receive(HeartbeatAck{SessionId(1), number, {}, BroadcastNo(broadcast)});
  };
  ack(1, 10);  // on their way perhaps
  ack(2, 20);  // once behind
  BOOST_TEST((bench.up<Hello>() == nullptr));
  // They were only slow.
  bench.hear(Heartbeat{SwarmId("s"), Bench::kStart, BroadcastNo(20), Bench::kEpoch, {}, {}});
  ack(3, 30);
  ack(4, 40);
  BOOST_TEST((bench.up<Hello>() == nullptr));
  BOOST_TEST((bench.core.link() == Link::kAttached));
  ack(5, 50);
  BOOST_TEST(bench.counter("broadcast_legs_lost") == 1u);
  BOOST_TEST((bench.core.link() == Link::kLost));
  BOOST_TEST(bench.sent<LeaveChannel>());
  BOOST_REQUIRE(bench.up<Hello>() != nullptr);
  BOOST_TEST((bench.up<Hello>()->cursor == Cursor{Bench::kEpoch, Revision(0)}));
  // A new session on a new channel, and what was missed comes by delta.
  bench.receive(bench.welcome_to(2, 5));
  BOOST_TEST(bench.sent<JoinChannel>());
  bench.receive(Attached{SessionId(2), Revision(5), BroadcastNo(50)});
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST((bench.up<DeltaRequest>()->session == SessionId(2)));
  DeltaChunk chunk = bench.chunk(0, 5, true, 2);
  chunk.changes = {Bench::change("x", 5, "missed")};
  bench.receive(chunk);
  BOOST_TEST(bench.view("x") == "missed");
  // The new leg begins without the debts of the old one.
  bench.receive(HeartbeatAck{SessionId(2), 1, Revision(5), BroadcastNo(50)});
  bench.receive(HeartbeatAck{SessionId(2), 2, Revision(5), BroadcastNo(50)});
  BOOST_TEST(bench.counter("broadcast_legs_lost") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
