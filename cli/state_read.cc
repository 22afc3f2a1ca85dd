// `waggle state get` and `waggle state ls`.

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/commands.h"
#include "cli/field_values.h"
#include "cli/output.h"
#include "cli/record_json.h"

namespace waggle::cli {
namespace {

constexpr std::int64_t kAskAgainMillis = 20;
constexpr std::size_t kPreviewBytes = 60;

// Asks again while the revision wanted is not there yet, as long as there is time.
template <typename Ask>
Result<QueryResult> ask_until(RequestClient& client, const Ask& ask, std::int64_t timeout_millis) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_millis);
  while (true) {
    Result<QueryResult> result = client.query(ask, timeout_millis);
    if (result) return result;
    const Code code = result.error().code;
    if (code != Code::kStale && !(code == Code::kNotFound && ask.at_least)) return result;
    if (std::chrono::steady_clock::now() >= deadline)
      return failed(Code::kTimeout, result.error().text);
    std::this_thread::sleep_for(std::chrono::milliseconds(kAskAgainMillis));
  }
}

int print_value(const Value& value) {
  return print(plain_text(value, output_is_terminal())) ? kExitDone : kExitFailure;
}

// The fields of a path, within the record that was read.
int print_fields(const CommandLine& line, const Change& read, const Cursor& at) {
  const bool live = read.record && read.record->live();
  const std::vector<std::string>& path = line.state.field;
  const std::vector<NamedField> found =
      live ? fields_at(*read.record->value, path) : std::vector<NamedField>();
  if (line.json) {
    Json names{Json::Array{}};
    for (const std::string& name : path) names.push(name);
    Json fields{Json::Array{}};
    for (const NamedField& one : found) fields.push(field_json(one.id, *one.field));
    Json out;
    out.set("key", read.key.value()).set("field", std::move(names)).set("exists", !found.empty());
    if (live) out.set("version", read.record->version.value());
    out.set("fields", std::move(fields)).set("cursor", to_text(at));
    if (!print_json(out)) return kExitFailure;
    return found.empty() ? exit_code(Code::kNotFound) : kExitDone;
  }
  const std::string key = printable(line.state.key, 128);
  if (found.empty()) {
    if (live && !std::holds_alternative<Map>(*read.record->value))
      return fail({Code::kNotFound, fmt::format("'{}' holds no map: its type is {}", key,
                                                type_word(*read.record->value))},
                  false);
    return fail({Code::kNotFound, fmt::format("there is no field {} in '{}' at revision {}",
                                              text_of_path(path), key, at.revision.value())},
                false);
  }
  if (found.size() > 1) {
    std::string types;
    for (const NamedField& one : found)
      types += fmt::format("{}{}", types.empty() ? "" : ", ", type_word(one.field->value->value));
    say(fmt::format("the field {} has several types: {}; this is the first, --json shows each",
                    text_of_path(path), types));
  }
  return print_value(found.front().field->value->value);
}

int get(const CommandLine& line, const Config& config, RequestClient& client) {
  const GetQuery ask{{Key(line.state.key)}, Revision(line.state.at_least)};
  const auto result = ask_until(client, ask, config.timeout_millis);
  if (!result) return fail(result.error(), line.json);
  if (result->changes.empty())
    return fail({Code::kInternal, "the coordinator's answer names no key"}, line.json);
  const Change& read = result->changes.front();
  if (!line.state.field.empty()) return print_fields(line, read, result->at);
  if (line.json) {
    Json out = record_json(read);
    out.set("cursor", to_text(result->at));
    if (!print_json(out)) return kExitFailure;
  }
  if (!read.record || !read.record->live()) {
    // With --json the answer says so already.
    if (line.json) return exit_code(Code::kNotFound);
    return fail({Code::kNotFound, fmt::format("there is no key '{}' in swarm '{}' at revision {}",
                                              printable(line.state.key, 128), config.swarm,
                                              result->at.revision.value())},
                false);
  }
  return line.json ? kExitDone : print_value(*read.record->value);
}

int list(const CommandLine& line, const Config& config, RequestClient& client) {
  Json records{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {{"KEY", "VERSION", "TYPE", "WRITER", "VALUE"}};
  ListQuery ask{line.state.glob, {}, 0, Revision(line.state.at_least)};
  Cursor at;
  while (true) {
    const auto result = ask_until(client, ask, config.timeout_millis);
    if (!result) return fail(result.error(), line.json);
    at = result->at;
    std::string keys;
    for (const Change& change : result->changes) {
      if (line.json) {
        records.push(record_json(change));
      } else if (line.state.long_list) {
        const Record& record = *change.record;
        rows.push_back({printable(change.key.value()), std::to_string(record.version.value()),
                        std::string(type_word(*record.value)), writer_word(record.writer.agent),
                        preview(*record.value, kPreviewBytes)});
      } else {
        keys += printable(change.key.value()) + '\n';
      }
    }
    if (!keys.empty() && !print(keys)) return kExitFailure;
    if (!result->more || result->changes.empty()) break;
    ask.after = result->changes.back().key;
  }
  if (line.json) {
    Json out;
    out.set("cursor", to_text(at)).set("records", std::move(records));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (line.state.long_list && rows.size() > 1 && !print(table(rows))) return kExitFailure;
  return kExitDone;
}

}  // namespace

int state_read(const CommandLine& line, const Config& config) {
  if (line.verb == Verb::kStateGet)
    if (const Status shape = check_key(line.state.key); !shape)
      return fail_usage(shape.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  return line.verb == Verb::kStateGet ? get(line, config, **client) : list(line, config, **client);
}

}  // namespace waggle::cli
