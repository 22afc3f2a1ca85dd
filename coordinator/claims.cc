// Claims: asked for, granted, renewed, handed over, ended; and what a write under one needs.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "coordinator/coordinator.h"
#include "coordinator/own_keys.h"

namespace waggle {
namespace {

// Of a claim that was granted in line, until its holder renews it the first time.
constexpr std::int64_t kUnconfirmedMillis = 5'000;

std::string name_of(const Claim& claim) {
  if (!claim.label.empty()) return claim.label;
  return is_client_agent(claim.holder.agent) ? "a client" : claim.holder.agent.value();
}

std::string held_text(const Claim& claim, Millis left) {
  return fmt::format("'{}' is held by {} under token {}, for {} ms more unless it is renewed",
                     claim.pattern, name_of(claim), claim.token.value(),
                     std::max<std::int64_t>(left.count, 0));
}

}  // namespace

// What was held when the coordinator stopped is held still, from now on for its whole time: nobody
// knows how long it was away.
void Coordinator::restore_claims(Swarm& swarm) {
  for (const Key& key : swarm.state.keys_after(kClaimKeys, {}, SIZE_MAX)) {
    const RecordPtr record = swarm.state.find(key);
    if (!record->live()) continue;
    std::optional<Claim> claim = claim_of(key, *record);
    if (claim && swarm.claims.overlapping(claim->pattern) == nullptr) {
      const Instant ends = now_.monotonic + Millis{claim->ttl_millis};
      swarm.claims.hold(*std::move(claim), ends);
    } else if (!record->metadata.contains("ended")) {
      count("claims_unreadable");
    }
  }
}

void Coordinator::on_claim_request(Session& session, const ClaimRequest& request) {
  Swarm* swarm = writable_by(session);
  if (swarm == nullptr) return;
  ClaimResult result = judge_claim(*swarm, session, request);
  if (result.code != Code::kCommitted) count("claims_refused");
  result.session = session.id;
  result.request = request.request;
  if (result.pattern.empty()) result.pattern = request.pattern;
  send(session.peer, make_message(std::move(result)));
  // What it released may be wanted.
  serve_line(*swarm);
  serve_tasks(*swarm);
}

ClaimResult Coordinator::claim_refused(Code code, Reason reason, std::string text) {
  ClaimResult result;
  result.code = code;
  result.reason = reason;
  result.text = std::move(text);
  return result;
}

ClaimResult Coordinator::judge_claim(Swarm& swarm, const Session& session,
                                     const ClaimRequest& request) {
  if (const Status shape = check_claim_pattern(request.pattern); !shape)
    return claim_refused(Code::kRejected, Reason::kInvalid, shape.error().text);
  if (request.ttl_millis != 0 || request.verb == ClaimVerb::kTake)
    if (const Status time = check_claim_time(request.ttl_millis); !time)
      return claim_refused(Code::kRejected, Reason::kInvalid, time.error().text);
  if (request.checkpoint && request.checkpoint->bytes.size() > limits::kValueBytes)
    return claim_refused(Code::kRejected, Reason::kTooLarge,
                         fmt::format("the checkpoint has {} bytes, at most {} are allowed",
                                     request.checkpoint->bytes.size(), limits::kValueBytes));
  if (!writable_) return claim_refused(Code::kUnavailable, Reason::kDiskFull, not_writable_text_);
  end_due_claims(swarm);
  if (request.verb == ClaimVerb::kTake)
    if (std::optional<std::string> text = not_allowed_all(session, Act::kClaim, request.pattern))
      return claim_refused(Code::kDenied, Reason::kNotAllowed, *std::move(text));
  if (request.verb == ClaimVerb::kTake)
    return is_task_key(request.pattern) ? take_task(swarm, session, request)
                                        : take_claim(swarm, session, request);

  const Claim* claim = swarm.claims.find(request.pattern);
  const bool its_own = claim != nullptr && claim->token == request.token &&
                       (session.role == Role::kClient || claim->holder.agent == session.agent);
  if (!its_own) {
    std::string stands = "nobody holds it now";
    if (claim != nullptr)
      stands = held_text(*claim, swarm.claims.end_of(claim->pattern) - now_.monotonic);
    return claim_refused(
        Code::kDenied, Reason::kStaleToken,
        fmt::format("the claim '{}' is not held under token {}{}: {}", request.pattern,
                    request.token.value(),
                    claim != nullptr && claim->token == request.token ? " by this agent" : "",
                    stands));
  }
  Claim renewed = *claim;
  if (request.ttl_millis != 0) renewed.ttl_millis = request.ttl_millis;
  const Instant ends = now_.monotonic + Millis{renewed.ttl_millis};
  switch (request.verb) {
    case ClaimVerb::kRenew:
      if (is_task_key(request.pattern))
        swarm.tasks.unconfirmed.erase(std::string(task_id_of(request.pattern)));
      if (request.checkpoint || renewed != *claim) {
        swarm.claims.end(request.pattern);
        return hold_claim(swarm, std::move(renewed), request.checkpoint);
      }
      swarm.claims.ends_at(request.pattern, ends);
      return granted(swarm, renewed);
    case ClaimVerb::kRelease: {
      ClaimResult result;
      result.token = claim->token;
      end_claim(swarm, Claim(*claim), ClaimEnd::kReleased, "released", request.checkpoint);
      result.revision = swarm.state.head();
      return result;
    }
    case ClaimVerb::kHandover: {
      const Session* to = sessions_.holder(session.swarm, request.to);
      if (to == nullptr || to->role != Role::kMember)
        return claim_refused(
            Code::kNotFound, Reason::kNone,
            fmt::format("no member '{}' is attached, so the claim stays where it is",
                        request.to.value()));
      if (!to->rights->covers(Act::kClaim, request.pattern))
        return claim_refused(
            Code::kDenied, Reason::kNotAllowed,
            fmt::format("'{}' may not claim '{}' by the coordinator's access file, "
                        "so the claim stays where it is",
                        request.to.value(), request.pattern));
      renewed.holder = {to->agent, to->process};
      renewed.label.clear();
      renewed.handed_by = session.agent;
      renewed.of_session = true;
      renewed.token = next_token(swarm);
      if (claim->asked) swarm.tasks.taken.erase({claim->holder, claim->asked});
      renewed.asked = {};
      swarm.claims.end(request.pattern);
      count("claims_handed_over");
      return hold_claim(swarm, std::move(renewed), request.checkpoint);
    }
    case ClaimVerb::kTake:
      break;
  }
  return claim_refused(Code::kUnsupported, Reason::kNone,
                       "this coordinator does not know that verb");
}

// Without token; of a task the pattern is that of the tasks that it would take.
Claim Coordinator::wanted_claim(const Session& session, const ClaimRequest& request) {
  Claim wanted;
  wanted.pattern = request.pattern;
  wanted.holder = {session.agent, session.process};
  wanted.label = request.label;
  wanted.ttl_millis = request.ttl_millis;
  wanted.of_session = session.role == Role::kMember;
  return wanted;
}

ClaimResult Coordinator::take_claim(Swarm& swarm, const Session& session,
                                    const ClaimRequest& request) {
  Claim wanted = wanted_claim(session, request);
  const Claim* held = swarm.claims.overlapping(wanted.pattern);
  // An earlier process of this agent was fenced, or is gone.
  while (held != nullptr && held->holder.agent == session.agent &&
         held->holder.process != session.process) {
    end_claim(swarm, Claim(*held), ClaimEnd::kLost, "taken over by a later process");
    held = swarm.claims.overlapping(wanted.pattern);
  }
  if (held != nullptr && held->pattern == wanted.pattern && held->holder == wanted.holder) {
    swarm.claims.ends_at(held->pattern, now_.monotonic + Millis{held->ttl_millis});
    return granted(swarm, *held);
  }
  if (held == nullptr && !swarm.claims.line().somebody_waits_for(wanted.pattern)) {
    if (const Status room = swarm.claims.room_for(wanted.pattern); !room)
      return claim_refused(room.error().code, Reason::kNone, room.error().text);
    wanted.token = next_token(swarm);
    return hold_claim(swarm, std::move(wanted), request.checkpoint);
  }
  std::string stands = held != nullptr
                           ? held_text(*held, swarm.claims.end_of(held->pattern) - now_.monotonic)
                           : "others wait for it";
  if (request.wait_millis <= 0) {
    swarm.claims.line().stop_waiting(wanted.holder, request.request);
    return claim_refused(Code::kConflict, Reason::kClaimed, std::move(stands));
  }
  const Instant until =
      now_.monotonic + Millis{std::min(request.wait_millis, limits::kClaimMillisMax)};
  Result<std::size_t> place = swarm.claims.line().wait(
      {std::move(wanted), session.id, request.request, until, now_.monotonic});
  if (!place)
    return claim_refused(place.error().code, Reason::kNone, std::move(place.error().text));
  // Not the last answer.
  ClaimResult result = claim_refused(Code::kCommitted, Reason::kClaimed, std::move(stands));
  result.place = static_cast<std::uint32_t>(*place);
  return result;
}

FenceToken Coordinator::next_token(Swarm& swarm) {
  // By the clock too: a store that was put back must not give a token again that was given before.
  FenceToken& last = swarm.state.row().last_token;
  const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(now_.wall_millis, 0));
  last = FenceToken(std::max(last.value() + 1, std::min(wall, limits::kNumberMax)));
  return last;
}

