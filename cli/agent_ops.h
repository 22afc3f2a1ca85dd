#pragma once

// The operations of `waggle agent run`: one JSON object a line. What is unknown, of the wrong type
// or missing is refused with what was expected; nothing is skipped.

#include <string>
#include <string_view>
#include <variant>

#include "base/event.h"
#include "base/mutation.h"
#include "cli/json.h"

namespace waggle::cli {

// Done by the program itself and not by the agent.
enum class LocalOp { kWatch, kUnwatch, kLeave };

struct AgentOp {
  Json id;  // as the caller gave it; null: none
  std::string op;
  std::variant<LocalOp, WriteCommand, UpdateCommand, EphemeralCommand, ClaimCommand, OfferCommand,
               ReadCommand, SyncCommand, CatchUpCommand, StatusCommand>
      ask;                  // without a request id
  bool single = false;      // of a get: one key, not a list
  std::string after;        // of a list: only keys behind this one
  std::uint64_t limit = 0;  // of a list; 0: all
  std::string proposal_id;  // of a proposal
  std::string task_id;      // of a task
};

// Has an answer of the coordinator, as a settled write.
[[nodiscard]] inline bool is_write(const AgentOp& op) {
  return std::holds_alternative<WriteCommand>(op.ask) ||
         std::holds_alternative<UpdateCommand>(op.ask) ||
         std::holds_alternative<EphemeralCommand>(op.ask);
}

struct ParsedOp {
  Json id;  // also when the rest is wrong, as far as it could be read
  Result<AgentOp> op;
};
[[nodiscard]] ParsedOp parse_op(std::string_view line);

}  // namespace waggle::cli
