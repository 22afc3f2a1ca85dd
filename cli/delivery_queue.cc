#include "cli/delivery_queue.h"

#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

namespace waggle::cli {

int DeliveryQueue::make_fd() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  WAGGLE_CHECK(fd >= 0);
  return fd;
}

DeliveryQueue::~DeliveryQueue() {
  close(fd_);
}

void DeliveryQueue::push(const Delivery& delivery) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto* changed = std::get_if<StateChanged>(&delivery)) {
      std::size_t bytes = 64;
      for (const Change& change : changed->changes) bytes += wire_size(change.key, *change.record);
      // One alone is always taken, whatever its size; after a drop none until the reader comes.
      if (waiting_.dropped || (changes_bytes_ > 0 && changes_bytes_ + bytes > changes_bytes_max_)) {
        if (!std::exchange(waiting_.dropped, true)) waiting_.dropped_from = changed->from;
        waiting_.dropped_to = changed->to;
        return;  // the reader was woken for what stands before it
      }
      changes_bytes_ += bytes;
    }
    if (const auto* news = std::get_if<EphemeralChanged>(&delivery)) {
      for (const Change& change : news->changes)
        ephemeral_.insert_or_assign(change.key, change.record);
      ephemeral_at_ = news->at;
    } else {
      waiting_.deliveries.push_back(delivery);
    }
  }
  wake();
}

void DeliveryQueue::wake() {
  const std::uint64_t one = 1;
  (void)!write(fd_, &one, sizeof one);
}

DeliveryQueue::Taken DeliveryQueue::take() {
  const std::lock_guard lock(mutex_);
  changes_bytes_ = 0;
  if (!ephemeral_.empty()) {
    EphemeralChanged news{ephemeral_at_, {}};
    for (auto& [key, record] : std::exchange(ephemeral_, {}))
      news.changes.push_back({key, std::move(record)});
    waiting_.deliveries.emplace_back(std::move(news));
  }
  return std::exchange(waiting_, {});
}

void DeliveryQueue::clear() {
  std::uint64_t count = 0;
  (void)!read(fd_, &count, sizeof count);
}

}  // namespace waggle::cli
