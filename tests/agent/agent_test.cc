#include "agent/agent.h"

#include <utility>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

const Incarnation kElsewhere(99);

// Drives an agent's core by hand as a coordinator with one session would.
struct AgentBench {
  explicit AgentBench(AgentState state = {}, AgentOptions with = options())
      : core(std::move(with), std::move(state)) {}

  static AgentOptions options() {
    AgentOptions options;
    options.seed = 3;
    options.swarm = SwarmId("s");
    options.agent = AgentId("a");
    return options;
  }
  void feed(Event event) {
    core.step(event, now, actions);
    core.finish(now, actions);
    core.check_invariants();
    last = std::exchange(actions, {});
  }
  void receive(Message message) { feed(Received{PeerId(), make_message(std::move(message))}); }
  void hear(Message message) { feed(BroadcastReceived{make_message(std::move(message))}); }
  void wait(std::int64_t millis) {
    now.monotonic = now.monotonic + Millis{millis};
    now.wall_millis += millis;
    feed(Tick{});
  }
  template <typename T>
  const T* up() const {
    const T* found = nullptr;
    for (const Send& send : last.send)
      if (const auto* one = std::get_if<SendUp>(&send))
        if (const auto* message = std::get_if<T>(one->message.get())) found = message;
    return found;
  }
  template <typename T>
  const T* told() const {
    const T* found = nullptr;
    for (const Delivery& delivery : last.deliver)
      if (const auto* one = std::get_if<T>(&delivery)) found = one;
    return found;
  }
  void welcome(std::uint64_t head, std::uint64_t epoch = 8, Lineage lineage = {}) {
    feed(Tick{});
    Welcome welcome;
    welcome.session = SessionId(1);
    welcome.nonce = Nonce(2);
    welcome.start = StartId(3);
    welcome.epoch = Epoch(epoch);
    welcome.lineage = std::move(lineage);
    welcome.head = Revision(head);
    receive(welcome);
    receive(Attached{SessionId(1), Revision(head), {}});
  }
  DeltaChunk chunk(std::uint64_t from, std::uint64_t to, bool complete) {
    DeltaChunk chunk;
    chunk.session = SessionId(1);
    chunk.request = up<DeltaRequest>()->request;
    chunk.epoch = Epoch(8);
    chunk.from = Revision(from);
    chunk.to = chunk.head = Revision(to);
    chunk.complete = complete;
    return chunk;
  }
  // Attached, holding the empty state at revision 0... `at`.
  void attach(std::uint64_t at = 0) {
    welcome(at);
    if (up<DeltaRequest>() != nullptr) receive(chunk(0, at, true));
  }
  static Change change(const char* key, std::uint64_t version, std::int64_t total,
                       Writer writer = {AgentId("b"), kElsewhere, Seq(1)}) {
    auto record = std::make_shared<Record>();
    record->value = Counter{total};
    record->version = Revision(version);
    record->content = content_hash(*record->value);
    record->writer = std::move(writer);
    return {Key(key), std::move(record)};
  }
  static StateUpdate update(std::uint64_t from, std::uint64_t to, std::vector<Change> changes) {
    StateUpdate update;
    update.swarm = SwarmId("s");
    update.start = StartId(3);
    update.broadcast = BroadcastNo(to);
    update.epoch = Epoch(8);
    update.from = Revision(from);
    update.to = Revision(to);
    update.changes = std::move(changes);
    return update;
  }
  MutationResult write(const char* key, std::int64_t amount) {
    feed(Command{WriteCommand{RequestId(5), {Entry{Key(key), {}, IncrOp{amount}, {}}}}});
    const auto* queued = told<WriteQueued>();
    return {queued->incarnation, queued->seq, {}};
  }
  void answer(MutationResult result, Code code, std::uint64_t revision) {
    result.outcome.code = code;
    result.outcome.revision = Revision(revision);
    result.outcome.changed = code == Code::kCommitted;
    receive(SubmitResult{SessionId(1), Epoch(8), {result}});
  }
  std::int64_t view(const char* key) const {
    const RecordPtr record = core.view(Key(key));
    return record ? std::get<Counter>(*record->value).total : 0;
  }

