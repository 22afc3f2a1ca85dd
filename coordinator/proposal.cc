#include "coordinator/proposal.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

using Object = JsonValue::Object;

constexpr std::string_view kWhat = "proposal";
constexpr std::string_view kAbstain = "abstain";

std::optional<std::uint32_t> thousandths(const JsonValue& value, double most) {
  const std::optional<double> number = number_of(value);
  if (!number || *number < 0 || *number > most) return std::nullopt;
  return to_thousandths(*number);
}

// As the shortest text that reads back as the same thousandths.
JsonValue json_of_thousandths(std::uint32_t value) {
  return {JsonValue::Number{fmt::format("{}", value / 1000.0)}};
}

Status read_share(const DocumentFields& fields, const char* name, std::uint32_t& out) {
  const JsonValue* value = fields.find(name);
  if (value == nullptr) return {};
  const std::optional<std::uint32_t> share = thousandths(*value, 4e6);
  if (!share || *share > 1000) return fields.wrong(name, "a share from 0 to 1", *value);
  out = *share;
  return {};
}

Status read_threshold(const DocumentFields& fields, BallotRule& rule) {
  static const std::map<std::string, std::uint32_t, std::less<>> kWords = {
      {"simple", 510}, {"supermajority", 660}, {"strong", 750}, {"unanimous", 1000}};
  const JsonValue* value = fields.find("threshold");
  if (value == nullptr) return {};
  if (const std::string* word = value->text())
    if (const auto found = kWords.find(*word); found != kWords.end()) {
      rule.threshold_permille = found->second;
      return {};
    }
  const std::optional<std::uint32_t> share = thousandths(*value, 1);
  if (!share || *share == 0)
    return fields.wrong(
        "threshold", "a share above 0 and up to 1, or simple, supermajority, strong or unanimous",
        *value);
  rule.threshold_permille = *share;
  return {};
}

Status read_rule(const DocumentFields& fields, BallotRule& rule) {
  if (Status read = read_threshold(fields, rule); !read) return read;
  std::string of = "electorate";
  if (Status read = fields.read_text("of", 16, of); !read) return read;
  if (of != "electorate" && of != "cast")
    return fields.wrong("of", "electorate or cast", *fields.find("of"));
  rule.of_cast = of == "cast";
  if (Status read = read_share(fields, "participation", rule.participation_permille); !read)
    return read;
  if (Status read = read_share(fields, "cap", rule.group_cap_permille); !read) return read;
  if (Status read = fields.read_whole("groups", 0, limits::kVoters, rule.groups_least); !read)
    return read;
  if (Status read = fields.read_flag("changes", rule.changes); !read) return read;
  if (fields.find("byzantine") != nullptr) {
    rule.faults = 0;
    if (Status read = fields.read_whole("byzantine", 0, limits::kVoters / 3, *rule.faults); !read)
      return read;
    rule.changes = false;  // a second vote that differs is a lie
  }
  return check_rule(rule);
}

