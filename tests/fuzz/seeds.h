#pragma once

// The seeds of a fuzz target by file name, which each target defines: one of each form that it
// knows, since a fuzzer finds what is near them much sooner than from nothing.

#include <map>
#include <string>

namespace waggle::testing {

using Seeds = std::map<std::string, std::string>;
[[nodiscard]] Seeds seeds();

}  // namespace waggle::testing
