#include <algorithm>
#include <map>
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
    case ResolveBy::kFww:
      return Strategy::kFww;
    case ResolveBy::kVector:
      return Strategy::kVector;
    case ResolveBy::kMerge:
      return Strategy::kMerge;
    case ResolveBy::kManual:
      return Strategy::kManual;
    case ResolveBy::kCustom:
      return Strategy::kCustom;
  }
  return Strategy::kKeep;
}

Policy to_policy(const ResolverRule& rule) {
  Policy policy;
  policy.strategy = to_strategy(rule.strategy);
  policy.otherwise = to_strategy(rule.otherwise);
  policy.at_last = to_strategy(rule.at_last);
  policy.quorum.permille = rule.quorum_permille;
  policy.weights = rule.weights;
  policy.conflict_window_millis = rule.conflict_window.count();
  policy.coverage_permille = rule.coverage_permille;
  policy.merger = rule.merger;
  policy.merging = {.unit = rule.merge.by_token ? TextUnit::kToken : TextUnit::kLine,
                    .unite = rule.merge.unite,
                    .favor = static_cast<MergeFavor>(rule.merge.favor),
                    .additive_numbers = rule.merge.add_numbers,
                    .array_keys = rule.merge.array_keys};
  return policy;
}

Status add_mergers(const std::vector<CustomMerger>& mergers, Policies& policies) {
  for (const CustomMerger& merger : mergers) {
    const auto join = [join = merger.join](std::string_view a,
                                           std::string_view b) -> Result<std::string> {
      Expected<std::string> joined = join(a, b);
      if (joined) return *std::move(joined);
      return failed(static_cast<Code>(joined.error().code), std::move(joined.error().text));
    };
    if (merger.join == nullptr)
      return failed(Code::kRejected,
                    fmt::format("the merger '{}': expected a function, got none", merger.name));
    if (Status added = policies.add_merger(merger.name, join, merger.samples); !added) return added;
  }
  return {};
}

struct ConflictResolver::Parts {
  Policy policy;
  Policies policies;
};

Expected<ConflictResolver> ConflictResolver::make(const ResolverRule& rule,
                                                  const std::vector<CustomMerger>& mergers) {
  auto parts = std::make_shared<Parts>();
  parts->policy = to_policy(rule);
  if (Status added = add_mergers(mergers, parts->policies); !added) return failure_of(added);
  if (Status fine = parts->policies.add(parts->policy); !fine) return failure_of(fine);
  if (parts->policy.uses(Strategy::kCustom) &&
      parts->policies.merger(parts->policy.merger) == nullptr)
    return failure(StatusCode::kRejected,
                   fmt::format("the merger '{}' was not given", parts->policy.merger));
  return ConflictResolver(std::move(parts));
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
  const Policy& policy = parts_->policy;
  Record standing;
  if (committed) {
    standing.value = to_register(*committed);
    standing.version = Revision(std::max<std::uint64_t>(committed->version, 1));
    standing.hlc = to_hlc(*committed);
    standing.writer.agent = AgentId(committed->agent);
    standing.content = content_hash(*standing.value);
  }
  RoundQuestion question;
  question.asked = standing.version;
  question.present = committed ? &standing : nullptr;
  question.policy = &policy;
  question.policies = &parts_->policies;
  question.roster = roster;
  std::map<Revision, RecordPtr> bases;
  for (const CandidateValue& offer : offers) {
    const Revision based_on = offer.version == 0 ? standing.version : Revision(offer.version);
    question.answers.push_back({AgentId(offer.agent), AnswerKind::kOffer,
                                Offer{to_register(offer), based_on, to_hlc(offer)}});
    question.electorate += policy.weight_of(AgentId(offer.agent));
    if (!offer.based_on) continue;
    auto base = std::make_shared<Record>();
    base->value = Register{static_cast<ContentType>(offer.content), *offer.based_on};
    base->version = based_on;
    bases[based_on] = std::move(base);
  }
  question.history = [&bases](Revision version) {
    const auto found = bases.find(version);
    return found == bases.end() ? nullptr : found->second;
  };
  for (std::uint32_t i = 0; i < same; ++i)
    question.answers.push_back({AgentId(fmt::format("~same-{}", i)),
                                committed ? AnswerKind::kSame : AnswerKind::kAbsent, Offer{}});
  question.electorate += roster - offers.size();
  RoundDecision decision = decide(question);
  Resolution resolution{static_cast<SyncOutcome>(decision.outcome),
                        decision.winner,
                        {},
                        decision.commit,
                        std::move(decision.rule)};
  if (decision.made) resolution.made = std::move(decision.made->bytes);
  return resolution;
}

}  // namespace waggle
