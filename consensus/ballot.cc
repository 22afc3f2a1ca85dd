#include "consensus/ballot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {
namespace {

constexpr std::array<std::string_view, 3> kStances = {"for", "against", "abstain"};
constexpr std::array<std::string_view, 7> kStates = {
    "open", "approved", "rejected", "no_quorum", "timeout", "cancelled", "superseded"};

// Weights of one group, by what they did.
struct Part {
  std::uint64_t in_favour = 0;
  std::uint64_t against = 0;
  std::uint64_t abstained = 0;
  std::uint64_t missing = 0;
};

struct Count {
  std::uint64_t all = 0;
  std::uint64_t in_favour = 0;
  std::uint64_t with_missing = 0;  // for, if all who are missing were for
  std::uint64_t against = 0;
  std::uint64_t against_with_missing = 0;
  std::uint64_t took_part = 0;
  std::uint32_t groups = 0;
  std::uint32_t groups_with_missing = 0;
};

std::map<std::string, Part> parts_of(const Electorate& electorate, const Votes& votes) {
  std::map<std::string, Part> parts;
  for (const auto& [agent, voter] : electorate) {
    Part& part = parts[group_of(agent, voter)];
    const auto vote = votes.find(agent);
    if (vote == votes.end()) {
      part.missing += voter.weight;
    } else if (vote->second == Stance::kFor) {
      part.in_favour += voter.weight;
    } else if (vote->second == Stance::kAgainst) {
      part.against += voter.weight;
    } else {
      part.abstained += voter.weight;
    }
  }
  return parts;
}

Count count(const BallotRule& rule, const Electorate& electorate, const Votes& votes) {
  const std::uint64_t cap = group_cap(rule, electorate);
  Count sum;
  for (const auto& [group, part] : parts_of(electorate, votes)) {
    const std::uint64_t size = part.in_favour + part.against + part.abstained + part.missing;
    sum.all += std::min(size, cap);
    sum.in_favour += std::min(part.in_favour, cap);
    sum.with_missing += std::min(part.in_favour + part.missing, cap);
    sum.against += std::min(part.against, cap);
    sum.against_with_missing += std::min(part.against + part.missing, cap);
    sum.took_part += std::min(size - part.missing, cap);
    sum.groups += part.in_favour > 0 ? 1 : 0;
    sum.groups_with_missing += part.in_favour + part.missing > 0 ? 1 : 0;
  }
  return sum;
}

}  // namespace

std::uint32_t to_thousandths(double value) {
  return static_cast<std::uint32_t>(std::ceil(value * 1000 - 1e-6));
}

std::string group_of(const AgentId& agent, const Voter& voter) {
  return voter.group.empty() ? std::string(1, '\0') + agent.value() : voter.group;
}

std::uint64_t group_cap(const BallotRule& rule, const Electorate& electorate) {
  std::uint64_t whole = 0;
  for (const auto& [agent, voter] : electorate) whole += voter.weight;
  return std::max<std::uint64_t>(whole * rule.group_cap_permille / 1000, 1);
}

bool at_least(std::uint64_t part, std::uint64_t whole, std::uint32_t permille) {
  return part * 1000 >= whole * permille;
}

std::string_view to_text(Stance stance) {
  return kStances[static_cast<std::size_t>(stance)];
}

Result<Stance> stance_of(std::string_view text) {
  const auto found = std::ranges::find(kStances, text);
  if (found != kStances.end()) return static_cast<Stance>(found - kStances.begin());
  return failed(Code::kRejected,
                fmt::format("a vote: expected for, against or abstain, got '{}'", text));
}

std::string_view to_text(BallotState state) {
  return kStates[static_cast<std::size_t>(state)];
}

Result<BallotState> ballot_state_of(std::string_view text) {
  const auto found = std::ranges::find(kStates, text);
  if (found != kStates.end()) return static_cast<BallotState>(found - kStates.begin());
  return failed(Code::kRejected, fmt::format("'{}' is no state of a proposal", text));
}

Status check_rule(const BallotRule& rule) {
  const auto outside = [](std::string_view what, std::uint32_t permille, std::uint32_t least) {
    return failed(Code::kRejected,
                  fmt::format("{}: expected a share from {} to 1, got {}.{:03}", what,
                              least == 0 ? "0" : "0.001", permille / 1000, permille % 1000));
  };
  if (rule.threshold_permille < 1 || rule.threshold_permille > 1000)
    return outside("threshold", rule.threshold_permille, 1);
  if (rule.participation_permille > 1000)
    return outside("participation", rule.participation_permille, 0);
  if (rule.group_cap_permille < 1 || rule.group_cap_permille > 1000)
    return outside("cap", rule.group_cap_permille, 1);
  if (rule.faults && (rule.of_cast || rule.participation_permille > 0 || rule.groups_least > 0 ||
                      rule.group_cap_permille < 1000))
    return failed(
        Code::kRejected,
        "byzantine: expected nothing beside it about votes cast, participation, groups or "
        "a cap");
  return {};
}

