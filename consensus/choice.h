#pragma once

// How votes on several options come to one of them: pure arithmetic in integers, on top of
// consensus/ballot.h, whose threshold, base, participation, groups and cap hold for the option that
// is chosen.
//
//   approval   a vote names all options that its voter can live with; the one with the most wins
//   runoff     a vote ranks options, the best first. Whoever is first on a threshold of all votes
//              wins; else the two that are first most often are compared, and of each vote that one
//              counts which stands before the other
//
// A tie chooses nothing: who proposed it may ask again about the two. Of those that tie for a place
// in the comparison the one that was listed earlier has it.
//
// Source: Brams and Fishburn, "Approval voting", 1978; the run-off is the contingent vote.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "consensus/ballot.h"

namespace waggle {

// DO NOT CHANGE the words: they stand in records.
enum class ChoiceMethod : std::uint8_t { kApproval, kRunoff };
[[nodiscard]] std::string_view to_text(ChoiceMethod method);
[[nodiscard]] Result<ChoiceMethod> choice_method_of(std::string_view text);

// Of each voter: the options by their place in the list, the best first, none twice; empty: it
// abstains. Of the electorate only.
using Choices = std::map<AgentId, std::vector<std::uint32_t>>;

struct ChoiceTally {
  std::uint64_t all = 0;  // weights, after the cap of groups
  std::uint64_t abstained = 0;
  std::uint64_t missing = 0;
  std::vector<std::uint64_t> scores;  // approvals, or how often it is first
  // Of a run-off that was needed: the two, and how many prefer each.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> finalists;
  std::pair<std::uint64_t, std::uint64_t> final_scores;
};
[[nodiscard]] ChoiceTally tally(const BallotRule& rule, ChoiceMethod method, std::uint32_t options,
                                const Electorate& electorate, const Choices& choices);

struct ChoiceOutcome {
  BallotState state = BallotState::kOpen;
  std::optional<std::uint32_t> chosen;  // of kApproved
  friend bool operator==(const ChoiceOutcome&, const ChoiceOutcome&) = default;
};
// kOpen: it can still change. An approval is decided as soon as no missing vote can change it, a
// run-off when an option is first on enough of all votes, or everybody has voted. `closes`: the
// time is over.
[[nodiscard]] ChoiceOutcome decide(const BallotRule& rule, ChoiceMethod method,
                                   std::uint32_t options, const Electorate& electorate,
                                   const Choices& choices, bool closes);

}  // namespace waggle
