#include "coordinator/rounds.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {

Status Rounds::add(Round round, std::size_t each_max) {
  const auto same = [&](const Round& other) {
    return other.caller_session == round.caller_session && other.request == round.request;
  };
  if (std::any_of(waiting_.begin(), waiting_.end(), same)) return {};
  for (const auto& [id, open] : open_)
    if (same(open)) return {};
  if (each_max > 0 && !round.asker.empty()) {
    std::size_t own = 0;
    Instant first_over = Instant::never();
    const auto look = [&](const Round& other) {
      if (other.asker != round.asker) return;
      ++own;
      first_over = std::min(first_over, other.deadline);
    };
    std::ranges::for_each(waiting_, look);
    for (const auto& [id, open] : open_) look(open);
    if (own >= each_max)
      return failed(
          Code::kOverloaded,
          fmt::format("{} rounds of the same asker are not over yet, which is the limit "
                      "(limits.rounds); ask again when one is, in {} ms at the latest",
                      own, std::max<std::int64_t>((first_over - round.started).count, 1)));
  }
  if (waiting_.size() >= limits::kOpenRounds)
    return failed(
        Code::kOverloaded,
        fmt::format("{} rounds wait already; try again when some are over", waiting_.size()));
  const auto place = std::find_if(waiting_.begin(), waiting_.end(), [&](const Round& other) {
    return other.priority < round.priority;
  });
  waiting_.insert(place, std::move(round));
  return {};
}

bool Rounds::overlaps_open(const Round& round) const {
  for (const auto& [id, open] : open_) {
    if (open.swarm != round.swarm) continue;
    if (open.all || round.all) return true;
    for (const Key& key : round.wanted)
      if (std::find(open.wanted.begin(), open.wanted.end(), key) != open.wanted.end()) return true;
  }
  return false;
}

std::optional<Round> Rounds::next_to_ask() {
  if (open_.size() >= limits::kOpenRounds) return std::nullopt;
  for (auto waiting = waiting_.begin(); waiting != waiting_.end(); ++waiting) {
    if (overlaps_open(*waiting)) continue;
    Round round = std::move(*waiting);
    waiting_.erase(waiting);
    return round;
  }
  return std::nullopt;
}

void Rounds::start(Round round) {
  WAGGLE_CHECK(round.id && !open_.contains(round.id) && !round.roster.empty());
  round.asked = true;
  const RoundId id = round.id;
  open_.emplace(id, std::move(round));
}

bool Rounds::answer(RoundId id, const SwarmId& swarm, const AgentId& agent,
                    StateResponse response) {
  Round* round = find(id);
  // An agent of another swarm may have the same id.
  if (round == nullptr || round->swarm != swarm) return false;
  if (!take_answer(*round, agent, std::move(response))) return false;
  if (round->reminded) round->late.insert(agent);
  return true;
}

bool Rounds::take_answer(Round& round, const AgentId& agent, StateResponse response) {
  const bool member =
      std::find(round.roster.begin(), round.roster.end(), agent) != round.roster.end();
  return member && round.answers.emplace(agent, std::move(response)).second;
}

std::vector<Key> Rounds::questions(const Round& round) const {
  std::vector<Key> keys;
  if (!round.all) {
    for (const AskedKey& asked : round.keys) keys.push_back(asked.key);
    return keys;
  }
  // Of all keys only those in question: somebody offers a value or holds another one.
  std::set<Key> named;
  for (const auto& [agent, response] : round.answers)
    for (const Answer& answer : response.answers) named.insert(answer.key);
  return {named.begin(), named.end()};
}

std::uint64_t Rounds::electorate(const Round& round, const Policy& policy) const {
  if (policy.weights.empty()) return round.roster.size();
  std::uint64_t votes = 0;
  for (const AgentId& member : round.roster) votes += policy.weight_of(member);
  return votes;
}

RoundQuestion Rounds::question(const Round& round, const Key& key, Revision asked,
                               const Record* present) const {
  RoundQuestion question;
  question.asked = asked;
  question.present = present;
  question.policy = &policies_.of(key.value());
  question.policies = &policies_;
  question.roster = static_cast<std::uint32_t>(round.roster.size());
  question.electorate = electorate(round, *question.policy);
  for (const AgentId& member : round.roster) {
    const auto response = round.answers.find(member);
    if (response == round.answers.end()) continue;
    RoundInput input{member, response->second.rest, {}};
    for (const Answer& answer : response->second.answers)
      if (answer.key == key) {
        input.kind = answer.kind;
        input.offer = answer.offer;
      }
    question.answers.push_back(std::move(input));
  }
  return question;
}

