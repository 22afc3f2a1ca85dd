#include "tests/sim/saboteur.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "consensus/claim_record.h"
#include "consensus/task_queue.h"
#include "coordinator/proposal.h"

namespace waggle::sim {
namespace {

// A saboteur made of up to four functions, each for one place. One with a memory keeps it in its
// captures: each world gets a copy of its own.
struct Crime {
  std::function<void(Batch&)> store{};               // of the coordinator
  std::function<void(CoordinatorState&)> recover{};  // at its start
  std::function<bool(Message&)> send{};              // by the coordinator; false: not at all
  // To any agent's application.
  std::function<std::vector<Delivery>(const std::string& machine, const Delivery&)> deliver{};
  bool disk_lies = false;
};

class Criminal final : public Saboteur {
 public:
  explicit Criminal(Crime crime) : crime_(std::move(crime)) {}

  void store(const std::string& machine, Batch& batch) override {
    if (crime_.store && machine == kCoordinatorMachine) crime_.store(batch);
  }
  bool send(const std::string& machine, Send& send) override {
    if (!crime_.send || machine != kCoordinatorMachine) return true;
    MessagePtr* message = nullptr;
    if (auto* to = std::get_if<SendTo>(&send)) message = &to->message;
    if (auto* broadcast = std::get_if<Broadcast>(&send)) message = &broadcast->message;
    if (message == nullptr) return true;
    Message changed = **message;
    const bool sent = crime_.send(changed);
    *message = make_message(std::move(changed));
    return sent;
  }
  std::vector<Delivery> deliver(const std::string& machine, const Delivery& delivery) override {
    return crime_.deliver ? crime_.deliver(machine, delivery) : std::vector<Delivery>{delivery};
  }
  void recover(CoordinatorState& state) override {
    if (crime_.recover) crime_.recover(state);
  }
  [[nodiscard]] bool disk_lies() const override { return crime_.disk_lies; }

