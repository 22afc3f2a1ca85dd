// `waggle task add|claim|run|done|fail|ls|show|retry|cancel`: work that is shared out.

#include "coordinator/task.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/claimed_run.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "consensus/claim_record.h"
#include "io/random.h"

namespace waggle::cli {
namespace {

Result<std::string> document_of(const CommandLine::Tasks& given) {
  if (!given.file.empty()) return document_in(given.file);
  Json out;
  out.set("title", given.title);
  if (!given.body.empty()) out.set("body", json_or_text(given.body));
  if (!given.needs.empty()) out.set("needs", names_of(given.needs));
  if (given.priority) out.set("priority", *given.priority);
  if (!given.after.empty()) out.set("after", names_of(given.after));
  if (given.retries) out.set("retries", *given.retries);
  if (given.backoff_millis) out.set("backoff_ms", *given.backoff_millis);
  return out.dump();
}

Result<Outcome> write(RequestClient& client, const std::string& id, Op op, const Config& config) {
  return client.write({{task_key(id), {}, std::move(op), {}}}, config.timeout_millis);
}

int add(const CommandLine& line, const Config& config) {
  const std::string id = line.task.id.empty() ? to_hex(random_seed()) : line.task.id;
  const Result<std::string> document = document_of(line.task);
  if (!document) return fail_usage(document.error().text, line.json);
  // What is wrong is said before anybody is asked.
  if (const Result<Task> read = read_task(id, *document); !read)
    return fail_usage(read.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  return report_write(id, write(**client, id, PutOp{ContentType::kJson, *document}, config),
                      line.json, true);
}

// ---- taken -------------------------------------------------------------------------------------

Result<ClaimRequest> request_of(const CommandLine::Tasks& given) {
  ClaimRequest request;
  request.pattern = fmt::format("{}{}", kTaskKeys, given.glob);
  request.can = given.can;
  request.ttl_millis = given.ttl_millis;
  request.wait_millis = given.wait_millis;
  request.request = RequestId(random_seed());
  Result<std::string> label = label_of(given.as);
  if (!label) return std::unexpected(std::move(label.error()));
  request.label = *std::move(label);
  if (given.can.size() > limits::kTaskCan)
    return failed(Code::kRejected,
                  fmt::format("--can: expected at most {} capabilities", limits::kTaskCan));
  if (Status shape = check_claim_pattern(request.pattern); !shape)
    return std::unexpected(std::move(shape.error()));
  if (Status time = check_claim_time(request.ttl_millis); !time)
    return std::unexpected(std::move(time.error()));
  return request;
}

int take(const CommandLine& line, const Config& config) {
  const Result<ClaimRequest> request = request_of(line.task);
  if (!request) return fail_usage(request.error().text, line.json);
  Signals signals(Signals::Quit::kTaken);  // a claim that is left behind blocks others
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  LeavesLine waiting(**client, signals);
  const Result<ClaimResult> taken = waiting.ask(*request, config.timeout_millis, line.json);
  if (waiting.signal() != 0) return waiting.exit_code();
  if (!taken) return fail(taken.error(), line.json);
  if (exit_code(taken->code) != 0) return fail({taken->code, taken->text}, line.json);
  if (line.json) {
    Json out;
    add_claim_result(out, *taken);
    return print_json(out) ? kExitDone : kExitFailure;
  }
  const std::string id(task_id_of(taken->pattern));
  if (const Result<Task> task = recover_task(id, taken->task ? taken->task->bytes : ""); task)
    say(printable(task->title, 200));
  if (taken->checkpoint)
    say(fmt::format("the work stands at: {}", preview(Value(*taken->checkpoint), 200)));
  return print_line(fmt::format("{} {}", id, taken->token.value())) ? kExitDone : kExitFailure;
}

// Errors: kNotFound.
Result<FoundDocument> fetch(RequestClient& client, const std::string& id, const Config& config) {
  return find_document(client, "task", kTaskKeys, id, config);
}

// ---- reports -----------------------------------------------------------------------------------

int report(const CommandLine& line, const Config& config) {
  const CommandLine::Tasks& given = line.task;
  if (const Status shape = check_task_id(given.id); !shape)
    return fail_usage(shape.error().text, line.json);
  Json out;
  if (line.verb == Verb::kTaskDone) {
    out.set("state", "done");
    if (given.result) out.set("result", json_or_text(*given.result));
    if (const Status writes = set_writes(given.writes, out); !writes)
      return fail_usage(writes.error().text, line.json);
  } else {
    out.set("state", "failed");
    if (!given.why.empty()) out.set("why", given.why);
    if (given.no_retry) out.set("retry", false);
  }
  const std::string document = out.dump();
  if (const Result<TaskReport> read = read_task_report(document); !read)
    return fail_usage(read.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  if (const auto there = fetch(**client, given.id, config); !there)
    return fail(there.error(), line.json);
  (*client)->write_under(FenceToken(given.token));
  return report_write(given.id,
                      write(**client, given.id, PutOp{ContentType::kJson, document}, config),
                      line.json, false);
}

// ---- run ---------------------------------------------------------------------------------------

// Who holds it; nothing: nobody does.
Result<std::optional<Claim>> holder_of(RequestClient& client, const std::string& id,
                                       const Config& config) {
  const Key key = claim_key(task_key(id).value());
  const Result<QueryResult> read = client.query(GetQuery{{key}, {}}, config.timeout_millis);
  if (!read) return std::unexpected(read.error());
  const RecordPtr record = read->changes.empty() ? nullptr : read->changes.front().record;
  return record ? claim_of(key, *record) : std::nullopt;
}

// A descriptor from which the text is read. -1: errno says why there is none.
int file_of(const std::string& text) {
  const int file = memfd_create("task", MFD_CLOEXEC);
  if (file < 0) return -1;
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(file, text.data() + at, text.size() - at);
    if (written < 0) {
      close(file);
      return -1;
    }
    at += static_cast<std::size_t>(written);
  }
  (void)lseek(file, 0, SEEK_SET);
  return file;
}

class Worker {
 public:
  Worker(RequestClient& client, const Config& config, Signals& signals, ClaimRequest request,
         const CommandLine& line)
      : client_(client),
        config_(config),
        line_(line),
        run_(client, config, signals, std::move(request), line.json) {}

  int work() {
    bool all_done = true;
    for (std::uint64_t n = 0; line_.task.count == 0 || n < line_.task.count; ++n) {
      const Result<ClaimResult> taken = run_.take(line_.task.wait_millis);
      if (run_.signal() != 0) return run_.signalled();
      if (!taken) return fail(taken.error(), line_.json);
      const bool none = taken->code == Code::kNotFound || taken->code == Code::kTimeout;
      if (none && n > 0) break;
      if (exit_code(taken->code) != 0) return fail({taken->code, taken->text}, line_.json);
      all_done = work_on(*taken) && all_done;
      if (run_.signal() != 0) return run_.signalled();
    }
    return all_done ? kExitDone : kExitFailure;
  }

 private:
  // True: the task is done.
  bool work_on(const ClaimResult& taken) {
    const std::string id(task_id_of(taken.pattern));
    run_.ended_by([this, id] { return ended_by_itself(id); });
    const int input = file_of(taken.task ? taken.task->bytes : "{}");
    Environment environment = {{"WAGGLE_TASK", id}};
    if (taken.checkpoint) environment.emplace_back("WAGGLE_CHECKPOINT", taken.checkpoint->bytes);
    const int code = run_.run(line_.task.command, std::move(environment), input);
    if (input >= 0) close(input);
    if (run_.lost()) return tell(id, "lost");
    if (code != 0 && run_.signal() != 0) {
      run_.release();  // it did not fail: it was interrupted
      return tell(id, "given back");
    }
    Json out;
    out.set("state", code == 0 ? "done" : "failed");
    if (code != 0) out.set("why", fmt::format("the command ended with exit code {}", code));
    client_.write_under(run_.token());
    const Result<Outcome> outcome =
        write(client_, id, PutOp{ContentType::kJson, out.dump()}, config_);
    client_.write_under({});
    if (!outcome) {
      say(fmt::format("what became of task '{}' could not be reported: {}", id,
                      outcome.error().text));
      return false;
    }
    if (outcome->code == Code::kCommitted) return tell(id, code == 0 ? "done" : "failed");
    // The command reported by itself, or the claim was lost in the last moment.
    const std::optional<Task> task = state_of(id);
    return tell(id, task ? to_text(task->state) : "unknown");
  }

  // What became of it, where the command's output is not. True: it is done.
  bool tell(const std::string& id, std::string_view what) const {
    if (line_.json) {
      Json event;
      event.set("event", "task").set("task_id", id).set("outcome", what);
      (void)fputs((event.dump() + "\n").c_str(), stderr);
    } else {
      say(fmt::format("{}: {}", id, what));
    }
    return what == "done";
  }

  // Of a claim that ended while the command runs: the command said so itself, and not somebody else
  // who cancelled the task or works on it by now.
  [[nodiscard]] bool ended_by_itself(const std::string& id) const {
    const std::optional<Task> task = state_of(id);
    return task && task->state != TaskState::kCancelled && !held(id);
  }
  // By another token than ours.
  [[nodiscard]] bool held(const std::string& id) const {
    const auto claim = holder_of(client_, id, config_);
    return claim && *claim && (*claim)->token != run_.token();
  }
  [[nodiscard]] std::optional<Task> state_of(const std::string& id) const {
    const auto found = fetch(client_, id, config_);
    if (!found) return std::nullopt;
    Result<Task> task = recover_task(id, found->text);
    return task ? std::optional(*std::move(task)) : std::nullopt;
  }

  RequestClient& client_;
  const Config& config_;
  const CommandLine& line_;
  ClaimedRun run_;
};

int run_tasks(const CommandLine& line, const Config& config) {
  Result<ClaimRequest> request = request_of(line.task);
  if (!request) return fail_usage(request.error().text, line.json);
  Signals signals(Signals::Quit::kTaken);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  return Worker(**client, config, signals, *std::move(request), line).work();
}

// ---- shown -------------------------------------------------------------------------------------

// By task: who holds it.
Result<std::map<std::string, Claim>> holders(RequestClient& client, const Config& config) {
  std::map<std::string, Claim> held;
  Status read = each_record(
      client, fmt::format("{}{}*", kClaimKeys, kTaskKeys), config, [&](const Change& change) {
        if (std::optional<Claim> claim = claim_of(change.key, *change.record))
          held.emplace(std::string(task_id_of(claim->pattern)), *std::move(claim));
      });
  if (!read) return std::unexpected(std::move(read.error()));
  return held;
}

// Of an open one: held, waits, later or ready.
std::string stage_of(const Task& task, const std::map<std::string, Claim>& held,
                     const std::map<std::string, Task>& all) {
  if (task.state != TaskState::kOpen) return std::string(to_text(task.state));
  if (held.contains(task.id)) return "held";
  for (const std::string& other : task.after) {
    const auto before = all.find(other);
    if (before != all.end() && before->second.state != TaskState::kDone) return "waits";
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return task.retry_wall_millis > wall ? "later" : "ready";
}

int list(const CommandLine& line, const Config& config, RequestClient& client) {
  const auto found = find_documents(client, kTaskKeys, config);
  if (!found) return fail(found.error(), line.json);
  const auto held = holders(client, config);
  if (!held) return fail(held.error(), line.json);
  std::map<std::string, Task> all;
  std::vector<const Task*> order;
  for (const FoundDocument& one : *found)
    if (Result<Task> task = recover_task(one.id, one.text); task)
      order.push_back(&all.emplace(one.id, *std::move(task)).first->second);
  std::ranges::sort(order, {},
                    [](const Task* task) { return std::pair(-task->priority, task->added); });
  Json tasks{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {
      {"TASK", "STATE", "PRIORITY", "NEEDS", "ATTEMPTS", "WORKER", "TITLE"}};
  for (const Task* task : order) {
    const bool over = task->state == TaskState::kDone || task->state == TaskState::kCancelled;
    if (over && !line.task.all) continue;
    const std::string stage = stage_of(*task, *held, all);
    const auto holder = held->find(task->id);
    Json one;
    one.set("id", task->id).set("stage", stage);
    if (holder != held->end()) add_holder(one, holder->second);
    if (const Result<Json> document = parse_json(to_json(*task))) one.add_all(*document);
    tasks.push(std::move(one));
    rows.push_back(
        {task->id, stage, std::to_string(task->priority),
         task->needs.empty() ? "-" : printable(fmt::format("{}", fmt::join(task->needs, ",")), 40),
         fmt::format("{} of {}", task->attempts, task->retries + 1),
         holder != held->end() ? holder_word(holder->second)
         : over                ? writer_word(task->ended_by)
                               : "-",
         printable(task->title, 60)});
  }
  if (line.json) {
    Json out;
    out.set("tasks", std::move(tasks));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (rows.size() == 1) {
    say(fmt::format("no task {} in swarm '{}'", line.task.all ? "is kept" : "is open or dead",
                    config.swarm));
    return kExitDone;
  }
  return print(table(rows)) ? kExitDone : kExitFailure;
}

int show(const CommandLine& line, const Config& config, RequestClient& client) {
  const Result<FoundDocument> found = fetch(client, line.task.id, config);
  if (!found) return fail(found.error(), line.json);
  const Result<std::optional<Claim>> holder = holder_of(client, line.task.id, config);
  if (!holder) return fail(holder.error(), line.json);
  const Result<Task> task = recover_task(line.task.id, found->text);
  if (!task) return fail(task.error(), line.json);
  const Result<Json> document = parse_json(found->text);
  if (!document) return fail(document.error(), line.json);
  if (line.json) {
    Json out;
    out.set("id", task->id).set("version", found->version);
    if (*holder) add_holder(out, **holder);
    out.add_all(*document);
    return print_json(out) ? kExitDone : kExitFailure;
  }
  std::string text =
      fmt::format("{}: {}\n{}\n", task->id, to_text(task->state), printable(task->title, 1024));
  for (const char* name : {"body", "needs", "after", "result"})
    if (const Json* value = document->find(name))
      text += fmt::format("{}: {}\n", name, printable(value->dump(), 2000));
  text += fmt::format("priority {}, added by {} {}, attempts {} of {}\n", task->priority,
                      writer_word(task->by), wall_text(task->added_wall_millis), task->attempts,
                      task->retries + 1);
  if (*holder)
    text +=
        fmt::format("held by {} under token {}\n", holder_word(**holder), (*holder)->token.value());
  for (const TaskFailure& failure : task->failures)
    text += fmt::format("failed {} at {}: {}\n", wall_text(failure.wall_millis),
                        writer_word(failure.by), printable(failure.why, 400));
  if (task->ended_wall_millis > 0)
    text += fmt::format("ended {} by {}\n", wall_text(task->ended_wall_millis),
                        writer_word(task->ended_by));
  return print(text) ? kExitDone : kExitFailure;
}

}  // namespace

int task(const CommandLine& line, const Config& config) {
  switch (line.verb) {
    case Verb::kTaskAdd:
      return add(line, config);
    case Verb::kTaskClaim:
      return take(line, config);
    case Verb::kTaskRun:
      return run_tasks(line, config);
    case Verb::kTaskDone:
    case Verb::kTaskFail:
      return report(line, config);
    default:
      break;
  }
  if (line.verb != Verb::kTaskList)
    if (const Status shape = check_task_id(line.task.id); !shape)
      return fail_usage(shape.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  if (line.verb == Verb::kTaskCancel || line.verb == Verb::kTaskRetry)
    if (const auto there = fetch(**client, line.task.id, config); !there)
      return fail(there.error(), line.json);
  switch (line.verb) {
    case Verb::kTaskList:
      return list(line, config, **client);
    case Verb::kTaskShow:
      return show(line, config, **client);
    case Verb::kTaskCancel:
      return report_write(line.task.id, write(**client, line.task.id, DeleteOp{}, config),
                          line.json, false);
    default:
      return report_write(
          line.task.id,
          write(**client, line.task.id, PutOp{ContentType::kJson, R"({"state":"open"})"}, config),
          line.json, false);
  }
}

}  // namespace waggle::cli
