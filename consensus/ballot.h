#pragma once

// How the votes on a proposal come to an outcome: pure arithmetic in integers, over an electorate
// that is fixed. Decided as soon as no missing vote can change the outcome; what can still change
// stays open until the time is over.
//
//   of the electorate   silence is no consent: for / all >= threshold
//   of the votes cast   without abstentions:   for / (for + against) >= threshold
//
// and, in both, a floor of participation (abstentions take part), votes for from at least so many
// different groups, and a cap on what one group counts for, so that ten copies of one model are not
// ten opinions. Ties go against: a threshold above one half is not reached by one half.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace waggle {

// DO NOT CHANGE the words: they stand in records.
enum class Stance : std::uint8_t { kFor, kAgainst, kAbstain };
[[nodiscard]] std::string_view to_text(Stance stance);
[[nodiscard]] Result<Stance> stance_of(std::string_view text);

// DO NOT CHANGE the words: they stand in records.
enum class BallotState : std::uint8_t {
  kOpen,
  kApproved,
  kRejected,    // the votes against exclude approval
  kNoQuorum,    // too few took part, or abstentions or groups exclude it; or nobody may vote
  kTimeout,     // the time was over while missing votes could still decide
  kCancelled,   // by who proposed it
  kSuperseded,  // by a later proposal of the same
};
[[nodiscard]] std::string_view to_text(BallotState state);
[[nodiscard]] Result<BallotState> ballot_state_of(std::string_view text);

struct BallotRule {
  std::uint32_t threshold_permille = 510;    // 1..1000
  bool of_cast = false;                      // else of the electorate
  std::uint32_t participation_permille = 0;  // of all weight, 0..1000
  std::uint32_t groups_least = 0;            // of different groups among those for
  std::uint32_t group_cap_permille = 1000;   // of all weight, 1..1000
  bool changes = true;                       // a vote may be changed until it is decided
  // At most so many voters lie, f: voices_needed() equal votes decide, of at least 3f + 1 voters
  // with one voice each (Lamport, Shostak, Pease, 1982). The threshold counts for nothing then.
  std::optional<std::uint32_t> faults = {};
  friend bool operator==(const BallotRule&, const BallotRule&) = default;
};
// Errors: kRejected for what is out of its range, or can't be reached by anybody.
[[nodiscard]] Status check_rule(const BallotRule& rule);

// Shares and weights are counted in thousandths, upwards: a threshold must not be reached by less
// than it says. REQUIRES: a number from 0 to 4,000,000.
[[nodiscard]] std::uint32_t to_thousandths(double value);

struct Voter {
  std::uint32_t weight = 1;  // 0..limits::kVoteWeight
  std::string group;         // empty: one of its own
  friend bool operator==(const Voter&, const Voter&) = default;
};
using Electorate = std::map<AgentId, Voter>;
// Of n voters of whom f lie: two sets of so many have an honest voter in common, so no two outcomes
// have that many; 2f + 1 where n is 3f + 1.
[[nodiscard]] constexpr std::uint64_t voices_needed(std::uint64_t faults, std::uint64_t voters) {
  return (voters + faults) / 2 + 1;
}
// Of a rule with `faults`. Errors: kRejected for too few voters, or voices that differ.
[[nodiscard]] Status check_electorate(const BallotRule& rule, const Electorate& electorate);
// Whoever has none is a group of one.
[[nodiscard]] std::string group_of(const AgentId& agent, const Voter& voter);
// What one group counts for at most, of that electorate.
[[nodiscard]] std::uint64_t group_cap(const BallotRule& rule, const Electorate& electorate);
[[nodiscard]] bool at_least(std::uint64_t part, std::uint64_t whole, std::uint32_t permille);

using Votes = std::map<AgentId, Stance>;  // of the electorate only

// Weights by what they did, kept along: so that a vote costs the same however many may vote.
class BallotSums {
 public:
  BallotSums() = default;
  BallotSums(const Electorate& electorate, const Votes& votes);
  // `before`: what the voter had said; none: it had not voted.
  void vote(const Voter& voter, std::optional<Stance> before, Stance now);

 private:
  friend BallotState decide(const BallotRule&, const Electorate&, const Votes&, bool,
                            const BallotSums&);
  std::uint64_t all_ = 0;
  std::uint64_t missing_ = 0;
  std::array<std::uint64_t, 3> by_stance_{};
};

// By weight, after the cap of groups; `missing` is what they who have not voted could add.
struct BallotTally {
  std::uint64_t all = 0;
  std::uint64_t in_favour = 0;
  std::uint64_t against = 0;
  std::uint64_t abstained = 0;
  std::uint64_t missing = 0;
  std::uint32_t groups = 0;  // of those for
};
[[nodiscard]] BallotTally tally(const BallotRule& rule, const Electorate& electorate,
                                const Votes& votes);
// kOpen: it can still change. `closes`: the time is over, so it can't.
[[nodiscard]] BallotState decide(const BallotRule& rule, const Electorate& electorate,
                                 const Votes& votes, bool closes);
// The same, from sums that were kept along, unless the rule looks at groups.
[[nodiscard]] BallotState decide(const BallotRule& rule, const Electorate& electorate,
                                 const Votes& votes, bool closes, const BallotSums& sums);

}  // namespace waggle