 private:
  Crime crime_;
};

// ---- changes to rows ---------------------------------------------------------------------------

void forget_writers(Batch& batch) {
  std::erase_if(batch.rows, [](const Row& row) {
    return std::holds_alternative<WriterRow>(row) || std::holds_alternative<OutcomeRow>(row);
  });
}

void lose_a_record(Batch& batch) {
  const auto record = std::find_if(batch.rows.begin(), batch.rows.end(), [](const Row& row) {
    return std::holds_alternative<RecordRow>(row);
  });
  if (record != batch.rows.end()) batch.rows.erase(record);
}

void lose_conflicts(Batch& batch) {
  std::erase_if(batch.rows, [](const Row& row) {
    const auto* conflict = std::get_if<ConflictRow>(&row);
    return conflict != nullptr && conflict->conflict;
  });
}

void forget_above_the_floor(Batch& batch) {
  for (Row& row : batch.rows)
    if (auto* swarm = std::get_if<SwarmRow>(&row)) swarm->floor = {};
}

// True: its newest commit is a clear, which has an outcome and no record.
bool holds_clear(const Batch& batch) {
  Revision head;
  for (const Row& row : batch.rows)
    if (const auto* swarm = std::get_if<SwarmRow>(&row)) head = swarm->head;
  bool decided = false;
  for (const Row& row : batch.rows) {
    if (const auto* record = std::get_if<RecordRow>(&row);
        record && record->record->version == head)
      return false;
    if (const auto* of_writer = std::get_if<OutcomeRow>(&row))
      for (const Outcome& outcome : of_writer->outcomes)
        decided |= outcome.code == Code::kCommitted && outcome.changed && outcome.revision == head;
  }
  return decided;
}

void leave_a_key(Batch& batch) {
  if (!holds_clear(batch)) return;
  const auto forget = std::find_if(batch.rows.begin(), batch.rows.end(), [](const Row& row) {
    return std::holds_alternative<ForgetRow>(row);
  });
  if (forget != batch.rows.end()) batch.rows.erase(forget);
}

void clear_below_the_floor(Batch& batch) {
  if (!holds_clear(batch)) return;
  for (Row& row : batch.rows)
    if (auto* swarm = std::get_if<SwarmRow>(&row))
      swarm->floor = Revision(swarm->floor.value() - 1);
}

// Changes the value of every record that `change` accepts. The digest goes, so that a start does
// not find it out.
template <typename T>
auto change_values(void (*change)(T&)) {
  return [change](Batch& batch) {
    for (Row& row : batch.rows) {
      if (auto* swarm = std::get_if<SwarmRow>(&row)) swarm->digest.reset();
      auto* record = std::get_if<RecordRow>(&row);
      if (record == nullptr || !record->record->live()) continue;
      Record changed = *record->record;
      auto* value = std::get_if<T>(&*changed.value);
      if (value == nullptr) continue;
      change(*value);
      changed.content = content_hash(*changed.value);
      record->record = std::make_shared<const Record>(std::move(changed));
    }
  };
}

// Changes every record that the coordinator made for a reason that its metadata names.
auto change_made_for(const char* reason, void (*change)(Record&)) {
  return [reason, change](Batch& batch) {
    for (Row& row : batch.rows) {
      if (auto* swarm = std::get_if<SwarmRow>(&row)) swarm->digest.reset();
      auto* record = std::get_if<RecordRow>(&row);
      if (record == nullptr || !record->record->metadata.contains(reason)) continue;
      Record changed = *record->record;
      change(changed);
      if (changed.value) changed.content = content_hash(*changed.value);
      record->record = std::make_shared<const Record>(std::move(changed));
    }
  };
}

void stamp_ahead(Batch& batch) {
  for (Row& row : batch.rows) {
    if (auto* swarm = std::get_if<SwarmRow>(&row)) swarm->digest.reset();
    auto* record = std::get_if<RecordRow>(&row);
    if (record == nullptr) continue;
    Record changed = *record->record;
    changed.hlc = Hlc::of(static_cast<std::uint64_t>(changed.commit_wall_millis) + 6'000, 0);
    record->record = std::make_shared<const Record>(std::move(changed));
  }
}

// Of records of those keys, what a document says.
void say_instead(Batch& batch, std::string_view keys, std::string_view said, std::string_view now) {
  for (Row& row : batch.rows) {
    if (auto* swarm = std::get_if<SwarmRow>(&row)) swarm->digest.reset();
    auto* record = std::get_if<RecordRow>(&row);
    if (record == nullptr || !record->key.value().starts_with(keys)) continue;
    std::optional<Register> document = register_of(record->record.get());
    const std::size_t at = document ? document->bytes.find(said) : std::string::npos;
    if (at == std::string::npos) continue;
    document->bytes.replace(at, said.size(), now);
    Record changed = *record->record;
    changed.value = *document;
    changed.content = content_hash(*changed.value);
    record->record = std::make_shared<const Record>(std::move(changed));
  }
}

void turn_outcomes(Batch& batch) {
  say_instead(batch, kProposalKeys, R"("state":"approved")", R"("state":"rejected")");
}

void cancel_what_is_done(Batch& batch) {
  say_instead(batch, kTaskKeys, R"("state":"done")", R"("state":"cancelled")");
}

// ---- changes to what is recovered --------------------------------------------------------------

void find_no_swarm(CoordinatorState& state) {
  state.swarms.clear();
  state.records.clear();
  state.writers.clear();
  state.outcomes.clear();
}

void miss_a_record(CoordinatorState& state) {
  if (!state.records.empty()) state.records.pop_back();
}

void miss_the_claims(CoordinatorState& state) {
  for (RecordRow& row : state.records) {
    if (!is_claim_key(row.key.value())) continue;
    Record changed = *row.record;
    changed.metadata.clear();
    row.record = std::make_shared<const Record>(std::move(changed));
  }
}

void miss_the_conflicts(CoordinatorState& state) {
  state.conflicts.clear();
}

// ---- changes to messages -----------------------------------------------------------------------

template <typename T>
auto change_messages(void (*change)(T&)) {
  return [change](Message& message) {
    if (auto* typed = std::get_if<T>(&message)) change(*typed);
    return true;
  };
}

void blame_the_writer(SubmitResult& result) {
  Outcome& outcome = result.results.front().outcome;
  outcome.code = Code::kOverloaded;
  outcome.reason = Reason::kRateLimit;
  outcome.retry_millis = 10;
}

void drop_right_halves(StateUpdate& update) {
  std::erase_if(update.changes, [](const Change& c) { return c.key.value().ends_with("/right"); });
}

void drop_last_change(StateUpdate& update) {
  if (update.changes.size() > 1) update.changes.pop_back();
}

void change_metadata(StateUpdate& update) {
  for (Change& change : update.changes) {
    Record changed = *change.record;
    changed.metadata["planted"] = "yes";
    change.record = std::make_shared<const Record>(std::move(changed));
  }
}

void amend_another_version(StateUpdate& update) {
  for (Change& change : update.changes) {
    if (!change.record->metadata.contains("amends")) continue;
    Record changed = *change.record;
    std::string& left = changed.metadata.at("amends_revision");
    left = std::to_string(std::stoull(left) + 1);
    change.record = std::make_shared<const Record>(std::move(changed));
  }
}

void say_all_was_resolved(SyncReport& report) {
  for (KeyReport& key : report.keys)
    if (key.outcome == RoundOutcome::kUnchanged) key.outcome = RoundOutcome::kResolved;
}

void name_another_conflict(SubmitResult& result) {
  for (MutationResult& one : result.results)
    if (one.outcome.code == Code::kParked) one.outcome.parked = one.outcome.parked.next();
}

void say_all_is_committed(SubmitResult& result) {
  for (MutationResult& one : result.results) {
    if (one.outcome.code != Code::kConflict) continue;
    one.outcome.code = Code::kCommitted;
    one.outcome.changed = true;
  }
}

// ---- changes to what is told -------------------------------------------------------------------

std::vector<Delivery> name_an_earlier_commit(const std::string& machine, const Delivery& delivery) {
  (void)machine;
  const auto* settled = std::get_if<WriteSettled>(&delivery);
  if (settled == nullptr || !settled->outcome.changed) return {delivery};
  WriteSettled changed = *settled;
  changed.outcome.revision = Revision(1);
  return {changed};
}

template <typename T>
auto tell_times(std::size_t times) {
  return [times](const std::string&, const Delivery& delivery) {
    return std::vector<Delivery>(std::holds_alternative<T>(delivery) ? times : 1, delivery);
  };
}

std::vector<Delivery> say_it_took(const std::string& machine, const Delivery& delivery) {
  (void)machine;
  std::vector<Delivery> told{delivery};
  if (auto* settled = std::get_if<OfferSettled>(&told[0])) settled->took = true;
  return told;
}

std::vector<Delivery> say_it_is_attached(const std::string& machine, const Delivery& delivery) {
  (void)machine;
  std::vector<Delivery> told{delivery};
  if (auto* changed = std::get_if<LinkChanged>(&told[0]); changed && changed->link == Link::kLost)
    changed->link = Link::kAttached;
  return told;
}

std::vector<Delivery> take_what_was_refused(const std::string& machine, const Delivery& delivery) {
  (void)machine;
  if (const auto* failed = std::get_if<CommandFailed>(&delivery))
    return {WriteQueued{failed->request, {}, {}}};
  return {delivery};
}

// Whatever is settled with this code is told to be lost at once.
auto tell_lost(Code code) {
  return [code](const std::string&, const Delivery& delivery) {
    std::vector<Delivery> told{delivery};
    if (const auto* settled = std::get_if<WriteSettled>(&delivery);
        settled && settled->outcome.code == code)
      told.emplace_back(WritesLost{{{settled->incarnation, settled->seq}}, {}});
    return told;
  };
}

// Knows what each application holds, so that what it makes up is right in all but one point.
class Forger {
 public:
  // A key is told at the version that was held, and then, in the same change, at the newer one.
  std::vector<Delivery> old_record_first(const std::string& machine, const Delivery& delivery) {
    const auto* changed = std::get_if<StateChanged>(&delivery);
    if (changed == nullptr) return {delivery};
    StateChanged forged = *changed;
    Held& held = held_[machine];
    for (const Change& change : changed->changes) {
      const auto older = held.older.find(change.key);
      if (changed->cleared || older == held.older.end()) continue;
      forged.changes.insert(forged.changes.begin(), {change.key, older->second});
    }
    take(machine, *changed);
    return {forged};
  }
  // The state falls back to an earlier one, whole and right, and comes forward again.
  std::vector<Delivery> fall_back(const std::string& machine, const Delivery& delivery) {
    const auto* changed = std::get_if<StateChanged>(&delivery);
    if (changed == nullptr) return {delivery};
    const std::map<Key, RecordPtr> before = held_[machine].records;
    take(machine, *changed);
    if (changed->cleared || changed->from.epoch != changed->to.epoch) return {delivery};
    StateChanged back;
    back.from = changed->to;
    back.to = changed->from;
    for (const Change& change : changed->changes) {
      // Only what is new can be taken away without naming an older version.
      if (before.contains(change.key)) return {delivery};
      auto gone = std::make_shared<Record>();
      gone->version = change.record->version;
      back.changes.push_back({change.key, std::move(gone)});
    }
    return {delivery, back, delivery};
  }

 private:
  struct Held {
    std::map<Key, RecordPtr> records;
    std::map<Key, RecordPtr> older;  // what the record in `records` replaced
  };
  void take(const std::string& machine, const StateChanged& changed) {
    Held& held = held_[machine];
    if (!changed.from.epoch || changed.from.epoch != changed.to.epoch || changed.cleared) held = {};
    for (const Change& change : changed.changes) {
      RecordPtr& slot = held.records[change.key];
      if (slot) held.older[change.key] = slot;
      slot = change.record;
      if (!change.record->live()) {
        held.records.erase(change.key);
        held.older.erase(change.key);
      }
    }
  }
  std::map<std::string, Held> held_;
};

auto forged(std::vector<Delivery> (Forger::*forge)(const std::string&, const Delivery&)) {
  return [forger = Forger(), forge](const std::string& machine, const Delivery& delivery) mutable {
    return (forger.*forge)(machine, delivery);
  };
}

// Each in what a commit of one type makes.
void plant_effects(const auto& plant) {
  const auto value = [&](const char* name, CheckerName checker, auto change,
                         const char* says = "") { plant(name, checker, {.store = change}, says); };
  value("a grow-counter counts one more", "counters",
        change_values<GrowCounter>([](GrowCounter& counter) { ++counter.total; }));
  value("a reset leaves something", "counters",
        change_values<ResettableCounter>([](ResettableCounter& counter) {
          if (counter.shares.empty()) ++counter.base;
        }),
        "that the reset had not seen");
  value("a bounded counter gives more than it has", "counters",
        change_values<BoundedCounter>([](BoundedCounter& counter) { ++counter.free; }), "are free");
  value("a max falls", "extremes",
        change_values<MaxValue>([](MaxValue& max) { max.value = std::int64_t{-5'000}; }));
  value("a min rises", "extremes",
        change_values<MinValue>([](MinValue& min) { min.value = std::int64_t{5'000}; }));
  value("a grow-set forgets an element", "unions", change_values<GrowSet>([](GrowSet& set) {
          set.elements.erase(std::string(set.elements.begin()->first));
        }));
  value("a remove-wins set forgets an element", "sets",
        change_values<RemoveWinsSet>([](RemoveWinsSet& set) { set = {}; }), "remove-wins");
  value("an enabled flag is off", "flags",
        change_values<EnableFlag>([](EnableFlag& flag) { flag.enabled.clear(); }));
  value("a disabled flag is on", "flags",
        change_values<DisableFlag>([](DisableFlag& flag) { flag.disabled.clear(); }));
  value("a concurrent value is dropped", "siblings",
        change_values<MultiRegister>([](MultiRegister& multi) {
          if (multi.siblings.size() > 1) multi.siblings.erase(multi.siblings.begin());
        }));
  value("a text loses an edit", "edits", change_values<Text>([](Text& text) { text = {}; }),
        "in one piece");
  value("a list loses more than was removed", "edits",
        change_values<List>([](List& list) { list = {}; }), "were to be removed");
  value("a map loses a field", "fields", change_values<Map>([](Map& map) { map = {}; }));
  plant("a settlement makes another value", "effects",
        {.store = change_made_for(
             "settled", [](Record& record) { record.value = Register{ContentType::kText, "?"}; })},
        "not what was settled");
  plant("a merge is said to be somebody else's", "effects",
        {.store = change_made_for(
             "merged_from", [](Record& record) { record.metadata["merged_from"] = "nobody"; })},
        "does not say that it is by");
  plant("a key expires before its time", "effects",
        {.store = change_made_for(
             "expired_after_ms",
             [](Record& record) { record.metadata["expired_after_ms"] = "999999999"; })},
        "before its time");
  plant("a conflict is not stored", "parked", {.store = lose_conflicts}, "which nobody knows");
  plant("conflicts are not found at a start", "parked", {.recover = miss_the_conflicts},
        "were recovered");
  plant("a parked write is told another conflict", "parked",
        {.send = change_messages<SubmitResult>(name_another_conflict)}, "and it does not");
}

}  // namespace

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> bugs = [] {
    std::vector<PlantedBug> made;
    const auto plant = [&](std::string name, CheckerName checker, Crime crime,
                           std::string says = {}) {
      made.push_back({std::move(name), checker, std::move(says),
                      [crime = std::move(crime)] { return std::make_unique<Criminal>(crime); }});
    };
    plant("the answer goes out before the disk has synced", "visible", {.disk_lies = true});
    plant("an agent is told that it sends too much when it does not", "limits",
          {.send = change_messages<SubmitResult>(blame_the_writer)});
    plant("a heartbeat names a wrong digest", "visible",
          {.send = change_messages<Heartbeat>([](Heartbeat& beat) { beat.digest.low ^= 1; })});
    plant("who wrote how far is not stored", "once", {.store = forget_writers});
    plant("one record of a batch is not stored", "revisions", {.store = lose_a_record});
    plant("the floor is not stored", "revisions", {.store = forget_above_the_floor});
    plant("an increment counts one more", "effects",
          {.store = change_values<Counter>([](Counter& counter) { ++counter.total; })});
    plant("a clear leaves a key", "effects", {.store = leave_a_key}, "still there");
    plant("a clear does not raise the floor", "effects", {.store = clear_below_the_floor},
          "the floor is");
    plant("a set drops an element that nobody removed", "sets",
          {.store = change_values<OrSet>([](OrSet& set) {
             if (set.elements.size() > 1)
               set.elements.erase(std::string(set.elements.begin()->first));
           })});
    plant_effects(plant);
    plant("an update carries half a group", "groups",
          {.send = change_messages<StateUpdate>(drop_right_halves)});
    plant("an update lacks a change", "readers",
          {.send = change_messages<StateUpdate>(drop_last_change)}, "another state");
    plant("a change is told twice", "readers", {.deliver = tell_times<StateChanged>(2)},
          "goes on from");
    plant("a reader falls back to an earlier state", "readers",
          {.deliver = forged(&Forger::fall_back)}, "went back from");
    plant("a reader is told an old record before the new one", "readers",
          {.deliver = forged(&Forger::old_record_first)}, "went back to version");
    plant("an update does not say whose writes are in it", "views",
          {.send = change_messages<StateUpdate>([](StateUpdate& u) { u.applied.clear(); })});
    plant("a result is told twice", "outcomes", {.deliver = tell_times<WriteSettled>(2)});
    plant("a result is never told", "outcomes", {.deliver = tell_times<WriteSettled>(0)});
    plant("a refusal is told as a success", "outcomes",
          {.send = change_messages<SubmitResult>(say_all_is_committed)});
    plant("a refused write is told as queued", "outcomes", {.deliver = take_what_was_refused},
          "is an observer");
    plant("an offer is always said to have been taken", "answers", {.deliver = say_it_took});
    plant("a round says that it made what it left", "answers",
          {.send = change_messages<SyncReport>(say_all_was_resolved)}, "it is not there");
    plant("a read is answered twice", "answers", {.deliver = tell_times<ReadDone>(2)});
    plant("a round asks about an older state than it judges by", "rounds",
          {.send = change_messages<StateRequest>(
               [](StateRequest& request) { request.head = Revision(request.head.value() / 2); })});
    plant("a late answer amends another version than the round left", "rounds",
          {.send = change_messages<StateUpdate>(amend_another_version)}, "what stood was of");
    plant("what a restore undid is not told", "lost", {.deliver = tell_times<WritesLost>(0)},
          "was not told");
    plant("the disk loses what it called synced", "lost", {.disk_lies = true}, "is gone");
    plant("what stands is told to be lost", "lost", {.deliver = tell_lost(Code::kCommitted)},
          "and it is there");
    plant("what was refused is told to be lost", "lost", {.deliver = tell_lost(Code::kConflict)},
          "not acknowledged");
    plant("whose write was overruled is not told", "overruled",
          {.deliver = tell_times<WriteOverruled>(0)}, "was not told that");
    plant("whose write was overruled is told twice", "overruled",
          {.deliver = tell_times<WriteOverruled>(2)}, "and it was not");
    plant("an answer names an earlier commit", "order", {.deliver = name_an_earlier_commit},
          "and began after");
    plant("the answer about a claim is told twice", "claims", {.deliver = tell_times<ClaimDone>(2)},
          "twice");
    plant("a lost claim is not told", "claims", {.deliver = tell_times<ClaimLost>(0)},
          "not that it lost it");
    plant("a claim that was handed over is not told", "claims",
          {.deliver = tell_times<ClaimGained>(0)}, "which it was not told");
    plant("claims are not found at a start", "claims", {.recover = miss_the_claims},
          "written under token");
    plant(
        "a token is given twice", "claims",
        {.store = change_made_for("token", [](Record& record) { record.metadata["token"] = "7"; })},
        "was given before");
    plant("a proposal has another outcome than its votes give", "decisions",
          {.store = turn_outcomes}, "votes don't give");
    plant("a bound write does not name its proposal", "decisions",
          {.store = change_made_for("proposal",
                                    [](Record& record) { record.metadata.erase("proposal"); })},
          "says too much");
    plant("a task that is done is stored as cancelled", "tasks", {.store = cancel_what_is_done},
          "nobody asked for it");
    plant("a stamp is of the future", "stamps", {.store = stamp_ahead}, "ahead of the coordinator");
    plant("a lost link is not told", "links", {.deliver = say_it_is_attached}, "hears nothing");
    plant("what the end of a task writes does not name it", "tasks",
          {.store = change_made_for("task", [](Record& record) { record.metadata.erase("task"); })},
          "did not write what was reported");
    plant("an ephemeral update lacks a change", "ephemeral",
          {.send = change_messages<EphemeralUpdate>([](EphemeralUpdate& update) {
             if (update.changes.size() > 1) update.changes.pop_back();
           })},
          "than the coordinator");
    plant("an ephemeral update leaves out what came before", "ephemeral",
          {.send = change_messages<EphemeralUpdate>(
               [](EphemeralUpdate& update) { update.from = Revision(update.to.value() - 1); })},
          "the one before ended");
    plant("an ephemeral write is answered as taken", "ephemeral",
          {.send = change_messages<EphemeralResult>(
               [](EphemeralResult& result) { result.refused.clear(); })},
          "a durable key");
    plant("an ephemeral write is answered twice", "ephemeral",
          {.deliver = tell_times<EphemeralSettled>(2)}, "twice");
    plant("nothing of the swarm is found at a start", "recovery", {.recover = find_no_swarm},
          "the swarm is gone");
    plant("a record is not found at a start", "recovery", {.recover = miss_a_record},
          "recovered head");
    plant("an update changes what no digest covers", "equal",
          {.send = change_messages<StateUpdate>(change_metadata)});
    plant("a catch-up never completes", "progress",
          {.send = change_messages<DeltaChunk>([](DeltaChunk& chunk) { chunk.complete = false; })});
    return made;
  }();
  return bugs;
}

}  // namespace waggle::sim
