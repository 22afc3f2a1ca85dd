#include "coordinator/proposal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

using Object = JsonValue::Object;

std::unexpected<Error> wrong(std::string_view field, std::string_view expected,
                             const JsonValue& came) {
  std::string text = to_json(came);
  if (text.size() > 64) text = text.substr(0, 61) + "...";
  return failed(Code::kRejected,
                fmt::format("proposal: \"{}\": expected {}, got {}", field, expected, text));
}

const JsonValue* find(const Object& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &found->second;
}

std::optional<double> number_of(const JsonValue& value) {
  const JsonValue::Number* number = value.number();
  if (number == nullptr) return std::nullopt;
  double result = 0;
  const char* const end = number->text.data() + number->text.size();
  const auto [rest, error] = std::from_chars(number->text.data(), end, result);
  if (error != std::errc() || rest != end || !std::isfinite(result)) return std::nullopt;
  return result;
}

// In thousandths, upwards: a threshold must not be reached by less than it says.
std::optional<std::uint32_t> thousandths(const JsonValue& value, double most) {
  const std::optional<double> number = number_of(value);
  if (!number || *number < 0 || *number > most) return std::nullopt;
  return static_cast<std::uint32_t>(std::ceil(*number * 1000 - 1e-6));
}

JsonValue json_of(std::string text) {
  return {std::move(text)};
}
JsonValue json_of_number(std::int64_t number) {
  return {JsonValue::Number{fmt::to_string(number)}};
}
// As the shortest text that reads back as the same thousandths.
JsonValue json_of_thousandths(std::uint32_t value) {
  return {JsonValue::Number{fmt::format("{}", value / 1000.0)}};
}

Status read_text(const Object& object, const char* name, std::size_t most, std::string& out) {
  const JsonValue* value = find(object, name);
  if (value == nullptr) return {};
  const std::string* text = value->text();
  if (text == nullptr || text->empty() || text->size() > most)
    return wrong(name, fmt::format("a text of 1 to {} bytes", most), *value);
  out = *text;
  return {};
}

template <typename Number>
Status read_whole(const Object& object, const char* name, std::int64_t least, std::int64_t most,
                  Number& out) {
  const JsonValue* value = find(object, name);
  if (value == nullptr) return {};
  const std::optional<double> number = number_of(*value);
  if (!number || *number != std::floor(*number) || *number < static_cast<double>(least) ||
      *number > static_cast<double>(most))
    return wrong(name, fmt::format("a whole number from {} to {}", least, most), *value);
  out = static_cast<Number>(*number);
  return {};
}

Status read_share(const Object& object, const char* name, std::uint32_t& out) {
  const JsonValue* value = find(object, name);
  if (value == nullptr) return {};
  const std::optional<std::uint32_t> share = thousandths(*value, 4e6);
  if (!share || *share > 1000) return wrong(name, "a share from 0 to 1", *value);
  out = *share;
  return {};
}

Status read_threshold(const Object& object, BallotRule& rule) {
  static const std::map<std::string, std::uint32_t, std::less<>> kWords = {
      {"simple", 510}, {"supermajority", 660}, {"strong", 750}, {"unanimous", 1000}};
  const JsonValue* value = find(object, "threshold");
  if (value == nullptr) return {};
  if (const std::string* word = value->text())
    if (const auto found = kWords.find(*word); found != kWords.end()) {
      rule.threshold_permille = found->second;
      return {};
    }
  const std::optional<std::uint32_t> share = thousandths(*value, 1);
  if (!share || *share == 0)
    return wrong("threshold",
                 "a share above 0 and up to 1, or simple, supermajority, strong or unanimous",
                 *value);
  rule.threshold_permille = *share;
  return {};
}

Status read_rule(const Object& object, BallotRule& rule) {
  if (Status read = read_threshold(object, rule); !read) return read;
  std::string of = "electorate";
  if (Status read = read_text(object, "of", 16, of); !read) return read;
  if (of != "electorate" && of != "cast")
    return wrong("of", "electorate or cast", *find(object, "of"));
  rule.of_cast = of == "cast";
  if (Status read = read_share(object, "participation", rule.participation_permille); !read)
    return read;
  if (Status read = read_share(object, "cap", rule.group_cap_permille); !read) return read;
  if (Status read = read_whole(object, "groups", 0, limits::kVoters, rule.groups_least); !read)
    return read;
  if (const JsonValue* changes = find(object, "changes")) {
    const bool* flag = std::get_if<bool>(&changes->content);
    if (flag == nullptr) return wrong("changes", "true or false", *changes);
    rule.changes = *flag;
  }
  return check_rule(rule);
}

