// Parked conflicts: how they come to wait, how a person settles them, how they age. The bookkeeping
// is in coordinator/conflict_inbox.h.

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "consensus/claim_record.h"
#include "coordinator/coordinator.h"
#include "coordinator/own_keys.h"
#include "resolver/receipt.h"

namespace waggle {
namespace {

constexpr std::size_t kAgedPerSweep = 256;
constexpr std::size_t kLookedAtPerSweep = 1'024;

std::string text_of(ConflictId id) {
  return fmt::format("C{}", id.value());
}

}  // namespace

ConflictSide Coordinator::side_of(const Record* standing) const {
  ConflictSide side;
  if (standing == nullptr) return side;
  side.agent = standing->writer.agent;
  side.version = standing->version;
  side.hlc = standing->hlc;
  side.wall_millis = standing->commit_wall_millis;
  side.value = register_of(standing);
  return side;
}

const ParkedConflict& Coordinator::park(Swarm& swarm, ParkedConflict conflict) {
  conflict.parked_wall_millis = now_.wall_millis;
  if (swarm.inbox.of_key(conflict.key) == nullptr) {
    ConflictId& last = swarm.state.row().last_conflict;
    conflict.id = last = last.next();
    swarm.row_dirty = true;
  }
  count("conflicts_parked");
  return swarm.inbox.park(std::move(conflict), actions_->persist.rows);
}

Outcome Coordinator::park_mutation(Swarm& swarm, const Judged& one, const Author& author) {
  const Entry& entry = *one.entry;
  const Record& standing = *one.standing;
  Outcome outcome;
  outcome.revision = swarm.state.head();
  outcome.key = entry.key;
  outcome.conflict = one.verdict.conflict;
  if (standing.live()) outcome.committed = std::make_shared<const Record>(standing);
  const auto* put = std::get_if<PutOp>(&entry.op);
  if (!swarm.inbox.has_room(entry.key, put != nullptr ? put->bytes.size() : 0)) {
    outcome.code = Code::kConflict;
    outcome.text = fmt::format(
        "'{}' was changed meanwhile at revision {} and the policy leaves the choice to a "
        "person, but {} wait already, which is the limit; settle some: waggle conflict "
        "ls",
        entry.key.value(), standing.version.value(),
        swarm.inbox.of_key(entry.key) != nullptr
            ? fmt::format("{} values of this key", swarm.inbox.of_key(entry.key)->sides.size())
            : fmt::format("{} conflicts", limits::kConflicts));
    return outcome;
  }
  ParkedConflict conflict;
  conflict.key = entry.key;
  conflict.kind = one.verdict.conflict;
  conflict.sides = {side_of(&standing)};
  conflict.ancestor = register_of(one.ancestor.get());
  ConflictSide& theirs = conflict.sides.emplace_back();
  theirs.agent = author.agent;
  theirs.version = author.seen;
  theirs.hlc = author.hlc;
  theirs.wall_millis = now_.wall_millis;
  if (put != nullptr) theirs.value = Register{put->content, put->bytes};
  const ParkedConflict& parked = park(swarm, std::move(conflict));
  outcome.code = Code::kParked;
  outcome.parked = parked.id;
  outcome.text = fmt::format(
      "'{}' was changed meanwhile by {} at revision {}; both values wait for a person as conflict "
      "{}, the committed one stands until then",
      entry.key.value(), standing.writer.agent.value(), standing.version.value(),
      text_of(parked.id));
  return outcome;
}

// An ordinary commit, by the coordinator in the name of whoever settles: nobody has seen it.
Outcome Coordinator::settle_conflict(Swarm& swarm, const Entry& entry, const SettleOp& settle,
                                     const Author& author) {
  Outcome outcome;
  outcome.code = Code::kRejected;
  outcome.revision = swarm.state.head();
  outcome.key = entry.key;
  const ParkedConflict* waits = swarm.inbox.find(settle.conflict);
  if (waits == nullptr || waits->key != entry.key) {
    outcome.reason = Reason::kInvalid;
    outcome.text = fmt::format("conflict {} of '{}' does not wait here; it may be settled already",
                               text_of(settle.conflict), entry.key.value());
    return outcome;
  }
  const RecordPtr standing = swarm.state.find(entry.key);
  const bool live = standing && standing->live();
  if (const auto* expected = std::get_if<ExpectVersion>(&entry.expect);
      expected != nullptr && expected->version != (live ? standing->version : Revision{})) {
    outcome.code = Code::kConflict;
    outcome.conflict = ConflictKind::kVersionMismatch;
    if (live) outcome.committed = standing;
    outcome.text = fmt::format("expected version {} of '{}', found {}; look at it again",
                               expected->version.value(), entry.key.value(),
                               live ? standing->version.value() : 0);
    return outcome;
  }
  std::optional<Register> value = register_of(standing.get());
  if (settle.how == Settle::kValue) value = settle.value;
  if (settle.how == Settle::kSide) {
    if (settle.side >= waits->sides.size()) {
      outcome.reason = Reason::kInvalid;
      outcome.text = fmt::format("conflict {} has the sides A to {}", text_of(settle.conflict),
                                 side_name(waits->sides.size() - 1));
      return outcome;
    }
    value = waits->sides[settle.side].value;
  }
  if (live && type_of(*standing->value) != ValueType::kRegister) {
    outcome.reason = Reason::kTypeMismatch;
    outcome.text = fmt::format("'{}' became a {} meanwhile; dismiss the conflict",
                               entry.key.value(), to_text(type_of(*standing->value)));
    if (settle.how != Settle::kDismiss) return outcome;
    value.reset();
  }
  const bool changes = settle.how != Settle::kDismiss && value != register_of(standing.get());
  Receipt receipt;
  receipt.key = entry.key;
  // A client's random name says nothing.
  const std::string who = public_name(author.agent).value();
  receipt.rule = fmt::format("settled({} by {})", text_of(settle.conflict), who);
  for (const ConflictSide& side : waits->sides)
    receipt.inputs.push_back(
        input_of(side.agent, side.version, side.hlc, side.value, &side == &waits->sides.front()));
  swarm.inbox.close(settle.conflict, actions_->persist.rows);
  count("conflicts_settled");

  outcome.code = Code::kCommitted;
  outcome.reason = Reason::kNone;
  outcome.text.clear();
  if (!changes) {
    close_with_receipt(swarm, std::move(receipt), standing);
    return outcome;
  }
  auto record = std::make_shared<Record>();
  if (value) record->value = *value;
  record->version = swarm.state.head().next();
  record->commit_wall_millis = now_.wall_millis;
  record->hlc = author.hlc;
  record->writer = {AgentId(kCoordinatorName), Incarnation(start_.value()),
                    Seq(settle.conflict.value())};
  record->metadata = entry.metadata;
  record->metadata["settled"] = text_of(settle.conflict);
  record->metadata["settled_by"] = who;
  if (record->value) record->content = content_hash(*record->value);
  receipt.version = record->version;
  receipt.output = record->content;
  record->choice = choice_over(standing.get(), receipt.rule);
  if (standing) {
    record->receipt = standing->receipt;
    record->receipts = standing->receipts;
  }
  write_receipt(swarm, std::move(receipt), standing.get(), record->receipt, record->receipts);
  outcome.revision = record->version;
  outcome.changed = true;
  commit(swarm, {{entry.key, std::move(record)}}, {},
         {author.agent, author.incarnation, author.seq});
  return outcome;
}

// The choice is kept though nothing was committed, where a record stands to hold it.
void Coordinator::close_with_receipt(Swarm& swarm, Receipt receipt, const RecordPtr& standing) {
  if (!standing) return;
  receipt.version = standing->version;
  receipt.output = standing->content;
  const Key key = receipt.key;
  auto amended = std::make_shared<Record>(*standing);
  write_receipt(swarm, std::move(receipt), standing.get(), amended->receipt, amended->receipts);
  swarm.state.amend(key, std::move(amended), actions_->persist.rows);
}

void Coordinator::age_conflicts(Swarm& swarm) {
  std::vector<ConflictId> aged;
  for (const ParkedConflict* waits : swarm.inbox.list({}, {})) {
    const Policy& policy = options_.policies.of(waits->key.value());
    if (policy.parked_millis &&
        now_.wall_millis - waits->parked_wall_millis >= *policy.parked_millis)
      aged.push_back(waits->id);
    if (aged.size() == kAgedPerSweep) break;
  }
  for (const ConflictId id : aged) {
    const ParkedConflict& waits = *swarm.inbox.find(id);
    Receipt receipt;
    receipt.key = waits.key;
    receipt.rule = fmt::format("aged({})", text_of(id));
    for (const ConflictSide& side : waits.sides)
      receipt.inputs.push_back(
          input_of(side.agent, side.version, side.hlc, side.value, &side == &waits.sides.front()));
    const RecordPtr standing = swarm.state.find(waits.key);
    swarm.inbox.close(id, actions_->persist.rows);
    close_with_receipt(swarm, std::move(receipt), standing);
    count("conflicts_aged");
  }
}

// Keys that nobody wrote for as long as their policy lets them live. Some at a time: each sweep
// goes on where the last one stopped.
void Coordinator::expire_keys(Swarm& swarm) {
  std::vector<Change> changes;
  for (const std::string& prefix : options_.policies.mortal()) {
    Key& at = swarm.expiry_at[prefix];
    const std::vector<Key> keys = swarm.state.keys_after(prefix, at, kLookedAtPerSweep);
    at = keys.size() == kLookedAtPerSweep ? keys.back() : Key();
    for (const Key& key : keys) {
      const Policy& policy = options_.policies.of(key.value());
      if (policy.prefix != prefix || is_own_key(key.value()) ||
          swarm.claims.over(key.value()) != nullptr)
        continue;
      const RecordPtr record = swarm.state.find(key);
      if (!record->live() || now_.wall_millis - record->commit_wall_millis < *policy.live_millis)
        continue;
      auto gone = std::make_shared<Record>();
      gone->version = swarm.state.head().next();
      gone->commit_wall_millis = now_.wall_millis;
      gone->hlc = record->hlc;
      gone->writer = {AgentId(kCoordinatorName), Incarnation(start_.value()), {}};
      gone->metadata["expired_after_ms"] = fmt::to_string(*policy.live_millis);
      gone->receipt = record->receipt;
      gone->receipts = record->receipts;
      changes.push_back({key, std::move(gone)});
    }
  }
  if (changes.empty()) return;
  count("keys_expired", changes.size());
  commit(swarm, std::move(changes), {}, {});
}

void Coordinator::answer_conflicts(Swarm& swarm, const ConflictsQuery& ask, QueryResult& result) {
  if (ask.id) {
    if (const ParkedConflict* waits = swarm.inbox.find(ask.id)) {
      result.conflicts.push_back(*waits);
    } else {
      result.code = Code::kNotFound;
      result.text = fmt::format("no conflict {} waits in swarm '{}'; it may be settled already",
                                text_of(ask.id), swarm.state.id().value());
    }
    return;
  }
  std::size_t bytes = 0;
  for (const ParkedConflict* waits : swarm.inbox.list(ask.glob, ask.after)) {
    bytes += 128 * waits->sides.size() + value_bytes(*waits);
    if (bytes > limits::kChunkBytes && !result.conflicts.empty()) {
      result.more = true;
      return;
    }
    result.conflicts.push_back(*waits);
  }
}

}  // namespace waggle