// Its record is committed: from now on for its whole time.
ClaimResult Coordinator::hold_claim(Swarm& swarm, Claim claim,
                                    const std::optional<Register>& checkpoint) {
  const Key key = claim_key(claim.pattern);
  std::optional<Register> kept = checkpoint;
  if (!kept) kept = checkpoint_of(swarm.state.find(key).get());
  commit(swarm,
         {{key, record_of_own(swarm, kept.value_or(Register{ContentType::kText, {}}),
                              to_metadata(claim))}},
         {}, {});
  count("claims_held");
  ClaimResult result = granted(swarm, claim);
  const Instant ends = now_.monotonic + Millis{claim.ttl_millis};
  swarm.claims.hold(std::move(claim), ends);
  return result;
}

// What stands, by its record.
ClaimResult Coordinator::granted(const Swarm& swarm, const Claim& claim) {
  const RecordPtr record = swarm.state.find(claim_key(claim.pattern));
  ClaimResult result;
  result.pattern = claim.pattern;
  result.token = claim.token;
  result.ttl_millis = claim.ttl_millis;
  result.checkpoint = checkpoint_of(record.get());
  result.revision = record ? record->version : Revision();
  return result;
}

// Unless it is released, the last checkpoint waits for the next holder, since the work was not
// finished.
void Coordinator::end_claim(Swarm& swarm, const Claim& claim, ClaimEnd how, const char* why,
                            const std::optional<Register>& checkpoint) {
  const Key key = claim_key(claim.pattern);
  std::optional<Register> kept = checkpoint;
  if (!kept && how != ClaimEnd::kReleased) kept = checkpoint_of(swarm.state.find(key).get());
  Metadata metadata;
  if (kept)
    metadata = {{"ended", why},
                {"held_by", claim.holder.agent.value()},
                {"token", fmt::to_string(claim.token.value())}};
  std::vector<Change> changes;
  changes.push_back({key, record_of_own(swarm, std::move(kept), std::move(metadata))});
  if (is_task_key(claim.pattern))
    give_back_task(swarm, claim, how == ClaimEnd::kLost ? why : "", changes);
  commit(swarm, std::move(changes), {}, {});
  drop_claim(swarm, claim);
}

