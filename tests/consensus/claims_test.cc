#include "consensus/claims.h"

#include <set>
#include <string>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/glob.h"
#include "base/limits.h"
#include "base/prng.h"
#include "consensus/claim_record.h"

namespace waggle {
namespace {

Claim claim(const std::string& pattern, std::uint64_t token = 1, const char* agent = "a") {
  Claim claim;
  claim.pattern = pattern;
  claim.holder = {AgentId(agent), Incarnation(1)};
  claim.token = FenceToken(token);
  claim.ttl_millis = 1'000;
  return claim;
}

WaitingClaim waiting(const std::string& pattern, std::uint64_t request, const char* agent = "w") {
  return {claim(pattern, 0, agent), SessionId(request), RequestId(request), Instant{60'000},
          Instant{0}};
}

// The requests that are granted now, in order, with made-up tokens.
std::string granted(Claims& claims) {
  std::string text;
  while (std::optional<WaitingClaim> next = claims.next_in_line(Instant{0})) {
    text += fmt::format("{} ", next->request.value());
    next->wanted.token = FenceToken(1'000 + next->request.value());
    claims.hold(next->wanted, Instant{90'000});
    claims.check_invariants();
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(claims_test)

BOOST_AUTO_TEST_CASE(patterns_and_times_have_a_shape) {
  for (const char* fine : {"plan", "plan/*", "plan/**", "?lan", "*/x", "leader/planner"})
    BOOST_TEST(check_claim_pattern(fine).has_value(), fine);
  const std::string longest(limits::kClaimBytes, 'x');
  BOOST_TEST(check_claim_pattern(longest).has_value());
  for (const std::string& wrong :
       {std::string(), std::string("*"), std::string("**"), std::string("?*"),
        std::string("~claim/x"), std::string("\xff"), longest + "x"}) {
    const Status refused = check_claim_pattern(wrong);
    BOOST_TEST_REQUIRE(!refused.has_value(), wrong);
    BOOST_TEST((refused.error().code == Code::kRejected));
  }
  BOOST_TEST(check_claim_pattern("**").error().text.find("only wildcards") != std::string::npos);
  BOOST_TEST(check_claim_time(limits::kClaimMillisMin).has_value());
  BOOST_TEST(check_claim_time(limits::kClaimMillisMax).has_value());
  for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{0}, limits::kClaimMillisMin - 1,
                                   limits::kClaimMillisMax + 1, INT64_MAX})
    BOOST_TEST(!check_claim_time(wrong).has_value());
}

BOOST_AUTO_TEST_CASE(a_claim_covers_the_keys_that_match_it) {
  Claims claims;
  claims.hold(claim("plan/*", 1), Instant{10});
  claims.hold(claim("job", 2), Instant{20});
  claims.hold(claim("j?b/x", 3), Instant{20});
  claims.check_invariants();
  BOOST_TEST((claims.over("plan/a/b") != nullptr && claims.over("plan/a/b")->token.value() == 1u));
  BOOST_TEST((claims.over("plan/") != nullptr && claims.over("job")->token.value() == 2u));
  BOOST_TEST((claims.over("jub/x") != nullptr && claims.over("plan/*") != nullptr));
  for (const char* free : {"plan", "job/", "jobs", "job/y", "", "jb/x"})
    BOOST_TEST(claims.over(free) == nullptr, free);
  for (const char* shares : {"plan/a", "plan/**", "p*", "*/x", "jo?", "?ob", "job"})
    BOOST_TEST(claims.overlapping(shares) != nullptr, shares);
  for (const char* free : {"plan", "plans/*", "job/y*", "k*"})
    BOOST_TEST(claims.overlapping(free) == nullptr, free);
  BOOST_TEST(claims.of_token(FenceToken(2))->pattern == "job");
  BOOST_TEST(claims.of_token(FenceToken(9)) == nullptr);
  claims.end("plan/*");
  claims.end("unknown");
  claims.check_invariants();
  BOOST_TEST((claims.over("plan/a") == nullptr && claims.of_token(FenceToken(1)) == nullptr));
}

BOOST_AUTO_TEST_CASE(at_random_cover_and_overlap_are_what_trying_each_says) {
  Prng random(3);
  const auto some = [&] {
    std::string text;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) text += "ab/*?"[random.below(5)];
    return text;
  };
  Claims claims;
  std::set<std::string> held;
  std::uint64_t token = 0;
  int clashes = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string pattern = some();
    const bool shares = std::ranges::any_of(
        held, [&](const std::string& one) { return globs_overlap(one, pattern); });
    BOOST_TEST_REQUIRE((claims.overlapping(pattern) != nullptr) == shares, pattern);
    clashes += shares ? 1 : 0;
    if (!shares) {
      claims.hold(claim(pattern, ++token), Instant{step});
      held.insert(pattern);
    } else if (random.chance(1, 2)) {
      const std::string gone = claims.overlapping(pattern)->pattern;
      claims.end(gone);
      held.erase(gone);
    }
    const std::string key = some();
    const bool covered =
        std::ranges::any_of(held, [&](const std::string& one) { return glob_match(one, key); });
    BOOST_TEST_REQUIRE((claims.over(key) != nullptr) == covered, key);
    if (step % 100 == 0) claims.check_invariants();
  }
  BOOST_TEST((clashes > 1'000 && token > 1'000u));
}

BOOST_AUTO_TEST_CASE(claims_end_in_time_and_get_time_when_the_coordinator_stood_still) {
  Claims claims;
  claims.hold(claim("a", 1), Instant{100});
  claims.hold(claim("b", 2), Instant{200});
  BOOST_TEST((claims.next_wake() == Instant{100}));
  BOOST_TEST(claims.due(Instant{99}).empty());
  BOOST_TEST((claims.due(Instant{100}) == std::vector<std::string>{"a"}));
  claims.ends_at("a", Instant{300});
  BOOST_TEST((claims.due(Instant{200}) == std::vector<std::string>{"b"}));
  claims.give_time(Millis{1'000});
  claims.check_invariants();
  BOOST_TEST(claims.due(Instant{1'199}).empty());
  BOOST_TEST((claims.end_of("a") == Instant{1'300}));
}

// ---- the line ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_line_is_fair_among_those_who_share_a_key) {
  Claims claims;
  claims.hold(claim("plan/a", 1), Instant{10});
  BOOST_TEST(*claims.line().wait(waiting("plan/*", 1)) == 1u);
  BOOST_TEST(*claims.line().wait(waiting("plan/b", 2)) == 2u);  // free, but behind the one before
  BOOST_TEST(*claims.line().wait(waiting("job", 3)) == 1u);
  BOOST_TEST(*claims.line().wait(waiting("plan/*", 1)) == 1u);  // asked again: its place stays
  BOOST_TEST(claims.line().size() == 3u);
  BOOST_TEST(
      (claims.line().somebody_waits_for("plan/c") && !claims.line().somebody_waits_for("other")));
  BOOST_TEST(granted(claims) == "3 ");
  claims.end("plan/a");
  BOOST_TEST(granted(claims) == "1 ");
  claims.end("plan/*");
  BOOST_TEST(granted(claims) == "2 ");
  BOOST_TEST(claims.line().size() == 0u);
}

BOOST_AUTO_TEST_CASE(whoever_leaves_the_line_or_falls_silent_holds_up_nobody) {
  Claims claims;
  claims.hold(claim("k", 1), Instant{90'000});
  (void)claims.line().wait(waiting("k", 1, "x"));
  (void)claims.line().wait(waiting("k", 2, "y"));
  (void)claims.line().wait(waiting("k", 3, "z"));
  claims.line().stop_waiting(Claimant{AgentId("x"), Incarnation(1)});
  claims.line().stop_waiting(Claimant{AgentId("y"), Incarnation(1)}, RequestId(2));
  BOOST_TEST(claims.line().size() == 1u);
  BOOST_TEST(claims.line().take_tired(Instant{14'999}).empty());
  WaitingClaim again = waiting("k", 3, "z");
  again.heard = Instant{14'000};
  BOOST_TEST(*claims.line().wait(again) == 1u);
  BOOST_TEST(claims.line().take_tired(Instant{15'000}).empty());
  BOOST_TEST((claims.next_wake() == Instant{29'000}));
  BOOST_TEST(claims.line().take_tired(Instant{29'000}).size() == 1u);
  // The time that it gave itself counts too.
  WaitingClaim brief = waiting("k", 4);
  brief.until = Instant{100};
  (void)claims.line().wait(brief);
  BOOST_TEST(claims.line().take_tired(Instant{100}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(there_are_bounds) {
  Claims claims;
  for (std::size_t i = 0; i < limits::kClaimPatterns; ++i)
    claims.hold(claim(fmt::format("p{}/*", i), i + 1), Instant{10});
  BOOST_TEST((claims.room_for("q/*").error().code == Code::kOverloaded));
  BOOST_TEST(claims.room_for("q").has_value());
  for (std::size_t i = claims.size(); i < limits::kClaims; ++i)
    claims.hold(claim(fmt::format("k{}", i), i + 1), Instant{10});
  BOOST_TEST((claims.room_for("q").error().code == Code::kOverloaded));
  for (std::size_t i = 0; i < limits::kClaimsWaiting; ++i)
    BOOST_TEST_REQUIRE(claims.line().wait(waiting("p0/x", i + 1)).has_value());
  BOOST_TEST((claims.line().wait(waiting("p0/x", 1'000'000)).error().code == Code::kOverloaded));
}

// ---- the record --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_claim_comes_back_from_its_record) {
  Claim held = claim("plan/*", 1'234'567'890'123);
  held.label = "night shift";
  held.handed_by = AgentId("b");
  held.of_session = true;
  held.holder.process = Incarnation(0xfeedfacecafebeef);
  Record record;
  record.value = Register{ContentType::kText, ""};
  record.metadata = to_metadata(held);
  BOOST_TEST((claim_of(claim_key("plan/*"), record) == held));
  BOOST_TEST(!checkpoint_of(&record).has_value());
  record.value = Register{ContentType::kText, "half"};
  BOOST_TEST(checkpoint_of(&record)->bytes == "half");
  // Nobody's, or not one at all.
  BOOST_TEST(!claim_of(Key("plan/*"), record));
  for (const char* name : {"holder", "process", "token", "ttl_ms"}) {
    Record without = record;
    without.metadata.erase(name);
    BOOST_TEST(!claim_of(claim_key("plan/*"), without), name);
    without.metadata[name] = name == std::string("holder") ? "" : "x";
    BOOST_TEST(!claim_of(claim_key("plan/*"), without), name);
  }
  record.value.reset();
  BOOST_TEST(!claim_of(claim_key("plan/*"), record));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
