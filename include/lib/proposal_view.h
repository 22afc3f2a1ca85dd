#pragma once

// A proposal's record as the public API shows it, and the answering of proposals by a callback.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <waggle/agent.h>
#include <waggle/consensus.h>

namespace waggle {

// Nothing: it is no proposal, or there is none.
[[nodiscard]] std::optional<ProposalView> view_of(const StateItem& item);

// Asks the application once about each open proposal on which its agent may vote. The agent's
// thread.
class ProposalAnswers {
 public:
  using Callback = std::function<std::optional<Vote>(const ProposalView&)>;
  ProposalAnswers(std::string agent, Callback callback)
      : self_(std::move(agent)), callback_(std::move(callback)) {}
  // Null: there is none yet, so nothing can be answered.
  void set_agent(SwarmAgent* agent) { agent_ = agent; }
  void look(const StateChange& change);

 private:
  const std::string self_;
  const Callback callback_;
  std::atomic<SwarmAgent*> agent_{nullptr};
  std::set<std::string> asked_;
};

}  // namespace waggle
