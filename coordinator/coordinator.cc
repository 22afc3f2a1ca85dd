#include "coordinator/coordinator.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace waggle {
namespace {

constexpr std::int64_t kSweepMillis = 1'000;
constexpr std::int64_t kLateMillis = 250;
constexpr std::int64_t kIdleSweepMillis = 60'000;
constexpr std::int64_t kNoSessionMillis = 200;  // at most one such answer a peer in that time
constexpr std::size_t kNoSessionPeers = 4'096;
constexpr std::size_t kGroupBytesMax = std::size_t{8} << 20;
constexpr std::uint64_t kHlcReserveMillis = 10'000;

// Bytes of an update that joins commits, in which each key comes once. The keys outlive it.
class JoinedSize {
 public:
  void add(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      const std::size_t size = wire_size(change.key, *change.record);
      std::size_t& counted = by_key_[change.key.value()];
      if (size <= counted) continue;
      bytes_ += size - counted;
      counted = size;
    }
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
  std::unordered_map<std::string_view, std::size_t> by_key_;
};

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, CoordinatorState recovered)
    : options_(std::move(options)),
      random_(options_.seed),
      start_(random_.id<StartId>()),
      store_(recovered.store),
      sessions_(options_.beat),
      allowances_(options_.limits),
      rounds_(options_.policies),
      hlc_(recovered.store.hlc_bound) {
  access_ = options_.access;
  const bool begins = !store_.epoch || options_.new_epoch;
  if (begins) begin_epoch(store_, recovered.swarms, random_.id<Epoch>());
  store_dirty_ = begins;
  for (SwarmRow& row : recovered.swarms) {
    const SwarmId id = row.swarm;
    Swarm& swarm = *swarms_.emplace(id, std::make_unique<Swarm>(std::move(row))).first->second;
    swarm.open_to_all = open_to_all(id);
    swarm.row_dirty = begins;
    if (options_.limits.keys > 0) swarm.state.count_owners();
  }
  const auto swarm_of = [&](const SwarmId& id) -> Swarm& {
    Swarm* swarm = find(id);
    WAGGLE_CHECK(swarm != nullptr, "a stored row of swarm '" + id.value() + "', which has no row");
    return *swarm;
  };
  for (RecordRow& row : recovered.records)
    swarm_of(row.swarm).state.restore(row.key, std::move(row.record));
  for (const WriterRow& row : recovered.writers) swarm_of(row.swarm).writers.restore(row);
  for (const OutcomeRow& row : recovered.outcomes) swarm_of(row.swarm).writers.restore(row);
  for (ConflictRow& row : recovered.conflicts)
    swarm_of(row.swarm).inbox.restore(*std::move(row.conflict));
  // The oldest of all keys is the first to go.
  std::ranges::stable_sort(recovered.history, {}, &HistoryRow::version);
  for (const HistoryRow& row : recovered.history)
    swarm_of(row.swarm).history.restore(row, history_kept(row.key));
}

Coordinator::~Coordinator() = default;

const SwarmState* Coordinator::swarm(const SwarmId& id) const {
  const auto found = swarms_.find(id);
  return found == swarms_.end() ? nullptr : &found->second->state;
}

const EphemeralKeys* Coordinator::ephemeral(const SwarmId& id) const {
  const auto found = swarms_.find(id);
  return found == swarms_.end() ? nullptr : &found->second->ephemeral;
}

const Claims* Coordinator::claims(const SwarmId& id) const {
  const auto found = swarms_.find(id);
  return found == swarms_.end() ? nullptr : &found->second->claims;
}

std::vector<SwarmId> Coordinator::swarms() const {
  std::vector<SwarmId> ids;
  for (const auto& [id, swarm] : swarms_) ids.push_back(id);
  return ids;
}

void Coordinator::check_invariants() const {
  for (const auto& [id, swarm] : swarms_) {
    swarm->state.check_invariants();
    swarm->ephemeral.check_invariants();
    swarm->claims.check_invariants();
    swarm->tasks.queue.check_invariants();
  }
}

// ---- one step ----------------------------------------------------------------------------------

