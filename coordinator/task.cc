#include "coordinator/task.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

using Object = JsonValue::Object;

constexpr std::string_view kWhat = "task";
constexpr std::string_view kReport = "the report on a task";
constexpr std::string_view kStates[] = {"open", "done", "dead", "cancelled"};
constexpr std::int64_t kLatest = std::int64_t{1} << 53;

// In any order, and once.
Status read_set(const DocumentFields& fields, const char* name, std::size_t most,
                DocumentFields::CheckName check, std::set<std::string>& out) {
  std::vector<std::string> names;
  Status read = fields.read_names(name, 0, most, check, names);
  out.insert(names.begin(), names.end());
  return read;
}

Status check_capability(std::string_view name) {
  if (!name.empty() && name.size() <= limits::kIdBytes && is_utf8(name)) return {};
  return failed(Code::kRejected,
                fmt::format("a capability: expected 1 to {} bytes of UTF-8, got {}",
                            limits::kIdBytes, name.size()));
}

Result<Task> read_given(std::string_view id, const DocumentFields& fields) {
  Task task;
  task.id = id;
  if (Status read = fields.read_text("title", 1024, task.title); !read)
    return std::unexpected(std::move(read.error()));
  if (task.title.empty())
    return failed(Code::kRejected, "task: \"title\" is missing: what is to be done, in words");
  if (const JsonValue* body = fields.find("body")) task.body = *body;
  for (const auto& read :
       {read_set(fields, "needs", limits::kTaskNeeds, check_capability, task.needs),
        fields.read_whole("priority", -limits::kTaskPriority, limits::kTaskPriority, task.priority),
        read_set(fields, "after", limits::kTaskAfter, check_task_id, task.after),
        fields.read_whole("retries", 0, limits::kTaskRetries, task.retries),
        fields.read_whole("backoff_ms", 0, limits::kTaskBackoffMillisMax, task.backoff_millis)})
    if (!read) return std::unexpected(read.error());
  if (task.after.contains(task.id))
    return failed(Code::kRejected, "task: \"after\": it can't come after itself");
  return task;
}

Status read_failures(const DocumentFields& fields, std::vector<TaskFailure>& failures) {
  const JsonValue* value = fields.find("failures");
  if (value == nullptr) return {};
  if (value->array() == nullptr) return fields.wrong("failures", "a list", *value);
  for (const JsonValue& item : *value->array()) {
    if (item.object() == nullptr) return fields.wrong("failures", "objects", item);
    const DocumentFields of(kWhat, *item.object());
    TaskFailure failure;
    std::string by;
    for (const auto& read : {of.read_text("by", 2 * limits::kIdBytes, by),
                             of.read_whole("at", 0, kLatest, failure.wall_millis),
                             of.read_text("why", limits::kTaskWhyBytes, failure.why)})
      if (!read) return read;
    failure.by = AgentId(by);
    failures.push_back(std::move(failure));
  }
  return {};
}

}  // namespace

std::string_view to_text(TaskState state) {
  return kStates[static_cast<std::size_t>(state)];
}

Result<TaskState> task_state_of(std::string_view word) {
  const auto found = std::ranges::find(kStates, word);
  if (found != std::end(kStates)) return static_cast<TaskState>(found - std::begin(kStates));
  return failed(Code::kRejected,
                fmt::format("task: \"state\": expected open, done, dead or cancelled, got '{}'",
                            word.substr(0, 64)));
}

Key task_key(std::string_view id) {
  return Key(fmt::format("{}{}", kTaskKeys, id));
}

std::string_view task_id_of(std::string_view key) {
  return key.substr(kTaskKeys.size());
}

Status check_task_id(std::string_view id) {
  return check_document_id("task", id);
}

Result<Task> read_task(std::string_view id, std::string_view json) {
  if (Status shape = check_task_id(id); !shape) return std::unexpected(std::move(shape.error()));
  const Result<Object> object = document_object(kWhat, json);
  if (!object) return std::unexpected(object.error());
  const DocumentFields fields(kWhat, *object);
  if (Status known =
          fields.only({"title", "body", "needs", "priority", "after", "retries", "backoff_ms"});
      !known)
    return std::unexpected(std::move(known.error()));
  return read_given(id, fields);
}

bool is_task_report(std::string_view json) {
  const Result<Object> object = document_object(kReport, json);
  return object && object->contains("state");
}

