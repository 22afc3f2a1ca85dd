#pragma once

// A proposal's record as the public API shows it, and the answering of proposals by a callback.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <waggle/agent.h>
#include <waggle/consensus.h>

#include "base/value.h"

namespace waggle {

// Nothing: it is no proposal, or there is none.
[[nodiscard]] std::optional<ProposalView> view_of(const StateItem& item);

// As the value of the vote's key: JSON, or the text "abstain".
[[nodiscard]] Register choice_value(const std::vector<std::string>& options);

// Asks the application once about each open proposal on which its agent may vote. The agent's
// thread.
class ProposalAnswers {
 public:
  using OnProposal = std::function<std::optional<Vote>(const ProposalView&)>;
  using OnChoice = std::function<std::optional<std::vector<std::string>>(const ProposalView&)>;
  // Either may be empty.
  ProposalAnswers(std::string agent, OnProposal on_proposal, OnChoice on_choice)
      : self_(std::move(agent)),
        on_proposal_(std::move(on_proposal)),
        on_choice_(std::move(on_choice)) {}
  // Null: there is none yet, so nothing can be answered.
  void set_agent(SwarmAgent* agent) { agent_ = agent; }
  void look(const StateChange& change);

 private:
  const std::string self_;
  const OnProposal on_proposal_;
  const OnChoice on_choice_;
  std::atomic<SwarmAgent*> agent_{nullptr};
  std::set<std::string> asked_;
};

}  // namespace waggle
