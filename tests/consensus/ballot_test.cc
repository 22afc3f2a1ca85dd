#include "consensus/ballot.h"

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/prng.h"

namespace waggle {
namespace {

// "f", "a", "-" (abstains) and "." (silent), a letter for each voter; voters are v0, v1, ...
Votes votes_of(const std::string& letters) {
  Votes votes;
  for (std::size_t i = 0; i < letters.size(); ++i)
    if (letters[i] != '.')
      votes[AgentId(fmt::format("v{}", i))] = letters[i] == 'f'   ? Stance::kFor
                                              : letters[i] == 'a' ? Stance::kAgainst
                                                                  : Stance::kAbstain;
  return votes;
}
Electorate voters(std::size_t count, const std::vector<std::uint32_t>& weights = {},
                  const std::vector<std::string>& groups = {}) {
  Electorate electorate;
  for (std::size_t i = 0; i < count; ++i)
    electorate[AgentId(fmt::format("v{}", i))] = {i < weights.size() ? weights[i] : 1,
                                                  i < groups.size() ? groups[i] : ""};
  return electorate;
}
std::string outcome(const BallotRule& rule, const std::string& letters, bool closes = false) {
  return std::string(to_text(decide(rule, voters(letters.size()), votes_of(letters), closes)));
}

BOOST_AUTO_TEST_SUITE(ballot_test)

BOOST_AUTO_TEST_CASE(of_the_electorate_silence_is_no_consent) {
  const BallotRule simple;
  struct Case {
    const char* votes;
    const char* open;    // while votes may come
    const char* closed;  // when the time is over
  };
  const std::vector<Case> cases = {
      {"fff", "approved", "approved"},   {"ff.", "approved", "approved"},
      {"f..", "open", "timeout"},        {"...", "open", "timeout"},
      {"aa.", "rejected", "rejected"},   {"fa.", "open", "timeout"},
      {"fa", "rejected", "rejected"},  // a tie
      {"f-", "no_quorum", "no_quorum"},  {"---", "no_quorum", "no_quorum"},
      {"--.", "no_quorum", "no_quorum"}, {"f.-", "open", "timeout"},
      {"", "no_quorum", "no_quorum"},    {"f", "approved", "approved"},
      {"a", "rejected", "rejected"}};
  for (const Case& test : cases) {
    BOOST_TEST(outcome(simple, test.votes) == test.open, test.votes);
    BOOST_TEST(outcome(simple, test.votes, true) == test.closed, test.votes);
  }
}

BOOST_AUTO_TEST_CASE(thresholds_are_counted_in_integers) {
  const auto at = [](std::uint32_t permille, const std::string& votes) {
    return outcome({.threshold_permille = permille}, votes);
  };
  BOOST_TEST(at(660, "ff.") == "approved");  // 2 of 3 is more than 0.66
  BOOST_TEST(at(667, "ff.") == "open");
  BOOST_TEST(at(750, "fff.") == "approved");
  BOOST_TEST(at(750, "ff..") == "open");
  BOOST_TEST(at(750, "aa..") == "rejected");
  BOOST_TEST(at(1000, "ffff") == "approved");
  BOOST_TEST(at(1000, "fff.") == "open");
  BOOST_TEST(at(1000, "a...") == "rejected");
  BOOST_TEST(at(1000, "-...") == "no_quorum");
  BOOST_TEST(at(1, "f...") == "approved");
  BOOST_TEST(at(1, "aaaa") == "rejected");
  BOOST_TEST(at(500, "fa") == "approved");
}

BOOST_AUTO_TEST_CASE(of_the_votes_cast_only_who_is_for_or_against_counts) {
  const BallotRule rule{.of_cast = true};
  BOOST_TEST(outcome(rule, "ff...") == "open");
  BOOST_TEST(outcome(rule, "fff..") == "approved");
  BOOST_TEST(outcome(rule, "aaa..") == "rejected");
  BOOST_TEST(outcome(rule, "f....", true) == "approved");
  BOOST_TEST(outcome(rule, "a....", true) == "rejected");
  BOOST_TEST(outcome(rule, "fa---") == "rejected");  // a tie
  BOOST_TEST(outcome(rule, "-----") == "no_quorum");
  BOOST_TEST(outcome(rule, ".....", true) == "timeout");
  BOOST_TEST(outcome(rule, "f----") == "approved");
  const BallotRule floor{.of_cast = true, .participation_permille = 600};
  BOOST_TEST(outcome(floor, "ff...", true) == "no_quorum");
  BOOST_TEST(outcome(floor, "ff-..", true) == "approved");  // abstaining takes part
  BOOST_TEST(outcome(floor, "f----") == "approved");
}

BOOST_AUTO_TEST_CASE(participation_is_a_floor_of_the_electorates_rule_too) {
  const BallotRule rule{.threshold_permille = 510, .participation_permille = 1000};
  BOOST_TEST(outcome(rule, "ff.") == "open");
  BOOST_TEST(outcome(rule, "ff.", true) == "timeout");
  BOOST_TEST(outcome(rule, "ff-") == "approved");
}

BOOST_AUTO_TEST_CASE(weights_and_groups_are_counted) {
  const BallotRule simple;
  const Electorate weighted = voters(3, {3, 1, 1});
  BOOST_TEST((decide(simple, weighted, votes_of("f.."), false) == BallotState::kApproved));
  BOOST_TEST((decide(simple, weighted, votes_of("a.."), false) == BallotState::kRejected));
  BOOST_TEST((decide(simple, weighted, votes_of(".ff"), false) == BallotState::kOpen));
  BOOST_TEST((decide(simple, voters(2, {0, 0}), votes_of("ff"), false) == BallotState::kNoQuorum));

  // Four copies of one model and two others: three groups.
  const Electorate models = voters(6, {}, {"m", "m", "m", "m"});
  BallotRule independent{.groups_least = 2};
  BOOST_TEST((decide(independent, models, votes_of("ffff.."), false) == BallotState::kOpen));
  BOOST_TEST((decide(independent, models, votes_of("ffffaa"), false) == BallotState::kNoQuorum));
  BOOST_TEST((decide(independent, models, votes_of("ffff.f"), false) == BallotState::kApproved));
  independent.groups_least = 4;
  BOOST_TEST((decide(independent, models, votes_of("......"), false) == BallotState::kNoQuorum));
  // A cap of a third: the four count for two, of four in all.
  const BallotRule capped{.group_cap_permille = 334};
  BOOST_TEST((decide(capped, models, votes_of("ffff.."), false) == BallotState::kOpen));
  BOOST_TEST((decide(capped, models, votes_of("ffff.f"), false) == BallotState::kApproved));
  BOOST_TEST((decide(capped, models, votes_of("aaaaff"), false) == BallotState::kRejected));
  BOOST_TEST(tally(capped, models, votes_of("ffff.f")).all == 4u);
  BOOST_TEST(tally(capped, models, votes_of("ffff.f")).in_favour == 3u);
}

// What is decided early stays decided, whatever the missing votes would be; what is open is not.
BOOST_AUTO_TEST_CASE(an_early_outcome_is_one_that_no_missing_vote_can_change) {
  Prng random(9);
  int early = 0;
  int open = 0;
  for (int round = 0; round < 20'000; ++round) {
    BallotRule rule;
    rule.threshold_permille = static_cast<std::uint32_t>(random.between(1, 1000));
    rule.of_cast = random.chance(1, 2);
    if (random.chance(1, 3))
      rule.participation_permille = static_cast<std::uint32_t>(random.between(0, 1000));
    if (random.chance(1, 3)) rule.groups_least = static_cast<std::uint32_t>(random.below(4));
    if (random.chance(1, 3))
      rule.group_cap_permille = static_cast<std::uint32_t>(random.between(200, 1000));
    const std::size_t count = 1 + random.below(5);
    std::vector<std::uint32_t> weights;
    std::vector<std::string> groups;
    for (std::size_t i = 0; i < count; ++i) {
      weights.push_back(static_cast<std::uint32_t>(random.below(4)));
      groups.push_back(random.chance(1, 2) ? "" : std::string(1, "xy"[random.below(2)]));
    }
    const Electorate electorate = voters(count, weights, groups);
    std::string letters;
    for (std::size_t i = 0; i < count; ++i) letters += "fa-."[random.below(4)];
    const BallotState now = decide(rule, electorate, votes_of(letters), false);
    // From sums that are kept along it is the same, however the votes came.
    BallotSums sums(electorate, {});
    for (const auto& [agent, stance] : votes_of(letters)) {
      const auto first = static_cast<Stance>(random.below(3));
      sums.vote(electorate.at(agent), std::nullopt, first);
      sums.vote(electorate.at(agent), first, stance);
    }
    for (const bool closes : {false, true}) {
      const BallotState whole = decide(rule, electorate, votes_of(letters), closes);
      BOOST_TEST_REQUIRE((decide(rule, electorate, votes_of(letters), closes, sums) == whole));
      const BallotSums anew(electorate, votes_of(letters));
      BOOST_TEST_REQUIRE((decide(rule, electorate, votes_of(letters), closes, anew) == whole));
    }
    // All ways to fill in who is missing, and silence to the end.
    std::vector<std::string> filled = {""};
    for (const char letter : letters) {
      std::vector<std::string> longer;
      for (const std::string& one : filled)
        for (const char with : letter == '.' ? std::string("fa-.") : std::string(1, letter))
          longer.push_back(one + with);
      filled = std::move(longer);
    }
    std::set<BallotState> ends;
    for (const std::string& all : filled)
      ends.insert(decide(rule, electorate, votes_of(all), true));
    BOOST_TEST_REQUIRE(!ends.contains(BallotState::kOpen));
    if (now == BallotState::kOpen) {
      ++open;
    } else {
      ++early;
      if (now == BallotState::kApproved) BOOST_TEST_REQUIRE(ends.size() == 1u, letters);
      BOOST_TEST_REQUIRE(ends.contains(BallotState::kApproved) == (now == BallotState::kApproved),
                         letters << " " << to_text(now));
    }
  }
  BOOST_TEST((early > 2'000 && open > 2'000));
}

BOOST_AUTO_TEST_CASE(a_rule_has_a_shape_and_words_come_back) {
  BOOST_TEST(check_rule({}).has_value());
  BOOST_TEST(!check_rule({.threshold_permille = 0}).has_value());
  BOOST_TEST(!check_rule({.threshold_permille = 1500}).has_value());
  BOOST_TEST(check_rule({.threshold_permille = 1500}).error().text.find("1.500") !=
             std::string::npos);
  BOOST_TEST(!check_rule({.participation_permille = 1001}).has_value());
  BOOST_TEST(!check_rule({.group_cap_permille = 0}).has_value());
  for (const Stance stance : {Stance::kFor, Stance::kAgainst, Stance::kAbstain})
    BOOST_TEST((*stance_of(to_text(stance)) == stance));
  BOOST_TEST(!stance_of("maybe").has_value());
  for (int state = 0; state <= static_cast<int>(BallotState::kSuperseded); ++state)
    BOOST_TEST((*ballot_state_of(to_text(static_cast<BallotState>(state))) ==
                static_cast<BallotState>(state)));
  BOOST_TEST(!ballot_state_of("soon").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

// ---- liars -------------------------------------------------------------------------------------

BallotRule with_liars(std::uint32_t faults) {
  BallotRule rule;
  rule.faults = faults;
  return rule;
}

BOOST_AUTO_TEST_CASE(with_liars_so_many_decide_that_no_two_outcomes_can) {
  BOOST_TEST(voices_needed(0, 1) == 1u);
  BOOST_TEST(voices_needed(1, 4) == 3u);
  BOOST_TEST(voices_needed(2, 7) == 5u);
  BOOST_TEST(voices_needed(1, 10) == 6u);
  // Two such sets share more than f voters, and the honest ones alone can reach it.
  for (std::uint64_t faults = 0; faults < 20; ++faults)
    for (std::uint64_t voters = 3 * faults + 1; voters < 100; ++voters) {
      const std::uint64_t needed = voices_needed(faults, voters);
      BOOST_TEST(2 * needed - voters > faults);
      BOOST_TEST(needed <= voters - faults);
    }
}

BOOST_AUTO_TEST_CASE(four_voters_of_whom_one_may_lie) {
  Electorate electorate;
  for (const char* name : {"a", "b", "c", "d"}) electorate.emplace(AgentId(name), Voter{1'000, {}});
  const BallotRule rule = with_liars(1);
  BOOST_REQUIRE(check_rule(rule));
  BOOST_REQUIRE(check_electorate(rule, electorate));
  const auto state = [&](const char* votes, bool closes = false) {
    Votes cast;
    for (const char* at = votes; *at != '\0'; ++at)
      if (*at != '.')
        cast.emplace(AgentId(std::string(1, static_cast<char>('a' + (at - votes)))),
                     *at == '+'   ? Stance::kFor
                     : *at == '-' ? Stance::kAgainst
                                  : Stance::kAbstain);
    const BallotState one = decide(rule, electorate, cast, closes);
    BOOST_TEST((one == decide(rule, electorate, cast, closes, BallotSums(electorate, cast))));
    return to_text(one);
  };
  BOOST_TEST(state("....") == "open");
  BOOST_TEST(state("++..") == "open");
  BOOST_TEST(state("+++.") == "approved");
  BOOST_TEST(state("+++-") == "approved");
  BOOST_TEST(state("-...") == "open");
  BOOST_TEST(state("--..") == "rejected");
  BOOST_TEST(state("++-0") == "no_quorum");
  BOOST_TEST(state("00..") == "no_quorum");
  BOOST_TEST(state("++..", true) == "timeout");
  BOOST_TEST(state("....", true) == "timeout");
}

BOOST_AUTO_TEST_CASE(too_few_voters_and_unequal_voices_are_refused) {
  Electorate electorate;
  for (const char* name : {"a", "b", "c"}) electorate.emplace(AgentId(name), Voter{1'000, {}});
  BOOST_TEST(check_electorate(with_liars(0), electorate).has_value());
  const Status few = check_electorate(with_liars(1), electorate);
  BOOST_REQUIRE(!few);
  BOOST_TEST(few.error().text.find("at least 4 voters") != std::string::npos);
  electorate.emplace(AgentId("d"), Voter{2'000, {}});
  BOOST_TEST(!check_electorate(with_liars(1), electorate));
  BOOST_TEST(!check_electorate(with_liars(1), {}));
  BOOST_TEST(check_electorate(BallotRule{}, {}).has_value());
  BallotRule mixed = with_liars(1);
  mixed.of_cast = true;
  BOOST_TEST(!check_rule(mixed));
  mixed = with_liars(1);
  mixed.groups_least = 2;
  BOOST_TEST(!check_rule(mixed));
}

}  // namespace
}  // namespace waggle