namespace {

// The version that a key had when the round was asked. One that was written or deleted since, even
// several times, can't be named by it and counts as moved; so does one that may have been forgotten
// since, by a clear or a compaction.
Revision asked_version(const Round& round, const Record* present, Revision floor) {
  const Revision moved(limits::kNumberMax);
  if (present == nullptr) return floor > round.head ? moved : Revision{};
  if (present->version > round.head) return moved;
  return present->live() ? present->version : Revision{};
}

}  // namespace

std::vector<RoundId> Rounds::over(Instant now, const SwarmState& state) const {
  std::vector<RoundId> over;
  for (const auto& [id, round] : open_) {
    if (round.swarm != state.id()) continue;
    if (now >= round.deadline || round.answers.size() == round.roster.size()) {
      over.push_back(id);
      continue;
    }
    if (round.all || round.answers.empty()) continue;  // a missing member may still name a key
    const auto is_settled = [&](const AskedKey& asked) {
      const RecordPtr present = state.find(asked.key);
      // Under lww any missing offer may be the greatest: no need to look at those that are here.
      const bool offers_count =
          present && present->live() && std::holds_alternative<Register>(*present->value);
      if (offers_count && policies_.of(asked.key.value()).strategy == Strategy::kLww) return false;
      return settled(question(round, asked.key, asked_version(round, present.get(), state.floor()),
                              present.get()));
    };
    if (std::all_of(round.keys.begin(), round.keys.end(), is_settled)) over.push_back(id);
  }
  return over;
}

std::vector<Round> Rounds::starved(Instant now) {
  std::vector<Round> starved;
  for (auto round = waiting_.begin(); round != waiting_.end();) {
    if (now < round->deadline) {
      ++round;
      continue;
    }
    starved.push_back(std::move(*round));
    round = waiting_.erase(round);
  }
  return starved;
}

std::vector<std::pair<RoundId, AgentId>> Rounds::reminders(Instant now) {
  std::vector<std::pair<RoundId, AgentId>> reminders;
  for (auto& [id, round] : open_) {
    if (round.reminded || now < round.remind_at) continue;
    round.reminded = true;
    for (const AgentId& member : round.roster)
      if (!round.answers.contains(member)) reminders.emplace_back(id, member);
  }
  return reminders;
}

Round* Rounds::find(RoundId id) {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : &found->second;
}

Round Rounds::take(RoundId id) {
  auto node = open_.extract(id);
  WAGGLE_CHECK(!node.empty(), "no such round");
  return std::move(node.mapped());
}

Settlement Rounds::settle(const Round& round, const SwarmState& state,
                          const History& history) const {
  Settlement settlement;
  for (const Key& key : questions(round)) {
    const RecordPtr present = state.find(key);
    const Asked asked{key, asked_version(round, present.get(), state.floor()), present};
    settle_key(round, asked, history, settlement);
    const bool moved = !settlement.moved.empty() && settlement.moved.back() == key;
    if (!moved && policies_.of(key.value()).amend_millis > 0)
      settlement.amendable.push_back({key, asked.version, present, {}, {}});
  }
  return settlement;
}

void Rounds::keep(DecidedRound decided) {
  if (decided_.size() == limits::kOpenRounds) decided_.pop_front();
  decided_.push_back(std::move(decided));
}

void Rounds::forget_decided(Instant now) {
  std::erase_if(decided_, [now](const DecidedRound& decided) {
    return decided.round.answers.size() == decided.round.roster.size() ||
           std::ranges::all_of(decided.keys, [now](const auto& left) { return now >= left.until; });
  });
}

DecidedRound* Rounds::late_answer(RoundId id, const SwarmId& swarm, const AgentId& agent,
                                  StateResponse response, Instant now) {
  forget_decided(now);
  const auto found = std::ranges::find_if(decided_, [&](const DecidedRound& decided) {
    return decided.round.id == id && decided.round.swarm == swarm;
  });
  if (found == decided_.end()) return nullptr;
  // An offer made by who knew already what the round had left is one for the next.
  for (Answer& answer : response.answers)
    for (const DecidedRound::Left& left : found->keys)
      if (answer.key == left.key && answer.kind == AnswerKind::kOffer &&
          answer.offer.based_on > (left.stood ? left.stood->version : Revision{}))
        answer.kind = AnswerKind::kBehind;
  if (!take_answer(found->round, agent, std::move(response))) return nullptr;
  return &*found;
}

namespace {

// What a key should hold by the decision. It may be what stood before the round, where a rule chose
// that; for want of a choice nothing is taken back.
std::optional<Settlement::Put> chosen(const Settlement& decision, const RecordPtr& stood) {
  if (!decision.puts.empty()) return decision.puts.front();
  const std::optional<Register> value = register_of(stood.get());
  if (!value || decision.weighed.empty()) return std::nullopt;
  const Settlement::Weighed& weighed = decision.weighed.front();
  if (weighed.park || weighed.rule.ends_with(to_text(Strategy::kKeep))) return std::nullopt;
  Hlc hlc = stood->hlc;
  for (const RoundInput& input : weighed.inputs)
    if (input.kind == AnswerKind::kOffer && input.offer.value == *value)
      hlc = std::max(hlc, input.offer.hlc);
  return Settlement::Put{weighed.key, *value, hlc, decision.reports.front().winner, {}};
}

}  // namespace

