#pragma once

// The settings of one [[policy]] section, in the order in which the default file shows them.

#include <span>
#include <string>

#include "cli/config.h"
#include "resolver/policy.h"

namespace waggle::cli {

struct PolicySetting {
  const char* name;
  const char* shown;
  const char* doc;
  Status (*set)(Policy&, const RawValue&);
};

[[nodiscard]] std::span<const PolicySetting> policy_settings();

// The same of a [[role]] section.
struct NamedRole {
  std::string name;
  VotingRole role;
};
struct RoleSetting {
  const char* name;
  const char* shown;
  const char* doc;
  Status (*set)(NamedRole&, const RawValue&);
};
[[nodiscard]] std::span<const RoleSetting> role_settings();

}  // namespace waggle::cli