Result<TaskReport> read_task_report(std::string_view json) {
  const Result<Object> object = document_object(kReport, json);
  if (!object) return std::unexpected(object.error());
  const DocumentFields fields(kReport, *object);
  std::string state;
  if (Status read = fields.read_text("state", 16, state); !read)
    return std::unexpected(std::move(read.error()));
  TaskReport report;
  Status read;
  if (state == "done") {
    read = fields.only({"state", "result", "writes"});
    if (const JsonValue* result = fields.find("result")) report.result = *result;
    if (read) read = read_writes(fields, report.writes);
  } else if (state == "failed") {
    report.kind = TaskReport::Kind::kFailed;
    report.why = "it failed";
    read = fields.only({"state", "why", "retry"});
    if (read) read = fields.read_text("why", limits::kTaskWhyBytes, report.why);
    if (read) read = fields.read_flag("retry", report.retry);
  } else if (state == "open") {
    report.kind = TaskReport::Kind::kReopen;
    read = fields.only({"state"});
  } else {
    return fields.wrong("state", "done, failed, or open to try again what is dead",
                        json_text(state));
  }
  if (!read) return std::unexpected(std::move(read.error()));
  return report;
}

std::string to_json(const Task& task) {
  Object out;
  out["title"] = json_text(task.title);
  if (task.body) out["body"] = *task.body;
  if (!task.needs.empty()) out["needs"] = json_texts(task.needs);
  if (task.priority != 0) out["priority"] = json_number(task.priority);
  if (!task.after.empty()) out["after"] = json_texts(task.after);
  out["retries"] = json_number(task.retries);
  out["backoff_ms"] = json_number(task.backoff_millis);
  out["by"] = json_text(task.by.value());
  out["added_at"] = json_number(task.added_wall_millis);
  out["added"] = json_number(static_cast<std::int64_t>(task.added.value()));
  out["state"] = json_text(std::string(to_text(task.state)));
  if (task.attempts > 0) out["attempts"] = json_number(task.attempts);
  if (!task.failures.empty()) {
    JsonValue::Array failures;
    for (const TaskFailure& failure : task.failures)
      failures.push_back({Object{{"by", json_text(failure.by.value())},
                                 {"at", json_number(failure.wall_millis)},
                                 {"why", json_text(failure.why)}}});
    out["failures"] = {std::move(failures)};
  }
  if (task.retry_wall_millis > 0) out["retry_at"] = json_number(task.retry_wall_millis);
  if (task.ended_wall_millis > 0) out["ended_at"] = json_number(task.ended_wall_millis);
  if (!task.ended_by.empty()) out["ended_by"] = json_text(task.ended_by.value());
  if (task.result) out["result"] = *task.result;
  return to_json(JsonValue{std::move(out)});
}

Result<Task> recover_task(std::string_view id, std::string_view json) {
  const Result<Object> object = document_object(kWhat, json);
  if (!object) return std::unexpected(object.error());
  const DocumentFields fields(kWhat, *object);
  Result<Task> task = read_given(id, fields);
  if (!task) return task;
  std::string by;
  std::string ended_by;
  std::string state;
  std::uint64_t added = 0;
  for (const auto& read :
       {fields.read_text("by", 2 * limits::kIdBytes, by),
        fields.read_text("ended_by", 2 * limits::kIdBytes, ended_by),
        fields.read_text("state", 16, state), fields.read_whole("added", 0, kLatest, added),
        fields.read_whole("added_at", 0, kLatest, task->added_wall_millis),
        fields.read_whole("attempts", 0, limits::kTaskRetries + 1, task->attempts),
        fields.read_whole("retry_at", 0, kLatest, task->retry_wall_millis),
        fields.read_whole("ended_at", 0, kLatest, task->ended_wall_millis),
        read_failures(fields, task->failures)})
    if (!read) return std::unexpected(read.error());
  const Result<TaskState> known = task_state_of(state);
  if (!known) return std::unexpected(known.error());
  task->by = AgentId(by);
  task->ended_by = AgentId(ended_by);
  task->state = *known;
  task->added = Revision(added);
  if (const JsonValue* result = fields.find("result")) task->result = *result;
  return task;
}

std::int64_t backoff_of(const Task& task) {
  std::int64_t millis = task.backoff_millis;
  for (std::uint32_t n = 1; n < task.attempts && millis < limits::kTaskBackoffMillisMax; ++n)
    millis *= 2;
  return std::min(millis, limits::kTaskBackoffMillisMax);
}

}  // namespace waggle
