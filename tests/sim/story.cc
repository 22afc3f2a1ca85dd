#include "tests/sim/story.h"

#include <variant>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

std::string short_id(std::uint64_t id) {
  return fmt::format("{:04x}", (id >> 8) & 0xffff);
}

std::string text_of(const Op& op) {
  return std::visit(
      Overloaded{
          [](const PutOp& put) { return "put " + put.bytes; },
          [](const DeleteOp&) { return std::string("delete"); },
          [](const IncrOp& incr) { return fmt::format("incr {}", incr.amount); },
          [](const SetAddOp& add) { return fmt::format("add {}", fmt::join(add.elements, ",")); },
          [](const SetRemoveOp& remove) {
            return fmt::format("remove {}", fmt::join(remove.elements, ","));
          },
          [](const ClearOp&) { return std::string("clear"); },
          [](const auto& typed) { return std::string(verb_of(typed)); }},
      op);
}

std::string text_of(const std::vector<OwnThrough>& list) {
  std::string text;
  for (const OwnThrough& one : list)
    text += fmt::format(" {}:{}", short_id(one.incarnation.value()), one.seq.value());
  return text;
}

std::string text_of(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    text += fmt::format(" {}", change.key.value());
    if (change.record)
      text += fmt::format("@{}{}", change.record->version.value(),
                          change.record->live() ? "" : "(gone)");
  }
  return text;
}

std::string text_of(const Outcome& outcome) {
  return fmt::format("{} at {}{} {}", to_text(outcome.code), outcome.revision.value(),
                     outcome.changed ? "" : " (nothing changed)",
                     outcome.code == Code::kCommitted ? "" : outcome.text);
}

}  // namespace

void Story::tell(std::int64_t at, const std::string& text) {
  std::printf("%9.3f  %s\n", static_cast<double>(at) / 1000.0, text.c_str());
}

void Story::found(CheckerName checker, std::int64_t at, std::string text) {
  const std::string name(checker.text());
  if (told_) tell(at, "### " + name + ": " + text);
  if (findings_.size() < 100) findings_.push_back({name, std::move(text), at});
}

std::string describe(const Mutation& mutation) {
  std::string text =
      fmt::format("{}:{} seen {}@{}", short_id(mutation.incarnation.value()), mutation.seq.value(),
                  short_id(mutation.context.epoch.value()), mutation.context.seen.value());
  if (!mutation.context.own_through.empty()) text += " own" + text_of(mutation.context.own_through);
  for (const Entry& entry : mutation.entries) {
    text += fmt::format(" [{} {}", entry.key.value(), text_of(entry.op));
    if (const auto* version = std::get_if<ExpectVersion>(&entry.expect))
      text += fmt::format(" if@{}", version->version.value());
    if (const auto* mine = std::get_if<ExpectMine>(&entry.expect))
      text += fmt::format(" if mine {}", mine->seq.value());
    if (std::holds_alternative<ExpectUnchanged>(entry.expect)) text += " if unchanged";
    text += "]";
  }
  return text;
}

