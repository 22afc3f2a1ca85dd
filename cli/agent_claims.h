#pragma once

// The operations of `waggle agent run` about claims.

#include <string_view>
#include <vector>

#include "base/event.h"
#include "cli/agent_writes.h"
#include "cli/json.h"

namespace waggle::cli {

[[nodiscard]] const std::vector<OpForm>& claim_forms();
[[nodiscard]] bool is_claim(std::string_view op);
// REQUIRES: is_claim(op), and check_fields() was fine.
[[nodiscard]] Result<ClaimCommand> claim_of(const Json& object, std::string_view op);

}  // namespace waggle::cli