void Coordinator::step(const Event& event, const Now& now, Actions& actions) {
  now_ = now;
  actions_ = &actions;
  if (!std::exchange(started_, true)) {
    started_at_ = now.monotonic;
    next_sweep_ = now.monotonic + Millis{kSweepMillis};
    for (auto& [id, swarm] : swarms_) {
      open_channel(*swarm);
      restore_claims(*swarm);
      restore_proposals(*swarm);
      restore_tasks(*swarm);
    }
  }
  // This process stood still, or had no turn: of that time nobody's claim is charged.
  if (expected_wake_ != Instant::never() && now.monotonic - expected_wake_ > Millis{kLateMillis})
    for (auto& [id, swarm] : swarms_) {
      swarm->claims.give_time(now.monotonic - stepped_);
      swarm->tasks.queue.line().give_time(now.monotonic - stepped_);
    }
  stepped_ = now.monotonic;
  if (const auto* received = std::get_if<Received>(&event)) {
    on_received(*received);
  } else if (const auto* subscribed = std::get_if<Subscribed>(&event)) {
    on_subscribed(*subscribed);
  } else if (const auto* opened = std::get_if<ChannelOpened>(&event)) {
    on_channel(*opened);
  } else if (const auto* failed = std::get_if<ChannelFailed>(&event)) {
    on_channel_failed(*failed);
  } else if (const auto* lost = std::get_if<PeerLost>(&event)) {
    if (Session* session = sessions_.by_peer(lost->peer)) {
      count("peers_lost");
      sessions_.close(session->id);
    }
  } else if (const auto* malformed = std::get_if<Malformed>(&event)) {
    on_malformed(*malformed);
  } else if (const auto* ended = std::get_if<IdentityEnded>(&event)) {
    on_identity_ended(*ended->who);
  } else if (const auto* changed = std::get_if<AccessChanged>(&event)) {
    on_access_changed(*changed);
  } else if (const auto* space = std::get_if<SpaceChanged>(&event)) {
    writable_ = space->writable;
    not_writable_text_ = space->text;
  } else if (const auto* measured = std::get_if<Measured>(&event)) {
    measured_ = measured->counters;
  } else if (std::holds_alternative<Tick>(event)) {
    on_tick();
  }
  actions_ = nullptr;
}

bool Coordinator::full() const {
  return group_bytes_ > kGroupBytesMax;
}

void Coordinator::finish(const Now& now, Actions& actions) {
  now_ = now;
  actions_ = &actions;
  const auto before_rounds = static_cast<std::ptrdiff_t>(actions.send.size());
  conclude_rounds();
  const auto after_rounds = static_cast<std::ptrdiff_t>(actions.send.size());
  end_what_sessions_held();
  std::vector<Row>& rows = actions.persist.rows;
  for (auto& [id, swarm] : swarms_) {
    const std::size_t before = rows.size();
    const std::vector<Applied> applied = swarm->writers.take_advanced(rows);
    if (rows.size() != before || !swarm->told.empty() || std::exchange(swarm->row_dirty, false)) {
      swarm->row_dirty = false;
      rows.emplace_back(swarm->state.stored_row());
    }
    publish(*swarm, applied);
    publish_ephemeral(*swarm);
    // After the updates, so that it speaks of the state that they lead to.
    if (sessions_.size() > 0 && now_.monotonic >= swarm->next_heartbeat) beat(*swarm);
  }
  // One broadcast tells everybody the new state: it goes before the many results of a round.
  std::rotate(actions.send.begin() + before_rounds, actions.send.begin() + after_rounds,
              actions.send.end());
  // After the updates too: a member that reads the request holds what it asks about.
  ask_rounds();
  if (!rows.empty() || store_dirty_) {
    if (store_dirty_ || hlc_.last() > store_.hlc_bound) {
      store_.hlc_bound =
          std::max(store_.hlc_bound, Hlc::of(hlc_.last().millis() + kHlcReserveMillis, 0));
      rows.insert(rows.begin(), store_);
      store_dirty_ = false;
    }
    actions.persist.sync = true;
  }
  for (auto& [session, waiting] : results_) send_results(session, waiting);
  results_.clear();
  group_bytes_ = 0;

  Instant wake = sessions_.size() > 0 ? next_sweep_ : next_sweep_ + Millis{kIdleSweepMillis};
  wake = std::min(wake, rounds_.next_wake());
  for (const auto& [id, swarm] : swarms_) {
    if (sessions_.size() > 0) wake = std::min(wake, swarm->next_heartbeat);
    if (!writable_) continue;
    wake = std::min({wake, swarm->claims.next_wake(), swarm->tasks.queue.next_wake()});
    for (const auto& [name, open] : swarm->proposals) wake = std::min(wake, open.closes);
  }
  expected_wake_ = wake;
  actions.wake_at = wake;
  actions_ = nullptr;
}

// One result for all outcomes of a session, cut where it grows too large for a frame: a conflict's
// outcome carries the record that stands.
void Coordinator::send_results(SessionId session, Waiting& waiting) {
  SubmitResult result;
  std::size_t bytes = 0;
  const auto flush = [&] {
    result.session = session;
    result.epoch = store_.epoch;
    send(waiting.peer, make_message(std::exchange(result, {})));
    bytes = 0;
  };
  for (MutationResult& one : waiting.results) {
    const std::size_t size = wire_size(one.outcome);
    if (!result.results.empty() && bytes + size > limits::kResultBytes) flush();
    bytes += size;
    result.results.push_back(std::move(one));
  }
  if (!result.results.empty()) flush();
}

