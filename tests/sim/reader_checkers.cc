#include "tests/sim/reader_checkers.h"

#include <variant>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

std::int64_t total_of(const RecordPtr& record) {
  if (!record || !record->live()) return 0;
  const auto* counter = std::get_if<Counter>(&*record->value);
  return counter ? counter->total : 0;
}

// Sum of the agent's increments of that key that are committed or still to be, but for those that a
// clear undid which the agent holds. Empty: one was refused, and the agent may know it or not.
std::optional<std::int64_t> own_total(Truth& truth, const AgentSeen& agent, const Key& key) {
  std::int64_t total = 0;
  const Revision cleared = truth.history->cleared_before(agent.core->replica().cursor().revision);
  for (const Deed* deed : truth.ledger.of_agent(agent.id)) {
    for (const Entry& entry : deed->entries) {
      const auto* incr = std::get_if<IncrOp>(&entry.op);
      if (incr == nullptr || entry.key != key) continue;
      const std::optional<Revision> at = truth.history->committed(deed->id);
      if (at && *at < cleared) continue;
      const bool committed = at.has_value();
      const bool pending = !deed->vanished && !deed->settled;
      if (pending && !committed && deed->refused) return std::nullopt;
      if (pending || committed) total += incr->amount;
    }
  }
  return total;
}

}  // namespace

// ---- visible -----------------------------------------------------------------------------------

void VisibleChecker::check(Cursor cursor, const char* what) {
  if (cursor.epoch != truth_.history->epoch() || cursor.revision > truth_.history->head())
    truth_.found("visible",
                 fmt::format("a {} tells of {}, durable is {}", what, to_text(cursor),
                             to_text(Cursor{truth_.history->epoch(), truth_.history->head()})));
}

// What some may not read is in nothing that everybody gets.
void VisibleChecker::check_hidden(const Message& message) {
  const auto named = [&](const Key& key) {
    if (is_hidden(key))
      truth_.found("visible",
                   fmt::format("a broadcast {} names {}", name_of(message), key.value()));
  };
  if (const auto* update = std::get_if<StateUpdate>(&message))
    for (const Change& change : update->changes) named(change.key);
  if (const auto* update = std::get_if<EphemeralUpdate>(&message))
    for (const Change& change : update->changes) named(change.key);
  if (const auto* request = std::get_if<StateRequest>(&message))
    for (const AskedKey& asked : request->keys) named(asked.key);
}

void VisibleChecker::on_send(const Send& send) {
  MessagePtr message;
  if (const auto* to = std::get_if<SendTo>(&send)) message = to->message;
  if (const auto* broadcast = std::get_if<Broadcast>(&send)) message = broadcast->message;
  if (!message) return;
  if (hides_ && std::holds_alternative<Broadcast>(send)) check_hidden(*message);
  if (const auto* update = std::get_if<StateUpdate>(message.get()))
    check({update->epoch, update->to}, "state_update");
  if (const auto* chunk = std::get_if<DeltaChunk>(message.get()); chunk && !chunk->reset)
    check({chunk->epoch, chunk->to}, "delta_chunk");
  if (const auto* welcome = std::get_if<Welcome>(message.get()))
    check({welcome->epoch, welcome->head}, "welcome");
  if (const auto* heartbeat = std::get_if<Heartbeat>(message.get())) {
    check({heartbeat->epoch, heartbeat->head}, "heartbeat");
    if (truth_.chronicle.digest_at({heartbeat->epoch, heartbeat->head}) != heartbeat->digest)
      truth_.found("visible", fmt::format("the digest of {} in a heartbeat is wrong",
                                          heartbeat->head.value()));
  }
  if (const auto* result = std::get_if<SubmitResult>(message.get()))
    for (const MutationResult& one : result->results)
      if (one.outcome.final()) check({result->epoch, one.outcome.revision}, "submit_result");
}

// ---- readers -----------------------------------------------------------------------------------

void ReaderChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  Reader& reader = readers_[agent.name];
  reader = {};
  reader.cursor = recovered.cursor;
  for (const ReplicaRow& row : recovered.replica) {
    reader.records[row.key] = row.record;
    reader.digest += digest_part(row.key, *row.record);
  }
  check(agent, reader);
}

