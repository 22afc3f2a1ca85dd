// The program `waggle`.

#include <exception>
#include <string>

#include "cli/commands.h"
#include "cli/output.h"

int main(int argc, char** argv) {
  try {
    return waggle::cli::run(argc, argv);
  } catch (const std::exception& error) {
    // Nothing of ours throws; memory that ran out does.
    waggle::cli::say(std::string("stopped: ") + error.what());
    return waggle::cli::kExitFailure;
  }
}
