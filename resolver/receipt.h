#pragma once

// Receipts: what a rule chose from, in a hash chain for each key, so that a choice can be explained
// and a missing or changed receipt be noticed. Written where a rule chose among two or more
// concurrent inputs or a round settled offers; operations that merge by type make none.

#include "base/row.h"

namespace waggle {

// BLAKE2b-256 of the receipt's canonical bytes, its `previous` included.
[[nodiscard]] ChainHash hash_of(const Receipt& receipt);

}  // namespace waggle
