// Rounds.

#include "base/limits.h"
#include "capnp/codec.h"
#include "capnp/messages.h"
#include "capnp/parts.h"

namespace waggle::codec {
namespace {

void write_asked(wire::AskedKey::Builder to, const AskedKey& asked) {
  to.setKey(text_of(asked.key));
  to.setVersion(asked.version.value());
  write_hash(to.getContent(), asked.content);
}

AskedKey read_asked(wire::AskedKey::Reader from) {
  return {.key = read_key(from.getKey()),
          .version = read_revision(from.getVersion()),
          .content = read_hash(from.getContent())};
}

void write_answer(wire::Answer::Builder to, const Answer& answer) {
  to.setKey(text_of(answer.key));
  to.setKind(number_of(answer.kind));
  if (answer.kind != AnswerKind::kOffer) return;
  to.setContent(number_of(answer.offer.value.content));
  to.setBasedOn(answer.offer.based_on.value());
  to.setHlc(answer.offer.hlc.bits);
  to.setBytes(data_of(answer.offer.value.bytes));
}

Answer read_answer(wire::Answer::Reader from) {
  Answer answer{
      .key = read_key(from.getKey()), .kind = read_enum<AnswerKind>(from.getKind()), .offer = {}};
  if (answer.kind == AnswerKind::kOffer)
    answer.offer = {
        .value = {read_enum<ContentType>(from.getContent()), read_bytes(from.getBytes())},
        .based_on = read_revision(from.getBasedOn()),
        .hlc = {from.getHlc()}};
  return answer;
}

void write_offer_outcome(wire::OfferOutcome::Builder to, const OfferOutcome& outcome) {
  to.setKey(text_of(outcome.key));
  to.setHlc(outcome.hlc.bits);
  to.setTook(outcome.took);
  to.setVersion(outcome.version.value());
}

OfferOutcome read_offer_outcome(wire::OfferOutcome::Reader from) {
  return {.key = read_key(from.getKey()),
          .hlc = {from.getHlc()},
          .took = from.getTook(),
          .version = read_revision(from.getVersion())};
}

void write_report(wire::KeyReport::Builder to, const KeyReport& report) {
  to.setKey(text_of(report.key));
  to.setOutcome(number_of(report.outcome));
  if (!report.strategy.empty()) to.setStrategy(text_of(report.strategy));
  to.setVersion(report.version.value());
  if (!report.winner.empty()) to.setWinner(text_of(report.winner));
  to.setOffers(report.offers);
  to.setSame(report.same);
  to.setBehind(report.behind);
  to.setAbsent(report.absent);
  to.setDiffers(report.differs);
}

KeyReport read_report(wire::KeyReport::Reader from) {
  return {.key = read_key(from.getKey()),
          .outcome = read_enum<RoundOutcome>(from.getOutcome()),
          .strategy = read_text(from.getStrategy(), "strategy"),
          .version = read_revision(from.getVersion()),
          .winner = read_optional_agent(from.getWinner()),
          .offers = from.getOffers(),
          .same = from.getSame(),
          .behind = from.getBehind(),
          .absent = from.getAbsent(),
          .differs = from.getDiffers()};
}

std::vector<AgentId> read_agents(capnp::List<capnp::Text>::Reader list) {
  return read_list(list, limits::kSessions, "agents", read_agent);
}

void check_all(bool all, std::size_t keys) {
  if (all && keys > 0) refuse(fmt::format("keys: expected none beside `all`, got {}", keys));
}

}  // namespace

void write(wire::StateRequest::Builder to, const StateRequest& from) {
  to.setStart(from.start.value());
  to.setBroadcast(from.broadcast.value());
  to.setRound(from.round.value());
  to.setEpoch(from.epoch.value());
  to.setHead(from.head.value());
  write_hash(to.getDigest(), from.digest);
  to.setRemainingMillis(from.remaining_millis);
  to.setAll(from.all);
  to.setSwarm(text_of(from.swarm));
  write_list(from.keys, [&](unsigned size) { return to.initKeys(size); }, write_asked);
}

StateRequest read(wire::StateRequest::Reader from) {
  StateRequest request{
      .swarm = read_swarm(from.getSwarm()),
      .start = StartId(from.getStart()),
      .broadcast = read_broadcast(from.getBroadcast()),
      .round = RoundId(from.getRound()),
      .epoch = Epoch(from.getEpoch()),
      .head = read_revision(from.getHead()),
      .digest = read_hash(from.getDigest()),
      .all = from.getAll(),
      .keys = read_list(from.getKeys(), limits::kRoundKeys, "keys", read_asked),
      .remaining_millis = read_duration(from.getRemainingMillis(), "remaining time")};
  check_all(request.all, request.keys.size());
  return request;
}

void write(wire::StateResponse::Builder to, const StateResponse& from) {
  to.setSession(from.session.value());
  to.setRound(from.round.value());
  to.setRest(number_of(from.rest));
  write_list(from.answers, [&](unsigned size) { return to.initAnswers(size); }, write_answer);
}

StateResponse read(wire::StateResponse::Reader from) {
  // One answer for each asked key or, where all were asked, for each offer.
  static_assert(limits::kOffersPerAgent >= limits::kRoundKeys);
  return {.session = SessionId(from.getSession()),
          .round = RoundId(from.getRound()),
          .rest = read_enum<AnswerKind>(from.getRest()),
          .answers = read_list(from.getAnswers(), limits::kOffersPerAgent, "answers", read_answer)};
}

void write(wire::OfferResult::Builder to, const OfferResult& from) {
  to.setSession(from.session.value());
  to.setRound(from.round.value());
  write_list(
      from.outcomes, [&](unsigned size) { return to.initOutcomes(size); }, write_offer_outcome);
}

OfferResult read(wire::OfferResult::Reader from) {
  return {.session = SessionId(from.getSession()),
          .round = RoundId(from.getRound()),
          .outcomes = read_list(from.getOutcomes(), limits::kOffersPerAgent, "offer outcomes",
                                read_offer_outcome)};
}

void write(wire::SyncRequest::Builder to, const SyncRequest& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setTimeoutMillis(from.timeout_millis);
  to.setAll(from.all);
  to.setPriorityGiven(from.priority_given);
  to.setPriority(number_of(from.priority));
  write_texts(from.keys, [&](unsigned size) { return to.initKeys(size); });
}

SyncRequest read(wire::SyncRequest::Reader from) {
  SyncRequest request{.session = SessionId(from.getSession()),
                      .request = RequestId(from.getRequest()),
                      .keys = read_list(from.getKeys(), limits::kRoundKeys, "keys", read_key),
                      .all = from.getAll(),
                      .timeout_millis = read_duration(from.getTimeoutMillis(), "timeout"),
                      .priority_given = from.getPriorityGiven(),
                      .priority = read_enum<Priority>(from.getPriority())};
  check_all(request.all, request.keys.size());
  return request;
}

void write(wire::SyncReport::Builder to, const SyncReport& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setRound(from.round.value());
  to.setOutcome(number_of(from.outcome));
  to.setCode(number_of(from.code));
  to.setExpected(from.expected);
  to.setHead(from.head.value());
  to.setElapsedMillis(from.elapsed_millis);
  if (!from.text.empty()) to.setText(text_of(from.text));
  write_texts(from.answered, [&](unsigned size) { return to.initAnswered(size); });
  write_texts(from.missing, [&](unsigned size) { return to.initMissing(size); });
  write_texts(from.late, [&](unsigned size) { return to.initLate(size); });
  write_list(from.keys, [&](unsigned size) { return to.initKeys(size); }, write_report);
}

SyncReport read(wire::SyncReport::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .round = RoundId(from.getRound()),
          .outcome = read_enum<RoundOutcome>(from.getOutcome()),
          .code = read_enum<Code>(from.getCode()),
          .text = read_text(from.getText(), "text"),
          .head = read_revision(from.getHead()),
          .expected = from.getExpected(),
          .answered = read_agents(from.getAnswered()),
          .missing = read_agents(from.getMissing()),
          .late = read_agents(from.getLate()),
          .elapsed_millis = read_duration(from.getElapsedMillis(), "elapsed time"),
          .keys = read_list(from.getKeys(), kListElements, "key reports", read_report)};
}

}  // namespace waggle::codec