Result<std::uint32_t> weight_of(const DocumentFields& fields, const JsonValue& value) {
  const auto weight = thousandths(value, limits::kVoteWeight);
  if (!weight)
    return fields.wrong("weights", fmt::format("a number from 0 to {}", limits::kVoteWeight),
                        value);
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
Status read_electorate(const DocumentFields& fields, Proposal& proposal) {
  const JsonValue* value = fields.find("electorate");
  if (value == nullptr) return {};
  proposal.of_members = false;
  if (const JsonValue::Array* names = value->array()) {
    for (const JsonValue& name : *names) {
      if (name.text() == nullptr) return fields.wrong("electorate", "names of agents", name);
      if (Status added = add_voter(*name.text(), {1'000, {}}, proposal.electorate); !added)
        return added;
    }
    return {};
  }
  const Object* voters = value->object();
  if (voters == nullptr) return fields.wrong("electorate", "a list of names of agents", *value);
  for (const auto& [name, facts] : *voters) {
    const Object* of = facts.object();
    if (of == nullptr) return fields.wrong("electorate", "an object for each agent", facts);
    Voter voter{1'000, {}};
    const DocumentFields own("proposal: \"electorate\"", *of);
    if (const JsonValue* weight = own.find("weight")) {
      const Result<std::uint32_t> read = weight_of(fields, *weight);
      if (!read) return std::unexpected(read.error());
      voter.weight = *read;
    }
    if (Status read = own.read_text("label", limits::kIdBytes, voter.group); !read) return read;
    if (Status added = add_voter(name, std::move(voter), proposal.electorate); !added) return added;
  }
  return {};
}

// Onto an electorate that is known: by name. Of members it is only known later who they are: kept
// in the electorate until then.
Status read_facts(const DocumentFields& fields, Proposal& proposal) {
  const auto each = [&](const char* name, const auto& take) -> Status {
    const JsonValue* value = fields.find(name);
    if (value == nullptr) return {};
    const Object* of = value->object();
    if (of == nullptr) return fields.wrong(name, "an object by agent", *value);
    for (const auto& [agent, one] : *of) {
      if (Status shape = check_agent_id(agent); !shape)
        return failed(Code::kRejected,
                      fmt::format("proposal: \"{}\": {}", name, shape.error().text));
      if (!proposal.of_members && !proposal.electorate.contains(AgentId(agent)))
        return failed(Code::kRejected,
                      fmt::format("proposal: \"{}\": {} is not in the electorate", name, agent));
      Voter& voter =
          proposal.electorate.try_emplace(AgentId(agent), Voter{1'000, {}}).first->second;
      if (proposal.electorate.size() > limits::kVoters)
        return fields.wrong(name, fmt::format("at most {} agents", limits::kVoters), *value);
      if (Status taken = take(voter, one); !taken) return taken;
    }
    return {};
  };
  Status read = each("weights", [&](Voter& voter, const JsonValue& one) -> Status {
    const Result<std::uint32_t> weight = weight_of(fields, one);
    if (!weight) return std::unexpected(weight.error());
    voter.weight = *weight;
    return {};
  });
  if (!read) return read;
  return each("labels", [&](Voter& voter, const JsonValue& one) -> Status {
    if (one.text() == nullptr || one.text()->empty() || one.text()->size() > limits::kIdBytes)
      return fields.wrong("labels", "a text for each agent, such as its model or host", one);
    voter.group = *one.text();
    return {};
  });
}

Status check_option(std::string_view name) {
  const bool fine = !name.empty() && name.size() <= limits::kIdBytes && is_utf8(name) &&
                    name.find(',') == std::string_view::npos && name != kAbstain &&
                    name.front() != '[' && name.front() != '"';
  if (fine) return {};
  return failed(Code::kRejected,
                fmt::format("proposal: \"options\": expected names of 1 to {} bytes, without ',', "
                            "'[' or '\"' at the front, and not '{}'; got '{}'",
                            limits::kIdBytes, kAbstain, name.substr(0, 2 * limits::kIdBytes)));
}

Status check_role(std::string_view name) {
  if (!name.empty() && name.size() <= limits::kIdBytes) return {};
  return failed(Code::kRejected, fmt::format("a role: expected a name of 1 to {} bytes, got {}",
                                             limits::kIdBytes, name.size()));
}

Status read_options(const DocumentFields& fields, Proposal& proposal) {
  std::string method;
  if (Status read = fields.read_text("method", 16, method); !read) return read;
  const JsonValue* value = fields.find("options");
  if (value == nullptr)
    return method.empty() ? Status()
                          : fields.wrong("method", "\"options\" too", *fields.find("method"));
  if (!method.empty()) {
    const Result<ChoiceMethod> known = choice_method_of(method);
    if (!known) return fields.wrong("method", "approval or runoff", *fields.find("method"));
    proposal.method = *known;
  }
  const JsonValue::Array* list = value->array();
  if (list == nullptr || list->size() < 2 || list->size() > limits::kOptions)
    return fields.wrong("options", fmt::format("a list of 2 to {} options", limits::kOptions),
                        *value);
  std::set<std::string> names;
  for (const JsonValue& item : *list) {
    ProposalOption option;
    if (item.text() != nullptr) {
      option.name = *item.text();
    } else if (item.object() != nullptr) {
      const DocumentFields of("proposal: \"options\"", *item.object());
      Status read = of.only({"name", "writes"});
      if (read) read = of.read_text("name", limits::kIdBytes, option.name);
      if (read) read = read_writes(of, option.writes);
      if (!read) return read;
    } else {
      return fields.wrong("options", "names, or objects with \"name\" and \"writes\"", item);
    }
    if (Status shape = check_option(option.name); !shape) return shape;
    if (!names.insert(option.name).second) return fields.wrong("options", "each name once", item);
    // With those of the proposal they are one commit.
    std::set<Key> keys;
    for (const ProposedWrite& write : proposal.writes) keys.insert(write.key);
    for (const ProposedWrite& write : option.writes)
      if (!keys.insert(write.key).second)
        return fields.wrong("options", "each key once, with those of the proposal", item);
    proposal.options.push_back(std::move(option));
  }
  return {};
}

Result<Proposal> read_given(std::string_view id, const DocumentFields& fields) {
  Proposal proposal;
  proposal.id = id;
  if (Status read = fields.read_text("title", 1024, proposal.title); !read)
    return std::unexpected(read.error());
  if (proposal.title.empty())
    return failed(Code::kRejected, "proposal: \"title\" is missing: what is proposed, in words");
  if (const JsonValue* body = fields.find("body")) proposal.body = *body;
  for (const auto& read :
       {read_rule(fields, proposal.rule), read_electorate(fields, proposal),
        read_writes(fields, proposal.writes), read_options(fields, proposal),
        fields.read_names("roles", 1, limits::kRoles, check_role, proposal.roles),
        fields.read_text("supersedes", limits::kIdBytes, proposal.supersedes),
        fields.read_whole("timeout_ms", limits::kProposalMillisMin, limits::kProposalMillisMax,
                          proposal.timeout_millis)})
    if (!read) return std::unexpected(read.error());
  return proposal;
}

}  // namespace

Key proposal_key(std::string_view id) {
  return Key(fmt::format("{}{}", kProposalKeys, id));
}

Key vote_key(std::string_view id, const AgentId& agent) {
  return Key(fmt::format("{}{}/{}", kVoteKeys, id, agent.value()));
}

Status check_proposal_id(std::string_view id) {
  return check_document_id("proposal", id);
}

Result<Proposal> read_proposal(std::string_view id, std::string_view json) {
  static const std::set<std::string, std::less<>> kGiven = {
      "title",  "body",       "threshold",  "of",         "participation", "groups",
      "cap",    "changes",    "timeout_ms", "electorate", "weights",       "labels",
      "writes", "supersedes", "options",    "method",     "roles",         "byzantine"};
  if (Status shape = check_proposal_id(id); !shape)
    return std::unexpected(std::move(shape.error()));
  const Result<Object> object = document_object(kWhat, json);
  if (!object) return std::unexpected(object.error());
  const DocumentFields fields(kWhat, *object);
  if (Status known = fields.only(kGiven); !known) return std::unexpected(std::move(known.error()));
  Result<Proposal> proposal = read_given(id, fields);
  if (!proposal) return proposal;
  if (!proposal->roles.empty())
    for (const char* other : {"electorate", "weights"})
      if (const JsonValue* value = fields.find(other))
        return fields.wrong(
            other, "nothing beside \"roles\", which say who votes with which weight", *value);
  if (Status facts = read_facts(fields, *proposal); !facts)
    return std::unexpected(std::move(facts.error()));
  if (proposal->rule.faults && !proposal->options.empty())
    return fields.wrong("options", "none beside \"byzantine\", which is for or against",
                        *fields.find("options"));
  return proposal;
}

std::vector<ProposedWrite> writes_of(const Proposal& proposal,
                                     std::optional<std::uint32_t> chosen) {
  std::vector<ProposedWrite> writes = proposal.writes;
  if (chosen) {
    const std::vector<ProposedWrite>& more = proposal.options[*chosen].writes;
    writes.insert(writes.end(), more.begin(), more.end());
  }
  return writes;
}

Result<std::vector<std::uint32_t>> choice_of(const Proposal& proposal, const Register& vote) {
  std::vector<std::string> names;
  const Result<JsonValue> json = parse_json_document(vote.bytes);
  if (json && json->array() != nullptr) {
    if (json->array()->empty())
      return failed(Code::kRejected,
                    "a vote: expected names of options, or abstain; got an empty list");
    for (const JsonValue& name : *json->array()) {
      if (name.text() == nullptr)
        return failed(Code::kRejected, "a vote: expected names of options in the list");
      names.push_back(*name.text());
    }
  } else if (json && json->text() != nullptr) {
    names = {*json->text()};
  } else {
    names = {vote.bytes};
  }
  std::vector<std::uint32_t> choice;
  if (names.size() == 1 && names.front() == kAbstain) return choice;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(proposal.options, name, &ProposalOption::name);
    const auto at = static_cast<std::uint32_t>(found - proposal.options.begin());
    if (found == proposal.options.end() || std::ranges::find(choice, at) != choice.end()) {
      std::string known;
      for (const ProposalOption& option : proposal.options)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", option.name);
      return failed(Code::kRejected,
                    fmt::format("a vote: expected abstain, or options, the best first and none "
                                "twice, of: {}; got '{}'",
                                known, vote.bytes.substr(0, 256)));
    }
    choice.push_back(at);
  }
  return choice;
}

Register vote_in_words(std::string_view words) {
  if (words.starts_with('[')) return {ContentType::kJson, std::string(words)};
  if (words.find(',') == std::string_view::npos) return {ContentType::kText, std::string(words)};
  JsonValue::Array names;
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find(',', at), words.size());
    names.push_back(json_text(std::string(words.substr(at, end - at))));
    at = end + 1;
  }
  return {ContentType::kJson, to_json(JsonValue{std::move(names)})};
}

JsonValue json_of(const Proposal& proposal, const std::vector<std::uint32_t>& choice) {
  if (choice.empty()) return json_text(std::string(kAbstain));
  JsonValue::Array names;
  for (const std::uint32_t option : choice)
    names.push_back(json_text(proposal.options[option].name));
  return {std::move(names)};
}

namespace {

JsonValue json_of_weight(std::uint64_t weight) {
  return {JsonValue::Number{fmt::format("{}", static_cast<double>(weight) / 1000.0)}};
}

// Of options: what each came to.
Object tally_of(const Proposal& proposal) {
  const ChoiceTally sum =
      tally(proposal.rule, proposal.method, static_cast<std::uint32_t>(proposal.options.size()),
            proposal.electorate, proposal.choices);
  Object counted{{"all", json_of_weight(sum.all)},
                 {"abstain", json_of_weight(sum.abstained)},
                 {"missing", json_of_weight(sum.missing)}};
  Object scores;
  for (std::size_t option = 0; option < sum.scores.size(); ++option)
    scores[proposal.options[option].name] = json_of_weight(sum.scores[option]);
  counted["options"] = {std::move(scores)};
  if (sum.finalists)
    counted["runoff"] = {Object{
        {proposal.options[sum.finalists->first].name, json_of_weight(sum.final_scores.first)},
        {proposal.options[sum.finalists->second].name, json_of_weight(sum.final_scores.second)}}};
  return counted;
}

// Without options.
Object plain_tally_of(const Proposal& proposal) {
  const BallotTally sum = tally(proposal.rule, proposal.electorate, proposal.votes);
  Object counted{{"all", json_of_weight(sum.all)},
                 {"for", json_of_weight(sum.in_favour)},
                 {"against", json_of_weight(sum.against)},
                 {"abstain", json_of_weight(sum.abstained)},
                 {"missing", json_of_weight(sum.missing)}};
  if (proposal.rule.groups_least > 0) counted["groups"] = json_number(sum.groups);
  return counted;
}

JsonValue json_of(const SignedVote& vote) {
  Object metadata;
  for (const auto& [name, text] : vote.metadata) metadata[name] = json_text(text);
  Object out{{"vote", json_text(vote.vote)},
             {"incarnation", json_text(to_hex(vote.incarnation.value()))},
             {"seq", json_number(vote.seq.value())},
             {"signature", json_text(hex_of({reinterpret_cast<const char*>(vote.signature.data()),
                                             vote.signature.size()}))}};
  if (!metadata.empty()) out["metadata"] = {std::move(metadata)};
  return {std::move(out)};
}

Result<SignedVote> signed_vote_of(const JsonValue& value) {
  const Object* object = value.object();
  if (object == nullptr) return failed(Code::kRejected, "a signed vote: expected an object");
  const DocumentFields fields("a signed vote", *object);
  SignedVote vote;
  std::string incarnation;
  std::string signature;
  std::uint64_t seq = 0;
  for (const auto& read :
       {fields.read_text("vote", 64, vote.vote), fields.read_text("incarnation", 16, incarnation),
        fields.read_text("signature", 2 * sizeof(Signature), signature),
        fields.read_whole("seq", 1, std::int64_t{1} << 53, seq)})
    if (!read) return std::unexpected(read.error());
  std::array<std::uint8_t, 8> number{};
  if (!from_hex(incarnation, number) || !from_hex(signature, vote.signature))
    return failed(Code::kRejected, "a signed vote: expected hexadecimal digits");
  std::uint64_t bits = 0;
  for (const std::uint8_t byte : number) bits = bits << 8 | byte;
  vote.incarnation = Incarnation(bits);
  vote.seq = Seq(seq);
  if (const JsonValue* metadata = fields.find("metadata"); metadata && metadata->object())
    for (const auto& [name, text] : *metadata->object())
      if (text.text() != nullptr) vote.metadata[name] = *text.text();
  return vote;
}

Status read_signed_votes(const DocumentFields& fields, Proposal& proposal) {
  if (const JsonValue* votes = fields.find("signed_votes"); votes && votes->object())
    for (const auto& [agent, value] : *votes->object()) {
      Result<SignedVote> vote = signed_vote_of(value);
      if (!vote) return std::unexpected(std::move(vote.error()));
      proposal.signed_votes.emplace(AgentId(agent), *std::move(vote));
    }
  if (const JsonValue* liars = fields.find("equivocators"); liars && liars->object())
    for (const auto& [agent, value] : *liars->object()) {
      const JsonValue::Array* both = value.array();
      if (both == nullptr || both->size() != 2)
        return fields.wrong("equivocators", "two votes of each", value);
      Result<SignedVote> first = signed_vote_of(both->front());
      Result<SignedVote> second = signed_vote_of(both->back());
      if (!first) return std::unexpected(std::move(first.error()));
      if (!second) return std::unexpected(std::move(second.error()));
      proposal.equivocators.emplace(AgentId(agent),
                                    std::pair{*std::move(first), *std::move(second)});
    }
  return {};
}

}  // namespace

bool verifies(const SigningKey& key, const SwarmId& swarm, std::string_view proposal,
              const AgentId& voter, const SignedVote& vote) {
  const Writer writer{voter, vote.incarnation, vote.seq};
  return verifies(key,
                  bytes_to_sign(swarm, vote_key(proposal, voter), writer,
                                Register{ContentType::kText, vote.vote}, vote.metadata),
                  vote.signature);
}

std::string to_json(const Proposal& proposal) {
  Object out;
  out["title"] = json_text(proposal.title);
  if (proposal.body) out["body"] = *proposal.body;
  const BallotRule& rule = proposal.rule;
  out["threshold"] = json_of_thousandths(rule.threshold_permille);
  out["of"] = json_text(rule.of_cast ? "cast" : "electorate");
  if (rule.participation_permille > 0)
    out["participation"] = json_of_thousandths(rule.participation_permille);
  if (rule.groups_least > 0) out["groups"] = json_number(rule.groups_least);
  if (rule.group_cap_permille < 1000) out["cap"] = json_of_thousandths(rule.group_cap_permille);
  out["changes"] = {rule.changes};
  if (rule.faults) out["byzantine"] = json_number(*rule.faults);
  out["timeout_ms"] = json_number(proposal.timeout_millis);
  Object electorate;
  for (const auto& [agent, voter] : proposal.electorate) {
    Object facts;
    if (voter.weight != 1'000) facts["weight"] = json_of_thousandths(voter.weight);
    if (!voter.group.empty()) facts["label"] = json_text(voter.group);
    electorate[agent.value()] = {std::move(facts)};
  }
  out["electorate"] = {std::move(electorate)};
  if (!proposal.roles.empty()) out["roles"] = json_texts(proposal.roles);
  if (!proposal.writes.empty()) out["writes"] = json_of(proposal.writes);
  if (!proposal.options.empty()) {
    JsonValue::Array options;
    for (const ProposalOption& option : proposal.options)
      options.push_back(option.writes.empty()
                            ? json_text(option.name)
                            : JsonValue{Object{{"name", json_text(option.name)},
                                               {"writes", json_of(option.writes)}}});
    out["options"] = {std::move(options)};
    out["method"] = json_text(std::string(to_text(proposal.method)));
  }
  if (!proposal.supersedes.empty()) out["supersedes"] = json_text(proposal.supersedes);
  out["by"] = json_text(proposal.by.value());
  out["opened_at"] = json_number(proposal.opened_wall_millis);
  out["state"] = json_text(std::string(to_text(proposal.state)));
  if (!proposal.equivocators.empty()) {
    Object liars;
    for (const auto& [agent, both] : proposal.equivocators)
      liars[agent.value()] = {JsonValue::Array{json_of(both.first), json_of(both.second)}};
    out["equivocators"] = {std::move(liars)};
  }
  if (proposal.state == BallotState::kOpen) return to_json(JsonValue{std::move(out)});

  out["closed_at"] = json_number(proposal.closed_wall_millis);
  out["tally"] = {proposal.options.empty() ? plain_tally_of(proposal) : tally_of(proposal)};
  Object votes;
  for (const auto& [agent, stance] : proposal.votes)
    votes[agent.value()] = json_text(std::string(to_text(stance)));
  for (const auto& [agent, choice] : proposal.choices)
    votes[agent.value()] = json_of(proposal, choice);
  out["votes"] = {std::move(votes)};
  if (!proposal.reasons.empty()) {
    Object reasons;
    for (const auto& [agent, reason] : proposal.reasons) reasons[agent.value()] = json_text(reason);
    out["reasons"] = {std::move(reasons)};
  }
  if (proposal.chosen) out["chosen"] = json_text(proposal.options[*proposal.chosen].name);
  if (!proposal.refused.empty()) {
    Object refused;
    for (const auto& [agent, why] : proposal.refused) refused[agent.value()] = json_text(why);
    out["refused"] = {std::move(refused)};
  }
  if (!proposal.signed_votes.empty()) {
    Object votes_with_proof;
    for (const auto& [agent, vote] : proposal.signed_votes)
      votes_with_proof[agent.value()] = json_of(vote);
    out["signed_votes"] = {std::move(votes_with_proof)};
  }
  if (proposal.applied) out["applied"] = {*proposal.applied};
  if (!proposal.not_applied.empty()) out["not_applied"] = json_text(proposal.not_applied);
  return to_json(JsonValue{std::move(out)});
}

Result<Proposal> recover_proposal(std::string_view id, std::string_view json) {
  const Result<Object> object = document_object(kWhat, json);
  if (!object) return std::unexpected(object.error());
  const DocumentFields fields(kWhat, *object);
  Result<Proposal> proposal = read_given(id, fields);
  if (!proposal) return proposal;
  std::string by;
  std::string state;
  const std::int64_t latest = std::int64_t{1} << 53;
  for (const auto& read :
       {fields.read_text("by", 2 * limits::kIdBytes, by), fields.read_text("state", 16, state),
        fields.read_whole("opened_at", 0, latest, proposal->opened_wall_millis),
        fields.read_whole("closed_at", 0, latest, proposal->closed_wall_millis)})
    if (!read) return std::unexpected(read.error());
  proposal->by = AgentId(by);
  if (Status read = read_signed_votes(fields, *proposal); !read)
    return std::unexpected(std::move(read.error()));
  const Result<BallotState> known = ballot_state_of(state);
  if (!known) return std::unexpected(known.error());
  proposal->state = *known;
  std::string chosen;
  if (Status read = fields.read_text("chosen", limits::kIdBytes, chosen); !read)
    return std::unexpected(std::move(read.error()));
  const auto option = std::ranges::find(proposal->options, chosen, &ProposalOption::name);
  if (option != proposal->options.end())
    proposal->chosen = static_cast<std::uint32_t>(option - proposal->options.begin());
  return proposal;
}

}  // namespace waggle
