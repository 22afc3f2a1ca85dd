#pragma once

// A proposal as it stands in its record, a JSON document under kProposalKeys and its id. Agents and
// commands put it there (what they may say is read by read_proposal()), and the coordinator keeps
// it: the electorate is fixed when it opens, and the outcome is added when it closes. A vote is the
// register kVoteKeys, the id, '/' and the agent's id: "for", "against" or "abstain"; where there
// are options, their names, the best first, or "abstain".
//
//   given    title, body, threshold, of, participation, groups, cap, changes, timeout_ms,
//            electorate, roles, weights, labels, writes, supersedes; options, method; byzantine
//   added    by, opened_at, electorate (each with weight and label), state; equivocators;
//            closed_at, tally, votes, reasons, chosen, refused, applied, not_applied, signed_votes

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/signature.h"
#include "base/status.h"
#include "base/time.h"
#include "base/value.h"
#include "consensus/ballot.h"
#include "consensus/choice.h"
#include "coordinator/proposed_write.h"
#include "resolver/json_document.h"

namespace waggle {

inline constexpr std::string_view kProposalKeys = "~proposal/";
inline constexpr std::string_view kVoteKeys = "~vote/";

[[nodiscard]] inline bool is_decision_key(std::string_view key) {
  return key.starts_with(kProposalKeys) || key.starts_with(kVoteKeys);
}
[[nodiscard]] Key proposal_key(std::string_view id);
[[nodiscard]] Key vote_key(std::string_view id, const AgentId& agent);
// 1..limits::kIdBytes letters, digits, '.', '_' and '-'.
[[nodiscard]] Status check_proposal_id(std::string_view id);

struct ProposalOption {
  std::string name;
  std::vector<ProposedWrite> writes;  // if it is chosen, beside those of the proposal
  friend bool operator==(const ProposalOption&, const ProposalOption&) = default;
};

// A vote with what its signature is of (base/signature.h), so that whoever has the voter's public
// key can check it for himself.
struct SignedVote {
  Incarnation incarnation;
  Seq seq;
  std::string vote;
  Metadata metadata;
  Signature signature{};
  friend bool operator==(const SignedVote&, const SignedVote&) = default;
};
[[nodiscard]] bool verifies(const SigningKey& key, const SwarmId& swarm, std::string_view proposal,
                            const AgentId& voter, const SignedVote& vote);

struct Proposal {
  std::string id;
  AgentId by;
  std::string title;
  std::optional<JsonValue> body;
  BallotRule rule;
  Electorate electorate;           // weights in thousandths
  bool of_members = true;          // no electorate was named: who is attached when it opens
  std::vector<std::string> roles;  // or whoever has one of these
  std::vector<ProposedWrite> writes;
  std::vector<ProposalOption> options;  // none: for or against
  ChoiceMethod method = ChoiceMethod::kApproval;
  std::string supersedes;  // an open one of the same agent, which this one closes
  std::int64_t timeout_millis = 30'000;
  std::int64_t opened_wall_millis = 0;

  BallotState state = BallotState::kOpen;
  std::int64_t closed_wall_millis = 0;
  Votes votes;      // without options
  Choices choices;  // with options
  std::optional<std::uint32_t> chosen;
  std::map<AgentId, std::string> reasons;  // that were given with votes
  // Whose vote was not counted, and why: at most limits::kRefusedVotes.
  std::map<AgentId, std::string> refused;
  // With BallotRule::faults: the votes that it was decided by, and of those who signed two
  // different ones both, which count for nobody.
  std::map<AgentId, SignedVote> signed_votes;
  std::map<AgentId, std::pair<SignedVote, SignedVote>> equivocators;
  std::optional<bool> applied;  // of an approved one with writes
  std::string not_applied;      // why

  friend bool operator==(const Proposal&, const Proposal&) = default;
};

// What it writes if it is approved, and that option is chosen.
[[nodiscard]] std::vector<ProposedWrite> writes_of(const Proposal& proposal,
                                                   std::optional<std::uint32_t> chosen);
// Of the options: a name, a JSON list of names, or "abstain". Errors: kRejected.
[[nodiscard]] Result<std::vector<std::uint32_t>> choice_of(const Proposal& proposal,
                                                           const Register& vote);
// "for", or of options one name or several with ',' between them, as a person writes it.
[[nodiscard]] Register vote_in_words(std::string_view words);
[[nodiscard]] JsonValue json_of(const Proposal& proposal, const std::vector<std::uint32_t>& choice);

// What an agent or command gives. Errors: kRejected, with the field and what was expected.
[[nodiscard]] Result<Proposal> read_proposal(std::string_view id, std::string_view json);
// What to_json() made. Errors: the same, for what this program can't have written.
[[nodiscard]] Result<Proposal> recover_proposal(std::string_view id, std::string_view json);
[[nodiscard]] std::string to_json(const Proposal& proposal);

}  // namespace waggle
