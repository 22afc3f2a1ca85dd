// What the coordinator's core does at its bounds, and with what it refuses.

#include <algorithm>
#include <limits>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "bench_of_core.h"

namespace waggle {
namespace {

constexpr std::int64_t kMinute = 60'000;

const SwarmState& state_of(const CoreBench& bench) {
  return *bench.core.swarm(SwarmId("s"));
}

std::uint64_t counter(const CoreBench& bench, const char* name) {
  const auto found = bench.core.counters().find(name);
  return found == bench.core.counters().end() ? 0 : found->second;
}

template <typename T>
std::size_t sent_to(const CoreBench& bench, const std::string& peer) {
  std::size_t count = 0;
  for (const Send& send : bench.last.send)
    if (const auto* one = std::get_if<SendTo>(&send); one && one->peer.value() == peer)
      count += std::holds_alternative<T>(*one->message) ? 1 : 0;
  return count;
}

Mutation only(std::uint64_t seq, const char* key, Op op, const Welcome& welcome,
              std::uint64_t seen) {
  Mutation mutation = CoreBench::put(seq, key, "", welcome, seen);
  mutation.entries[0].op = std::move(op);
  return mutation;
}

Outcome decided(CoreBench& bench, const std::string& peer, const Welcome& welcome,
                Mutation mutation, std::uint64_t confirmed = 0) {
  const auto results = bench.submit(peer, welcome, {std::move(mutation)}, confirmed);
  BOOST_REQUIRE_EQUAL(results.size(), 1u);
  return results[0].outcome;
}

DeltaChunk delta(CoreBench& bench, const std::string& peer, const Welcome& welcome,
                 std::uint64_t since, std::uint64_t base = 0) {
  DeltaRequest request;
  request.session = welcome.session;
  request.request = RequestId(1);
  request.cursor = {since == 0 ? Epoch{} : welcome.epoch, Revision(since)};
  request.base = Revision(base);
  bench.receive(peer, request);
  bench.close();
  BOOST_REQUIRE(bench.to<DeltaChunk>(peer) != nullptr);
  return *bench.to<DeltaChunk>(peer);
}

Welcome join_client(CoreBench& bench, const std::string& id) {
  bench.receive(id, CoreBench::hello(id, 1, Role::kClient));
  bench.close();
  BOOST_REQUIRE(bench.to<Welcome>(id) != nullptr);
  return *bench.to<Welcome>(id);
}

BOOST_AUTO_TEST_SUITE(coordinator_bounds)

// ---- room --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_full_state_refuses_what_grows_and_lets_deletes_pass) {
  CoordinatorOptions options = CoreBench::defaults();
  options.state_bytes_max = 1'000;
  CoreBench bench(options);
  const Welcome a = bench.join("a");
  const std::string large(600, 'x');
  BOOST_TEST((decided(bench, "a", a, CoreBench::put(1, "x", large, a)).code == Code::kCommitted));
  BOOST_TEST(
      (decided(bench, "a", a, CoreBench::put(2, "y", large, a, 1)).code == Code::kCommitted));
  for (const Op& op : {Op{PutOp{ContentType::kText, "1"}}, Op{IncrOp{1}}, Op{SetAddOp{{"e"}}}}) {
    const Outcome full = decided(bench, "a", a, only(3, "z", op, a, 2));
    BOOST_TEST((full.code == Code::kOverloaded));
    BOOST_TEST((full.reason == Reason::kStateFull));
    BOOST_TEST(full.text.find("1000") != std::string::npos);
  }
  BOOST_TEST(state_of(bench).head().value() == 2u);
  // Nothing was consumed: the same number makes room.
  BOOST_TEST((decided(bench, "a", a, only(3, "x", DeleteOp{}, a, 2)).code == Code::kCommitted));
  BOOST_TEST((decided(bench, "a", a, CoreBench::put(4, "z", "1", a, 3)).code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(a_full_state_can_be_cleared) {
  CoordinatorOptions options = CoreBench::defaults();
  options.state_bytes_max = 10;
  CoreBench bench(options);
  const Welcome a = bench.join("a");
  decided(bench, "a", a, CoreBench::put(1, "x", "value", a));
  BOOST_TEST(
      (decided(bench, "a", a, CoreBench::put(2, "y", "value", a, 1)).reason == Reason::kStateFull));
  BOOST_TEST((decided(bench, "a", a, only(2, "", ClearOp{}, a, 1)).code == Code::kCommitted));
  BOOST_TEST(state_of(bench).bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(swarms_are_bounded_for_members_and_for_writing_clients) {
  CoreBench bench;
  for (std::size_t n = 0; n < limits::kSwarms; ++n) {
    Hello hello = CoreBench::hello("a");
    hello.swarm = SwarmId("s" + std::to_string(n));
    bench.receive("p" + std::to_string(n), hello);
  }
  bench.close();
  BOOST_TEST(bench.core.swarms().size() == limits::kSwarms);
  Hello another = CoreBench::hello("a");
  another.swarm = SwarmId("another");
  bench.receive("p", another);
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>("p") != nullptr);
  BOOST_TEST((bench.to<Refused>("p")->code == Code::kOverloaded));
  BOOST_TEST(bench.to<Refused>("p")->retry_millis > 0);
  BOOST_TEST(bench.to<Refused>("p")->text.find("another") != std::string::npos);
  BOOST_TEST(counter(bench, "hellos_refused") == 1u);

  // A client may ask about it, and can't begin it by a write.
  Hello client = CoreBench::hello("~client-1", 1, Role::kClient);
  client.swarm = another.swarm;
  bench.receive("c", client);
  bench.close();
  BOOST_REQUIRE(bench.to<Welcome>("c") != nullptr);
  const Welcome welcome = *bench.to<Welcome>("c");
  BOOST_TEST(bench.submit("c", welcome, {CoreBench::put(1, "x", "1", welcome)}).empty());
  BOOST_REQUIRE(bench.to<ErrorReply>("c") != nullptr);
  BOOST_TEST((bench.to<ErrorReply>("c")->code == Code::kOverloaded));
  BOOST_TEST(bench.core.swarms().size() == limits::kSwarms);

  // The swarms that are there take new members.
  Hello known = CoreBench::hello("b");
  known.swarm = SwarmId("s0");
  bench.receive("q", known);
  bench.close();
  BOOST_TEST((bench.to<Welcome>("q") != nullptr));
}

BOOST_AUTO_TEST_CASE(sessions_are_bounded) {
  CoreBench bench;
  const auto client = [](std::size_t n) {
    return CoreBench::hello("~client-" + std::to_string(n), 1, Role::kClient);
  };
  const auto peer = [](std::size_t n) { return "p" + std::to_string(n); };
  for (std::size_t n = 0; n < limits::kSessions; ++n) bench.receive(peer(n), client(n));
  bench.close();
  BOOST_TEST(counter(bench, "hellos_refused") == 0u);
  BOOST_REQUIRE(bench.to<Welcome>(peer(7)) != nullptr);
  const Welcome seventh = *bench.to<Welcome>(peer(7));

  const std::size_t beyond = limits::kSessions;
  bench.receive(peer(beyond), client(beyond));
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>(peer(beyond)) != nullptr);
  BOOST_TEST((bench.to<Refused>(peer(beyond))->code == Code::kOverloaded));
  BOOST_TEST(bench.to<Refused>(peer(beyond))->retry_millis > 0);

  // A connection that is in may say hello again, and one that leaves makes room.
  bench.receive(peer(8), client(8));
  bench.close();
  BOOST_TEST((bench.to<Welcome>(peer(8)) != nullptr));
  bench.receive(peer(7), Bye{seventh.session});
  bench.receive(peer(beyond), client(beyond));
  bench.close();
  BOOST_TEST((bench.to<Welcome>(peer(beyond)) != nullptr));
}

BOOST_AUTO_TEST_CASE(a_group_whose_records_would_be_too_large_is_rejected_whole) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  SetAddOp many;
  for (int n = 0; n < 900; ++n) {
    std::string element = std::to_string(1'000 + n);
    element.resize(limits::kElementBytes, '.');
    many.elements.push_back(std::move(element));
  }
  std::uint64_t seq = 0;
  for (const char* key : {"k1", "k2", "k3"}) {
    ++seq;
    BOOST_TEST((decided(bench, "a", a, only(seq, key, many, a, seq - 1)).code == Code::kCommitted));
  }
  // Small for its writer, but a set travels whole with each change of it.
  Mutation group = only(4, "k1", SetAddOp{{"one more"}}, a, 3);
  for (const char* key : {"k2", "k3"})
    group.entries.push_back({Key(key), {}, SetAddOp{{"one more"}}, {}});
  const Outcome outcome = decided(bench, "a", a, group);
  BOOST_TEST((outcome.code == Code::kRejected));
  BOOST_TEST((outcome.reason == Reason::kTooLarge));
  BOOST_TEST(state_of(bench).head().value() == 3u);
  BOOST_TEST(bench.broadcasts<StateUpdate>().empty());
  // Rejected for good: the number is consumed, and the next one is judged.
  BOOST_TEST((decided(bench, "a", a, group) == outcome));
  group.seq = Seq(5);
  group.entries.pop_back();
  BOOST_TEST((decided(bench, "a", a, group).code == Code::kCommitted));
}

// ---- writers -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_submit_of_a_foreign_epoch_is_stale_and_consumes_nothing) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.receive("a", Submit{a.session,
                            Epoch(a.epoch.value() + 1),
                            {},
                            {CoreBench::put(1, "x", "1", a), CoreBench::put(2, "y", "2", a)}});
  bench.close();
  BOOST_REQUIRE(bench.to<SubmitResult>("a") != nullptr);
  const SubmitResult& result = *bench.to<SubmitResult>("a");
  BOOST_REQUIRE_EQUAL(result.results.size(), 1u);  // the first answer says all
  BOOST_TEST((result.results[0].outcome.code == Code::kStale));
  BOOST_TEST((result.results[0].outcome.reason == Reason::kForeignEpoch));
  BOOST_TEST((result.epoch == a.epoch));
  BOOST_TEST(bench.last.persist.rows.empty());
  BOOST_TEST((decided(bench, "a", a, CoreBench::put(1, "x", "1", a)).code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(a_context_wider_than_the_history_counts_for_what_is_there) {
  CoreBench bench;
  const Welcome ada = bench.join("ada");
  const Welcome bob = bench.join("bob");
  (void)bench.submit("bob", bob, {CoreBench::put(1, "k", "1", bob)});
  // As if it had seen what never was: no more than the head counts.
  const auto wide = bench.submit("ada", ada, {CoreBench::put(1, "k", "2", ada, 99)});
  BOOST_CHECK(wide.at(0).outcome.code == Code::kCommitted);
  BOOST_TEST(bench.core.counters().at("contexts_beyond_head") == 1u);
  BOOST_TEST(bench.core.swarm(SwarmId("s"))->head().value() == 2u);
  // Own writes that come later than the one that speaks are out of shape.
  Mutation ahead = CoreBench::put(2, "k", "3", ada, 2);
  ahead.context.own_through = {{Incarnation(77), Seq(2)}};
  const auto refused = bench.submit("ada", ada, {ahead});
  BOOST_CHECK(refused.at(0).outcome.code == Code::kRejected);
  BOOST_TEST(refused.at(0).outcome.text.find("expected writes before this one") !=
             std::string::npos);
  // Of a history that this store never had it has seen nothing.
  Mutation foreign = CoreBench::put(3, "k", "4", ada, 2);
  foreign.context.epoch = Epoch(4711);
  foreign.hlc = Hlc::of(1, 1);
  BOOST_CHECK(bench.submit("ada", ada, {foreign}).at(0).outcome.conflict ==
              ConflictKind::kConcurrentUpdate);
}

BOOST_AUTO_TEST_CASE(client_rows_are_forgotten_after_ten_minutes_behind_a_durable_mark) {
  CoreBench bench;
  bench.join("a");
  const Welcome c = join_client(bench, "~client-1");
  const Mutation write = CoreBench::put(1, "x", "1", c);
  BOOST_TEST((decided(bench, "~client-1", c, write).code == Code::kCommitted));
  bench.wait(9 * kMinute);
  BOOST_TEST(bench.rows<WriterRow>().empty());
  bench.wait(2 * kMinute);
  BOOST_REQUIRE_EQUAL(bench.rows<WriterRow>().size(), 1u);
  BOOST_TEST(bench.rows<WriterRow>()[0]->gone);
  BOOST_REQUIRE_EQUAL(bench.rows<SwarmRow>().size(), 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->clients_mark.value() == 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->members_mark.value() == 0u);

  // The repetition can't be told from a new write any more, now and after a restart.
  CoordinatorState state;
  state.store.epoch = c.epoch;
  state.swarms = {*bench.rows<SwarmRow>()[0]};
  state.swarms[0].digest.reset();
  CoreBench again(CoreBench::defaults(), state);
  for (CoreBench* one : {&bench, &again}) {
    const Welcome welcome = join_client(*one, "~client-1");
    BOOST_TEST((decided(*one, "~client-1", welcome, write).code == Code::kUnknown));
    BOOST_TEST(one->core.swarm(SwarmId("s"))->head().value() == 1u);
    BOOST_TEST(one->last.persist.rows.empty());
    const Welcome fresh = join_client(*one, "~client-2");
    BOOST_TEST((decided(*one, "~client-2", fresh, CoreBench::put(1, "y", "1", fresh, 1)).code ==
                Code::kCommitted));
  }
}

BOOST_AUTO_TEST_CASE(client_rows_beyond_their_number_go_oldest_first_and_raise_the_mark) {
  CoreBench clock;  // only for the time that it begins with
  CoordinatorState state;
  state.store.epoch = Epoch(5);
  SwarmRow swarm;
  swarm.swarm = SwarmId("s");
  swarm.head = Revision(1'000'000);
  state.swarms = {swarm};
  const std::int64_t used = clock.now.wall_millis;
  for (std::size_t n = 0; n < limits::kClientRows + 3; ++n) {
    WriterRow row;
    row.swarm = SwarmId("s");
    row.agent = AgentId("~client-" + std::to_string(n));
    row.incarnation = Incarnation(77);
    row.through = Seq(1);
    row.beyond_seen = Revision(n + 1);
    row.used_wall_millis = used - (n < 3 ? 10 + static_cast<std::int64_t>(n) : 0);
    state.writers.push_back(row);
  }
  CoreBench bench(CoreBench::defaults(), std::move(state));
  bench.join("a");
  bench.wait(1'000);
  std::vector<std::string> gone;
  for (const WriterRow* row : bench.rows<WriterRow>()) {
    BOOST_TEST(row->gone);
    gone.push_back(row->agent.value());
  }
  BOOST_TEST((gone == std::vector<std::string>{"~client-2", "~client-1", "~client-0"}));
  BOOST_REQUIRE_EQUAL(bench.rows<SwarmRow>().size(), 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->clients_mark.value() == 3u);
  bench.wait(1'000);
  BOOST_TEST(bench.rows<WriterRow>().empty());
}

BOOST_AUTO_TEST_CASE(member_rows_are_forgotten_after_thirty_days) {
  constexpr std::int64_t kDay = 24 * 60 * kMinute;
  CoreBench bench;
  Welcome a = bench.join("a");
  decided(bench, "a", a, CoreBench::put(1, "x", "1", a));
  bench.receive("a", Bye{a.session});
  bench.close();
  bench.wait(30 * kDay - 2 * kMinute);
  BOOST_TEST(bench.rows<WriterRow>().empty());
  bench.wait(3 * kMinute);
  BOOST_REQUIRE_EQUAL(bench.rows<WriterRow>().size(), 1u);
  BOOST_TEST(bench.rows<WriterRow>()[0]->gone);
  BOOST_REQUIRE_EQUAL(bench.rows<SwarmRow>().size(), 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->members_mark.value() == 1u);

  a = bench.join("a");
  // It has a result of that incarnation, so it was known here once.
  const Outcome forgotten = decided(bench, "a", a, CoreBench::put(2, "x", "2", a, 1), 1);
  BOOST_TEST((forgotten.code == Code::kStale));
  BOOST_TEST((forgotten.reason == Reason::kWriterForgotten));
  // Its first write again, should the answer have been lost.
  BOOST_TEST((decided(bench, "a", a, CoreBench::put(1, "x", "1", a)).code == Code::kUnknown));
  BOOST_TEST(state_of(bench).head().value() == 1u);
  Mutation anew = CoreBench::put(1, "x", "2", a, 1);
  anew.incarnation = Incarnation(78);
  BOOST_TEST((decided(bench, "a", a, anew).code == Code::kCommitted));
}

// ---- clocks ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_bound_of_stamps_is_stored_ahead_of_them_and_never_goes_back) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  StoreRow stored;
  std::size_t rows = 0;
  std::uint64_t seq = 0;
  const auto write = [&](CoreBench& one, const Welcome& welcome) {
    ++seq;
    Mutation mutation = CoreBench::put(seq, "x", std::to_string(seq), welcome, seq - 1);
    mutation.hlc = Hlc::of(static_cast<std::uint64_t>(one.now.wall_millis), seq);
    BOOST_TEST((decided(one, "a", welcome, mutation).code == Code::kCommitted));
    for (const StoreRow* row : one.rows<StoreRow>()) {
      BOOST_TEST((row->hlc_bound > stored.hlc_bound));
      BOOST_TEST((row->epoch == welcome.epoch));
      stored = *row;
      ++rows;
    }
    BOOST_TEST((mutation.hlc <= stored.hlc_bound));
  };
  for (int n = 0; n < 100; ++n) {
    write(bench, a);
    bench.now.wall_millis += 300;
  }
  BOOST_TEST(rows >= 2u);
  BOOST_TEST(rows <= 5u);  // reserved ahead: not one for each batch

  // A restart on a machine whose clock is behind.
  CoordinatorState state;
  state.store = stored;
  SwarmRow swarm = state_of(bench).stored_row();
  swarm.digest.reset();
  state.swarms = {swarm};
  CoreBench again(CoreBench::defaults(), state);
  const Welcome restarted = again.join("a");
  BOOST_TEST((restarted.epoch == a.epoch));
  const std::uint64_t behind = static_cast<std::uint64_t>(again.now.wall_millis);
  BOOST_TEST((Hlc::of(behind, 0) < stored.hlc_bound));
  Mutation early = CoreBench::put(1, "y", "1", restarted, 100);
  early.incarnation = Incarnation(78);
  early.hlc = Hlc::of(behind, 1);
  BOOST_TEST((decided(again, "a", restarted, early).code == Code::kCommitted));
  BOOST_TEST(again.rows<StoreRow>().empty());
}

BOOST_AUTO_TEST_CASE(a_clock_a_year_ahead_is_told_the_time_and_counted) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  Mutation ahead = CoreBench::put(1, "x", "1", a);
  ahead.hlc = Hlc::of(1'000'000 + 365ull * 24 * 3600 * 1000, 0);
  const Outcome outcome = decided(bench, "a", a, ahead);
  BOOST_TEST((outcome.code == Code::kUnavailable));
  BOOST_TEST((outcome.reason == Reason::kClockAhead));
  BOOST_TEST(outcome.coordinator_wall_millis == 1'000'000u);
  BOOST_TEST(counter(bench, "clocks_ahead") == 1u);
  BOOST_TEST(state_of(bench).head().value() == 0u);
  BOOST_TEST(bench.last.persist.rows.empty());  // also no stamp of that year is reserved
  ahead.hlc = Hlc::of(1'000'000, 0);
  BOOST_TEST((decided(bench, "a", a, ahead).code == Code::kCommitted));
  BOOST_TEST(counter(bench, "clocks_ahead") == 1u);
}

BOOST_AUTO_TEST_CASE(an_offer_of_a_clock_ahead_is_no_offer) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  SyncRequest request;
  request.session = a.session;
  request.request = RequestId(1);
  request.keys = {Key("x")};
  bench.receive("a", request);
  bench.close();
  StateResponse response{
      a.session, bench.broadcasts<StateRequest>()[0]->round, AnswerKind::kSame, {}};
  response.answers = {{Key("x"), AnswerKind::kOffer,
                       Offer{{ContentType::kText, "future"}, {}, Hlc::of(1'100'000, 0)}}};
  bench.receive("a", response);
  bench.close();
  BOOST_REQUIRE(bench.to<SyncReport>("a") != nullptr);
  BOOST_TEST((bench.to<SyncReport>("a")->outcome == RoundOutcome::kUnchanged));
  BOOST_TEST(counter(bench, "offers_refused") == 1u);
  BOOST_TEST(state_of(bench).head().value() == 0u);
}

// ---- peers -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(no_session_is_not_said_to_one_peer_more_often_than_five_times_a_second) {
  CoreBench bench;
  const auto shout = [&](const char* peer) {
    bench.receive(peer, Submit{SessionId(99), Epoch(1), {}, {}});
  };
  for (int n = 0; n < 10; ++n) shout("ghost");
  shout("other");
  bench.close();
  BOOST_TEST(sent_to<NoSession>(bench, "ghost") == 1u);
  BOOST_TEST((bench.to<NoSession>("ghost")->session == SessionId(99)));
  BOOST_TEST(sent_to<NoSession>(bench, "other") == 1u);
  BOOST_TEST(counter(bench, "no_session") == 11u);
  bench.wait(199);
  shout("ghost");
  bench.close();
  BOOST_TEST(sent_to<NoSession>(bench, "ghost") == 0u);
  bench.wait(1);
  shout("ghost");
  shout("ghost");
  bench.close();
  BOOST_TEST(sent_to<NoSession>(bench, "ghost") == 1u);
}

BOOST_AUTO_TEST_CASE(a_lost_peer_has_no_session_and_its_id_is_free) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.feed(PeerLost{PeerId("a")});
  bench.feed(PeerLost{PeerId("never seen")});
  bench.close();
  BOOST_TEST(counter(bench, "peers_lost") == 1u);
  BOOST_TEST(bench.submit("a", a, {CoreBench::put(1, "x", "1", a)}).empty());
  BOOST_TEST((bench.to<NoSession>("a") != nullptr));
  BOOST_TEST(state_of(bench).head().value() == 0u);
  bench.receive("elsewhere", CoreBench::hello("a", 2));  // without waiting for the lease
  bench.close();
  BOOST_TEST((bench.to<Welcome>("elsewhere") != nullptr));
}

BOOST_AUTO_TEST_CASE(malformed_frames_are_answered_once_and_counted) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  for (int n = 0; n < 5; ++n) {
    bench.feed(Malformed{PeerId("a"), {Code::kRejected, "not a frame"}});
    bench.feed(Malformed{PeerId("stranger"), {Code::kRejected, "not a frame"}});
  }
  bench.close();
  BOOST_TEST(counter(bench, "malformed_frames") == 10u);
  BOOST_TEST(sent_to<ErrorReply>(bench, "a") == 1u);
  BOOST_TEST((bench.to<ErrorReply>("a")->session == a.session));
  BOOST_TEST((bench.to<ErrorReply>("a")->code == Code::kRejected));
  BOOST_TEST(bench.to<ErrorReply>("a")->text == "not a frame");
  BOOST_TEST(sent_to<ErrorReply>(bench, "stranger") == 1u);
  BOOST_TEST(!bench.to<ErrorReply>("stranger")->session);
  // The session goes on.
  BOOST_TEST((decided(bench, "a", a, CoreBench::put(1, "x", "1", a)).code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(another_protocol_version_is_refused_with_text_and_counted) {
  CoreBench bench;
  Hello hello = CoreBench::hello("a");
  hello.protocol = kProtocolVersion + 1;
  bench.receive("newer", hello);
  // One that the codec can't read at all is refused in the same way.
  bench.feed(Malformed{PeerId("alien"), {Code::kUnsupported, "protocol 77 is not spoken here"}});
  bench.close();
  for (const char* peer : {"newer", "alien"}) {
    BOOST_REQUIRE(bench.to<Refused>(peer) != nullptr);
    BOOST_TEST((bench.to<Refused>(peer)->code == Code::kUnsupported));
    BOOST_TEST(bench.to<Refused>(peer)->retry_millis == 0);
    BOOST_TEST(bench.to<Refused>(peer)->text.find("protocol") != std::string::npos);
  }
  BOOST_TEST(bench.to<Refused>("newer")->text.find(std::to_string(hello.protocol)) !=
             std::string::npos);
  BOOST_TEST(counter(bench, "hellos_refused") == 2u);
  BOOST_TEST(bench.core.swarms().empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_writes_rounds_and_compaction_and_then_resumes) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  decided(bench, "a", a, CoreBench::put(1, "x", "1", a));
  bench.feed(SpaceChanged{false, "only 3 MiB are left"});
  const auto hold_round = [&](std::uint64_t number) {
    SyncRequest request;
    request.session = a.session;
    request.request = RequestId(number);
    request.keys = {Key("y")};
    bench.receive("a", request);
    bench.close();
    StateResponse response{
        a.session, bench.broadcasts<StateRequest>()[0]->round, AnswerKind::kSame, {}};
    response.answers = {{Key("y"), AnswerKind::kOffer,
                         Offer{{ContentType::kText, "offer"}, {}, Hlc::of(1'000'000, 1)}}};
    bench.receive("a", response);
    bench.close();
    BOOST_REQUIRE(bench.to<SyncReport>("a") != nullptr);
    return bench.to<SyncReport>("a")->code;
  };
  const auto compact = [&] {
    bench.receive("a", CompactRequest{a.session, RequestId(9), Revision(1)});
    bench.close();
    BOOST_REQUIRE(bench.to<CompactResult>("a") != nullptr);
    return bench.to<CompactResult>("a")->code;
  };
  for (int n = 0; n < 2; ++n) {
    const Outcome refused = decided(bench, "a", a, CoreBench::put(2, "x", "2", a, 1));
    BOOST_TEST((refused.code == Code::kUnavailable));
    BOOST_TEST((refused.reason == Reason::kDiskFull));
    BOOST_TEST(refused.text == "only 3 MiB are left");
    BOOST_TEST(bench.last.persist.rows.empty());
  }
  BOOST_TEST(counter(bench, "refused_disk_full") == 2u);
  BOOST_TEST((hold_round(1) == Code::kUnavailable));
  BOOST_TEST((bench.to<OfferResult>("a") == nullptr));  // the offer waits for the next round
  BOOST_TEST((compact() == Code::kUnavailable));
  BOOST_TEST(state_of(bench).head().value() == 1u);

  bench.feed(SpaceChanged{true, ""});
  BOOST_TEST((decided(bench, "a", a, CoreBench::put(2, "x", "2", a, 1)).code == Code::kCommitted));
  BOOST_TEST((hold_round(2) == Code::kCommitted));
  BOOST_TEST((compact() == Code::kCommitted));
  BOOST_TEST(state_of(bench).head().value() == 3u);
}

// docs/protocol.md, Safety J1: a channel is live for a session only when its own swarm's socket
// read the nonce.
BOOST_AUTO_TEST_CASE(a_nonce_of_another_swarm_is_ignored_and_counted) {
  CoreBench bench;
  bench.join("a");  // of swarm "s"
  Hello hello = CoreBench::hello("b");
  hello.swarm = SwarmId("other");
  bench.receive("b", hello);
  bench.close();
  if (bench.to<Welcome>("b") == nullptr) bench.close();
  BOOST_REQUIRE(bench.to<Welcome>("b") != nullptr);
  const Nonce nonce = bench.to<Welcome>("b")->nonce;
  bench.feed(Subscribed{SwarmId("s"), nonce});
  bench.feed(Subscribed{SwarmId("no such swarm"), nonce});
  bench.feed(Subscribed{SwarmId("other"), Nonce(nonce.value() + 1)});
  bench.close();
  BOOST_TEST((bench.to<Attached>("b") == nullptr));
  BOOST_TEST(counter(bench, "ignored_nonce") == 3u);
  bench.feed(Subscribed{SwarmId("other"), nonce});
  bench.close();
  BOOST_TEST((bench.to<Attached>("b") != nullptr));
  BOOST_TEST(counter(bench, "ignored_nonce") == 3u);
}

// ---- the floor ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_clear_is_one_commit_and_the_floor_is_its_revision) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  decided(bench, "a", a, CoreBench::put(1, "x", "1", a));
  decided(bench, "a", a, CoreBench::put(2, "y", "2", a, 1));
  // In one group with a write before and a write after it.
  bench.receive("a", Submit{a.session,
                            a.epoch,
                            {},
                            {CoreBench::put(3, "z", "3", a, 2), only(4, "", ClearOp{}, a, 2),
                             CoreBench::put(5, "w", "5", a, 4)}});
  bench.close();
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 3u);
  BOOST_TEST(!updates[0]->cleared);
  BOOST_TEST(updates[1]->cleared);
  BOOST_TEST(updates[1]->from.value() == 3u);
  BOOST_TEST(updates[1]->to.value() == 4u);
  BOOST_TEST(updates[1]->changes.empty());
  BOOST_TEST(!updates[2]->cleared);
  BOOST_TEST(updates[2]->from.value() == 4u);
  BOOST_TEST(bench.rows<ForgetRow>().size() == 3u);
  BOOST_REQUIRE_EQUAL(bench.rows<SwarmRow>().size(), 1u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->floor.value() == 4u);
  BOOST_TEST(bench.rows<SwarmRow>()[0]->head.value() == 5u);
  BOOST_TEST(state_of(bench).live_keys() == 1u);

  BOOST_TEST(delta(bench, "a", a, 3).reset);  // from before the clear
  BOOST_TEST(delta(bench, "a", a, 0, 3).reset);
  const DeltaChunk from_it = delta(bench, "a", a, 4);
  BOOST_TEST(!from_it.reset);
  BOOST_TEST(from_it.complete);
  BOOST_REQUIRE_EQUAL(from_it.changes.size(), 1u);
  BOOST_TEST(from_it.changes[0].key.value() == "w");
  const DeltaChunk snapshot = delta(bench, "a", a, 0, 4);
  BOOST_TEST(!snapshot.reset);
  BOOST_TEST(snapshot.changes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_update_cut_at_a_clear_names_only_the_own_writes_that_are_in_it) {  // W4
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.receive("a", Submit{a.session,
                            a.epoch,
                            {},
                            {CoreBench::put(1, "x", "1", a), only(2, "", ClearOp{}, a, 0),
                             CoreBench::put(3, "y", "3", a, 2)}});
  bench.close();
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 3u);
  for (std::size_t n = 0; n < updates.size(); ++n) {
    BOOST_REQUIRE_EQUAL(updates[n]->applied.size(), 1u);
    BOOST_TEST(updates[n]->applied[0].seq_through.value() == n + 1);
  }
}

// docs/protocol.md, Safety C1: deletions after max(since, base) are still there as tombstones.
BOOST_AUTO_TEST_CASE(a_delta_or_snapshot_from_below_the_floor_is_reset_and_from_it_is_whole) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  std::uint64_t seq = 0;
  for (const char* key : {"x", "y", "z"}) {
    decided(bench, "a", a, CoreBench::put(seq + 1, key, "1", a, seq));
    ++seq;
  }
  decided(bench, "a", a, only(4, "x", DeleteOp{}, a, 3));
  decided(bench, "a", a, only(5, "y", DeleteOp{}, a, 4));
  bench.receive("a", CompactRequest{a.session, RequestId(1), Revision(6)});
  bench.close();
  BOOST_TEST((bench.to<CompactResult>("a")->code == Code::kRejected));  // beyond the head
  bench.receive("a", CompactRequest{a.session, RequestId(1), Revision(4)});
  bench.close();
  BOOST_TEST(bench.to<CompactResult>("a")->forgotten == 1u);
  BOOST_TEST(bench.to<CompactResult>("a")->floor.value() == 4u);

