#pragma once

// A command that this program runs, with the signals as a new process has them: those that Signals
// blocks and ignores are set back.

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace waggle::cli {

using Environment = std::vector<std::pair<std::string, std::string>>;

struct ChildFiles {
  int input = -1;   // -1: ours
  int output = -1;  // -1: ours
  bool own_group = false;  // leads a process group, so that what it starts can be ended with it
};

// `words`: the program, looked up in PATH, and its arguments. `environment` is added to ours. -1:
// it could not be started, errno says why.
[[nodiscard]] pid_t start_child(const std::vector<std::string>& words,
                                const Environment& environment, const ChildFiles& files);

}  // namespace waggle::cli
