#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <waggle/conflict_resolver.h>

#include "include/lib/convert.h"
#include "include/lib/key_rule.h"
#include "resolver/round.h"

namespace waggle {
namespace {

Register to_register(const CandidateValue& value) {
  return {static_cast<ContentType>(value.content), value.bytes};
}
Hlc to_hlc(const CandidateValue& value) {
  return Hlc::of(value.stamp_millis, value.stamp_count);
}

}  // namespace

Strategy to_strategy(ResolveBy by) {
  switch (by) {
    case ResolveBy::kLww:
      return Strategy::kLww;
    case ResolveBy::kQuorum:
      return Strategy::kQuorum;
    case ResolveBy::kKeep:
      return Strategy::kKeep;
  }
  return Strategy::kKeep;
}

Policy to_policy(const ResolverRule& rule) {
  Policy policy;
  policy.strategy = to_strategy(rule.strategy);
  policy.otherwise = to_strategy(rule.otherwise);
  policy.quorum.permille = rule.quorum_permille;
  return policy;
}

Expected<ConflictResolver> ConflictResolver::make(const ResolverRule& rule) {
  if (Status fine = Policies().add(to_policy(rule)); !fine) return failure_of(fine);
  return ConflictResolver(rule);
}

Expected<Resolution> ConflictResolver::resolve(const std::optional<CandidateValue>& committed,
                                               const std::vector<CandidateValue>& offers,
                                               std::uint32_t same, std::uint32_t roster) const {
  if (std::uint64_t{same} + offers.size() > roster)
    return failure(
        StatusCode::kRejected,
        fmt::format("{} offers and {} members that hold the committed value are more than "
                    "the roster of {}",
                    offers.size(), same, roster));
  std::set<std::string> agents;
  for (const CandidateValue& offer : offers)
    if (!agents.insert(offer.agent).second)
      return failure(StatusCode::kRejected,
                     fmt::format("agent '{}' offers twice; each counts once", offer.agent));
  const Policy policy = to_policy(rule_);
  Record standing;
  if (committed) {
    standing.value = to_register(*committed);
    standing.version = Revision(1);
    standing.hlc = to_hlc(*committed);
    standing.writer.agent = AgentId(committed->agent);
    standing.content = content_hash(*standing.value);
  }
  RoundQuestion question;
  question.asked = standing.version;
  question.present = committed ? &standing : nullptr;
  question.policy = &policy;
  question.roster = roster;
  for (const CandidateValue& offer : offers)
    question.answers.push_back({AgentId(offer.agent), AnswerKind::kOffer,
                                Offer{to_register(offer), standing.version, to_hlc(offer)}});
  for (std::uint32_t i = 0; i < same; ++i)
    question.answers.push_back({AgentId(fmt::format("~same-{}", i)),
                                committed ? AnswerKind::kSame : AnswerKind::kAbsent, Offer{}});
  RoundDecision decision = decide(question);
  return Resolution{static_cast<SyncOutcome>(decision.outcome), decision.winner, decision.commit,
                    std::move(decision.rule)};
}

}  // namespace waggle
