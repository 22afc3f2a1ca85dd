#pragma once

// The operations of `waggle agent run` about tasks.

#include <string_view>
#include <vector>

#include "base/event.h"
#include "cli/agent_ops.h"
#include "cli/agent_writes.h"
#include "cli/json.h"

namespace waggle::cli {

[[nodiscard]] const std::vector<OpForm>& task_forms();
[[nodiscard]] bool is_task(std::string_view op);
// Into `op.ask` and `op.task_id`. REQUIRES: is_task(op.op), and check_fields() was fine.
[[nodiscard]] Status parse_task(const Json& object, AgentOp& op);

}  // namespace waggle::cli
