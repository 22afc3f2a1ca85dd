#include "include/lib/agent_desk.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "include/lib/convert.h"

namespace waggle {
namespace {

constexpr std::size_t kSettledKept = 4'096;

// The question that a delivery answers; 0: none.
RequestId answered_by(const Delivery& delivery) {
  if (const auto* read = std::get_if<ReadDone>(&delivery)) return read->request;
  if (const auto* caught_up = std::get_if<CaughtUp>(&delivery)) return caught_up->request;
  if (const auto* synced = std::get_if<SyncDone>(&delivery)) return synced->request;
  if (const auto* status = std::get_if<StatusDone>(&delivery)) return status->request;
  if (const auto* claim = std::get_if<ClaimDone>(&delivery)) return claim->request;
  if (const auto* queued = std::get_if<WriteQueued>(&delivery)) return queued->request;
  if (const auto* refused = std::get_if<CommandFailed>(&delivery)) return refused->request;
  return {};
}

CatchUpReport to_report(const CaughtUp& caught_up) {
  return {.from = to_version(caught_up.from),
          .to = to_version(caught_up.to),
          .snapshot = caught_up.snapshot,
          .changes = caught_up.changes,
          .bytes = caught_up.bytes,
          .state_bytes = caught_up.state_bytes};
}

WriteResult to_result(const Error& error) {
  WriteResult result;
  result.code = static_cast<StatusCode>(error.code);
  result.text = error.text;
  return result;
}

WriteResult to_result(const EphemeralSettled& settled) {
  WriteResult result = to_result(Error{settled.code, settled.text});
  result.key = settled.key.value();
  result.changed = settled.code == Code::kCommitted;
  if (settled.reason != Reason::kNone) result.reason = to_text(settled.reason);
  return result;
}

}  // namespace

// ---- the agent's thread ------------------------------------------------------------------------

void AgentDesk::deliver(const Delivery& delivery) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto* queued = std::get_if<WriteQueued>(&delivery)) {
      if (const auto write = writes_.find(queued->request); write != writes_.end())
        write->second = true;
    } else if (const auto* settled = std::get_if<WriteSettled>(&delivery)) {
      if (settled->request) settle(settled->request, to_result(settled->outcome));
    } else if (const auto* stands = std::get_if<EphemeralSettled>(&delivery)) {
      if (stands->request) settle(stands->request, to_result(*stands));
    } else if (const auto* refused = std::get_if<CommandFailed>(&delivery);
               refused && writes_.contains(refused->request)) {
      settle(refused->request, to_result(refused->error));
    } else if (const auto* changed = std::get_if<LinkChanged>(&delivery)) {
      link_ = {static_cast<LinkState>(changed->link), static_cast<StatusCode>(changed->code),
               changed->text};
      holds_state_ = holds_state_ || changed->cursor.epoch;
    } else if (std::holds_alternative<StateChanged>(delivery)) {
      holds_state_ = true;
    }
    if (const RequestId request = answered_by(delivery)) answer(request, delivery);
  }
  changed_.notify_all();
  call_back(delivery);
}

void AgentDesk::answer(RequestId request, Delivery delivery) {
  const auto question = questions_.find(request);
  if (question != questions_.end()) question->second = std::move(delivery);
}

void AgentDesk::settle(RequestId request, WriteResult result) {
  writes_.erase(request);
  settled_.insert_or_assign(request, std::move(result));
  settled_order_.push_back(request);
  if (settled_order_.size() > kSettledKept) {
    settled_.erase(settled_order_.front());
    settled_order_.pop_front();
  }
}

void AgentDesk::call_back(const Delivery& delivery) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
  }
  const InCallback within;
  if (const auto* changed = std::get_if<StateChanged>(&delivery)) {
    if (events_.on_change)
      events_.on_change({.from = to_version(changed->from),
                         .to = to_version(changed->to),
                         .origin = static_cast<ChangeOrigin>(changed->source),
                         .round = changed->round.value(),
                         .cleared = changed->cleared,
                         .items = to_items(changed->changes)});
  } else if (const auto* news = std::get_if<EphemeralChanged>(&delivery)) {
    if (events_.on_ephemeral) events_.on_ephemeral({to_items(news->changes)});
  } else if (const auto* stands = std::get_if<EphemeralSettled>(&delivery)) {
    if (events_.on_settled) events_.on_settled({{stands->request.value()}, to_result(*stands)});
  } else if (const auto* settled = std::get_if<WriteSettled>(&delivery)) {
    if (events_.on_settled)
      events_.on_settled({{settled->request.value()}, to_result(settled->outcome)});
  } else if (const auto* refused = std::get_if<CommandFailed>(&delivery)) {
    std::optional<SettledWrite> write;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = settled_.find(refused->request); found != settled_.end())
        write = {{refused->request.value()}, found->second};
    }
    if (write && events_.on_settled) events_.on_settled(*write);
  } else if (const auto* link = std::get_if<LinkChanged>(&delivery)) {
    if (events_.on_link)
      events_.on_link(
          {static_cast<LinkState>(link->link), static_cast<StatusCode>(link->code), link->text});
  } else if (const auto* offer = std::get_if<OfferSettled>(&delivery)) {
    if (events_.on_offer)
      events_.on_offer({.key = offer->key.value(),
                        .round = offer->round.value(),
                        .took = offer->took,
                        .version = offer->version.value()});
  } else if (const auto* caught_up = std::get_if<CaughtUp>(&delivery)) {
    if (events_.on_caught_up) events_.on_caught_up(to_report(*caught_up));
  } else if (const auto* claim_lost = std::get_if<ClaimLost>(&delivery)) {
    if (events_.on_claim_lost)
      events_.on_claim_lost(
          {claim_lost->pattern, claim_lost->token.value(), claim_lost->text});
  } else if (const auto* gained = std::get_if<ClaimGained>(&delivery)) {
    if (events_.on_claim_gained)
      events_.on_claim_gained({.pattern = gained->pattern,
                               .token = gained->token.value(),
                               .checkpoint = to_text_of(gained->checkpoint)});
  } else if (const auto* overruled = std::get_if<WriteOverruled>(&delivery)) {
    if (events_.on_overruled)
      events_.on_overruled({.version = overruled->version.value(),
                            .rule = overruled->now->choice->rule,
                            .now = to_item(overruled->key, overruled->now.get())});
  } else if (const auto* lost = std::get_if<WritesLost>(&delivery)) {
    if (events_.on_writes_lost) events_.on_writes_lost({lost->writes.size(), lost->text});
  } else if (const auto* mismatch = std::get_if<DigestMismatch>(&delivery)) {
    if (events_.on_diverged) events_.on_diverged({mismatch->revision.value()});
  }
}

