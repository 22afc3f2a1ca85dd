#pragma once

// The keys that have rules of their own: claims, proposals and votes, tasks. No round is held about
// them, nothing merges, expires or makes them ephemeral.

#include <string_view>

#include "consensus/claim_record.h"
#include "consensus/task_queue.h"
#include "coordinator/proposal.h"

namespace waggle {

[[nodiscard]] inline bool is_own_key(std::string_view key) {
  return is_claim_key(key) || is_decision_key(key) || is_task_key(key);
}

}  // namespace waggle
