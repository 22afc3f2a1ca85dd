// Full synchronisations: 1 roster and request, 2-3 answers, 4-5 decide, 6-7 commit and publish,
// 8 report. The rules are in resolver/round.h, the bookkeeping in coordinator/rounds.h.

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "coordinator/coordinator.h"
#include "coordinator/own_keys.h"
#include "resolver/receipt.h"

namespace waggle {
namespace {

constexpr std::int64_t kTimeoutMax = 10 * 60 * 1000;
// Of a record beside key and value: who offered it, who wrote it, its receipt.
constexpr std::size_t kRecordOverhead = 384;
// A report names keys up to about so many bytes; how many there were is said in its text.
constexpr std::size_t kReportBytes = std::size_t{2} << 20;

std::int64_t default_timeout(Priority priority) {
  switch (priority) {
    case Priority::kCritical:
      return 30'000;
    case Priority::kHigh:
      return 10'000;
    case Priority::kNormal:
      return 5'000;
  }
  return 5'000;
}

// How bad an outcome is, when one word has to speak for all keys.
int weight(RoundOutcome outcome) {
  switch (outcome) {
    case RoundOutcome::kUnchanged:
      return 0;
    case RoundOutcome::kResolved:
      return 1;
    case RoundOutcome::kMoved:
      return 2;
    case RoundOutcome::kNoQuorum:
    case RoundOutcome::kParked:
      return 3;
    case RoundOutcome::kPartial:
      return 4;
    case RoundOutcome::kTimeout:
      return 5;
    case RoundOutcome::kNoAgents:
      return 6;
  }
  return 0;
}

}  // namespace

void Coordinator::on_sync_request(Session& session, const SyncRequest& request) {
  Round round;
  round.swarm = session.swarm;
  round.caller = session.peer;
  round.caller_session = session.id;
  round.asker = session.role == Role::kClient ? session.sender.together : session.sender.own;
  round.request = request.request;
  round.all = request.all;
  round.wanted = request.keys;
  round.priority = request.priority;
  round.started = now_.monotonic;

  std::int64_t timeout = request.timeout_millis;
  if (timeout <= 0) {
    timeout =
        request.priority_given ? default_timeout(request.priority) : options_.round_timeout_millis;
    for (const Key& key : request.keys) {
      const Policy& policy = options_.policies.of(key.value());
      if (policy.timeout_millis) timeout = std::max(timeout, *policy.timeout_millis);
    }
  }
  if (!request.priority_given)
    for (const Key& key : request.keys)
      if (const auto priority = options_.policies.of(key.value()).priority)
        round.priority = std::max(round.priority, *priority);
  round.deadline = now_.monotonic + Millis{std::min(timeout, kTimeoutMax)};

  std::string wrong;
  if (!request.all && request.keys.empty()) wrong = "no key was named; name one or ask for all";
  if (request.keys.size() > limits::kRoundKeys)
    wrong = fmt::format("{} keys were named, one round has at most {}; ask for all, or in parts",
                        request.keys.size(), limits::kRoundKeys);
  for (const Key& key : request.keys) {
    if (const Status shape = check_key(key.value()); !shape) {
      wrong = shape.error().text;
    } else if (is_own_key(key.value())) {
      wrong = fmt::format("'{}' is of the coordinator's own keys, which no round is held about",
                          key.value());
    } else if (options_.policies.of(key.value()).ephemeral) {
      wrong = fmt::format(
          "'{}' is an ephemeral key, which no round is held about: its newest value "
          "is everybody's already",
          key.value());
    }
  }
  if (!wrong.empty()) {
    report(round, RoundOutcome::kUnchanged, Code::kRejected, wrong);
    return;
  }
  std::optional<std::string> denied;
  if (request.all) denied = not_allowed_all(session, Act::kSync, "*");
  for (std::size_t i = 0; i < request.keys.size() && !denied; ++i)
    denied = not_allowed(session, Act::kSync, request.keys[i].value());
  if (denied) {
    report(round, RoundOutcome::kUnchanged, Code::kDenied, *std::move(denied));
    return;
  }
  std::sort(round.wanted.begin(), round.wanted.end());
  round.wanted.erase(std::unique(round.wanted.begin(), round.wanted.end()), round.wanted.end());
  if (find(session.swarm) == nullptr) {
    report(round, RoundOutcome::kNoAgents, Code::kCommitted,
           fmt::format("swarm '{}' has no members", session.swarm.value()));
    return;
  }
  if (const Status added = rounds_.add(round, options_.limits.rounds); !added) {
    count("over_limit_rounds");
    report(round, RoundOutcome::kUnchanged, added.error().code, added.error().text);
  }
}

void Coordinator::on_state_response(Session& session, const StateResponse& response) {
  StateResponse usable = response;
  // An offer is made for a key; one for "all others" has no value.
  if (usable.rest == AnswerKind::kOffer) {
    count("offers_refused");
    usable.rest = AnswerKind::kBehind;
  }
  // An offer from the future or of a forbidden shape counts as no offer at all.
  for (Answer& answer : usable.answers) {
    if (answer.kind != AnswerKind::kOffer) continue;
    const Policy& policy = options_.policies.of(answer.key.value());
    if (HlcClock::too_far_ahead(answer.offer.hlc, now_.wall_millis) ||
        answer.offer.value.bytes.size() > options_.limits.value_bytes ||
        !check_key(answer.key.value()) || (policy.type && *policy.type != ValueType::kRegister) ||
        policy.ephemeral || is_own_key(answer.key.value()) || policy.vote_permille > 0 ||
        policy.signed_writes || not_allowed(session, Act::kWrite, answer.key.value())) {
      count("offers_refused");
      answer.kind = AnswerKind::kBehind;
    }
  }
  for (const Answer& answer : usable.answers)
    if (answer.kind == AnswerKind::kDiffers) count("data_inconsistencies");
  if (rounds_.answer(response.round, session.swarm, session.agent, usable)) return;
  DecidedRound* decided = rounds_.late_answer(response.round, session.swarm, session.agent,
                                              std::move(usable), now_.monotonic);
  if (decided != nullptr) {
    amend_round(*decided);
  } else {
    count("ignored_round_answers");
  }
}

// A late answer may make another outcome of what a round decided: a commit like any other, which
// names the round that it amends.
void Coordinator::amend_round(DecidedRound& decided) {
  Swarm& swarm = *find(decided.round.swarm);
  const bool room = swarm.state.bytes() <= options_.state_bytes_max;
  Settlement settlement = rounds_.amend(decided, swarm.state, swarm.history, now_.monotonic);
  leave_claimed(swarm, settlement);
  if (settlement.puts.empty() || !writable_ || !room) {
    count("late_round_answers");
    return;
  }
  count("rounds_amended");
  const std::map<Key, Revision> versions = commit_round(swarm, decided.round.id, settlement);
  for (DecidedRound::Left& left : decided.keys)
    if (const auto version = versions.find(left.key); version != versions.end())
      left.version = version->second;
  tell_offers(swarm, decided.round, [&](const Key& key) { return versions.contains(key); });
}

// Every offer for such a key is answered: taken when its value stands now.
void Coordinator::tell_offers(const Swarm& swarm, const Round& round,
                              const std::function<bool(const Key&)>& tells) {
  for (const AgentId& member : round.roster) {
    const auto response = round.answers.find(member);
    if (response == round.answers.end()) continue;
    // It may have joined anew since it answered.
    const Session* session = sessions_.holder(round.swarm, member);
    if (session == nullptr) continue;
    OfferResult result{session->id, round.id, {}};
    for (const Answer& answer : response->second.answers) {
      if (answer.kind != AnswerKind::kOffer || !tells(answer.key)) continue;
      const RecordPtr now = swarm.state.find(answer.key);
      const Register* stands = now && now->live() ? std::get_if<Register>(&*now->value) : nullptr;
      result.outcomes.push_back({answer.key, answer.offer.hlc,
                                 stands != nullptr && *stands == answer.offer.value,
                                 now && now->live() ? now->version : Revision{}});
    }
    if (!result.outcomes.empty()) send(session->peer, make_message(std::move(result)));
  }
}

StateRequest Coordinator::state_request(const Round& round) {
  StateRequest request;
  request.swarm = round.swarm;
  request.start = start_;
  request.round = round.id;
  request.epoch = store_.epoch;
  // Of the asking, also in a reminder: the versions of the keys are.
  request.head = round.head;
  request.digest = round.digest;
  request.all = round.all;
  request.keys = round.keys;
  request.remaining_millis = std::max<std::int64_t>((round.deadline - now_.monotonic).count, 0);
  return request;
}

std::vector<Key> Coordinator::hidden_keys(const Swarm& swarm, const Round& round) const {
  std::vector<Key> hidden;
  if (swarm.open_to_all->everything(Act::kRead)) return hidden;
  for (const Key& key : round.wanted)
    if (!all_may_read(swarm, key)) hidden.push_back(key);
  return hidden;
}

void Coordinator::ask(Round round) {
  Swarm& swarm = *find(round.swarm);
  round.id = random_.id<RoundId>();
  round.head = swarm.state.head();
  round.digest = swarm.state.digest();
  round.roster.clear();
  round.answers.clear();
  round.late.clear();
  // Of a key that not everybody may read, only those are asked who may, each by its own connection.
  const std::vector<Key> hidden = hidden_keys(swarm, round);
  for (const Session* session : sessions_.of_swarm(round.swarm)) {
    if (!std::ranges::all_of(hidden, [&](const Key& key) {
          return session->rights->allows(Act::kRead, key.value());
        }))
      continue;
    const Health health = sessions_.health(*session, now_.monotonic);
    if (session->role == Role::kMember && session->attached &&
        (health == Health::kHealthy || health == Health::kDegraded))
      round.roster.push_back(session->agent);
  }
  if (round.roster.empty()) {
    report(round, RoundOutcome::kNoAgents, Code::kCommitted,
           fmt::format("swarm '{}' has no live member to ask", round.swarm.value()));
    return;
  }
  if (!round.again) {
    for (const Key& key : round.wanted) {
      const RecordPtr record = swarm.state.find(key);
      const bool live = record && record->live();
      round.keys.push_back(
          {key, live ? record->version : Revision{}, live ? record->content : Hash128{}});
    }
  }
  const std::int64_t time = (round.deadline - now_.monotonic).count;
  round.remind_at = now_.monotonic + Millis{std::max<std::int64_t>(time / 4, 1)};
  round.reminded = false;
  StateRequest request = state_request(round);
  if (hidden.empty()) {
    request.broadcast = swarm.broadcast = swarm.broadcast.next();
    actions_->send.emplace_back(Broadcast{round.swarm, make_message(std::move(request))});
  } else {
    const MessagePtr message = make_message(std::move(request));
    for (const AgentId& member : round.roster)
      send(sessions_.holder(round.swarm, member)->peer, message);
  }
  count("rounds_asked");
  rounds_.start(std::move(round));
}

void Coordinator::conclude_rounds() {
  for (const Round& round : rounds_.starved(now_.monotonic))
    report(round, RoundOutcome::kTimeout, Code::kCommitted,
           "the time was over before the round could be asked: others held its keys");
  for (const SwarmId& id : rounds_.swarms_with_rounds()) {
    const Swarm& swarm = *find(id);
    for (const RoundId round : rounds_.over(now_.monotonic, swarm.state)) conclude(round);
  }
}

void Coordinator::ask_rounds() {
  for (Round& round : std::exchange(to_ask_again_, {})) ask(std::move(round));
  while (std::optional<Round> next = rounds_.next_to_ask()) ask(*std::move(next));
  for (const auto& [id, member] : rounds_.reminders(now_.monotonic)) {
    const Round* round = rounds_.find(id);
    const Session* session = sessions_.holder(round->swarm, member);
    if (session != nullptr) send(session->peer, make_message(state_request(*round)));
  }
}

// All inputs of what a round decided about a key. The committed value is one where it is live;
// those who hold it have their votes in it.
Receipt Coordinator::receipt_of(const Swarm& swarm, RoundId round,
                                const Settlement::Weighed& weighed, const Record* standing) const {
  Receipt receipt;
  receipt.key = weighed.key;
  receipt.round = round;
  receipt.rule = weighed.rule;
  receipt.electorate = weighed.electorate;
  const bool live = standing != nullptr && standing->live();
  if (standing != nullptr) receipt.inputs.push_back(input_of(*standing));
  std::set<Revision> ancestors;
  for (std::size_t i = 0; i < weighed.inputs.size(); ++i) {
    const RoundInput& input = weighed.inputs[i];
    const std::uint32_t votes = weighed.weights.empty() ? 0 : weighed.weights[i];
    if (input.kind == AnswerKind::kSame && live) receipt.inputs.front().weight += votes;
    if (input.kind != AnswerKind::kOffer) continue;
    receipt.inputs.push_back(
        input_of(input.agent, input.offer.based_on, input.offer.hlc, input.offer.value, false));
    receipt.inputs.back().weight = votes;
    if (!weighed.merges) continue;
    const RecordPtr began = version_of(swarm, weighed.key, standing, input.offer.based_on);
    if (!began || !ancestors.insert(began->version).second) continue;
    receipt.inputs.push_back(input_of(*began));
    receipt.inputs.back().committed = false;
    receipt.inputs.back().ancestor = true;
  }
  return receipt;
}

// What an offer began from: what stands, or an earlier version that is kept; else null.
RecordPtr Coordinator::version_of(const Swarm& swarm, const Key& key, const Record* standing,
                                  Revision version) const {
  if (standing != nullptr && standing->version == version)
    return std::make_shared<const Record>(*standing);
  return swarm.history.at(key, version);
}

bool Coordinator::park_offers(Swarm& swarm, RoundId round, const Settlement::Weighed& weighed,
                              const Record* standing) {
  if (!swarm.inbox.has_room(weighed.key, 0)) {
    count("conflicts_without_room");
    return false;
  }
  ParkedConflict conflict;
  conflict.key = weighed.key;
  conflict.round = round;
  conflict.sides = {side_of(standing)};
  for (const RoundInput& input : weighed.inputs) {
    if (input.kind != AnswerKind::kOffer) continue;
    const std::optional<Register> began =
        register_of(version_of(swarm, weighed.key, standing, input.offer.based_on).get());
    if (conflict.sides.size() == 1) conflict.ancestor = began;
    if (conflict.ancestor != began) conflict.ancestor.reset();
    conflict.sides.push_back(
        {input.agent, input.offer.based_on, input.offer.hlc, now_.wall_millis, input.offer.value});
  }
  (void)park(swarm, std::move(conflict));
  return true;
}

// One commit for all keys of the round; more only where one frame could not carry them. Gives the
// versions that its keys have now.
std::map<Key, Revision> Coordinator::commit_round(Swarm& swarm, RoundId id,
                                                  const Settlement& settlement) {
  std::map<Key, Revision> versions;
  std::size_t next_put = 0;
  while (next_put < settlement.puts.size()) {
    const Revision revision = swarm.state.head().next();
    std::vector<Change> changes;
    std::size_t bytes = 0;
    for (; next_put < settlement.puts.size(); ++next_put) {
      const Settlement::Put& put = settlement.puts[next_put];
      const std::size_t size = kRecordOverhead + put.value.bytes.size() + put.key.value().size();
      if (!changes.empty() && bytes + size > limits::kCommitBytes) break;
      bytes += size;
      const RecordPtr standing = swarm.state.find(put.key);
      auto record = std::make_shared<Record>();
      record->value = put.value;
      record->version = revision;
      record->commit_wall_millis = now_.wall_millis;
      record->hlc = put.hlc;
      record->writer = {AgentId(kCoordinatorName), Incarnation(start_.value()), Seq(id.value())};
      if (!put.winner.empty()) record->metadata["offered_by"] = put.winner.value();
      if (put.amends) {
        record->metadata["amends"] = to_hex(id.value());
        record->metadata["amends_revision"] = fmt::to_string(put.amends->value());
      }
      record->content = content_hash(*record->value);
      if (standing) {
        record->receipt = standing->receipt;
        record->receipts = standing->receipts;
      }
      for (const Settlement::Weighed& weighed : settlement.weighed) {
        if (weighed.key != put.key) continue;
        const Record* const stood = weighed.stood ? weighed.stood->get() : standing.get();
        Receipt receipt = receipt_of(swarm, id, weighed, stood);
        receipt.version = revision;
        receipt.output = record->content;
        record->choice = choice_over(standing.get(), receipt.rule);
        write_receipt(swarm, std::move(receipt), standing.get(), record->receipt, record->receipts);
      }
      (void)hlc_.observe(put.hlc, now_.wall_millis);
      versions[put.key] = revision;
      changes.push_back({put.key, std::move(record)});
    }
    commit(swarm, std::move(changes), id, {});
  }
  return versions;
}

// A round brings no token, so it writes nothing under a claim; the offers stay.
void Coordinator::leave_claimed(const Swarm& swarm, Settlement& settlement) {
  std::set<Key> claimed;
  for (const Settlement::Put& put : settlement.puts)
    if (swarm.claims.over(put.key.value()) != nullptr) claimed.insert(put.key);
  if (claimed.empty()) return;
  count("round_keys_claimed", claimed.size());
  const auto of_claim = [&](const auto& one) { return claimed.contains(one.key); };
  std::erase_if(settlement.puts, of_claim);
  std::erase_if(settlement.weighed, of_claim);
  std::erase_if(settlement.amendable, of_claim);
  for (KeyReport& report : settlement.reports)
    if (of_claim(report)) report.outcome = RoundOutcome::kMoved;
  settlement.undecided.insert(settlement.undecided.end(), claimed.begin(), claimed.end());
}

void Coordinator::conclude(RoundId id) {
  Round round = rounds_.take(id);
  Swarm& swarm = *find(round.swarm);
  Settlement settlement = rounds_.settle(round, swarm.state, swarm.history);
  leave_claimed(swarm, settlement);
  // Offers that lose leave receipts, so a round that commits nothing may write too.
  if (!writable_ && (!settlement.puts.empty() || !settlement.weighed.empty())) {
    report(round, RoundOutcome::kUnchanged, Code::kUnavailable, not_writable_text_);
    return;
  }
  if (!settlement.puts.empty() && swarm.state.bytes() > options_.state_bytes_max) {
    count("overloaded");
    report(round, RoundOutcome::kUnchanged, Code::kOverloaded, state_full_text(swarm));
    return;
  }

  const std::map<Key, Revision> versions = commit_round(swarm, id, settlement);
  // Keys that nobody decided: their offers stay for the next round.
  std::set<Key> undecided(settlement.moved.begin(), settlement.moved.end());
  undecided.insert(settlement.undecided.begin(), settlement.undecided.end());
  // Offers that were weighed and not taken leave a receipt too, where a record stands to hold it.
  for (const Settlement::Weighed& weighed : settlement.weighed) {
    if (versions.contains(weighed.key)) continue;
    const RecordPtr standing = swarm.state.find(weighed.key);
    if (weighed.park && !park_offers(swarm, id, weighed, standing.get()))
      undecided.insert(weighed.key);
    close_with_receipt(swarm, receipt_of(swarm, id, weighed, standing.get()), standing);
  }

  for (KeyReport key_report : settlement.reports) {
    const auto version = versions.find(key_report.key);
    if (version != versions.end()) key_report.version = version->second;
    round.reports.push_back(std::move(key_report));
  }

  // Every offer that was used is answered.
  tell_offers(swarm, round, [&](const Key& key) { return !undecided.contains(key); });
  keep_for_late_answers(swarm, round, settlement.amendable);

  const bool time_left = now_.monotonic < round.deadline;
  if (!settlement.moved.empty() && time_left) {
    Round again = std::move(round);
    again.again = true;
    again.all = false;
    again.keys.clear();
    again.wanted = settlement.moved;  // what it holds against other rounds
    for (const Key& key : settlement.moved) {
      const RecordPtr record = swarm.state.find(key);
      const bool live = record && record->live();
      again.keys.push_back(
          {key, live ? record->version : Revision{}, live ? record->content : Hash128{}});
    }
    count("rounds_asked_again");
    to_ask_again_.push_back(std::move(again));
    return;
  }
  for (const Key& key : settlement.moved) {
    KeyReport moved;
    moved.key = key;
    moved.outcome = RoundOutcome::kMoved;
    moved.strategy = to_text(options_.policies.of(key.value()).strategy);
    if (const RecordPtr record = swarm.state.find(key); record && record->live())
      moved.version = record->version;
    round.reports.push_back(std::move(moved));
  }
  RoundOutcome worst = RoundOutcome::kUnchanged;
  for (const KeyReport& key_report : round.reports)
    if (weight(key_report.outcome) > weight(worst)) worst = key_report.outcome;
  // A round over all keys in which somebody stayed silent: that one may have had an offer.
  if (round.all && round.answers.size() < round.roster.size())
    worst = round.answers.empty() ? RoundOutcome::kTimeout : RoundOutcome::kPartial;
  report(round, worst, Code::kCommitted, {});
}

// Of a round whose missing members may still answer.
void Coordinator::keep_for_late_answers(const Swarm& swarm, const Round& round,
                                        std::vector<DecidedRound::Left> keys) {
  if (keys.empty() || round.answers.size() == round.roster.size()) return;
  for (DecidedRound::Left& left : keys) {
    if (const RecordPtr now = swarm.state.find(left.key)) left.version = now->version;
    left.until = now_.monotonic + Millis{options_.policies.of(left.key.value()).amend_millis};
  }
  rounds_.keep({round, swarm.state.head(), std::move(keys)});
}

void Coordinator::report(const Round& round, RoundOutcome outcome, Code code, std::string text) {
  SyncReport report;
  report.session = round.caller_session;
  report.request = round.request;
  report.round = round.id;
  report.outcome = outcome;
  report.code = code;
  report.text = std::move(text);
  if (const Swarm* swarm = find(round.swarm)) report.head = swarm->state.head();
  report.expected = static_cast<std::uint32_t>(round.roster.size());
  for (const AgentId& member : round.roster) {
    if (round.answers.contains(member)) {
      report.answered.push_back(member);
    } else {
      report.missing.push_back(member);
    }
  }
  report.late.assign(round.late.begin(), round.late.end());
  report.elapsed_millis = (now_.monotonic - round.started).count;
  std::size_t bytes = 0;
  for (const KeyReport& key : round.reports) {
    bytes += 64 + key.key.value().size() + key.winner.value().size();
    if (bytes > kReportBytes) {
      report.text += fmt::format("{}{} of {} keys are named", report.text.empty() ? "" : "; ",
                                 report.keys.size(), round.reports.size());
      break;
    }
    report.keys.push_back(key);
  }
  count("rounds_reported");
  send(round.caller, make_message(std::move(report)));
}

}  // namespace waggle
