#pragma once

// What is written together with something else: with the approval of a proposal, with the end of a
// task. Registers only; all of them or none.

#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/value.h"
#include "resolver/document_fields.h"

namespace waggle {

struct ProposedWrite {
  Key key;
  Register value;
  std::optional<Revision> if_version;
  friend bool operator==(const ProposedWrite&, const ProposedWrite&) = default;
};

// Of the field "writes": 1..limits::kProposedWrites objects {"key", "value", "if_version"?}, each
// key once and none of Waggle's own. Errors: kRejected.
[[nodiscard]] Status read_writes(const DocumentFields& fields, std::vector<ProposedWrite>& writes);
[[nodiscard]] JsonValue json_of(const std::vector<ProposedWrite>& writes);

}  // namespace waggle
