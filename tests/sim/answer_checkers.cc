#include "tests/sim/answer_checkers.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

namespace waggle::sim {

// ---- outcomes ----------------------------------------------------------------------------------

void OutcomeChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  (void)recovered;
  applications_[agent.name] = {};
}

void OutcomeChecker::on_command(const AgentSeen& agent, const Command& command) {
  if (const auto* write = std::get_if<WriteCommand>(&command))
    applications_[agent.name].asked.insert(write->request);
  if (const auto* update = std::get_if<UpdateCommand>(&command))
    applications_[agent.name].asked.insert(update->request);
}

void OutcomeChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  Application& application = applications_[agent.name];
  if (agent.observes && (std::holds_alternative<WriteQueued>(delivery) ||
                         std::holds_alternative<WriteSettled>(delivery)))
    truth_.found("outcomes", agent.name + " is an observer, and its write was taken");
  if (const auto* queued = std::get_if<WriteQueued>(&delivery)) {
    if (application.asked.erase(queued->request) == 1) application.waiting.insert(queued->request);
    if (Deed* deed = truth_.ledger.of({agent.id, queued->incarnation, queued->seq}))
      deed->queued = true;
  } else if (const auto* failed = std::get_if<CommandFailed>(&delivery)) {
    application.asked.erase(failed->request);
    for (Deed* deed : truth_.ledger.of_agent(agent.id))
      if (deed->life == agent.life && deed->request == failed->request) deed->vanished = true;
  } else if (const auto* answer = std::get_if<WriteSettled>(&delivery)) {
    settled(agent, application, *answer);
  }
}

void OutcomeChecker::settled(const AgentSeen& agent, Application& application,
                             const WriteSettled& answer) {
  Deed* deed = truth_.ledger.of({agent.id, answer.incarnation, answer.seq});
  if (deed == nullptr) {
    truth_.found("outcomes", agent.name + " is answered a write that nobody made");
    return;
  }
  if (!application.answered.insert({answer.incarnation, answer.seq}).second)
    truth_.found("outcomes", fmt::format("{} is told twice of {}", agent.name, deed->id));
  if (answer.request && application.waiting.erase(answer.request) == 0)
    truth_.found("outcomes", fmt::format("{} is answered request {}, which does not wait ({})",
                                         agent.name, answer.request.value(), deed->id));
  if (deed->life == agent.life && answer.request != deed->request)
    truth_.found("outcomes",
                 fmt::format("{} is answered {} under another request", agent.name, deed->id));
  deed->settled = answer.outcome;
  const bool in_history = truth_.history->committed(deed->id).has_value();
  const Code code = answer.outcome.code;
  if (code == Code::kCommitted && answer.outcome.changed) {
    const auto ever = truth_.chronicle.ever_committed.find(deed->id);
    if (ever == truth_.chronicle.ever_committed.end())
      truth_.found("outcomes", fmt::format("{} is told that {} is committed at {}, and it is not",
                                           agent.name, deed->id, answer.outcome.revision.value()));
    if (answer.outcome.level != Level::kDurable)
      truth_.found("outcomes", fmt::format("{} is committed, and not durable", deed->id));
  } else if (code == Code::kConflict || code == Code::kRejected || code == Code::kDenied) {
    if (in_history)
      truth_.found("outcomes", fmt::format("{} is told that {} was refused, and it is committed",
                                           agent.name, deed->id));
  } else if (code == Code::kParked) {
    const auto ever = truth_.chronicle.ever_parked.find(deed->id);
    if (ever == truth_.chronicle.ever_parked.end() || !ever->second.contains(answer.outcome.parked))
      truth_.found("parked", fmt::format("{} is told that {} waits as conflict {}, and it does not",
                                         agent.name, deed->id, answer.outcome.parked.value()));
  } else if (code != Code::kCommitted && code != Code::kDuplicate && code != Code::kUnknown) {
    truth_.found("outcomes", fmt::format("{}: {} is no final answer ({})", agent.name,
                                         to_text(code), deed->id));
  }
}

void OutcomeChecker::on_stop(const AgentSeen& agent) {
  applications_.erase(agent.name);
}

void OutcomeChecker::at_end(const std::vector<AgentSeen>& agents) {
  for (const AgentSeen& agent : agents) {
    const Application& application = applications_[agent.name];
    if (!application.asked.empty())
      truth_.found("outcomes", fmt::format("{} never heard of {} writes", agent.name,
                                           application.asked.size()));
    if (!application.waiting.empty())
      truth_.found("outcomes",
                   fmt::format("{} was never answered {} writes, request {} first", agent.name,
                               application.waiting.size(), application.waiting.begin()->value()));
  }
}

// ---- answers -----------------------------------------------------------------------------------