// ---- any thread --------------------------------------------------------------------------------

void AgentDesk::expect(RequestId request) {
  const std::lock_guard lock(mutex_);
  questions_[request];
}
void AgentDesk::expect_write(RequestId request) {
  const std::lock_guard lock(mutex_);
  writes_.emplace(request, false);
}
void AgentDesk::forget(RequestId request) {
  const std::lock_guard lock(mutex_);
  questions_.erase(request);
  writes_.erase(request);
}

// REQUIRES: the mutex is held.
Failure AgentDesk::ended_failure() const {
  return {StatusCode::kUnavailable,
          "the agent has ended" + (link_.text.empty() ? std::string() : ": " + link_.text)};
}

Expected<Delivery> AgentDesk::wait(RequestId request, Deadline deadline, std::string_view what) {
  std::unique_lock lock(mutex_);
  std::optional<Delivery>& answer = questions_[request];
  // An agent that ended still answers what it can from its copy, unless it stopped by a failure.
  changed_.wait_until(lock, deadline, [&] {
    return answer || (link_.state == LinkState::kEnded && link_.code == StatusCode::kUnknown);
  });
  std::optional<Delivery> taken = std::move(answer);
  questions_.erase(request);
  if (!taken) {
    if (link_.state == LinkState::kEnded) return std::unexpected(ended_failure());
    return failure(StatusCode::kTimeout, fmt::format("{} was not answered in time", what));
  }
  if (auto* refused = std::get_if<CommandFailed>(&*taken))
    return std::unexpected(to_failure(std::move(refused->error)));
  return std::move(*taken);
}

// REQUIRES: the mutex is held. An agent that ended refuses what comes to it, and what lay in its
// outbox stays there; one that stopped by a failure says nothing any more.
bool AgentDesk::stays_open(const std::pair<const RequestId, bool>& write) const {
  return link_.state == LinkState::kEnded && (write.second || link_.code == StatusCode::kUnknown);
}

Expected<WriteResult> AgentDesk::wait_write(RequestId request, Deadline deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] {
    const auto write = writes_.find(request);
    return write == writes_.end() || stays_open(*write);
  });
  if (const auto settled = settled_.find(request); settled != settled_.end())
    return settled->second;
  if (!writes_.contains(request))
    return failure(StatusCode::kNotFound,
                   "there is no such ticket, or its answer is no longer kept; use on_settled");
  if (link_.state == LinkState::kEnded) return std::unexpected(ended_failure());
  return failure(
      StatusCode::kTimeout,
      link_.state == LinkState::kAttached
          ? "the write was not answered in time; it stays on its way"
          : "the write was not answered in time, no coordinator is attached; it stays on "
            "its way");
}

Expected<void> AgentDesk::wait_all_writes(Deadline deadline) {
  std::unique_lock lock(mutex_);
  std::vector<RequestId> before;
  for (const auto& [request, queued] : writes_) before.push_back(request);
  // What is answered stays so: each is looked at once, however often somebody wakes this thread.
  std::size_t answered = 0;
  const auto all_answered = [&] {
    while (answered < before.size() && !writes_.contains(before[answered])) ++answered;
    return answered == before.size();
  };
  const auto none_will_be = [&] {
    return link_.state == LinkState::kEnded &&
           std::ranges::all_of(writes_, [&](const auto& write) { return stays_open(write); });
  };
  changed_.wait_until(lock, deadline, [&] { return all_answered() || none_will_be(); });
  if (all_answered()) return {};
  if (link_.state == LinkState::kEnded) return std::unexpected(ended_failure());
  return failure(
      StatusCode::kTimeout,
      fmt::format("{} writes were not answered in time; they stay on their way", writes_.size()));
}

Expected<void> AgentDesk::wait_attached(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto attached = [&] { return link_.state == LinkState::kAttached && holds_state_; };
  changed_.wait_until(lock, deadline,
                      [&] { return attached() || link_.state == LinkState::kEnded; });
  if (attached()) return {};
  if (link_.state == LinkState::kEnded) return std::unexpected(ended_failure());
  return failure(StatusCode::kTimeout,
                 "no coordinator attached this agent in time" +
                     (link_.text.empty() ? std::string() : ": " + link_.text));
}

Expected<void> AgentDesk::wait_ended(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_until(lock, deadline, [&] { return link_.state == LinkState::kEnded; }))
    return {};
  return failure(StatusCode::kTimeout, "the agent did not end in time");
}

LinkStatus AgentDesk::link() const {
  const std::lock_guard lock(mutex_);
  return link_;
}

void AgentDesk::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace waggle
