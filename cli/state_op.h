#pragma once

// The operation that a `waggle state` write asks for.

#include "base/op.h"
#include "base/status.h"
#include "cli/options.h"

namespace waggle::cli {

// Reads the value of a put or setfield, be it from a file or from standard input. Errors: kRejected
// for what can't be read, and for a value that is not what --type says.
[[nodiscard]] Result<Op> op_of(const CommandLine::State& state);

}  // namespace waggle::cli
