#include "cli/line_buffer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "cli/output.h"

namespace waggle::cli {

void LineBuffer::add(const Json& line) {
  bytes_ += line.dump();
  bytes_ += '\n';
}

bool LineBuffer::write_some() {
  const std::size_t piece = std::min<std::size_t>(size(), PIPE_BUF);
  const ssize_t written = write(STDOUT_FILENO, bytes_.data() + written_, piece);
  if (written < 0) {
    if (errno == EINTR || errno == EAGAIN) return true;
    if (errno != EPIPE)
      say(fmt::format("standard output can't be written: {}", std::strerror(errno)));
    return false;
  }
  written_ += static_cast<std::size_t>(written);
  if (written_ == bytes_.size()) {
    bytes_.clear();
    written_ = 0;
  } else if (written_ > (std::size_t{1} << 20)) {
    bytes_.erase(0, written_);
    written_ = 0;
  }
  return true;
}

bool LineBuffer::flush(int timeout_millis) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_millis);
  while (!empty()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left < 0) return false;
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    if (poll(&out, 1, static_cast<int>(left)) > 0 && !write_some()) return false;
  }
  return true;
}

}  // namespace waggle::cli
