#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <waggle/agent.h>
#include <waggle/consensus.h>

#include "base/limits.h"
#include "coordinator/proposal.h"
#include "include/lib/convert.h"
#include "include/lib/proposal_view.h"
#include "include/lib/proposed_values.h"
#include "io/random.h"

namespace waggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAnswer = std::chrono::seconds(10);
constexpr milliseconds kGrace = std::chrono::seconds(5);  // for the outcome behind its time
constexpr milliseconds kLook(5);

const std::map<std::string, VotingRule, std::less<>>& built_in() {
  static const std::map<std::string, VotingRule, std::less<>> kRules = {
      {"quorum", {}},
      {"supermajority", {.threshold = 0.66}},
      {"strong", {.threshold = 0.75}},
      {"unanimous", {.threshold = 1}},
      {"cast", {.of_cast = true, .participation = 0.5}},
      {"independent", {.groups = 2}}};
  return kRules;
}

Result<JsonValue> share(std::string_view name, double value, double most = 1) {
  if (!std::isfinite(value) || value < 0 || value > most)
    return failed(Code::kRejected,
                  fmt::format("{}: expected a number from 0 to {}, got {}", name, most, value));
  return JsonValue{JsonValue::Number{fmt::format("{}", value)}};
}

// The document of a draft. Errors: kRejected.
Result<std::string> document_of(const ProposalDraft& draft, const VotingRule& rule,
                                milliseconds open_for) {
  JsonValue::Object out;
  out["title"] = {draft.title};
  if (!draft.body_json.empty()) {
    Result<JsonValue> body = parse_json_document(draft.body_json);
    if (!body) return std::unexpected(std::move(body.error()));
    out["body"] = *std::move(body);
  }
  for (const auto& [name, value] :
       {std::pair{"threshold", rule.threshold}, std::pair{"participation", rule.participation},
        std::pair{"cap", rule.group_cap}}) {
    Result<JsonValue> number = share(name, value);
    if (!number) return std::unexpected(std::move(number.error()));
    out[name] = *std::move(number);
  }
  out["of"] = {std::string(rule.of_cast ? "cast" : "electorate")};
  out["groups"] = {JsonValue::Number{fmt::to_string(rule.groups)}};
  out["changes"] = {!rule.final_votes};
  if (rule.byzantine_faults)
    out["byzantine"] = {JsonValue::Number{fmt::to_string(*rule.byzantine_faults)}};
  out["timeout_ms"] = {JsonValue::Number{fmt::to_string(open_for.count())}};
  JsonValue::Array options;
  for (const ProposedOption& option : draft.options) {
    JsonValue::Object one{{"name", json_text(option.name)}};
    if (!option.writes.empty()) {
      Result<JsonValue> writes = writes_of(option.writes);
      if (!writes) return std::unexpected(std::move(writes.error()));
      one["writes"] = *std::move(writes);
    }
    options.push_back({std::move(one)});
  }
  if (!options.empty()) {
    out["options"] = {std::move(options)};
    out["method"] = json_text(std::string(to_text(static_cast<ChoiceMethod>(draft.choose_by))));
  }
  if (!draft.supersedes.empty()) out["supersedes"] = {draft.supersedes};
  if (!draft.electorate.empty()) out["electorate"] = json_texts(draft.electorate);
  if (!draft.roles.empty()) out["roles"] = json_texts(draft.roles);
  JsonValue::Object weights;
  for (const auto& [agent, weight] : draft.weights) {
    Result<JsonValue> number = share("weights", weight, limits::kVoteWeight);
    if (!number) return std::unexpected(std::move(number.error()));
    weights[agent] = *std::move(number);
  }
  if (!weights.empty()) out["weights"] = {std::move(weights)};
  JsonValue::Object labels;
  for (const auto& [agent, label] : draft.labels) labels[agent] = {label};
  if (!labels.empty()) out["labels"] = {std::move(labels)};
  if (!draft.writes.empty()) {
    Result<JsonValue> writes = writes_of(draft.writes);
    if (!writes) return std::unexpected(std::move(writes.error()));
    out["writes"] = *std::move(writes);
  }
  return to_json(JsonValue{std::move(out)});
}

}  // namespace

std::string_view name_of(Vote vote) {
  return to_text(static_cast<Stance>(vote));
}

std::string_view name_of(ProposalState state) {
  return to_text(static_cast<BallotState>(state));
}

