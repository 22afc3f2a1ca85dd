// Offers and rounds.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/agent.h"
#include "base/shape.h"

namespace waggle {
namespace {

constexpr std::int64_t kSyncResendMillis = 1'000;
constexpr std::int64_t kSyncGraceMillis = 2'000;
constexpr std::int64_t kSyncDefaultMillis = 63'000;  // a policy may give its keys more than 10 s

}  // namespace

void Agent::offer(const OfferCommand& command) {
  const auto refuse = [&](Code code, std::string text) {
    tell(CommandFailed{command.request, {code, std::move(text)}});
  };
  if (link_ == Link::kEnded) return refuse(Code::kUnavailable, "the agent has left the swarm");
  if (options_.role != Role::kMember)
    return refuse(Code::kDenied, "only a member can offer a value");
  if (const Status shape = check_key(command.key.value()); !shape)
    return refuse(shape.error().code, shape.error().text);
  if (command.value) {
    if (const Status shape = check_value(Value{*command.value}); !shape)
      return refuse(shape.error().code, shape.error().text);
    if (offers_.size() >= limits::kOffersPerAgent && !offers_.contains(command.key))
      return refuse(Code::kOverloaded, "too many offers wait for a round; withdraw some");
    const auto standing = offers_.find(command.key);
    const std::size_t others =
        offer_bytes_ - (standing == offers_.end() ? 0 : standing->second.value.bytes.size());
    if (others + command.value->bytes.size() > limits::kOfferBytes)
      return refuse(Code::kOverloaded,
                    fmt::format("the values offered have {} bytes, {} more would be above the {} "
                                "that one answer carries; withdraw some",
                                others, command.value->bytes.size(), limits::kOfferBytes));
    offer_bytes_ = others + command.value->bytes.size();
    const RecordPtr held = replica_.find(command.key);
    offers_[command.key] =
        Offer{*command.value, held ? held->version : Revision{}, hlc_.tick(wall())};
  } else if (const auto standing = offers_.find(command.key); standing != offers_.end()) {
    withdraw(standing);
  }
  tell(WriteQueued{command.request, {}, {}});
}

void Agent::withdraw(std::map<Key, Offer>::iterator offer) {
  offer_bytes_ -= offer->second.value.bytes.size();
  offers_.erase(offer);
}

AnswerKind Agent::compare(const StateRequest& request, const AskedKey& asked) {
  const RecordPtr held = replica_.find(asked.key);
  if (held && held->version == asked.version)
    return held->content == asked.content ? AnswerKind::kSame : AnswerKind::kDiffers;
  // At the very revision of the request the two must be equal.
  const bool same_revision = replica_.cursor().revision == request.head;
  if (!held && !asked.version) return AnswerKind::kAbsent;
  return same_revision ? AnswerKind::kDiffers : AnswerKind::kBehind;
}

void Agent::on_state_request(const StateRequest& request) {
  if (!welcomed() || request.swarm != options_.swarm || request.start != start_ ||
      request.epoch != epoch_ || options_.role != Role::kMember) {
    count("ignored_state_request");
    return;
  }
  // Own writes go first on the same connection: they are commits, never answers.
  submit();

  StateResponse response;
  response.session = session_;
  response.round = request.round;
  const bool synced = replica_.cursor().epoch == epoch_ && !pull_;
  bool differs = false;
  if (request.all) {
    response.rest = AnswerKind::kBehind;
    if (synced && replica_.cursor().revision == request.head) {
      response.rest = !holds_all() || replica_.digest() == request.digest ? AnswerKind::kSame
                                                                          : AnswerKind::kDiffers;
      differs = response.rest == AnswerKind::kDiffers;
    }
    for (const auto& [key, offer] : offers_)
      response.answers.push_back({key, AnswerKind::kOffer, offer});
  } else {
    response.rest = AnswerKind::kSame;
    for (const AskedKey& asked : request.keys) {
      Answer answer{asked.key, AnswerKind::kBehind, {}};
      if (synced) answer.kind = compare(request, asked);
      differs = differs || answer.kind == AnswerKind::kDiffers;
      const auto offered = offers_.find(asked.key);
      if (offered != offers_.end()) {
        answer.kind = AnswerKind::kOffer;
        answer.offer = offered->second;
      }
      if (answer.kind != response.rest) response.answers.push_back(std::move(answer));
    }
  }
  count("rounds_answered");
  up(make_message(std::move(response)));
  head_ = std::max(head_, request.head);
  if (differs) {
    // Same revision, other content: this replica is damaged.
    count("digest_mismatches");
    tell(DigestMismatch{replica_.cursor().revision});
    if (attached_ && !pull_) begin_pull(true);
  } else if (attached_ && request.head > replica_.cursor().revision) {
    want_pull();
  }
}

void Agent::on_offer_result(const OfferResult& result) {
  for (const OfferOutcome& outcome : result.outcomes) {
    const auto offered = offers_.find(outcome.key);
    // Replaced since: the new one waits for the next round.
    if (offered == offers_.end() || offered->second.hlc != outcome.hlc) continue;
    withdraw(offered);
    tell(OfferSettled{outcome.key, result.round, outcome.took, outcome.version});
  }
}

void Agent::sync(const SyncCommand& command) {
  if (link_ == Link::kEnded) {
    tell(CommandFailed{command.request, {Code::kUnavailable, "the agent has left the swarm"}});
    return;
  }
  Status shape;
  if (syncings_.size() >= limits::kWaitingRequests)
    shape = failed(Code::kOverloaded, "too many synchronisations wait already");
  if (command.keys.size() > limits::kRoundKeys)
    shape = failed(Code::kRejected,
                   fmt::format("{} keys were named, one round has at most {}; ask for all, or in "
                               "parts",
                               command.keys.size(), limits::kRoundKeys));
  if (command.keys.empty() && !command.all)
    shape = failed(Code::kRejected, "no key was named; name one or ask for all");
  if (!command.keys.empty() && command.all)
    shape = failed(Code::kRejected, "keys were named beside `all`; give the one or the other");
  for (const Key& key : command.keys)
    if (shape) shape = check_key(key.value());
  if (!shape) {
    tell(CommandFailed{command.request, shape.error()});
    return;
  }
  const std::int64_t time =
      command.timeout_millis > 0 ? command.timeout_millis : kSyncDefaultMillis;
  syncings_.push_back({command, in(time + kSyncGraceMillis), Instant::never()});
  send_sync(syncings_.back());
}

void Agent::send_sync(Syncing& syncing) {
  syncing.resend_at = in(jittered(kSyncResendMillis));
  if (!attached_) return;
  SyncRequest request;
  request.session = session_;
  request.request = syncing.command.request;
  request.keys = syncing.command.keys;
  request.all = syncing.command.all;
  request.timeout_millis = syncing.command.timeout_millis;
  request.priority_given = syncing.command.priority_given;
  request.priority = syncing.command.priority;
  up(make_message(std::move(request)));
}

void Agent::on_sync_report(const SyncReport& report) {
  const auto syncing = std::find_if(syncings_.begin(), syncings_.end(), [&](const Syncing& s) {
    return s.command.request == report.request;
  });
  if (syncing == syncings_.end()) return;
  syncings_.erase(syncing);
  tell(SyncDone{report.request, report});
}

}  // namespace waggle
