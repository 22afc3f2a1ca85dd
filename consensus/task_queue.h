#pragma once

// Which task is next, and for whom. Tasks are records (coordinator/task.h); who works on one holds
// a claim on its key, so all that is true of claims is true of it: one holder, a token, a time,
// renewal, checkpoints, handover. Here is only the order:
//
//   waits (for others to be done, for a time) --> ready --> held --> finished
//                                                   ^--------/ given back, perhaps after a time
//
// Among the ready ones that a worker can do, the one of the highest priority is next, of several
// the one that was added first. Who waits for a task is served in the order of asking.
//
// Pure bookkeeping: what is decided is made durable and told by coordinator/tasks.cc.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "consensus/claim_line.h"

namespace waggle {

inline constexpr std::string_view kTaskKeys = "~task/";
[[nodiscard]] inline bool is_task_key(std::string_view key) {
  return key.starts_with(kTaskKeys);
}

struct QueuedTask {
  std::string id;
  std::set<std::string> needs;  // capabilities
  std::int32_t priority = 0;    // higher is earlier
  Revision added;
  std::set<std::string> after;  // ids; those that are not in the queue are done
};

class TaskQueue {
 public:
  // Not ready before `not_before`, nor before all that it comes after is done.
  // REQUIRES: it is not in the queue.
  void add(QueuedTask task, Instant not_before);
  [[nodiscard]] bool contains(std::string_view id) const { return tasks_.contains(id); }
  [[nodiscard]] std::size_t size() const { return tasks_.size(); }

  // It is held by somebody, or put aside. REQUIRES: it is in the queue.
  void hold(std::string_view id);
  // REQUIRES: hold() was called.
  void give_back(std::string_view id, Instant not_before);
  // It is done: what comes after it may be ready now. Or, `done` false: it leaves the queue undone.
  // REQUIRES: it is in the queue; if it is not done, nothing comes after it.
  void finish(std::string_view id, bool done);

  // The next one of which the key matches, for who can do it. Nothing: none is ready.
  [[nodiscard]] std::optional<std::string> next(std::string_view pattern,
                                                const std::set<std::string>& can, Instant now);
  // Tasks that it waits for. Those that wait for it.
  [[nodiscard]] std::set<std::string> before(std::string_view id) const;
  [[nodiscard]] std::set<std::string> behind(std::string_view id) const;

  [[nodiscard]] ClaimLine& line() { return line_; }
  [[nodiscard]] const ClaimLine& line() const { return line_; }
  // The first of the line for whom a task is ready, with its id: it leaves the line.
  [[nodiscard]] std::optional<std::pair<WaitingClaim, std::string>> next_in_line(Instant now);
  // Of a task that is not before a time, or of the patience of somebody in line; never: neither.
  [[nodiscard]] Instant next_wake() const;

  // Recomputes what is derived. Costly: for tests and the simulator.
  void check_invariants() const;

 private:
  struct Place {  // among the ready ones
    std::int64_t priority_downwards = 0;
    Revision added;
    std::string id;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Slot {
    QueuedTask task;
    Instant not_before;
    bool held = false;
    std::set<std::string> waits_for;
    std::set<std::string> waited_for_by;
  };
  using Slots = std::map<std::string, Slot, std::less<>>;

  [[nodiscard]] static Place place_of(const Slot& slot);
  void place(const Slot& slot);
  void displace(const Slot& slot);
  void promote(Instant now);  // those whose time has come

  Slots tasks_;
  // Every task that is not held and waits for none: by what it needs, since a worker is asked once
  // for each set of capabilities and not for each task.
  std::map<std::set<std::string>, std::set<Place>> ready_;
  std::set<std::pair<Instant, std::string>> later_;  // of them, those whose time has not come
  ClaimLine line_;
};

}  // namespace waggle