// One update for all commits of the group, cut between commits when it grows too large. Rounds and
// clears go alone, so that the update can name them.
void Coordinator::publish(Swarm& swarm, const std::vector<Applied>& applied) {
  if (swarm.told.empty()) {
    swarm.served.clear();
    return;
  }
  const auto alone = [&](std::size_t i) { return swarm.told[i].round || swarm.told[i].cleared; };
  std::size_t first = 0;
  JoinedSize joined;
  for (std::size_t i = 0; i < swarm.told.size(); ++i) {
    joined.add(swarm.told[i].changes);
    const bool full = joined.bytes() > limits::kUpdateBytes;
    const bool served = swarm.served.contains(Revision(swarm.told[i].revision.value() - 1));
    if (i > first && (alone(i) || alone(i - 1) || served || full)) {
      // Safety: a reader that stops at this update must know which of its own writes are in it, and
      // must not be told of one that comes only in the next.
      std::map<std::pair<AgentId, Incarnation>, Seq> through;
      for (std::size_t n = first; n < i; ++n) {
        const Applied& by = swarm.told[n].by;
        if (by.seq_through) through[{by.agent, by.incarnation}] = by.seq_through;
      }
      std::vector<Applied> within;
      for (const auto& [who, seq] : through) within.push_back({who.first, who.second, seq});
      publish_run(swarm, first, i, std::move(within));
      first = i;
      joined = {};
      joined.add(swarm.told[i].changes);
    }
  }
  publish_run(swarm, first, swarm.told.size(), applied);
  swarm.told.clear();
  swarm.served.clear();
}

void Coordinator::publish_run(Swarm& swarm, std::size_t first, std::size_t last,
                              std::vector<Applied> applied) {
  StateUpdate update;
  update.swarm = swarm.state.id();
  update.start = start_;
  update.broadcast = swarm.broadcast = swarm.broadcast.next();
  update.epoch = store_.epoch;
  update.from = Revision(swarm.told[first].revision.value() - 1);
  update.to = swarm.told[last - 1].revision;
  update.round = swarm.told[first].round;
  update.cleared = swarm.told[first].cleared;
  update.applied = std::move(applied);
  if (last - first == 1) {
    update.changes = std::move(swarm.told[first].changes);
  } else {
    // Each key once, at its latest.
    std::map<Key, RecordPtr> latest;
    for (std::size_t i = first; i < last; ++i)
      for (Change& change : swarm.told[i].changes)
        latest.insert_or_assign(std::move(change.key), std::move(change.record));
    update.changes.reserve(latest.size());
    for (auto& [key, record] : latest) update.changes.push_back({key, std::move(record)});
  }
  update.elided = keep_readable(*swarm.open_to_all, update.changes);
  for (Change& change : update.changes)
    change.base = swarm.state.held_at(change.key, update.from, *change.record);
  choose_packing(update.changes);
  actions_->send.emplace_back(Broadcast{update.swarm, make_message(std::move(update))});
}

void Coordinator::choose_packing(std::vector<Change>& changes) const {
  if (!options_.policies.choose_packing()) return;
  for (Change& change : changes) change.packing = options_.policies.of(change.key.value()).packing;
}

void Coordinator::beat(Swarm& swarm) {
  swarm.next_heartbeat = now_.monotonic + Millis{options_.beat.interval_millis};
  if (!std::any_of(sessions_.all().begin(), sessions_.all().end(), [&](const auto& entry) {
        return entry.second.swarm == swarm.state.id() && entry.second.role != Role::kClient;
      }))
    return;
  Heartbeat heartbeat;
  heartbeat.swarm = swarm.state.id();
  heartbeat.start = start_;
  heartbeat.broadcast = swarm.broadcast = swarm.broadcast.next();
  heartbeat.epoch = store_.epoch;
  heartbeat.head = swarm.state.head();
  heartbeat.digest = swarm.state.digest();
  heartbeat.ephemeral = swarm.ephemeral.at();
  actions_->send.emplace_back(Broadcast{swarm.state.id(), make_message(heartbeat)});
}

void Coordinator::on_tick() {
  // After this process itself stood still nobody is to blame for the silence.
  if (expected_wake_ != Instant::never() &&
      now_.monotonic - expected_wake_ > Millis{options_.beat.interval_millis}) {
    count("stalls");
    sessions_.refresh_all(now_.monotonic);
  }
  for (auto& [id, swarm] : swarms_) {
    tend_claims(*swarm);
    tend_proposals(*swarm);
    tend_tasks(*swarm);
  }
  if (now_.monotonic < next_sweep_) return;
  next_sweep_ = now_.monotonic + Millis{kSweepMillis};
  for (const SessionId id : sessions_.expired(now_.monotonic)) {
    count("leases_expired");
    sessions_.close(id);
  }
  std::erase_if(told_no_session_, [&](const auto& entry) {
    return now_.monotonic - entry.second > Millis{kNoSessionMillis};
  });
  allowances_.forget(now_.monotonic);
  rounds_.forget_decided(now_.monotonic);
  for (auto& [id, swarm] : swarms_) {
    forget_old(*swarm);
    swarm->ephemeral.expire(now_.monotonic, now_.wall_millis);
    if (writable_) {
      age_conflicts(*swarm);
      expire_keys(*swarm);
    }
    if (swarm->channel.empty() && !swarm->channel_asked) open_channel(*swarm);
  }
}

