#pragma once

// Where the deliveries of an agent meet the calls that wait for them, and the callbacks. The
// agent's thread hands deliveries in; any thread waits.
//
// Bound: answers to writes are kept for the newest 4,096; a waiting question has one place.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <waggle/agent.h>

#include "base/event.h"

namespace waggle {

class AgentDesk {
 public:
  explicit AgentDesk(AgentEvents events) : events_(std::move(events)) {}

  // ---- the agent's thread
  void deliver(const Delivery& delivery);

  // ---- any thread
  using Deadline = std::chrono::steady_clock::time_point;
  // Before the command is posted, so that its answer finds a place.
  void expect(RequestId request);
  void expect_write(RequestId request);
  void forget(RequestId request);
  // Failures: of the command; kTimeout; kUnavailable when the agent stopped by itself.
  [[nodiscard]] Expected<Delivery> wait(RequestId request, Deadline deadline,
                                        std::string_view what);
  [[nodiscard]] Expected<WriteResult> wait_write(RequestId request, Deadline deadline);
  [[nodiscard]] Expected<void> wait_all_writes(Deadline deadline);
  [[nodiscard]] Expected<void> wait_attached(Deadline deadline);
  [[nodiscard]] Expected<void> wait_ended(Deadline deadline);
  [[nodiscard]] LinkStatus link() const;
  // No callback any more.
  void close();

 private:
  void answer(RequestId request, Delivery delivery);
  void settle(RequestId request, WriteResult result);
  void call_back(const Delivery& delivery);
  [[nodiscard]] Failure ended_failure() const;
  [[nodiscard]] bool stays_open(const std::pair<const RequestId, bool>& write) const;

  const AgentEvents events_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<RequestId, std::optional<Delivery>> questions_;
  std::map<RequestId, bool> writes_;  // not answered; true: in the outbox
  std::map<RequestId, WriteResult> settled_;
  std::deque<RequestId> settled_order_;
  LinkStatus link_;
  bool holds_state_ = false;
  bool closed_ = false;
};

}  // namespace waggle