Result<std::uint32_t> weight_of(const JsonValue& value) {
  const auto weight = thousandths(value, limits::kVoteWeight);
  if (!weight)
    return wrong("weights", fmt::format("a number from 0 to {}", limits::kVoteWeight), value);
  return *weight;
}

Status add_voter(const std::string& name, Voter voter, Electorate& electorate) {
  if (Status shape = check_agent_id(name); !shape) return shape;
  if (!electorate.emplace(AgentId(name), std::move(voter)).second)
    return failed(Code::kRejected,
                  fmt::format("proposal: \"electorate\": {} is named twice", name));
  if (electorate.size() > limits::kVoters)
    return failed(Code::kRejected, fmt::format("proposal: \"electorate\": expected at most {} "
                                               "agents",
                                               limits::kVoters));
  return {};
}

// A list of names, or as to_json() has it: names with weight and label.
Status read_electorate(const Object& object, Proposal& proposal) {
  const JsonValue* value = find(object, "electorate");
  if (value == nullptr) return {};
  proposal.of_members = false;
  if (const JsonValue::Array* names = value->array()) {
    for (const JsonValue& name : *names) {
      if (name.text() == nullptr) return wrong("electorate", "names of agents", name);
      if (Status added = add_voter(*name.text(), {1'000, {}}, proposal.electorate); !added)
        return added;
    }
    return {};
  }
  const Object* voters = value->object();
  if (voters == nullptr) return wrong("electorate", "a list of names of agents", *value);
  for (const auto& [name, facts] : *voters) {
    const Object* of = facts.object();
    if (of == nullptr) return wrong("electorate", "an object for each agent", facts);
    Voter voter{1'000, {}};
    if (const JsonValue* weight = find(*of, "weight")) {
      const Result<std::uint32_t> read = weight_of(*weight);
      if (!read) return std::unexpected(read.error());
      voter.weight = *read;
    }
    if (Status read = read_text(*of, "label", limits::kIdBytes, voter.group); !read) return read;
    if (Status added = add_voter(name, std::move(voter), proposal.electorate); !added) return added;
  }
  return {};
}

Status read_writes(const Object& object, std::vector<ProposedWrite>& writes) {
  const JsonValue* value = find(object, "writes");
  if (value == nullptr) return {};
  const JsonValue::Array* list = value->array();
  if (list == nullptr || list->empty() || list->size() > limits::kProposedWrites)
    return wrong("writes", fmt::format("a list of 1 to {} writes", limits::kProposedWrites),
                 *value);
  std::set<Key> keys;
  for (const JsonValue& item : *list) {
    const Object* of = item.object();
    const JsonValue* key = of != nullptr ? find(*of, "key") : nullptr;
    const JsonValue* written = of != nullptr ? find(*of, "value") : nullptr;
    if (key == nullptr || key->text() == nullptr || written == nullptr)
      return wrong("writes", "objects with \"key\" and \"value\"", item);
    for (const auto& [name, ignored] : *of)
      if (name != "key" && name != "value" && name != "if_version")
        return failed(Code::kRejected,
                      fmt::format("proposal: \"writes\": \"{}\" is unknown; expected key, value "
                                  "and if_version",
                                  name));
    ProposedWrite write;
    write.key = Key(*key->text());
    if (Status shape = check_key(write.key.value()); !shape) return shape;
    if (write.key.value().starts_with('~'))
      return wrong("writes", "no keys of the coordinator's own", *key);
    if (!keys.insert(write.key).second) return wrong("writes", "each key once", *key);
    // As a put in JSON: a string is text, all else JSON.
    write.value = written->text() != nullptr
                      ? Register{ContentType::kText, *written->text()}
                      : Register{ContentType::kJson, to_json(*written)};
    if (find(*of, "if_version") != nullptr) {
      std::uint64_t version = 0;
      if (Status read = read_whole(*of, "if_version", 0, std::int64_t{1} << 53, version); !read)
        return read;
      write.if_version = Revision(version);
    }
    writes.push_back(std::move(write));
  }
  return {};
}

// Onto an electorate that is known: by name. Of members it is only known later who they are: kept
// in the electorate until then.
Status read_facts(const Object& object, Proposal& proposal) {
  const auto each = [&](const char* name, const auto& take) -> Status {
    const JsonValue* value = find(object, name);
    if (value == nullptr) return {};
    const Object* of = value->object();
    if (of == nullptr) return wrong(name, "an object by agent", *value);
    for (const auto& [agent, one] : *of) {
      if (Status shape = check_agent_id(agent); !shape)
        return failed(Code::kRejected,
                      fmt::format("proposal: \"{}\": {}", name, shape.error().text));
      if (!proposal.of_members && !proposal.electorate.contains(AgentId(agent)))
        return failed(Code::kRejected, fmt::format("proposal: \"{}\": {} is not in the electorate",
                                                   name, agent));
      Voter& voter =
          proposal.electorate.try_emplace(AgentId(agent), Voter{1'000, {}}).first->second;
      if (Status taken = take(voter, one); !taken) return taken;
    }
    return {};
  };
  Status read = each("weights", [](Voter& voter, const JsonValue& one) -> Status {
    const Result<std::uint32_t> weight = weight_of(one);
    if (!weight) return std::unexpected(weight.error());
    voter.weight = *weight;
    return {};
  });
  if (!read) return read;
  return each("labels", [](Voter& voter, const JsonValue& one) -> Status {
    if (one.text() == nullptr || one.text()->empty() || one.text()->size() > limits::kIdBytes)
      return wrong("labels", "a text for each agent, such as its model or host", one);
    voter.group = *one.text();
    return {};
  });
}

Result<Proposal> read_given(std::string_view id, const Object& object) {
  Proposal proposal;
  proposal.id = id;
  if (Status read = read_text(object, "title", 1024, proposal.title); !read)
    return std::unexpected(read.error());
  if (proposal.title.empty())
    return failed(Code::kRejected, "proposal: \"title\" is missing: what is proposed, in words");
  if (const JsonValue* body = find(object, "body")) proposal.body = *body;
  for (const auto& read : {read_rule(object, proposal.rule), read_electorate(object, proposal),
                           read_writes(object, proposal.writes),
                           read_text(object, "supersedes", limits::kIdBytes, proposal.supersedes),
                           read_whole(object, "timeout_ms", limits::kProposalMillisMin,
                                      limits::kProposalMillisMax, proposal.timeout_millis)})
    if (!read) return std::unexpected(read.error());
  return proposal;
}

Result<Object> object_of(std::string_view json) {
  Result<JsonValue> value = parse_json_document(json);
  if (!value) return std::unexpected(std::move(value.error()));
  if (value->object() == nullptr)
    return failed(Code::kRejected,
                  fmt::format("proposal: expected a JSON object, got {}", value->kind()));
  return std::move(*value->object());
}

}  // namespace

Key proposal_key(std::string_view id) {
  return Key(fmt::format("{}{}", kProposalKeys, id));
}

Key vote_key(std::string_view id, const AgentId& agent) {
  return Key(fmt::format("{}{}/{}", kVoteKeys, id, agent.value()));
}

Status check_proposal_id(std::string_view id) {
  const bool fine = !id.empty() && id.size() <= limits::kIdBytes &&
                    std::ranges::all_of(id, [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
                    });
  if (fine) return {};
  return failed(Code::kRejected,
                fmt::format("the id of a proposal: expected 1 to {} letters, digits, '.', '_' or "
                            "'-', got '{}'",
                            limits::kIdBytes, id.substr(0, 2 * limits::kIdBytes)));
}

Result<Proposal> read_proposal(std::string_view id, std::string_view json) {
  static const std::set<std::string, std::less<>> kGiven = {
      "title",   "body",       "threshold",  "of",      "participation", "groups", "cap",
      "changes", "timeout_ms", "electorate", "weights", "labels",        "writes", "supersedes"};
  if (Status shape = check_proposal_id(id); !shape) return std::unexpected(std::move(shape.error()));
  const Result<Object> object = object_of(json);
  if (!object) return std::unexpected(object.error());
  for (const auto& [name, value] : *object)
    if (!kGiven.contains(name))
      return failed(Code::kRejected, fmt::format("proposal: \"{}\" is unknown; expected {}", name,
                                                 fmt::join(kGiven, ", ")));
  Result<Proposal> proposal = read_given(id, *object);
  if (!proposal) return proposal;
  if (Status facts = read_facts(*object, *proposal); !facts)
    return std::unexpected(std::move(facts.error()));
  return proposal;
}

std::string to_json(const Proposal& proposal) {
  Object out;
  out["title"] = json_of(proposal.title);
  if (proposal.body) out["body"] = *proposal.body;
  const BallotRule& rule = proposal.rule;
  out["threshold"] = json_of_thousandths(rule.threshold_permille);
  out["of"] = json_of(rule.of_cast ? "cast" : "electorate");
  if (rule.participation_permille > 0)
    out["participation"] = json_of_thousandths(rule.participation_permille);
  if (rule.groups_least > 0) out["groups"] = json_of_number(rule.groups_least);
  if (rule.group_cap_permille < 1000) out["cap"] = json_of_thousandths(rule.group_cap_permille);
  out["changes"] = {rule.changes};
  out["timeout_ms"] = json_of_number(proposal.timeout_millis);
  Object electorate;
  for (const auto& [agent, voter] : proposal.electorate) {
    Object facts;
    if (voter.weight != 1'000) facts["weight"] = json_of_thousandths(voter.weight);
    if (!voter.group.empty()) facts["label"] = json_of(voter.group);
    electorate[agent.value()] = {std::move(facts)};
  }
  out["electorate"] = {std::move(electorate)};
  if (!proposal.writes.empty()) {
    JsonValue::Array writes;
    for (const ProposedWrite& write : proposal.writes) {
      Object one;
      one["key"] = json_of(write.key.value());
      Result<JsonValue> value = parse_json_document(write.value.bytes);
      one["value"] = write.value.content == ContentType::kJson && value
                         ? *std::move(value)
                         : json_of(write.value.bytes);
      if (write.if_version)
        one["if_version"] = json_of_number(static_cast<std::int64_t>(write.if_version->value()));
      writes.push_back({std::move(one)});
    }
    out["writes"] = {std::move(writes)};
  }
  if (!proposal.supersedes.empty()) out["supersedes"] = json_of(proposal.supersedes);
  out["by"] = json_of(proposal.by.value());
  out["opened_at"] = json_of_number(proposal.opened_wall_millis);
  out["state"] = json_of(std::string(to_text(proposal.state)));
  if (proposal.state == BallotState::kOpen) return to_json(JsonValue{std::move(out)});

  out["closed_at"] = json_of_number(proposal.closed_wall_millis);
  const BallotTally sum = tally(rule, proposal.electorate, proposal.votes);
  Object counted;
  for (const auto& [name, weight] :
       {std::pair{"all", sum.all}, std::pair{"for", sum.in_favour},
        std::pair{"against", sum.against}, std::pair{"abstain", sum.abstained},
        std::pair{"missing", sum.missing}})
    counted[name] = {JsonValue::Number{fmt::format("{}", static_cast<double>(weight) / 1000.0)}};
  if (rule.groups_least > 0) counted["groups"] = json_of_number(sum.groups);
  out["tally"] = {std::move(counted)};
  Object votes;
  for (const auto& [agent, stance] : proposal.votes)
    votes[agent.value()] = json_of(std::string(to_text(stance)));
  out["votes"] = {std::move(votes)};
  if (!proposal.refused.empty()) {
    Object refused;
    for (const auto& [agent, why] : proposal.refused) refused[agent.value()] = json_of(why);
    out["refused"] = {std::move(refused)};
  }
  if (proposal.applied) out["applied"] = {*proposal.applied};
  if (!proposal.not_applied.empty()) out["not_applied"] = json_of(proposal.not_applied);
  return to_json(JsonValue{std::move(out)});
}

Result<Proposal> recover_proposal(std::string_view id, std::string_view json) {
  const Result<Object> object = object_of(json);
  if (!object) return std::unexpected(object.error());
  Result<Proposal> proposal = read_given(id, *object);
  if (!proposal) return proposal;
  std::string by;
  std::string state;
  for (const auto& read :
       {read_text(*object, "by", 2 * limits::kIdBytes, by), read_text(*object, "state", 16, state),
        read_whole(*object, "opened_at", 0, std::int64_t{1} << 53, proposal->opened_wall_millis),
        read_whole(*object, "closed_at", 0, std::int64_t{1} << 53, proposal->closed_wall_millis)})
    if (!read) return std::unexpected(read.error());
  proposal->by = AgentId(by);
  const Result<BallotState> known = ballot_state_of(state);
  if (!known) return std::unexpected(known.error());
  proposal->state = *known;
  return proposal;
}

}  // namespace waggle
