#pragma once

// An eventfd by which any thread wakes the one that waits. It is watched edge-triggered, so it is
// never read. wake() is thread-safe.

namespace waggle {

class WakeFd {
 public:
  WakeFd();
  ~WakeFd();

  WakeFd(const WakeFd&) = delete;
  WakeFd& operator=(const WakeFd&) = delete;

  void wake();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace waggle