  Now now{Instant{1'000}, 1'000'000};
  Agent core;
  Actions actions;
  Actions last;
};

BOOST_AUTO_TEST_SUITE(agent)

BOOST_AUTO_TEST_CASE(the_token_is_stored_before_the_first_hello) {
  AgentBench bench;
  bench.feed(Tick{});
  BOOST_TEST((bench.up<Hello>() != nullptr));
  BOOST_TEST(bench.last.persist.sync);
  BOOST_TEST(std::holds_alternative<IdentityRow>(bench.last.persist.rows[0]));
  BOOST_TEST((bench.up<Hello>()->token == std::get<IdentityRow>(bench.last.persist.rows[0]).token));
}

BOOST_AUTO_TEST_CASE(updates_move_the_state_only_from_the_cursor_on) {  // protocol.md, Safety C2
  AgentBench bench;
  bench.attach();
  bench.hear(AgentBench::update(0, 2, {AgentBench::change("x", 2, 10)}));
  BOOST_TEST(bench.core.replica().cursor().revision.value() == 2u);
  bench.hear(AgentBench::update(0, 2, {AgentBench::change("x", 1, 1)}));
  BOOST_TEST(bench.view("x") == 10);
  bench.hear(
      AgentBench::update(1, 3, {AgentBench::change("x", 2, 10), AgentBench::change("y", 3, 4)}));
  BOOST_TEST(bench.core.replica().cursor().revision.value() == 3u);
}

BOOST_AUTO_TEST_CASE(a_hole_is_held_and_pulled_and_then_filled_from_what_was_held) {
  AgentBench bench;
  bench.attach();
  bench.hear(AgentBench::update(5, 6, {AgentBench::change("y", 6, 1)}));
  BOOST_TEST(bench.core.replica().cursor().revision.value() == 0u);
  bench.wait(150);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  DeltaChunk chunk = bench.chunk(0, 5, true);
  chunk.changes = {AgentBench::change("x", 5, 3)};
  bench.receive(chunk);
  BOOST_TEST(bench.core.replica().cursor().revision.value() == 6u);
  BOOST_TEST(bench.core.caught_up());
}

BOOST_AUTO_TEST_CASE(chunks_are_staged_until_complete) {  // Safety C1, C2
  AgentBench bench;
  bench.welcome(9);
  DeltaChunk first = bench.chunk(0, 4, false);
  first.changes = {AgentBench::change("x", 4, 3)};
  bench.receive(first);
  BOOST_TEST((bench.core.view(Key("x")) == nullptr));
  DeltaChunk second = bench.chunk(4, 9, true);
  second.changes = {AgentBench::change("y", 9, 3)};
  bench.receive(second);
  BOOST_TEST(bench.view("x") == 3);
  BOOST_TEST(bench.view("y") == 3);
  BOOST_TEST((bench.told<CaughtUp>() != nullptr));
}

BOOST_AUTO_TEST_CASE(a_lost_chunk_is_asked_for_again) {
  AgentBench bench;
  bench.welcome(9);
  const RequestId first = bench.up<DeltaRequest>()->request;
  bench.wait(1'600);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST((bench.up<DeltaRequest>()->request != first));
}

BOOST_AUTO_TEST_CASE(an_own_write_is_seen_at_once_and_counted_once_update_first) {  // Safety W4
  AgentBench bench;
  bench.attach();
  const MutationResult mine = bench.write("x", 5);
  BOOST_TEST(bench.view("x") == 5);
  StateUpdate update = AgentBench::update(
      0, 1, {AgentBench::change("x", 1, 5, {AgentId("a"), mine.incarnation, mine.seq})});
  update.applied = {{AgentId("a"), mine.incarnation, mine.seq}};
  bench.hear(update);
  BOOST_TEST(bench.view("x") == 5);
  bench.answer(mine, Code::kCommitted, 1);
  BOOST_TEST(bench.view("x") == 5);
  BOOST_TEST(bench.core.outbox().empty());
}

BOOST_AUTO_TEST_CASE(an_own_write_is_seen_at_once_and_counted_once_result_first) {  // Safety W4
  AgentBench bench;
  bench.attach();
  const MutationResult mine = bench.write("x", 5);
  bench.answer(mine, Code::kCommitted, 1);
  BOOST_REQUIRE(bench.told<WriteSettled>() != nullptr);
  BOOST_TEST(bench.view("x") == 5);
  bench.hear(AgentBench::update(0, 1, {AgentBench::change("x", 1, 5)}));
  BOOST_TEST(bench.view("x") == 5);
}

BOOST_AUTO_TEST_CASE(a_write_before_any_state_waits_for_its_context) {
  AgentBench bench;
  bench.feed(Tick{});
  bench.write("x", 5);
  bench.welcome(3);
  BOOST_TEST((bench.up<Submit>() == nullptr));
  DeltaChunk chunk = bench.chunk(0, 3, true);
  bench.receive(chunk);
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_TEST(bench.up<Submit>()->mutations[0].context.seen.value() == 3u);
}

BOOST_AUTO_TEST_CASE(an_unanswered_write_is_sent_again_and_a_gap_at_once) {
  AgentBench bench;
  bench.attach();
  const MutationResult mine = bench.write("x", 5);
  BOOST_TEST((bench.up<Submit>() != nullptr));
  bench.wait(800);
  BOOST_TEST((bench.up<Submit>() != nullptr));
  MutationResult gap = mine;
  gap.outcome.code = Code::kGap;
  gap.outcome.expected = mine.seq;
  bench.receive(SubmitResult{SessionId(1), Epoch(8), {gap}});
  BOOST_TEST((bench.up<Submit>() != nullptr));
}

BOOST_AUTO_TEST_CASE(overloaded_closes_the_window_until_the_timer) {
  AgentBench bench;
  bench.attach();
  const MutationResult mine = bench.write("x", 5);
  MutationResult refused = mine;
  refused.outcome.code = Code::kOverloaded;
  bench.receive(SubmitResult{SessionId(1), Epoch(8), {refused}});
  BOOST_TEST((bench.up<Submit>() == nullptr));
  bench.write("y", 1);
  BOOST_TEST((bench.up<Submit>() == nullptr));
  bench.wait(5'000);
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_TEST(bench.up<Submit>()->mutations.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_clock_ahead_is_shifted_and_the_write_stamped_anew) {
  AgentBench bench;
  bench.now.wall_millis = 900'000'000;
  bench.attach();
  const MutationResult mine = bench.write("x", 5);
  MutationResult refused = mine;
  refused.outcome.code = Code::kUnavailable;
  refused.outcome.reason = Reason::kClockAhead;
  refused.outcome.coordinator_wall_millis = 1'000'000;
  bench.receive(SubmitResult{SessionId(1), Epoch(8), {refused}});
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_TEST(bench.up<Submit>()->mutations[0].hlc.millis() < 1'001'000u);
}

BOOST_AUTO_TEST_CASE(a_wrong_digest_at_the_same_revision_pulls_the_state_anew) {  // Safety C3
  AgentBench bench;
  bench.attach();
  Heartbeat beat{SwarmId("s"), StartId(3), BroadcastNo(1), Epoch(8), Revision(0), Hash128{1, 2}};
  bench.hear(beat);
  BOOST_TEST((bench.told<DigestMismatch>() != nullptr));
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 0u);
}

BOOST_AUTO_TEST_CASE(a_restarted_coordinator_and_an_unknown_session_are_greeted_anew) {
  AgentBench bench;
  bench.attach();
  bench.receive(NoSession{SessionId(1)});
  BOOST_TEST((bench.up<Hello>() != nullptr));
  bench.attach();
  Heartbeat beat{SwarmId("s"), StartId(77), BroadcastNo(1), Epoch(8), {}, {}};
  bench.hear(beat);
  BOOST_TEST((bench.up<Hello>() != nullptr));
}

BOOST_AUTO_TEST_CASE(after_standing_still_for_a_lease_old_broadcasts_are_left_for_a_delta) {
  AgentBench bench;
  bench.attach();
  bench.now.monotonic = bench.now.monotonic + Millis{46'000};
  bench.hear(AgentBench::update(0, 1, {AgentBench::change("x", 1, 5)}));
  BOOST_TEST((bench.up<Hello>() != nullptr));
  BOOST_TEST((bench.core.view(Key("x")) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_dead_broadcast_leg_is_noticed_by_two_acks) {
  AgentBench bench;
  bench.attach();
  for (std::uint64_t n = 1; n <= 2; ++n)
    bench.receive(HeartbeatAck{SessionId(1), n, Revision(0), BroadcastNo(10 * n)});
  BOOST_TEST((bench.up<Hello>() == nullptr));
  bench.receive(HeartbeatAck{SessionId(1), 3, Revision(0), BroadcastNo(30)});
  BOOST_TEST((bench.up<Hello>() != nullptr));
}

BOOST_AUTO_TEST_CASE(a_fenced_agent_ends_and_does_not_come_back) {  // Safety J2
  AgentBench bench;
  bench.attach();
  bench.receive(Fenced{SessionId(1), "taken over"});
  BOOST_TEST((bench.core.link() == Link::kEnded));
  bench.wait(60'000);
  BOOST_TEST(bench.last.send.empty());
  bench.feed(Command{WriteCommand{RequestId(1), {Entry{Key("x"), {}, IncrOp{1}, {}}}}});
  BOOST_TEST((bench.told<CommandFailed>() != nullptr));
  bench.feed(Command{ReadCommand{RequestId(2), {Key("x")}, "", Revision(9), 5'000}});
  BOOST_TEST((bench.told<CommandFailed>() != nullptr));
}

BOOST_AUTO_TEST_CASE(a_new_epoch_keeps_the_numbers_of_what_it_holds_and_renumbers_the_rest) {
  AgentBench bench;
  bench.attach();
  const MutationResult first = bench.write("x", 1);
  bench.write("x", 1);
  bench.receive(NoSession{SessionId(1)});
  bench.welcome(4, 9, {EpochEnd{Epoch(8), Revision(3)}});
  BOOST_TEST((bench.up<Submit>() == nullptr));
  DeltaChunk chunk = bench.chunk(0, 4, true);
  chunk.epoch = Epoch(9);
  chunk.applied = {{first.incarnation, first.seq}};
  bench.receive(chunk);
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_REQUIRE_EQUAL(bench.up<Submit>()->mutations.size(), 1u);
  BOOST_TEST((bench.up<Submit>()->mutations[0].incarnation == first.incarnation));
  MutationResult result = first;
  result.outcome.code = Code::kCommitted;
  result.outcome.revision = Revision(2);
  bench.receive(SubmitResult{SessionId(1), Epoch(9), {result}});
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_TEST((bench.up<Submit>()->mutations[0].incarnation != first.incarnation));
  BOOST_TEST(bench.up<Submit>()->mutations[0].seq.value() == 1u);
}

BOOST_AUTO_TEST_CASE(a_round_is_answered_from_the_committed_state_after_the_own_writes) {
  AgentBench bench;
  bench.attach();
  bench.hear(AgentBench::update(0, 1, {AgentBench::change("x", 1, 5)}));
  StateRequest request;
  request.swarm = SwarmId("s");
  request.start = StartId(3);
  request.round = RoundId(4);
  request.epoch = Epoch(8);
  request.head = Revision(1);
  const Change held = AgentBench::change("x", 1, 5);
  request.keys = {{Key("x"), Revision(1), held.record->content},
                  {Key("y"), {}, {}},
                  {Key("x2"), Revision(1), {}}};
  bench.feed(Command{OfferCommand{RequestId(1), Key("y"), Register{ContentType::kText, "v"}}});
  bench.hear(request);
  const auto* response = bench.up<StateResponse>();
  BOOST_REQUIRE(response != nullptr);
  BOOST_TEST((response->rest == AnswerKind::kSame));
  BOOST_REQUIRE_EQUAL(response->answers.size(), 2u);
  BOOST_TEST((response->answers[0].kind == AnswerKind::kOffer));
  BOOST_TEST((response->answers[1].kind == AnswerKind::kDiffers));
}

BOOST_AUTO_TEST_CASE(a_read_waits_for_the_revision_it_asks_for) {
  AgentBench bench;
  bench.attach();
  bench.feed(Command{ReadCommand{RequestId(6), {Key("x")}, "", Revision(1), 5'000}});
  BOOST_TEST((bench.told<ReadDone>() == nullptr));
  bench.hear(AgentBench::update(0, 1, {AgentBench::change("x", 1, 5)}));
  BOOST_REQUIRE(bench.told<ReadDone>() != nullptr);
  bench.feed(Command{ReadCommand{RequestId(7), {Key("x")}, "", Revision(9), 5'000}});
  bench.wait(6'000);
  BOOST_REQUIRE(bench.told<CommandFailed>() != nullptr);
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kTimeout));
}

BOOST_AUTO_TEST_CASE(
    a_clock_a_year_ahead_is_found_at_the_welcome_so_offers_are_not_from_the_future) {
  AgentBench bench;
  bench.now.wall_millis = std::int64_t{365} * 24 * 3600 * 1000;
  bench.feed(Command{OfferCommand{RequestId(4), Key("x"), Register{ContentType::kText, "v"}}});
  Welcome welcome;
  welcome.session = SessionId(1);
  welcome.start = StartId(3);
  welcome.epoch = Epoch(8);
  welcome.wall_millis = 2'000'000;
  bench.receive(welcome);
  bench.receive(Attached{SessionId(1), Revision(0), {}});
  bench.receive(bench.chunk(0, 0, true));
  StateRequest request;
  request.swarm = SwarmId("s");
  request.start = StartId(3);
  request.round = RoundId(6);
  request.epoch = Epoch(8);
  request.keys = {{Key("x"), Revision(0), {}}};
  bench.hear(request);
  BOOST_REQUIRE(bench.up<StateResponse>() != nullptr);
  BOOST_REQUIRE_EQUAL(bench.up<StateResponse>()->answers.size(), 1u);
  BOOST_TEST(!HlcClock::too_far_ahead(bench.up<StateResponse>()->answers[0].offer.hlc, 2'000'000));
  BOOST_TEST(bench.core.counters().at("clock_shifts") == 1u);
}

BOOST_AUTO_TEST_CASE(a_coordinator_of_another_protocol_is_told_and_not_taken_for_silence) {
  AgentBench bench;
  bench.feed(Tick{});
  bench.feed(Malformed{{}, {Code::kUnsupported, "protocol 2 is not spoken here"}});
  BOOST_REQUIRE(bench.told<LinkChanged>() != nullptr);
  BOOST_TEST((bench.told<LinkChanged>()->link == Link::kLost));
  BOOST_TEST((bench.told<LinkChanged>()->code == Code::kUnsupported));
  BOOST_TEST(bench.told<LinkChanged>()->text == "protocol 2 is not spoken here");
  bench.wait(500);
  BOOST_TEST((bench.up<Hello>() == nullptr));  // not asked again at once
  bench.feed(Malformed{{}, {Code::kUnsupported, "protocol 2 is not spoken here"}});
  BOOST_TEST((bench.told<LinkChanged>() == nullptr));  // told once
}

BOOST_AUTO_TEST_CASE(the_reason_of_a_fault_is_told_with_the_lost_link) {
  AgentBench bench;
  bench.attach();
  bench.receive(ErrorReply{SessionId(1), {}, Code::kRejected, "a frame was damaged"});
  bench.receive(NoSession{SessionId(1)});
  BOOST_REQUIRE(bench.told<LinkChanged>() != nullptr);
  BOOST_TEST(bench.told<LinkChanged>()->text.find("a frame was damaged") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(offers_that_no_answer_could_carry_are_refused) {
  AgentBench bench;
  bench.attach();
  const auto offer = [&](const char* key, std::size_t bytes) {
    bench.feed(Command{OfferCommand{RequestId(4), Key(key),
                                    Register{ContentType::kBytes, std::string(bytes, 'x')}}});
    return bench.told<WriteQueued>() != nullptr;
  };
  BOOST_TEST(offer("a", limits::kValueBytes));
  BOOST_TEST(offer("b", limits::kValueBytes));
  BOOST_TEST(!offer("c", 1));
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kOverloaded));
  BOOST_TEST(offer("a", 1));  // replaces the earlier one
  BOOST_TEST(offer("c", limits::kValueBytes - 1));
}

BOOST_AUTO_TEST_CASE(a_synchronisation_that_can_not_be_asked_fails_at_once) {
  AgentBench bench;
  bench.attach();
  const auto failure = [&](SyncCommand command) {
    command.request = RequestId(4);
    bench.feed(Command{std::move(command)});
    const auto* failed = bench.told<CommandFailed>();
    return failed != nullptr && failed->error.code == Code::kRejected;
  };
  SyncCommand none;
  BOOST_TEST(failure(none));
  SyncCommand bad_key;
  bad_key.keys = {Key("")};
  BOOST_TEST(failure(bad_key));
  SyncCommand too_many;
  for (std::size_t i = 0; i <= limits::kRoundKeys; ++i)
    too_many.keys.push_back(Key("k" + std::to_string(i)));
  BOOST_TEST(failure(too_many));
  SyncCommand both;
  both.all = true;
  both.keys = {Key("k")};
  BOOST_TEST(failure(both));
}

BOOST_AUTO_TEST_CASE(without_a_data_directory_no_row_is_made) {
  AgentOptions options = AgentBench::options();
  options.stored = false;
  AgentBench bench({}, options);
  bench.attach();
  BOOST_TEST(bench.last.persist.empty());
  bench.hear(AgentBench::update(0, 1, {AgentBench::change("x", 1, 1)}));
  BOOST_TEST(bench.last.persist.empty());
  BOOST_TEST(bench.view("x") == 1);
  bench.feed(Command{WriteCommand{RequestId(9), {Entry{Key("y"), {}, IncrOp{1}, {}}}}});
  BOOST_TEST(bench.last.persist.empty());
  BOOST_TEST((bench.told<WriteQueued>() != nullptr));
}

// ZeroMQ does not connect a socket again after a fault of the protocol.
BOOST_AUTO_TEST_CASE(an_agent_that_nobody_answers_dials_anew) {
  AgentBench bench;
  bench.feed(Tick{});
  int redials = 0;
  for (int i = 0; i < 120; ++i) {
    bench.wait(500);
    for (const Send& send : bench.last.send)
      redials += std::holds_alternative<Redial>(send) ? 1 : 0;
  }
  BOOST_TEST(redials >= 3);  // a minute, three beats of 5 s each
  BOOST_TEST(redials <= 4);
}

BOOST_AUTO_TEST_CASE(broadcasts_do_not_hide_that_the_other_leg_is_dead) {
  AgentBench bench;
  bench.attach();
  bool redialled = false;
  for (int i = 0; i < 10 && !redialled; ++i) {
    bench.wait(2'000);
    for (const Send& send : bench.last.send)
      redialled = redialled || std::holds_alternative<Redial>(send);
    Heartbeat beat;
    beat.swarm = SwarmId("s");
    beat.start = StartId(3);
    beat.epoch = Epoch(8);
    beat.head = bench.core.replica().cursor().revision;
    beat.digest = bench.core.replica().digest();
    bench.hear(beat);
  }
  BOOST_TEST(redialled);
}

BOOST_AUTO_TEST_CASE(a_store_put_back_within_its_epoch_is_told_with_the_writes_that_are_gone) {
  AgentBench bench;
  bench.attach();
  const MutationResult first = bench.write("x", 1);
  bench.answer(first, Code::kCommitted, 1);
  bench.hear(AgentBench::update(0, 1, {AgentBench::change("x", 1, 1)}));
  const MutationResult second = bench.write("x", 1);
  bench.answer(second, Code::kCommitted, 2);
  bench.hear(AgentBench::update(1, 2, {AgentBench::change("x", 2, 2)}));
  bench.receive(NoSession{SessionId(1)});
  Welcome welcome;
  welcome.session = SessionId(11);
  welcome.start = StartId(4);
  welcome.epoch = Epoch(8);
  welcome.head = Revision(1);
  bench.receive(welcome);
  bench.receive(Attached{SessionId(11), Revision(1), {}});
  BOOST_TEST((bench.told<WritesLost>() == nullptr));  // an old welcome may have come late
  DeltaChunk chunk = bench.chunk(0, 1, true);
  chunk.session = SessionId(11);
  chunk.changes = {AgentBench::change("x", 1, 1)};
  bench.receive(chunk);
  const auto* lost = bench.told<WritesLost>();
  BOOST_REQUIRE(lost != nullptr);
  BOOST_REQUIRE_EQUAL(lost->writes.size(), 1u);
  BOOST_TEST((lost->writes[0].seq == second.seq));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
