#include "io/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/epoll.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "io/system_clock.h"

namespace waggle {

namespace {

constexpr std::uint64_t kOwnId = 0;  // of the loop's own descriptor
constexpr std::int64_t kDrainSleepMillis = 10;
constexpr std::int64_t kSleepMaxMillis = 60'000;

}  // namespace

// One host, and the watch that its sources talk to.
struct Loop::Entry final : FdWatch {
  Entry(int epoll_fd, std::uint64_t number, Host& the_host, std::vector<PollSource*> the_sources)
      : epoll(epoll_fd), id(number), host(the_host), sources(std::move(the_sources)) {}

  void watch(int fd) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = id << 32 | static_cast<std::uint32_t>(fd);
    WAGGLE_CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0,
                 "descriptor " + std::to_string(fd) + ": " + std::strerror(errno));
  }
  void forget(int fd) override { epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr); }

  const int epoll;
  const std::uint64_t id;
  Host& host;
  const std::vector<PollSource*> sources;
  Instant wake = Instant::never();  // its place in wakes_
  bool ready = false;               // in ready_
  bool mailed = false;              // posted_ may hold events for it
  bool retired = false;             // stopped by itself
  bool drained = false;
  // Events were handed to the host, and it had stepped so many before. Bound: no more are handed
  // over until it stepped these.
  bool handed = false;
  std::uint64_t stepped_before = 0;
};

Loop::Loop(const Options& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  WAGGLE_CHECK(epoll_ >= 0, std::strerror(errno));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kOwnId;
  WAGGLE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_.fd(), &event) == 0, std::strerror(errno));
}

Loop::~Loop() {
  for (const auto& [id, entry] : entries_) {
    for (PollSource* source : entry->sources) source->attach(nullptr);
  }
  ::close(epoll_);
}

// ---- hosts -------------------------------------------------------------------------------------

void Loop::add(Host& host, std::vector<PollSource*> sources) {
  const std::uint64_t id = next_id_++;
  WAGGLE_CHECK(ids_.emplace(&host, id).second, "the host is in this loop already");
  Entry& entry =
      *entries_.emplace(id, std::make_unique<Entry>(epoll_, id, host, std::move(sources)))
           .first->second;
  ++running_;
  {
    const std::lock_guard lock(mutex_);
    posted_[&host];
  }
  for (PollSource* source : entry.sources) source->attach(&entry);
  make_ready(entry);
}

void Loop::remove(Host& host) {
  const auto id = ids_.find(&host);
  WAGGLE_CHECK(id != ids_.end(), "the host is not in this loop");
  Entry& entry = *find(id->second);
  retire(entry);
  {
    const std::lock_guard lock(mutex_);
    posted_.erase(&host);
  }
  entries_.erase(id->second);
  ids_.erase(id);
}

void Loop::retire(Entry& entry) {
  if (entry.retired) return;
  entry.retired = true;
  --running_;
  set_wake(entry, Instant::never());
  for (PollSource* source : entry.sources) source->attach(nullptr);
}

Loop::Entry* Loop::find(std::uint64_t id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.get();
}

void Loop::set_watcher(std::function<void()> watcher) {
  watcher_ = std::move(watcher);
}

void Loop::set_on_stopped(std::function<void(Host&)> on_stopped) {
  on_stopped_ = std::move(on_stopped);
}

// ---- from other threads ------------------------------------------------------------------------

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.wake();
}

bool Loop::post(Host& host, Event event) {
  const std::lock_guard lock(mutex_);
  const auto queue = posted_.find(&host);
  if (stopping_ || queue == posted_.end() || queue->second.size() >= options_.posted_max) {
    return false;
  }
  if (queue->second.empty()) mailed_.push_back(&host);
  queue->second.push_back(std::move(event));
  if (!std::exchange(woken_, true)) wake_.wake();
  return true;
}

bool Loop::call(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || calls_.size() >= options_.calls_max) return false;
  calls_.push_back(std::move(task));
  if (!std::exchange(woken_, true)) wake_.wake();
  return true;
}

// ---- the loop's thread -------------------------------------------------------------------------

void Loop::run() {
  const bool any = !entries_.empty();
  while (take_mail() && !(any && running_ == 0)) {
    run_timers();
    round();
    run_watcher();
    Instant until = wakes_.empty() ? Instant::never() : wakes_.begin()->first;
    if (watcher_) until = std::min(until, next_watch_);
    wait(ready_.empty() ? until : Instant{0});
  }
  drain();
}

bool Loop::take_mail() {
  std::vector<std::function<void()>> calls;
  std::vector<const Host*> mailed;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    calls.swap(calls_);
    mailed.swap(mailed_);
    stopping = stopping_;
  }
  for (const Host* host : mailed) {
    const auto id = ids_.find(host);
    if (id == ids_.end()) continue;
    Entry& entry = *find(id->second);
    entry.mailed = true;
    make_ready(entry);
  }
  for (const std::function<void()>& task : calls) task();
  return !stopping;
}