std::string describe(const Message& message) {
  const std::string name(name_of(message));
  const std::string rest = std::visit(
      Overloaded{
          [](const Hello& m) {
            std::string text =
                fmt::format("{} cursor {}@{} incarnations", m.agent.value(),
                            short_id(m.cursor.epoch.value()), m.cursor.revision.value());
            for (const Incarnation one : m.incarnations) text += " " + short_id(one.value());
            return text;
          },
          [](const Welcome& m) {
            return fmt::format("session {} epoch {} head {} floor {} nonce {}",
                               short_id(m.session.value()), short_id(m.epoch.value()),
                               m.head.value(), m.floor.value(), short_id(m.nonce.value()));
          },
          [](const Refused& m) { return fmt::format("{} {}", to_text(m.code), m.text); },
          [](const Attached& m) {
            return fmt::format("session {} head {}", short_id(m.session.value()), m.head.value());
          },
          [](const NoSession& m) { return short_id(m.session.value()); },
          [](const Fenced& m) { return short_id(m.session.value()); },
          [](const AgentHeartbeat& m) {
            std::string text =
                fmt::format("session {} #{} cursor {}@{} broadcast {} confirmed{} keeps",
                            short_id(m.session.value()), m.number, short_id(m.cursor.epoch.value()),
                            m.cursor.revision.value(), m.broadcast.value(), text_of(m.confirmed));
            for (const Incarnation one : m.incarnations) text += " " + short_id(one.value());
            return text;
          },
          [](const HeartbeatAck& m) {
            return fmt::format("#{} head {} broadcast {}", m.number, m.head.value(),
                               m.broadcast.value());
          },
          [](const Heartbeat& m) {
            return fmt::format("no {} head {}@{}", m.broadcast.value(), short_id(m.epoch.value()),
                               m.head.value());
          },
          [](const Submit& m) {
            std::string text = "session " + short_id(m.session.value()) + " epoch " +
                               short_id(m.epoch.value()) + " confirmed" + text_of(m.confirmed);
            for (const Mutation& mutation : m.mutations) text += "; " + describe(mutation);
            return text;
          },
          [](const SubmitResult& m) {
            std::string text = "session " + short_id(m.session.value());
            for (const MutationResult& one : m.results)
              text += fmt::format("; {}:{} {}", short_id(one.incarnation.value()), one.seq.value(),
                                  text_of(one.outcome));
            return text;
          },
          [](const StateUpdate& m) {
            std::string text = fmt::format("no {} {}@{}..{}", m.broadcast.value(),
                                           short_id(m.epoch.value()), m.from.value(), m.to.value());
            for (const Applied& one : m.applied)
              text += fmt::format(" {}/{}:{}", one.agent.value(), short_id(one.incarnation.value()),
                                  one.seq_through.value());
            return text + ":" + text_of(m.changes);
          },
          [](const DeltaRequest& m) {
            return fmt::format("{} from {}@{} base {}", short_id(m.request.value()),
                               short_id(m.cursor.epoch.value()), m.cursor.revision.value(),
                               m.base.value());
          },
          [](const DeltaChunk& m) {
            return fmt::format("{} {}@{}..{} floor {} head {}{}{}:{} applied{}",
                               short_id(m.request.value()), short_id(m.epoch.value()),
                               m.from.value(), m.to.value(), m.floor.value(), m.head.value(),
                               m.complete ? " complete" : "", m.reset ? " RESET " + m.text : "",
                               text_of(m.changes), text_of(m.applied));
          },
          [](const StateRequest& m) {
            return fmt::format("round {} head {} {} keys", short_id(m.round.value()),
                               m.head.value(), m.all ? "all" : fmt::to_string(m.keys.size()));
          },
          [](const StateResponse& m) {
            std::string text =
                fmt::format("round {} rest {}", short_id(m.round.value()), to_text(m.rest));
            for (const Answer& answer : m.answers)
              text += fmt::format(" {}={}", answer.key.value(), to_text(answer.kind));
            return text;
          },
          [](const SyncReport& m) {
            return fmt::format("round {} {} head {} {}", short_id(m.round.value()),
                               to_text(m.outcome), m.head.value(), m.text);
          },
          [](const EphemeralWrite& m) {
            std::string text = fmt::format("number {}:", m.number);
            for (const EphemeralEntry& entry : m.entries)
              text += fmt::format(" {}{}", entry.key.value(), entry.value ? "" : " gone");
            return text;
          },
          [](const EphemeralResult& m) {
            return fmt::format("number {} at {}, {} refused", m.number, m.at.value(),
                               m.refused.size());
          },
          [](const EphemeralUpdate& m) {
            return fmt::format("{}..{}:{}", m.from.value(), m.to.value(), text_of(m.changes));
          },
          [](const EphemeralState& m) {
            return fmt::format("at {} piece {}{}:{}", m.at.value(), m.piece,
                               m.last ? ", the last" : "", text_of(m.changes));
          },
          [](const ClaimRequest& m) {
            return fmt::format("{} {} token {}", to_text(m.verb), m.pattern, m.token.value());
          },
          [](const ClaimResult& m) {
            return fmt::format("{} {} token {} place {} {}", m.pattern, to_text(m.code),
                               m.token.value(), m.place, m.text);
          },
          [](const ErrorReply& m) { return m.text; },
          [](const auto&) { return std::string(); }},
      message);
  return rest.empty() ? name : name + " " + rest;
}

