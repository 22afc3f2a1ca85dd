#pragma once

// A proposal as it stands in its record, a JSON document under kProposalKeys and its id. Agents and
// commands put it there (what they may say is read by read_proposal()), and the coordinator keeps
// it: the electorate is fixed when it opens, and the outcome is added when it closes. A vote is the
// register kVoteKeys, the id, '/' and the agent's id: "for", "against" or "abstain".
//
//   given    title, body, threshold, of, participation, groups, cap, changes, timeout_ms,
//            electorate, weights, labels, writes, supersedes
//   added    by, opened_at, electorate (each with weight and label), state;
//            closed_at, tally, votes, refused, applied, not_applied

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "base/value.h"
#include "consensus/ballot.h"
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

struct Proposal {
  std::string id;
  AgentId by;
  std::string title;
  std::optional<JsonValue> body;
  BallotRule rule;
  Electorate electorate;      // weights in thousandths
  bool of_members = true;     // no electorate was named: who is attached when it opens
  std::vector<ProposedWrite> writes;
  std::string supersedes;     // an open one of the same agent, which this one closes
  std::int64_t timeout_millis = 30'000;
  std::int64_t opened_wall_millis = 0;

  BallotState state = BallotState::kOpen;
  std::int64_t closed_wall_millis = 0;
  Votes votes;
  // Whose vote was not counted, and why: at most limits::kRefusedVotes.
  std::map<AgentId, std::string> refused;
  std::optional<bool> applied;  // of an approved one with writes
  std::string not_applied;      // why

  friend bool operator==(const Proposal&, const Proposal&) = default;
};

// What an agent or command gives. Errors: kRejected, with the field and what was expected.
[[nodiscard]] Result<Proposal> read_proposal(std::string_view id, std::string_view json);
// What to_json() made. Errors: the same, for what this program can't have written.
[[nodiscard]] Result<Proposal> recover_proposal(std::string_view id, std::string_view json);
[[nodiscard]] std::string to_json(const Proposal& proposal);

}  // namespace waggle
