// The program `waggle`.

#include <exception>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace {

// A descriptor that was closed before the start would be given to a socket, and data or messages
// would go there. Reading finds the end, writing fails and is reported.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0) _exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  try {
    return waggle::cli::run(argc, argv);
  } catch (const std::exception& error) {
    // Nothing of ours throws; memory that ran out does.
    waggle::cli::say(std::string("stopped: ") + error.what());
    return waggle::cli::kExitFailure;
  }
}