std::string describe(const Delivery& delivery) {
  return std::visit(
      Overloaded{
          [](const WriteQueued& d) {
            return fmt::format("queued {}:{}", short_id(d.incarnation.value()), d.seq.value());
          },
          [](const Alarm& d) { return "alarm " + d.text; },
          [](const AccessNote& d) { return "access note " + d.why; },
          [](const CommandFailed& d) {
            return fmt::format("failed {} {}", d.request.value(), d.error.text);
          },
          [](const WriteSettled& d) {
            return fmt::format("settled {}:{} {}", short_id(d.incarnation.value()), d.seq.value(),
                               text_of(d.outcome));
          },
          [](const ReadDone& d) { return fmt::format("read at {}", d.at.revision.value()); },
          [](const StateChanged& d) {
            return fmt::format("state {}@{} -> {}@{}{}:{}", short_id(d.from.epoch.value()),
                               d.from.revision.value(), short_id(d.to.epoch.value()),
                               d.to.revision.value(), d.cleared ? " cleared" : "",
                               text_of(d.changes));
          },
          [](const CaughtUp& d) {
            return fmt::format("caught up {} -> {}{}", d.from.revision.value(),
                               d.to.revision.value(), d.snapshot ? " by snapshot" : "");
          },
          [](const LinkChanged& d) { return fmt::format("link {} {}", to_text(d.link), d.text); },
          [](const OfferSettled& d) {
            return fmt::format("offer {} {} at {}", d.key.value(), d.took ? "took" : "lost",
                               d.version.value());
          },
          [](const SyncDone& d) {
            return fmt::format("sync {} {}", d.request.value(), to_text(d.report.outcome));
          },
          [](const ClaimDone& d) {
            return fmt::format("claim {} {} {} token {} {}", to_text(d.verb), d.result.pattern,
                               to_text(d.result.code), d.result.token.value(), d.result.text);
          },
          [](const ClaimWaits& d) {
            return fmt::format("claim {} waits at {}", d.pattern, d.place);
          },
          [](const ClaimGained& d) {
            return fmt::format("claim {} gained, token {}", d.pattern, d.token.value());
          },
          [](const ClaimLost& d) {
            return fmt::format("claim {} lost, token {}: {}", d.pattern, d.token.value(), d.text);
          },
          [](const WriteOverruled& d) {
            return fmt::format("overruled {} v{} by {}", d.key.value(), d.version.value(),
                               d.now->choice->rule);
          },
          [](const WritesLost& d) { return "writes lost:" + text_of(d.writes); },
          [](const DigestMismatch& d) {
            return fmt::format("digest mismatch at {}", d.revision.value());
          },
          [](const EphemeralSettled& d) {
            return fmt::format("ephemeral {} {} {}", d.request.value(), d.key.value(), d.text);
          },
          [](const EphemeralChanged& d) {
            return fmt::format("ephemeral at {}:{}", d.at.value(), text_of(d.changes));
          },
          [](const StatusDone&) { return std::string("status"); }},
      delivery);
}

std::uint64_t fingerprint_of(const Message& message) {
  std::uint64_t sum = message.index();
  const auto add = [&](std::uint64_t number) { sum = (sum ^ number) * 0x100000001b3u; };
  std::visit(Overloaded{[&](const StateUpdate& m) {
                          add(m.broadcast.value());
                          add(m.to.value());
                          for (const Change& change : m.changes) add(change.record->content.low);
                        },
                        [&](const SubmitResult& m) {
                          for (const MutationResult& one : m.results) {
                            add(one.seq.value());
                            add(one.outcome.revision.value());
                          }
                        },
                        [&](const Submit& m) {
                          for (const Mutation& one : m.mutations) {
                            add(one.seq.value());
                            add(one.hlc.bits);
                          }
                        },
                        [&](const DeltaChunk& m) { add(m.to.value()); },
                        [&](const EphemeralUpdate& m) { add(m.to.value()); },
                        [&](const Heartbeat& m) { add(m.digest.low); },
                        [&](const Welcome& m) { add(m.session.value()); }, [](const auto&) {}},
             message);
  return sum;
}

}  // namespace waggle::sim
