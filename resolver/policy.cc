#include "resolver/policy.h"

#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "resolver/law_check.h"

namespace waggle {

namespace {

struct Named {
  Strategy strategy;
  std::string_view name;
};
constexpr Named kNames[] = {
    {Strategy::kLww, "lww"},       {Strategy::kFww, "fww"},     {Strategy::kVector, "vector"},
    {Strategy::kQuorum, "quorum"}, {Strategy::kMerge, "merge"}, {Strategy::kManual, "manual"},
    {Strategy::kCustom, "custom"}, {Strategy::kKeep, "keep"},
};

constexpr std::size_t kWeights = 1024;

std::unexpected<Error> wrong(const Policy& policy, std::string_view text) {
  return failed(Code::kRejected, fmt::format("policy '{}': {}", policy.prefix, text));
}

// Nothing is set that would have no effect.
bool only_of_an_ephemeral(const Policy& policy) {
  Policy plain;
  plain.prefix = policy.prefix;
  plain.ephemeral = true;
  plain.live_millis = policy.live_millis;
  plain.packing = policy.packing;
  return policy == plain;
}

}  // namespace

std::string_view to_text(Strategy strategy) {
  for (const Named& named : kNames)
    if (named.strategy == strategy) return named.name;
  return "unrecognised";
}

Result<Strategy> strategy_of(std::string_view text) {
  std::string names;
  for (const Named& named : kNames) {
    if (named.name == text) return named.strategy;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", named.name);
  }
  return failed(Code::kRejected,
                fmt::format("unknown strategy '{}': expected one of {}", text, names));
}

Policies::Policies() {
  by_prefix_.emplace("", Policy{});
}

Status Policies::add(Policy policy) {
  if (policy.prefix.size() > limits::kKeyBytes)
    return failed(Code::kRejected,
                  fmt::format("a policy's prefix has {} bytes, at most {} fit a key",
                              policy.prefix.size(), limits::kKeyBytes));
  if (policy.quorum.permille <= 500 || policy.quorum.permille > 1000)
    return failed(
        Code::kRejected,
        fmt::format("policy '{}': a quorum threshold of {}.{} % is not above one half and "
                    "at most all",
                    policy.prefix, policy.quorum.permille / 10, policy.quorum.permille % 10));
  if (policy.otherwise == Strategy::kQuorum || policy.at_last == Strategy::kQuorum)
    return wrong(policy, "`otherwise` can't be quorum, expected keep, lww, merge or manual");
  if (policy.uses(Strategy::kCustom) && policy.merger.empty())
    return wrong(policy, "the strategy custom needs `merger`, the name of a registered function");
  if (policy.coverage_permille > 1000)
    return wrong(policy, "`coverage` is a share of the members, at most all of them");
  if (policy.weights.size() > kWeights)
    return wrong(policy, fmt::format("{} weights, at most {} are looked up", policy.weights.size(),
                                     kWeights));
  if (policy.history && *policy.history > limits::kHistoryVersions)
    return wrong(policy, fmt::format("a history of {} versions, at most {} are kept",
                                     *policy.history, limits::kHistoryVersions));
  if (policy.vote_permille > 0 && policy.vote_permille <= 500)
    return wrong(policy,
                 "`vote` needs more than one half, so that two proposals can't both have it");
  if (!policy.voters.empty() && policy.vote_permille == 0)
    return wrong(policy, "`voters` are for keys that need a proposal: give `vote` too");
  if (policy.conflict_window_millis < 0)
    return wrong(policy, "the conflict window must be 0 or more");
  if ((policy.parked_millis && *policy.parked_millis <= 0) ||
      (policy.live_millis && *policy.live_millis <= 0))
    return wrong(policy, "a time to live must be above 0");
  if (policy.timeout_millis && *policy.timeout_millis <= 0)
    return failed(Code::kRejected,
                  fmt::format("policy '{}': the timeout must be above 0", policy.prefix));
  if (policy.ephemeral && !only_of_an_ephemeral(policy))
    return wrong(policy,
                 "ephemeral keys are registers and the last write stands: expected no setting "
                 "beside `class` but `time_to_live` and `compression`");
  if (policy.signed_writes &&
      (policy.vote_permille > 0 || policy.uses(Strategy::kMerge) ||
       policy.uses(Strategy::kCustom) || (policy.type && *policy.type != ValueType::kRegister)))
    return wrong(policy,
                 "`signed` registers stand as one agent signed them: expected no `vote`, no other "
                 "`type` and no strategy that merges");
  choose_packing_ = choose_packing_ || policy.packing != Packing::kAuto;
  if (policy.prefix.empty()) {
    if (std::exchange(default_given_, true))
      return failed(Code::kRejected, "two policies have the empty prefix; keep one");
    by_prefix_[""] = std::move(policy);
    return {};
  }
  const std::string prefix = policy.prefix;
  if (!by_prefix_.emplace(prefix, std::move(policy)).second)
    return failed(Code::kRejected,
                  fmt::format("two policies have the prefix '{}'; keep one", prefix));
  return {};
}

const Policy& Policies::of(std::string_view key) const {
  // The longest prefix is the greatest entry at or below the key that the key begins with; when the
  // nearest entry is no prefix, only what it shares with the key can still lead to one.
  while (true) {
    const auto after = by_prefix_.upper_bound(key);
    const auto& [prefix, policy] = *std::prev(after);  // the empty prefix is below everything
    if (key.starts_with(prefix)) return policy;
    std::size_t shared = 0;
    while (shared < prefix.size() && shared < key.size() && prefix[shared] == key[shared]) ++shared;
    key = key.substr(0, shared);
  }
}

Status Policies::add_merger(const std::string& name, Merger merger,
                            const std::vector<std::string>& samples) {
  if (mergers_.contains(name))
    return failed(Code::kRejected, fmt::format("two mergers have the name '{}'; keep one", name));
  if (Status lawful = check_merger(merger, samples); !lawful) {
    lawful.error().text = fmt::format("merger '{}': {}", name, lawful.error().text);
    return lawful;
  }
  mergers_.emplace(name, std::move(merger));
  return {};
}

const Merger* Policies::merger(const std::string& name) const {
  const auto found = mergers_.find(name);
  return found == mergers_.end() ? nullptr : &found->second;
}

std::vector<std::string> Policies::mortal() const {
  std::vector<std::string> prefixes;
  for (const auto& [prefix, policy] : by_prefix_)
    if (policy.live_millis && !policy.ephemeral) prefixes.push_back(prefix);
  return prefixes;
}

Status Policies::add_role(const std::string& name, VotingRole role) {
  if (name.empty() || name.size() > limits::kIdBytes)
    return failed(Code::kRejected, fmt::format("a role: expected a name of 1 to {} bytes, got {}",
                                               limits::kIdBytes, name.size()));
  if (role.agents.empty() || role.agents.size() > limits::kVoters)
    return failed(Code::kRejected, fmt::format("the role '{}': expected 1 to {} agents, got {}",
                                               name, limits::kVoters, role.agents.size()));
  for (const AgentId& agent : role.agents)
    if (Status shape = check_agent_id(agent.value()); !shape) return shape;
  if (!roles_.emplace(name, std::move(role)).second)
    return failed(Code::kRejected, fmt::format("there are two roles '{}'; make one of them", name));
  return {};
}

const VotingRole* Policies::role(std::string_view name) const {
  const auto found = roles_.find(name);
  return found == roles_.end() ? nullptr : &found->second;
}

std::string Policies::role_names() const {
  std::string names;
  for (const auto& [name, role] : roles_)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return names.empty() ? "none" : names;
}

}  // namespace waggle
