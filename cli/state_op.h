#pragma once

// The operation that a `waggle state` write asks for.

#include <string>

#include "base/op.h"
#include "base/status.h"
#include "cli/options.h"
#include "resolver/update.h"

namespace waggle::cli {

// Reads the value of a put or setfield, be it from a file or from standard input. Errors: kRejected
// for what can't be read, and for a value that is not what --type says.
[[nodiscard]] Result<Op> op_of(const CommandLine::State& state);

// The bytes themselves: what was given, or what the file or standard input holds.
[[nodiscard]] Result<std::string> value_of(const CommandLine::State& state);

struct PatchText {
  PatchForm form = PatchForm::kMerge;
  std::string text;
};
// What the verb patch was given, read as op_of() reads a value: an object is a merge patch, a list
// a list of operations. Errors: kRejected for what can't be read or is neither.
[[nodiscard]] Result<PatchText> patch_of(const CommandLine::State& state);

}  // namespace waggle::cli
