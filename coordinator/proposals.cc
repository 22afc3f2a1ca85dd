// Proposals: opened, voted on, decided, closed; and writes that need one.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "coordinator/coordinator.h"
#include "coordinator/signed_record.h"

namespace waggle {
namespace {

// Of a key kVoteKeys: the id of the proposal and who votes.
std::pair<std::string_view, std::string_view> parts_of_vote(std::string_view key) {
  const std::string_view rest = key.substr(kVoteKeys.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return {rest, {}};
  return {rest.substr(0, slash), rest.substr(slash + 1)};
}

// Nothing: it is another operation.
std::optional<Register> register_put(const Op& op) {
  const auto* put = std::get_if<PutOp>(&op);
  if (put == nullptr || put->type != ValueType::kRegister) return std::nullopt;
  return Register{put->content, put->bytes};
}

// "for" as text, or as a JSON string.
std::string_view word_of(const Register& value) {
  std::string_view word = value.bytes;
  if (value.content == ContentType::kJson && word.size() >= 2 && word.front() == '"')
    word = word.substr(1, word.size() - 2);
  return word;
}

// Of a record that is a vote. REQUIRES: a register with a signature.
SignedVote signed_vote_of(const Record& record) {
  return {record.writer.incarnation, record.writer.seq, std::get<Register>(*record.value).bytes,
          record.metadata, *record.signature};
}

}  // namespace

Outcome Coordinator::decision_refused(const Swarm& swarm, const Key& key, Code code, Reason reason,
                                      std::string text) {
  count("decisions_refused");
  Outcome outcome;
  outcome.code = code;
  outcome.reason = reason;
  outcome.revision = swarm.state.head();
  outcome.key = key;
  outcome.text = std::move(text);
  return outcome;
}

// A mutation of one entry of which the key is a proposal's or a vote's.
Outcome Coordinator::step_decision(Swarm& swarm, const Session& session, const Entry& entry,
                                   const Author& author) {
  const std::string& key = entry.key.value();
  if (key.starts_with(kVoteKeys)) return vote(swarm, session, entry, author);
  const std::string_view id = std::string_view(key).substr(kProposalKeys.size());
  if (std::holds_alternative<DeleteOp>(entry.op)) return cancel_proposal(swarm, entry, id, author);
  return propose(swarm, session, entry, id, author);
}

Outcome Coordinator::propose(Swarm& swarm, const Session& session, const Entry& entry,
                             std::string_view id, const Author& author) {
  const auto refused = [&](Code code, Reason reason, std::string text) {
    return decision_refused(swarm, entry.key, code, reason, std::move(text));
  };
  const std::optional<Register> given = register_put(entry.op);
  if (!given)
    return refused(Code::kRejected, Reason::kTypeMismatch,
                   "a proposal is put as one JSON document, and cancelled by deleting it");
  if (given->bytes.size() > limits::kProposalBytes)
    return refused(Code::kRejected, Reason::kTooLarge,
                   fmt::format("the proposal has {} bytes, at most {} are allowed; put what is "
                               "large under a key of its own and name that",
                               given->bytes.size(), limits::kProposalBytes));
  Result<Proposal> read = read_proposal(id, given->bytes);
  if (!read) return refused(Code::kRejected, Reason::kInvalid, std::move(read.error().text));
  if (std::optional<Outcome> denied = not_allowed(swarm, session, entry.key, read->writes))
    return *std::move(denied);
  for (const ProposalOption& option : read->options)
    if (std::optional<Outcome> denied = not_allowed(swarm, session, entry.key, option.writes))
      return *std::move(denied);
  if (const RecordPtr standing = swarm.state.find(entry.key); standing && standing->live()) {
    Outcome outcome = refused(Code::kConflict, Reason::kNone,
                              fmt::format("there is a proposal '{}' already", id));
    outcome.conflict = ConflictKind::kVersionMismatch;
    outcome.committed = standing;
    return outcome;
  }
  if (swarm.proposals.size() >= limits::kProposals)
    return refused(
        Code::kRejected, Reason::kTooMany,
        fmt::format("{} proposals are open in this swarm, which is the limit; wait until "
                    "some are decided",
                    swarm.proposals.size()));
  Proposal proposal = *std::move(read);
  proposal.by = public_name(session.agent);
  proposal.opened_wall_millis = now_.wall_millis;
  if (Status fixed = fix_electorate(swarm, proposal); !fixed)
    return refused(Code::kRejected, Reason::kInvalid, std::move(fixed.error().text));
  if (Status enough = check_electorate(proposal.rule, proposal.electorate); !enough)
    return refused(Code::kRejected, Reason::kInvalid, std::move(enough.error().text));
  if (std::optional<std::string> wrong = against_policy(proposal))
    return refused(Code::kDenied, Reason::kNeedsProposal, *std::move(wrong));

  std::vector<Change> changes;
  if (!proposal.supersedes.empty()) {
    const auto earlier = swarm.proposals.find(proposal.supersedes);
    if (earlier == swarm.proposals.end() || earlier->second.proposal.by != proposal.by)
      return refused(Code::kRejected, Reason::kInvalid,
                     fmt::format("'{}' is no open proposal of this proposer, so it can't be "
                                 "superseded",
                                 proposal.supersedes));
    close_into(swarm, earlier, BallotState::kSuperseded, changes);
  }
  changes.push_back(
      {entry.key,
       record_of_own(swarm, Register{ContentType::kJson, to_json(proposal)}, entry.metadata)});
  commit(swarm, std::move(changes), {}, {author.agent, author.incarnation, author.seq});
  count("proposals_opened");
  const Instant closes = now_.monotonic + Millis{proposal.timeout_millis};
  const auto open =
      swarm.proposals.insert_or_assign(std::string(id), OpenProposal{std::move(proposal), closes})
          .first;
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.changed = true;
  outcome.revision = swarm.state.head();
  judge_proposal(swarm, open, false);  // nobody may vote, say
  return outcome;
}

// Who has one of the roles, or who is attached now, where nobody was named. Errors: kRejected for a
// role that there is not.
Status Coordinator::fix_electorate(const Swarm& swarm, Proposal& proposal) const {
  if (!proposal.of_members) return {};
  const Electorate facts = std::exchange(proposal.electorate, {});
  for (const std::string& name : proposal.roles) {
    const VotingRole* role = options_.policies.role(name);
    if (role == nullptr)
      return failed(Code::kRejected,
                    fmt::format("proposal: \"roles\": there is no role '{}'; the coordinator's "
                                "configuration has {}",
                                name, options_.policies.role_names()));
    for (const AgentId& agent : role->agents) {
      const auto known = facts.find(agent);
      Voter& voter = proposal.electorate
                         .try_emplace(agent, Voter{0, known == facts.end() ? std::string()
                                                                           : known->second.group})
                         .first->second;
      voter.weight = std::max(voter.weight, role->weight);
    }
  }
  if (!proposal.roles.empty()) return {};
  for (const Session* session : sessions_.of_swarm(swarm.state.id())) {
    const Health health = sessions_.health(*session, now_.monotonic);
    if (session->role != Role::kMember || !session->attached ||
        (health != Health::kHealthy && health != Health::kDegraded))
      continue;
    const auto known = facts.find(session->agent);
    proposal.electorate.emplace(session->agent,
                                known == facts.end() ? Voter{1'000, {}} : known->second);
  }
  return {};
}

// Of the rules of the keys that it would write. Nothing: it fits them.
std::optional<std::string> Coordinator::against_policy(const Proposal& proposal) const {
  std::vector<ProposedWrite> writes = proposal.writes;
  for (const ProposalOption& option : proposal.options)
    writes.insert(writes.end(), option.writes.begin(), option.writes.end());
  for (const ProposedWrite& write : writes) {
    if (std::optional<std::string> text = no_register_by_policy(write.key)) return text;
    const Policy& policy = options_.policies.of(write.key.value());
    if (policy.vote_permille == 0) continue;
    if (!policy.voters.empty()) {
      const bool same = std::ranges::equal(
          proposal.electorate, policy.voters, {}, [](const auto& entry) { return entry.first; },
          [](const AgentId& name) { return name; });
      if (!same)
        return fmt::format(
            "the policy of '{}' names who votes: {}; the proposal has another "
            "electorate",
            policy.prefix, joined(policy.voters));
    } else if (!proposal.of_members || !proposal.roles.empty()) {
      return fmt::format(
          "the policy of '{}' wants all members to vote; name no electorate and no "
          "roles",
          policy.prefix);
    }
    const std::size_t voters = proposal.electorate.size();
    if (proposal.rule.faults &&
        !at_least(voices_needed(*proposal.rule.faults, voters), voters, policy.vote_permille))
      return fmt::format(
          "the policy of '{}' wants at least {} of 1000 of the electorate; with {} "
          "liars among {} voters {} would do",
          policy.prefix, policy.vote_permille, *proposal.rule.faults, voters,
          voices_needed(*proposal.rule.faults, voters));
    if (!proposal.rule.faults &&
        (proposal.rule.of_cast || proposal.rule.threshold_permille < policy.vote_permille))
      return fmt::format(
          "the policy of '{}' wants at least {} of 1000 of the electorate; the "
          "proposal asks for {}{}",
          policy.prefix, policy.vote_permille, proposal.rule.threshold_permille,
          proposal.rule.of_cast ? " of the votes cast" : "");
    if (proposal.rule.group_cap_permille < 1000)
      return fmt::format(
          "the policy of '{}' gives each voter one vote; the proposal caps what a "
          "group counts for",
          policy.prefix);
    for (const auto& [agent, voter] : proposal.electorate)
      if (voter.weight != 1'000)
        return fmt::format(
            "the policy of '{}' gives each voter one vote; the proposal gives {} "
            "another weight",
            policy.prefix, agent.value());
  }
  return std::nullopt;
}

// As it is kept. Errors: kRejected for what is no vote on it.
Result<Register> Coordinator::vote_on(const Proposal& proposal, const Register& given) {
  if (proposal.options.empty()) {
    const Result<Stance> stance = stance_of(word_of(given));
    if (!stance) return std::unexpected(stance.error());
    return Register{ContentType::kText, std::string(to_text(*stance))};
  }
  const Result<std::vector<std::uint32_t>> choice = choice_of(proposal, given);
  if (!choice) return std::unexpected(choice.error());
  if (choice->empty()) return Register{ContentType::kText, std::string(to_text(Stance::kAbstain))};
  return Register{ContentType::kJson, to_json(json_of(proposal, *choice))};
}

// It signed two different votes: both are shown, and neither counts.
Outcome Coordinator::equivocate(Swarm& swarm, OpenProposal& open, const Record& cast,
                                const Entry& entry, const Author& author) {
  Proposal& proposal = open.proposal;
  const auto [known, fresh] = proposal.equivocators.try_emplace(author.agent);
  const std::string text = fmt::format(
      "{} has signed two different votes on '{}': both are shown there, and none counts",
      author.agent.value(), proposal.id);
  if (fresh) {
    count("equivocations");
    const std::optional<Register> second = register_put(entry.op);
    known->second = {
        signed_vote_of(cast),
        {author.incarnation, author.seq, second->bytes, entry.metadata, *entry.signature}};
    note_refusal(swarm.state.id(), author.agent, nullptr, "vote", entry.key.value(), text);
    const Key key = proposal_key(proposal.id);
    commit(swarm,
           {{key, record_of_own(swarm, Register{ContentType::kJson, to_json(proposal)},
                                swarm.state.find(key)->metadata)}},
           {}, {author.agent, author.incarnation, author.seq});
    count_vote(open, author.agent, proposal.electorate.at(author.agent),
               Register{ContentType::kText, std::string(to_text(Stance::kAbstain))});
  }
  Outcome outcome = decision_refused(swarm, entry.key, Code::kDenied, Reason::kVoted, text);
  const auto at = swarm.proposals.find(proposal.id);
  judge_proposal(swarm, at, false);
  return outcome;
}

// REQUIRES: the vote is one of vote_on().
void Coordinator::count_vote(OpenProposal& open, const AgentId& agent, const Voter& voter,
                             const Register& vote) {
  Proposal& proposal = open.proposal;
  if (!proposal.options.empty()) {
    if (Result<std::vector<std::uint32_t>> choice = choice_of(proposal, vote); choice)
      proposal.choices.insert_or_assign(agent, *std::move(choice));
    return;
  }
  const Result<Stance> stance = stance_of(vote.bytes);
  if (!stance) return;
  const auto before = proposal.votes.find(agent);
  open.sums.vote(voter,
                 before == proposal.votes.end() ? std::nullopt : std::optional(before->second),
                 *stance);
  proposal.votes.insert_or_assign(agent, *stance);
}

Outcome Coordinator::vote(Swarm& swarm, const Session& session, const Entry& entry,
                          const Author& author) {
  const auto [id, name] = parts_of_vote(entry.key.value());
  const auto refused = [&](Code code, Reason reason, std::string text) {
    return decision_refused(swarm, entry.key, code, reason, std::move(text));
  };
  const std::optional<Register> given = register_put(entry.op);
  if (!given)
    return refused(Code::kRejected, Reason::kTypeMismatch,
                   "a vote is put as for, against or abstain; it can be changed, not deleted");
  if (session.role != Role::kMember || session.agent.value() != name)
    return refused(
        Code::kDenied, Reason::kNotVoter,
        fmt::format("{} can't vote as '{}': a vote is of the agent whose session it "
                    "comes from",
                    is_client_agent(session.agent) ? "a command" : session.agent.value(), name));
  const auto open = swarm.proposals.find(std::string(id));
  if (open == swarm.proposals.end()) {
    const RecordPtr record = swarm.state.find(proposal_key(id));
    if (!record || !record->live())
      return refused(Code::kRejected, Reason::kInvalid,
                     fmt::format("there is no proposal '{}'", id));
    return refused(Code::kDenied, Reason::kClosed,
                   fmt::format("the proposal '{}' is closed, the vote came late", id));
  }
  Proposal& proposal = open->second.proposal;
  const auto note = [&](std::string why) {
    if (proposal.refused.size() < limits::kRefusedVotes)
      proposal.refused.insert_or_assign(session.agent, why);
    return why;
  };
  const auto voter = proposal.electorate.find(session.agent);
  if (voter == proposal.electorate.end())
    return refused(Code::kDenied, Reason::kNotVoter,
                   note(fmt::format("{} is not in the electorate of '{}', which was fixed when it "
                                    "opened",
                                    session.agent.value(), id)));
  // What it comes to, in one form.
  Result<Register> vote = vote_on(proposal, *given);
  if (!vote) return refused(Code::kRejected, Reason::kInvalid, std::move(vote.error().text));
  if (proposal.rule.faults && (!entry.signature || *vote != *given))
    return refused(Code::kDenied, Reason::kNotSigned,
                   note(fmt::format("the votes on '{}' are signed, and {}", id,
                                    entry.signature ? "this one is no plain for, against or abstain"
                                                    : "this one is not: vote with a key")));
  const RecordPtr cast = swarm.state.find(entry.key);
  const std::optional<Register> before = register_of(cast.get());
  if (before && *before != *vote && proposal.rule.faults)
    return equivocate(swarm, open->second, *cast, entry, author);
  if (before && *before != *vote && !proposal.rule.changes)
    return refused(Code::kDenied, Reason::kVoted,
                   note(fmt::format("{} has voted {} on '{}', where votes can't be changed",
                                    session.agent.value(), before->bytes, id)));
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.revision = swarm.state.head();
  if (before && *before == *vote) return outcome;
  auto record = std::make_shared<Record>();
  record->value = *std::move(vote);
  record->version = swarm.state.head().next();
  record->commit_wall_millis = now_.wall_millis;
  record->hlc = author.hlc;
  record->writer = author.writer();
  record->metadata = entry.metadata;
  record->content = content_hash(*record->value);
  record->signature = signature_of(entry, *record);
  commit(swarm, {{entry.key, std::move(record)}}, {},
         {author.agent, author.incarnation, author.seq});
  count_vote(open->second, session.agent, voter->second,
             *register_of(swarm.state.find(entry.key).get()));
  count("votes");
  outcome.changed = true;
  outcome.revision = swarm.state.head();
  judge_proposal(swarm, open, false);
  return outcome;
}

Outcome Coordinator::cancel_proposal(Swarm& swarm, const Entry& entry, std::string_view id,
                                     const Author& author) {
  const auto open = swarm.proposals.find(std::string(id));
  if (open == swarm.proposals.end()) {
    const RecordPtr record = swarm.state.find(entry.key);
    if (!record || !record->live())
      return decision_refused(swarm, entry.key, Code::kRejected, Reason::kInvalid,
                              fmt::format("there is no proposal '{}'", id));
    return decision_refused(swarm, entry.key, Code::kDenied, Reason::kClosed,
                            fmt::format("the proposal '{}' is closed, and its outcome stays", id));
  }
  const AgentId& by = open->second.proposal.by;
  if (by != public_name(author.agent))
    return decision_refused(
        swarm, entry.key, Code::kDenied, Reason::kNotVoter,
        fmt::format("the proposal '{}' is {}, and only its proposer may cancel it", id,
                    is_client_agent(by) ? "a command's" : by.value() + "'s"));
  std::vector<Change> changes;
  close_into(swarm, open, BallotState::kCancelled, changes);
  commit(swarm, std::move(changes), {}, {author.agent, author.incarnation, author.seq});
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.changed = true;
  outcome.revision = swarm.state.head();
  return outcome;
}

// ---- closing -----------------------------------------------------------------------------------

void Coordinator::judge_proposal(Swarm& swarm, Proposals::iterator open, bool over) {
  const Proposal& proposal = open->second.proposal;
  ChoiceOutcome outcome;
  if (proposal.options.empty()) {
    outcome.state =
        decide(proposal.rule, proposal.electorate, proposal.votes, over, open->second.sums);
  } else {
    outcome =
        decide(proposal.rule, proposal.method, static_cast<std::uint32_t>(proposal.options.size()),
               proposal.electorate, proposal.choices, over);
  }
  if (outcome.state == BallotState::kOpen) return;
  open->second.proposal.chosen = outcome.chosen;
  std::vector<Change> changes;
  close_into(swarm, open, outcome.state, changes);
  commit(swarm, std::move(changes), {}, {});
}

// The outcome, what was approved, and the votes, which the outcome names, in one commit.
void Coordinator::close_into(Swarm& swarm, Proposals::iterator open, BallotState state,
                             std::vector<Change>& changes) {
  Proposal proposal = std::move(open->second.proposal);
  swarm.proposals.erase(open);
  proposal.state = state;
  proposal.closed_wall_millis = now_.wall_millis;
  const std::vector<ProposedWrite> writes = writes_of(proposal, proposal.chosen);
  if (state == BallotState::kApproved && !writes.empty()) {
    std::optional<std::string> why = not_writable_now(swarm, writes);
    proposal.applied = !why;
    if (why) proposal.not_applied = *std::move(why);
  }
  if (proposal.applied.value_or(false))
    for (const ProposedWrite& write : writes)
      changes.push_back({write.key, record_of_own(swarm, write.value,
                                                  {{"proposal", proposal.id},
                                                   {"proposed_by", proposal.by.value()}},
                                                  swarm.state.find(write.key).get())});
  // The votes' records go; why they were cast stays.
  std::vector<Key> votes;
  for (const auto& [agent, voter] : proposal.electorate) {
    const Key vote = vote_key(proposal.id, agent);
    const RecordPtr record = swarm.state.find(vote);
    if (!record || !record->live()) continue;
    votes.push_back(vote);
    if (proposal.rule.faults && record->signature && !proposal.equivocators.contains(agent))
      proposal.signed_votes.emplace(agent, signed_vote_of(*record));
    if (const auto reason = record->metadata.find("reason"); reason != record->metadata.end())
      proposal.reasons.emplace(agent, reason->second);
  }
  const Key key = proposal_key(proposal.id);
  Metadata metadata;
  if (const RecordPtr before = swarm.state.find(key)) metadata = before->metadata;
  changes.push_back({key, record_of_own(swarm, Register{ContentType::kJson, to_json(proposal)},
                                        std::move(metadata))});
  for (const Key& vote : votes) changes.push_back({vote, record_of_own(swarm, std::nullopt, {})});
  swarm.closed.push_back(proposal.id);
  if (swarm.closed.size() > limits::kProposalsKept) {
    changes.push_back({proposal_key(swarm.closed.front()), record_of_own(swarm, std::nullopt, {})});
    swarm.closed.pop_front();
  }
  count("proposals_closed");
}

// Nothing: it may be one.
std::optional<std::string> Coordinator::no_register_by_policy(const Key& key) const {
  const Policy& policy = options_.policies.of(key.value());
  if (policy.signed_writes)
    return fmt::format(
        "'{}' is written by who signs it, by its policy, and not by proposals and "
        "tasks",
        key.value());
  if (!policy.ephemeral && (!policy.type || *policy.type == ValueType::kRegister))
    return std::nullopt;
  return fmt::format(
      "'{}' is no durable register by its policy, and proposals and tasks write only "
      "those",
      key.value());
}

// What an approval, or the end of a task, would write can't be written. Nothing: it can.
std::optional<std::string> Coordinator::not_writable_now(
    const Swarm& swarm, const std::vector<ProposedWrite>& writes) const {
  if (swarm.state.bytes() > options_.state_bytes_max) return state_full_text(swarm);
  for (const ProposedWrite& write : writes) {
    if (std::optional<std::string> text = claimed(swarm, write.key.value(), {})) return text;
    if (std::optional<std::string> text = too_large(write.key, &write.value)) return text;
    const RecordPtr standing = swarm.state.find(write.key);
    const bool live = standing && standing->live();
    if (live && !register_of(standing.get()))
      return fmt::format("'{}' is of type {} by now", write.key.value(),
                         to_text(type_of(*standing->value)));
    const Revision version = live ? standing->version : Revision();
    if (write.if_version && *write.if_version != version)
      return fmt::format("expected version {} of '{}', found {}", write.if_version->value(),
                         write.key.value(), version.value());
  }
  return std::nullopt;
}

void Coordinator::tend_proposals(Swarm& swarm) {
  if (!writable_) return;
  for (auto at = swarm.proposals.begin(); at != swarm.proposals.end();) {
    const auto open = at++;
    if (now_.monotonic >= open->second.closes) judge_proposal(swarm, open, true);
  }
}

// With the time that is left by the wall clock, at most all of it. One whose last vote was counted
// and whose outcome was not, is decided now.
void Coordinator::restore_proposals(Swarm& swarm) {
  std::vector<std::pair<std::int64_t, std::string>> closed;
  for (const Key& key : swarm.state.keys_after(kProposalKeys, {}, SIZE_MAX)) {
    const RecordPtr record = swarm.state.find(key);
    const std::optional<Register> document = register_of(record.get());
    if (!document) continue;
    const std::string id = key.value().substr(kProposalKeys.size());
    Result<Proposal> proposal = recover_proposal(id, document->bytes);
    if (!proposal) {
      count("proposals_unreadable");
      continue;
    }
    if (proposal->state != BallotState::kOpen) {
      closed.emplace_back(proposal->closed_wall_millis, id);
      continue;
    }
    const std::int64_t left = std::clamp<std::int64_t>(
        proposal->timeout_millis - (now_.wall_millis - proposal->opened_wall_millis), 0,
        proposal->timeout_millis);
    OpenProposal& open =
        swarm.proposals
            .emplace(id, OpenProposal{*std::move(proposal), now_.monotonic + Millis{left}})
            .first->second;
    for (const auto& [agent, voter] : open.proposal.electorate) {
      const RecordPtr cast = swarm.state.find(vote_key(id, agent));
      if (const std::optional<Register> vote = register_of(cast.get()))
        count_vote(open, agent, voter, *vote);
    }
    for (const auto& [agent, both] : open.proposal.equivocators)
      if (const auto voter = open.proposal.electorate.find(agent);
          voter != open.proposal.electorate.end())
        count_vote(open, agent, voter->second,
                   Register{ContentType::kText, std::string(to_text(Stance::kAbstain))});
  }
  std::ranges::sort(closed);
  for (auto& [wall, id] : closed) swarm.closed.push_back(std::move(id));
  if (!writable_) return;
  for (auto at = swarm.proposals.begin(); at != swarm.proposals.end();)
    judge_proposal(swarm, at++, false);
}

// ---- writes that need one ----------------------------------------------------------------------

std::string Coordinator::joined(const std::set<AgentId>& agents) {
  std::string text;
  for (const AgentId& agent : agents)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", agent.value());
  return text;
}

// Nothing: none is needed.
std::optional<std::string> Coordinator::needs_proposal(std::string_view key) const {
  const Policy& policy = options_.policies.of(key);
  if (policy.vote_permille == 0) return std::nullopt;
  return fmt::format(
      "'{}' is written by an approved proposal only, by its policy: propose it with \"writes\", "
      "for "
      "which at least {} of 1000 of {} vote (waggle propose --write {}=VALUE)",
      key, policy.vote_permille, policy.voters.empty() ? "all members" : joined(policy.voters),
      key);
}

}  // namespace waggle