  BOOST_TEST(delta(bench, "a", a, 3).reset);     // would miss that x is gone
  BOOST_TEST(delta(bench, "a", a, 0, 3).reset);  // a chunk before the delete may have held x
  BOOST_TEST(delta(bench, "a", a, 1, 3).reset);
  for (const auto& [since, base] : {std::pair{4, 0}, {0, 4}, {2, 4}}) {
    const DeltaChunk chunk =
        delta(bench, "a", a, static_cast<std::uint64_t>(since), static_cast<std::uint64_t>(base));
    BOOST_TEST(!chunk.reset);
    BOOST_TEST(chunk.complete);
    BOOST_TEST(chunk.to.value() == 5u);
    const auto gone = std::find_if(chunk.changes.begin(), chunk.changes.end(),
                                   [](const Change& change) { return change.key == Key("y"); });
    BOOST_REQUIRE(gone != chunk.changes.end());
    BOOST_TEST(!gone->record->live());
  }

  // The floor never goes down again.
  bench.receive("a", CompactRequest{a.session, RequestId(2), Revision(2)});
  bench.close();
  BOOST_TEST(bench.to<CompactResult>("a")->floor.value() == 4u);
}

BOOST_AUTO_TEST_CASE(a_write_of_an_absent_key_from_below_the_floor_is_no_resurrection) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  const Welcome b = bench.join("b");
  decided(bench, "a", a, CoreBench::put(1, "x", "1", a));
  decided(bench, "a", a, only(2, "x", DeleteOp{}, a, 1));
  bench.receive("a", CompactRequest{a.session, RequestId(1), Revision(2)});
  bench.close();
  const Outcome late = decided(bench, "b", b, CoreBench::put(1, "x", "again", b, 1));
  BOOST_TEST((late.code == Code::kConflict));
  BOOST_TEST((late.conflict == ConflictKind::kDeleteUpdate));
  BOOST_TEST(
      (decided(bench, "b", b, CoreBench::put(2, "x", "again", b, 2)).code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(tombstones_beyond_their_number_or_age_are_forgotten_and_raise_the_floor) {
  for (const bool by_age : {false, true}) {
    CoordinatorOptions options = CoreBench::defaults();
    options.tombstones_max = by_age ? 1'000 : 2;
    options.tombstone_millis = by_age ? 5 * kMinute : std::numeric_limits<std::int64_t>::max() / 2;
    CoreBench bench(options);
    const Welcome a = bench.join("a");
    std::uint64_t seq = 0;
    for (int n = 0; n < 4; ++n) {
      const std::string key = "k" + std::to_string(n);
      decided(bench, "a", a, CoreBench::put(seq + 1, key, "1", a, seq));
      decided(bench, "a", a, only(seq + 2, key.c_str(), DeleteOp{}, a, seq + 1));
      seq += 2;
    }
    bench.wait(1'000);
    BOOST_TEST(state_of(bench).tombstones() == (by_age ? 4u : 2u));
    BOOST_TEST(state_of(bench).floor().value() == (by_age ? 0u : 4u));
    if (!by_age) continue;
    for (int n = 0; n < 10; ++n) bench.wait(kMinute);
    BOOST_TEST(state_of(bench).tombstones() == 0u);
    BOOST_TEST(state_of(bench).floor().value() == 8u);
  }
}

BOOST_AUTO_TEST_CASE(a_member_that_beats_is_not_forgotten) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  bench.submit("a", a, {CoreBench::put(1, "x", "1", a)});
  std::uint64_t n = 0;
  for (int hour = 0; hour < 24 * 31; ++hour) {
    bench.wait(3'600'000 - 1'000);
    AgentHeartbeat beat;
    beat.session = a.session;
    beat.number = ++n;
    beat.broadcast = BroadcastNo(limits::kNumberMax);
    beat.confirmed = {{Incarnation(77), Seq(1)}};
    beat.incarnations = {Incarnation(77)};
    bench.receive("a", beat);
    bench.close();
    bench.wait(1'000);
  }
  const auto r = bench.submit("a", a, {CoreBench::put(2, "x", "2", a, 1)}, 1);
  BOOST_REQUIRE(r.size() == 1u);
  BOOST_TEST((r[0].outcome.code == Code::kCommitted));
  BOOST_TEST_MESSAGE(std::string(to_text(r[0].outcome.code)));
}

BOOST_AUTO_TEST_CASE(rows_of_one_session_are_bounded) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  std::size_t made = 0, gone = 0;
  for (std::uint64_t n = 1; n <= 5'000; ++n) {
    Mutation m = CoreBench::put(1, "x", std::to_string(n), a, n - 1);
    m.incarnation = Incarnation(n);
    Submit submit{a.session, a.epoch, {}, {m}};
    bench.receive("a", submit);
    bench.close();
    for (const WriterRow* r : bench.rows<WriterRow>()) (r->gone ? gone : made) += 1;
    AgentHeartbeat beat;
    beat.session = a.session;
    beat.number = n;
    beat.broadcast = BroadcastNo(limits::kNumberMax);
    beat.incarnations = {Incarnation(n)};
    beat.confirmed = {{Incarnation(n), Seq(1)}};
    bench.receive("a", beat);
    bench.close();
    for (const WriterRow* r : bench.rows<WriterRow>()) (r->gone ? gone : made) += 1;
  }
  BOOST_TEST(made - gone < 1'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
