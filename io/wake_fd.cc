#include "io/wake_fd.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

namespace waggle {

WakeFd::WakeFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  WAGGLE_CHECK(fd_ >= 0, std::string("no eventfd: ") + std::strerror(errno) +
                             "; raise the limit of open files (ulimit -n)");
}

WakeFd::~WakeFd() {
  ::close(fd_);
}

void WakeFd::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, which no process lives to see.
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

}  // namespace waggle