// It is held no more, which was committed.
void Coordinator::drop_claim(Swarm& swarm, const Claim& claim) {
  if (claim.asked) swarm.tasks.taken.erase({claim.holder, claim.asked});
  swarm.claims.end(claim.pattern);
  count("claims_ended");
}

// It was given to who waits, who may be dead by now: the whole time begins when it renews.
void Coordinator::await_renewal(Swarm& swarm, const std::string& pattern, std::int64_t ttl_millis) {
  swarm.claims.ends_at(pattern, now_.monotonic + Millis{std::min(ttl_millis, kUnconfirmedMillis)});
}

RecordPtr Coordinator::record_of_own(const Swarm& swarm, std::optional<Register> value,
                                     Metadata metadata, const Record* before) {
  auto record = std::make_shared<Record>();
  if (value) record->value = *std::move(value);
  record->version = swarm.state.head().next();
  record->commit_wall_millis = now_.wall_millis;
  record->hlc = hlc_.tick(now_.wall_millis);
  record->writer = {AgentId(kCoordinatorName), Incarnation(start_.value()), {}};
  record->metadata = std::move(metadata);
  if (record->value) record->content = content_hash(*record->value);
  if (before != nullptr) {
    record->receipt = before->receipt;
    record->receipts = before->receipts;
  }
  return record;
}

