#pragma once

// Rules for keys that begin with a prefix. The longest prefix that fits a key is its policy; the
// empty prefix is the default, and exists always.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/message.h"
#include "base/packing.h"
#include "base/status.h"
#include "base/value.h"
#include "consensus/quorum.h"
#include "resolver/law_check.h"
#include "resolver/merge_rule.h"

namespace waggle {

// How concurrent values of a register are settled; typed values always merge by type. A strategy
// that can't decide hands over to the next of its chain: `vector` where no value was made with more
// knowledge than all others, `quorum` where no value has enough votes (and at every single write),
// `merge` where both sides changed the same or the ancestor is lost, `lww` and `fww` where the
// stamps are within the conflict window, `custom` where the merger fails.
enum class Strategy : std::uint8_t {
  kLww,     // the greater (HLC, agent id) wins, the other is told
  kQuorum,  // in a round: what at least the threshold of the roster holds
  kKeep,    // the committed value stays
  kFww,     // first write wins: the lesser (HLC, agent id)
  kVector,  // in a round: the offer that is based on a strictly greater version than all others
  kMerge,   // three-way with the common ancestor: JSON by path, text by line
  kManual,  // parked, for a person
  kCustom,  // a function of the embedder
};
[[nodiscard]] std::string_view to_text(Strategy strategy);
[[nodiscard]] Result<Strategy> strategy_of(std::string_view text);

// What becomes of a write of an absent key when its writer had seen a state older than the floor,
// so that nobody knows any more whether the key was deleted meanwhile.
enum class LateWrite : std::uint8_t { kConflict, kApply };

struct Policy {
  std::string prefix;
  // Its keys are registers in the coordinator's memory only, each of the session that wrote it
  // last; the last write stands. Of the other settings only `live_millis` and `packing` apply.
  bool ephemeral = false;
  std::optional<ValueType> type;  // fixed for all keys of the prefix
  Strategy strategy = Strategy::kLww;
  Strategy otherwise = Strategy::kKeep;  // where `strategy` can't decide; not quorum itself
  Strategy at_last = Strategy::kKeep;    // where `otherwise` can't either
  Threshold quorum;
  std::map<std::string, std::uint32_t> weights;  // votes of an agent; 1 where it isn't named
  std::uint32_t coverage_permille = 0;         // of the votes that must have answered for a quorum
  std::optional<std::int64_t> timeout_millis;  // of a round; the longest of its keys counts
  // So long after a round an answer that was missing may still change what it decided; 0: not.
  std::int64_t amend_millis = 0;
  std::optional<Priority> priority;
  LateWrite late_write = LateWrite::kConflict;
  std::optional<std::uint64_t> elements_max;  // of a set, map, list or text (its units)
  // Stamps that are no further apart don't say which write came later: `lww` and `fww` can't
  // decide.
  std::int64_t conflict_window_millis = 0;
  std::optional<std::uint32_t> history;  // earlier versions kept of a key; 16 with `merge`, else 0
  std::optional<std::int64_t> parked_millis;  // then a parked conflict is dismissed
  std::optional<std::int64_t> live_millis;    // then a key that nobody wrote since is deleted
  std::int64_t claim_grace_millis = 0;        // a claim stays so long without its holder's session
  // Written only by approved proposals, for which at least so much of the electorate votes, each
  // with one vote; 0: by everybody. Who votes: these; empty: all members.
  std::uint32_t vote_permille = 0;
  std::set<AgentId> voters;
  bool signed_writes = false;        // registers that carry their writer's signature only
  std::string merger;                // with `custom`
  MergeRule merging;                 // with `merge`
  Packing packing = Packing::kAuto;  // of large registers on their way to readers

  friend bool operator==(const Policy&, const Policy&) = default;

  [[nodiscard]] std::vector<Strategy> chain() const { return {strategy, otherwise, at_last}; }
  [[nodiscard]] bool uses(Strategy wanted) const {
    return strategy == wanted || otherwise == wanted || at_last == wanted;
  }
  [[nodiscard]] std::uint32_t history_kept() const {
    return history.value_or(uses(Strategy::kMerge) ? 16 : 0);
  }
  [[nodiscard]] std::uint32_t weight_of(const AgentId& agent) const {
    const auto found = weights.find(agent.value());
    return found == weights.end() ? 1 : found->second;
  }
};

// Agents that vote with one weight, under a name that proposals use.
struct VotingRole {
  std::set<AgentId> agents;
  std::uint32_t weight = 1'000;  // in thousandths
};

class Policies {
 public:
  // Errors: kRejected for a name that is taken, or without agents.
  [[nodiscard]] Status add_role(const std::string& name, VotingRole role);
  [[nodiscard]] const VotingRole* role(std::string_view name) const;  // null: there is none
  [[nodiscard]] std::string role_names() const;                       // for people
  Policies();
  // Errors: kRejected for a prefix given twice, or a rule that contradicts itself.
  [[nodiscard]] Status add(Policy policy);
  [[nodiscard]] const Policy& of(std::string_view key) const;
  // For the strategy `custom`: a function that joins two values. Where it fails, or throws, the
  // next strategy of the chain decides. `samples`: values as they will be, for the laws. Errors:
  // kRejected with the law and the values that break it, or for a name given twice.
  [[nodiscard]] Status add_merger(const std::string& name, Merger merger,
                                  const std::vector<std::string>& samples);
  // Null: no such merger.
  [[nodiscard]] const Merger* merger(const std::string& name) const;
  // True iff of() says anything about packing.
  [[nodiscard]] bool choose_packing() const { return choose_packing_; }
  // Prefixes whose durable keys have a time to live, so that nothing else is looked through for
  // them.
  [[nodiscard]] std::vector<std::string> mortal() const;

 private:
  std::map<std::string, VotingRole, std::less<>> roles_;
  std::map<std::string, Policy, std::less<>> by_prefix_;
  std::map<std::string, Merger> mergers_;
  bool default_given_ = false;
  bool choose_packing_ = false;
};

}  // namespace waggle
