#include "base/access.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/glob.h"
#include "base/hash.h"

namespace waggle {
namespace {

constexpr std::array<std::string_view, kActs> kWords = {"read",  "write", "propose",   "vote",
                                                        "claim", "sync",  "administer"};

bool any_match(const std::vector<std::string>& globs, std::string_view text) {
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return glob_match(glob, text); });
}

bool matches_all(std::string_view glob) {
  return !glob.empty() && glob.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace

std::string_view to_text(Act act) {
  return kWords[static_cast<std::size_t>(act)];
}

std::optional<Act> act_of(std::string_view word) {
  const auto found = std::ranges::find(kWords, word);
  if (found == kWords.end()) return std::nullopt;
  return static_cast<Act>(found - kWords.begin());
}

std::string act_names() {
  return fmt::format("{}", fmt::join(kWords, ", "));
}

// ---- Rights ------------------------------------------------------------------------------------

RightsPtr Rights::all() {
  static const RightsPtr kAll = [] {
    auto rights = std::make_shared<Rights>();
    for (std::size_t act = 0; act < kActs; ++act) rights->add(static_cast<Act>(act), "*");
    rights->seal();
    return rights;
  }();
  return kAll;
}

bool Rights::allows(Act act, std::string_view key) const {
  return everything_[index(act)] || any_match(globs_[index(act)], key);
}

bool Rights::covers(Act act, std::string_view pattern) const {
  if (everything_[index(act)]) return true;
  return std::ranges::any_of(globs_[index(act)],
                             [&](const std::string& glob) { return glob_covers(glob, pattern); });
}

void Rights::add(Act act, const std::string& glob) {
  globs_[index(act)].push_back(glob);
  if (matches_all(glob)) everything_[index(act)] = true;
}

void Rights::seal() {
  for (std::vector<std::string>& globs : globs_) {
    std::ranges::sort(globs);
    const auto rest = std::ranges::unique(globs);
    globs.erase(rest.begin(), rest.end());
  }
  CanonicalBytes bytes;
  for (const std::string& glob : globs_[index(Act::kRead)]) bytes.text(glob);
  const std::uint64_t hash = hash128(bytes.bytes()).low;
  view_ = everything(Act::kRead) ? 0 : std::max<std::uint64_t>(hash, 1);
}

// ---- AccessRules -------------------------------------------------------------------------------

Status AccessRules::add(AccessRule rule) {
  if (rule.agents.empty() && rule.members.empty())
    return failed(Code::kRejected,
                  "a rule is for somebody: expected `agents` or `roles`; [\"*\"] is everybody");
  if (rule.allow.empty())
    return failed(
        Code::kRejected,
        fmt::format("a rule allows something: expected `allow` with some of {}", act_names()));
  rules_.push_back(std::move(rule));
  return {};
}

template <typename Names>
RightsPtr AccessRules::gather(const SwarmId& swarm, const Names& names) const {
  if (rules_.empty()) return Rights::all();
  auto rights = std::make_shared<Rights>();
  for (const AccessRule& one : rules_) {
    if (!any_match(one.swarms, swarm.value()) || !names(one)) continue;
    for (const Act act : one.allow)
      for (const std::string& glob : one.keys) rights->add(act, glob);
  }
  rights->seal();
  return rights;
}

RightsPtr AccessRules::of(const AgentId& agent, const SwarmId& swarm) const {
  return gather(swarm, [&](const AccessRule& one) {
    return any_match(one.agents, agent.value()) ||
           std::ranges::find(one.members, agent) != one.members.end();
  });
}

RightsPtr AccessRules::of_all(const SwarmId& swarm) const {
  return gather(swarm,
                [](const AccessRule& one) { return std::ranges::any_of(one.agents, matches_all); });
}

}  // namespace waggle
