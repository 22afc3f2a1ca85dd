#include "tests/sim/order_checker.h"

#include <algorithm>

#include <fmt/format.h>

namespace waggle::sim {

void OrderChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  (void)recovered;
  std::erase_if(begun_, [&](const auto& one) { return one.first.first == agent.name; });
}

void OrderChecker::on_command(const AgentSeen& agent, const Command& command) {
  RequestId request;
  if (const auto* write = std::get_if<WriteCommand>(&command)) request = write->request;
  if (const auto* update = std::get_if<UpdateCommand>(&command)) request = update->request;
  if (request) begun_[{agent.name, request}] = {truth_.restores, acknowledged_};
}

void OrderChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  const auto* settled = std::get_if<WriteSettled>(&delivery);
  if (settled == nullptr) return;
  const Outcome& outcome = settled->outcome;
  const auto begun = begun_.find({agent.name, settled->request});
  const bool commits = outcome.code == Code::kCommitted && outcome.changed;
  if (begun != begun_.end()) {
    const Begun from = begun->second;
    begun_.erase(begun);
    if (from.restores != truth_.restores) return;
    if (commits && outcome.revision <= from.after)
      truth_.found("order", fmt::format("{}'s write was committed at {}, and began after {} was "
                                        "acknowledged",
                                        agent.name, outcome.revision.value(), from.after.value()));
    if (commits) acknowledged_ = std::max(acknowledged_, outcome.revision);
  }
}

}  // namespace waggle::sim
