#pragma once

// Lines on their way to standard output, for commands that must not be held up by a slow reader.
// Each piece that is written is small enough that a pipe which poll() calls writable takes it
// without waiting (PIPE_BUF, POSIX).

#include <cstddef>
#include <string>

#include "cli/json.h"

namespace waggle::cli {

class LineBuffer {
 public:
  void add(const Json& line);
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - written_; }
  // Writes one piece. REQUIRES: poll() said that standard output is writable, or in error. False:
  // the reader is gone, nothing more can be written.
  [[nodiscard]] bool write_some();
  // Writes everything, at most so long. False: not everything was written.
  bool flush(int timeout_millis);

 private:
  std::string bytes_;
  std::size_t written_ = 0;
};

}  // namespace waggle::cli
