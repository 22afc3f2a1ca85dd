#pragma once

// TERM, INT and HUP, and QUIT for who asks for it (others leave a core as the user wants), as
// something to wait for beside other descriptors. They are blocked for the whole process from
// construction on, so construct it before any thread; a child must unblock them (child.cc does).
// PIPE is ignored: a reader that went away is an error of write().
//
// Lives as long as the process: what was blocked is not unblocked again.

#include <cstdint>
#include <string_view>

namespace waggle::cli {

class Signals {
 public:
  enum class Quit : std::uint8_t { kLeft, kTaken };
  explicit Signals(Quit quit = Quit::kLeft);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable when one came.
  [[nodiscard]] int fd() const { return fd_; }
  // The one that came; 0: none.
  [[nodiscard]] int take();

 private:
  int fd_;
};

// "TERM"
[[nodiscard]] std::string_view signal_name(int signal);

// Tells systemd, if it started us: "READY=1", "STOPPING=1". Nothing happens without NOTIFY_SOCKET.
void notify_supervisor(std::string_view state);

}  // namespace waggle::cli
