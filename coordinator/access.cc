// Who may do what: the rights of a session, and what is refused by them (base/access.h).

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "coordinator/coordinator.h"
#include "coordinator/own_keys.h"

namespace waggle {
namespace {

// What a write of that key is.
Act act_of_write(const Entry& entry) {
  const std::string_view key = entry.key.value();
  if (std::holds_alternative<ClearOp>(entry.op)) return Act::kAdminister;
  if (key.starts_with(kProposalKeys)) return Act::kPropose;
  if (key.starts_with(kVoteKeys)) return Act::kVote;
  return Act::kWrite;
}

AgentId principal_of(const IdentityPtr& who, const AgentId& called) {
  if (who != nullptr) return who->agent;
  return is_reserved_agent(called) ? AgentId(kClientPrefix) : called;
}

std::string refusal_text(const AgentId& agent, Act act, std::string_view what) {
  return fmt::format("'{}' may not {} {}: no rule of the coordinator's access file allows it",
                     agent.value(), to_text(act), what);
}

}  // namespace

// ---- rights ------------------------------------------------------------------------------------

RightsPtr Coordinator::rights_of(const IdentityPtr& who, const AgentId& called,
                                 const SwarmId& swarm) const {
  return access_ == nullptr ? Rights::all() : access_->of(principal_of(who, called), swarm);
}

RightsPtr Coordinator::rights_of(const Received& received, const Hello& hello) const {
  return received.inner ? Rights::all() : rights_of(received.who, hello.agent, hello.swarm);
}

RightsPtr Coordinator::open_to_all(const SwarmId& swarm) const {
  return access_ == nullptr ? Rights::all() : access_->of_all(swarm);
}

// Whose rights changed joins again: what a session may read decides what it was sent so far.
void Coordinator::on_access_changed(const AccessChanged& changed) {
  count("access_rules_changed");
  access_ = changed.rules;
  std::set<SwarmId> opened_otherwise;
  for (auto& [id, swarm] : swarms_) {
    const RightsPtr before = std::exchange(swarm->open_to_all, open_to_all(id));
    if (*before == *swarm->open_to_all) continue;
    opened_otherwise.insert(id);
    // An ephemeral key goes to everybody, so from now on some can't be.
    for (const Change& change : swarm->ephemeral.list({}, {}, std::nullopt, SIZE_MAX))
      if (!all_may_read(*swarm, change.key))
        swarm->ephemeral.erase(change.key, change.record->writer, now_.wall_millis);
  }
  std::vector<SessionId> ended;
  for (const auto& [id, session] : sessions_.all())
    if (!session.inner &&
        (opened_otherwise.contains(session.swarm) ||
         *rights_of(session.who, session.agent, session.swarm) != *session.rights))
      ended.push_back(id);
  for (const SessionId id : ended) {
    send(sessions_.all().at(id).peer, make_message(NoSession{id}));
    results_.erase(id);
    sessions_.close(id);
  }
}

bool Coordinator::all_may_read(const Swarm& swarm, const Key& key) const {
  return swarm.open_to_all->allows(Act::kRead, key.value());
}

// How many went.
std::uint64_t Coordinator::keep_readable(const Rights& rights, std::vector<Change>& changes) const {
  if (rights.everything(Act::kRead)) return 0;
  return std::erase_if(changes, [&](const Change& change) {
    return !rights.allows(Act::kRead, change.key.value());
  });
}

// ---- refusals ----------------------------------------------------------------------------------

void Coordinator::note_refusal(const SwarmId& swarm, const AgentId& agent, const IdentityPtr& who,
                               const char* what, std::string on, const std::string& why) {
  AccessNote note;
  note.wall_millis = now_.wall_millis;
  note.agent = agent.value();
  if (who != nullptr) note.key = who->key;
  note.swarm = swarm.value();
  note.what = what;
  note.on = std::move(on);
  note.why = why;
  actions_->deliver.emplace_back(std::move(note));
}

void Coordinator::note_refusal(const Session& session, Act act, std::string_view on,
                               const std::string& why) {
  count("access_denied");
  note_refusal(session.swarm, principal_of(session.who, session.agent), session.who,
               to_text(act).data(), std::string(on), why);
}

// What only some may, and did.
void Coordinator::note_administered(const Session& session, const char* on) {
  AccessNote note;
  note.wall_millis = now_.wall_millis;
  note.refused = false;
  note.agent = principal_of(session.who, session.agent).value();
  if (session.who != nullptr) note.key = session.who->key;
  note.swarm = session.swarm.value();
  note.what = to_text(Act::kAdminister);
  note.on = on;
  actions_->deliver.emplace_back(std::move(note));
}

std::optional<std::string> Coordinator::not_allowed(const Session& session, Act act,
                                                    std::string_view key) {
  if (session.rights->allows(act, key)) return std::nullopt;
  std::string text =
      refusal_text(principal_of(session.who, session.agent), act, fmt::format("'{}'", key));
  note_refusal(session, act, key, text);
  return text;
}

std::optional<std::string> Coordinator::not_allowed_all(const Session& session, Act act,
                                                        std::string_view pattern) {
  if (session.rights->covers(act, pattern)) return std::nullopt;
  std::string text = refusal_text(principal_of(session.who, session.agent), act,
                                  fmt::format("all keys that match '{}'", pattern));
  note_refusal(session, act, pattern, text);
  return text;
}

std::optional<Outcome> Coordinator::not_allowed(const Swarm& swarm, const Session& session,
                                                const Mutation& mutation) {
  for (const Entry& entry : mutation.entries) {
    const Act act = act_of_write(entry);
    std::optional<std::string> text = act == Act::kAdminister
                                          ? not_allowed_all(session, act, "*")
                                          : not_allowed(session, act, entry.key.value());
    if (text)
      return decision_refused(swarm, entry.key, Code::kDenied, Reason::kNotAllowed,
                              *std::move(text));
  }
  return std::nullopt;
}

// Each signature that came is looked at, wanted or not: what is kept with a record is right.
std::optional<Outcome> Coordinator::not_signed(const Swarm& swarm, const Session& session,
                                               const Mutation& mutation) {
  const Writer writer{session.agent, mutation.incarnation, mutation.seq};
  for (const Entry& entry : mutation.entries) {
    const auto* put = std::get_if<PutOp>(&entry.op);
    const bool plain = put != nullptr && put->type == ValueType::kRegister;
    const auto refused = [&](std::string text) {
      note_refusal(session, Act::kWrite, entry.key.value(), text);
      return decision_refused(swarm, entry.key, Code::kDenied, Reason::kNotSigned, std::move(text));
    };
    if (entry.signature &&
        (!plain || session.who == nullptr ||
         !verifies(session.who->signing,
                   bytes_to_sign(swarm.state.id(), entry.key, writer,
                                 Register{put->content, put->bytes}, entry.metadata),
                   *entry.signature)))
      return refused(
          fmt::format("the signature of '{}' is not that of this write by the key of "
                      "'{}'; a coordinator without keys takes no signatures",
                      entry.key.value(), session.agent.value()));
    if (entry.signature || !options_.policies.of(entry.key.value()).signed_writes ||
        std::holds_alternative<DeleteOp>(entry.op))
      continue;
    return refused(plain
                       ? fmt::format("'{}' takes signed writes only, by its policy: write it from "
                                     "an agent that has a key and signs; commands don't",
                                     entry.key.value())
                       : fmt::format("'{}' takes signed registers only, by its policy: expected a "
                                     "put",
                                     entry.key.value()));
  }
  return std::nullopt;
}

// What a proposal or the end of a task writes is written by who puts it.
std::optional<Outcome> Coordinator::not_allowed(const Swarm& swarm, const Session& session,
                                                const Key& of,
                                                const std::vector<ProposedWrite>& writes) {
  for (const ProposedWrite& write : writes)
    if (std::optional<std::string> text = not_allowed(session, Act::kWrite, write.key.value()))
      return decision_refused(swarm, of, Code::kDenied, Reason::kNotAllowed, *std::move(text));
  return std::nullopt;
}

}  // namespace waggle
