#include "cli/access_file.h"

#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "cli/config.h"
#include "cli/config_value.h"
#include "cli/nearest.h"

namespace waggle::cli {
namespace {

// A rule that is for nobody, so that a file without one does not mean "no rules".
AccessRule nobody() {
  AccessRule rule;
  rule.members = {AgentId("~nobody")};
  rule.allow = {Act::kRead};
  rule.swarms = {};
  return rule;
}

Status as_texts(const RawValue& raw, const char* example, std::vector<std::string>& out) {
  const auto* texts = std::get_if<std::vector<std::string>>(&raw.value);
  if (texts == nullptr || texts->empty()) return expected_but(example, raw);
  for (const std::string& text : *texts)
    if (text.empty() || text.size() > limits::kKeyBytes) return expected_but(example, raw);
  out = *texts;
  return {};
}

Status add_members(const RawValue& raw, const Policies& policies, AccessRule& rule) {
  std::vector<std::string> names;
  if (Status read = as_texts(raw, "a list of roles such as [\"expert\"]", names); !read)
    return read;
  for (const std::string& name : names) {
    const VotingRole* role = policies.role(name);
    if (role == nullptr)
      return failed(
          Code::kRejected,
          fmt::format("there is no role '{}' in the configuration{}", name,
                      policies.role_names().empty() ? "; a [[role]] section makes one"
                                                    : "; it has " + policies.role_names()));
    rule.members.insert(rule.members.end(), role->agents.begin(), role->agents.end());
  }
  return {};
}

Status add_acts(const RawValue& raw, AccessRule& rule) {
  std::vector<std::string> words;
  if (Status read = as_texts(raw, "a list such as [\"read\", \"write\"]", words); !read)
    return read;
  for (const std::string& word : words) {
    const std::optional<Act> act = act_of(word);
    if (!act)
      return failed(Code::kRejected,
                    fmt::format("'{}' is nothing that can be allowed; expected some of {}", word,
                                act_names()));
    rule.allow.push_back(*act);
  }
  return {};
}

Status set_item(const ConfigItem& item, const Policies& policies, AccessRule& rule) {
  if (item.name == "agents")
    return as_texts(item.value, "a list of agents such as [\"planner\", \"worker-*\"]",
                    rule.agents);
  if (item.name == "roles") return add_members(item.value, policies, rule);
  if (item.name == "swarms")
    return as_texts(item.value, "a list of swarms such as [\"build\"]", rule.swarms);
  if (item.name == "keys")
    return as_texts(item.value, "a list of patterns such as [\"plan/*\"]", rule.keys);
  if (item.name == "allow") return add_acts(item.value, rule);
  const std::vector<std::string> known = {"agents", "roles", "swarms", "keys", "allow"};
  return failed(Code::kRejected,
                fmt::format("it has no '{}'{}", item.name, did_you_mean(item.name, known)));
}

}  // namespace

Result<AccessRulesPtr> read_access_file(const std::string& path, const Policies& policies) {
  const auto document = read_config_file(path);
  if (!document) return std::unexpected(document.error());
  auto rules = std::make_shared<AccessRules>();
  (void)rules->add(nobody());
  for (const ConfigSection& section : *document) {
    const auto wrong = [&](std::uint32_t line, const std::string& text) {
      return failed(Code::kRejected, fmt::format("{}:{}: {}", path, line, text));
    };
    if (section.name != "rule" || !section.repeated)
      return wrong(section.name.empty() && !section.items.empty() ? section.items.front().line
                                                                  : section.line,
                   "expected [[rule]] sections and nothing else");
    AccessRule rule;
    for (const ConfigItem& item : section.items)
      if (const Status set = set_item(item, policies, rule); !set)
        return wrong(item.line, fmt::format("rule.{}: {}", item.name, set.error().text));
    if (const Status added = rules->add(std::move(rule)); !added)
      return wrong(section.line, added.error().text);
  }
  return rules;
}

}  // namespace waggle::cli
