#include "cli/record_json.h"

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/durations.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

void add_text(Json& out, const std::string& bytes) {
  if (is_utf8(bytes)) {
    out.set("value", bytes);
  } else {
    out.set("base64", to_base64(bytes));
  }
}

// Version, value, writer and time of a live record.
void add_record(Json& out, const Record& record) {
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

std::string_view type_word(const Value& value) {
  if (std::holds_alternative<Counter>(value)) return "counter";
  if (std::holds_alternative<OrSet>(value)) return "set";
  switch (std::get<Register>(value).content) {
    case ContentType::kText:
      return "text";
    case ContentType::kJson:
      return "json";
    case ContentType::kBytes:
      return "bytes";
  }
  return "bytes";
}

Json element_json(const std::string& element) {
  if (is_utf8(element)) return element;
  return Json::object({{"base64", to_base64(element)}});
}

void add_value(Json& out, const Value& value) {
  out.set("type", type_word(value));
  if (const auto* counter = std::get_if<Counter>(&value)) {
    out.set("value", counter->total);
  } else if (const auto* set = std::get_if<OrSet>(&value)) {
    Json elements{Json::Array{}};
    for (const auto& [element, dots] : set->elements) elements.push(element_json(element));
    out.set("value", std::move(elements));
  } else {
    const auto& content = std::get<Register>(value);
    switch (content.content) {
      case ContentType::kText:
        add_text(out, content.bytes);
        break;
      case ContentType::kBytes:
        out.set("base64", to_base64(content.bytes));
        break;
      case ContentType::kJson:
        // Waggle stores what it was given, so another writer's may be no JSON at all.
        if (auto parsed = parse_json(content.bytes)) {
          out.set("value", *std::move(parsed));
        } else {
          out.set("base64", to_base64(content.bytes));
        }
        break;
    }
  }
}

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
    out.set("committed", record_json({outcome.key, outcome.committed}));
  }
  if (!outcome.text.empty()) out.set("text", outcome.text);
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
  return is_client_agent(agent) ? std::string(kClientPrefix) : agent.value();
}

std::string preview(const Value& value, std::size_t bytes_max) {
  if (const auto* counter = std::get_if<Counter>(&value)) return std::to_string(counter->total);
  if (const auto* set = std::get_if<OrSet>(&value)) {
    std::string text = "{";
    for (const auto& [element, dots] : set->elements) {
      if (text.size() > bytes_max) break;
      text += (text.size() == 1 ? "" : ", ") + element;
    }
    return printable(text + "}", bytes_max);
  }
  const auto& content = std::get<Register>(value);
  if (content.content == ContentType::kBytes || !is_utf8(content.bytes))
    return fmt::format("({} of bytes)", size_text(content.bytes.size()));
  return printable(content.bytes, bytes_max);
}

}  // namespace waggle::cli
