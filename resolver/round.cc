#include "resolver/round.h"

#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "resolver/concurrent.h"
#include "resolver/three_way.h"

namespace waggle {
namespace {

// False: the key holds a counter or a set, or may hold nothing else. Such merge by type, and no
// offer can be taken.
bool takes_offers(const RoundQuestion& q) {
  if (q.present != nullptr && q.present->live())
    return type_of(*q.present->value) == ValueType::kRegister;
  return !q.policy->type || *q.policy->type == ValueType::kRegister;
}

bool moved(const RoundQuestion& q) {
  const bool live = q.present != nullptr && q.present->live();
  return (live ? q.present->version : Revision{}) != q.asked;
}

const Register* standing(const Record* record) {
  return record != nullptr && record->live() ? std::get_if<Register>(&*record->value) : nullptr;
}

bool same_value(const Register& a, const Register& b) {
  return a.content == b.content && a.bytes == b.bytes;
}

bool has_offer(const RoundQuestion& q) {
  for (const RoundInput& input : q.answers)
    if (input.kind == AnswerKind::kOffer) return true;
  return false;
}

std::uint64_t votes_of(const RoundQuestion& q, const AgentId& agent) {
  return q.policy->weight_of(agent);
}

std::uint64_t electorate_of(const RoundQuestion& q) {
  return q.electorate != 0 ? q.electorate : q.roster;
}

// Votes for each value: the committed one has the index answers.size().
struct Tally {
  std::map<std::size_t, std::uint64_t> votes;  // by the first answer that holds the value
  std::size_t best = 0;
  std::uint64_t most = 0;
  std::uint64_t answered = 0;  // votes of all who answered, whatever they said
};

Tally tally(const RoundQuestion& q) {
  const std::size_t committed = q.answers.size();
  const Register* stands = standing(q.present);
  Tally tally;
  for (std::size_t i = 0; i < q.answers.size(); ++i) {
    const RoundInput& input = q.answers[i];
    tally.answered += votes_of(q, input.agent);
    std::size_t holds = committed;
    if (input.kind == AnswerKind::kOffer) {
      if (stands == nullptr || !same_value(input.offer.value, *stands)) {
        holds = i;
        for (std::size_t j = 0; j < i; ++j) {
          if (q.answers[j].kind == AnswerKind::kOffer &&
              same_value(q.answers[j].offer.value, input.offer.value)) {
            holds = j;
            break;
          }
        }
      }
    } else if (input.kind != AnswerKind::kSame || stands == nullptr) {
      continue;  // absent, behind and differs vote for nothing; `same` needs a value to vote for
    }
    const std::uint64_t votes = tally.votes[holds] += votes_of(q, input.agent);
    if (votes > tally.most) {
      tally.most = votes;
      tally.best = holds;
    }
  }
  return tally;
}

bool covered(const RoundQuestion& q, std::uint64_t answered) {
  return answered * 1000 >= electorate_of(q) * q.policy->coverage_permille;
}

Stamp stamp_of(const RoundInput& input) {
  return {input.offer.hlc, input.agent};
}

// Walks the chain of the policy.
class Decider {
 public:
  explicit Decider(const RoundQuestion& question) : q_(question) {}

  RoundDecision decide() {
    for (const Strategy strategy : q_.policy->chain()) {
      if (std::optional<RoundDecision> decision = ask(strategy)) {
        if (decision->rule.empty() || !has_offer(q_)) {
          decision->rule.clear();
        } else {
          decision->rule = passed_ + decision->rule;
        }
        return *std::move(decision);
      }
    }
    return keep();
  }

 private:
  std::optional<RoundDecision> ask(Strategy strategy) {
    switch (strategy) {
      case Strategy::kKeep:
        return keep();
      case Strategy::kQuorum:
        return quorum();
      default:
        break;
    }
    if (!has_offer(q_)) return RoundDecision{};  // nothing is in question
    switch (strategy) {
      case Strategy::kLww:
        return by_stamp(true);
      case Strategy::kFww:
        return by_stamp(false);
      case Strategy::kVector:
        return by_version();
      case Strategy::kMerge:
        return merge();
      case Strategy::kCustom:
        return join();
      default:
        return parked();
    }
  }

  std::optional<RoundDecision> pass(std::string_view rule) {
    passed_ += fmt::format("{} otherwise ", rule);
    return std::nullopt;
  }

