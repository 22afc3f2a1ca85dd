// Commands of the application, submits and their results.

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agent/agent.h"
#include "base/check.h"
#include "base/glob.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "resolver/apply.h"

namespace waggle {
namespace {

constexpr std::size_t kAcknowledgedKept = 1'024;

// All of this process, also those that the cursor is beyond.
void know_all_of(Incarnation incarnation, Seq last, Context& context) {
  if (!last) return;
  for (OwnThrough& own : context.own_through) {
    if (own.incarnation != incarnation) continue;
    own.seq = std::max(own.seq, last);
    return;
  }
  if (context.own_through.size() >= limits::kOwnThrough) context.own_through.pop_back();
  context.own_through.push_back({incarnation, last});
}

bool is_edit(const Entry& entry) {
  if (const auto* field = std::get_if<FieldOp>(&entry.op))
    return std::holds_alternative<EditOp>(field->op->op);
  return std::holds_alternative<EditOp>(entry.op);
}

}  // namespace

void Agent::on_command(const Command& command) {
  if (const auto* write_command = std::get_if<WriteCommand>(&command)) {
    write(*write_command);
  } else if (const auto* update_command = std::get_if<UpdateCommand>(&command)) {
    update(*update_command);
  } else if (const auto* ephemeral_command = std::get_if<EphemeralCommand>(&command)) {
    ephemeral(*ephemeral_command);
  } else if (const auto* claim_command = std::get_if<ClaimCommand>(&command)) {
    claim(*claim_command);
  } else if (const auto* read_command = std::get_if<ReadCommand>(&command)) {
    read(*read_command);
  } else if (const auto* offer_command = std::get_if<OfferCommand>(&command)) {
    offer(*offer_command);
  } else if (const auto* sync_command = std::get_if<SyncCommand>(&command)) {
    sync(*sync_command);
  } else if (const auto* catch_up = std::get_if<CatchUpCommand>(&command)) {
    if (link_ == Link::kEnded) {
      tell(CommandFailed{catch_up->request, {Code::kUnavailable, "the agent has left the swarm"}});
    } else if (catch_ups_.size() >= limits::kWaitingRequests) {
      tell(
          CommandFailed{catch_up->request, {Code::kOverloaded, "too many catch-ups wait already"}});
    } else {
      catch_ups_.push_back(catch_up->request);
      if (attached_ && !pull_) begin_pull(!replica_.holds_state());
    }
  } else if (const auto* status_command = std::get_if<StatusCommand>(&command)) {
    status(status_command->request);
  } else if (std::holds_alternative<LeaveCommand>(command) && link_ != Link::kEnded) {
    if (welcomed()) up(make_message(Bye{session_}));
    end(Code::kCommitted, "left");
  }
}

Status Agent::may_write() const {
  if (link_ == Link::kEnded)
    return failed(Code::kUnavailable,
                  "the agent has left the swarm, so nothing would carry the write");
  if (options_.role != Role::kMember)
    return failed(Code::kDenied,
                  fmt::format("the role {} can't write; join as a member", to_text(options_.role)));
  return {};
}

void Agent::write(const WriteCommand& command) {
  const auto refuse = [&](Code code, std::string text) {
    tell(CommandFailed{command.request, {code, std::move(text)}});
  };
  if (const Status may = may_write(); !may) return refuse(may.error().code, may.error().text);
  if (const Status shape = check_entries(command.entries); !shape)
    return refuse(shape.error().code, shape.error().text);
  if (outbox_.unanswered() >= limits::kOutboxEntries || outbox_.bytes() >= limits::kOutboxBytes)
    return refuse(Code::kOverloaded,
                  fmt::format("{} writes ({} bytes) wait for the coordinator, which is the limit; "
                              "try again when it answers",
                              outbox_.unanswered(), outbox_.bytes()));
  for (const Entry& entry : command.entries)
    if (is_claim_key(entry.key.value()))
      return refuse(
          Code::kRejected,
          fmt::format("'{}': keys that begin with '{}' are the coordinator's own; use the "
                      "verbs of claims",
                      entry.key.value(), kClaimKeys));
  Mutation mutation;
  mutation.fence = command.fence;
  if (!mutation.fence) {
    Result<FenceToken> own = claims_.fence_of(command.entries);
    if (!own) return refuse(own.error().code, std::move(own.error().text));
    mutation.fence = *own;
  }
  mutation.entries = command.entries;
  mutation.hlc = hlc_.tick(wall());
  const bool has_context = replica_.holds_state();
  if (has_context) {
    mutation.context.epoch = replica_.cursor().epoch;
    mutation.context.seen = replica_.cursor().revision;
    mutation.context.own_through = outbox_.own_through();
  }
  if (command.as_of) {
    const Cursor held = replica_.cursor();
    if (!std::ranges::all_of(command.entries, is_edit))
      return refuse(Code::kRejected, "as_of is for positions: expected edits of texts and lists");
    if (!has_context || (command.as_of->epoch && command.as_of->epoch != held.epoch) ||
        command.as_of->revision > held.revision)
      return refuse(
          Code::kRejected,
          fmt::format("as_of {}: expected a state that the agent has held, which is {}",
                      command.as_of->epoch ? to_text(*command.as_of)
                                           : fmt::to_string(command.as_of->revision.value()),
                      has_context ? "at most " + to_text(held) : "none yet"));
    mutation.context.seen = command.as_of->revision;
    know_all_of(outbox_.incarnation(), outbox_.last(), mutation.context);
  }
  claims_.reports(mutation);
  const Pending& pending = outbox_.add(std::move(mutation), command.request, has_context, rows());
  actions_->persist.sync = true;
  tell(WriteQueued{command.request, pending.mutation.incarnation, pending.mutation.seq});
  submit_wanted_ = true;
}

// It builds on own writes before it, also on those whose condition waits for its answer: if such a
// one is refused, what was made of it must not stand.
void Agent::update(const UpdateCommand& command) {
  const std::vector<const Pending*> before = outbox_.hoped_for(command.key);
  const RecordPtr standing = with(command.key, before);
  Result<std::vector<Entry>> entries = command.make(standing.get());
  if (!entries) return tell(CommandFailed{command.request, std::move(entries.error())});
  const bool hopes =
      std::ranges::any_of(before, [](const Pending* pending) { return !pending->in_view(); });
  for (Entry& entry : *entries) {
    const bool builds_on = hopes && entry.key == command.key && !is_edit(entry) &&
                           !std::holds_alternative<ExpectVersion>(entry.expect) &&
                           !std::holds_alternative<ExpectMine>(entry.expect);
    if (!builds_on) continue;
    const Mutation& last = before.back()->mutation;
    if (last.incarnation != outbox_.incarnation())
      return tell(CommandFailed{command.request,
                                {Code::kUnavailable,
                                 "a write of an earlier process waits for its answer, and this one "
                                 "would be made of it; try again when it is settled"}});
    entry.expect = ExpectMine{last.seq};
  }
  write(WriteCommand{command.request, *std::move(entries), {}, command.fence});
}

void Agent::read(const ReadCommand& command) {
  if (link_ == Link::kEnded && command.at_least > replica_.cursor().revision) {
    tell(
        CommandFailed{command.request,
                      {Code::kUnavailable,
                       fmt::format("revision {} was asked for at least, the agent holds {} and has "
                                   "left the swarm",
                                   command.at_least.value(), replica_.cursor().revision.value())}});
    return;
  }
  if (readings_.size() >= limits::kWaitingRequests) {
    tell(CommandFailed{command.request, {Code::kOverloaded, "too many reads wait already"}});
    return;
  }
  readings_.push_back({command, in(std::max<std::int64_t>(command.timeout_millis, 0))});
  serve_reads();
}

void Agent::serve_reads() {
  for (std::size_t i = 0; i < readings_.size();) {
    const ReadCommand& command = readings_[i].command;
    if (command.at_least > replica_.cursor().revision) {
      ++i;
      continue;
    }
    ReadDone done;
    done.request = command.request;
    done.at = replica_.cursor();
    if (command.keys.empty()) {
      done.changes = view_all(command.glob);
    } else {
      for (const Key& key : command.keys) done.changes.push_back({key, view(key)});
    }
    for (const Change& change : done.changes)
      done.pending =
          done.pending || !outbox_.overlay(change.key).empty() || ephemeral_.pending(change.key);
    tell(std::move(done));
    readings_.erase(readings_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

RecordPtr Agent::view(const Key& key) const {
  RecordPtr durable = with(key, outbox_.overlay(key));
  return durable ? durable : ephemeral_.find(key);
}

RecordPtr Agent::with(const Key& key, const std::vector<const Pending*>& writes) const {
  RecordPtr committed = replica_.find(key);
  if (writes.empty()) return committed;
  auto record = committed ? std::make_shared<Record>(*committed) : std::make_shared<Record>();
  std::uint32_t place = 0;
  for (const Pending* pending : writes) {
    const Mutation& mutation = pending->mutation;
    const Author author{options_.agent, mutation.incarnation,  mutation.seq,
                        mutation.hlc,   mutation.context.seen, mutation.context.own_through};
    for (const Entry& entry : mutation.entries) {
      if (entry.key != key) continue;
      record->value = apply_locally(entry.op, std::move(record->value), author, place++);
      record->writer = author.writer();
      record->hlc = mutation.hlc;
      record->metadata = entry.metadata;
    }
  }
  if (!record->value) return nullptr;
  record->content = content_hash(*record->value);
  return record;
}

std::vector<Change> Agent::view_all(std::string_view glob) const {
  std::set<Key> keys = outbox_.overlaid_keys();
  std::vector<Change> changes;
  const auto wanted = [&](const Key& key) { return glob.empty() || glob_match(glob, key.value()); };
  auto overlaid = keys.begin();
  const auto add_overlaid_below = [&](const Key* bound) {
    for (; overlaid != keys.end() && (bound == nullptr || *overlaid < *bound); ++overlaid)
      if (wanted(*overlaid))
        if (RecordPtr record = view(*overlaid)) changes.push_back({*overlaid, std::move(record)});
  };
  for (const auto& [key, held] : replica_.records()) {
    add_overlaid_below(&key);
    if (!wanted(key)) continue;
    if (overlaid != keys.end() && *overlaid == key) {
      if (RecordPtr seen = view(key)) changes.push_back({key, std::move(seen)});
    } else {
      changes.push_back({key, held.record});
    }
    if (overlaid != keys.end() && *overlaid == key) ++overlaid;
  }
  add_overlaid_below(nullptr);
  std::vector<Change> ephemeral = ephemeral_.list(glob);
  if (ephemeral.empty()) return changes;
  std::vector<Change> all;
  all.reserve(changes.size() + ephemeral.size());
  std::ranges::set_union(changes, ephemeral, std::back_inserter(all), {}, &Change::key,
                         &Change::key);
  return all;
}

void Agent::status(RequestId request) {
  StatusDone done;
  done.request = request;
  done.link = link_;
  done.cursor = replica_.cursor();
  done.digest = replica_.digest();
  done.keys = replica_.keys();
  done.state_bytes = replica_.bytes();
  done.outbox = outbox_.unanswered();
  for (const auto& [name, value] : counters_) done.counters.push_back({name, value});
  tell(std::move(done));
}

// ---- submits -----------------------------------------------------------------------------------

// Each time it is sent, since its number may have changed: Ed25519 gives the same again.
Mutation Agent::signed_by_us(Mutation mutation) const {
  if (!options_.sign) return mutation;
  const Writer writer{options_.agent, mutation.incarnation, mutation.seq};
  for (Entry& entry : mutation.entries)
    if (const auto* put = std::get_if<PutOp>(&entry.op);
        put != nullptr && put->type == ValueType::kRegister)
      entry.signature = options_.sign(bytes_to_sign(
          options_.swarm, entry.key, writer, Register{put->content, put->bytes}, entry.metadata));
  return mutation;
}

void Agent::submit() {
  if (!welcomed() || window_closed_ || awaits_new_epoch_) return;
  while (true) {
    const Pending* first = outbox_.first_unanswered();
    if (first == nullptr) {
      resend_at_ = Instant::never();
      return;
    }
    // Bound: at most a window from the first unanswered one.
    const Outbox::Place begin = outbox_.place_of(*first);
    if (sent_.order != begin.order) sent_ = {begin.order, Seq(begin.seq.value() - 1)};
    const std::uint64_t ahead =
        sent_.seq >= begin.seq ? sent_.seq.value() + 1 - begin.seq.value() : 0;
    if (ahead >= window_) break;
    const std::vector<Pending*> batch =
        outbox_.to_send(sent_, window_ - ahead, limits::kSubmitBytes);
    if (batch.empty()) break;
    Submit submit;
    submit.session = session_;
    submit.epoch = epoch_;
    submit.confirmed = outbox_.confirmed();
    for (Pending* pending : batch) {
      pending->sent = true;
      submit.mutations.push_back(signed_by_us(pending->mutation));
    }
    sent_ = outbox_.place_of(*batch.back());
    count("submits");
    up(make_message(std::move(submit)));
  }
  if (resend_at_ == Instant::never()) resend_at_ = in(jittered(resend_millis_));
}

void Agent::on_submit_result(const SubmitResult& result) {
  if (result.epoch != epoch_) return;
  bool progress = false;
  for (const MutationResult& one : result.results) {
    const Outcome& outcome = one.outcome;
    Pending* pending = outbox_.find(one.incarnation, one.seq);
    if (pending == nullptr || pending->answered) {
      count("ignored_second_result");
      continue;
    }
    if (outcome.final() || outcome.code == Code::kDuplicate) {
      settle(*pending, outcome);
      Seq& answered = answered_here_[one.incarnation];
      answered = std::max(answered, one.seq);
      progress = true;
      continue;
    }
    if (outcome.code == Code::kGap) {
      count("gaps");
      const auto here = answered_here_.find(one.incarnation);
      if (here != answered_here_.end() && here->second >= outcome.expected) {
        // It was overtaken: since then this session had an answer to what it asks for.
        count("ignored_old_gap");
        break;
      }
      const Pending* expected = outbox_.find(one.incarnation, outcome.expected);
      if (expected == nullptr || expected->answered) {
        give_up_writer(one.incarnation, outcome);
      } else {
        sent_ = outbox_.before(one.incarnation, outcome.expected);
        submit_wanted_ = true;
      }
    } else if (outcome.code == Code::kStale && outcome.reason == Reason::kForeignEpoch) {
      rejoin(outcome.code, outcome.text);
      return;
    } else if (outcome.code == Code::kStale || outcome.code == Code::kUnknown) {
      give_up_writer(one.incarnation, outcome);
    } else {
      // Overloaded or unavailable: nothing of this writer goes out until this seq comes again.
      if (outcome.reason == Reason::kClockAhead) {
        shift_clock(outcome.coordinator_wall_millis);
      } else if (!std::exchange(told_waiting_, true)) {
        // It is on its way and may be for long: why is said once.
        set_link(link_, outcome.code, "writes wait: " + outcome.text);
      }
      window_closed_ = outcome.reason != Reason::kClockAhead;
      sent_ = outbox_.before(one.incarnation, one.seq);
      resend_at_ = in(jittered(resend_millis_));
      submit_wanted_ = !window_closed_;
      if (outcome.retry_millis > 0) {
        // Not before, not later, and not so many at once that most come back again.
        count("writes_over_limit");
        resend_at_ = in(outcome.retry_millis);
        over_rate_ = true;
        window_ = std::max<std::uint64_t>(window_ / 2, 1);
      }
    }
    break;
  }
  if (progress) {
    if (!window_closed_) window_ = std::min<std::uint64_t>(window_ * 2, limits::kWindow / 2);
    // Who sends more than it may goes on by fits and starts: over when nothing waits any more.
    if (!window_closed_ && (!over_rate_ || outbox_.unanswered() == 0)) {
      over_rate_ = false;
      if (std::exchange(told_waiting_, false)) set_link(link_, Code::kCommitted, {});
    }
    resend_millis_ = options_.resend_millis;
    if (!window_closed_)
      resend_at_ = outbox_.unanswered() > 0 ? in(jittered(resend_millis_)) : Instant::never();
    outbox_.drop_reflected(replica_.cursor().revision);
    submit_wanted_ = true;
  }
}

void Agent::settle(Pending& pending, const Outcome& outcome) {
  std::vector<Delivery> lost;
  // Of an earlier process's write the application knows nothing: what ended is told to be lost.
  if (pending.request) lost = claims_.reported(pending.mutation, outcome);
  WriteSettled settled{pending.request, pending.mutation.incarnation, pending.mutation.seq,
                       outcome};
  if (outcome.code == Code::kCommitted && outcome.changed) {
    // Of the epoch that made the commit: an answer may come again after a restore that kept it, and
    // the next restore may know that epoch and not this one.
    const auto made_in = std::find_if(lineage_.begin(), lineage_.end(), [&](const EpochEnd& end) {
      return outcome.revision <= end.last;
    });
    acknowledged_.push_back(
        {settled.incarnation,
         settled.seq,
         {made_in == lineage_.end() ? epoch_ : made_in->epoch, outcome.revision}});
    if (acknowledged_.size() > kAcknowledgedKept) acknowledged_.pop_front();
  }
  if (outcome.code != Code::kCommitted && outcome.code != Code::kDuplicate) count("writes_refused");
  // The result stays with the writer only once it is off the disk; a crash in between asks again.
  // Safety: once nothing of an earlier incarnation is left, a beat no longer lists it and the
  // coordinator forgets it. If its rows came back after that, they would be applied again.
  if (settled.incarnation != outbox_.incarnation()) actions_->persist.sync = true;
  outbox_.answer(settled.incarnation, settled.seq, outcome.revision,
                 outcome.code == Code::kCommitted, rows());
  tell(std::move(settled));
  tell_all(std::move(lost));
}

// The coordinator can no longer tell what became of this writer's mutations: those that may have
// reached it are unknown, the others are written anew.
void Agent::give_up_writer(Incarnation incarnation, const Outcome& outcome) {
  count("writers_given_up");
  Outcome unknown;
  unknown.code = Code::kUnknown;
  unknown.reason = outcome.reason;
  unknown.revision = replica_.cursor().revision;
  unknown.text = "it is not known whether this write was applied; read before you write it again";
  std::vector<Seq> sent;
  outbox_.for_each([&](Pending& pending) {
    if (!pending.answered && pending.mutation.incarnation == incarnation &&
        (pending.sent || outcome.code == Code::kUnknown))
      sent.push_back(pending.mutation.seq);
  });
  for (const Seq seq : sent) settle(*outbox_.find(incarnation, seq), unknown);
  outbox_.renumber(
      random_.id<Incarnation>(),
      [&](const Pending& pending) { return pending.mutation.incarnation == incarnation; }, rows());
  actions_->persist.sync = true;
  outbox_.drop_reflected(replica_.cursor().revision);
  sent_ = {};
  submit_wanted_ = true;
}

void Agent::shift_clock(std::uint64_t coordinator_wall_millis) {
  count("clock_shifts");
  clock_shift_ = static_cast<std::int64_t>(coordinator_wall_millis) - now_.wall_millis;
  hlc_ = HlcClock(Hlc{});
  outbox_.for_each([&](Pending& pending) {
    if (pending.answered) return;
    pending.mutation.hlc = hlc_.tick(wall());
    outbox_.store_again(pending, rows());
  });
  for (auto& [key, offer] : offers_) offer.hlc = hlc_.tick(wall());
  actions_->persist.sync = true;
}

// The first state is held: what was written before it gets its context now.
void Agent::give_contexts() {
  std::vector<OwnThrough> earlier;
  outbox_.for_each([&](Pending& pending) {
    Mutation& mutation = pending.mutation;
    if (!pending.answered && !pending.has_context) {
      pending.has_context = true;
      mutation.context.epoch = replica_.cursor().epoch;
      mutation.context.seen = replica_.cursor().revision;
      mutation.context.own_through = earlier;
      outbox_.store_again(pending, rows());
      actions_->persist.sync = true;
    }
    const auto line = std::find_if(earlier.begin(), earlier.end(), [&](const OwnThrough& through) {
      return through.incarnation == mutation.incarnation;
    });
    if (line != earlier.end()) {
      line->seq = mutation.seq;
    } else if (earlier.size() < limits::kOwnThrough) {
      earlier.push_back({mutation.incarnation, mutation.seq});
    }
  });
}

// Caught up with a new history. What it has applied of this agent's writes keeps its number, so
// that its outcome is told; everything else is written anew, since the numbers mean nothing there.
void Agent::epoch_changed(const std::vector<OwnThrough>& applied) {
  count("epochs_changed");
  // What is part of the new history stays: the next restore may go further back.
  const auto is_lost = [&](const Acknowledged& one) {
    if (one.at.epoch == epoch_) return false;  // answered since the welcome
    const auto end = std::find_if(lineage_.begin(), lineage_.end(),
                                  [&](const EpochEnd& e) { return e.epoch == one.at.epoch; });
    return end == lineage_.end() || one.at.revision > end->last;
  };
  outbox_.forget_decisions();
  const auto is_applied = [&](const Pending& pending) {
    return std::any_of(applied.begin(), applied.end(), [&](const OwnThrough& through) {
      return through.incarnation == pending.mutation.incarnation &&
             pending.mutation.seq <= through.seq;
    });
  };
  outbox_.renumber(
      random_.id<Incarnation>(), [&](const Pending& pending) { return !is_applied(pending); },
      rows());
  actions_->persist.sync = true;
  awaits_new_epoch_ = false;
  sent_ = {};
  submit_wanted_ = true;
  tell_lost(is_lost);
}

void Agent::tell_lost(const std::function<bool(const Acknowledged&)>& is_lost) {
  WritesLost lost;
  std::erase_if(acknowledged_, [&](const Acknowledged& one) {
    if (!is_lost(one)) return false;
    lost.writes.push_back({one.incarnation, one.seq});
    return true;
  });
  if (lost.writes.empty()) return;
  lost.text = fmt::format(
      "the coordinator's store was put back to a state without {} acknowledged "
      "writes of this agent",
      lost.writes.size());
  tell(std::move(lost));
}

}  // namespace waggle