void Coordinator::end_due_claims(Swarm& swarm) {
  for (const std::string& pattern : swarm.claims.due(now_.monotonic)) {
    count("claims_expired");
    const char* why =
        swarm.claims.holder_lost(pattern) ? "its holder was lost" : "its time was over";
    end_claim(swarm, Claim(*swarm.claims.find(pattern)), ClaimEnd::kLost, why);
  }
}

void Coordinator::tend_claims(Swarm& swarm) {
  if (!writable_ || swarm.claims.next_wake() > now_.monotonic) return;
  end_due_claims(swarm);
  serve_line(swarm);
  serve_tasks(swarm);
}

void Coordinator::tell_waiting(const WaitingClaim& waiting, ClaimResult result) {
  const auto session = sessions_.all().find(waiting.session);
  if (session == sessions_.all().end()) return;
  result.session = waiting.session;
  result.request = waiting.request;
  if (result.pattern.empty()) result.pattern = waiting.wanted.pattern;
  send(session->second.peer, make_message(std::move(result)));
}

void Coordinator::serve_line(Swarm& swarm) {
  for (const WaitingClaim& tired : swarm.claims.line().take_tired(now_.monotonic)) {
    ClaimResult result;
    result.code = Code::kTimeout;
    result.reason = Reason::kClaimed;
    const Claim* held = swarm.claims.overlapping(tired.wanted.pattern);
    result.text = held != nullptr
                      ? held_text(*held, swarm.claims.end_of(held->pattern) - now_.monotonic)
                      : "others wait for it, who came earlier";
    tell_waiting(tired, std::move(result));
  }
  if (!writable_) return;
  while (std::optional<WaitingClaim> next = swarm.claims.next_in_line(now_.monotonic)) {
    // Who went away meanwhile has nothing to hold it for.
    if (!sessions_.all().contains(next->session)) continue;
    Claim claim = next->wanted;
    claim.token = next_token(swarm);
    tell_waiting(*next, hold_claim(swarm, std::move(claim), {}));
    await_renewal(swarm, next->wanted.pattern, next->wanted.ttl_millis);
  }
}

