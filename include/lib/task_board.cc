#include <utility>

#include <fmt/format.h>
#include <waggle/agent.h>
#include <waggle/tasks.h>

#include "coordinator/task.h"
#include "include/lib/convert.h"
#include "include/lib/proposed_values.h"
#include "io/random.h"

namespace waggle {
namespace {

constexpr std::chrono::milliseconds kAnswer = std::chrono::seconds(10);

Result<std::string> document_of(const TaskDraft& draft) {
  JsonValue::Object out;
  out["title"] = json_text(draft.title);
  if (!draft.body_json.empty()) {
    Result<JsonValue> body = parse_json_document(draft.body_json);
    if (!body) return std::unexpected(std::move(body.error()));
    out["body"] = *std::move(body);
  }
  out["needs"] = json_texts(draft.needs);
  out["after"] = json_texts(draft.after);
  out["priority"] = json_number(draft.priority);
  out["retries"] = json_number(draft.retries);
  out["backoff_ms"] = json_number(draft.backoff.count());
  return to_json(JsonValue{std::move(out)});
}

std::string key_of(std::string_view id) {
  return task_key(id).value();
}

}  // namespace

std::string_view name_of(TaskStage stage) {
  return to_text(static_cast<TaskState>(stage));
}

Expected<std::string> TaskBoard::add(const TaskDraft& task) {
  const std::string id = task.id.empty() ? to_hex(random_seed()) : task.id;
  Result<std::string> document = document_of(task);
  if (!document) return failure_of(document);
  if (Result<Task> read = read_task(id, *document); !read) return failure_of(read);
  if (Expected<void> written = put(id, *document); !written)
    return std::unexpected(std::move(written.error()));
  return id;
}

Expected<HeldTask> TaskBoard::claim(const WantedTask& wanted) {
  ClaimOptions options;
  options.ttl = wanted.ttl;
  options.wait = wanted.wait;
  options.can = wanted.can;
  Expected<HeldClaim> held = agent_.claim(key_of(wanted.ids), options);
  if (!held) return std::unexpected(std::move(held.error()));
  HeldTask task;
  task.id = task_id_of(held->pattern);
  task.token = held->token;
  task.checkpoint = std::move(held->checkpoint);
  if (const Result<Task> read = recover_task(task.id, held->task_json.value_or("")); read) {
    task.title = read->title;
    if (read->body) task.body_json = to_json(*read->body);
    task.attempts = read->attempts;
  }
  return task;
}

Expected<void> TaskBoard::put(std::string_view id, const std::string& json) {
  if (const Status shape = check_task_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  return outcome_of(agent_.commit(WriteGroup().put_json(key_of(id), json), kAnswer));
}

Expected<void> TaskBoard::done(std::string_view id, const TaskEnd& end) {
  JsonValue::Object out;
  out["state"] = json_text("done");
  if (!end.result_json.empty()) {
    Result<JsonValue> result = parse_json_document(end.result_json);
    if (!result) return failure_of(result);
    out["result"] = *std::move(result);
  }
  if (!end.writes.empty()) {
    Result<JsonValue> writes = writes_of(end.writes);
    if (!writes) return failure_of(writes);
    out["writes"] = *std::move(writes);
  }
  const std::string document = to_json(JsonValue{std::move(out)});
  if (Result<TaskReport> read = read_task_report(document); !read) return failure_of(read);
  return put(id, document);
}

Expected<void> TaskBoard::fail(std::string_view id, std::string_view why, bool retry) {
  JsonValue::Object out;
  out["state"] = json_text("failed");
  if (!why.empty()) out["why"] = json_text(std::string(why));
  out["retry"] = {retry};
  const std::string document = to_json(JsonValue{std::move(out)});
  if (Result<TaskReport> read = read_task_report(document); !read) return failure_of(read);
  return put(id, document);
}

Expected<void> TaskBoard::checkpoint(std::string_view id, std::string_view text) {
  const Expected<HeldClaim> renewed = agent_.renew_claim(key_of(id), std::string(text));
  if (!renewed) return std::unexpected(renewed.error());
  return {};
}

Expected<void> TaskBoard::give_back(std::string_view id, std::optional<std::string> checkpoint) {
  return agent_.release_claim(key_of(id), std::move(checkpoint));
}

Expected<void> TaskBoard::retry(std::string_view id) {
  return put(id, R"({"state":"open"})");
}

Expected<void> TaskBoard::cancel(std::string_view id) {
  if (const Status shape = check_task_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  return outcome_of(agent_.commit(WriteGroup().erase(key_of(id)), kAnswer));
}

Expected<TaskView> TaskBoard::view_of(const StateItem& item) const {
  const std::string id(task_id_of(item.key));
  const Result<Task> task = recover_task(id, item.exists ? item.bytes : "{}");
  if (!item.exists || !task)
    return std::unexpected(
        Failure{StatusCode::kNotFound, fmt::format("there is no task '{}'", id)});
  TaskView view;
  view.id = id;
  view.title = task->title;
  view.stage = static_cast<TaskStage>(task->state);
  view.by = task->by.value();
  view.attempts = task->attempts;
  if (!task->failures.empty()) view.last_failure = task->failures.back().why;
  view.ended_by = task->ended_by.value();
  if (task->result) view.result_json = to_json(*task->result);
  view.version = item.version;
  if (const Expected<ClaimState> claim = agent_.claim_state(item.key); claim && claim->held)
    view.holder = claim->holder;
  return view;
}

Expected<TaskView> TaskBoard::task(std::string_view id) const {
  if (const Status shape = check_task_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  const Expected<StateItem> item = agent_.get(key_of(id));
  if (!item) return std::unexpected(item.error());
  return view_of(*item);
}

Expected<std::vector<TaskView>> TaskBoard::tasks() const {
  const Expected<ItemList> list = agent_.list(fmt::format("{}*", kTaskKeys));
  if (!list) return std::unexpected(list.error());
  std::vector<TaskView> views;
  for (const StateItem& item : list->items)
    if (Expected<TaskView> view = view_of(item)) views.push_back(*std::move(view));
  return views;
}

}  // namespace waggle