void AnswerChecker::on_command(const AgentSeen& agent, const Command& command) {
  Application& application = applications_[agent.name];
  if (const auto* read = std::get_if<ReadCommand>(&command))
    application.reads[read->request] = read->at_least;
  if (const auto* sync = std::get_if<SyncCommand>(&command))
    application.syncs.insert(sync->request);
  if (const auto* catch_up = std::get_if<CatchUpCommand>(&command))
    application.catch_ups.insert(catch_up->request);
  if (const auto* offer = std::get_if<OfferCommand>(&command)) {
    if (offer->value) application.offers[offer->key].push_back(*offer->value);
  }
}

void AnswerChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  Application& application = applications_[agent.name];
  if (const auto* failed = std::get_if<CommandFailed>(&delivery)) {
    application.reads.erase(failed->request);
    application.syncs.erase(failed->request);
    application.catch_ups.erase(failed->request);
  } else if (const auto* read = std::get_if<ReadDone>(&delivery)) {
    const auto asked = application.reads.find(read->request);
    if (asked == application.reads.end()) {
      truth_.found("answers", fmt::format("{} is answered a read twice", agent.name));
    } else {
      if (read->at.revision < asked->second)
        truth_.found("answers", fmt::format("{} read at {}, asked for {} at least", agent.name,
                                            read->at.revision.value(), asked->second.value()));
      application.reads.erase(asked);
    }
  } else if (const auto* done = std::get_if<SyncDone>(&delivery)) {
    if (application.syncs.erase(done->request) == 0)
      truth_.found("answers", fmt::format("{} is answered a synchronisation twice", agent.name));
    check_report(agent, done->report);
  } else if (const auto* caught_up = std::get_if<CaughtUp>(&delivery)) {
    if (caught_up->request && application.catch_ups.erase(caught_up->request) == 0)
      truth_.found("answers", fmt::format("{} is answered a catch-up twice", agent.name));
  } else if (const auto* settled = std::get_if<OfferSettled>(&delivery)) {
    check_offer(agent, application, *settled);
  } else if (const auto* mismatch = std::get_if<DigestMismatch>(&delivery)) {
    truth_.found("readers", fmt::format("{} found another digest at {}", agent.name,
                                        mismatch->revision.value()));
  }
}

void AnswerChecker::check_report(const AgentSeen& agent, const SyncReport& report) {
  if (report.answered.size() + report.missing.size() != report.expected)
    truth_.found("answers",
                 fmt::format("{}: a round expected {}, {} answered and {} are missing", agent.name,
                             report.expected, report.answered.size(), report.missing.size()));
  for (const KeyReport& key : report.keys)
    if (key.outcome == RoundOutcome::kResolved && !reported_.contains({key.key, key.version}))
      truth_.found("answers", fmt::format("{}: a round is said to have made {}@{}, it said no such",
                                          agent.name, key.key.value(), key.version.value()));
}

// Checked where it leaves: when it arrives, later restores may have ended its epoch.
void AnswerChecker::on_send(const Send& send) {
  const auto* to = std::get_if<SendTo>(&send);
  const auto* report = to != nullptr ? std::get_if<SyncReport>(to->message.get()) : nullptr;
  if (report == nullptr) return;
  for (const KeyReport& key : report->keys) {
    if (key.outcome != RoundOutcome::kResolved) continue;
    reported_.insert({key.key, key.version});
    const RecordPtr record =
        truth_.chronicle.record_at({truth_.history->epoch(), key.version}, key.key);
    if (!record || record->writer.agent != AgentId(kCoordinatorName))
      truth_.found("answers", fmt::format("a round says that {}@{} was made, and it is not there",
                                          key.key.value(), key.version.value()));
  }
}

void AnswerChecker::check_offer(const AgentSeen& agent, Application& application,
                                const OfferSettled& settled) {
  const auto offered = application.offers.find(settled.key);
  if (offered == application.offers.end()) {
    truth_.found("answers",
                 fmt::format("{} offered nothing for {}", agent.name, settled.key.value()));
    return;
  }
  const RecordPtr record =
      truth_.chronicle.record_at({truth_.history->epoch(), settled.version}, settled.key);
  const std::vector<Register>& values = offered->second;
  const auto stands_now = [&](const Register& value) {
    return record && record->live() && *record->value == Value{value};
  };
  const bool stands = std::any_of(values.begin(), values.end(), stands_now);
  if (settled.took && !stands && truth_.restores == 0)
    truth_.found("answers", fmt::format("{}: its offer for {} took, and is not there at {}",
                                        agent.name, settled.key.value(), settled.version.value()));
  if (!settled.took && stands && values.size() == 1)
    truth_.found("answers", fmt::format("{}: its offer for {} lost, and stands at {}", agent.name,
                                        settled.key.value(), settled.version.value()));
  if (values.size() == 1) application.offers.erase(offered);
}

void AnswerChecker::on_stop(const AgentSeen& agent) {
  applications_.erase(agent.name);
}

