#pragma once

// Writes of every value type beside registers, counters and sets, drawn at random. Each type has
// keys of its own, so that what a checker expects of a key does not depend on who changed its type.
//
// One thread.

#include "agent/agent.h"
#include "base/ids.h"
#include "base/mutation.h"
#include "base/prng.h"

namespace waggle::sim {

// Positions in lists and texts, and names of fields, are those of the agent's own view, so most of
// them exist.
[[nodiscard]] Entry typed_write(Prng& random, const Agent& agent);

}  // namespace waggle::sim