// Of a session that ended, and whose process has no other one. `left`: it said so.
void Coordinator::end_claims_of(Swarm& swarm, const Session& ended, bool left) {
  const Claimant claimant{ended.agent, ended.process};
  swarm.claims.line().stop_waiting(claimant);
  swarm.tasks.queue.line().stop_waiting(claimant);
  if (!writable_) left = false;  // they can't be ended now, but soon
  std::vector<Claim> claims;
  for (const Claim* claim : swarm.claims.held_by(claimant))
    if (claim->of_session) claims.push_back(*claim);
  for (const Claim& claim : claims) {
    const std::int64_t grace = options_.policies.of(claim.pattern).claim_grace_millis;
    if (left) {
      end_claim(swarm, claim, ended.left ? ClaimEnd::kLeft : ClaimEnd::kLost,
                ended.left ? "its holder left" : "its holder was taken over by a later process");
    } else {
      // A connection that broke says little: from when it would have been missed.
      const Instant missed = std::max(ended.heard + Millis{options_.beat.failed()}, now_.monotonic);
      const Instant before = swarm.claims.end_of(claim.pattern);
      if (missed + Millis{grace} < before)
        swarm.claims.ends_at(claim.pattern, missed + Millis{grace}, true);
    }
  }
  if (!claims.empty()) tend_claims(swarm);
  if (!left) return;
  serve_line(swarm);
  serve_tasks(swarm);
}

// Nothing: it may be written.
std::optional<std::string> Coordinator::claimed(const Swarm& swarm, std::string_view key,
                                                FenceToken token) const {
  const Claim* claim = swarm.claims.over(key);
  if (claim == nullptr || claim->token == token) return std::nullopt;
  return fmt::format("'{}' is claimed: {}; take the claim yourself and write with its token", key,
                     held_text(*claim, swarm.claims.end_of(claim->pattern) - now_.monotonic));
}

// Nothing: the fence lets it pass.
std::optional<Outcome> Coordinator::fenced(const Swarm& swarm, const Mutation& mutation) {
  Outcome outcome;
  outcome.code = Code::kDenied;
  outcome.revision = swarm.state.head();
  for (const Entry& entry : mutation.entries) {
    outcome.key = entry.key;
    if (std::holds_alternative<ClearOp>(entry.op)) {
      if (swarm.claims.size() == 0) continue;
      outcome.reason = Reason::kClaimed;
      outcome.text = fmt::format(
          "{} claims are held in this swarm; clear it when they are "
          "released",
          swarm.claims.size());
      return outcome;
    }
    if (is_claim_key(entry.key.value())) {
      outcome.code = Code::kRejected;
      outcome.reason = Reason::kReserved;
      outcome.text = fmt::format(
          "'{}': keys that begin with '{}' are the coordinator's own; use "
          "the verbs of claims",
          entry.key.value(), kClaimKeys);
      return outcome;
    }
    if (is_own_key(entry.key.value())) {
      // Judged by itself, with its token.
      if (mutation.entries.size() == 1 && is_task_key(entry.key.value())) return std::nullopt;
      if (mutation.entries.size() == 1) continue;
      outcome.code = Code::kRejected;
      outcome.reason = Reason::kReserved;
      outcome.text = fmt::format("'{}': a proposal, vote or task stands alone, in no group",
                                 entry.key.value());
      return outcome;
    }
    if (std::optional<std::string> text = needs_proposal(entry.key.value())) {
      outcome.reason = Reason::kNeedsProposal;
      outcome.text = *std::move(text);
      break;
    }
    if (std::optional<std::string> text = claimed(swarm, entry.key.value(), mutation.fence)) {
      outcome.reason = Reason::kClaimed;
      outcome.text = *std::move(text);
      break;
    }
  }
  // Whoever brings a token relies on holding its claim, whatever it writes.
  if (mutation.fence && swarm.claims.of_token(mutation.fence) == nullptr) {
    outcome.reason = Reason::kStaleToken;
    outcome.text = fmt::format(
        "token {} is not held: it was never given, or its claim ended and "
        "somebody else may have done the work since; take it again",
        mutation.fence.value());
  }
  if (outcome.reason == Reason::kNone) return std::nullopt;
  count("writes_fenced");
  return outcome;
}

}  // namespace waggle
