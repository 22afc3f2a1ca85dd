#include "resolver/round.h"

#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

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

// Votes for each value: the committed one has the index answers.size().
struct Tally {
  std::map<std::size_t, std::uint64_t> votes;  // by the first answer that holds the value
  std::size_t best = 0;
  std::uint64_t most = 0;
};

Tally tally(const RoundQuestion& q) {
  const std::size_t committed = q.answers.size();
  const Register* stands = standing(q.present);
  Tally tally;
  for (std::size_t i = 0; i < q.answers.size(); ++i) {
    const RoundInput& input = q.answers[i];
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
    const std::uint64_t votes = ++tally.votes[holds];
    if (votes > tally.most) {
      tally.most = votes;
      tally.best = holds;
    }
  }
  return tally;
}

RoundDecision decide_lww(const RoundQuestion& q) {
  RoundDecision decision;
  if (!has_offer(q)) return decision;
  decision.rule = "lww";
  for (std::size_t i = 0; i < q.answers.size(); ++i) {
    const RoundInput& input = q.answers[i];
    if (input.kind != AnswerKind::kOffer) continue;
    if (q.present != nullptr &&
        std::tie(input.offer.hlc, input.agent) <= std::tie(q.present->hlc, q.present->writer.agent))
      continue;
    if (!decision.winner ||
        std::tie(q.answers[*decision.winner].offer.hlc, q.answers[*decision.winner].agent) <
            std::tie(input.offer.hlc, input.agent))
      decision.winner = i;
  }
  if (!decision.winner) return decision;
  const Register* stands = standing(q.present);
  decision.commit =
      stands == nullptr || !same_value(q.answers[*decision.winner].offer.value, *stands);
  decision.outcome = decision.commit ? RoundOutcome::kResolved : RoundOutcome::kUnchanged;
  return decision;
}

RoundDecision decide_quorum(const RoundQuestion& q) {
  const Tally votes = tally(q);
  RoundDecision decision;
  if (reaches(votes.most, q.roster, q.policy->quorum)) {
    if (has_offer(q)) decision.rule = fmt::format("quorum({})", q.policy->quorum.permille);
    if (votes.best == q.answers.size()) {
      // The committed value won; whoever offered that same value took it too.
      return decision;
    }
    decision.winner = votes.best;
    decision.commit = true;
    decision.outcome = RoundOutcome::kResolved;
    return decision;
  }
  if (!has_offer(q)) return decision;  // nothing was in question
  if (q.policy->otherwise == Strategy::kLww) {
    decision = decide_lww(q);
    decision.rule = fmt::format("quorum({}) otherwise lww", q.policy->quorum.permille);
    return decision;
  }
  decision.outcome = RoundOutcome::kNoQuorum;
  decision.rule = fmt::format("quorum({}) otherwise keep", q.policy->quorum.permille);
  return decision;
}

}  // namespace

bool settled(const RoundQuestion& q) {
  WAGGLE_CHECK(q.policy != nullptr && q.answers.size() <= q.roster);
  const std::uint64_t missing = q.roster - q.answers.size();
  if (missing == 0) return true;
  const bool chooses = takes_offers(q) && q.policy->strategy != Strategy::kKeep;
  if (chooses && q.policy->strategy == Strategy::kQuorum && moved(q)) return true;
  if (q.answers.empty()) return false;  // the first one makes something else of `timeout`
  if (!chooses) return true;
  if (q.policy->strategy == Strategy::kLww) return false;
  const Tally votes = tally(q);
  if (reaches(votes.most, q.roster, q.policy->quorum)) return true;
  // With `otherwise = lww` a missing offer could still be the greatest. Without an offer nothing is
  // in question yet: a missing one would make no_quorum of unchanged.
  return has_offer(q) && q.policy->otherwise == Strategy::kKeep &&
         !can_still_reach(votes.most, missing, q.roster, q.policy->quorum);
}

RoundDecision decide(const RoundQuestion& q) {
  WAGGLE_CHECK(q.policy != nullptr && q.answers.size() <= q.roster);
  RoundDecision decision;
  if (takes_offers(q)) {
    switch (q.policy->strategy) {
      case Strategy::kKeep:
        if (has_offer(q)) decision.rule = "keep";
        break;
      case Strategy::kLww:
        decision = decide_lww(q);
        break;
      case Strategy::kQuorum:
        if (moved(q)) {
          decision.outcome = RoundOutcome::kMoved;
          return decision;
        }
        decision = decide_quorum(q);
        break;
    }
  }
  // Only a missing answer that could have changed the decision makes it less than one.
  if (!settled(q))
    decision.outcome = q.answers.empty() ? RoundOutcome::kTimeout : RoundOutcome::kPartial;
  return decision;
}

}  // namespace waggle
