#include "tests/sim/saboteur.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace waggle::sim {
namespace {

// A saboteur made of up to three functions, each for one place.
struct Crime {
  std::function<void(Batch&)> store{};      // of the coordinator
  std::function<bool(Message&)> send{};     // by the coordinator; false: not at all
  std::function<int(Delivery&)> deliver{};  // to any agent's application
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
  int deliver(const std::string& machine, Delivery& delivery) override {
    (void)machine;
    return crime_.deliver ? crime_.deliver(delivery) : 1;
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

void forget_above_the_floor(Batch& batch) {
  for (Row& row : batch.rows)
    if (auto* swarm = std::get_if<SwarmRow>(&row)) swarm->floor = {};
}

// Changes the value of every record that `change` accepts.
template <typename T>
auto change_values(void (*change)(T&)) {
  return [change](Batch& batch) {
    for (Row& row : batch.rows) {
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

// ---- changes to messages -----------------------------------------------------------------------

template <typename T>
auto change_messages(void (*change)(T&)) {
  return [change](Message& message) {
    if (auto* typed = std::get_if<T>(&message)) change(*typed);
    return true;
  };
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

void say_all_is_committed(SubmitResult& result) {
  for (MutationResult& one : result.results) {
    if (one.outcome.code != Code::kConflict) continue;
    one.outcome.code = Code::kCommitted;
    one.outcome.changed = true;
  }
}

// ---- changes to what is told -------------------------------------------------------------------

template <typename T>
auto tell_times(int times) {
  return [times](Delivery& delivery) { return std::holds_alternative<T>(delivery) ? times : 1; };
}

int say_it_took(Delivery& delivery) {
  if (auto* settled = std::get_if<OfferSettled>(&delivery)) settled->took = true;
  return 1;
}

}  // namespace

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> bugs = [] {
    std::vector<PlantedBug> made;
    const auto plant = [&](std::string name, std::string checker, Crime crime) {
      made.push_back({std::move(name), std::move(checker),
                      [crime = std::move(crime)] { return std::make_unique<Criminal>(crime); }});
    };
    plant("the answer goes out before the disk has synced", "visible", {.disk_lies = true});
    plant("a heartbeat names a wrong digest", "visible",
          {.send = change_messages<Heartbeat>([](Heartbeat& beat) { beat.digest.low ^= 1; })});
    plant("who wrote how far is not stored", "once", {.store = forget_writers});
    plant("one record of a batch is not stored", "revisions", {.store = lose_a_record});
    plant("the floor is not stored", "revisions", {.store = forget_above_the_floor});
    plant("an increment counts one more", "effects",
          {.store = change_values<Counter>([](Counter& counter) { ++counter.total; })});
    plant("a set drops an element that nobody removed", "sets",
          {.store = change_values<OrSet>([](OrSet& set) {
             if (set.elements.size() > 1) set.elements.erase(set.elements.begin());
           })});
    plant("an update carries half a group", "groups",
          {.send = change_messages<StateUpdate>(drop_right_halves)});
    plant("an update lacks a change", "readers",
          {.send = change_messages<StateUpdate>(drop_last_change)});
    plant("a change is told twice", "readers", {.deliver = tell_times<StateChanged>(2)});
    plant("an update does not say whose writes are in it", "views",
          {.send = change_messages<StateUpdate>([](StateUpdate& u) { u.applied.clear(); })});
    plant("a result is told twice", "outcomes", {.deliver = tell_times<WriteSettled>(2)});
    plant("a result is never told", "outcomes", {.deliver = tell_times<WriteSettled>(0)});
    plant("a refusal is told as a success", "outcomes",
          {.send = change_messages<SubmitResult>(say_all_is_committed)});
    plant("an offer is always said to have been taken", "answers", {.deliver = say_it_took});
    plant("a read is answered twice", "answers", {.deliver = tell_times<ReadDone>(2)});
    plant("what a restore undid is not told", "lost", {.deliver = tell_times<WritesLost>(0)});
    plant("an update changes what no digest covers", "equal",
          {.send = change_messages<StateUpdate>(change_metadata)});
    plant("a catch-up never completes", "progress",
          {.send = change_messages<DeltaChunk>([](DeltaChunk& chunk) { chunk.complete = false; })});
    return made;
  }();
  return bugs;
}

}  // namespace waggle::sim
