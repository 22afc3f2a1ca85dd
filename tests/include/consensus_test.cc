// Proposals and votes as a user of the library sees them.

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <waggle/consensus.h>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

AgentEvents voting(Vote vote, std::atomic<int>& asked) {
  AgentEvents events;
  events.on_proposal = [&asked, vote](const ProposalView& proposal) -> std::optional<Vote> {
    ++asked;
    if (proposal.title == "none of my business") return std::nullopt;
    return vote;
  };
  return events;
}

}  // namespace

BOOST_AUTO_TEST_CASE(agents_that_answer_proposals_decide_at_once) {
  const auto hive = serve();
  std::atomic<int> asked{0};
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"), voting(Vote::kFor, asked));
  const auto eve = join(member(*hive, "eve"), voting(Vote::kFor, asked));
  ConsensusManager consensus(*ada);
  const ProposalView approved = take(consensus.request_consensus(
      {.title = "go north",
       .body_json = R"({"why":"food"})",
       .writes = {{.key = "plan/goal", .text = "north"},
                  {.key = "plan/steps", .text = R"([1,2])", .json = true}}}));
  BOOST_TEST((approved.state == ProposalState::kApproved && approved.applied.value_or(false)));
  BOOST_TEST((approved.by == "ada" && approved.body_json == R"({"why":"food"})"));
  BOOST_TEST(approved.votes.size() == 2u);
  const StateItem goal = take(ada->get("plan/goal", approved.version));
  BOOST_TEST((goal.bytes == "north" && goal.metadata.at("proposal") == approved.id));
  BOOST_TEST(asked == 2);
  // Unanimous needs ada too, who does not vote.
  const ProposalView timeout =
      take(consensus.request_consensus({.title = "go south"}, "unanimous", milliseconds(300)));
  BOOST_TEST((timeout.state == ProposalState::kTimeout));
  const auto stats = consensus.get_algorithm_stats();
  BOOST_TEST((stats.at("quorum").requested == 1u &&
              stats.at("quorum").outcomes.at(ProposalState::kApproved) == 1u &&
              stats.at("unanimous").outcomes.at(ProposalState::kTimeout) == 1u));
}

BOOST_AUTO_TEST_CASE(one_of_several_options_is_chosen_by_agents_that_answer) {
  const auto hive = serve();
  const auto prefers = [](std::vector<std::string> order) {
    AgentEvents events;
    events.on_choice = [order](const ProposalView& proposal) {
      BOOST_TEST(proposal.options.size() == 3u);
      return std::optional(order);
    };
    return events;
  };
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"), prefers({"north"}));
  const auto eve = join(member(*hive, "eve"), prefers({"stay", "south"}));
  ConsensusManager consensus(*ada);
  const std::string id = take(consensus.propose(
      {.title = "which way",
       .options = {{"north"}, {"south", {{.key = "plan/way", .text = "south"}}}, {"stay"}},
       .choose_by = ChooseBy::kRunoff}));
  BOOST_TEST((consensus.record_choice(id, {"west"}).error().code == StatusCode::kRejected));
  BOOST_TEST(consensus.record_choice(id, {"south", "stay"}).has_value());
  const ProposalView end = take(consensus.wait_decided(id, kPatience));
  // Each is first once; north and south were listed first, and two stand by south.
  BOOST_TEST((end.state == ProposalState::kApproved && end.chosen == "south"));
  BOOST_TEST((end.choices.at("eve") == std::vector<std::string>{"stay", "south"}));
  BOOST_TEST(take(ada->get("plan/way", end.version)).bytes == "south");
}

BOOST_AUTO_TEST_CASE(votes_are_recorded_changed_and_refused) {
  const auto hive = serve();
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"));
  const auto eve = join(member(*hive, "eve"));
  ConsensusManager of_ada(*ada);
  ConsensusManager of_bob(*bob);
  ConsensusManager of_eve(*eve);
  const std::string id = take(of_ada.propose(
      {.title = "tea", .electorate = {"ada", "bob"}, .id = "tea"}, {.threshold = 1}, seconds(60)));
  BOOST_TEST(id == "tea");
  BOOST_TEST((of_eve.record_vote(id, Vote::kFor).error().code == StatusCode::kDenied));
  take(of_ada.record_vote(id, Vote::kFor, {{"why", "thirst"}}));
  BOOST_TEST(eventually([&] { return take(of_bob.open_proposals()).size() == 1; }));
  BOOST_TEST((of_bob.cancel(id).error().code == StatusCode::kDenied));
  take(of_bob.record_vote(id, Vote::kFor));
  const ProposalView decided = take(of_eve.wait_decided(id, kPatience));
  BOOST_TEST((decided.state == ProposalState::kApproved && decided.votes.at("ada") == Vote::kFor));
  BOOST_TEST(decided.electorate == (std::vector<std::string>{"ada", "bob"}),
             boost::test_tools::per_element());
  BOOST_TEST((of_ada.record_vote(id, Vote::kAgainst).error().code == StatusCode::kDenied));
  const std::string next = take(of_ada.propose({.title = "none of my business"}));
  take(of_ada.cancel(next));
  BOOST_TEST((take(of_ada.wait_decided(next, kPatience)).state == ProposalState::kCancelled));
}

BOOST_AUTO_TEST_CASE(algorithms_are_names_for_rules) {
  const auto hive = serve();
  std::atomic<int> asked{0};
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"), voting(Vote::kAgainst, asked));
  ConsensusManager consensus(*ada);
  take(consensus.register_algorithm("anybody", {.threshold = 0.001}));
  const ProposalView rejected = take(
      consensus.request_consensus({.title = "t", .electorate = {"bob"}}, "anybody", seconds(30)));
  BOOST_TEST((rejected.state == ProposalState::kRejected));
  BOOST_TEST((consensus.register_algorithm("quorum", {}).error().code == StatusCode::kRejected));
  for (const VotingRule& wrong : {VotingRule{.threshold = 0}, VotingRule{.threshold = 1.5},
                                  VotingRule{.participation = -1}, VotingRule{.group_cap = 0}})
    BOOST_TEST(
        (consensus.register_algorithm("wrong", wrong).error().code == StatusCode::kRejected));
  BOOST_TEST(
      (consensus.request_consensus({.title = "t"}, "wrong").error().code == StatusCode::kRejected));
  BOOST_TEST((consensus.request_consensus({.title = ""}).error().code == StatusCode::kRejected));
  BOOST_TEST(
      (consensus.request_consensus({.title = "t"}, "quorum", milliseconds(99)).error().code ==
       StatusCode::kRejected));
  BOOST_TEST((consensus.record_vote("no such", Vote::kFor).error().code == StatusCode::kRejected));
  BOOST_TEST((consensus.proposal("none").error().code == StatusCode::kNotFound));
}
