#include "resolver/policy.h"

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {

std::string_view to_text(Strategy strategy) {
  switch (strategy) {
    case Strategy::kLww:
      return "lww";
    case Strategy::kQuorum:
      return "quorum";
    case Strategy::kKeep:
      return "keep";
  }
  return "unrecognised";
}

Result<Strategy> strategy_of(std::string_view text) {
  for (const Strategy strategy : {Strategy::kLww, Strategy::kQuorum, Strategy::kKeep})
    if (to_text(strategy) == text) return strategy;
  return failed(Code::kRejected,
                fmt::format("unknown strategy '{}': expected lww, quorum or keep", text));
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
  if (policy.otherwise == Strategy::kQuorum)
    return failed(Code::kRejected,
                  fmt::format("policy '{}': `otherwise` can't be quorum, expected keep or lww",
                              policy.prefix));
  if (policy.timeout_millis && *policy.timeout_millis <= 0)
    return failed(Code::kRejected,
                  fmt::format("policy '{}': the timeout must be above 0", policy.prefix));
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

}  // namespace waggle
