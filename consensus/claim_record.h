#pragma once

// A claim as a record: what makes it durable, and what everybody can read, watch and catch up with.
// Its key is kClaimKeys and the pattern. The value is the checkpoint, the last that a holder said
// of its work, which the next one begins with; the metadata say who holds it:
//
//   holder, process, label, handed_by, token, ttl_ms, of   ("session": ends with it too; "time")
//   asked                                       of a task's: the request by which it was taken
//   ended, token                                nobody holds it, and the checkpoint waits
//
// The keys are written by the coordinator alone.

#include <optional>
#include <string>
#include <string_view>

#include "base/record.h"
#include "consensus/claims.h"

namespace waggle {

inline constexpr std::string_view kClaimKeys = "~claim/";

[[nodiscard]] inline bool is_claim_key(std::string_view key) {
  return key.starts_with(kClaimKeys);
}
[[nodiscard]] Key claim_key(std::string_view pattern);
// REQUIRES: is_claim_key(key).
[[nodiscard]] std::string_view pattern_of(std::string_view claim_key);

[[nodiscard]] Metadata to_metadata(const Claim& claim);
// Nothing: nobody holds it, or the record is not one of a claim.
[[nodiscard]] std::optional<Claim> claim_of(const Key& key, const Record& record);
// Empty: nothing was said.
[[nodiscard]] std::optional<Register> checkpoint_of(const Record* record);

}  // namespace waggle
