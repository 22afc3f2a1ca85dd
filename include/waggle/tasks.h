#pragma once

// Work that is shared out, see docs/tasks.md: each task goes to one worker at a time, comes back
// when that one dies, and is done once, together with what it writes.
//
//   TaskBoard board(*agent);
//   while (auto task = board.claim({.can = {"python"}, .wait = 1h})) {
//     ... board.done(task->id, {.writes = {{"words/" + task->id, count}}});
//   }

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/consensus.h>
#include <waggle/types.h>

namespace waggle {

class SwarmAgent;

struct TaskDraft {
  std::string title;
  std::string body_json = {};                // empty: none
  std::vector<std::string> needs = {};       // capabilities of its worker
  int priority = 0;                          // higher is earlier; -1000 to 1000
  std::vector<std::string> after = {};       // ids of tasks that have to be done before
  unsigned retries = 3;                      // so often again after a first attempt that failed
  std::chrono::milliseconds backoff{1'000};  // before the next attempt; doubled each time
  std::string id = {};                       // empty: drawn at random
};

struct WantedTask {
  std::vector<std::string> can = {};      // what this worker is capable of
  std::string ids = "*";                  // only tasks whose ids match
  std::chrono::milliseconds ttl{30'000};  // of the claim, which the agent renews by itself
  std::chrono::milliseconds wait{0};      // in line, when none is ready
};
struct HeldTask {
  std::string id;
  std::uint64_t token = 0;
  std::string title;
  std::string body_json;                       // empty: none
  unsigned attempts = 0;                       // that failed before
  std::optional<std::string> checkpoint = {};  // how far an earlier worker came
};

struct TaskEnd {
  std::string result_json = {};            // empty: none; is kept with the task
  std::vector<ProposedValue> writes = {};  // committed with its end, all or none
};

enum class TaskStage : std::uint8_t {
  kOpen,  // waits, is ready, or is worked on
  kDone,
  kDead,  // failed too often, or for good
  kCancelled,
};
[[nodiscard]] std::string_view name_of(TaskStage stage);

// As its record says.
struct TaskView {
  std::string id;
  std::string title;
  TaskStage stage = TaskStage::kOpen;
  std::string by;             // agent id; "~client": a command
  unsigned attempts = 0;      // that failed
  std::string last_failure;   // why; empty: none failed
  std::string ended_by;       // empty: it is open
  std::string result_json;    // empty: none
  std::string holder;         // who works on it; empty: nobody
  std::uint64_t version = 0;  // of its record
};

class TaskBoard {
 public:
  // Borrows the agent, which has to live as long.
  explicit TaskBoard(SwarmAgent& agent) : agent_(agent) {}

  // Gives its id. Failures: kRejected for what is out of range, or comes after what is no task;
  // kConflict when there is one of that id.
  [[nodiscard]] Expected<std::string> add(const TaskDraft& task);
  // The next one that this worker can do. It is renewed until it ends; if it is lost,
  // AgentEvents::on_claim_lost tells of "~task/ID". Failures: kNotFound when none is ready,
  // kTimeout when none was within `wait`.
  [[nodiscard]] Expected<HeldTask> claim(const WantedTask& wanted = {});
  // Failures: kDenied when it is not held any more, so that somebody else may do it; kConflict when
  // a write could not be made, and the task is held still.
  Expected<void> done(std::string_view id, const TaskEnd& end = {});
  // The attempt came to nothing. Without `retry` nobody tries it again.
  Expected<void> fail(std::string_view id, std::string_view why, bool retry = true);
  // How far the work came, for whoever is given it next if this worker is lost.
  Expected<void> checkpoint(std::string_view id, std::string_view text);
  // To somebody else, which is no failure.
  Expected<void> give_back(std::string_view id, std::optional<std::string> checkpoint = {});
  // Of a dead one.
  Expected<void> retry(std::string_view id);
  // Failures: kDenied for another agent's, kConflict while others come after it.
  Expected<void> cancel(std::string_view id);

  // As this agent's copy has them. Failures: kNotFound.
  [[nodiscard]] Expected<TaskView> task(std::string_view id) const;
  [[nodiscard]] Expected<std::vector<TaskView>> tasks() const;

 private:
  Expected<void> put(std::string_view id, const std::string& json);
  [[nodiscard]] Expected<TaskView> view_of(const StateItem& item) const;

  SwarmAgent& agent_;
};

}  // namespace waggle
