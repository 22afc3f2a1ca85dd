#pragma once

// A task as it stands in its record, a JSON document under kTaskKeys and its id. Somebody puts it
// there, the coordinator keeps it. Who works on it holds a claim on its key, and says how it ended
// by putting a TaskReport there.
//
//   given    title, body, needs, priority, after, retries, backoff_ms
//   added    by, added_at, added, state; attempts, failures, retry_at;
//            ended_at, ended_by, result

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "consensus/task_queue.h"
#include "coordinator/proposed_write.h"
#include "resolver/json_document.h"

namespace waggle {

enum class TaskState : std::uint8_t {
  kOpen,  // waits, is ready, or is worked on
  kDone,
  kDead,  // it failed too often, or for good: the dead letters
  kCancelled,
};
[[nodiscard]] std::string_view to_text(TaskState state);
[[nodiscard]] Result<TaskState> task_state_of(std::string_view word);

struct TaskFailure {
  AgentId by;
  std::int64_t wall_millis = 0;
  std::string why;
  friend bool operator==(const TaskFailure&, const TaskFailure&) = default;
};

struct Task {
  std::string id;
  AgentId by;
  std::string title;
  std::optional<JsonValue> body;
  std::set<std::string> needs;
  std::int32_t priority = 0;
  std::set<std::string> after;
  std::uint32_t retries = 3;            // so often again after a first attempt
  std::int64_t backoff_millis = 1'000;  // before the second attempt; doubled with each further one
  std::int64_t added_wall_millis = 0;
  Revision added;

  TaskState state = TaskState::kOpen;
  std::uint32_t attempts = 0;          // that failed, or whose worker was lost
  std::vector<TaskFailure> failures;   // the last limits::kTaskFailures of them
  std::int64_t retry_wall_millis = 0;  // not before; 0: at once
  std::int64_t ended_wall_millis = 0;
  AgentId ended_by;
  std::optional<JsonValue> result;

  friend bool operator==(const Task&, const Task&) = default;
};

// What is put on the key of a task that is there. The first two by who holds its claim.
struct TaskReport {
  enum class Kind : std::uint8_t { kDone, kFailed, kReopen };
  Kind kind = Kind::kDone;
  std::optional<JsonValue> result;    // of kDone
  std::vector<ProposedWrite> writes;  // of kDone: committed with it
  std::string why;                    // of kFailed
  bool retry = true;                  // of kFailed; false: it is dead at once
};

[[nodiscard]] Key task_key(std::string_view id);
// Of a key that is_task_key(): without its prefix.
[[nodiscard]] std::string_view task_id_of(std::string_view key);
// 1..limits::kIdBytes letters, digits, '.', '_' and '-'.
[[nodiscard]] Status check_task_id(std::string_view id);

// What an agent or command gives. Errors: kRejected, with the field and what was expected.
[[nodiscard]] Result<Task> read_task(std::string_view id, std::string_view json);
// Whether it is a report, since it has a state, and no new task.
[[nodiscard]] bool is_task_report(std::string_view json);
[[nodiscard]] Result<TaskReport> read_task_report(std::string_view json);
// What to_json() made. Errors: the same, for what this program can't have written.
[[nodiscard]] Result<Task> recover_task(std::string_view id, std::string_view json);
[[nodiscard]] std::string to_json(const Task& task);

// Before the next attempt, after so many failed ones: limits::kTaskBackoffMillisMax at most.
[[nodiscard]] std::int64_t backoff_of(const Task& task);

}  // namespace waggle
