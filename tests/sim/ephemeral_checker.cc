#include "tests/sim/ephemeral_checker.h"

#include <fmt/format.h>

namespace waggle::sim {

void EphemeralChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  (void)recovered;
  applications_[agent.name] = {};
}

void EphemeralChecker::on_command(const AgentSeen& agent, const Command& command) {
  if (const auto* write = std::get_if<EphemeralCommand>(&command))
    applications_[agent.name].asked.insert(write->request);
}

void EphemeralChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  Application& application = applications_[agent.name];
  if (const auto* failed = std::get_if<CommandFailed>(&delivery)) {
    application.asked.erase(failed->request);
  } else if (const auto* settled = std::get_if<EphemeralSettled>(&delivery)) {
    if (settled->request && application.asked.erase(settled->request) == 0)
      truth_.found("ephemeral", fmt::format("{} is answered the write of {} twice", agent.name,
                                            settled->key.value()));
    const bool ephemeral =
        settled->key.value().starts_with("here/") || settled->key.value().starts_with("soon/");
    if (settled->code == Code::kCommitted && !ephemeral)
      truth_.found("ephemeral", fmt::format("{} has a durable key taken as an ephemeral one: {}",
                                            agent.name, settled->key.value()));
  } else if (const auto* changed = std::get_if<EphemeralChanged>(&delivery)) {
    for (const Change& change : changed->changes) {
      if (!change.record->ephemeral)
        truth_.found("ephemeral", agent.name + " is told a durable record as an ephemeral one");
      if (change.record->live()) {
        application.told.insert_or_assign(change.key, change.record);
      } else {
        application.told.erase(change.key);
      }
    }
  } else if (const auto* state = std::get_if<StateChanged>(&delivery)) {
    check_durable(state->changes, "the state of an agent");
  }
}

void EphemeralChecker::on_turn(const AgentSeen& agent) {
  if (!agent.told) return;
  const Application& application = applications_[agent.name];
  if (agent.core->ephemeral_copy().committed() != application.told)
    truth_.found("ephemeral", agent.name + " shows other ephemeral keys than it was told of");
}

void EphemeralChecker::check_durable(const std::vector<Change>& changes, const char* what) {
  for (const Change& change : changes)
    if (change.record && change.record->ephemeral)
      truth_.found("ephemeral", fmt::format("{} has {} in it", what, change.key.value()));
}

void EphemeralChecker::on_send(const Send& send) {
  const auto* to = std::get_if<SendTo>(&send);
  const auto* all = std::get_if<Broadcast>(&send);
  const Message* message = to != nullptr    ? to->message.get()
                           : all != nullptr ? all->message.get()
                                            : nullptr;
  if (message == nullptr) return;
  if (const auto* update = std::get_if<StateUpdate>(message)) {
    check_durable(update->changes, "an update");
  } else if (const auto* chunk = std::get_if<DeltaChunk>(message)) {
    check_durable(chunk->changes, "a delta");
  } else if (const auto* news = std::get_if<EphemeralUpdate>(message)) {
    if (news->start != start_) {
      start_ = news->start;
      at_ = {};
    }
    if (news->from != at_ || news->to <= news->from)
      truth_.found("ephemeral", fmt::format("an update is of {} to {}, the one before ended at {}",
                                            news->from.value(), news->to.value(), at_.value()));
    at_ = news->to;
  }
}

void EphemeralChecker::at_end(const std::vector<AgentSeen>& agents) {
  for (const AgentSeen& agent : agents)
    for (const RequestId request : applications_[agent.name].asked)
      truth_.found("ephemeral", fmt::format("{}: ephemeral write {} was never answered", agent.name,
                                            request.value()));
}

}  // namespace waggle::sim
