#include "agent/own_claims.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "consensus/task_queue.h"
#include "resolver/json_document.h"

namespace waggle {
namespace {

constexpr Millis kResend{1'000};
constexpr Millis kAnswer{10'000};  // beyond the time in line
constexpr Millis kWorthWaiting{1'000};

// Puts a dead task back to be open.
bool reopens(const Mutation& mutation) {
  const auto* put = std::get_if<PutOp>(&mutation.entries.front().op);
  if (put == nullptr) return false;
  const Result<JsonValue> document = parse_json_document(put->bytes);
  if (!document || document->object() == nullptr) return false;
  const auto state = document->object()->find("state");
  return state != document->object()->end() && state->second.text() != nullptr &&
         *state->second.text() == "open";
}

}  // namespace

Status OwnClaims::ask(const ClaimCommand& command, RequestId number, Instant now) {
  if (Status shape = check_claim_pattern(command.pattern); !shape) return shape;
  const bool takes = command.verb == ClaimVerb::kTake;
  if (takes || command.ttl_millis != 0)
    if (Status time = check_claim_time(command.ttl_millis); !time) return time;
  if (command.checkpoint)
    if (Status shape = check_value(Value{*command.checkpoint}); !shape) return shape;
  if (command.verb == ClaimVerb::kHandover) {
    if (Status shape = check_agent_id(command.to.value()); !shape) return shape;
    if (command.to == self_.agent)
      return failed(Code::kRejected,
                    fmt::format("'{}' can't be handed over to this agent itself", command.pattern));
  }
  if (asking_.size() >= limits::kClaims)
    return failed(Code::kOverloaded, "too many claims are asked for already");
  Asking asking;
  asking.request.request = number;
  asking.request.verb = command.verb;
  asking.request.pattern = command.pattern;
  asking.request.token = command.token;
  asking.request.ttl_millis = command.ttl_millis;
  asking.request.wait_millis = takes ? std::max<std::int64_t>(command.wait_millis, 0) : 0;
  asking.request.to = command.to;
  asking.request.checkpoint = command.checkpoint;
  if (takes) asking.request.can = command.can;
  asking.command = command.request;
  asking.renews = command.renews;
  asking.resend_at = now;
  asking.deadline =
      now + kAnswer + Millis{std::min(asking.request.wait_millis, limits::kClaimMillisMax)};
  const auto own = held_.find(command.pattern);
  const auto lost = lost_.find(command.pattern);
  if (command.verb == ClaimVerb::kRelease && lost != lost_.end()) {
    // It is known to be over; who releases it knows it too from now on.
    if (own == held_.end() && !command.token) asking.request.token = lost->second;
    lost_.erase(lost);
  }
  if (!takes && !asking.request.token) {
    if (own == held_.end())
      return failed(Code::kRejected,
                    fmt::format("this agent does not hold '{}'; take it first", command.pattern));
    asking.request.token = own->second.token;
  }
  if (own != held_.end() && own->second.token == asking.request.token &&
      (command.verb == ClaimVerb::kRelease || command.verb == ClaimVerb::kHandover))
    own->second.leaving = true;
  // What was granted to nobody here is wanted now; if it is given back already, its record tells.
  if (takes)
    std::erase_if(asking_, [&](const auto& one) {
      return !one.second.command && one.second.request.verb == ClaimVerb::kRelease &&
             one.second.request.pattern == command.pattern;
    });
  asking_.emplace(number, std::move(asking));
  return {};
}

std::vector<ClaimRequest> OwnClaims::to_send(Instant now) {
  std::vector<ClaimRequest> requests;
  for (auto& [number, asking] : asking_) {
    if (now < asking.resend_at) continue;
    asking.sent = now;
    asking.resend_at = now + kResend;
    requests.push_back(asking.request);
  }
  return requests;
}

void OwnClaims::come_back(RequestId request, Instant at) {
  const auto asking = asking_.find(request);
  if (asking != asking_.end()) asking->second.resend_at = at;
}

void OwnClaims::ask_again(Instant now) {
  for (auto& [number, asking] : asking_) asking.resend_at = now;
}

void OwnClaims::lose(const std::string& pattern, const Own& own, std::string why,
                     std::vector<Delivery>& told) {
  if (own.reports > 0) {
    unsettled_.insert_or_assign(pattern,
                                Unsettled{own.token, own.reports, own.since, std::move(why)});
  } else {
    tell_lost(pattern, own.token, std::move(why), told);
  }
}

void OwnClaims::tell_lost(const std::string& pattern, FenceToken token, std::string why,
                          std::vector<Delivery>& told) {
  if (lost_.size() < limits::kClaims) lost_.insert_or_assign(pattern, token);
  told.emplace_back(ClaimLost{pattern, token, std::move(why)});
}

void OwnClaims::renew(const std::string& pattern, Own& own, RequestId number, Instant now) {
  Asking asking;
  asking.request.request = number;
  asking.request.verb = ClaimVerb::kRenew;
  asking.request.pattern = pattern;
  asking.request.token = own.token;
  asking.resend_at = now;
  asking.deadline = own.lasts_until;
  own.renew_at = Instant::never();
  asking_.emplace(number, std::move(asking));
}

OwnClaims::Asking* OwnClaims::asking_for(const Claim& claim) {
  const auto found = std::ranges::find_if(asking_, [&](const auto& one) {
    const ClaimRequest& request = one.second.request;
    return claim.asked ? one.first == claim.asked
                       : request.verb == ClaimVerb::kTake && request.pattern == claim.pattern;
  });
  return found == asking_.end() ? nullptr : &found->second;
}

std::vector<Delivery> OwnClaims::on_result(const ClaimResult& result, Instant now) {
  std::vector<Delivery> told;
  const auto found = asking_.find(result.request);
  if (found == asking_.end()) return told;
  Asking& asking = found->second;
  if (result.place > 0) {
    if (!std::exchange(asking.waited, true))
      told.emplace_back(ClaimWaits{asking.command, result.pattern, result.place, result.text});
    return told;
  }
  // This agent stood still: it lost its place in line, or what was granted ended meanwhile.
  const Millis left = (asking.deadline - now) - kAnswer;
  const bool takes = asking.request.verb == ClaimVerb::kTake;
  const bool place_lost = result.code == Code::kTimeout && left > kWorthWaiting;
  if (takes && (place_lost || (result.code == Code::kCommitted && result.token < asking.granted))) {
    asking.request.wait_millis = std::max<std::int64_t>(left.count, 0);
    asking.resend_at = now;
    return told;
  }
  // It can't be done at present: asked again, until its time is over.
  if (result.code == Code::kUnavailable) {
    asking.trouble = result.text;
    return told;
  }
  const Asking done = std::move(asking);
  asking_.erase(found);
  settle(done, result, now, told);
  return told;
}

void OwnClaims::settle(const Asking& asking, const ClaimResult& result, Instant now,
                       std::vector<Delivery>& told) {
  // Of a task it is only known with the answer which one it is.
  const ClaimVerb verb = asking.request.verb;
  const bool took = verb == ClaimVerb::kTake && result.code == Code::kCommitted;
  const std::string& pattern = took ? result.pattern : asking.request.pattern;
  const auto own = held_.find(pattern);
  const bool of_it = own != held_.end() && own->second.token == asking.request.token;
  const bool stale = result.reason == Reason::kStaleToken;
  if (const auto gone = unsettled_.find(pattern);
      asking.command && gone != unsettled_.end() && gone->second.token == asking.request.token) {
    // Who asked is told now. What was given away as it was meant to be is not lost.
    const bool given = (verb == ClaimVerb::kRelease && stale) ||
                       (verb != ClaimVerb::kRenew && result.code == Code::kCommitted);
    const Unsettled last = gone->second;
    if (given || stale) unsettled_.erase(gone);
    if (!given && stale) tell_lost(pattern, last.token, last.why, told);
  }
  if (result.code == Code::kCommitted) {
    switch (verb) {
      case ClaimVerb::kTake: {
        // Of one who waited it is not known when it was granted: the renewal tells.
        const std::int64_t third = asking.waited ? 0 : result.ttl_millis / 3;
        lost_.erase(pattern);
        unsettled_.erase(pattern);
        held_[pattern] = {result.token,
                          result.ttl_millis,
                          result.revision,
                          asking.renews,
                          false,
                          0,
                          asking.renews ? now + Millis{third} : Instant::never(),
                          asking.sent + Millis{result.ttl_millis}};
        break;
      }
      case ClaimVerb::kRenew:
        if (!of_it) break;
        own->second.ttl_millis = result.ttl_millis;
        own->second.since = std::max(own->second.since, result.revision);
        own->second.lasts_until = asking.sent + Millis{result.ttl_millis};
        if (own->second.renews) own->second.renew_at = now + Millis{result.ttl_millis / 3};
        break;
      case ClaimVerb::kRelease:
      case ClaimVerb::kHandover:
        if (of_it) held_.erase(own);
        break;
    }
  } else if (of_it && stale) {
    // Who asked is told now; else a report that is under way says whether it is lost.
    if (verb != ClaimVerb::kRelease && asking.command) {
      tell_lost(pattern, own->second.token, result.text, told);
    } else if (verb != ClaimVerb::kRelease) {
      lose(pattern, own->second, result.text, told);
    }
    held_.erase(own);
  } else if (of_it) {
    own->second.leaving = false;
  }
  if (!asking.command) return;
  told.emplace_back(ClaimDone{asking.command, verb, result});
  // Of a refusal: which one was meant.
  if (result.code != Code::kCommitted)
    std::get<ClaimDone>(told.back()).result.token = asking.request.token;
}

void OwnClaims::settle_given(const std::string& pattern, FenceToken token, const Record& record,
                             const std::optional<Claim>& now, std::vector<Delivery>& told) {
  for (auto at = asking_.begin(); at != asking_.end();) {
    const Asking& asking = at->second;
    const ClaimVerb verb = asking.request.verb;
    const bool gives = verb == ClaimVerb::kRelease || verb == ClaimVerb::kHandover;
    if (!gives || asking.request.pattern != pattern || asking.request.token != token) {
      ++at;
      continue;
    }
    ClaimResult result;
    result.pattern = pattern;
    result.token = token;
    result.revision = record.version;
    if (verb == ClaimVerb::kHandover) {
      if (now && now->handed_by == self_.agent && now->holder.agent == asking.request.to) {
        result.token = now->token;
      } else {
        result.code = Code::kDenied;
        result.reason = Reason::kStaleToken;
        result.text = "the claim ended before it was handed over";
      }
    }
    if (asking.command) told.emplace_back(ClaimDone{asking.command, verb, std::move(result)});
    at = asking_.erase(at);
  }
}

std::vector<Delivery> OwnClaims::on_record(const Change& change, RequestId number, Instant now) {
  std::vector<Delivery> told;
  const std::string pattern(pattern_of(change.key.value()));
  const Record& record = *change.record;
  const std::optional<Claim> claim = claim_of(change.key, record);
  const bool mine = claim && claim->holder == self_;
  const auto own = held_.find(pattern);
  if (own != held_.end()) {
    if (record.version <= own->second.since) return told;  // of before it was held
    if (mine && claim->token == own->second.token) {
      own->second.since = record.version;
      return told;
    }
    const auto ended = record.metadata.find("ended");
    if (!own->second.leaving)
      lose(pattern, own->second,
           claim ? fmt::format("{} holds it now, under token {}", claim->holder.agent.value(),
                               claim->token.value())
           : ended != record.metadata.end() ? ended->second
                                            : "it ended",
           told);
    settle_given(pattern, own->second.token, record, claim, told);
    held_.erase(own);
  }
  if (!mine) return told;
  if (Asking* asking = asking_for(*claim)) {
    asking->granted = std::max(asking->granted, claim->token);
    return told;
  }
  // Taken for lost by the own clock, and a report is under way that may come in time.
  const auto unsettled = unsettled_.find(pattern);
  if (unsettled != unsettled_.end() && unsettled->second.token == claim->token) return told;
  if (claim->handed_by.empty()) {
    // Granted after this agent gave up waiting.
    Asking back;
    back.request.request = number;
    back.request.verb = ClaimVerb::kRelease;
    back.request.pattern = pattern;
    back.request.token = claim->token;
    back.resend_at = now;
    back.deadline = now + Millis{claim->ttl_millis};
    asking_.emplace(number, std::move(back));
    return told;
  }
  // How long it has been on its way is not known: the renewal tells.
  held_[pattern] = {claim->token,
                    claim->ttl_millis,
                    record.version,
                    true,
                    false,
                    0,
                    now,
                    now + Millis{claim->ttl_millis}};
  lost_.erase(pattern);
  unsettled_.erase(pattern);
  told.emplace_back(ClaimGained{pattern, claim->token, claim->handed_by, checkpoint_of(&record)});
  return told;
}

std::vector<Delivery> OwnClaims::tick(Instant now) {
  std::vector<Delivery> told;
  for (auto at = asking_.begin(); at != asking_.end();) {
    if (now < at->second.deadline) {
      ++at;
      continue;
    }
    const Asking asking = std::move(at->second);
    at = asking_.erase(at);
    // It may have been given away or not: if it turns out to be gone, that is told.
    const auto own = held_.find(asking.request.pattern);
    if (own != held_.end() && own->second.token == asking.request.token)
      own->second.leaving = false;
    if (!asking.command) continue;
    ClaimResult result;
    result.pattern = asking.request.pattern;
    result.code = asking.trouble.empty() ? Code::kTimeout : Code::kUnavailable;
    result.text = !asking.trouble.empty() ? asking.trouble
                  : asking.request.verb == ClaimVerb::kTake
                      ? "the coordinator did not answer in time; if it grants it yet, it is given "
                        "back"
                      : "the coordinator did not answer in time; the claim may be held or not";
    told.emplace_back(ClaimDone{asking.command, asking.request.verb, std::move(result)});
  }
  for (auto at = held_.begin(); at != held_.end();) {
    if (now < at->second.lasts_until) {
      ++at;
      continue;
    }
    lose(at->first, at->second,
         at->second.renews ? "it could not be renewed in its time" : "its time was over", told);
    at = held_.erase(at);
  }
  return told;
}

std::vector<Delivery> OwnClaims::end(const Error& why) {
  std::vector<Delivery> told;
  for (const auto& [number, asking] : std::exchange(asking_, {}))
    if (asking.command) told.emplace_back(CommandFailed{asking.command, why});
  held_.clear();
  unsettled_.clear();
  return told;
}

Instant OwnClaims::next_wake(bool attached) const {
  Instant wake = Instant::never();
  for (const auto& [number, asking] : asking_) {
    wake = std::min(wake, asking.deadline);
    if (attached) wake = std::min(wake, asking.resend_at);
  }
  for (const auto& [pattern, own] : held_) {
    wake = std::min(wake, own.lasts_until);
    if (attached && !own.leaving) wake = std::min(wake, own.renew_at);
  }
  return wake;
}

bool OwnClaims::idle() const {
  return std::ranges::none_of(asking_,
                              [](const auto& one) { return one.second.command.value() != 0; });
}

void OwnClaims::reports(const Mutation& mutation) {
  const std::string& key = mutation.entries.front().key.value();
  const auto own = is_task_key(key) ? held_.find(key) : held_.end();
  if (own != held_.end() && own->second.token == mutation.fence) ++own->second.reports;
}

std::vector<Delivery> OwnClaims::reported(const Mutation& mutation, const Outcome& outcome) {
  std::vector<Delivery> told;
  const std::string& key = mutation.entries.front().key.value();
  if (!is_task_key(key)) return told;
  // Whatever is committed to the key of a task that is held ends its claim.
  const auto ends = [&](Revision since) {
    return outcome.code == Code::kCommitted && outcome.revision > since;
  };
  // A report brings its token. Without it, or where it puts the task back to be open, the commit
  // was of a task that nobody held any more: the claim was over before, and nobody has said so yet.
  const auto was_over = [&](FenceToken token) {
    return mutation.fence != token || reopens(mutation);
  };
  const auto own = held_.find(key);
  if (own != held_.end() && ends(own->second.since)) {
    const FenceToken token = own->second.token;
    held_.erase(own);
    if (was_over(token)) tell_lost(key, token, "the task was written anew", told);
  } else if (own != held_.end() && own->second.token == mutation.fence && own->second.reports > 0) {
    --own->second.reports;
  }
  const auto gone = unsettled_.find(key);
  if (gone == unsettled_.end()) return told;
  if (ends(gone->second.since)) {
    const Unsettled last = gone->second;
    unsettled_.erase(gone);
    if (was_over(last.token)) tell_lost(key, last.token, last.why, told);
  } else if (gone->second.token == mutation.fence && --gone->second.reports <= 0) {
    const Unsettled last = gone->second;
    unsettled_.erase(gone);
    tell_lost(key, last.token, last.why, told);
  }
  return told;
}

Result<FenceToken> OwnClaims::fence_of(const std::vector<Entry>& entries) const {
  FenceToken fence;
  if (held_.empty() && lost_.empty()) return fence;
  for (const Entry& entry : entries)
    for (const auto& [pattern, token] : lost_)
      if (claim_covers(pattern, entry.key.value())) return token;
  for (const Entry& entry : entries)
    for (const auto& [pattern, own] : held_) {
      if (!claim_covers(pattern, entry.key.value())) continue;
      if (fence && fence != own.token)
        return failed(Code::kRejected,
                      fmt::format("the keys are under two claims of this agent, '{}' among them; "
                                  "one write has one token, so make two of it",
                                  pattern));
      fence = own.token;
    }
  return fence;
}

}  // namespace waggle
