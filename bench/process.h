#pragma once

// The other process of a measurement: this program again, in a hidden role, or another program. It
// ends when its standard input is closed, when its parent dies, or when it is killed after a
// bounded wait; so nothing is left behind.

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace waggle::bench {

class Child {
 public:
  // `quiet`: what it says on standard error is thrown away. Throws std::runtime_error.
  explicit Child(const std::vector<std::string>& command, bool quiet = false);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line of its standard output. Throws when none comes in time.
  [[nodiscard]] std::string read_line(double timeout_seconds);
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Its standard input ends; what it says then can still be read.
  void finish_input();
  // Ends it in order; SIGTERM for a program that does not watch its input.
  void stop();

 private:
  pid_t pid_ = -1;
  int in_ = -1;   // its standard input
  int out_ = -1;  // its standard output
  std::string buffer_;
};

// Waits until the parent closes standard input.
void wait_for_end_of_input();
// Without waiting.
[[nodiscard]] bool input_ended();

[[nodiscard]] std::string own_program();
[[nodiscard]] double cpu_seconds(pid_t pid);
[[nodiscard]] double resident_bytes(pid_t pid);

// Payload bytes that passed this process's tcp connections so far, both directions.
[[nodiscard]] std::uint64_t tcp_bytes();

// A directory that is removed with all that is in it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace waggle::bench
