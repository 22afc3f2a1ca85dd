#pragma once

// Proposals and votes, see docs/proposals.md:
//
//   ConsensusManager consensus(*agent);
//   auto outcome = consensus.request_consensus({.title = "go north"});
//   if (outcome && outcome->state == ProposalState::kApproved) ...
//
// An agent votes by record_vote(), or by the callback AgentEvents::on_proposal. Everything is
// decided by the coordinator, from recorded votes; a rule is data, so a new one is a name for
// numbers and not code.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/types.h>

namespace waggle {

class SwarmAgent;

enum class Vote : std::uint8_t { kFor, kAgainst, kAbstain };
[[nodiscard]] std::string_view name_of(Vote vote);

enum class ProposalState : std::uint8_t {
  kOpen,
  kApproved,
  kRejected,  // the votes against exclude an approval
  kNoQuorum,  // too few took part, or abstentions or groups exclude it
  kTimeout,   // the time was over while missing votes could still decide
  kCancelled,
  kSuperseded,
};
[[nodiscard]] std::string_view name_of(ProposalState state);

// How votes are counted. Shares from 0 to 1, in thousandths.
struct VotingRule {
  double threshold = 0.51;   // above 0
  bool of_cast = false;      // of the votes for and against; else of the whole electorate
  double participation = 0;  // the least share that takes part
  unsigned groups = 0;       // votes for from so many different groups
  double group_cap = 1;      // what one group counts for at most, above 0
  bool final_votes = false;  // a vote can't be changed
  // At most so many voters lie, f: of at least 3f + 1 voters more than half of those and the liars
  // together decide (2f + 1 of 3f + 1), each vote signed with its voter's key. The threshold counts
  // for nothing then, and nothing else may be set.
  std::optional<unsigned> byzantine_faults = {};
};

struct ProposedValue {
  std::string key;
  std::string text;   // a register of text; or, with
  bool json = false;  // true, JSON
  std::optional<std::uint64_t> if_version = {};
};
// One of several to choose from.
struct ProposedOption {
  std::string name;                        // without ','
  std::vector<ProposedValue> writes = {};  // committed if it is chosen
};
// How one is chosen: the one that most approve; or who is first most often, with a run-off.
enum class ChooseBy : std::uint8_t { kApproval, kRunoff };
struct ProposalDraft {
  std::string title;
  std::string body_json = {};                      // empty: none
  std::vector<std::string> electorate = {};        // empty: the members that are attached
  std::vector<std::string> roles = {};             // or whoever has one of these, with its weight
  std::map<std::string, double> weights = {};      // 1 where none is given; 0 to 1000
  std::map<std::string, std::string> labels = {};  // the group of an agent, such as its model
  std::vector<ProposedValue> writes = {};          // committed with the approval
  std::vector<ProposedOption> options = {};        // none: for or against; else 2 to 16
  ChooseBy choose_by = ChooseBy::kApproval;
  std::string supersedes = {};  // an open proposal of the same agent
  std::string id = {};          // empty: drawn at random
};

// As its record says.
struct ProposalView {
  std::string id;
  std::string title;
  std::string body_json;  // empty: none
  std::string by;         // agent id; "~client": a command
  ProposalState state = ProposalState::kOpen;
  std::vector<std::string> electorate = {};
  std::map<std::string, Vote> votes = {};  // of a closed one
  std::vector<std::string> options = {};   // none: for or against
  ChooseBy choose_by = ChooseBy::kApproval;
  std::map<std::string, std::vector<std::string>> choices = {};  // of a closed one with options
  std::string chosen = {};                                       // of an approved one with options
  std::optional<bool> applied = {};                              // of an approved one with writes
  std::string not_applied = {};                                  // why
  std::uint64_t version = 0;                                     // of its record
};

class ConsensusManager {
 public:
  // Borrows the agent, which has to live as long.
  explicit ConsensusManager(SwarmAgent& agent);
  ~ConsensusManager();
  ConsensusManager(const ConsensusManager&) = delete;
  ConsensusManager& operator=(const ConsensusManager&) = delete;

  // Proposes by the algorithm of that name and waits for the outcome, for `timeout` (100 ms to 30
  // days), which is the proposal's time. Algorithms: quorum (0.51 of the electorate),
  // supermajority (0.66), strong (0.75), unanimous, cast (0.51 of the votes cast, of whom at least
  // a half take part), independent (quorum, from two groups), and what was registered. Failures:
  // kRejected, kDenied and so on where it could not be opened, kTimeout where no coordinator
  // answers; an outcome that is no approval is no failure.
  [[nodiscard]] Expected<ProposalView> request_consensus(
      const ProposalDraft& proposal, std::string_view algorithm = "quorum",
      std::chrono::milliseconds timeout = std::chrono::seconds(30));
  // Only opens it. Gives its id.
  [[nodiscard]] Expected<std::string> propose(
      const ProposalDraft& proposal, const VotingRule& rule = {},
      std::chrono::milliseconds open_for = std::chrono::seconds(30));
  // This agent's vote; again: another one, where the rule allows that. Failures: kDenied for one
  // that does not count, with the reason; kTimeout: it is on its way.
  Expected<void> record_vote(std::string_view id, Vote vote,
                             const std::map<std::string, std::string>& metadata = {});
  // Of a proposal with options: those that this agent approves, or ranks, the best first; empty: it
  // abstains.
  Expected<void> record_choice(std::string_view id, const std::vector<std::string>& options,
                               const std::map<std::string, std::string>& metadata = {});
  // Failures: kDenied for another agent's.
  Expected<void> cancel(std::string_view id);
  // As this agent's copy has it. Failures: kNotFound.
  [[nodiscard]] Expected<ProposalView> proposal(std::string_view id) const;
  [[nodiscard]] Expected<std::vector<ProposalView>> open_proposals() const;
  // Failures: kTimeout when it is open still, kNotFound.
  [[nodiscard]] Expected<ProposalView> wait_decided(std::string_view id,
                                                    std::chrono::milliseconds timeout) const;

  // Failures: kRejected for a rule out of its range, or the name of one that is built in.
  Expected<void> register_algorithm(std::string name, VotingRule rule);
  struct AlgorithmStats {
    std::uint64_t requested = 0;
    std::map<ProposalState, std::uint64_t> outcomes;
    std::chrono::milliseconds waited{0};  // in all
  };
  // Of request_consensus(), by algorithm.
  [[nodiscard]] std::map<std::string, AlgorithmStats> get_algorithm_stats() const;

 private:
  [[nodiscard]] Expected<WriteResult> put(const std::string& key, std::string_view text, bool json,
                                          const std::map<std::string, std::string>& metadata) const;

  SwarmAgent& agent_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, VotingRule, std::less<>> algorithms_;
  std::map<std::string, AlgorithmStats> stats_;
};

}  // namespace waggle
