#pragma once

// The check that a loaded state is the one that was committed: each swarm's row carries the digest
// of its records at its head (base/record.h), in the same batch, so a record that is missing, old,
// or too many shows when the store is loaded, whatever lost it.

#include "base/status.h"
#include "memory/commit_store.h"

namespace waggle {

// Error kCorrupt: the records of a swarm don't add up to its digest, or one is above its head. A
// row without a digest (of a store of format 1) is not checked.
[[nodiscard]] Status check_digests(const CoordinatorState& state);

}  // namespace waggle
