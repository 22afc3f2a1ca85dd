#pragma once

// From the rules of the public API to policies.

#include <vector>

#include <waggle/conflict_resolver.h>

#include "resolver/policy.h"

namespace waggle {

[[nodiscard]] Strategy to_strategy(ResolveBy by);
[[nodiscard]] Policy to_policy(const ResolverRule& rule);
// Errors: kRejected for a name given twice, and for a merger that breaks a law.
[[nodiscard]] Status add_mergers(const std::vector<CustomMerger>& mergers, Policies& policies);

}  // namespace waggle
