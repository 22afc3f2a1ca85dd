// A submit: strict order, judgement, commit, outcome.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/shape.h"
#include "coordinator/coordinator.h"
#include "coordinator/own_keys.h"
#include "coordinator/signed_record.h"
#include "resolver/apply.h"
#include "resolver/receipt.h"

namespace waggle {
namespace {

Outcome passing(Code code, Reason reason, Revision head, std::string text) {
  Outcome outcome;
  outcome.code = code;
  outcome.reason = reason;
  outcome.revision = head;
  outcome.text = std::move(text);
  return outcome;
}

// The register that an operation writes, on the key itself or in a field of it.
std::optional<Register> written_by(const Op& op) {
  if (const auto* field = std::get_if<FieldOp>(&op)) return written_by(field->op->op);
  const auto* put = std::get_if<PutOp>(&op);
  return put != nullptr ? std::optional(Register{put->content, put->bytes}) : std::nullopt;
}

Outcome rejected(Reason reason, const Key& key, std::string text, Outcome outcome) {
  outcome.code = Code::kRejected;
  outcome.reason = reason;
  outcome.key = key;
  outcome.text = std::move(text);
  return outcome;
}

}  // namespace

// Null: it may not write, which was said.
Coordinator::Swarm* Coordinator::writable_by(const Session& session) {
  if (session.role == Role::kObserver) {
    send_error(session, {}, Code::kDenied, "an observer can't write; join as a member");
    return nullptr;
  }
  Swarm* swarm = ensure(session.swarm);
  if (swarm == nullptr)
    send_error(session, {}, Code::kOverloaded, "this coordinator holds as many swarms as it may");
  return swarm;
}

void Coordinator::on_submit(Session& session, const Submit& submit, const Admitted& admitted) {
  Swarm* swarm = writable_by(session);
  if (swarm == nullptr) return;
  swarm->writers.confirm(session.agent, submit.confirmed, actions_->persist.rows);
  Waiting& waiting = results_[session.id];
  waiting.peer = session.peer;
  std::uint64_t stepped = 0;
  for (const Mutation& mutation : submit.mutations) {
    // Over its limit: nothing is consumed, and nothing of this writer passes before it comes again.
    if (stepped++ == admitted.writes) {
      waiting.results.push_back({mutation.incarnation, mutation.seq, admitted.refused});
      waiting.results.back().outcome.revision = swarm->state.head();
      break;
    }
    if (session.retired.contains(mutation.incarnation)) {
      count("ignored_retired_writer");
      break;
    }
    // Bound: within a session no incarnation of it is forgotten, see on_heartbeat().
    if (session.submitted.size() >= limits::kSessionIncarnations &&
        !session.submitted.contains(mutation.incarnation)) {
      count("sessions_of_too_many_incarnations");
      results_.erase(session.id);
      no_session(session.peer, session.id);
      sessions_.close(session.id);
      return;
    }
    session.submitted.insert(mutation.incarnation);
    Seq confirmed;
    for (const OwnThrough& through : submit.confirmed)
      if (through.incarnation == mutation.incarnation) confirmed = through.seq;
    Outcome outcome;
    if (submit.epoch != store_.epoch) {
      outcome =
          passing(Code::kStale, Reason::kForeignEpoch, swarm->state.head(),
                  fmt::format("the write is addressed to epoch {:x}, this is epoch {:x}; join "
                              "again",
                              submit.epoch.value(), store_.epoch.value()));
    } else {
      outcome = step_mutation(*swarm, session, mutation, confirmed);
    }
    const bool goes_on = outcome.final() || outcome.code == Code::kDuplicate;
    waiting.results.push_back({mutation.incarnation, mutation.seq, std::move(outcome)});
    // What follows would only be a gap: the first answer says all.
    if (!goes_on) break;
  }
}

std::string Coordinator::state_full_text(const Swarm& swarm) const {
  return fmt::format(
      "the swarm's state has {} bytes, at most {} are allowed; delete keys or raise "
      "limits.state_bytes_max",
      swarm.state.bytes(), options_.state_bytes_max);
}

Revision Coordinator::seen_here(const Swarm& swarm, const Context& context) const {
  if (context.epoch == store_.epoch) return std::min(context.seen, swarm.state.head());
  for (const EpochEnd& end : swarm.state.row().lineage)
    if (end.epoch == context.epoch) return std::min(context.seen, end.last);
  return {};
}

Outcome Coordinator::step_mutation(Swarm& swarm, const Session& session, const Mutation& mutation,
                                   Seq confirmed) {
  const Revision head = swarm.state.head();
  const Revision seen = seen_here(swarm, mutation.context);
  const Writers::Answer answer = swarm.writers.turn_of(
      session.agent, mutation.incarnation, mutation.seq, confirmed, seen, swarm.state.row());
  switch (answer.turn) {
    case Writers::Turn::kNext:
      break;
    case Writers::Turn::kRepeated:
      count("mutations_repeated");
      if (answer.outcome != nullptr) return *answer.outcome;
      return passing(Code::kDuplicate, Reason::kNone, head,
                     "this mutation was answered and the answer was confirmed before");
    case Writers::Turn::kGap: {
      count("gaps");
      Outcome outcome = passing(Code::kGap, Reason::kNone, head,
                                fmt::format("mutation {} comes first", answer.expected.value()));
      outcome.expected = answer.expected;
      return outcome;
    }
    case Writers::Turn::kForgotten:
      count("writers_forgotten");
      return passing(Code::kStale, Reason::kWriterForgotten, head,
                     "the coordinator no longer remembers this writer; write again under a new "
                     "incarnation");
    case Writers::Turn::kUnknown:
      count("unknown_writes");
      return passing(Code::kUnknown, Reason::kWriterForgotten, head,
                     "this write may be a repetition of one that was made long ago, so it was not "
                     "applied; read the state and write again");
    case Writers::Turn::kBeyond:
      count("overloaded");
      return passing(
          Code::kOverloaded, Reason::kWindow, head,
          fmt::format("{} outcomes wait to be confirmed, which is the limit", limits::kWindow));
  }
  // A reader of a store that was put back without a new epoch: it can't be told what it has seen of
  // what comes now, so it counts for what is there. That is at most what it could honestly claim.
  if (mutation.context.epoch == store_.epoch && mutation.context.seen > head)
    count("contexts_beyond_head");
  if (!writable_) {
    count("refused_disk_full");
    return passing(Code::kUnavailable, Reason::kDiskFull, head, not_writable_text_);
  }
  if (HlcClock::too_far_ahead(mutation.hlc, now_.wall_millis)) {
    count("clocks_ahead");
    Outcome outcome = passing(
        Code::kUnavailable, Reason::kClockAhead, head,
        fmt::format(
            "the writer's clock is {} ms ahead of the coordinator's, at most {} are allowed",
            static_cast<std::int64_t>(mutation.hlc.millis()) - now_.wall_millis,
            HlcClock::kDriftMillis));
    outcome.coordinator_wall_millis = static_cast<std::uint64_t>(now_.wall_millis);
    return outcome;
  }
  const bool clears =
      mutation.entries.size() == 1 && std::holds_alternative<ClearOp>(mutation.entries[0].op);
  const bool wants_room = std::any_of(mutation.entries.begin(), mutation.entries.end(),
                                      [](const Entry& entry) { return grows(entry.op); });
  if (wants_room && swarm.state.bytes() > options_.state_bytes_max) {
    count("overloaded");
    return passing(Code::kOverloaded, Reason::kStateFull, head, state_full_text(swarm));
  }

  Outcome outcome;
  if (const Status shape = check_mutation(mutation); !shape) {
    outcome = passing(Code::kRejected, Reason::kInvalid, head, shape.error().text);
  } else if (std::optional<Outcome> denied = not_allowed(swarm, session, mutation)) {
    outcome = *std::move(denied);
  } else if (std::optional<Outcome> forged = not_signed(swarm, session, mutation)) {
    outcome = *std::move(forged);
  } else if (std::optional<Outcome> refused = fenced(swarm, mutation)) {
    outcome = *std::move(refused);
  } else if (clears) {
    outcome = clear_swarm(swarm, {session.agent, mutation.incarnation, mutation.seq});
    note_administered(session, "clear");
  } else {
    outcome = commit_mutation(swarm, session, mutation, seen);
  }
  WAGGLE_CHECK(outcome.final());
  if (outcome.committed && !session.rights->allows(Act::kRead, outcome.key.value()))
    outcome.committed = nullptr;
  outcome.level = options_.level;
  (void)hlc_.observe(mutation.hlc, now_.wall_millis);
  count(outcome.code == Code::kCommitted ? "mutations_committed" : "mutations_refused");
  group_bytes_ += wire_size(mutation);
  swarm.writers.consume(session.agent, mutation.incarnation, mutation.seq, outcome, seen,
                        now_.wall_millis);
  return outcome;
}

Outcome Coordinator::commit_mutation(Swarm& swarm, const Session& session, const Mutation& mutation,
                                     Revision seen) {
  const Author author{session.agent, mutation.incarnation,        mutation.seq, mutation.hlc,
                      seen,          mutation.context.own_through};
  const Revision next = swarm.state.head().next();
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.revision = swarm.state.head();

  if (mutation.entries.size() == 1 && is_decision_key(mutation.entries.front().key.value()))
    return step_decision(swarm, session, mutation.entries.front(), author);
  if (mutation.entries.size() == 1 && is_task_key(mutation.entries.front().key.value()))
    return step_task(swarm, session, mutation, author);
  if (mutation.entries.size() == 1) {
    const Entry& entry = mutation.entries.front();
    if (const auto* settle = std::get_if<SettleOp>(&entry.op)) {
      if (std::optional<std::string> text = too_large(entry.key, &settle->value))
        return rejected(Reason::kTooLarge, entry.key, *std::move(text), std::move(outcome));
      return settle_conflict(swarm, entry, *settle, author);
    }
  }

  std::vector<Judged> judged;
  judged.reserve(mutation.entries.size());
  std::size_t bytes = 0;
  std::uint64_t fresh = 0;  // keys
  std::uint32_t index = 0;
  for (const Entry& entry : mutation.entries) {
    Judged one{&entry, swarm.state.find(entry.key), {}, {}, {}};
    if (std::optional<std::string> text = of_another_class(one)) {
      one.verdict = Verdict::rejects(Reason::kWrongClass, *std::move(text));
      return refuse_mutation(swarm, one, author, std::move(outcome));
    }
    one.ancestor = swarm.history.known_to(entry.key, author);
    one.verdict = judge(entry,
                        {one.standing.get(), swarm.state.floor(), next, index++, one.ancestor.get(),
                         mutation.entries.size() == 1},
                        author, options_.policies);
    const Verdict& verdict = one.verdict;
    if (verdict.kind == Verdict::Kind::kPark) return park_mutation(swarm, one, author);
    if (verdict.kind == Verdict::Kind::kReject || verdict.kind == Verdict::Kind::kConflict)
      return refuse_mutation(swarm, one, author, std::move(outcome));
    if (verdict.kind != Verdict::Kind::kApply) continue;
    if (verdict.value) {
      one.content = content_hash(*verdict.value);
      const std::size_t size = size_of(*verdict.value);
      const bool live = one.standing && one.standing->live();
      // What is larger from before the limit may still become smaller.
      if (size > options_.limits.value_bytes && !(live && size <= size_of(*one.standing->value)))
        return rejected(Reason::kTooLarge, entry.key, too_large_text(entry.key, size),
                        std::move(outcome));
      bytes += size;
      if (!live && !is_own_key(entry.key.value())) ++fresh;
    }
    bytes += entry.key.value().size();
    judged.push_back(std::move(one));
  }
  if (std::optional<std::string> text = keys_full(swarm, session, fresh)) {
    count("over_limit_keys");
    return rejected(Reason::kTooMany, mutation.entries.front().key, *std::move(text),
                    std::move(outcome));
  }
  if (bytes > limits::kCommitBytes)
    return rejected(Reason::kTooLarge, mutation.entries.front().key,
                    fmt::format("the group would make records of {} bytes, one commit has at most "
                                "{}; write it in several groups",
                                bytes, limits::kCommitBytes),
                    std::move(outcome));
  // A write that comes to what stands already changes nothing: no revision, no bytes.
  if (judged.empty()) return outcome;

  std::vector<Change> changes;
  changes.reserve(judged.size());
  for (Judged& one : judged) {
    if (one.verdict.merged || one.verdict.conflict != ConflictKind::kNone) {
      // What was not taken of it, or that it is not alone in what stands now.
      outcome.conflict = one.verdict.conflict;
      outcome.key = one.entry->key;
      outcome.text = one.verdict.text;
    }
    changes.push_back({one.entry->key, record_of(swarm, one, author, mutation.hlc)});
  }
  commit(swarm, std::move(changes), {}, {author.agent, author.incarnation, author.seq});
  outcome.revision = next;
  outcome.changed = true;
  return outcome;
}

// An ephemeral key takes no durable write, but one from before its policy can be deleted.
std::optional<std::string> Coordinator::of_another_class(const Judged& one) const {
  const Policy& policy = options_.policies.of(one.entry->key.value());
  if (!policy.ephemeral) return std::nullopt;
  if (std::holds_alternative<DeleteOp>(one.entry->op) && one.standing && one.standing->live())
    return std::nullopt;
  return fmt::format(
      "keys that begin with '{}' are ephemeral by their policy: expected a put or delete with "
      "`ephemeral`, in no group and under no condition",
      policy.prefix);
}

// A rejection, or a conflict: of that the choice is kept, though nothing was committed.
Outcome Coordinator::refuse_mutation(Swarm& swarm, const Judged& one, const Author& author,
                                     Outcome outcome) {
  const Verdict& verdict = one.verdict;
  const bool conflict = verdict.kind == Verdict::Kind::kConflict;
  outcome.code = conflict ? Code::kConflict : Code::kRejected;
  outcome.reason = verdict.reason;
  outcome.conflict = verdict.conflict;
  outcome.key = one.entry->key;
  outcome.text = verdict.text;
  if (!conflict || !one.standing) return outcome;
  if (one.standing->live()) outcome.committed = one.standing;
  if (verdict.rule.empty()) return outcome;
  const std::optional<Register> lost = written_by(one.entry->op);
  Receipt receipt;
  receipt.key = one.entry->key;
  receipt.rule = verdict.rule;
  add_ancestor(receipt, one);
  receipt.inputs.push_back(input_of(*one.standing));
  receipt.inputs.push_back(input_of(author.agent, author.seen, author.hlc, lost, false));
  close_with_receipt(swarm, std::move(receipt), one.standing);
  return outcome;
}

// Wherever `merge` had a say: without it the rule can't be run again.
void Coordinator::add_ancestor(Receipt& receipt, const Judged& one) const {
  if (!one.ancestor || !options_.policies.of(one.entry->key.value()).uses(Strategy::kMerge)) return;
  receipt.inputs.push_back(input_of(*one.ancestor));
  receipt.inputs.back().committed = false;
  receipt.inputs.back().ancestor = true;
}

RecordPtr Coordinator::record_of(Swarm& swarm, Judged& one, const Author& author, Hlc hlc) {
  auto record = std::make_shared<Record>();
  record->value = std::move(one.verdict.value);
  record->version = swarm.state.head().next();
  record->commit_wall_millis = now_.wall_millis;
  record->hlc = hlc;
  record->writer = author.writer();
  record->metadata = one.entry->metadata;
  record->content = one.content;
  if (!one.verdict.merged) record->signature = signature_of(*one.entry, *record);
  if (one.verdict.merged) {
    // Nobody has seen it: to its writer too it is another's.
    record->writer = {AgentId(kCoordinatorName), Incarnation(start_.value()), {}};
    record->hlc = std::max(hlc, one.standing->hlc);
    record->metadata["merged_from"] = author.agent.value();
    record->metadata["merged_with"] = one.standing->writer.agent.value();
  }
  if (one.standing) {
    record->receipt = one.standing->receipt;
    record->receipts = one.standing->receipts;
  }
  if (one.verdict.rule.empty()) return record;
  record->choice = choice_over(one.standing.get(), one.verdict.rule);
  const std::optional<Register> written = written_by(one.entry->op);
  Receipt receipt;
  receipt.key = one.entry->key;
  receipt.version = record->version;
  receipt.rule = one.verdict.rule;
  add_ancestor(receipt, one);
  receipt.inputs.push_back(input_of(*one.standing));
  receipt.inputs.push_back(input_of(author.agent, author.seen, author.hlc, written, false));
  receipt.output = one.content;
  write_receipt(swarm, std::move(receipt), one.standing.get(), record->receipt, record->receipts);
  return record;
}

void Coordinator::write_receipt(Swarm& swarm, Receipt receipt, const Record* standing,
                                ChainHash& link, std::uint32_t& number) {
  count("receipts");
  receipt.wall_millis = now_.wall_millis;
  if (standing != nullptr) receipt.previous = standing->receipt;
  const std::uint32_t index = standing != nullptr ? standing->receipts : 0;
  link = hash_of(receipt);
  number = index + 1;
  // Also at the first one: a key that was forgotten has those of its earlier lives.
  const bool some_go = index % limits::kKeyReceiptsAtOnce == 0;
  actions_->persist.rows.emplace_back(ReceiptRow{swarm.state.id(), swarm.state.head(), index,
                                                 std::move(receipt),
                                                 some_go ? limits::kKeyReceipts : 0});
}

void Coordinator::commit(Swarm& swarm, std::vector<Change> changes, RoundId round, Applied by) {
  std::vector<Row>& rows = actions_->persist.rows;
  for (const Change& change : changes) {
    // No gap: who had seen the key deleted, or in a version that was not kept, began from nothing.
    const std::uint32_t kept = history_kept(change.key);
    if (kept == 0 || !change.record->live()) {
      swarm.history.forget(change.key, rows);
    } else if (const RecordPtr before = swarm.state.find(change.key)) {
      swarm.history.add(change.key, before, kept, rows);
    }
  }
  swarm.state.commit(changes, rows);
  for (const Change& change : changes) group_bytes_ += wire_size(change.key, *change.record);
  swarm.told.push_back({swarm.state.head(), round, false, std::move(changes), std::move(by)});
}

Outcome Coordinator::clear_swarm(Swarm& swarm, Applied by) {
  for (const Key& key : swarm.state.keys_after({}, {}, SIZE_MAX))
    swarm.history.forget(key, actions_->persist.rows);
  swarm.inbox.close_all(actions_->persist.rows);
  swarm.proposals.clear();
  swarm.closed.clear();
  ClaimLine waiting = std::move(swarm.tasks.queue.line());
  swarm.tasks = {};
  swarm.tasks.queue.line() = std::move(waiting);
  swarm.state.clear(actions_->persist.rows);
  swarm.told.push_back({swarm.state.head(), {}, true, {}, std::move(by)});
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.revision = swarm.state.head();
  outcome.changed = true;
  return outcome;
}

}  // namespace waggle