std::optional<ProposalView> view_of(const StateItem& item) {
  if (!item.exists || !item.key.starts_with(kProposalKeys)) return std::nullopt;
  const std::string id = item.key.substr(kProposalKeys.size());
  const Result<Proposal> proposal = recover_proposal(id, item.bytes);
  const Result<JsonValue> document = parse_json_document(item.bytes);
  if (!proposal || !document) return std::nullopt;
  ProposalView view{.id = id,
                    .title = proposal->title,
                    .body_json = proposal->body ? to_json(*proposal->body) : "",
                    .by = proposal->by.value(),
                    .state = static_cast<ProposalState>(proposal->state),
                    .version = item.version};
  for (const auto& [agent, voter] : proposal->electorate) view.electorate.push_back(agent.value());
  const JsonValue::Object& fields = *document->object();
  if (const auto votes = fields.find("votes"); votes != fields.end() && votes->second.object())
    for (const auto& [agent, word] : *votes->second.object())
      if (const Result<Stance> stance = stance_of(word.text() ? *word.text() : ""); stance)
        view.votes[agent] = static_cast<Vote>(*stance);
  for (const ProposalOption& option : proposal->options) view.options.push_back(option.name);
  view.choose_by = static_cast<ChooseBy>(proposal->method);
  if (proposal->chosen) view.chosen = view.options[*proposal->chosen];
  if (const auto votes = fields.find("votes");
      !view.options.empty() && votes != fields.end() && votes->second.object())
    for (const auto& [agent, choice] : *votes->second.object()) {
      std::vector<std::string>& names = view.choices[agent];
      if (choice.array() == nullptr) continue;  // it abstained
      for (const JsonValue& name : *choice.array())
        if (name.text() != nullptr) names.push_back(*name.text());
    }
  if (const auto applied = fields.find("applied"); applied != fields.end())
    if (const bool* flag = std::get_if<bool>(&applied->second.content)) view.applied = *flag;
  if (const auto why = fields.find("not_applied"); why != fields.end() && why->second.text())
    view.not_applied = *why->second.text();
  return view;
}

Register choice_value(const std::vector<std::string>& options) {
  if (options.empty()) return {ContentType::kText, std::string(to_text(Stance::kAbstain))};
  return {ContentType::kJson, to_json(json_texts(options))};
}

void ProposalAnswers::look(const StateChange& change) {
  SwarmAgent* agent = agent_;
  if (agent == nullptr) return;
  for (const StateItem& item : change.items) {
    if (!item.key.starts_with(kProposalKeys)) continue;
    const std::optional<ProposalView> view = view_of(item);
    const std::string id = item.key.substr(kProposalKeys.size());
    if (!view || view->state != ProposalState::kOpen) {
      asked_.erase(id);
      continue;
    }
    if (std::ranges::find(view->electorate, self_) == view->electorate.end()) continue;
    if (!asked_.insert(id).second) continue;
    const std::string key = vote_key(id, AgentId(self_)).value();
    if (view->options.empty() && on_proposal_) {
      if (const std::optional<Vote> vote = on_proposal_(*view))
        static_cast<void>(agent->put(key, name_of(*vote)));
    } else if (!view->options.empty() && on_choice_) {
      const auto choice = on_choice_(*view);
      if (!choice) continue;
      const Register value = choice_value(*choice);
      static_cast<void>(value.content == ContentType::kJson ? agent->put_json(key, value.bytes)
                                                            : agent->put(key, value.bytes));
    }
  }
}

// ---- the manager -------------------------------------------------------------------------------

ConsensusManager::ConsensusManager(SwarmAgent& agent) : agent_(agent), algorithms_(built_in()) {}
ConsensusManager::~ConsensusManager() = default;

Expected<WriteResult> ConsensusManager::put(
    const std::string& key, std::string_view text, bool json,
    const std::map<std::string, std::string>& metadata) const {
  WriteGroup group;
  if (json) {
    group.put_json(key, text);
  } else {
    group.put(key, text);
  }
  for (const auto& [name, value] : metadata) group.metadata(name, value);
  return agent_.commit(group, kAnswer);
}

Expected<std::string> ConsensusManager::propose(const ProposalDraft& proposal,
                                                const VotingRule& rule, milliseconds open_for) {
  const std::string id = proposal.id.empty() ? to_hex(random_seed()) : proposal.id;
  Result<std::string> document = document_of(proposal, rule, open_for);
  if (!document) return failure_of(document);
  if (Result<Proposal> read = read_proposal(id, *document); !read) return failure_of(read);
  if (const Expected<void> written = outcome_of(put(proposal_key(id).value(), *document, true, {}));
      !written)
    return std::unexpected(written.error());
  return id;
}

