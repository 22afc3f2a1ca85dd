#include "cli/record_json.h"

#include <fmt/format.h>

#include "cli/durations.h"
#include "cli/output.h"
#include "consensus/task_queue.h"

namespace waggle::cli {
namespace {

// Version, value, writer and time of a live record.
void add_record(Json& out, const Record& record) {
  if (record.ephemeral) out.set("ephemeral", true);
  out.set("version", record.version.value());
  add_value(out, *record.value);
  out.set("writer", record.writer.agent.value());
  if (record.commit_wall_millis != 0) out.set("committed_at", wall_text(record.commit_wall_millis));
  if (record.metadata.empty()) return;
  Json metadata{Json::Object{}};
  for (const auto& [name, text] : record.metadata) metadata.set(name, text);
  out.set("metadata", std::move(metadata));
}

}  // namespace

Json record_json(const Change& read) {
  Json out;
  const bool exists = read.record && read.record->live();
  out.set("key", read.key.value()).set("exists", exists);
  if (exists) add_record(out, *read.record);
  return out;
}

Json change_json(const Change& change) {
  Json out;
  out.set("key", change.key.value());
  if (change.record->live()) {
    add_record(out, *change.record);
  } else {
    if (change.record->ephemeral) out.set("ephemeral", true);
    out.set("version", change.record->version.value()).set("deleted", true);
    if (!change.record->writer.agent.empty())
      out.set("writer", change.record->writer.agent.value());
  }
  return out;
}

void add_outcome(Json& out, const Outcome& outcome) {
  out.set("ok", exit_code(outcome.code) == 0);
  out.set("code", to_text(outcome.code)).set("level", to_text(outcome.level));
  out.set("revision", outcome.revision.value()).set("changed", outcome.changed);
  if (outcome.reason != Reason::kNone) out.set("reason", to_text(outcome.reason));
  if (exit_code(outcome.code) != 0 && !outcome.key.empty() && out.find("key") == nullptr)
    out.set("key", outcome.key.value());
  if (outcome.conflict != ConflictKind::kNone) {
    out.set("conflict", to_text(outcome.conflict));
    // Where the write was merged, what stands is in the change that it made.
    if (exit_code(outcome.code) != 0 || outcome.committed)
      out.set("committed", record_json({outcome.key, outcome.committed}));
  }
  if (outcome.parked) out.set("parked", fmt::format("C{}", outcome.parked.value()));
  if (!outcome.text.empty()) out.set("text", outcome.text);
}

void add_claim_result(Json& out, const ClaimResult& result) {
  out.set("pattern", result.pattern).set("ok", exit_code(result.code) == 0);
  if (const Result<Json> task = parse_json(result.task ? result.task->bytes : ""); task) {
    out.set("task_id", result.pattern.substr(kTaskKeys.size()));
    out.set("task", *task);
  }
  out.set("code", to_text(result.code));
  if (result.reason != Reason::kNone) out.set("reason", to_text(result.reason));
  if (result.token) out.set("token", result.token.value());
  if (result.ttl_millis != 0) out.set("ttl_ms", result.ttl_millis);
  if (result.checkpoint) {
    Json checkpoint;
    add_value(checkpoint, Value(*result.checkpoint));
    out.set("checkpoint", std::move(checkpoint));
  }
  if (!result.text.empty()) out.set("text", result.text);
}

void add_holder(Json& out, const Claim& claim) {
  out.set("holder", claim.holder.agent.value());
  if (!claim.label.empty()) out.set("label", claim.label);
  out.set("token", claim.token.value());
}

std::string holder_word(const Claim& claim) {
  return claim.label.empty() ? writer_word(claim.holder.agent) : printable(claim.label, 64);
}

Json agent_names(const std::vector<AgentId>& agents) {
  Json names{Json::Array{}};
  for (const AgentId& agent : agents) names.push(agent.value());
  return names;
}

Json counters_json(const std::vector<NamedCount>& counters) {
  Json out{Json::Object{}};
  for (const NamedCount& counter : counters)
    if (out.find(counter.name) == nullptr) out.set(counter.name, counter.count);
  return out;
}

void add_report(Json& out, const SyncReport& report) {
  out.set("outcome", to_text(report.outcome)).set("code", to_text(report.code));
  if (!report.text.empty()) out.set("text", report.text);
  out.set("round", to_hex(report.round.value())).set("revision", report.head.value());
  out.set("expected", report.expected).set("answered", agent_names(report.answered));
  out.set("missing", agent_names(report.missing)).set("late", agent_names(report.late));
  out.set("elapsed_ms", report.elapsed_millis);
  Json keys{Json::Array{}};
  for (const KeyReport& key : report.keys) {
    Json one;
    one.set("key", key.key.value()).set("outcome", to_text(key.outcome));
    one.set("strategy", key.strategy).set("version", key.version.value());
    if (!key.winner.empty()) one.set("winner", key.winner.value());
    one.set("offers", key.offers).set("same", key.same).set("behind", key.behind);
    one.set("absent", key.absent).set("differs", key.differs);
    keys.push(std::move(one));
  }
  out.set("keys", std::move(keys));
}

std::string writer_word(const AgentId& agent) {
  return public_name(agent).value();
}

}  // namespace waggle::cli
