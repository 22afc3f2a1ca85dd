#pragma once

// Deliveries on their way from an agent's loop to the thread that prints them. The loop never
// waits: changes beyond the bound are dropped and the reader is told, so that it can fetch or
// report what it missed. Of ephemeral keys the newest change of each waits. Answers are never
// dropped; their number is bounded by what was asked.
//
// push() is thread-safe; everything else belongs to the reader.

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

#include "base/event.h"

namespace waggle::cli {

class DeliveryQueue {
 public:
  explicit DeliveryQueue(std::size_t changes_bytes_max) : changes_bytes_max_(changes_bytes_max) {}

  void push(const Delivery& delivery);

  struct Taken {
    std::vector<Delivery> deliveries;
    bool dropped = false;  // changes were dropped after these
    Cursor dropped_from;
    Cursor dropped_to;
  };
  [[nodiscard]] Taken take();
  // Becomes readable when something was pushed; clear() it before take().
  [[nodiscard]] int fd() const { return fd_; }
  void clear();
  // Makes it readable. Thread-safe.
  void wake();

  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

 private:
  const std::size_t changes_bytes_max_;
  const int fd_ = make_fd();
  static int make_fd();

  std::mutex mutex_;
  // Guarded by mutex_:
  Taken waiting_;
  std::size_t changes_bytes_ = 0;
  std::map<Key, RecordPtr> ephemeral_;
  Revision ephemeral_at_;
};

}  // namespace waggle::cli