  RoundDecision keep() const {
    RoundDecision decision;
    if (!has_offer(q_)) return decision;
    decision.rule = "keep";
    if (no_quorum_) decision.outcome = RoundOutcome::kNoQuorum;
    return decision;
  }

  RoundDecision parked() const {
    RoundDecision decision;
    decision.outcome = RoundOutcome::kParked;
    decision.park = true;
    decision.rule = "manual";
    return decision;
  }

  RoundDecision takes(std::size_t winner, std::string rule) const {
    RoundDecision decision;
    decision.winner = winner;
    decision.rule = std::move(rule);
    const Register* stands = standing(q_.present);
    decision.commit = stands == nullptr || !same_value(q_.answers[winner].offer.value, *stands);
    if (decision.commit) decision.outcome = RoundOutcome::kResolved;
    return decision;
  }

  RoundDecision makes(Register value, std::string rule) const {
    RoundDecision decision;
    decision.rule = std::move(rule);
    const Register* stands = standing(q_.present);
    if (stands != nullptr && same_value(value, *stands)) return decision;
    for (std::size_t i = 0; i < q_.answers.size(); ++i)
      if (q_.answers[i].kind == AnswerKind::kOffer && same_value(q_.answers[i].offer.value, value))
        decision.winner = i;
    if (!decision.winner) decision.made = std::move(value);
    decision.commit = true;
    decision.outcome = RoundOutcome::kResolved;
    return decision;
  }

  std::optional<RoundDecision> quorum() {
    const Tally votes = tally(q_);
    const std::string rule = fmt::format("quorum({})", q_.policy->quorum.permille);
    if (covered(q_, votes.answered) && reaches(votes.most, electorate_of(q_), q_.policy->quorum)) {
      RoundDecision decision;
      decision.rule = rule;
      // The committed value won; whoever offered that same value took it too.
      if (votes.best == q_.answers.size()) return decision;
      decision.winner = votes.best;
      decision.commit = true;
      decision.outcome = RoundOutcome::kResolved;
      return decision;
    }
    if (!has_offer(q_)) return RoundDecision{};
    no_quorum_ = true;
    return pass(rule);
  }

  // The committed record is an input too: of fww the only one, where it is live.
  std::optional<RoundDecision> by_stamp(bool greatest) {
    const std::string rule(to_text(greatest ? Strategy::kLww : Strategy::kFww));
    const auto better = [greatest](const Stamp& a, const Stamp& b) {
      return greatest ? a > b : a < b;
    };
    std::optional<std::size_t> winner;
    std::optional<Stamp> best;
    std::optional<Stamp> second;
    const auto take_in = [&](const Stamp& stamp, std::optional<std::size_t> whose) {
      if (!best || better(stamp, *best)) {
        second = best;
        best = stamp;
        winner = whose;
      } else if (!second || better(stamp, *second)) {
        second = stamp;
      }
    };
    const bool stands = q_.present != nullptr && q_.present->live();
    if (q_.present != nullptr && (greatest || stands))
      take_in({q_.present->hlc, q_.present->writer.agent}, std::nullopt);
    RoundDecision kept;
    kept.rule = rule;
    if (!greatest && stands) return kept;
    for (std::size_t i = 0; i < q_.answers.size(); ++i)
      if (q_.answers[i].kind == AnswerKind::kOffer) take_in(stamp_of(q_.answers[i]), i);
    if (best && second && too_close(*best, *second, q_.policy->conflict_window_millis))
      return pass(rule);
    if (!winner) return kept;
    return takes(*winner, rule);
  }

  std::optional<RoundDecision> by_version() {
    std::optional<std::size_t> winner;
    bool twice = false;
    for (std::size_t i = 0; i < q_.answers.size(); ++i) {
      if (q_.answers[i].kind != AnswerKind::kOffer) continue;
      const Revision based_on = q_.answers[i].offer.based_on;
      if (!winner || based_on > q_.answers[*winner].offer.based_on) {
        winner = i;
        twice = false;
      } else if (based_on == q_.answers[*winner].offer.based_on &&
                 !same_value(q_.answers[i].offer.value, q_.answers[*winner].offer.value)) {
        twice = true;
      }
    }
    const bool stands = q_.present != nullptr && q_.present->live();
    const Revision version = stands ? q_.present->version : Revision{};
    if (twice || q_.answers[*winner].offer.based_on < version) return pass("vector");
    return takes(*winner, "vector");
  }