Settlement Rounds::amend(const DecidedRound& decided, const SwarmState& state,
                         const History& history, Instant now) const {
  Settlement settlement;
  for (const DecidedRound::Left& left : decided.keys) {
    const RecordPtr present = state.find(left.key);
    if (now >= left.until || (present ? present->version : Revision{}) != left.version) continue;
    // An absent key may have been written, deleted and forgotten since.
    if (!present && state.floor() > decided.head) continue;
    Settlement again;
    settle_key(decided.round, {left.key, left.asked, left.stood}, history, again);
    std::optional<Settlement::Put> put = chosen(again, left.stood);
    if (!put || (present && present->live() && content_hash(put->value) == present->content))
      continue;
    put->amends = left.version;
    again.weighed.front().stood = left.stood;
    settlement.puts.push_back(*std::move(put));
    settlement.weighed.push_back(std::move(again.weighed.front()));
  }
  return settlement;
}

void Rounds::settle_key(const Round& round, const Asked& asked, const History& history,
                        Settlement& settlement) const {
  const Key& key = asked.key;
  const RecordPtr& present = asked.present;
  RoundQuestion q = question(round, key, asked.version, present.get());
  q.history = [&](Revision version) { return history.at(key, version); };
  RoundDecision decision = decide(q);
  if (decision.outcome == RoundOutcome::kMoved && !round.again) {
    settlement.moved.push_back(key);
    return;
  }
  KeyReport report;
  report.key = key;
  report.outcome = decision.outcome;
  report.strategy = to_text(q.policy->strategy);
  report.version = present && present->live() ? present->version : Revision{};
  for (const RoundInput& input : q.answers) {
    report.offers += input.kind == AnswerKind::kOffer ? 1 : 0;
    report.same += input.kind == AnswerKind::kSame ? 1 : 0;
    report.behind += input.kind == AnswerKind::kBehind ? 1 : 0;
    report.absent += input.kind == AnswerKind::kAbsent ? 1 : 0;
    report.differs += input.kind == AnswerKind::kDiffers ? 1 : 0;
  }
  if (decision.winner) report.winner = q.answers[*decision.winner].agent;
  if (decision.commit && decision.winner) {
    const Offer& offer = q.answers[*decision.winner].offer;
    settlement.puts.push_back({key, offer.value, offer.hlc, report.winner, {}});
  } else if (decision.commit) {
    Hlc greatest;
    for (const RoundInput& input : q.answers) greatest = std::max(greatest, input.offer.hlc);
    settlement.puts.push_back({key, *std::move(decision.made), greatest, {}, {}});
  }
  const bool waits = q.policy->strategy == Strategy::kQuorum || decision.park;
  if (!decision.commit && (decision.outcome == RoundOutcome::kNoQuorum ||
                           (decision.outcome == RoundOutcome::kPartial && waits)))
    settlement.undecided.push_back(key);
  if (!decision.rule.empty()) {
    Settlement::Weighed weighed;
    weighed.key = key;
    weighed.rule = std::move(decision.rule);
    weighed.inputs = q.answers;
    weighed.park = decision.park && decision.outcome == RoundOutcome::kParked;
    weighed.merges = q.policy->uses(Strategy::kMerge);
    if (q.policy->uses(Strategy::kQuorum)) {
      weighed.electorate = q.electorate;
      for (const RoundInput& input : q.answers)
        weighed.weights.push_back(q.policy->weight_of(input.agent));
    }
    settlement.weighed.push_back(std::move(weighed));
  }
  settlement.reports.push_back(std::move(report));
}

Instant Rounds::next_wake() const {
  Instant next = Instant::never();
  for (const Round& round : waiting_) next = std::min(next, round.deadline);
  for (const auto& [id, round] : open_) {
    next = std::min(next, round.deadline);
    if (!round.reminded) next = std::min(next, round.remind_at);
  }
  return next;
}

std::size_t Rounds::open(const SwarmId& swarm) const {
  return static_cast<std::size_t>(std::count_if(
      open_.begin(), open_.end(), [&](const auto& entry) { return entry.second.swarm == swarm; }));
}

std::set<SwarmId> Rounds::swarms_with_rounds() const {
  std::set<SwarmId> swarms;
  for (const auto& [id, round] : open_) swarms.insert(round.swarm);
  return swarms;
}

}  // namespace waggle
