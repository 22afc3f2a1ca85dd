#pragma once

// Choices made again from their receipts: to verify that a rule gives what was committed, and to
// see what another policy would have given (what-if). Pure; needs no coordinator and no store.
//
// A rule is run on the inputs that the receipt retained. Stamps and votes are always there, so lww,
// fww, vector, quorum and keep need no values; merge needs the values of all sides and of what they
// began from, which are kept up to limits::kReceiptValueBytes; custom needs its function. What is
// needed and not there makes the result unknown, never another one.

#include <optional>
#include <string>
#include <vector>

#include "base/receipt.h"
#include "resolver/policy.h"

namespace waggle {

// What a chain of strategies gives for the inputs of a receipt.
struct Replay {
  // Of the value that stands afterwards; empty: it could not be said, and `text` why not. With
  // `parked` it is that of the committed value.
  std::optional<Hash128> output;
  std::string rule;     // the strategy that decided
  bool parked = false;  // left to a person
  std::string text;
};
[[nodiscard]] Replay replay(const Receipt& receipt, const Policy& policy, const Policies& policies);

// The policy that a receipt's rule names: its chain and thresholds. Nothing: the choice was a
// person's (settled, aged), or the rule is of a newer Waggle.
[[nodiscard]] std::optional<Policy> policy_of_rule(const std::string& rule);

enum class Verified : std::uint8_t {
  kHolds,      // the rule gives the recorded output
  kNotRun,     // linked, but what the rule needs is not retained, or it was a person's choice
  kDiffers,    // the rule gives another output, or a value is not the one that was hashed
  kBrokenLink  // it does not name the receipt before it: one is missing, or was changed
};
[[nodiscard]] std::string_view to_text(Verified verified);

struct CheckedReceipt {
  Verified verified = Verified::kHolds;
  std::string text;  // why, where it is not kHolds
};
// A key's receipts, oldest first. `head`: the link that the key's record has; without it the last
// one is not checked against anything. The first of the chain may follow one that was forgotten
// with the key: then its link is not checked.
struct CheckedChain {
  std::vector<CheckedReceipt> receipts;
  bool ends_at_head = true;
  [[nodiscard]] bool sound() const;  // nothing differs, no link is broken, it ends at the head
};
[[nodiscard]] CheckedChain verify(const std::vector<Receipt>& chain,
                                  const std::optional<ChainHash>& head, const Policies& policies);

}  // namespace waggle
