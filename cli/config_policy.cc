#include "cli/config_policy.h"

#include <charconv>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/config_value.h"
#include "consensus/ballot.h"

namespace waggle::cli {
namespace {

Status as_vote(const RawValue& raw, std::uint32_t& permille) {
  const auto* word = std::get_if<std::string>(&raw.value);
  const std::string name = word != nullptr ? *word : std::string();
  const std::optional<double> share = as_share(raw);
  if (name == "simple") {
    permille = 510;
  } else if (name == "supermajority") {
    permille = 660;
  } else if (name == "strong") {
    permille = 750;
  } else if (name == "unanimous") {
    permille = 1000;
  } else if (share && *share > 0.5 && *share <= 1) {
    permille = to_thousandths(*share);
  } else {
    return expected_but("a share above 0.5, or simple, supermajority, strong or unanimous", raw);
  }
  return {};
}

Status as_voters(const RawValue& raw, std::set<AgentId>& voters) {
  const auto* list = std::get_if<std::vector<std::string>>(&raw.value);
  if (list == nullptr || list->empty())
    return expected_but("a list of agents such as [\"ada\", \"bob\"]", raw);
  for (const std::string& name : *list) {
    if (const Status shape = check_agent_id(name); !shape) return shape;
    voters.insert(AgentId(name));
  }
  return {};
}

Status set_strategy(Strategy& out, const RawValue& raw, const std::vector<std::string>& choices) {
  std::string choice;
  if (const Status status = as_choice(raw, choices, choice); !status) return status;
  return store(strategy_of(choice), out);
}

const PolicySetting kSettings[] = {
    {"prefix", "\"plan/\"",
     "Keys that begin so; the longest prefix that fits a key wins. \"\": all.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_text(raw, "the beginning of keys, such as \"plan/\""), policy.prefix);
     }},
    {"class", "\"durable\"",
     "\"durable\", or \"ephemeral\": in memory only, gone with the session that wrote them or "
     "after\n`time_to_live`; for presence, positions and the like.",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::string choice;
       const Status status = as_choice(raw, {"durable", "ephemeral"}, choice);
       if (status) policy.ephemeral = choice == "ephemeral";
       return status;
     }},
    {"type", "\"register\"",
     "\"register\", \"counter\", \"set\", \"map\", \"shared-text\", ... (docs/types.md): another "
     "type "
     "is\nrefused. Left out: the first write decides.",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::vector<std::string> names;
       for (const ValueType type : kValueTypes) names.emplace_back(to_text(type));
       std::string choice;
       const Status status = as_choice(raw, names, choice);
       if (status) policy.type = value_type_of(choice);
       return status;
     }},
    {"strategy", "\"lww\"",
     "Of concurrent values. \"lww\": the last writer wins; \"fww\": the first one; \"keep\": the\n"
     "committed value stays; \"merge\": three-way, JSON by path and text by line; \"manual\": a "
     "person\n"
     "decides; in a synchronisation also \"quorum\": the value that enough members hold, and\n"
     "\"vector\": the offer that knew most.",
     [](Policy& policy, const RawValue& raw) {
       return set_strategy(policy.strategy, raw,
                           {"lww", "fww", "keep", "merge", "manual", "quorum", "vector"});
     }},
    {"otherwise", "\"keep\"",
     "Where the strategy can't decide: another one, or a list of two: [\"merge\", \"manual\"].",
     [](Policy& policy, const RawValue& raw) -> Status {
       const std::vector<std::string> choices = {"lww", "fww", "keep", "merge", "manual", "vector"};
       const auto* list = std::get_if<std::vector<std::string>>(&raw.value);
       if (list == nullptr) return set_strategy(policy.otherwise, raw, choices);
       if (list->empty() || list->size() > 2)
         return expected_but("one strategy or a list of two", raw);
       if (const Status set = set_strategy(policy.otherwise, {list->front(), raw.found}, choices);
           !set)
         return set;
       return list->size() < 2 ? Status()
                               : set_strategy(policy.at_last, {list->back(), raw.found}, choices);
     }},
    {"quorum", "\"51%\"",
     "With \"quorum\": the share of the members, above one half; \"51%\" or 0.51.",
     [](Policy& policy, const RawValue& raw) -> Status {
       const std::optional<double> share = as_share(raw);
       if (!share || *share <= 0.5 || *share > 1)
         return expected_but("a share above one half, such as 0.51 or \"51%\"", raw);
       policy.quorum.permille = to_thousandths(*share);
       return {};
     }},
    {"timeout", "\"10s\"", "The time of a synchronisation of these keys that names none.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_duration(raw, 1, 600 * kConfigSecond), policy.timeout_millis.emplace());
     }},
    {"priority", "\"normal\"", "\"normal\", \"high\" or \"critical\": the order of waiting ones.",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::string choice;
       const Status status = as_choice(raw, {"normal", "high", "critical"}, choice);
       if (status)
         policy.priority = choice == "critical" ? Priority::kCritical
                           : choice == "high"   ? Priority::kHigh
                                                : Priority::kNormal;
       return status;
     }},
    {"coverage", "\"0%\"",
     "With \"quorum\": so many of the votes must have answered, else `otherwise`.",
     [](Policy& policy, const RawValue& raw) -> Status {
       const std::optional<double> share = as_share(raw);
       if (!share || *share < 0 || *share > 1)
         return expected_but("a share, such as 0.5 or \"50%\"", raw);
       policy.coverage_permille = to_thousandths(*share);
       return {};
     }},
    {"amend", "\"0s\"",
     "So long after a synchronisation a late answer may still change its outcome, if nobody wrote\n"
     "the key since.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_duration(raw, 0, 24 * kConfigHour), policy.amend_millis);
     }},
    {"weights", "[\"queen=3\"]", "With \"quorum\": votes of agents; 1 of all others.",
     [](Policy& policy, const RawValue& raw) -> Status {
       const auto* list = std::get_if<std::vector<std::string>>(&raw.value);
       if (list == nullptr) return expected_but("a list such as [\"queen=3\"]", raw);
       for (const std::string& pair : *list) {
         const std::size_t equals = pair.rfind('=');
         std::uint32_t votes = 0;
         const char* end = pair.data() + pair.size();
         if (equals == std::string::npos || equals == 0 ||
             std::from_chars(pair.data() + equals + 1, end, votes).ptr != end || votes > 1'000'000)
           return expected_but("agents with votes up to 1000000, such as [\"queen=3\"]", raw);
         policy.weights[pair.substr(0, equals)] = votes;
       }
       return {};
     }},
    {"conflict_window", "\"0s\"",
     "With \"lww\" and \"fww\": writes no further apart are not told apart by their clocks: "
     "`otherwise`.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_duration(raw, 0, 24 * kConfigHour), policy.conflict_window_millis);
     }},
    {"merge_text", "\"line\"", "With \"merge\": texts are compared by \"line\" or by \"token\".",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::string choice;
       const Status status = as_choice(raw, {"line", "token"}, choice);
       if (status) policy.merging.unit = choice == "token" ? TextUnit::kToken : TextUnit::kLine;
       return status;
     }},
    {"merge_favor", "\"otherwise\"",
     "With \"merge\", where both changed the same: as `otherwise` says, \"ours\" (what stands),\n"
     "\"theirs\" (the write), or \"union\": both, of texts and arrays, and for the rest "
     "`otherwise`.",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::string choice;
       const Status status = as_choice(raw, {"otherwise", "ours", "theirs", "union"}, choice);
       if (!status) return status;
       policy.merging.unite = choice == "union";
       policy.merging.favor = choice == "ours"     ? MergeFavor::kOurs
                              : choice == "theirs" ? MergeFavor::kTheirs
                                                   : MergeFavor::kNone;
       return {};
     }},
    {"merge_sums", "false",
     "With \"merge\": whole numbers of JSON that both changed add up. Not for ids, ports or times.",
     [](Policy& policy, const RawValue& raw) -> Status {
       const auto* flag = std::get_if<bool>(&raw.value);
       if (flag == nullptr) return expected_but("true or false", raw);
       policy.merging.additive_numbers = *flag;
       return {};
     }},
    {"merge_keys", "[\"/tasks=id\"]",
     "With \"merge\": arrays of objects that are told apart by a member, by pointer; \"*\" is any\n"
     "item: [\"/tasks=id\", \"/tasks/*/steps=name\"].",
     [](Policy& policy, const RawValue& raw) -> Status {
       constexpr std::string_view kWanted =
           "pointers of arrays with members, such as [\"/tasks=id\"]";
       const auto* list = std::get_if<std::vector<std::string>>(&raw.value);
       if (list == nullptr) return expected_but(kWanted, raw);
       for (const std::string& pair : *list) {
         const std::size_t equals = pair.rfind('=');
         if (equals == std::string::npos || equals + 1 == pair.size() || !pair.starts_with('/'))
           return expected_but(kWanted, raw);
         policy.merging.array_keys[pair.substr(0, equals)] = pair.substr(equals + 1);
       }
       return {};
     }},
    {"history", "16", "Earlier versions kept of a key, 0 to 64 [16 with \"merge\", else 0].",
     [](Policy& policy, const RawValue& raw) -> Status {
       const auto* number = std::get_if<std::int64_t>(&raw.value);
       if (number == nullptr || *number < 0 || *number > 64)
         return expected_but("a whole number from 0 to 64", raw);
       policy.history = static_cast<std::uint32_t>(*number);
       return {};
     }},
    {"parked_for", "\"7d\"", "With \"manual\": then a conflict is dismissed and what stands stays.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_duration(raw, 1, 24 * 365 * kConfigHour), policy.parked_millis.emplace());
     }},
    {"time_to_live", "\"24h\"", "A key that nobody wrote for so long is deleted.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_duration(raw, 1, 24 * 365 * kConfigHour), policy.live_millis.emplace());
     }},
    {"vote", "\"supermajority\"",
     "Written by approved proposals only, for which so much of the electorate votes: a share "
     "above\n0.5, or \"simple\" (0.51), \"supermajority\" (0.66), \"strong\" (0.75), "
     "\"unanimous\".",
     [](Policy& policy, const RawValue& raw) { return as_vote(raw, policy.vote_permille); }},
    {"voters", "[\"ada\", \"bob\"]", "With `vote`: who votes. [all members]",
     [](Policy& policy, const RawValue& raw) { return as_voters(raw, policy.voters); }},
    {"claim_grace", "\"30s\"",
     "Of a claim of these keys: how long it stays when its holder's session was lost.",
     [](Policy& policy, const RawValue& raw) {
       return store(as_duration(raw, 0, 24 * kConfigHour), policy.claim_grace_millis);
     }},
    {"elements_max", "1000",
     "Elements of a set, fields of a map, items of a list, letters of a text.",
     [](Policy& policy, const RawValue& raw) -> Status {
       const auto* number = std::get_if<std::int64_t>(&raw.value);
       if (number == nullptr || *number < 1) return expected_but("a number above 0", raw);
       policy.elements_max = static_cast<std::uint64_t>(*number);
       return {};
     }},
    {"compression", "\"auto\"",
     "Of values of 256 bytes and more on their way to readers, where it saves more than 30 %: "
     "\"none\",\n\"lz4\", \"zstd\" or \"auto\"; both also against the version that the reader has.",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::string choice;
       const Status status = as_choice(raw, {"auto", "none", "lz4", "zstd"}, choice);
       if (status)
         policy.packing = choice == "none"   ? Packing::kNone
                          : choice == "lz4"  ? Packing::kLz4
                          : choice == "zstd" ? Packing::kZstd
                                             : Packing::kAuto;
       return status;
     }},
    {"signed", "false",
     "true: only registers that their writer signed with its key, and nothing that merges them;\n"
     "`waggle audit verify` checks them. Needs a coordinator with keys.",
     [](Policy& policy, const RawValue& raw) -> Status {
       const auto* flag = std::get_if<bool>(&raw.value);
       if (flag == nullptr) return expected_but("true or false", raw);
       policy.signed_writes = *flag;
       return {};
     }},
    {"late_write", "\"conflict\"",
     "A write of an absent key by one who was away for longer than deletions are remembered:\n"
     "\"conflict\" (it may have been deleted meanwhile) or \"apply\".",
     [](Policy& policy, const RawValue& raw) -> Status {
       std::string choice;
       const Status status = as_choice(raw, {"conflict", "apply"}, choice);
       if (status) policy.late_write = choice == "apply" ? LateWrite::kApply : LateWrite::kConflict;
       return status;
     }},
};

const RoleSetting kRoleSettings[] = {
    {"name", "\"expert\"", "What proposals call it.",
     [](NamedRole& role, const RawValue& raw) {
       return store(as_text(raw, "a name such as \"expert\""), role.name);
     }},
    {"agents", "[\"ada\", \"bob\"]", "Who has it.",
     [](NamedRole& role, const RawValue& raw) { return as_voters(raw, role.role.agents); }},
    {"weight", "2.0", "Of the vote of each, up to 1000 [1]; of one with several roles the largest.",
     [](NamedRole& role, const RawValue& raw) -> Status {
       const auto* real = std::get_if<double>(&raw.value);
       const auto* whole = std::get_if<std::int64_t>(&raw.value);
       const double weight = real != nullptr    ? *real
                             : whole != nullptr ? static_cast<double>(*whole)
                                                : -1;
       if (!(weight >= 0 && weight <= limits::kVoteWeight))
         return expected_but("a number from 0 to 1000", raw);
       role.role.weight = to_thousandths(weight);
       return {};
     }},
};

}  // namespace

std::span<const RoleSetting> role_settings() {
  return kRoleSettings;
}

std::span<const PolicySetting> policy_settings() {
  return kSettings;
}

}  // namespace waggle::cli
