#include "tests/sim/task_truth.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

std::optional<TaskReport> report_of(const Mutation* by) {
  if (by == nullptr) return std::nullopt;
  const auto* put = std::get_if<PutOp>(&by->entries.front().op);
  if (put == nullptr) return std::nullopt;
  Result<TaskReport> report = read_task_report(put->bytes);
  return report ? std::optional(*std::move(report)) : std::nullopt;
}

}  // namespace

void TaskTruth::take(const Key& key, const Record& record, const Mutation* by, const Claim* claim,
                     const Found& found) {
  const std::string id(task_id_of(key.value()));
  const std::optional<Register> document = register_of(&record);
  const auto before = tasks_.find(id);
  if (!document) {
    found("tasks", fmt::format("the task {} is gone", id));
    tasks_.erase(id);
    return;
  }
  Result<Task> task = recover_task(id, document->bytes);
  if (!task) {
    found("tasks", fmt::format("the task {} can't be read: {}", id, task.error().text));
    return;
  }
  const TaskState was = before == tasks_.end() ? TaskState::kOpen : before->second.state;
  const std::optional<TaskReport> report = report_of(by);
  if (before == tasks_.end()) {
    if (by == nullptr || task->state != TaskState::kOpen || task->attempts != 0)
      found("tasks", fmt::format("{} begins as {}", id, document->bytes));
    effects_.erase(id);
  } else if (was == TaskState::kDone || was == TaskState::kCancelled) {
    found("tasks", fmt::format("{} was {} and is {} now", id, to_text(was), to_text(task->state)));
  } else if (task->state == TaskState::kDone) {
    if (was != TaskState::kOpen) found("tasks", fmt::format("{} was dead, and is done", id));
    take_done(*task, record, by, claim, found);
  } else if (task->state == TaskState::kCancelled) {
    const bool asked = by != nullptr && std::holds_alternative<DeleteOp>(by->entries.front().op);
    if (!asked) found("tasks", fmt::format("{} is cancelled, and nobody asked for it", id));
    for (const auto& [other, one] : tasks_)
      if (one.state == TaskState::kOpen && one.after.contains(id))
        found("tasks", fmt::format("{} is cancelled, and {} comes after it", id, other));
  } else if (was == TaskState::kDead) {
    if (!report || report->kind != TaskReport::Kind::kReopen || task->state != TaskState::kOpen)
      found("tasks", fmt::format("{} was dead, and nobody reopened it", id));
  } else {
    take_failed(before->second, *task, by, found);
  }
  tasks_.insert_or_assign(id, *std::move(task));
}

void TaskTruth::take_done(const Task& task, const Record& record, const Mutation* by,
                          const Claim* claim, const Found& found) {
  const std::optional<TaskReport> report = report_of(by);
  if (!report || report->kind != TaskReport::Kind::kDone || claim == nullptr ||
      claim->token != by->fence) {
    found("tasks", fmt::format("{} is done, and not by who held it", task.id));
    return;
  }
  const auto effect = effects_.find(task.id);
  const bool wrote = effect != effects_.end() && effect->second.at == record.version;
  std::size_t written = 0;
  for (const ProposedWrite& write : report->writes) {
    if (!wrote) break;
    const auto one = effect->second.writes.find(write.key);
    written += one != effect->second.writes.end() && one->second == write.value ? 1 : 0;
  }
  if (written != report->writes.size() || (wrote && written != effect->second.writes.size()))
    found("tasks", fmt::format("{} is done, and did not write what was reported", task.id));
}

void TaskTruth::take_failed(const Task& before, const Task& task, const Mutation* by,
                            const Found& found) {
  const std::optional<TaskReport> report = report_of(by);
  const bool for_good = report && !report->retry;
  const bool dead = for_good || task.attempts > task.retries;
  if (task.attempts != before.attempts + 1 || (task.state == TaskState::kDead) != dead ||
      (by != nullptr && (!report || report->kind != TaskReport::Kind::kFailed)))
    found("tasks", fmt::format("{} is {} after {} attempts of {}", task.id, to_text(task.state),
                               task.attempts, task.retries + 1));
}

void TaskTruth::take_claim(const Claim& claim, const Found& found) const {
  const std::string id(task_id_of(claim.pattern));
  const auto task = tasks_.find(id);
  if (task == tasks_.end() || task->second.state != TaskState::kOpen) {
    found("tasks",
          fmt::format("{} is given to {}, and is not open", id, claim.holder.agent.value()));
    return;
  }
  for (const std::string& other : task->second.after) {
    const auto first = tasks_.find(other);
    if (first != tasks_.end() && first->second.state != TaskState::kDone)
      found("tasks", fmt::format("{} is given out before {} is done", id, other));
  }
}

void TaskTruth::take_write(const Key& key, const Record& record, const Found& found) {
  const auto task = record.metadata.find("task");
  if (record.writer.agent != AgentId(kCoordinatorName) || task == record.metadata.end()) return;
  const auto [effect, fresh] = effects_.try_emplace(task->second, Effect{record.version, {}});
  if (effect->second.at != record.version)
    found("tasks", fmt::format("{} wrote twice", task->second));
  if (const std::optional<Register> value = register_of(&record))
    effect->second.writes[key] = *value;
}

void TaskTruth::clear() {
  tasks_.clear();
  effects_.clear();
}

}  // namespace waggle::sim
