#pragma once

// Receipts: what a rule chose from, in a hash chain for each key, so that a choice can be explained
// and a missing or changed receipt be noticed. Written where a rule chose among two or more
// concurrent inputs or a round settled offers; operations that merge by type make none.

#include <optional>
#include <string>

#include "base/receipt.h"
#include "base/record.h"

namespace waggle {

// BLAKE2b-256 of the receipt's canonical bytes, its `previous` included.
[[nodiscard]] ChainHash hash_of(const Receipt& receipt);
// 64 hexadecimal digits.
[[nodiscard]] std::string to_hex(const ChainHash& hash);

// One input of a receipt; its value is kept where it is small enough.
[[nodiscard]] ReceiptInput input_of(const AgentId& agent, Revision version, Hlc hlc,
                                    const std::optional<Register>& value, bool committed);
// What stands: the committed input.
[[nodiscard]] ReceiptInput input_of(const Record& standing);

}  // namespace waggle
