#pragma once

// The only place of production that waits: one thread that runs one host or a thousand.
//
//   ready hosts:  one turn() each, round by round, until none is busy
//   then:         sleep until a watched descriptor speaks, a wake_at or a retry is due, or a call
//                 from another thread comes
//
// Idle hosts cost nothing: descriptors are watched edge-triggered in one epoll set, and a host has
// one place in an ordered set of wake-ups that moves only when its time changes. Why no wake-up is
// lost: io/poll_source.h.
//
// REQUIRES: the hosts' clock is SystemClock.
//
// A host that stopped (its batch is unknown or its store is fenced) is turned no more; run()
// returns when none is left, or on stop(). Then what is open is drained within a bounded time.
//
// add(), remove() and run() belong to one thread; add() and remove() are called before run(), or
// within it by call(). stop(), post() and call() are thread-safe.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/event.h"
#include "io/host.h"
#include "io/poll_source.h"
#include "io/wake_fd.h"

namespace waggle {

class Loop {
 public:
  struct Options {
    std::size_t posted_max = 65'536;  // events of other threads that wait for one host
    std::size_t calls_max = 65'536;
    Millis drain{2'000};  // at most so long after stop()
    Millis watch_interval{1'000};
  };
  Loop() : Loop(Options{}) {}
  explicit Loop(const Options& options);
  ~Loop();

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Borrows them; they outlive the loop or are removed before. `sources` are the host's transport
  // and, unless it commits inline, its journal.
  void add(Host& host, std::vector<PollSource*> sources);
  void remove(Host& host);

  // Called about every `watch_interval` on the loop's thread, for the disk's free space and the
  // like.
  void set_watcher(std::function<void()> watcher);
  // Called once when a host stopped by itself, with host.stopped() set.
  void set_on_stopped(std::function<void(Host&)> on_stopped);

  // Returns after stop(), or when every host of at least one stopped.
  void run();

  void stop();
  // An event for a host of this loop. False: it is not of this loop, the queue is full, or the loop
  // was stopped; the event is not taken.
  [[nodiscard]] bool post(Host& host, Event event);
  // Runs `task` on the loop's thread. False: not taken, for the same reasons.
  [[nodiscard]] bool call(std::function<void()> task);

  struct Counters {
    std::uint64_t wakeups = 0;
    std::uint64_t turns = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Entry;

  [[nodiscard]] bool take_mail();  // false: stop() was called
  void round();
  void turn(Entry& entry);
  void hand_over(Entry& entry);
  void rest(Entry& entry);
  void make_ready(Entry& entry);
  void set_wake(Entry& entry, Instant at);
  void run_timers();
  void run_watcher();
  void wait(Instant until);
  void drain();
  void retire(Entry& entry);
  [[nodiscard]] Entry* find(std::uint64_t id);

  const Options options_;
  int epoll_ = -1;
  WakeFd wake_;
  std::function<void()> watcher_;
  std::function<void(Host&)> on_stopped_;

  std::map<std::uint64_t, std::unique_ptr<Entry>> entries_;  // by id, from 1 on
  std::unordered_map<const Host*, std::uint64_t> ids_;
  std::uint64_t next_id_ = 1;
  std::deque<std::uint64_t> ready_;
  std::set<std::pair<Instant, std::uint64_t>> wakes_;
  std::size_t running_ = 0;  // hosts that did not stop
  Instant next_watch_{0};
  Counters counters_;

  std::mutex mutex_;                                           // guards what follows
  std::unordered_map<const Host*, std::deque<Event>> posted_;  // of every host of the loop
  std::vector<const Host*> mailed_;                            // whose queue became non-empty
  std::vector<std::function<void()>> calls_;
  bool woken_ = false;  // wake_ was written and not answered yet
  bool stopping_ = false;
};

}  // namespace waggle