void Loop::run_timers() {
  const Instant now = monotonic_now();
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    Entry& entry = *find(wakes_.begin()->second);
    set_wake(entry, Instant::never());
    make_ready(entry);
  }
}

void Loop::round() {
  // Each once: a busy host does not starve the others.
  for (std::size_t left = ready_.size(); left > 0; --left) {
    const std::uint64_t id = ready_.front();
    ready_.pop_front();
    if (Entry* entry = find(id)) {
      entry->ready = false;
      if (!entry->retired) turn(*entry);
    }
  }
}

void Loop::turn(Entry& entry) {
  hand_over(entry);
  ++counters_.turns;
  const bool busy = entry.host.turn();
  if (entry.host.stopped()) {
    retire(entry);
    if (on_stopped_) on_stopped_(entry.host);
  } else if (busy) {
    make_ready(entry);
  } else {
    rest(entry);
  }
}

void Loop::hand_over(Entry& entry) {
  if (!entry.mailed) return;
  if (entry.handed && entry.host.counters().events == entry.stepped_before) return;
  std::deque<Event> events;
  {
    const std::lock_guard lock(mutex_);
    std::deque<Event>& queue = posted_[&entry.host];
    if (queue.size() <= limits::kEventsPerTurn) {
      events.swap(queue);
    } else {
      for (std::size_t i = 0; i < limits::kEventsPerTurn; ++i) {
        events.push_back(std::move(queue.front()));
        queue.pop_front();
      }
    }
    entry.mailed = !queue.empty();
  }
  entry.handed = !events.empty();
  entry.stepped_before = entry.host.counters().events;
  for (Event& event : events) entry.host.post(std::move(event));
}

// The host found nothing to do: when is its next turn?
void Loop::rest(Entry& entry) {
  Instant at = entry.host.wake_at();
  for (PollSource* source : entry.sources) at = std::min(at, source->next_retry());
  if (entry.host.waiting_for_journal()) {
    // It may refuse to take more until its batch is durable; then what is due or has arrived can't
    // be helped now. The journal's descriptor speaks when the batch is over, and that turn finds
    // both.
    set_wake(entry, at <= monotonic_now() ? Instant::never() : at);
    return;
  }
  set_wake(entry, at);
  if (entry.mailed ||
      std::ranges::any_of(entry.sources, [](PollSource* source) { return source->has_work(); })) {
    make_ready(entry);
  }
}

void Loop::make_ready(Entry& entry) {
  if (entry.ready || entry.retired) return;
  entry.ready = true;
  ready_.push_back(entry.id);
}

void Loop::set_wake(Entry& entry, Instant at) {
  if (entry.wake == at) return;
  if (entry.wake != Instant::never()) wakes_.erase({entry.wake, entry.id});
  entry.wake = at;
  if (at != Instant::never()) wakes_.emplace(at, entry.id);
}

void Loop::run_watcher() {
  if (!watcher_) return;
  const Instant now = monotonic_now();
  if (now < next_watch_) return;
  next_watch_ = now + options_.watch_interval;
  watcher_();
}

void Loop::wait(Instant until) {
  int timeout = -1;
  if (until != Instant::never()) {
    const std::int64_t millis = until.millis - monotonic_now().millis;
    timeout = static_cast<int>(std::clamp<std::int64_t>(millis, 0, kSleepMaxMillis));
  }
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
  WAGGLE_CHECK(count >= 0 || errno == EINTR, std::strerror(errno));
  ++counters_.wakeups;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t which = events[static_cast<std::size_t>(i)].data.u64;
    Entry* entry = find(which >> 32);
    if (entry == nullptr) continue;
    for (PollSource* source : entry->sources) source->spoke(static_cast<int>(which & UINT32_MAX));
    make_ready(*entry);
  }
}

void Loop::drain() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;  // takes nothing more from other threads
  }
  const Instant deadline = monotonic_now() + options_.drain;
  while (true) {
    static_cast<void>(take_mail());
    bool all = true;
    for (const auto& [id, entry] : entries_) {
      if (entry->retired || entry->drained) continue;
      hand_over(*entry);
      const bool drained = entry->host.drained() && !entry->mailed;
      if (entry->host.stopped()) {
        retire(*entry);
        if (on_stopped_) on_stopped_(entry->host);
        continue;
      }
      entry->drained = drained;
      all = all && drained;
    }
    const Instant now = monotonic_now();
    if (all || now >= deadline) return;
    wait(std::min(deadline, now + Millis{kDrainSleepMillis}));
  }
}

}  // namespace waggle
