#pragma once

// The file of access rules: who may do what with which keys (base/access.h). TOML, any number of
//
//   [[rule]]
//   agents = ["planner", "worker-*"]   # ids or patterns of them; ["*"]: everybody who is let in
//   roles = ["expert"]                 # of the configuration's [[role]]; agents, roles or both
//   swarms = ["build"]                 # patterns ["*"]
//   keys = ["plan/*", "~task/*"]       # patterns ["*"]
//   allow = ["read", "write"]          # read, write, propose, vote, claim, sync, administer
//
// Nobody may what no rule allows; a file without a rule allows nothing.

#include <string>

#include "base/access.h"
#include "resolver/policy.h"

namespace waggle::cli {

// Errors: kNotFound; kRejected with file and line.
[[nodiscard]] Result<AccessRulesPtr> read_access_file(const std::string& path,
                                                      const Policies& policies);

}  // namespace waggle::cli