  // What stands is changed by one offer after the other.
  std::optional<RoundDecision> merge() {
    const MergeRule& rule = q_.policy->merging;
    const std::string name = to_text(rule);
    const Register* stands = standing(q_.present);
    std::optional<Register> value;
    if (stands != nullptr) value = *stands;
    for (const RoundInput& input : q_.answers) {
      if (input.kind != AnswerKind::kOffer) continue;
      if (!value) {  // nothing stands: the first offer begins
        value = input.offer.value;
        continue;
      }
      const RecordPtr base = base_of(input.offer.based_on);
      const Register* began = standing(base.get());
      if (began == nullptr) return pass(name);
      std::optional<ThreeWay> merged = merge_three_way(*began, *value, input.offer.value, rule);
      const bool decided = merged && (merged->conflicts.empty() || rule.favor != MergeFavor::kNone);
      if (!decided) return pass(name);
      value = std::move(merged->value);
    }
    return makes(*std::move(value), name);
  }

  [[nodiscard]] RecordPtr base_of(Revision version) const {
    if (q_.present != nullptr && q_.present->version == version)
      return std::make_shared<const Record>(*q_.present);
    return q_.history ? q_.history(version) : nullptr;
  }

  std::optional<RoundDecision> join() {
    const std::string rule = fmt::format("custom({})", q_.policy->merger);
    const Merger* merger =
        q_.policies != nullptr ? q_.policies->merger(q_.policy->merger) : nullptr;
    if (merger == nullptr) return pass(rule);
    const Register* stands = standing(q_.present);
    std::optional<Register> value;
    if (stands != nullptr) value = *stands;
    for (const RoundInput& input : q_.answers) {
      if (input.kind != AnswerKind::kOffer) continue;
      if (!value) {
        value = input.offer.value;
        continue;
      }
      Result<std::string> joined = join_by(*merger, value->bytes, input.offer.value.bytes);
      if (!joined) return pass(rule);
      value->bytes = *std::move(joined);
    }
    return makes(*std::move(value), rule);
  }

  const RoundQuestion& q_;
  bool no_quorum_ = false;
  std::string passed_;
};

// Whatever the others say, a strategy that joins by stamp may take the present value in.
bool joins_by_stamp(const Policy& policy) {
  return policy.strategy == Strategy::kLww || policy.strategy == Strategy::kFww;
}

}  // namespace

bool settled(const RoundQuestion& q) {
  WAGGLE_CHECK(q.policy != nullptr && q.answers.size() <= q.roster);
  if (q.answers.size() == q.roster) return true;
  const bool chooses = takes_offers(q) && q.policy->strategy != Strategy::kKeep;
  if (chooses && !joins_by_stamp(*q.policy) && moved(q)) return true;
  if (q.answers.empty()) return false;  // the first one makes something else of `timeout`
  if (!chooses) return true;
  if (q.policy->strategy == Strategy::kFww)  // what stands was first
    return q.present != nullptr && q.present->live();
  // A missing offer could be the greatest, or change what is made of all.
  if (q.policy->strategy != Strategy::kQuorum) return false;
  const Tally votes = tally(q);
  if (covered(q, votes.answered) && reaches(votes.most, electorate_of(q), q.policy->quorum))
    return true;
  // Without an offer nothing is in question yet: a missing one would make no_quorum of unchanged.
  return has_offer(q) && q.policy->otherwise == Strategy::kKeep &&
         !can_still_reach(votes.most, electorate_of(q) - votes.answered, electorate_of(q),
                          q.policy->quorum);
}

RoundDecision decide(const RoundQuestion& q) {
  WAGGLE_CHECK(q.policy != nullptr && q.answers.size() <= q.roster);
  RoundDecision decision;
  if (takes_offers(q)) {
    if (!joins_by_stamp(*q.policy) && q.policy->strategy != Strategy::kKeep && moved(q)) {
      decision.outcome = RoundOutcome::kMoved;
      return decision;
    }
    decision = Decider(q).decide();
  }
  // Only a missing answer that could have changed the decision makes it less than one.
  if (!settled(q)) {
    decision.outcome = q.answers.empty() ? RoundOutcome::kTimeout : RoundOutcome::kPartial;
  }
  return decision;
}

}  // namespace waggle