void AnswerChecker::at_end(const std::vector<AgentSeen>& agents) {
  for (const AgentSeen& agent : agents) {
    const Application& application = applications_[agent.name];
    for (const auto& [request, at_least] : application.reads)
      truth_.found("answers",
                   fmt::format("{}: read {} was never answered", agent.name, request.value()));
    for (const RequestId request : application.syncs)
      truth_.found("answers", fmt::format("{}: synchronisation {} was never answered", agent.name,
                                          request.value()));
    for (const RequestId request : application.catch_ups)
      truth_.found("answers",
                   fmt::format("{}: catch-up {} was never answered", agent.name, request.value()));
  }
}

// ---- lost --------------------------------------------------------------------------------------

void LostChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  if (const auto* settled = std::get_if<WriteSettled>(&delivery)) {
    if (settled->outcome.code != Code::kCommitted || !settled->outcome.changed) return;
    if (const Deed* deed = truth_.ledger.of({agent.id, settled->incarnation, settled->seq})) {
      acknowledged_[agent.name].insert(deed->id);
      ever_acknowledged_.insert(deed->id);
    }
  } else if (const auto* lost = std::get_if<WritesLost>(&delivery)) {
    // Meanwhile another restore may have led to another branch: what that undid is told later.
    const bool present = agent.core->replica().cursor().epoch == truth_.history->epoch();
    for (const OwnThrough& one : lost->writes) {
      const Deed* deed = truth_.ledger.of({agent.id, one.incarnation, one.seq});
      if (deed == nullptr || !acknowledged_[agent.name].contains(deed->id)) {
        truth_.found("lost", agent.name + " lost a write that was not acknowledged");
      } else if (present && truth_.history->committed_by({agent.id, one.incarnation, one.seq})) {
        truth_.found("lost", fmt::format("{} is told that {} was lost, and it is there", agent.name,
                                         deed->id));
      } else {
        told_lost_[agent.name].insert(deed->id);
      }
    }
  }
}

// The promise ends with the process: the next one does not remember what this one was told, so it
// can't tell what of it a restore undid (docs/decisions/0003, "Writes lost by a restore"). What no
// restore undid is asked for all the same, by ever_acknowledged_.
void LostChecker::on_stop(const AgentSeen& agent) {
  acknowledged_.erase(agent.name);
  told_lost_.erase(agent.name);
}

void LostChecker::at_end(const std::vector<AgentSeen>& agents) {
  if (truth_.restores == 0)
    for (const std::string& id : ever_acknowledged_)
      if (!truth_.history->committed(id))
        truth_.found("lost", fmt::format("{} was acknowledged, and is gone", id));
  for (const AgentSeen& agent : agents)
    for (const std::string& id : acknowledged_[agent.name])
      if (!truth_.history->committed(id) && !told_lost_[agent.name].contains(id))
        truth_.found("lost",
                     fmt::format("a restore undid {}, and {} was not told", id, agent.name));
}

// ---- overruled ---------------------------------------------------------------------------------

void OverruledChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  Seen& seen = seen_[agent.name] = {};
  for (const ReplicaRow& row : recovered.replica) seen.held[row.key] = row.record;
}

void OverruledChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  Seen& seen = seen_[agent.name];
  if (const auto* changed = std::get_if<StateChanged>(&delivery)) {
    for (const Change& change : changed->changes) {
      const RecordPtr& before = seen.held[change.key];
      const Choice* const choice = change.record->choice.get();
      // In another history that version may have been another's.
      if (before && choice && before->version == choice->over && before->writer == choice->writer &&
          choice->writer.agent == agent.id)
        seen.due.emplace(change.key, change.record->version);
    }
    // A version means another record in another history.
    if (changed->to.epoch != changed->from.epoch) seen.told.clear();
    if (changed->cleared) seen.held.clear();
    for (const Change& change : changed->changes) seen.held[change.key] = change.record;
  } else if (const auto* overruled = std::get_if<WriteOverruled>(&delivery)) {
    // What it never saw, since its write and the choice came in one update, is true all the same.
    const bool due = seen.due.erase({overruled->key, overruled->now->version}) > 0;
    const bool told = !seen.told.emplace(overruled->key, overruled->now->version).second;
    const Deed* deed = truth_.ledger.of({agent.id, overruled->incarnation, overruled->seq});
    const bool gone =
        deed != nullptr && truth_.restores == 0 && !truth_.history->committed(deed->id);
    if (told || (!due && (deed == nullptr || gone)))
      truth_.found("overruled", fmt::format("{} is told that its {} was overruled, and it was not",
                                            agent.name, overruled->key.value()));
    truth_.story.count("writes told to be overruled");
  }
}

void OverruledChecker::at_end(const std::vector<AgentSeen>& agents) {
  for (const AgentSeen& agent : agents)
    for (const auto& [key, version] : seen_[agent.name].due)
      truth_.found("overruled", fmt::format("{} was not told that version {} of {} overruled it",
                                            agent.name, version.value(), key.value()));
}

}  // namespace waggle::sim
