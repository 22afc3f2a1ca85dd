#include "cli/documents.h"

#include <utility>

#include <fmt/format.h>

#include "cli/output.h"
#include "cli/record_json.h"
#include "cli/state_op.h"

namespace waggle::cli {

Result<std::string> document_in(const std::string& file) {
  CommandLine::State source;
  if (file == "-") {
    source.value = "-";
  } else {
    source.file = file;
  }
  return value_of(source);
}

Json json_or_text(const std::string& text) {
  const Result<Json> json = parse_json(text);
  return json ? *json : Json(text);
}

Status each_pair(const char* option, const std::vector<std::string>& pairs,
                 const std::function<Status(std::string, const std::string&)>& take) {
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return failed(Code::kRejected,
                    fmt::format("{}: expected NAME=VALUE, got '{}'", option, printable(pair, 64)));
    if (Status taken = take(pair.substr(0, equals), pair.substr(equals + 1)); !taken) return taken;
  }
  return {};
}

Status set_writes(const std::vector<std::string>& pairs, Json& out) {
  if (pairs.empty()) return {};
  Json writes{Json::Array{}};
  Status read = each_pair("--write", pairs, [&](std::string key, const std::string& value) {
    Json write;
    write.set("key", std::move(key)).set("value", value);
    writes.push(std::move(write));
    return Status();
  });
  out.set("writes", std::move(writes));
  return read;
}

Json names_of(const std::vector<std::string>& names) {
  Json list{Json::Array{}};
  for (const std::string& name : names) list.push(name);
  return list;
}

int report_write(const std::string& id, const Result<Outcome>& outcome, bool json, bool prints_id) {
  if (!outcome) return fail(outcome.error(), json);
  if (exit_code(outcome->code) != 0) return fail({outcome->code, outcome->text}, json);
  if (json) {
    Json out;
    out.set("id", id);
    add_outcome(out, *outcome);
    return print_json(out) ? kExitDone : kExitFailure;
  }
  return !prints_id || print_line(id) ? kExitDone : kExitFailure;
}

Status each_record(RequestClient& client, const std::string& glob, const Config& config,
                   const std::function<void(const Change&)>& take) {
  ListQuery ask;
  ask.glob = glob;
  while (true) {
    const Result<QueryResult> found = client.query(ask, config.timeout_millis);
    if (!found && found.error().code == Code::kNotFound) return {};
    if (!found) return std::unexpected(found.error());
    for (const Change& change : found->changes) {
      ask.after = change.key;
      take(change);
    }
    if (!found->more || found->changes.empty()) return {};
  }
}

Result<FoundDocument> find_document(RequestClient& client, std::string_view what,
                                    std::string_view prefix, const std::string& id,
                                    const Config& config) {
  const Key key(fmt::format("{}{}", prefix, id));
  const Result<QueryResult> read = client.query(GetQuery{{key}, {}}, config.timeout_millis);
  if (!read) return std::unexpected(read.error());
  const RecordPtr record = read->changes.empty() ? nullptr : read->changes.front().record;
  const std::optional<Register> document = register_of(record.get());
  if (!document)
    return failed(Code::kNotFound, fmt::format("there is no {} '{}' in swarm '{}'", what,
                                               printable(id, 64), config.swarm));
  return FoundDocument{id, document->bytes, record->version.value()};
}

Result<std::vector<FoundDocument>> find_documents(RequestClient& client, std::string_view prefix,
                                                  const Config& config) {
  std::vector<FoundDocument> documents;
  Status read = each_record(client, fmt::format("{}*", prefix), config, [&](const Change& change) {
    if (const std::optional<Register> document = register_of(change.record.get()))
      documents.push_back({change.key.value().substr(prefix.size()), document->bytes,
                           change.record->version.value()});
  });
  if (!read) return std::unexpected(std::move(read.error()));
  return documents;
}

}  // namespace waggle::cli
