#pragma once

// The operations that the agent was asked and has not answered for good, by request.

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "base/ids.h"
#include "cli/agent_ops.h"

namespace waggle::cli {

class AskedOps {
 public:
  struct Asked {
    AgentOp op;
    bool queued = false;  // a write that is in the outbox
  };

  void add(RequestId request, AgentOp op) {
    writes_ += is_write(op) ? 1 : 0;
    unqueued_ += is_write(op) || is_offer(op) ? 1 : 0;
    asked_.emplace(request, Asked{std::move(op), false});
  }
  // Null: not asked by this process, or answered.
  [[nodiscard]] const AgentOp* find(RequestId request) const {
    const auto found = asked_.find(request);
    return found == asked_.end() ? nullptr : &found->second.op;
  }
  // The id under which it was asked; null when it is not known.
  [[nodiscard]] Json id_of(RequestId request) const {
    const AgentOp* op = find(request);
    return op == nullptr ? Json() : op->id;
  }
  // REQUIRES: find() knows it.
  void set_queued(RequestId request) {
    asked_.find(request)->second.queued = true;
    --unqueued_;
  }
  void forget(RequestId request) {
    const auto found = asked_.find(request);
    if (found == asked_.end()) return;
    const auto& [op, queued] = found->second;
    if ((is_write(op) || is_offer(op)) && !queued) --unqueued_;
    if (is_write(op)) --writes_;
    asked_.erase(found);
  }

  [[nodiscard]] bool empty() const { return asked_.empty(); }
  [[nodiscard]] const std::map<RequestId, Asked>& all() const { return asked_; }
  [[nodiscard]] std::size_t writes() const { return writes_; }      // not settled
  [[nodiscard]] std::size_t unqueued() const { return unqueued_; }  // not taken by the agent yet
  // Something that ends at a time of its own: a read, a round, a claim that is asked for.
  [[nodiscard]] bool timed() const {
    return std::any_of(asked_.begin(), asked_.end(), [](const auto& asked) {
      const auto& ask = asked.second.op.ask;
      return std::holds_alternative<ReadCommand>(ask) || std::holds_alternative<SyncCommand>(ask) ||
             std::holds_alternative<ClaimCommand>(ask);
    });
  }

 private:
  static bool is_offer(const AgentOp& op) { return std::holds_alternative<OfferCommand>(op.ask); }

  std::map<RequestId, Asked> asked_;
  std::size_t writes_ = 0;
  std::size_t unqueued_ = 0;
};

}  // namespace waggle::cli
