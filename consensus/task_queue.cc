#include "consensus/task_queue.h"

#include <algorithm>

#include "base/check.h"
#include "base/glob.h"

namespace waggle {

TaskQueue::Place TaskQueue::place_of(const Slot& slot) {
  return {-std::int64_t{slot.task.priority}, slot.task.added, slot.task.id};
}

void TaskQueue::place(const Slot& slot) {
  if (slot.held || !slot.waits_for.empty()) return;
  if (slot.not_before > Instant{0}) {
    later_.emplace(slot.not_before, slot.task.id);
  } else {
    ready_[slot.task.needs].insert(place_of(slot));
  }
}

void TaskQueue::displace(const Slot& slot) {
  later_.erase({slot.not_before, slot.task.id});
  const auto same = ready_.find(slot.task.needs);
  if (same == ready_.end()) return;
  same->second.erase(place_of(slot));
  if (same->second.empty()) ready_.erase(same);
}

void TaskQueue::add(QueuedTask task, Instant not_before) {
  const std::string id = task.id;
  WAGGLE_CHECK(!tasks_.contains(id));
  Slot slot{std::move(task), not_before, false, {}, {}};
  for (const std::string& other : slot.task.after)
    if (const auto found = tasks_.find(other); found != tasks_.end()) {
      slot.waits_for.insert(other);
      found->second.waited_for_by.insert(id);
    }
  place(tasks_.emplace(id, std::move(slot)).first->second);
}

void TaskQueue::hold(std::string_view id) {
  const auto found = tasks_.find(id);
  WAGGLE_CHECK(found != tasks_.end());
  displace(found->second);
  found->second.held = true;
}

void TaskQueue::give_back(std::string_view id, Instant not_before) {
  const auto found = tasks_.find(id);
  WAGGLE_CHECK(found != tasks_.end() && found->second.held);
  found->second.held = false;
  found->second.not_before = not_before;
  place(found->second);
}

void TaskQueue::finish(std::string_view id, bool done) {
  const auto found = tasks_.find(id);
  WAGGLE_CHECK(found != tasks_.end());
  const Slot slot = std::move(found->second);
  displace(slot);
  tasks_.erase(found);
  WAGGLE_CHECK(done || slot.waited_for_by.empty(), "what comes after it would wait for ever");
  for (const std::string& other : slot.waits_for)
    if (const auto one = tasks_.find(other); one != tasks_.end())
      one->second.waited_for_by.erase(slot.task.id);
  for (const std::string& other : slot.waited_for_by) {
    Slot& next = tasks_.find(other)->second;
    next.waits_for.erase(slot.task.id);
    place(next);
  }
}

void TaskQueue::promote(Instant now) {
  while (!later_.empty() && later_.begin()->first <= now) {
    Slot& slot = tasks_.find(later_.begin()->second)->second;
    later_.erase(later_.begin());
    slot.not_before = Instant{0};
    place(slot);
  }
}

std::optional<std::string> TaskQueue::next(std::string_view pattern,
                                           const std::set<std::string>& can, Instant now) {
  promote(now);
  const std::string_view ids = pattern.substr(std::min(pattern.size(), kTaskKeys.size()));
  const Place* best = nullptr;
  for (const auto& [needs, places] : ready_) {
    if (!std::ranges::includes(can, needs)) continue;
    const auto first =
        std::ranges::find_if(places, [&](const Place& place) { return glob_match(ids, place.id); });
    if (first != places.end() && (best == nullptr || *first < *best)) best = &*first;
  }
  return best != nullptr ? std::optional(best->id) : std::nullopt;
}

std::set<std::string> TaskQueue::before(std::string_view id) const {
  const auto found = tasks_.find(id);
  return found != tasks_.end() ? found->second.waits_for : std::set<std::string>();
}

std::set<std::string> TaskQueue::behind(std::string_view id) const {
  const auto found = tasks_.find(id);
  return found != tasks_.end() ? found->second.waited_for_by : std::set<std::string>();
}

std::optional<std::pair<WaitingClaim, std::string>> TaskQueue::next_in_line(Instant now) {
  promote(now);
  std::optional<std::string> id;
  std::optional<WaitingClaim> turn =
      line_.take_first(now, [&](const WaitingClaim& one, const auto& earlier) {
        (void)earlier;  // each takes a task of its own
        id = next(one.wanted.pattern, one.can, now);
        return id.has_value();
      });
  if (!turn) return std::nullopt;
  return std::pair(*std::move(turn), *std::move(id));
}

Instant TaskQueue::next_wake() const {
  const Instant later =
      later_.empty() || line_.size() == 0 ? Instant::never() : later_.begin()->first;
  return std::min(later, line_.next_wake());
}

void TaskQueue::check_invariants() const {
  std::size_t placed = later_.size();
  for (const auto& [needs, places] : ready_) {
    WAGGLE_CHECK(!places.empty());
    placed += places.size();
  }
  std::size_t open = 0;
  for (const auto& [id, slot] : tasks_) {
    WAGGLE_CHECK(slot.task.id == id);
    if (!slot.held && slot.waits_for.empty()) {
      ++open;
      const auto same = ready_.find(slot.task.needs);
      WAGGLE_CHECK(later_.contains({slot.not_before, id}) !=
                   (same != ready_.end() && same->second.contains(place_of(slot))));
    }
    for (const std::string& other : slot.waits_for)
      WAGGLE_CHECK(tasks_.contains(other) && tasks_.find(other)->second.waited_for_by.contains(id));
    for (const std::string& other : slot.waited_for_by)
      WAGGLE_CHECK(tasks_.contains(other) && tasks_.find(other)->second.waits_for.contains(id));
  }
  WAGGLE_CHECK(placed == open);
}

}  // namespace waggle
