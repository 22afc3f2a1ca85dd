#pragma once

// A child process whose standard output is read line by line and whose standard input can be
// written. Killed by its id when it is still there at the end.

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace word_count {

class Process {
 public:
  Process() = default;
  // Throws std::runtime_error when it can't be started.
  explicit Process(const std::vector<std::string>& command);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  [[nodiscard]] pid_t id() const { return id_; }
  [[nodiscard]] int output() const { return output_; }
  void write_line(const std::string& line) const;
  // A whole line that has arrived, without waiting.
  [[nodiscard]] std::optional<std::string> line();
  void signal(int number) const;
  // SIGKILL, and waits for it.
  void kill();
  // TERM; waits at most so long, then kills. True: it ended by itself with status 0.
  bool stop(int seconds);
  // True when it has ended.
  [[nodiscard]] bool ended();

 private:
  void close();
  pid_t id_ = -1;
  int input_ = -1;
  int output_ = -1;
  int status_ = 0;
  bool ended_ = true;
  std::string buffer_;
};

}  // namespace word_count