Expected<ProposalView> ConsensusManager::request_consensus(const ProposalDraft& proposal,
                                                           std::string_view algorithm,
                                                           milliseconds timeout) {
  VotingRule rule;
  {
    const std::lock_guard lock(mutex_);
    const auto found = algorithms_.find(algorithm);
    if (found == algorithms_.end())
      return failure(StatusCode::kRejected,
                     fmt::format("there is no algorithm '{}'; register it first", algorithm));
    rule = found->second;
    ++stats_[std::string(algorithm)].requested;
  }
  const auto began = steady_clock::now();
  Expected<std::string> id = propose(proposal, rule, timeout);
  if (!id) return std::unexpected(std::move(id.error()));
  Expected<ProposalView> decided = wait_decided(*id, timeout + kGrace);
  if (!decided) return decided;
  const std::lock_guard lock(mutex_);
  AlgorithmStats& stats = stats_[std::string(algorithm)];
  ++stats.outcomes[decided->state];
  stats.waited += std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  return decided;
}

Expected<void> ConsensusManager::record_vote(std::string_view id, Vote vote,
                                             const std::map<std::string, std::string>& metadata) {
  if (const Status shape = check_proposal_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  return outcome_of(
      put(vote_key(id, AgentId(agent_.id())).value(), name_of(vote), false, metadata));
}

Expected<void> ConsensusManager::record_choice(std::string_view id,
                                               const std::vector<std::string>& options,
                                               const std::map<std::string, std::string>& metadata) {
  if (const Status shape = check_proposal_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  const Register value = choice_value(options);
  return outcome_of(put(vote_key(id, AgentId(agent_.id())).value(), value.bytes,
                        value.content == ContentType::kJson, metadata));
}

Expected<void> ConsensusManager::cancel(std::string_view id) {
  if (const Status shape = check_proposal_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  return outcome_of(agent_.commit(WriteGroup().erase(proposal_key(id).value()), kAnswer));
}

Expected<ProposalView> ConsensusManager::proposal(std::string_view id) const {
  if (const Status shape = check_proposal_id(id); !shape)
    return std::unexpected(to_failure(shape.error()));
  Expected<StateItem> item = agent_.get(proposal_key(id).value());
  if (!item) return std::unexpected(std::move(item.error()));
  if (std::optional<ProposalView> view = view_of(*item)) return *std::move(view);
  return failure(StatusCode::kNotFound, fmt::format("there is no proposal '{}'", id));
}

Expected<std::vector<ProposalView>> ConsensusManager::open_proposals() const {
  Expected<ItemList> list = agent_.list(fmt::format("{}*", kProposalKeys));
  if (!list) return std::unexpected(std::move(list.error()));
  std::vector<ProposalView> open;
  for (const StateItem& item : list->items)
    if (std::optional<ProposalView> view = view_of(item);
        view && view->state == ProposalState::kOpen)
      open.push_back(*std::move(view));
  return open;
}

Expected<ProposalView> ConsensusManager::wait_decided(std::string_view id,
                                                      milliseconds timeout) const {
  const auto deadline = steady_clock::now() + timeout;
  while (true) {
    Expected<ProposalView> view = proposal(id);
    // Until the copy has what was just committed.
    const bool absent = !view && view.error().code == StatusCode::kNotFound;
    if (!absent && (!view || view->state != ProposalState::kOpen)) return view;
    if (steady_clock::now() >= deadline) {
      if (absent) return view;
      return failure(StatusCode::kTimeout, fmt::format("the proposal '{}' is open still", id));
    }
    std::this_thread::sleep_for(kLook);
  }
}

Expected<void> ConsensusManager::register_algorithm(std::string name, VotingRule rule) {
  if (name.empty() || built_in().contains(name))
    return failure(StatusCode::kRejected,
                   fmt::format("'{}' is no name for an algorithm of one's own", name));
  Result<std::string> document =
      document_of({.title = "as it would be"}, rule, std::chrono::seconds(30));
  if (!document) return failure_of(document);
  if (Result<Proposal> read = read_proposal("x", *document); !read) return failure_of(read);
  const std::lock_guard lock(mutex_);
  algorithms_.insert_or_assign(std::move(name), rule);
  return {};
}

std::map<std::string, ConsensusManager::AlgorithmStats> ConsensusManager::get_algorithm_stats()
    const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace waggle