// ---- routing -----------------------------------------------------------------------------------

void Coordinator::on_received(const Received& received) {
  const Message& message = *received.message;
  if (const auto* hello = std::get_if<Hello>(&message)) {
    if (admits_stranger(received)) on_hello(received, *hello);
    return;
  }
  SessionId named;
  std::visit(
      [&](const auto& m) {
        if constexpr (requires { m.session; }) named = m.session;
      },
      message);
  Session* session = sessions_.of(received.peer, received.who, named);
  if (session == nullptr) {
    if (admits_stranger(received)) no_session(received.peer, named);
    return;
  }
  session->heard = now_.monotonic;
  const std::optional<Admitted> admitted = admits(*session, received);
  if (!admitted) return;
  if (const auto* submit = std::get_if<Submit>(&message)) {
    on_submit(*session, *submit, *admitted);
  } else if (const auto* beat = std::get_if<AgentHeartbeat>(&message)) {
    on_heartbeat(*session, *beat);
  } else if (const auto* delta = std::get_if<DeltaRequest>(&message)) {
    on_delta_request(*session, *delta);
  } else if (const auto* response = std::get_if<StateResponse>(&message)) {
    on_state_response(*session, *response);
  } else if (const auto* query = std::get_if<Query>(&message)) {
    on_query(*session, *query);
  } else if (const auto* sync = std::get_if<SyncRequest>(&message)) {
    on_sync_request(*session, *sync);
  } else if (const auto* compact = std::get_if<CompactRequest>(&message)) {
    on_compact(*session, *compact);
  } else if (const auto* ephemeral = std::get_if<EphemeralWrite>(&message)) {
    on_ephemeral_write(*session, *ephemeral);
  } else if (const auto* all = std::get_if<EphemeralRequest>(&message)) {
    on_ephemeral_request(*session, *all);
  } else if (const auto* claim = std::get_if<ClaimRequest>(&message)) {
    on_claim_request(*session, *claim);
  } else if (std::holds_alternative<Bye>(message)) {
    session->left = true;
    sessions_.close(session->id);
  } else {
    count("ignored_wrong_direction");
    send_error(*session, {}, Code::kRejected,
               fmt::format("a {} is sent by a coordinator, not to one", name_of(message)));
  }
}

void Coordinator::send(const PeerId& peer, MessagePtr message) {
  actions_->send.emplace_back(SendTo{peer, std::move(message)});
}

void Coordinator::send_error(const Session& session, RequestId request, Code code,
                             std::string text) {
  send(session.peer, make_message(ErrorReply{session.id, request, code, std::move(text)}));
}

void Coordinator::no_session(const PeerId& peer, SessionId session) {
  count("no_session");
  if (told_no_session_.size() >= kNoSessionPeers) return;
  const auto [told, fresh] = told_no_session_.try_emplace(peer, now_.monotonic);
  if (!fresh) {
    if (now_.monotonic - told->second < Millis{kNoSessionMillis}) return;
    told->second = now_.monotonic;
  }
  send(peer, make_message(NoSession{session}));
}

void Coordinator::on_malformed(const Malformed& malformed) {
  count("malformed_frames");
  const Session* session = sessions_.by_peer(malformed.peer);
  const Sender sender = session != nullptr && session->sender.counted()
                            ? session->sender
                            : Sender::of_stranger(malformed.peer);
  if (!allowances_.owe(sender, {.messages = 1}, now_.monotonic)) {
    ignore(sender, malformed.peer, session);
    return;
  }
  if (told_no_session_.size() >= kNoSessionPeers) return;
  const auto [told, fresh] = told_no_session_.try_emplace(malformed.peer, now_.monotonic);
  if (!fresh) return;
  ErrorReply reply;
  if (session != nullptr) reply.session = session->id;
  reply.code = malformed.error.code;
  reply.text = malformed.error.text;
  // A peer of another version knows at least how to read a refusal of its hello.
  if (session == nullptr && malformed.error.code == Code::kUnsupported) {
    refuse(malformed.peer, malformed.error.code, malformed.error.text);
    return;
  }
  send(malformed.peer, make_message(std::move(reply)));
}

}  // namespace waggle
