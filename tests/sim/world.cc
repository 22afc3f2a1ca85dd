#include "tests/sim/world.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "tests/sim/workload.h"

namespace waggle::sim {
namespace {

const SwarmId kSwarm("hive");
constexpr std::size_t kBackups = 3;
constexpr std::uint64_t kInvariantsEvery = 16;

AgentLimits limits_of(const Plan& plan) {
  AgentLimits limits;
  if (plan.flood) {
    limits.messages = 2'000;
    limits.burst_millis = 200;
  } else if (plan.tight_limits) {
    limits.messages = 60;
    limits.writes = 30;
    limits.bytes = 60'000;
    limits.burst_millis = 1'000;
    limits.rounds = 2;
    limits.keys = 25;
  }
  return limits;
}

}  // namespace

World::World(const Plan& plan, bool told, std::unique_ptr<Saboteur> saboteur)
    : plan_(plan),
      random_(plan.seed * 2),
      story_(told),
      truth_{timeline_, story_, {}, {}, nullptr, 0, plan.tight_limits},
      saboteur_(std::move(saboteur)) {
  truth_.history = std::make_unique<History>(empty_history());
  checkers_ = all_checkers(truth_);
  network_ = std::make_unique<SimNetwork>(
      timeline_, random_, story_, plan_,
      [this](Event event) { coordinator_machine_->arrive(std::move(event)); },
      [this](std::size_t peer, Event event) {
        if (flooder_ && peer == flooder_peer_) {
          if (const auto* received = std::get_if<Received>(&event))
            flooder_->arrive(*received->message);
          return;
        }
        if (peer == writer_peer_ || peer == compactor_peer_) {
          if (const auto* received = std::get_if<Received>(&event))
            (peer == writer_peer_ ? writer_ : compactor_)->arrive(*received->message);
          return;
        }
        if (peer == twin_peer_) {
          on_twin(event);
          return;
        }
        for (const auto& node : agents_)
          if (node->peer == peer) node->machine->arrive(std::move(event));
      });
  coordinator_machine_ = std::make_unique<Machine>(
      std::string(kCoordinatorMachine), timeline_, random_,
      [this](const Batch& batch) { on_coordinator_batch(batch); },
      Machine::Wiring{[this](const Send& send) { send_of_coordinator(send); },
                      [](const Delivery&) {},
                      [this] {
                        if (++coordinator_turns_ % kInvariantsEvery == 0)
                          coordinator_->check_invariants();
                      },
                      [this] {
                        story_.count("coordinator stopped by a failed sync");
                        stop_coordinator(true);
                        timeline_.after(random_.between(1, 2'000), [this] {
                          if (!coordinator_machine_->running()) start_coordinator();
                        });
                      }},
      saboteur_.get());
  coordinator_machine_->habits().lies = saboteur_ && saboteur_->disk_lies();
  for (std::size_t n = 0; n < plan_.agents; ++n) {
    auto node = std::make_unique<AgentNode>();
    const std::string name = fmt::format("a{}", n + 1);
    node->id = AgentId(name);
    node->peer = network_->add_peer(name);
    node->machine = std::make_unique<Machine>(
        name, timeline_, random_,
        [this, n](const Batch& batch) {
          WAGGLE_CHECK(plan_.stores(n) || batch.rows.empty(),
                       "an agent without a data directory made rows");
          for (const Row& row : batch.rows)
            if (const auto* outbox = std::get_if<OutboxRow>(&row); outbox && outbox->mutation)
              truth_.ledger.stored(agents_[n]->id, *outbox->mutation);
        },
        Machine::Wiring{[this, n](const Send& send) { send_of_agent(n, send); },
                        [this, n](const Delivery& delivery) { on_delivery(n, delivery); },
                        [this, n] { on_agent_turn(n); },
                        [this, n] {
                          story_.count("agents stopped by a failed sync");
                          stop_agent(n, true);
                          timeline_.after(random_.between(1, 2'000), [this, n] {
                            if (!agents_[n]->machine->running()) start_agent(n);
                          });
                        }},
        saboteur_.get());
    agents_.push_back(std::move(node));
  }
  SimJournal::Habits& dying = (plan_.dying_is_agent ? machine(0) : *coordinator_machine_).habits();
  dying.dies_at = plan_.dies_at_batch;
  dying.dying_stays = plan_.dying_batch_stays;
  writer_peer_ = network_->add_peer("writer");
  compactor_peer_ = network_->add_peer("compactor");
  twin_peer_ = network_->add_peer("twin");
  writer_ = std::make_unique<SimClient>(
      timeline_, random_,
      [this](MessagePtr message) { network_->send_up(writer_peer_, std::move(message)); },
      "~client-writer");
  compactor_ = std::make_unique<SimClient>(
      timeline_, random_,
      [this](MessagePtr message) { network_->send_up(compactor_peer_, std::move(message)); },
      "~client-compactor");
  if (!plan_.flood) return;
  flooder_peer_ = network_->add_peer(kFlooderName);
  flooder_ = std::make_unique<Flooder>(timeline_, plan_.seed, [this](MessagePtr message) {
    network_->send_up(flooder_peer_, std::move(message));
  });
}

World::~World() = default;

History World::empty_history() {
  return {truth_.chronicle, truth_.ledger,
          [this](CheckerName checker, std::string text) { truth_.found(checker, std::move(text)); },
          timeline_};
}

// ---- the coordinator ---------------------------------------------------------------------------

void World::start_coordinator() {
  Result<CoordinatorState> state = coordinator_machine_->store().durable().load_coordinator();
  WAGGLE_CHECK(state.has_value(), state.error().text);
  if (saboteur_) saboteur_->recover(*state);
  std::vector<ParkedConflict> waiting;
  for (const ConflictRow& row : state->conflicts) waiting.push_back(*row.conflict);
  if (waiting != truth_.history->waiting())
    truth_.found("parked", fmt::format("{} conflicts were recovered, {} waited", waiting.size(),
                                       truth_.history->waiting().size()));
  CoordinatorOptions options;
  options.seed = random_.next();
  options.policies = policies_of_the_world();
  options.beat.interval_millis = plan_.beat_millis;
  options.round_timeout_millis = 3'000;
  options.tombstones_max = plan_.tombstones_max;
  options.version = "sim";
  options.new_epoch = new_epoch_due_;
  if (plan_.hidden) options.access = access_of_the_world();
  options.limits = limits_of(plan_);
  auto core = std::make_unique<Coordinator>(std::move(options), *std::move(state));
  coordinator_ = core.get();
  story_.note(now(), 20, 0, [&] {
    return fmt::format("* coordinator starts at head {}{}", truth_.history->head().value(),
                       new_epoch_due_ ? " with a new epoch" : "");
  });
  compare_with_truth();
  coordinator_machine_->clock().boot(random_.between(0, 1'000'000),
                                     plan_.clocks ? random_.between(-200, 200) : 0);
  coordinator_machine_->start(std::move(core));
  network_->coordinator_came_up();
}

void World::stop_coordinator(bool power) {
  story_.note(now(), 21, power, [&] { return std::string("* coordinator dies"); });
  coordinator_ = nullptr;
  coordinator_machine_->stop(power);
  network_->coordinator_went_down();
}

// So that a summary shows that the strategies were at work.
void World::count_choices(const Batch& batch, Revision head) {
  for (const Row& row : batch.rows) {
    if (const auto* conflict = std::get_if<ConflictRow>(&row); conflict && conflict->conflict)
      story_.count("writes parked");
    const auto* record = std::get_if<RecordRow>(&row);
    if (record == nullptr || record->record->version <= head) continue;
    const Metadata& metadata = record->record->metadata;
    if (metadata.contains("amends")) story_.count("rounds amended");
    if (metadata.contains("settled")) story_.count("conflicts settled with a value");
    if (metadata.contains("merged_from")) story_.count("writes merged");
    if (metadata.contains("expired_after_ms")) story_.count("keys expired");
  }
}

void World::on_coordinator_batch(const Batch& batch) {
  for (const Row& row : batch.rows)
    if (const auto* record = std::get_if<RecordRow>(&row);
        record != nullptr &&
        (record->key.value().starts_with("here/") || record->key.value().starts_with("soon/")))
      truth_.found("ephemeral", fmt::format("{} is on disk", record->key.value()));
  for (const Row& row : batch.rows)
    if (const auto* store = std::get_if<StoreRow>(&row);
        store && store->epoch != truth_.history->epoch())
      new_epoch_due_ = false;
  const Revision before = truth_.history->cleared_before(truth_.history->head());
  count_choices(batch, truth_.history->head());
  truth_.history->take(batch);
  if (truth_.history->cleared_before(truth_.history->head()) > before) story_.count("clears");
}

void World::back_up() {
  if (backups_.size() == kBackups)
    backups_.erase(backups_.begin() + static_cast<std::ptrdiff_t>(random_.below(kBackups)));
  backups_.push_back({coordinator_machine_->store().durable(), *truth_.history});
}

bool World::restore() {
  if (backups_.empty()) return false;
  const std::size_t chosen = random_.below(backups_.size());
  const Backup& backup = backups_[chosen];
  story_.note(now(), 22, backup.history.head().value(), [&] {
    return fmt::format("* coordinator is restored from head {} to {}",
                       truth_.history->head().value(), backup.history.head().value());
  });
  coordinator_machine_->store().replace(backup.table);
  *truth_.history = backup.history;
  // Later ones are of a history that is given up now. To come back to it after agents gave their
  // writes new numbers is more than exactly-once can promise.
  backups_.erase(backups_.begin() + static_cast<std::ptrdiff_t>(chosen + 1), backups_.end());
  new_epoch_due_ = true;
  given_up();
  return true;
}

void World::lose_coordinator_data() {
  story_.note(now(), 28, truth_.history->head().value(), [&] {
    return fmt::format("* coordinator loses its data at head {}", truth_.history->head().value());
  });
  coordinator_machine_->store().wipe();
  *truth_.history = empty_history();
  // Of the history that is given up now, see restore().
  backups_.clear();
  new_epoch_due_ = false;  // an empty store begins one by itself
  given_up();
}

// The history goes on from somewhere else than where it was.
void World::given_up() {
  ++truth_.restores;
  for (const auto& checker : checkers_) checker->on_restore();
}

const SwarmState* World::swarm() const {
  return coordinator_ ? coordinator_->swarm(kSwarm) : nullptr;
}

// What was recovered is what the disk held for certain.
void World::compare_with_truth() {
  const SwarmState* state = swarm();
  const History& history = *truth_.history;
  if (state == nullptr) {
    if (history.head()) truth_.found("recovery", "the swarm is gone");
    return;
  }
  state->check_invariants();
  for (const auto& [key, record] : history.records())
    if (record->value) check_invariants(*record->value);
  if (state->head() != history.head() || state->digest() != history.digest() ||
      state->floor() != history.floor())
    truth_.found("recovery", fmt::format("recovered head {} and floor {}, expected {} and {}",
                                         state->head().value(), state->floor().value(),
                                         history.head().value(), history.floor().value()));
}

void World::send_of_coordinator(const Send& send) {
  for (const auto& checker : checkers_) checker->on_send(send);
  if (const auto* to = std::get_if<SendTo>(&send)) {
    network_->send_down(to->peer, to->message);
  } else if (const auto* broadcast = std::get_if<Broadcast>(&send)) {
    network_->broadcast(broadcast->message);
  } else if (const auto* channel = std::get_if<OpenChannel>(&send)) {
    network_->open_channel(*channel);
  } else if (const auto* ignored = std::get_if<IgnorePeer>(&send)) {
    network_->ignore(ignored->peer, ignored->millis);
  }
}

// ---- agents ------------------------------------------------------------------------------------

AgentSeen World::seen(std::size_t n) const {
  const AgentNode& node = *agents_[n];
  return {node.machine->name(),
          node.id,
          node.machine->life(),
          node.core,
          node.machine->running() && !node.machine->host().waiting_for_journal(),
          plan_.observes(n),
          plan_.blind(n)};
}

void World::start_agent(std::size_t n) {
  AgentNode& node = *agents_[n];
  AgentState state = node.machine->store().durable().load_agent();
  AgentOptions options;
  options.seed = random_.next();
  options.swarm = kSwarm;
  options.agent = node.id;
  if (plan_.observes(n)) options.role = Role::kObserver;
  options.stored = plan_.stores(n);
  options.chunk_bytes = plan_.chunk_bytes;
  story_.note(now(), 23, n, [&] {
    return fmt::format("* {} starts at {} with {} writes", node.machine->name(),
                       to_text(state.cursor), state.outbox.size());
  });
  const AgentState recovered = state;
  auto core = std::make_unique<Agent>(std::move(options), std::move(state));
  node.core = core.get();
  node.requests = 0;
  node.started_at = now();
  node.heard.clear();
  node.machine->clock().boot(random_.between(0, 1'000'000),
                             plan_.clocks ? random_.between(-200, 200) : 0);
  node.machine->start(std::move(core));
  for (const auto& checker : checkers_) checker->on_start(seen(n), recovered);
}

void World::stop_agent(std::size_t n, bool power) {
  AgentNode& node = *agents_[n];
  story_.note(now(), 24, n, [&] { return fmt::format("* {} dies", node.machine->name()); });
  for (const auto& checker : checkers_) checker->on_stop(seen(n));
  node.core = nullptr;
  node.machine->stop(power);
  network_->peer_went_down(node.peer);
  // What is not on the disk now waits for no answer any more: it never was there, or its answer
  // took it away and nobody was told.
  std::set<std::string> waiting;
  for (const OutboxRow& row : node.machine->store().durable().load_agent().outbox)
    waiting.insert(row.mutation->entries.front().metadata.at(kIdName));
  for (Deed* deed : truth_.ledger.of_agent(node.id))
    if (!waiting.contains(deed->id) && !deed->settled && !deed->vanished) {
      deed->vanished = true;
      if (deed->queued) story_.count("answers that died with their process");
    }
}

void World::lose_data(std::size_t n) {
  AgentNode& node = *agents_[n];
  story_.note(now(), 25, n,
              [&] { return fmt::format("* {} loses its data", node.machine->name()); });
  node.machine->store().wipe();
  for (Deed* deed : truth_.ledger.of_agent(node.id))
    if (!deed->settled) deed->vanished = true;
}

void World::send_of_agent(std::size_t n, const Send& send) {
  const std::size_t peer = agents_[n]->peer;
  if (const auto* up = std::get_if<SendUp>(&send)) {
    // No disk tells the numbers of these: the frame does.
    if (const auto* submit = std::get_if<Submit>(up->message.get()); submit && !plan_.stores(n))
      for (const Mutation& mutation : submit->mutations)
        truth_.ledger.stored(agents_[n]->id, mutation);
    network_->send_up(peer, up->message);
  } else if (const auto* join = std::get_if<JoinChannel>(&send)) {
    network_->join_channel(peer, *join);
  } else if (std::holds_alternative<LeaveChannel>(send)) {
    network_->leave_channel(peer);
  } else if (std::holds_alternative<Redial>(send)) {
    story_.count("redials");
    network_->reconnect(peer);
  }
}

void World::on_delivery(std::size_t n, const Delivery& delivery) {
  story_.note(now(), 26, n, [&] {
    return fmt::format("      {}: {}", agents_[n]->machine->name(), describe(delivery));
  });
  // One that was never sent is in no frame either.
  const auto numbered = [&](const auto& told) {
    if (!plan_.stores(n))
      truth_.ledger.numbered({agents_[n]->id, told.incarnation, told.seq},
                             agents_[n]->machine->life(), told.request);
  };
  if (const auto* queued = std::get_if<WriteQueued>(&delivery)) numbered(*queued);
  if (const auto* settled = std::get_if<WriteSettled>(&delivery)) numbered(*settled);
  if (std::holds_alternative<WritesLost>(delivery)) story_.count("restores told to writers");
  const auto* link = std::get_if<LinkChanged>(&delivery);
  if (link != nullptr && link->link == Link::kEnded && link->code == Code::kDenied)
    start_again_later(n);
  for (const auto& checker : checkers_) checker->on_delivery(seen(n), delivery);
  if (keeps_heard_) agents_[n]->heard.push_back(delivery);
}

void World::on_agent_turn(std::size_t n) {
  for (const auto& checker : checkers_) checker->on_turn(seen(n));
}

RequestId World::command(std::size_t n, Command command) {
  AgentNode& node = *agents_[n];
  if (!node.machine->running()) return {};
  const RequestId request(++node.requests);
  std::visit(
      [&](auto& c) {
        if constexpr (requires { c.request; }) c.request = request;
      },
      command);
  if (auto* write = std::get_if<WriteCommand>(&command))
    truth_.ledger.write(node.id, node.machine->life(), request, write->entries);
  if (auto* update = std::get_if<UpdateCommand>(&command))
    update->make = [this, &node, request, life = node.machine->life(),
                    make = std::move(update->make)](const Record* standing) {
      Result<std::vector<Entry>> entries = make(standing);
      if (entries) truth_.ledger.write(node.id, life, request, *entries);
      return entries;
    };
  for (const auto& checker : checkers_) checker->on_command(seen(n), command);
  node.machine->post(std::move(command));
  return request;
}

void World::cut(std::size_t n, Leg leg, bool is_cut) {
  network_->cut(agents_[n]->peer, leg, is_cut);
  if (leg != Leg::kDown) return;
  std::int64_t& since = agents_[n]->deaf_since;
  if (!is_cut) since = -1;
  if (!is_cut || since >= 0) return;
  since = now();
  constexpr std::int64_t kSilentBeats = 3;   // of agent/agent.cc, and one until it looks
  constexpr std::int64_t kOnItsWay = 3'500;  // doubled and reordered frames, at most so late
  const std::int64_t notices =
      (kSilentBeats + 1) * plan_.beat_millis + plan_.down.late_millis + kOnItsWay;
  timeline_.after(notices, [this, n, began = since] {
    const AgentNode& node = *agents_[n];
    if (node.deaf_since != began || node.started_at > began || !node.machine->running()) return;
    story_.count("agents that must have noticed that they are deaf");
    for (const auto& checker : checkers_) checker->on_deaf(seen(n), now() - began);
  });
}

void World::say_hello_as(std::size_t n, bool same_token) {
  const AgentNode& node = *agents_[n];
  const AgentState disk = node.machine->store().durable().load_agent();
  Hello hello;
  hello.swarm = kSwarm;
  hello.agent = node.id;
  if (plan_.observes(n)) hello.role = Role::kObserver;
  hello.cursor = disk.cursor;
  hello.token = disk.identity.token;
  if (!same_token)
    for (auto& byte : hello.token) byte = static_cast<std::uint8_t>(random_.below(256));
  hello.incarnations = {random_.id<Incarnation>()};
  network_->send_up(twin_peer_, make_message(std::move(hello)));
}

void World::start_again_later(std::size_t n) {
  story_.count("agents fenced by another process");
  timeline_.after(random_.between(1, 2'000), [this, n, life = agents_[n]->machine->life()] {
    if (!agents_[n]->machine->running() || agents_[n]->machine->life() != life) return;
    stop_agent(n, false);
    start_agent(n);
  });
}

void World::on_twin(const Event& event) {
  const auto* received = std::get_if<Received>(&event);
  if (received == nullptr) return;
  if (std::holds_alternative<Welcome>(*received->message)) story_.count("twins welcomed");
  if (std::holds_alternative<Refused>(*received->message)) story_.count("twins refused");
}

// ---- clients -----------------------------------------------------------------------------------

void World::write_by_client(std::vector<Entry> entries) {
  if (!writer_->idle()) return;
  const Deed& deed = truth_.ledger.write(writer_->agent(), 0, {}, entries);
  const std::string id = deed.id;
  client_heard_.reset();
  writer_->write(
      std::move(entries), Hlc::of(static_cast<std::uint64_t>(kWallStart + now()), 0),
      [this](const Mutation& mutation) { truth_.ledger.stored(writer_->agent(), mutation); },
      [this, id](const MutationResult& result) {
        client_heard_ = result;
        Deed* made = truth_.ledger.find(id);
        made->settled = result.outcome;
        const bool ever = truth_.chronicle.ever_committed.contains(id);
        if (result.outcome.code == Code::kCommitted && result.outcome.changed && !ever)
          truth_.found("outcomes", id + " of a client is acknowledged, and not committed");
        if ((result.outcome.code == Code::kConflict || result.outcome.code == Code::kRejected) &&
            truth_.history->committed(id))
          truth_.found("outcomes", id + " of a client is refused, and committed");
      });
}

void World::compact(Revision floor) {
  if (compactor_->idle()) compactor_->compact(floor);
}

// ---- time and the end --------------------------------------------------------------------------

void World::run_for(std::int64_t millis) {
  const std::int64_t until = now() + millis;
  while (timeline_.step(until)) {
  }
}

void World::heal() {
  story_.note(now(), 27, 0, [] { return std::string("* everything is healed"); });
  network_->heal();
  coordinator_machine_->habits() = {.lies = coordinator_machine_->habits().lies};
  for (const auto& node : agents_) {
    node->machine->habits() = {};
    node->deaf_since = -1;
  }
  if (!coordinator_machine_->running()) start_coordinator();
  for (std::size_t n = 0; n < agents_.size(); ++n)
    if (!agents_[n]->machine->running()) start_agent(n);
  coordinator_machine_->post(SpaceChanged{true, {}});
}

std::string World::restless() const {
  if (!coordinator_machine_->running()) return "the coordinator is down";
  const SwarmState* state = swarm();
  if (state == nullptr) return agents_.empty() ? "" : "nobody joined yet";
  if (!writer_->idle()) return "a client waits";
  for (const auto& node : agents_) {
    if (!node->machine->running()) return node->machine->name() + " is down";
    const Agent& agent = *node->core;
    if (agent.link() != Link::kAttached)
      return fmt::format("{} is {}", node->machine->name(), to_text(agent.link()));
    if (!agent.caught_up()) return node->machine->name() + " has not caught up";
    if (!agent.outbox().empty())
      return fmt::format("{} has {} writes to be answered", node->machine->name(),
                         agent.outbox().unanswered());
    if (agent.replica().cursor() != Cursor{coordinator_->epoch(), state->head()})
      return fmt::format("{} is at {}, the head is {}", node->machine->name(),
                         to_text(agent.replica().cursor()), state->head().value());
    if (!agent.claims().idle()) return fmt::format("{} asked about claims", node->machine->name());
    const EphemeralCopy& copy = agent.ephemeral_copy();
    const EphemeralKeys& keys = *coordinator_->ephemeral(state->id());
    if (copy.behind() || copy.at() != keys.at())
      return fmt::format("{} has ephemeral keys of {}, the newest change is {}",
                         node->machine->name(), copy.at().value(), keys.at().value());
    if (!copy.idle())
      return fmt::format("{} has ephemeral writes to be answered", node->machine->name());
  }
  for (const auto& [pattern, claim] : truth_.history->claims().held()) {
    const bool believed = std::ranges::any_of(agents_, [&](const auto& node) {
      const auto own = node->core->claims().held().find(pattern);
      return own != node->core->claims().held().end() && own->second.token == claim.token;
    });
    if (!believed)
      return fmt::format("'{}' is held by {}, who does not know", pattern,
                         claim.holder.agent.value());
  }
  return {};
}

// All show what the coordinator has; a key that does not end by itself is of an agent that is there
// and says it, and nobody believes that its own stands where it does not.
void World::check_ephemeral() {
  if (coordinator_ == nullptr || swarm() == nullptr) return;
  std::map<Key, RecordPtr> keys;
  for (Change& change :
       coordinator_->ephemeral(swarm()->id())->list({}, {}, std::nullopt, SIZE_MAX))
    keys.emplace(change.key, std::move(change.record));
  std::set<Key> said;
  for (const auto& node : agents_) {
    const EphemeralCopy& copy = node->core->ephemeral_copy();
    const bool equal =
        std::ranges::equal(copy.committed(), keys, [](const auto& held, const auto& there) {
          return held.first == there.first && *held.second == *there.second;
        });
    if (!equal)
      truth_.found("ephemeral", fmt::format("{} shows other ephemeral keys than the coordinator",
                                            node->machine->name()));
    for (const Change& own : copy.own()) {
      said.insert(own.key);
      const auto there = keys.find(own.key);
      if (there == keys.end() || there->second->writer != own.record->writer ||
          there->second->value != own.record->value ||
          there->second->metadata != own.record->metadata)
        truth_.found("ephemeral", fmt::format("{} takes its own {} to stand", node->machine->name(),
                                              own.key.value()));
    }
  }
  for (const auto& [key, record] : keys)
    if (!said.contains(key))
      truth_.found("ephemeral", fmt::format("nobody says {} any more", key.value()));
}

void World::check_end() {
  check_ephemeral();
  const SwarmState* state = swarm();
  std::vector<AgentSeen> agents;
  for (std::size_t n = 0; n < agents_.size(); ++n) {
    agents.push_back(seen(n));
    const Replica& replica = agents_[n]->core->replica();
    agents_[n]->core->check_invariants();
    if (state == nullptr) continue;
    const bool blind = plan_.blind(n);
    std::size_t live = 0;
    for (const auto& [key, record] : truth_.history->records()) {
      if (!record->live() || (blind && is_hidden(key))) continue;
      ++live;
      const RecordPtr held = replica.find(key);
      if (held && held->value) check_invariants(*held->value);
      if (!held || held->version != record->version || held->value != record->value ||
          held->writer != record->writer || held->hlc != record->hlc ||
          held->metadata != record->metadata)
        truth_.found("equal", fmt::format("{} holds another {} than the coordinator",
                                          agents_[n]->machine->name(), key.value()));
    }
    const Cursor at{coordinator_->epoch(), state->head()};
    const Hash128 digest =
        blind ? truth_.chronicle.open_digest_at(at).value_or(Hash128{}) : state->digest();
    if (replica.keys() != live || replica.digest() != digest)
      truth_.found("equal", fmt::format("{} holds {} keys, the coordinator {}",
                                        agents_[n]->machine->name(), replica.keys(), live));
  }
  if (coordinator_ != nullptr) {
    coordinator_->check_invariants();
    compare_with_truth();
  }
  for (const auto& checker : checkers_) checker->at_end(agents);
}

}  // namespace waggle::sim
