// Tasks: added, taken, reported on, given back; what ends them and what comes after them.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "coordinator/coordinator.h"

namespace waggle {
namespace {

// Of a command what it called itself when it took the task.
AgentId worker_name(const AgentId& agent, const Claim& claim) {
  return is_client_agent(agent) && !claim.label.empty() ? AgentId(claim.label) : public_name(agent);
}

Instant after(Instant now, std::int64_t millis) {
  return millis > 0 ? now + Millis{millis} : Instant{0};
}

}  // namespace

// What was open when the coordinator stopped is open still: those that are to wait, for what is
// left of their time by the wall clock. REQUIRES: restore_claims().
void Coordinator::restore_tasks(Swarm& swarm) {
  std::vector<std::pair<std::int64_t, std::string>> ended;
  std::vector<Task> open;
  for (const Key& key : swarm.state.keys_after(kTaskKeys, {}, SIZE_MAX)) {
    const RecordPtr record = swarm.state.find(key);
    const std::optional<Register> document = register_of(record.get());
    if (!document) continue;
    Result<Task> task = recover_task(task_id_of(key.value()), document->bytes);
    if (!task) {
      count("tasks_unreadable");
    } else if (task->state == TaskState::kDone || task->state == TaskState::kCancelled) {
      ended.emplace_back(task->ended_wall_millis, task->id);
    } else {
      open.push_back(*std::move(task));
    }
  }
  std::ranges::sort(ended);
  for (auto& [wall, id] : ended) swarm.tasks.ended.push_back(std::move(id));
  // What others come after was added before them.
  std::ranges::sort(open, {}, &Task::added);
  for (Task& task : open) {
    const std::int64_t left =
        std::clamp<std::int64_t>(task.retry_wall_millis - now_.wall_millis, 0, backoff_of(task));
    queue_task(swarm, task, after(now_.monotonic, left));
    const Claim* claim = swarm.claims.find(task_key(task.id).value());
    if (claim != nullptr && task.state == TaskState::kOpen) {
      swarm.tasks.queue.hold(task.id);
      if (claim->asked) swarm.tasks.taken[{claim->holder, claim->asked}] = task.id;
    } else if (task.state == TaskState::kDead) {
      swarm.tasks.queue.hold(task.id);
    }
    const std::string id = task.id;
    swarm.tasks.known.emplace(id, std::move(task));
  }
}

void Coordinator::queue_task(Swarm& swarm, const Task& task, Instant not_before) {
  swarm.tasks.queue.add({task.id, task.needs, task.priority, task.added, task.after}, not_before);
}

Change Coordinator::change_of(const Swarm& swarm, const Task& task) {
  const Key key = task_key(task.id);
  Metadata metadata;
  if (const RecordPtr before = swarm.state.find(key)) metadata = before->metadata;
  return {key,
          record_of_own(swarm, Register{ContentType::kJson, to_json(task)}, std::move(metadata))};
}

// A mutation of one entry of which the key is a task's.
Outcome Coordinator::step_task(Swarm& swarm, const Session& session, const Mutation& mutation,
                               const Author& author) {
  const Entry& entry = mutation.entries.front();
  const std::string id(task_id_of(entry.key.value()));
  if (std::holds_alternative<DeleteOp>(entry.op)) return cancel_task(swarm, entry, id, author);
  const auto* put = std::get_if<PutOp>(&entry.op);
  if (put == nullptr || put->type != ValueType::kRegister)
    return decision_refused(swarm, entry.key, Code::kRejected, Reason::kTypeMismatch,
                            "a task is put as one JSON document, so is the report on it, and it is "
                            "cancelled by deleting it");
  if (put->bytes.size() > limits::kTaskBytes)
    return decision_refused(
        swarm, entry.key, Code::kRejected, Reason::kTooLarge,
        fmt::format("the task or report has {} bytes, at most {} are allowed; put what is large "
                    "under a key of its own and name that",
                    put->bytes.size(), limits::kTaskBytes));
  if (is_task_report(put->bytes)) return report_on_task(swarm, session, mutation, id, author);
  return add_task(swarm, session, entry, id, author);
}

Outcome Coordinator::committed(const Swarm& swarm) {
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.changed = true;
  outcome.revision = swarm.state.head();
  return outcome;
}

Outcome Coordinator::add_task(Swarm& swarm, const Session& session, const Entry& entry,
                              const std::string& id, const Author& author) {
  const auto refused = [&](Code code, Reason reason, std::string text) {
    return decision_refused(swarm, entry.key, code, reason, std::move(text));
  };
  Result<Task> read = read_task(id, std::get<PutOp>(entry.op).bytes);
  if (!read) return refused(Code::kRejected, Reason::kInvalid, std::move(read.error().text));
  if (const RecordPtr standing = swarm.state.find(entry.key); standing && standing->live()) {
    Outcome outcome =
        refused(Code::kConflict, Reason::kNone,
                fmt::format("there is a task '{}' already; a report on it has a \"state\"", id));
    outcome.conflict = ConflictKind::kVersionMismatch;
    outcome.committed = standing;
    return outcome;
  }
  if (swarm.tasks.known.size() >= limits::kTasks)
    return refused(Code::kRejected, Reason::kTooMany,
                   fmt::format("{} tasks are open or dead in this swarm, which is the limit; wait "
                               "until some are done, or cancel some",
                               swarm.tasks.known.size()));
  for (const std::string& other : read->after) {
    if (swarm.tasks.queue.contains(other)) continue;
    const RecordPtr record = swarm.state.find(task_key(other));
    const std::optional<Register> document = register_of(record.get());
    const Result<Task> before = recover_task(other, document ? document->bytes : "");
    if (!before || before->state != TaskState::kDone)
      return refused(Code::kRejected, Reason::kInvalid,
                     fmt::format("task: \"after\": '{}' is {}, so this would never begin", other,
                                 before ? "cancelled" : "no task of this swarm"));
  }
  Task task = *std::move(read);
  task.by = public_name(session.agent);
  task.added_wall_millis = now_.wall_millis;
  task.added = swarm.state.head().next();
  commit(swarm,
         {{entry.key,
           record_of_own(swarm, Register{ContentType::kJson, to_json(task)}, entry.metadata)}},
         {}, {author.agent, author.incarnation, author.seq});
  count("tasks_added");
  queue_task(swarm, task, Instant{0});
  swarm.tasks.known.emplace(id, std::move(task));
  Outcome outcome = committed(swarm);
  serve_tasks(swarm);
  return outcome;
}

// By who works on it: that it is done, or failed. By anybody: that it is to be tried again.
Outcome Coordinator::report_on_task(Swarm& swarm, const Session& session, const Mutation& mutation,
                                    const std::string& id, const Author& author) {
  const Entry& entry = mutation.entries.front();
  const auto refused = [&](Code code, Reason reason, std::string text) {
    return decision_refused(swarm, entry.key, code, reason, std::move(text));
  };
  Result<TaskReport> report = read_task_report(std::get<PutOp>(entry.op).bytes);
  if (!report) return refused(Code::kRejected, Reason::kInvalid, std::move(report.error().text));
  if (std::optional<Outcome> denied = not_allowed(swarm, session, entry.key, report->writes))
    return *std::move(denied);
  const auto known = swarm.tasks.known.find(id);
  if (known == swarm.tasks.known.end()) return no_open_task(swarm, entry.key, id);
  Task& task = known->second;
  if (report->kind == TaskReport::Kind::kReopen) {
    if (task.state != TaskState::kDead)
      return refused(Code::kConflict, Reason::kNone,
                     fmt::format("the task '{}' is not dead, so it needs no reopening", id));
    task.state = TaskState::kOpen;
    task.attempts = 0;
    task.ended_wall_millis = 0;
    task.ended_by = {};
    task.retry_wall_millis = 0;
    commit(swarm, {change_of(swarm, task)}, {}, {author.agent, author.incarnation, author.seq});
    swarm.tasks.queue.give_back(id, Instant{0});
    count("tasks_reopened");
    Outcome outcome = committed(swarm);
    serve_tasks(swarm);
    return outcome;
  }
  const Claim* held = swarm.claims.find(entry.key.value());
  if (held == nullptr)
    return refused(Code::kDenied, Reason::kStaleToken,
                   fmt::format("nobody holds the task '{}' now; claim it first", id));
  if (held->token != mutation.fence)
    return refused(Code::kDenied, Reason::kClaimed,
                   fmt::format("the task '{}' is held under another token than {}; only its holder "
                               "reports on it",
                               id, mutation.fence.value()));
  const Claim claim = *held;
  const AgentId by = worker_name(author.agent, claim);
  std::vector<Change> changes;
  if (report->kind == TaskReport::Kind::kDone) {
    if (std::optional<Outcome> why = writes_refused(swarm, entry.key, report->writes)) return *why;
    for (const ProposedWrite& write : report->writes)
      changes.push_back(
          {write.key, record_of_own(swarm, write.value, {{"task", id}, {"done_by", by.value()}},
                                    swarm.state.find(write.key).get())});
    task.result = std::move(report->result);
    task.retry_wall_millis = 0;
    end_task(swarm, known, TaskState::kDone, by, changes);
  } else {
    fail_task(swarm, task, by, std::move(report->why), report->retry, changes);
  }
  changes.push_back({claim_key(claim.pattern), record_of_own(swarm, std::nullopt, {})});
  commit(swarm, std::move(changes), {}, {author.agent, author.incarnation, author.seq});
  drop_claim(swarm, claim);
  Outcome outcome = committed(swarm);
  serve_tasks(swarm);
  return outcome;
}

// Why what is to be written with the end of a task can't be. Nothing: it can.
std::optional<Outcome> Coordinator::writes_refused(const Swarm& swarm, const Key& key,
                                                   const std::vector<ProposedWrite>& writes) {
  for (const ProposedWrite& write : writes) {
    if (std::optional<std::string> text = needs_proposal(write.key.value()))
      return decision_refused(swarm, key, Code::kDenied, Reason::kNeedsProposal, *std::move(text));
    if (std::optional<std::string> text = no_register_by_policy(write.key))
      return decision_refused(swarm, key, Code::kRejected, Reason::kWrongClass, *std::move(text));
  }
  if (std::optional<std::string> text = not_writable_now(swarm, writes))
    return decision_refused(swarm, key, Code::kConflict, Reason::kNone,
                            *std::move(text) + "; the task is held still");
  return std::nullopt;
}

// Its record, and that of the oldest one that goes. `known` is gone afterwards.
void Coordinator::end_task(Swarm& swarm, KnownTasks::iterator known, TaskState state,
                           const AgentId& by, std::vector<Change>& changes) {
  Task task = std::move(known->second);
  swarm.tasks.known.erase(known);
  task.state = state;
  task.ended_by = by;
  task.ended_wall_millis = now_.wall_millis;
  changes.push_back(change_of(swarm, task));
  swarm.tasks.queue.finish(task.id, state == TaskState::kDone);
  swarm.tasks.unconfirmed.erase(task.id);
  swarm.tasks.ended.push_back(task.id);
  count(state == TaskState::kDone ? "tasks_done" : "tasks_cancelled");
  if (swarm.tasks.ended.size() <= limits::kTasksKept) return;
  changes.push_back({task_key(swarm.tasks.ended.front()), record_of_own(swarm, std::nullopt, {})});
  swarm.tasks.ended.pop_front();
}

// An attempt came to nothing: again after a time, or never. REQUIRES: it is held in the queue.
void Coordinator::fail_task(Swarm& swarm, Task& task, const AgentId& by, std::string why,
                            bool retry, std::vector<Change>& changes) {
  ++task.attempts;
  task.failures.push_back({by, now_.wall_millis, std::move(why)});
  if (task.failures.size() > limits::kTaskFailures) task.failures.erase(task.failures.begin());
  swarm.tasks.unconfirmed.erase(task.id);
  if (!retry || task.attempts > task.retries) {
    task.state = TaskState::kDead;
    task.ended_by = by;
    task.ended_wall_millis = now_.wall_millis;
    task.retry_wall_millis = 0;
    count("tasks_dead");
  } else {
    const std::int64_t backoff = backoff_of(task);
    task.retry_wall_millis = backoff > 0 ? now_.wall_millis + backoff : 0;
    swarm.tasks.queue.give_back(task.id, after(now_.monotonic, backoff));
    count("tasks_failed");
  }
  changes.push_back(change_of(swarm, task));
}

// Of a task that ended, or that there is not.
Outcome Coordinator::no_open_task(const Swarm& swarm, const Key& key, const std::string& id) {
  const std::optional<Register> document = register_of(swarm.state.find(key).get());
  const Result<Task> task = recover_task(id, document ? document->bytes : "");
  if (!task)
    return decision_refused(swarm, key, Code::kRejected, Reason::kInvalid,
                            fmt::format("there is no task '{}'", id));
  return decision_refused(
      swarm, key, Code::kDenied, Reason::kClosed,
      fmt::format("the task '{}' is {} already, and stays so", id, to_text(task->state)));
}

Outcome Coordinator::cancel_task(Swarm& swarm, const Entry& entry, const std::string& id,
                                 const Author& author) {
  const auto refused = [&](Code code, Reason reason, std::string text) {
    return decision_refused(swarm, entry.key, code, reason, std::move(text));
  };
  const auto known = swarm.tasks.known.find(id);
  if (known == swarm.tasks.known.end()) return no_open_task(swarm, entry.key, id);
  const AgentId& by = known->second.by;
  if (by != public_name(author.agent) && !is_client_agent(author.agent))
    return refused(Code::kDenied, Reason::kReserved,
                   fmt::format("the task '{}' was added by {}, and is cancelled by that or by a "
                               "command",
                               id, is_client_agent(by) ? "a command" : by.value()));
  if (const std::set<std::string> behind = swarm.tasks.queue.behind(id); !behind.empty())
    return refused(Code::kConflict, Reason::kNone,
                   fmt::format("{} tasks come after '{}', '{}' among them; cancel them first",
                               behind.size(), id, *behind.begin()));
  std::vector<Change> changes;
  if (const Claim* claim = swarm.claims.find(entry.key.value())) {
    changes.push_back({claim_key(claim->pattern),
                       record_of_own(swarm, std::nullopt, {{"ended", "the task was cancelled"}})});
    drop_claim(swarm, Claim(*claim));
  } else if (const RecordPtr waits = swarm.state.find(claim_key(entry.key.value()));
             waits && waits->live()) {
    // How far a worker came is for nobody any more.
    changes.push_back({claim_key(entry.key.value()), record_of_own(swarm, std::nullopt, {})});
  }
  end_task(swarm, known, TaskState::kCancelled, public_name(author.agent), changes);
  commit(swarm, std::move(changes), {}, {author.agent, author.incarnation, author.seq});
  return committed(swarm);
}

// ---- taken and given back ----------------------------------------------------------------------

ClaimResult Coordinator::take_task(Swarm& swarm, const Session& session,
                                   const ClaimRequest& request) {
  WaitingClaim wanted;
  wanted.wanted = wanted_claim(session, request);
  wanted.session = session.id;
  wanted.request = request.request;
  wanted.heard = now_.monotonic;
  wanted.until = now_.monotonic +
                 Millis{std::clamp<std::int64_t>(request.wait_millis, 0, limits::kClaimMillisMax)};
  wanted.can.insert(request.can.begin(), request.can.end());
  // Asked already, or held already by name.
  const auto taken = swarm.tasks.taken.find({wanted.wanted.holder, request.request});
  const Claim* held = swarm.claims.find(
      taken != swarm.tasks.taken.end() ? task_key(taken->second).value() : request.pattern);
  if (held != nullptr && held->holder == wanted.wanted.holder) {
    swarm.claims.ends_at(held->pattern, now_.monotonic + Millis{held->ttl_millis});
    return with_task(swarm, granted(swarm, *held));
  }
  if (const Status room = swarm.claims.room_for(kTaskKeys); !room)
    return claim_refused(room.error().code, Reason::kNone, room.error().text);
  if (const auto id = swarm.tasks.queue.next(request.pattern, wanted.can, now_.monotonic)) {
    swarm.tasks.queue.line().stop_waiting(wanted.wanted.holder, request.request);
    return grant_task(swarm, wanted, *id);
  }
  if (request.wait_millis <= 0) {
    swarm.tasks.queue.line().stop_waiting(wanted.wanted.holder, request.request);
    return claim_refused(
        Code::kNotFound, Reason::kNone,
        fmt::format("no task of '{}' is ready that {} can do", request.pattern,
                    wanted.can.empty() ? "who names no capabilities"
                                       : fmt::format("{}", fmt::join(wanted.can, ", "))));
  }
  Result<std::size_t> place = swarm.tasks.queue.line().wait(std::move(wanted));
  if (!place)
    return claim_refused(place.error().code, Reason::kNone, std::move(place.error().text));
  ClaimResult result;
  result.text = "no task is ready";
  result.place = static_cast<std::uint32_t>(*place);
  return result;
}

ClaimResult Coordinator::grant_task(Swarm& swarm, const WaitingClaim& wanted,
                                    const std::string& id) {
  Claim claim = wanted.wanted;
  claim.pattern = task_key(id).value();
  claim.token = next_token(swarm);
  claim.asked = wanted.request;
  swarm.tasks.queue.hold(id);
  swarm.tasks.taken[{claim.holder, claim.asked}] = id;
  count("tasks_taken");
  return with_task(swarm, hold_claim(swarm, std::move(claim), {}));
}

// The answer to who takes it: what it is. A renewal does not say it again.
ClaimResult Coordinator::with_task(const Swarm& swarm, ClaimResult taken) {
  taken.task = register_of(swarm.state.find(Key(taken.pattern)).get());
  return taken;
}

// Its claim ends, which the caller commits with `changes`. `lost`: why that counts as a failed
// attempt; empty: it does not.
void Coordinator::give_back_task(Swarm& swarm, const Claim& claim, const std::string& lost,
                                 std::vector<Change>& changes) {
  const std::string id(task_id_of(claim.pattern));
  const auto known = swarm.tasks.known.find(id);
  if (known == swarm.tasks.known.end()) return;
  // Who never renewed it may have been gone before it was given.
  const bool unconfirmed = swarm.tasks.unconfirmed.erase(id) > 0;
  if (lost.empty() || unconfirmed) {
    swarm.tasks.queue.give_back(id, Instant{0});
  } else {
    fail_task(swarm, known->second, worker_name(claim.holder.agent, claim), lost, true, changes);
  }
}

void Coordinator::serve_tasks(Swarm& swarm) {
  for (const WaitingClaim& tired : swarm.tasks.queue.line().take_tired(now_.monotonic)) {
    ClaimResult result;
    result.code = Code::kTimeout;
    result.text = "no task was ready in that time";
    tell_waiting(tired, std::move(result));
  }
  if (!writable_) return;
  while (swarm.claims.room_for(kTaskKeys).has_value()) {
    const auto next = swarm.tasks.queue.next_in_line(now_.monotonic);
    if (!next) return;
    const auto& [waiting, id] = *next;
    // Who went away meanwhile has nothing to hold it for.
    if (!sessions_.all().contains(waiting.session)) continue;
    tell_waiting(waiting, grant_task(swarm, waiting, id));
    await_renewal(swarm, task_key(id).value(), waiting.wanted.ttl_millis);
    swarm.tasks.unconfirmed.insert(id);
  }
}

void Coordinator::tend_tasks(Swarm& swarm) {
  if (writable_ && swarm.tasks.queue.next_wake() <= now_.monotonic) serve_tasks(swarm);
}

}  // namespace waggle
