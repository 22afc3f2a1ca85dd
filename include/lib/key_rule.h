#pragma once

// From the rules of the public API to policies.

#include <waggle/conflict_resolver.h>

#include "resolver/policy.h"

namespace waggle {

[[nodiscard]] Strategy to_strategy(ResolveBy by);
[[nodiscard]] Policy to_policy(const ResolverRule& rule);

}  // namespace waggle
