#pragma once

// Who may do what with which keys. Without a rule everybody may everything; with one, nobody may
// what no rule allows.
//
//   rule     agents or roles, in some swarms, may do these acts with keys that match these globs
//   rights   what one agent may in one swarm: of each act, the globs of all rules that name it
//   public   what a rule gives to the agents "*": everybody who is let in
//
// A change goes to everybody by the broadcast socket iff its key is public to read; the rest goes
// to those who may read it, each by its own connection.
//
// The coordinator itself, and whoever calls it within its process, has every right.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace waggle {

enum class Act : std::uint8_t {
  kRead,
  kWrite,  // tasks and answers to rounds too
  kPropose,
  kVote,
  kClaim,  // tasks too
  kSync,   // ask for full synchronisations
  kAdminister,
};
inline constexpr std::size_t kActs = 7;
[[nodiscard]] std::string_view to_text(Act act);
[[nodiscard]] std::optional<Act> act_of(std::string_view word);
[[nodiscard]] std::string act_names();  // for people

struct AccessRule {
  std::vector<std::string> agents = {};     // globs of ids; commands without a key are "~client"
  std::vector<AgentId> members = {};        // of roles: these ids
  std::vector<std::string> swarms = {"*"};  // globs
  std::vector<std::string> keys = {"*"};    // globs
  std::vector<Act> allow = {};
};

class Rights {
 public:
  Rights() = default;  // none
  [[nodiscard]] static std::shared_ptr<const Rights> all();

  [[nodiscard]] bool allows(Act act, std::string_view key) const;
  // With every key that matches the pattern. Safety: false where that can't be told from the globs
  // one by one.
  [[nodiscard]] bool covers(Act act, std::string_view pattern) const;
  [[nodiscard]] bool everything(Act act) const { return everything_[index(act)]; }
  [[nodiscard]] bool nothing(Act act) const { return globs_[index(act)].empty(); }
  // Names what may be read: two with the same view read the same keys. 0: all of them.
  [[nodiscard]] std::uint64_t view() const { return view_; }
  friend bool operator==(const Rights&, const Rights&) = default;

 private:
  friend class AccessRules;
  static std::size_t index(Act act) { return static_cast<std::size_t>(act); }
  void add(Act act, const std::string& glob);
  void seal();

  std::array<std::vector<std::string>, kActs> globs_;
  std::array<bool, kActs> everything_{};
  std::uint64_t view_ = 1;
};
using RightsPtr = std::shared_ptr<const Rights>;

class AccessRules {
 public:
  // Errors: kRejected for a rule that names nobody or no act.
  [[nodiscard]] Status add(AccessRule rule);
  [[nodiscard]] bool empty() const { return rules_.empty(); }
  [[nodiscard]] RightsPtr of(const AgentId& agent, const SwarmId& swarm) const;
  // Of everybody who is let in.
  [[nodiscard]] RightsPtr of_all(const SwarmId& swarm) const;

 private:
  template <typename Names>
  [[nodiscard]] RightsPtr gather(const SwarmId& swarm, const Names& names) const;

  std::vector<AccessRule> rules_;
};
using AccessRulesPtr = std::shared_ptr<const AccessRules>;

}  // namespace waggle