Status check_electorate(const BallotRule& rule, const Electorate& electorate) {
  if (!rule.faults) return {};
  const std::size_t least = 3 * std::size_t{*rule.faults} + 1;
  if (electorate.size() < least)
    return failed(Code::kRejected,
                  fmt::format("byzantine: {} liars among {} voters can't be told from the others; "
                              "expected at least {} voters",
                              *rule.faults, electorate.size(), least));
  for (const auto& [agent, voter] : electorate)
    if (voter.weight != electorate.begin()->second.weight || voter.weight == 0)
      return failed(Code::kRejected,
                    fmt::format("byzantine: each voter has one voice, and {} has another weight",
                                agent.value()));
  return {};
}

BallotTally tally(const BallotRule& rule, const Electorate& electorate, const Votes& votes) {
  const Count sum = count(rule, electorate, votes);
  return {sum.all,
          sum.in_favour,
          sum.against,
          sum.took_part - std::min(sum.took_part, sum.in_favour + sum.against),
          sum.all - std::min(sum.all, sum.took_part),
          sum.groups};
}

namespace {

// With `faults`. REQUIRES: check_electorate().
BallotState judge_voices(std::uint32_t faults, const Count& sum, std::size_t voters,
                         bool complete) {
  const std::uint64_t needed = voices_needed(faults, voters) * (sum.all / voters);
  if (sum.in_favour >= needed) return BallotState::kApproved;
  if (sum.all - sum.against < needed) return BallotState::kRejected;
  if (sum.with_missing < needed) return BallotState::kNoQuorum;
  return complete ? BallotState::kTimeout : BallotState::kOpen;
}

// `all_voted`: nobody is missing.
BallotState judge(const BallotRule& rule, const Count& sum, std::size_t voters, bool any_voted,
                  bool all_voted, bool closes) {
  if (sum.all == 0) return BallotState::kNoQuorum;
  if (rule.faults) return judge_voices(*rule.faults, sum, voters, closes || all_voted);
  const std::uint32_t threshold = rule.threshold_permille;
  const bool takes_part = at_least(sum.took_part, sum.all, rule.participation_permille);
  const bool groups = sum.groups >= rule.groups_least;
  const bool complete = closes || all_voted;

  // Approved, whatever who is missing would still do.
  const std::uint64_t cast = rule.of_cast ? sum.in_favour + sum.against_with_missing : sum.all;
  if (takes_part && groups && sum.in_favour > 0 && at_least(sum.in_favour, cast, threshold))
    return BallotState::kApproved;
  // Impossible, if all who are missing were for.
  const std::uint64_t best = rule.of_cast ? sum.with_missing + sum.against : sum.all;
  if (!at_least(sum.with_missing, best, threshold))
    // What is against alone excludes it, or it lacks those who abstained.
    return rule.of_cast || !at_least(sum.all - std::min(sum.all, sum.against), sum.all, threshold)
               ? BallotState::kRejected
               : BallotState::kNoQuorum;
  if (sum.groups_with_missing < rule.groups_least) return BallotState::kNoQuorum;
  if (!complete) return BallotState::kOpen;

  // No vote can come any more: who is missing has not taken part.
  if (!rule.of_cast) return all_voted ? BallotState::kNoQuorum : BallotState::kTimeout;
  const std::uint64_t of = sum.in_favour + sum.against;
  if (!any_voted) return BallotState::kTimeout;
  if (!takes_part || of == 0) return BallotState::kNoQuorum;
  if (!at_least(sum.in_favour, of, threshold)) return BallotState::kRejected;
  return groups ? BallotState::kApproved : BallotState::kNoQuorum;
}

}  // namespace

BallotState decide(const BallotRule& rule, const Electorate& electorate, const Votes& votes,
                   bool closes) {
  return judge(rule, count(rule, electorate, votes), electorate.size(), !votes.empty(),
               votes.size() == electorate.size(), closes);
}

BallotSums::BallotSums(const Electorate& electorate, const Votes& votes) {
  for (const auto& [agent, voter] : electorate) {
    all_ += voter.weight;
    missing_ += voter.weight;
    if (const auto found = votes.find(agent); found != votes.end())
      vote(voter, std::nullopt, found->second);
  }
}

void BallotSums::vote(const Voter& voter, std::optional<Stance> before, Stance now) {
  (before ? by_stance_[static_cast<std::size_t>(*before)] : missing_) -= voter.weight;
  by_stance_[static_cast<std::size_t>(now)] += voter.weight;
}

BallotState decide(const BallotRule& rule, const Electorate& electorate, const Votes& votes,
                   bool closes, const BallotSums& sums) {
  if (rule.groups_least > 0 || rule.group_cap_permille < 1000)
    return decide(rule, electorate, votes, closes);
  const std::uint64_t in_favour = sums.by_stance_[static_cast<std::size_t>(Stance::kFor)];
  const std::uint64_t against = sums.by_stance_[static_cast<std::size_t>(Stance::kAgainst)];
  return judge(rule,
               {sums.all_, in_favour, in_favour + sums.missing_, against, against + sums.missing_,
                sums.all_ - sums.missing_, 0, 0},
               electorate.size(), !votes.empty(), votes.size() == electorate.size(), closes);
}

}  // namespace waggle
