// Claims through the core: granted, waited for, ended; and what a write under one needs.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/check.h"
#include "base/limits.h"
#include "bench_of_claims.h"
#include "consensus/claim_record.h"

namespace waggle {
namespace {

constexpr std::int64_t kTtl = ClaimBench::kTtl;

CoordinatorOptions with_grace() {
  CoordinatorOptions options = CoreBench::defaults();
  Policy slow;
  slow.prefix = "slow/";
  slow.claim_grace_millis = 20'000;
  Policy here;
  here.prefix = "here/";
  here.ephemeral = true;
  Policy mortal;
  mortal.prefix = "mortal/";
  mortal.live_millis = 1'000;
  for (const Policy& policy : {slow, here, mortal})
    WAGGLE_CHECK(options.policies.add(policy).has_value());
  return options;
}

struct Place : ClaimBench {
  explicit Place(CoordinatorState state = {}) : ClaimBench(with_grace(), std::move(state)) {}
};

BOOST_AUTO_TEST_SUITE(claims)

BOOST_AUTO_TEST_CASE(a_claim_is_granted_with_a_record_that_is_durable_before_the_answer) {
  Place place;
  place.enter("a");
  const ClaimResult result = place.take("a", "plan/*");
  BOOST_TEST((result.code == Code::kCommitted && result.token && result.place == 0));
  BOOST_TEST(result.ttl_millis == kTtl);
  BOOST_REQUIRE_EQUAL(place.rows<RecordRow>().size(), 1u);
  BOOST_TEST(place.rows<RecordRow>()[0]->key.value() == "~claim/plan/*");
  BOOST_TEST((place.rows<SwarmRow>()[0]->last_token == result.token));
  BOOST_TEST((place.last.persist.sync && place.broadcasts<StateUpdate>().size() == 1));
  BOOST_TEST((place.held("plan/*")->holder == Claimant{AgentId("a"), Incarnation(1)}));
  // The same again is the same claim.
  const ClaimResult again = place.take("a", "plan/*");
  BOOST_TEST((again.code == Code::kCommitted && again.token == result.token));
  BOOST_TEST(place.rows<RecordRow>().empty());
}

BOOST_AUTO_TEST_CASE(a_write_needs_the_token_of_the_claim) {
  Place place;
  place.enter("a");
  place.enter("b");
  BOOST_TEST(place.put("b", "plan/x") == "committed");
  const FenceToken token = place.take("a", "plan/*").token;
  BOOST_TEST(place.put("b", "plan/x") == "claimed");
  BOOST_TEST(place.put("a", "plan/x") == "claimed");  // it has it, and did not show it
  BOOST_TEST(place.put("a", "plan/x", token) == "committed");
  BOOST_TEST(place.put("b", "plan/x", token) == "committed");  // whom the holder gave it
  BOOST_TEST(place.put("b", "other") == "committed");
  BOOST_TEST(place.put("a", "other", token) == "committed");
  const FenceToken another = place.take("b", "job").token;
  BOOST_TEST((another > token));
  BOOST_TEST(place.put("b", "plan/x", another) == "claimed");  // of another claim
  // Old, of nobody, and not even for keys that nobody claims.
  BOOST_TEST((place.tell("a", ClaimVerb::kRelease, "plan/*", token).code == Code::kCommitted));
  BOOST_TEST(place.put("a", "plan/x", token) == "stale_token");
  BOOST_TEST(place.put("a", "other", token) == "stale_token");
  BOOST_TEST(place.put("a", "other", FenceToken(5)) == "stale_token");
  BOOST_TEST(place.put("a", "plan/x") == "committed");
}

BOOST_AUTO_TEST_CASE(a_group_is_refused_whole_and_its_seq_is_used_up) {
  Place place;
  const Welcome a = place.enter("a");
  place.enter("b");
  (void)place.take("b", "k2");
  Mutation group = CoreBench::put(1, "k1", "v", a);
  group.entries.push_back({Key("k2"), {}, PutOp{ContentType::kText, "v"}, {}});
  const auto results = place.submit("a", a, {group, CoreBench::put(2, "k3", "v", a)});
  BOOST_REQUIRE_EQUAL(results.size(), 2u);
  BOOST_TEST((results[0].outcome.code == Code::kDenied && results[0].outcome.key == Key("k2")));
  BOOST_TEST((results[1].outcome.code == Code::kCommitted));
  BOOST_TEST(place.core.swarm(SwarmId("s"))->find(Key("k1")) == nullptr);
  // Its answer is kept, and the same when it comes again.
  const auto repeated = place.submit("a", a, {group});
  BOOST_TEST((repeated[0].outcome == results[0].outcome));
}

BOOST_AUTO_TEST_CASE(everything_else_that_writes_respects_a_claim) {
  Place place;
  place.enter("a");
  const Welcome b = place.enter("b");
  const FenceToken token = place.take("a", "here/*").token;
  place.receive(
      "b", EphemeralWrite{b.session, 1, {{Key("here/b"), Register{ContentType::kText, "x"}, {}}}});
  place.close();
  BOOST_REQUIRE_EQUAL(place.to<EphemeralResult>("b")->refused.size(), 1u);
  BOOST_TEST((place.to<EphemeralResult>("b")->refused[0].reason == Reason::kClaimed));
  // Clearing, and the coordinator's own keys.
  Mutation clear = CoreBench::put(++place.seqs["b"], "k", "v", b);
  clear.entries = {{{}, {}, ClearOp{}, {}}};
  BOOST_TEST((place.submit("b", b, {clear}).back().outcome.reason == Reason::kClaimed));
  BOOST_TEST(place.put("a", "~claim/here/*", token) == "reserved");
  // A key that would expire does not while it is claimed.
  BOOST_TEST(place.put("b", "mortal/k") == "committed");
  const FenceToken mortal = place.take("a", "mortal/k").token;
  place.wait_with(3'000, {"a", "b"});
  BOOST_TEST(place.core.swarm(SwarmId("s"))->find(Key("mortal/k"))->live());
  (void)place.tell("a", ClaimVerb::kRelease, "mortal/k", mortal);
  place.wait_with(3'000, {"a", "b"});
  BOOST_TEST(!place.core.swarm(SwarmId("s"))->find(Key("mortal/k"))->live());
}

BOOST_AUTO_TEST_CASE(who_comes_second_is_refused_or_waits_and_is_served_in_order) {
  Place place;
  for (const char* agent : {"a", "b", "c"}) place.enter(agent);
  const FenceToken first = place.take("a", "plan/*").token;
  const ClaimResult refused = place.take("b", "plan/x");
  BOOST_TEST((refused.code == Code::kConflict && refused.reason == Reason::kClaimed));
  BOOST_TEST(refused.text.find("held by a") != std::string::npos, refused.text);
  BOOST_TEST(place.take("b", "plan/x", 60'000, 7).place == 1u);
  BOOST_TEST(place.take("c", "plan/*", 60'000, 8).place == 2u);
  BOOST_TEST(place.take("b", "plan/x", 60'000, 7).place == 1u);  // asked again
  // Nobody passes those who wait.
  (void)place.tell("a", ClaimVerb::kRelease, "plan/*", first);
  BOOST_REQUIRE(place.to<ClaimResult>("b") != nullptr);
  const ClaimResult served = *place.to<ClaimResult>("b");
  BOOST_TEST((served.request == RequestId(7) && served.code == Code::kCommitted));
  BOOST_TEST((served.token > first && place.to<ClaimResult>("c") == nullptr));
  BOOST_TEST((place.take("a", "plan/y").code == Code::kConflict));
  (void)place.tell("b", ClaimVerb::kRelease, "plan/x", served.token);
  BOOST_REQUIRE(place.to<ClaimResult>("c") != nullptr);
  BOOST_TEST((place.to<ClaimResult>("c")->token && place.held("plan/*")));
}

BOOST_AUTO_TEST_CASE(waiting_ends_in_its_time_and_with_its_session) {
  Place place;
  for (const char* agent : {"a", "b", "c"}) place.enter(agent);
  const FenceToken token = place.take("a", "k").token;
  (void)place.take("b", "k", 3'000);
  (void)place.take("c", "k", 60'000, 9);
  place.wait_with(3'000, {"a", "b", "c"});
  BOOST_TEST((place.told.contains("b") && place.told["b"].code == Code::kTimeout));
  (void)place.take("c", "k", 60'000, 9);  // it asks again
  place.receive("c", Bye{place.sessions.at("c").session});
  place.close();
  (void)place.tell("a", ClaimVerb::kRelease, "k", token);
  BOOST_TEST(!place.held("k").has_value());
}

BOOST_AUTO_TEST_CASE(
    who_fell_silent_in_line_is_passed_over_and_a_grant_in_line_is_to_be_confirmed) {
  Place place;
  for (const char* agent : {"a", "b", "c"}) place.enter(agent);
  const FenceToken token = place.take("a", "k").token;
  (void)place.take("b", "k", 60'000, 8);
  place.wait_with(5'000, {"a", "b", "c"});
  (void)place.take("c", "k", 60'000, 9);
  (void)place.tell("a", ClaimVerb::kRelease, "k", token);
  BOOST_REQUIRE(place.held("k").has_value());
  BOOST_TEST((place.held("k")->holder.agent == AgentId("c")));
  // Not confirmed by a renewal it lasts five seconds.
  place.wait_with(4'800, {"a", "b", "c"});
  BOOST_TEST(place.held("k").has_value());
  place.wait_with(400, {"a", "b", "c"});
  BOOST_TEST(!place.held("k").has_value());
}

BOOST_AUTO_TEST_CASE(while_the_coordinator_stands_still_no_time_passes_for_claims) {
  Place place;
  place.enter("a");
  const FenceToken token = place.take("a", "k").token;
  place.wait_with(kTtl / 2, {"a"});
  place.wait(10 * kTtl);
  BOOST_TEST(place.put("a", "k", token) == "committed");
  place.wait_with(kTtl / 2 - 400, {"a"});
  BOOST_TEST(place.held("k").has_value());
  place.wait_with(1'000, {"a"});
  BOOST_TEST(!place.held("k").has_value());
}

BOOST_AUTO_TEST_CASE(a_broken_connection_is_no_lost_agent_yet) {
  Place place;
  for (const char* agent : {"a", "b"}) place.enter(agent);
  ClaimRequest week;
  week.pattern = "k";
  week.ttl_millis = limits::kClaimMillisMax;
  (void)place.ask("a", week);
  (void)place.tell("a", ClaimVerb::kRenew, "k", place.held("k")->token, "half");
  place.feed(PeerLost{PeerId("a")});
  place.close();
  place.wait_with(44'000, {"b"});
  BOOST_TEST(place.held("k").has_value());
  place.wait_with(2'000, {"b"});
  BOOST_TEST(!place.held("k").has_value());
  const RecordPtr left = place.core.swarm(SwarmId("s"))->find(claim_key("k"));
  BOOST_TEST(left->metadata.at("ended") == "its holder was lost");
}

BOOST_AUTO_TEST_CASE(a_claim_ends_with_its_time_and_is_renewed_before) {
  Place place;
  place.enter("a");
  place.enter("b");
  const FenceToken token = place.take("a", "k").token;
  place.wait_with(kTtl - 1'000, {"a", "b"});
  const ClaimResult renewed = place.tell("a", ClaimVerb::kRenew, "k", token);
  BOOST_TEST((renewed.code == Code::kCommitted && renewed.token == token));
  BOOST_TEST(place.rows<RecordRow>().empty());  // it costs no commit
  place.wait_with(kTtl - 1'000, {"a", "b"});
  BOOST_TEST(place.put("a", "k", token) == "committed");
  place.wait_with(1'000, {"a", "b"});
  BOOST_TEST(!place.held("k").has_value());
  // Who slept finds its writes refused, before and after somebody else came.
  BOOST_TEST(place.put("a", "k", token) == "stale_token");
  BOOST_TEST((place.tell("a", ClaimVerb::kRenew, "k", token).reason == Reason::kStaleToken));
  const FenceToken next = place.take("b", "k").token;
  BOOST_TEST((next > token));
  BOOST_TEST(place.put("a", "k", token) == "stale_token");
  BOOST_TEST(place.put("b", "k", next) == "committed");
}

BOOST_AUTO_TEST_CASE(a_lost_agents_claim_ends_after_the_grace_and_a_goodbye_ends_it_at_once) {
  Place place;
  for (const char* agent : {"a", "b"}) place.enter(agent);
  ClaimRequest week;
  week.pattern = "k";
  week.ttl_millis = limits::kClaimMillisMax;
  (void)place.ask("a", week);
  week.pattern = "slow/k";
  (void)place.ask("a", week);
  place.wait_with(44'000, {"b"});
  BOOST_TEST((place.held("k") && place.held("slow/k")));  // one late beat, or eight
  place.wait_with(2'000, {"b"});
  BOOST_TEST((!place.held("k") && place.held("slow/k")));
  place.wait_with(20'000, {"b"});
  BOOST_TEST(!place.held("slow/k"));
  week.pattern = "slow/b";
  (void)place.ask("b", week);
  place.enter("c");
  place.receive("b", Bye{place.sessions.at("b").session});
  place.close();
  BOOST_TEST(!place.held("slow/b"));
}

BOOST_AUTO_TEST_CASE(
    a_reconnect_keeps_its_claims_and_a_later_process_of_the_agent_gets_new_tokens) {
  Place place;
  place.enter("a", 1);
  const FenceToken token = place.take("a", "k").token;
  place.enter("a", 1);
  BOOST_TEST(place.put("a", "k", token) == "committed");
  place.enter("a", 2);
  BOOST_TEST(!place.held("k").has_value());
  const FenceToken later = place.take("a", "k").token;
  BOOST_TEST((later > token));
  BOOST_TEST(place.put("a", "k", token) == "stale_token");
}

BOOST_AUTO_TEST_CASE(a_commands_claim_stays_when_the_command_is_gone) {
  Place place;
  place.enter("~client-1", 5, Role::kClient);
  const FenceToken token = place.take("~client-1", "k").token;
  place.receive("~client-1", Bye{place.sessions.at("~client-1").session});
  place.close();
  place.enter("~client-2", 6, Role::kClient);
  BOOST_TEST((place.take("~client-2", "k").code == Code::kConflict));
  BOOST_TEST((place.tell("~client-2", ClaimVerb::kRenew, "k", token).code == Code::kCommitted));
  BOOST_TEST((place.tell("~client-2", ClaimVerb::kRelease, "k", token).code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(the_checkpoint_of_unfinished_work_waits_for_the_next_holder) {
  Place place;
  for (const char* agent : {"a", "b"}) place.enter(agent);
  FenceToken token = place.take("a", "k").token;
  BOOST_TEST((place.tell("a", ClaimVerb::kRenew, "k", token, "a third").code == Code::kCommitted));
  place.wait_with(kTtl, {"a", "b"});
  BOOST_TEST((!place.held("k") && place.checkpoint("k") == "a third"));
  const ClaimResult taken = place.take("b", "k");
  BOOST_REQUIRE(taken.checkpoint.has_value());
  BOOST_TEST(taken.checkpoint->bytes == "a third");
  // Given back in the middle, and then finished.
  (void)place.tell("b", ClaimVerb::kRelease, "k", taken.token, "two thirds");
  BOOST_TEST(place.checkpoint("k") == "two thirds");
  token = place.take("a", "k").token;
  (void)place.tell("a", ClaimVerb::kRelease, "k", token);
  BOOST_TEST(place.checkpoint("k") == "none");
}

BOOST_AUTO_TEST_CASE(a_claim_is_handed_over_to_who_is_there) {
  Place place;
  for (const char* agent : {"a", "b"}) place.enter(agent);
  const FenceToken token = place.take("a", "k").token;
  BOOST_TEST(
      (place.tell("a", ClaimVerb::kHandover, "k", token, {}, "nobody").code == Code::kNotFound));
  BOOST_TEST((place.tell("b", ClaimVerb::kHandover, "k", token, {}, "b").reason ==
              Reason::kStaleToken));  // not b's to give
  const ClaimResult done = place.tell("a", ClaimVerb::kHandover, "k", token, "half", "b");
  BOOST_TEST((done.code == Code::kCommitted && done.token > token));
  const Claim held = *place.held("k");
  BOOST_TEST((held.holder.agent == AgentId("b") && held.handed_by == AgentId("a")));
  BOOST_TEST(place.put("a", "k", token) == "stale_token");
  BOOST_TEST(place.put("b", "k", done.token) == "committed");
  BOOST_TEST(place.checkpoint("k") == "half");
}

BOOST_AUTO_TEST_CASE(claims_survive_a_restart_and_tokens_go_on_growing) {
  Place place;
  place.enter("a");
  const FenceToken token = place.take("a", "k").token;
  CoordinatorState state;
  state.store.epoch = place.core.epoch();
  state.swarms = {place.core.swarm(SwarmId("s"))->stored_row()};
  state.records = {
      {SwarmId("s"), claim_key("k"), place.core.swarm(SwarmId("s"))->find(claim_key("k"))}};
  Place again(state);
  again.now.wall_millis = 999'999;  // a clock that was set back
  again.enter("b");
  BOOST_TEST(again.put("b", "k") == "claimed");
  BOOST_TEST(again.put("b", "k", token) == "committed");
  again.wait_with(kTtl, {"b"});
  BOOST_TEST((again.take("b", "k").token > token));
}

BOOST_AUTO_TEST_CASE(a_round_leaves_claimed_keys_alone) {
  Place place;
  const Welcome a = place.enter("a");
  const Welcome b = place.enter("b");
  place.receive(
      "a", SyncRequest{a.session, RequestId(5), {Key("k"), Key("free")}, false, 5'000, false, {}});
  place.close();
  BOOST_REQUIRE_EQUAL(place.broadcasts<StateRequest>().size(), 1u);
  const StateRequest asked = *place.broadcasts<StateRequest>()[0];
  (void)place.take("b", "k");
  for (const auto& [agent, welcome] : {std::pair{"a", a}, std::pair{"b", b}}) {
    StateResponse response{welcome.session, asked.round, AnswerKind::kAbsent, {}};
    for (const char* key : {"k", "free"})
      response.answers.push_back(
          {Key(key),
           AnswerKind::kOffer,
           {Register{ContentType::kText, agent}, {}, Hlc::of(1'000'000, 1)}});
    place.receive(agent, response);
  }
  place.close();
  const auto* report = place.to<SyncReport>("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST(place.core.swarm(SwarmId("s"))->find(Key("k")) == nullptr);
  BOOST_TEST(place.core.swarm(SwarmId("s"))->find(Key("free"))->live());
  for (const KeyReport& key : report->keys)
    BOOST_TEST(
        (key.outcome == (key.key == Key("k") ? RoundOutcome::kMoved : RoundOutcome::kResolved)));
  // Nor is one held about the claims themselves.
  place.receive("a",
                SyncRequest{a.session, RequestId(6), {Key("~claim/k")}, false, 5'000, false, {}});
  place.close();
  BOOST_TEST((place.to<SyncReport>("a")->code == Code::kRejected));
}

BOOST_AUTO_TEST_CASE(bad_requests_are_refused_with_what_is_wrong) {
  Place place;
  place.enter("a");
  place.enter("o", 1, Role::kObserver);
  for (const char* pattern : {"*", "~claim/x", ""})
    BOOST_TEST((place.take("a", pattern).code == Code::kRejected), pattern);
  ClaimRequest brief;
  brief.pattern = "k";
  for (const std::int64_t ttl : {std::int64_t{0}, std::int64_t{1}, limits::kClaimMillisMax + 1}) {
    brief.ttl_millis = ttl;
    BOOST_TEST((place.ask("a", brief).code == Code::kRejected), ttl);
  }
  BOOST_TEST(
      (place.tell("a", ClaimVerb::kRelease, "k", FenceToken(3)).reason == Reason::kStaleToken));
  brief.session = place.sessions.at("o").session;
  place.receive("o", brief);
  place.close();
  BOOST_TEST((place.to<ErrorReply>("o")->code == Code::kDenied));
  // With a full disk nothing is promised, and what is held stays held.
  const FenceToken token = place.take("a", "k").token;
  place.feed(SpaceChanged{false, "full"});
  BOOST_TEST((place.take("a", "l").code == Code::kUnavailable));
  place.wait_with(2 * kTtl, {"a"});
  BOOST_TEST(place.held("k").has_value());
  place.feed(SpaceChanged{true, {}});
  place.wait_with(1'000, {"a"});
  BOOST_TEST(!place.held("k").has_value());
  BOOST_TEST(place.put("a", "k", token) == "stale_token");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
