#include "tests/sim/claim_checker.h"

#include <fmt/format.h>

#include "coordinator/task.h"

namespace waggle::sim {

namespace {

// On a task: that it is done, failed or cancelled, which ends the claim on it.
bool ends_claim(const Entry& entry) {
  const auto* put = std::get_if<PutOp>(&entry.op);
  if (put == nullptr) return true;
  const Result<TaskReport> report = read_task_report(put->bytes);
  return report && report->kind != TaskReport::Kind::kReopen;
}

}  // namespace

void ClaimChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  (void)recovered;
  applications_[agent.name] = {};
}

void ClaimChecker::on_command(const AgentSeen& agent, const Command& command) {
  if (const auto* claim = std::get_if<ClaimCommand>(&command))
    applications_[agent.name].asked.emplace(claim->request, *claim);
  const auto* write = std::get_if<WriteCommand>(&command);
  if (write != nullptr && is_task_key(write->entries.front().key.value()))
    applications_[agent.name].reports.emplace(write->request, write->entries.front());
}

void ClaimChecker::on_done(const AgentSeen& agent, Application& application,
                           const ClaimDone& done) {
  const ClaimResult& result = done.result;
  const auto asked = application.asked.find(done.request);
  if (asked == application.asked.end()) {
    truth_.found("claims",
                 fmt::format("{} is answered about '{}' twice", agent.name, result.pattern));
    return;
  }
  const ClaimCommand command = asked->second;
  application.asked.erase(asked);
  if (result.code == Code::kCommitted && done.verb == ClaimVerb::kTake) {
    truth_.story.count(is_task_key(result.pattern) ? "tasks taken" : "claims granted");
    application.held[result.pattern] = result.token;
  } else if (done.verb != ClaimVerb::kRenew && result.code == Code::kCommitted) {
    truth_.story.count(done.verb == ClaimVerb::kRelease ? "claims released" : "claims given away");
  }
  const bool over = done.verb == ClaimVerb::kTake || done.verb == ClaimVerb::kRenew
                        ? result.reason == Reason::kStaleToken
                        : result.code == Code::kCommitted || result.reason == Reason::kStaleToken;
  // Meanwhile it may hold a later grant of the same; a handover names that of the other.
  const auto held = application.held.find(command.pattern);
  if (over && held != application.held.end() &&
      (held->second == result.token ||
       (done.verb == ClaimVerb::kHandover && result.code == Code::kCommitted &&
        held->second < result.token))) {
    if (done.verb == ClaimVerb::kHandover) application.given.insert(command.pattern);
    application.held.erase(held);
  }
}

void ClaimChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  Application& application = applications_[agent.name];
  if (const auto* done = std::get_if<ClaimDone>(&delivery)) {
    on_done(agent, application, *done);
  } else if (const auto* failed = std::get_if<CommandFailed>(&delivery)) {
    application.asked.erase(failed->request);
    application.reports.erase(failed->request);
  } else if (const auto* settled = std::get_if<WriteSettled>(&delivery)) {
    const auto report = application.reports.find(settled->request);
    if (report == application.reports.end()) return;
    const Outcome& outcome = settled->outcome;
    const std::string& key = report->second.key.value();
    // The core is ahead of what it tells: that it lost the claim by its time may still be told.
    if (outcome.code == Code::kCommitted && ends_claim(report->second) &&
        !agent.core->claims().held().contains(key) && application.held.erase(key) > 0)
      application.given.insert(key);
    application.reports.erase(report);
  } else if (const auto* gained = std::get_if<ClaimGained>(&delivery)) {
    truth_.story.count("claims gained");
    application.held[gained->pattern] = gained->token;
  } else if (const auto* lost = std::get_if<ClaimLost>(&delivery)) {
    truth_.story.count("claims lost");
    const auto held = application.held.find(lost->pattern);
    if (held == application.held.end() && application.given.contains(lost->pattern)) return;
    if (held == application.held.end() || held->second != lost->token) {
      truth_.found("claims", fmt::format("{} is told that it lost '{}', which it did not hold",
                                         agent.name, lost->pattern));
    } else {
      application.held.erase(held);
    }
  } else if (const auto* link = std::get_if<LinkChanged>(&delivery)) {
    if (link->link == Link::kEnded) application.held.clear();
  }
}

void ClaimChecker::on_turn(const AgentSeen& agent) {
  if (!agent.told) return;
  const Application& application = applications_[agent.name];
  std::map<std::string, FenceToken> believed;
  for (const auto& [pattern, own] : agent.core->claims().held())
    if (!own.leaving) believed[pattern] = own.token;
  for (const auto& [pattern, token] : believed) {
    const auto told = application.held.find(pattern);
    if (told == application.held.end() && application.given.contains(pattern)) continue;
    if (told == application.held.end() || told->second != token)
      truth_.found("claims", fmt::format("{} believes to hold '{}', which it was not told",
                                         agent.name, pattern));
  }
  // What it is giving away may be another's already before it hears that it is done.
  std::set<std::string> leaving;
  for (const auto& [request, command] : application.asked)
    if (command.verb == ClaimVerb::kRelease || command.verb == ClaimVerb::kHandover)
      leaving.insert(command.pattern);
  for (const auto& [request, entry] : application.reports) leaving.insert(entry.key.value());
  for (const auto& [pattern, token] : application.held)
    if (!agent.core->claims().held().contains(pattern) && !leaving.contains(pattern) &&
        agent.core->link() != Link::kEnded)
      truth_.found("claims", fmt::format("{} was told that it holds '{}', and not that it lost it",
                                         agent.name, pattern));
}

void ClaimChecker::at_end(const std::vector<AgentSeen>& agents) {
  for (const AgentSeen& agent : agents)
    for (const auto& [request, command] : applications_[agent.name].asked)
      truth_.found("claims", fmt::format("{}: what it asked about '{}' was never answered",
                                         agent.name, command.pattern));
}

}  // namespace waggle::sim
