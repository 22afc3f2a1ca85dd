// How votes on several options come to one of them, and that it is never decided too early.

#include "consensus/choice.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

using Choice = std::vector<std::uint32_t>;

struct Ballots {
  BallotRule rule;
  ChoiceMethod method = ChoiceMethod::kApproval;
  std::uint32_t options = 3;
  Electorate electorate;
  Choices choices;

  explicit Ballots(std::size_t voters, ChoiceMethod by = ChoiceMethod::kApproval) : method(by) {
    rule.threshold_permille = 300;
    for (std::size_t n = 0; n < voters; ++n) electorate[AgentId("v" + std::to_string(n))] = {1, {}};
  }
  Ballots& vote(std::vector<Choice> votes) {
    for (Choice& one : votes)
      choices.emplace(AgentId("v" + std::to_string(choices.size())), std::move(one));
    return *this;
  }
  [[nodiscard]] ChoiceOutcome outcome(bool closes = false) const {
    return decide(rule, method, options, electorate, choices, closes);
  }
  // "2" for the third option, else the state.
  [[nodiscard]] std::string word(bool closes = false) const {
    const ChoiceOutcome end = outcome(closes);
    return end.chosen ? std::to_string(*end.chosen) : std::string(to_text(end.state));
  }
};

BOOST_AUTO_TEST_SUITE(choice)

BOOST_AUTO_TEST_CASE(the_option_that_most_approve_is_chosen) {
  BOOST_TEST(Ballots(3).vote({{0}, {1, 0}, {1, 2}}).word() == "rejected");  // 0 and 1 tie
  BOOST_TEST(Ballots(3).vote({{0, 2}, {1, 2}, {2}}).word() == "2");
  BOOST_TEST(Ballots(4).vote({{0}, {0, 1}, {1}, {}}).word() == "rejected");
  BOOST_TEST(Ballots(4).vote({{0}, {0, 1}, {0}, {}}).word() == "0");
}

BOOST_AUTO_TEST_CASE(an_approval_is_decided_when_no_missing_vote_can_change_it) {
  BOOST_TEST(Ballots(5).vote({{0}, {0}}).word() == "open");
  BOOST_TEST(Ballots(5).vote({{0}, {0}, {0}}).word() == "0");
  BOOST_TEST(Ballots(5).vote({{0}, {0}, {0, 1}}).word() == "open");  // 1 can come to three
}

BOOST_AUTO_TEST_CASE(whoever_is_first_on_enough_votes_needs_no_run_off) {
  Ballots ballots(5, ChoiceMethod::kRunoff);
  ballots.rule.threshold_permille = 510;
  ballots.vote({{0}, {0, 1}, {0}});
  BOOST_TEST(ballots.word() == "0");
  BOOST_TEST(!tally(ballots.rule, ballots.method, 3, ballots.electorate, ballots.choices)
                  .finalists.has_value());
}

BOOST_AUTO_TEST_CASE(else_the_two_that_are_first_most_often_are_compared) {
  Ballots ballots(5, ChoiceMethod::kRunoff);
  ballots.rule.threshold_permille = 510;
  ballots.vote({{0}, {0}, {1}, {1}});
  BOOST_TEST(ballots.word() == "open");  // the last one decides
  ballots.vote({{2, 1}});
  BOOST_TEST(ballots.word() == "1");
  const ChoiceTally sum =
      tally(ballots.rule, ballots.method, 3, ballots.electorate, ballots.choices);
  BOOST_TEST((sum.finalists == std::pair(0u, 1u) && sum.final_scores.second == 3u));
  // Who ranks neither of the two has no say in it.
  Ballots without(5, ChoiceMethod::kRunoff);
  without.rule.threshold_permille = 510;
  without.vote({{0}, {0}, {1}, {1}, {2}});
  BOOST_TEST(without.word() == "rejected");
  without.rule.of_cast = true;
  BOOST_TEST(without.word() == "rejected");  // a tie still
  // Three tie for two places: those that were listed first have them.
  Ballots three(3, ChoiceMethod::kRunoff);
  three.rule.threshold_permille = 510;
  three.vote({{2}, {1, 0}, {0}});
  BOOST_TEST((tally(three.rule, three.method, 3, three.electorate, three.choices).finalists ==
              std::pair(0u, 1u)));
}

BOOST_AUTO_TEST_CASE(the_threshold_participation_and_groups_hold_for_the_one_that_is_chosen) {
  Ballots ballots(4);
  ballots.rule.threshold_permille = 510;
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}}).word(true) == "timeout");
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}, {1}, {1}}).word() == "rejected");
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}, {1}, {}}).word() == "no_quorum");
  ballots.rule.of_cast = true;
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}}).word(true) == "0");
  ballots.rule.participation_permille = 750;
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}}).word(true) == "timeout");
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}, {}}).word(true) == "0");
  ballots.rule.groups_least = 2;
  for (auto& [agent, voter] : ballots.electorate) voter.group = "one model";
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}, {0}, {0}}).word() == "no_quorum");
  ballots.electorate[AgentId("v3")].group = "another";
  BOOST_TEST(Ballots(ballots).vote({{0}, {0}, {0}, {0}}).word() == "0");
}