void ReaderChecker::check(const AgentSeen& agent, const Reader& reader) {
  const std::string& name = agent.name;
  if (!reader.cursor.epoch) return;
  const std::optional<Hash128> digest = agent.blind ? truth_.chronicle.open_digest_at(reader.cursor)
                                                    : truth_.chronicle.digest_at(reader.cursor);
  if (!digest) {
    truth_.found("readers",
                 fmt::format("{} holds {}, which never was", name, to_text(reader.cursor)));
  } else if (*digest != reader.digest) {
    truth_.found("readers", fmt::format("{} was shown another state at {} than was committed", name,
                                        to_text(reader.cursor)));
  }
}

void ReaderChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  const auto* changed = std::get_if<StateChanged>(&delivery);
  if (changed == nullptr) return;
  Reader& reader = readers_[agent.name];
  if (changed->from != reader.cursor)
    truth_.found("readers", fmt::format("{} goes on from {}, it was at {}", agent.name,
                                        to_text(changed->from), to_text(reader.cursor)));
  const bool same_epoch = changed->to.epoch == reader.cursor.epoch;
  if (same_epoch && changed->to.revision < reader.cursor.revision)
    truth_.found("readers", fmt::format("{} went back from {} to {}", agent.name,
                                        to_text(reader.cursor), to_text(changed->to)));
  if (changed->cleared) {
    reader.records.clear();
    reader.digest = {};
  }
  for (const Change& change : changed->changes) {
    if (same_epoch && !changed->cleared && change.record->version <= changed->from.revision)
      truth_.found("readers",
                   fmt::format("{}: {}@{} is told as news after {}", agent.name, change.key.value(),
                               change.record->version.value(), changed->from.revision.value()));
    const auto held = reader.records.find(change.key);
    if (held != reader.records.end()) {
      if (same_epoch && change.record->version < held->second->version)
        truth_.found("readers", fmt::format("{}: {} went back to version {}", agent.name,
                                            change.key.value(), change.record->version.value()));
      reader.digest -= digest_part(change.key, *held->second);
      reader.records.erase(held);
    }
    if (!change.record->live()) continue;
    reader.records[change.key] = change.record;
    reader.digest += digest_part(change.key, *change.record);
  }
  reader.cursor = changed->to;
  check(agent, reader);
}

// ---- groups ------------------------------------------------------------------------------------

void GroupChecker::on_turn(const AgentSeen& agent) {
  for (std::uint64_t n = 0; n < kGroupPairs; ++n) {
    const auto [left, right] = group_pair(n);
    const Replica& replica = agent.core->replica();
    if (total_of(replica.find(left)) != total_of(replica.find(right)))
      truth_.found("groups", fmt::format("{} holds half a group: {} is {}, {} is {}", agent.name,
                                         left.value(), total_of(replica.find(left)), right.value(),
                                         total_of(replica.find(right))));
    const std::int64_t shown_left = total_of(agent.core->view(left));
    const std::int64_t shown_right = total_of(agent.core->view(right));
    if (shown_left != shown_right)
      truth_.found("groups", fmt::format("{} shows half a group: {} is {}, {} is {}", agent.name,
                                         left.value(), shown_left, right.value(), shown_right));
  }
}

// ---- views -------------------------------------------------------------------------------------

void ViewChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  // An empty disk has nothing that could be counted twice or missed.
  viewers_[agent.name] = {recovered.outbox.empty() && !recovered.cursor.epoch &&
                              truth_.ledger.of_agent(agent.id).empty(),
                          {}};
}

void ViewChecker::on_restore() {
  for (auto& [name, viewer] : viewers_) viewer.settled = false;
}

void ViewChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  const auto* settled = std::get_if<WriteSettled>(&delivery);
  if (settled == nullptr || settled->outcome.code == Code::kCommitted) return;
  viewers_[agent.name].settled = false;
}

void ViewChecker::on_turn(const AgentSeen& agent) {
  Viewer& viewer = viewers_[agent.name];
  const Agent& core = *agent.core;
  const Key key = own_counter(agent.id);
  const Epoch epoch = core.replica().cursor().epoch;
  if (!agent.told || (epoch && epoch != truth_.history->epoch())) return;
  if (!viewer.settled) {
    if (!core.caught_up() || !core.outbox().empty() ||
        core.replica().cursor().revision != truth_.history->head())
      return;
    viewer.settled = true;
  }
  const std::int64_t shown = total_of(core.view(key));
  const std::optional<std::int64_t> expected = own_total(truth_, agent, key);
  if (!expected || shown == *expected) return;
  truth_.found("views", fmt::format("{} shows {} = {}, its own writes make {}", agent.name,
                                    key.value(), shown, *expected));
  viewer.settled = false;
}

}  // namespace waggle::sim
