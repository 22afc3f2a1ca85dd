#pragma once

// What an agent delivers, as the lines that `waggle agent run` prints. Each begins with "event";
// answers carry the caller's "id" behind it.

#include "base/event.h"
#include "cli/agent_ops.h"
#include "cli/json.h"

namespace waggle::cli {

// {"event":NAME} with "id" when the caller gave one.
[[nodiscard]] Json event_json(std::string_view name, const Json& id);
[[nodiscard]] Json error_json(const Json& id, const Error& error);

[[nodiscard]] Json changed_json(const StateChanged& changed);
[[nodiscard]] Json link_json(const LinkChanged& link);
[[nodiscard]] Json caught_up_json(const Json& id, const CaughtUp& caught_up);
[[nodiscard]] Json settled_json(const Json& id, const WriteSettled& settled);
[[nodiscard]] Json ephemeral_settled_json(const Json& id, const EphemeralSettled& settled);
[[nodiscard]] Json ephemeral_json(const EphemeralChanged& changed);
[[nodiscard]] Json read_json(const AgentOp& op, const ReadDone& done);
[[nodiscard]] Json offer_settled_json(const Json& id, const OfferSettled& settled);
[[nodiscard]] Json claim_json(const Json& id, const ClaimDone& done);
[[nodiscard]] Json claim_waits_json(const Json& id, const ClaimWaits& waits);
[[nodiscard]] Json claim_gained_json(const ClaimGained& gained);
[[nodiscard]] Json claim_lost_json(const ClaimLost& lost);
[[nodiscard]] Json overruled_json(const WriteOverruled& overruled);
[[nodiscard]] Json lost_json(const WritesLost& lost);
[[nodiscard]] Json status_json(const Json& id, const StatusDone& status);

}  // namespace waggle::cli
