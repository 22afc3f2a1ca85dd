// Claims of an agent: asked until answered, renewed, lost; and the token that its writes bring.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "bench_of_bounds.h"
#include "consensus/claim_record.h"

namespace waggle {
namespace {

constexpr std::int64_t kTtl = 9'000;

struct Holder : BoundsBench {
  Holder() { attach(); }

  // The process of this agent, as its hello names it.
  [[nodiscard]] Claimant self() const { return {AgentId("a"), core.outbox().incarnation()}; }
  void ask(ClaimVerb verb, const std::string& pattern, std::int64_t wait = 0, bool renews = true) {
    ClaimCommand command;
    command.request = RequestId(++commands);
    command.verb = verb;
    command.pattern = pattern;
    if (verb == ClaimVerb::kTake) command.ttl_millis = kTtl;
    if (verb == ClaimVerb::kHandover) command.to = AgentId("b");
    command.wait_millis = wait;
    command.renews = renews;
    feed(Command(std::move(command)));
  }
  void answer(const ClaimRequest& asked, Code code, std::uint64_t token = 0,
              std::uint64_t revision = 0, Reason reason = Reason::kNone, std::uint32_t place = 0) {
    ClaimResult result;
    result.session = SessionId(1);
    result.request = asked.request;
    result.pattern = asked.pattern;
    result.code = code;
    result.reason = reason;
    result.token = FenceToken(token);
    result.ttl_millis = kTtl;
    result.revision = Revision(revision);
    result.place = place;
    receive(std::move(result));
  }
  void hold(const std::string& pattern, std::uint64_t token, std::uint64_t revision = 0,
            bool renews = true) {
    ask(ClaimVerb::kTake, pattern, 0, renews);
    BOOST_REQUIRE(up<ClaimRequest>() != nullptr);
    answer(*up<ClaimRequest>(), Code::kCommitted, token, revision);
    BOOST_REQUIRE(told<ClaimDone>() != nullptr);
  }
  static Change record(const std::string& pattern, std::uint64_t version,
                       std::optional<Claim> claim, const std::string& checkpoint = {}) {
    auto record = std::make_shared<Record>();
    record->version = Revision(version);
    record->writer = {AgentId(kCoordinatorName), Incarnation(1), {}};
    if (claim || !checkpoint.empty()) record->value = Register{ContentType::kText, checkpoint};
    if (record->value) record->content = content_hash(*record->value);
    if (claim) record->metadata = to_metadata(*claim);
    if (!claim && record->value) record->metadata = {{"ended", "its time was over"}};
    return {claim_key(pattern), std::move(record)};
  }
  [[nodiscard]] Claim claim(const std::string& pattern, std::uint64_t token, Claimant holder,
                            const char* from = "") const {
    Claim claim;
    claim.pattern = pattern;
    claim.holder = std::move(holder);
    claim.token = FenceToken(token);
    claim.ttl_millis = kTtl;
    claim.handed_by = AgentId(from);
    return claim;
  }
  void put(std::vector<const char*> keys, std::uint64_t fence = 0) {
    std::vector<Entry> entries;
    for (const char* key : keys)
      entries.push_back({Key(key), {}, PutOp{ContentType::kText, "v"}, {}});
    feed(Command(WriteCommand{RequestId(++commands), std::move(entries), {}, FenceToken(fence)}));
  }
  [[nodiscard]] std::uint64_t fence() const { return up<Submit>()->mutations.back().fence.value(); }

