#include "tests/sim/decision_truth.h"

#include <fmt/format.h>

namespace waggle::sim {

void DecisionTruth::take(const Key& key, const Record& record, const Found& found) {
  if (key.value().starts_with(kVoteKeys)) return take_vote(key, record, found);
  const std::string id = key.value().substr(kProposalKeys.size());
  const std::optional<Register> document = register_of(&record);
  if (!document) {
    if (open_.contains(id)) found("decisions", fmt::format("the open proposal {} is gone", id));
    closed_.erase(id);
    votes_.erase(id);
    choices_.erase(id);
    return;
  }
  Result<Proposal> proposal = recover_proposal(id, document->bytes);
  if (!proposal) {
    found("decisions", fmt::format("the proposal {} can't be read: {}", id, proposal.error().text));
    return;
  }
  if (const auto closed = closed_.find(id); closed != closed_.end()) {
    found("decisions",
          fmt::format("{} has another outcome: {} after {}", id, document->bytes, closed->second));
  } else if (proposal->state == BallotState::kOpen) {
    if (!open_.emplace(id, *std::move(proposal)).second)
      found("decisions", fmt::format("{} was opened twice", id));
  } else {
    take_outcome(*proposal, record, found);
    open_.erase(id);
    closed_[id] = document->bytes;
  }
}

void DecisionTruth::take_vote(const Key& key, const Record& record, const Found& found) {
  const std::string rest = key.value().substr(kVoteKeys.size());
  const std::string id = rest.substr(0, rest.find('/'));
  const AgentId agent(rest.substr(id.size() + 1));
  const std::optional<Register> word = register_of(&record);
  if (!word) {
    votes_[id].erase(agent);
    choices_[id].erase(agent);
    return;
  }
  const auto open = open_.find(id);
  bool counts = open != open_.end() && record.writer.agent == agent &&
                open->second.electorate.contains(agent);
  if (counts && open->second.options.empty()) {
    const Result<Stance> stance = stance_of(word->bytes);
    counts = stance.has_value();
    if (stance) votes_[id].insert_or_assign(agent, *stance);
  } else if (counts) {
    Result<std::vector<std::uint32_t>> choice = choice_of(open->second, *word);
    counts = choice.has_value();
    if (choice) choices_[id].insert_or_assign(agent, *std::move(choice));
  }
  if (!counts)
    found("decisions",
          fmt::format("{} counts as a vote by {}", key.value(), record.writer.agent.value()));
}

void DecisionTruth::take_outcome(const Proposal& closed, const Record& record, const Found& found) {
  const auto open = open_.find(closed.id);
  if (open == open_.end()) {
    found("decisions", fmt::format("{} has an outcome, and was never open", closed.id));
    return;
  }
  const Proposal& proposal = open->second;
  const Votes& votes = votes_[closed.id];
  const Choices& choices = choices_[closed.id];
  const auto is = [&](bool over) {
    if (proposal.options.empty())
      return decide(proposal.rule, proposal.electorate, votes, over) == closed.state;
    const auto options = static_cast<std::uint32_t>(proposal.options.size());
    return decide(proposal.rule, proposal.method, options, proposal.electorate, choices, over) ==
           ChoiceOutcome{closed.state, closed.chosen};
  };
  const bool withdrawn =
      closed.state == BallotState::kCancelled || closed.state == BallotState::kSuperseded;
  if (!withdrawn && !is(false) && !is(true))
    found("decisions", fmt::format("{} is {}, which its {} votes don't give", closed.id,
                                   to_text(closed.state), votes.size() + choices.size()));
  const Result<JsonValue> document = parse_json_document(register_of(&record)->bytes);
  const JsonValue::Object& told = *document->object();
  const JsonValue::Object& counted = *told.at("votes").object();
  bool equal = counted.size() == votes.size() + choices.size();
  for (const auto& [agent, choice] : choices) {
    const auto one = counted.find(agent.value());
    equal = equal && one != counted.end() && one->second == json_of(proposal, choice);
  }
  for (const auto& [agent, stance] : votes) {
    const auto one = counted.find(agent.value());
    equal = equal && one != counted.end() && *one->second.text() == to_text(stance);
  }
  if (!equal) found("decisions", fmt::format("{} counts other votes than there were", closed.id));
  const auto flag = told.find("applied");
  const bool applied = flag != told.end() && std::get<bool>(flag->second.content);
  const auto writes = applied_.find(closed.id);
  const bool written = writes != applied_.end() && writes->second.at == record.version;
  if (applied != written)
    found("decisions",
          fmt::format("{} says {} of what it wrote", closed.id, applied ? "too much" : "nothing"));
  if (!applied || !written) return;
  if (closed.state != BallotState::kApproved)
    found("decisions", fmt::format("{} is {}, and wrote", closed.id, to_text(closed.state)));
  const std::vector<ProposedWrite> proposed = writes_of(proposal, closed.chosen);
  bool whole = writes->second.writes.size() == proposed.size();
  for (const ProposedWrite& write : proposed) {
    const auto one = writes->second.writes.find(write.key);
    whole = whole && one != writes->second.writes.end() && one->second == write.value;
  }
  if (!whole) found("decisions", fmt::format("{} did not write what was proposed", closed.id));
}

void DecisionTruth::take_write(const Key& key, const Record& record, const Found& found) {
  const auto proposal = record.metadata.find("proposal");
  const bool proposed =
      record.writer.agent == AgentId(kCoordinatorName) && proposal != record.metadata.end();
  if (!proposed) {
    if (key.value().starts_with(kBoundKeys))
      found("decisions", fmt::format("{}@{} was written without a proposal", key.value(),
                                     record.version.value()));
    return;
  }
  const auto [applied, fresh] = applied_.try_emplace(proposal->second, Applied{record.version, {}});
  if (applied->second.at != record.version)
    found("decisions", fmt::format("{} wrote twice", proposal->second));
  if (const std::optional<Register> value = register_of(&record))
    applied->second.writes[key] = *value;
}

void DecisionTruth::clear() {
  open_.clear();
  closed_.clear();
  votes_.clear();
  choices_.clear();
  applied_.clear();
}

}  // namespace waggle::sim