BOOST_AUTO_TEST_CASE(a_cap_bounds_what_one_group_counts_for) {
  Ballots ballots(5);
  for (const char* agent : {"v0", "v1", "v2"}) ballots.electorate[AgentId(agent)].group = "copies";
  ballots.vote({{0}, {0}, {0}, {1}, {1}});
  BOOST_TEST(ballots.word() == "0");
  ballots.rule.group_cap_permille = 200;
  BOOST_TEST(ballots.word() == "1");
}

BOOST_AUTO_TEST_CASE(nothing_hangs_on_nobody_and_on_abstentions) {
  for (const ChoiceMethod method : {ChoiceMethod::kApproval, ChoiceMethod::kRunoff}) {
    BOOST_TEST(Ballots(0, method).word() == "no_quorum");
    BOOST_TEST(Ballots(2, method).word(true) == "timeout");
    BOOST_TEST(Ballots(2, method).vote({{}, {}}).word() == "no_quorum");
  }
}

// Every way in which those who are missing could vote.
void complete(Ballots ballots, std::size_t voter, std::set<std::pair<int, int>>& ends) {
  static const std::vector<Choice> kWays = {{},     {0},    {1},    {2},       {0, 1},
                                            {1, 2}, {2, 0}, {2, 1}, {0, 1, 2}, {1, 0, 2}};
  if (voter == ballots.electorate.size()) {
    const ChoiceOutcome end = ballots.outcome();
    BOOST_TEST_REQUIRE((end.state != BallotState::kOpen));
    ends.emplace(static_cast<int>(end.state), end.chosen ? static_cast<int>(*end.chosen) : -1);
    return;
  }
  const AgentId agent("v" + std::to_string(voter));
  for (const Choice& way : kWays) {
    ballots.choices[agent] = way;
    complete(ballots, voter + 1, ends);
  }
}

BOOST_AUTO_TEST_CASE(what_is_decided_early_no_missing_vote_can_change) {
  Prng random(3);
  int early = 0;
  int open_approvals = 0;
  for (int n = 0; n < 600; ++n) {
    Ballots ballots(5, random.chance(1, 2) ? ChoiceMethod::kApproval : ChoiceMethod::kRunoff);
    ballots.rule.threshold_permille = static_cast<std::uint32_t>(random.between(200, 700));
    ballots.rule.of_cast = random.chance(1, 2);
    if (random.chance(1, 3)) ballots.rule.participation_permille = 500;
    if (random.chance(1, 4)) ballots.rule.groups_least = 2;
    if (random.chance(1, 4)) ballots.rule.group_cap_permille = 300;
    for (auto& [agent, voter] : ballots.electorate) {
      voter.weight = static_cast<std::uint32_t>(random.between(0, 3));
      if (random.chance(1, 3)) voter.group = "m";
    }
    const auto voted = static_cast<std::size_t>(random.between(3, 4));
    for (std::size_t v = 0; v < voted; ++v) {
      Choice choice;
      for (std::uint32_t option = 0; option < 3; ++option)
        if (random.chance(1, 2))
          choice.insert(random.chance(1, 2) ? choice.begin() : choice.end(), option);
      ballots.choices[AgentId("v" + std::to_string(v))] = choice;
    }
    const ChoiceOutcome now = ballots.outcome();
    std::set<std::pair<int, int>> ends;
    complete(ballots, voted, ends);
    if (now.state == BallotState::kOpen) {
      open_approvals += ends.size() > 1 ? 1 : 0;
      continue;
    }
    ++early;
    // What was rejected early may have lacked a quorum too, but is never approved.
    for (const auto& [state, chosen] : ends)
      BOOST_TEST_REQUIRE((now.state == BallotState::kApproved
                              ? chosen == static_cast<int>(*now.chosen)
                              : state != static_cast<int>(BallotState::kApproved)));
  }
  BOOST_TEST((early > 50 && open_approvals > 100));
}

// Of approvals without groups and caps it is decided at the first moment at which it can be.
BOOST_AUTO_TEST_CASE(an_approval_that_stays_open_can_still_end_in_two_ways) {
  Prng random(4);
  for (int n = 0; n < 400; ++n) {
    Ballots ballots(4);
    ballots.rule.threshold_permille = static_cast<std::uint32_t>(random.between(100, 900));
    ballots.rule.of_cast = random.chance(1, 2);
    const auto voted = static_cast<std::size_t>(random.between(1, 3));
    for (std::size_t v = 0; v < voted; ++v) {
      Choice choice;
      for (std::uint32_t option = 0; option < 3; ++option)
        if (random.chance(1, 2)) choice.push_back(option);
      ballots.choices[AgentId("v" + std::to_string(v))] = choice;
    }
    if (ballots.outcome().state != BallotState::kOpen) continue;
    std::set<std::pair<int, int>> ends;
    complete(ballots, voted, ends);
    BOOST_TEST_REQUIRE(ends.size() > 1u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