  std::uint64_t commands = 0;
};

BOOST_AUTO_TEST_SUITE(own_claims)

BOOST_AUTO_TEST_CASE(a_claim_is_asked_for_until_it_is_answered) {
  Holder bench;
  bench.ask(ClaimVerb::kTake, "plan/*");
  const ClaimRequest first = *bench.up<ClaimRequest>();
  BOOST_TEST((first.session == SessionId(1) && first.verb == ClaimVerb::kTake &&
              first.pattern == "plan/*" && first.ttl_millis == kTtl));
  bench.wait(999);
  BOOST_TEST(bench.up<ClaimRequest>() == nullptr);
  bench.wait(1);
  BOOST_REQUIRE(bench.up<ClaimRequest>() != nullptr);
  BOOST_TEST((bench.up<ClaimRequest>()->request == first.request));
  bench.answer(first, Code::kUnavailable);  // a full disk: not the last word
  BOOST_TEST((bench.told<ClaimDone>() == nullptr));
  bench.answer(first, Code::kCommitted, 7);
  BOOST_REQUIRE((bench.told<ClaimDone>() != nullptr));
  BOOST_TEST((bench.told<ClaimDone>()->request == RequestId(1) &&
              bench.told<ClaimDone>()->result.token == FenceToken(7)));
  bench.answer(first, Code::kCommitted, 7);
  BOOST_TEST((bench.told<ClaimDone>() == nullptr));
}

BOOST_AUTO_TEST_CASE(its_place_in_line_is_told_once_and_silence_ends_in_its_time) {
  Holder bench;
  bench.ask(ClaimVerb::kTake, "k", 20'000);
  const ClaimRequest asked = *bench.up<ClaimRequest>();
  BOOST_TEST(asked.wait_millis == 20'000);
  bench.answer(asked, Code::kCommitted, 0, 0, Reason::kClaimed, 2);
  BOOST_REQUIRE((bench.told<ClaimWaits>() != nullptr));
  BOOST_TEST(bench.told<ClaimWaits>()->place == 2u);
  bench.answer(asked, Code::kCommitted, 0, 0, Reason::kClaimed, 1);
  BOOST_TEST((bench.told<ClaimWaits>() == nullptr));
  for (int second = 0; second < 29; ++second) {
    bench.wait(1'000);
    bench.receive(HeartbeatAck{SessionId(1), 1, {}, {}});
    BOOST_TEST((bench.told<ClaimDone>() == nullptr));
  }
  bench.wait(1'000);
  BOOST_REQUIRE((bench.told<ClaimDone>() != nullptr));
  BOOST_TEST((bench.told<ClaimDone>()->result.code == Code::kTimeout));
  // Granted all the same: given back.
  bench.hear(
      BoundsBench::update(0, 1, {Holder::record("k", 1, bench.claim("k", 5, bench.self()))}));
  bench.feed(Tick{});
  bool released = false;
  for (const auto* one : bench.ups<ClaimRequest>())
    released = released || (one->verb == ClaimVerb::kRelease && one->token == FenceToken(5));
  if (!released) {
    bench.wait(1'000);
    for (const auto* one : bench.ups<ClaimRequest>())
      released = released || (one->verb == ClaimVerb::kRelease && one->token == FenceToken(5));
  }
  BOOST_TEST(released);
}

BOOST_AUTO_TEST_CASE(writes_of_claimed_keys_bring_the_token_by_themselves) {
  Holder bench;
  bench.hold("plan/*", 7);
  bench.put({"plan/a"});
  BOOST_TEST(bench.fence() == 7u);
  bench.put({"else"});
  BOOST_TEST(bench.fence() == 0u);
  bench.put({"plan/a", "else"});
  BOOST_TEST(bench.fence() == 7u);
  bench.put({"plan/a"}, 99);  // named by the application
  BOOST_TEST(bench.fence() == 99u);
  bench.hold("job", 8);
  bench.put({"plan/a", "job"});
  BOOST_REQUIRE((bench.told<CommandFailed>() != nullptr));
  BOOST_TEST(bench.told<CommandFailed>()->error.text.find("two claims") != std::string::npos);
  bench.ask(ClaimVerb::kRelease, "plan/*");
  BOOST_TEST((bench.up<ClaimRequest>()->verb == ClaimVerb::kRelease &&
              bench.up<ClaimRequest>()->token == FenceToken(7)));
  bench.answer(*bench.up<ClaimRequest>(), Code::kCommitted, 7);
  bench.put({"plan/a"});
  BOOST_TEST(bench.fence() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_held_is_renewed_at_a_third_of_its_time) {
  Holder bench;
  bench.hold("k", 7);
  bench.wait(kTtl / 3 - 1);
  BOOST_TEST(bench.up<ClaimRequest>() == nullptr);
  bench.wait(1);
  BOOST_REQUIRE(bench.up<ClaimRequest>() != nullptr);
  const ClaimRequest renewal = *bench.up<ClaimRequest>();
  BOOST_TEST((renewal.verb == ClaimVerb::kRenew && renewal.token == FenceToken(7)));
  bench.answer(renewal, Code::kCommitted, 7);
  BOOST_TEST((bench.told<ClaimDone>() == nullptr));  // nobody asked for it
  bench.wait(kTtl - kTtl / 3);
  BOOST_TEST((bench.told<ClaimLost>() == nullptr));
}

BOOST_AUTO_TEST_CASE(without_an_answer_it_is_lost_when_its_time_is_over_counted_from_the_asking) {
  Holder bench;
  bench.hold("k", 7);
  for (int i = 0; i < 8; ++i) {
    bench.wait(1'000);
    bench.receive(HeartbeatAck{SessionId(1), 1, {}, {}});
    BOOST_TEST((bench.told<ClaimLost>() == nullptr));
  }
  bench.wait(1'000);
  BOOST_REQUIRE((bench.told<ClaimLost>() != nullptr));
  BOOST_TEST(
      (bench.told<ClaimLost>()->pattern == "k" && bench.told<ClaimLost>()->token == FenceToken(7)));
  // What it writes of it is to be refused, until the application knows: it releases or takes it.
  bench.put({"k"});
  BOOST_TEST(bench.fence() == 7u);
  bench.ask(ClaimVerb::kRelease, "k");
  BOOST_REQUIRE(bench.up<ClaimRequest>() != nullptr);
  bench.answer(*bench.up<ClaimRequest>(), Code::kDenied, 0, 0, Reason::kStaleToken);
  BOOST_TEST((bench.told<ClaimLost>() == nullptr));
  bench.put({"k"});
  BOOST_TEST(bench.fence() == 0u);
  // One that is not renewed, too.
  Holder brief;
  brief.hold("k", 7, 0, false);
  brief.wait(kTtl - 1);
  BOOST_TEST((brief.up<ClaimRequest>() == nullptr && brief.told<ClaimLost>() == nullptr));
  brief.wait(1);
  BOOST_TEST((brief.told<ClaimLost>() != nullptr));
}

BOOST_AUTO_TEST_CASE(that_it_is_lost_is_learned_from_an_answer_and_from_its_record) {
  Holder bench;
  bench.hold("k", 7);
  bench.wait(kTtl / 3);
  bench.answer(*bench.up<ClaimRequest>(), Code::kDenied, 0, 0, Reason::kStaleToken);
  BOOST_TEST((bench.told<ClaimLost>() != nullptr));

  Holder other;
  other.hold("k", 7, 5);
  // Records of before it was held say nothing; its own are no news.
  other.hear(BoundsBench::update(0, 4, {Holder::record("k", 4, std::nullopt)}));
  BOOST_TEST((other.told<ClaimLost>() == nullptr));
  other.hear(
      BoundsBench::update(4, 6, {Holder::record("k", 6, other.claim("k", 7, other.self()))}));
  BOOST_TEST((other.told<ClaimLost>() == nullptr));
  other.hear(BoundsBench::update(
      6, 7, {Holder::record("k", 7, other.claim("k", 9, {AgentId("b"), Incarnation(3)}))}));
  BOOST_REQUIRE((other.told<ClaimLost>() != nullptr));
  BOOST_TEST(other.told<ClaimLost>()->text.find("b holds it") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_it_gives_away_itself_is_not_lost) {
  Holder bench;
  bench.hold("k", 7, 1);
  bench.ask(ClaimVerb::kRelease, "k");
  const ClaimRequest release = *bench.up<ClaimRequest>();
  bench.hear(BoundsBench::update(0, 2, {Holder::record("k", 2, std::nullopt)}));
  // Its record answers too, and the answer says nothing new then.
  BOOST_TEST((bench.told<ClaimLost>() == nullptr && bench.told<ClaimDone>() != nullptr));
  BOOST_TEST((bench.told<ClaimDone>()->result.code == Code::kCommitted));
  bench.answer(release, Code::kCommitted, 7);
  BOOST_TEST((bench.told<ClaimDone>() == nullptr && bench.told<ClaimLost>() == nullptr));
  bench.ask(ClaimVerb::kRelease, "k");
  BOOST_TEST((bench.told<CommandFailed>() != nullptr));  // not held any more
  // A handover that is refused leaves it where it is.
  bench.hold("k", 8, 3);
  bench.ask(ClaimVerb::kHandover, "k");
  bench.answer(*bench.up<ClaimRequest>(), Code::kNotFound);
  bench.put({"k"});
  BOOST_TEST(bench.fence() == 8u);
}

// It was dead when it was put back, so nobody held it.
BOOST_AUTO_TEST_CASE(a_task_that_was_put_back_under_the_old_token_is_told_to_be_lost) {
  Holder bench;
  bench.hold("~task/t", 7, 5);
  const auto put_back = [&](const char* document) {
    bench.feed(Command(WriteCommand{RequestId(++bench.commands),
                                    {{Key("~task/t"), {}, PutOp{ContentType::kJson, document}, {}}},
                                    {},
                                    FenceToken(7)}));
    const Mutation sent = bench.up<Submit>()->mutations.back();
    MutationResult result{sent.incarnation, sent.seq, {}};
    result.outcome.code = Code::kCommitted;
    result.outcome.changed = true;
    result.outcome.revision = Revision(9);
    bench.receive(SubmitResult{SessionId(1), Holder::kEpoch, {result}});
    return bench.told<ClaimLost>() != nullptr;
  };
  BOOST_TEST(put_back(R"({"state":"open"})"));
  // A report that it is done ends the claim as it was meant to.
  bench.hold("~task/t", 7, 5);
  BOOST_TEST(!put_back(R"({"state":"done"})"));
}

BOOST_AUTO_TEST_CASE(a_task_that_an_own_earlier_write_put_back_is_told_to_be_lost) {
  Holder bench;
  bench.put({"~task/t"});  // not held yet: without a token
  const Mutation earlier = bench.up<Submit>()->mutations.at(0);
  bench.hold("~task/t", 7, 5);
  MutationResult result{earlier.incarnation, earlier.seq, {}};
  result.outcome.code = Code::kCommitted;
  result.outcome.changed = true;
  result.outcome.revision = Revision(9);
  bench.receive(SubmitResult{SessionId(1), Holder::kEpoch, {result}});
  BOOST_REQUIRE((bench.told<WriteSettled>() != nullptr && bench.told<ClaimLost>() != nullptr));
  BOOST_TEST(bench.told<ClaimLost>()->token.value() == 7u);
}

BOOST_AUTO_TEST_CASE(what_is_handed_over_to_it_is_told_and_renewed) {
  Holder bench;
  bench.hear(BoundsBench::update(
      0, 1, {Holder::record("k", 1, bench.claim("k", 9, bench.self(), "b"), "half")}));
  BOOST_REQUIRE((bench.told<ClaimGained>() != nullptr));
  const ClaimGained gained = *bench.told<ClaimGained>();
  BOOST_TEST((gained.token == FenceToken(9) && gained.from == AgentId("b")));
  BOOST_TEST(gained.checkpoint->bytes == "half");
  BOOST_REQUIRE(bench.up<ClaimRequest>() != nullptr);
  BOOST_TEST((bench.up<ClaimRequest>()->verb == ClaimVerb::kRenew));
  bench.put({"k"});
  BOOST_TEST(bench.fence() == 9u);
  // To another process of this agent it is nothing.
  Holder other;
  other.hear(BoundsBench::update(
      0, 1, {Holder::record("k", 1, other.claim("k", 9, {AgentId("a"), Incarnation(1)}, "b"))}));
  BOOST_TEST((other.told<ClaimGained>() == nullptr && other.up<ClaimRequest>() == nullptr));
}

BOOST_AUTO_TEST_CASE(what_was_asked_is_asked_anew_when_the_link_is_back) {
  Holder bench;
  bench.ask(ClaimVerb::kTake, "k", 60'000);
  const RequestId number = bench.up<ClaimRequest>()->request;
  bench.receive(NoSession{SessionId(1)});
  bench.wait(5'000);
  BOOST_TEST(bench.up<ClaimRequest>() == nullptr);
  bench.receive(bench.welcome_to(2, 0));
  bench.receive(Attached{SessionId(2), Revision(), {}});
  BOOST_REQUIRE(bench.up<ClaimRequest>() != nullptr);
  BOOST_TEST((bench.up<ClaimRequest>()->request == number &&
              bench.up<ClaimRequest>()->session == SessionId(2)));
}

BOOST_AUTO_TEST_CASE(what_can_be_seen_to_be_wrong_is_refused_at_once) {
  Holder bench;
  bench.ask(ClaimVerb::kTake, "*");
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kRejected));
  bench.ask(ClaimVerb::kRenew, "k");
  BOOST_TEST(bench.told<CommandFailed>()->error.text.find("take it first") != std::string::npos);
  bench.ask(ClaimVerb::kTake, "k");
  bench.feed(Command(LeaveCommand{}));
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kUnavailable));
  bench.ask(ClaimVerb::kTake, "k");
  BOOST_TEST((bench.told<CommandFailed>()->error.code == Code::kUnavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
