// Joining: hello, welcome, the live broadcast leg, beats, the end of a session.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/shape.h"
#include "coordinator/coordinator.h"

namespace waggle {
namespace {

constexpr std::int64_t kAlarmMillis = 10'000;
constexpr std::size_t kHellosWaiting = 1'024;

}  // namespace

Coordinator::Swarm* Coordinator::find(const SwarmId& id) {
  const auto found = swarms_.find(id);
  return found == swarms_.end() ? nullptr : found->second.get();
}

Coordinator::Swarm* Coordinator::ensure(const SwarmId& id) {
  if (Swarm* swarm = find(id)) return swarm;
  if (swarms_.size() >= limits::kSwarms) return nullptr;
  SwarmRow row;
  row.swarm = id;
  Swarm& swarm = *swarms_.emplace(id, std::make_unique<Swarm>(std::move(row))).first->second;
  swarm.row_dirty = true;
  swarm.open_to_all = open_to_all(id);
  if (options_.limits.keys > 0) swarm.state.count_owners();
  open_channel(swarm);
  return &swarm;
}

void Coordinator::open_channel(Swarm& swarm) {
  swarm.channel_asked = true;
  actions_->send.emplace_back(OpenChannel{swarm.state.id(), swarm.state.row().channel});
}

void Coordinator::on_channel(const ChannelOpened& opened) {
  Swarm* swarm = find(opened.swarm);
  if (swarm == nullptr) return;
  swarm->channel = opened.channel;
  if (swarm->state.row().channel != opened.channel) {
    swarm->state.row().channel = opened.channel;
    swarm->row_dirty = true;
  }
  for (std::deque<Received> waiting = std::exchange(swarm->hellos_waiting, {});
       const Received& received : waiting)
    on_hello(received, std::get<Hello>(*received.message));
}

void Coordinator::on_channel_failed(const ChannelFailed& failed) {
  Swarm* swarm = find(failed.swarm);
  if (swarm == nullptr) return;
  swarm->channel_asked = false;  // tried again at the next sweep
  for (const Received& received : std::exchange(swarm->hellos_waiting, {}))
    refuse(received.peer, Code::kUnavailable,
           fmt::format("the broadcast socket of swarm '{}' can't be opened: {}",
                       failed.swarm.value(), failed.text),
           5'000);
}

void Coordinator::refuse(const PeerId& peer, Code code, std::string text,
                         std::int64_t retry_millis) {
  count("hellos_refused");
  send(peer, make_message(Refused{code, retry_millis, std::move(text)}));
}

void Coordinator::on_hello(const Received& received, const Hello& hello) {
  const PeerId& peer = received.peer;
  if (hello.protocol != kProtocolVersion) {
    refuse(peer, Code::kUnsupported,
           fmt::format("this coordinator speaks protocol {}, the agent protocol {}; use the same "
                       "version of Waggle on both sides",
                       kProtocolVersion, hello.protocol));
    return;
  }
  if (const Status shape = check_swarm_id(hello.swarm.value()); !shape) {
    refuse(peer, Code::kRejected, shape.error().text);
    return;
  }
  if (const Status shape = check_agent_id(hello.agent.value()); !shape) {
    refuse(peer, Code::kRejected, shape.error().text);
    return;
  }
  const bool reserved = is_reserved_agent(hello.agent);
  if ((hello.role == Role::kMember && reserved) ||
      (hello.role == Role::kClient && !is_client_agent(hello.agent)) ||
      (hello.role == Role::kObserver && is_client_agent(hello.agent))) {
    refuse(peer, Code::kRejected,
           fmt::format("'{}' can't be the id of a {}: ids that begin with '~' are Waggle's own",
                       hello.agent.value(), to_text(hello.role)));
    return;
  }
  if (received.who != nullptr) {
    if (const std::optional<std::string> wrong = not_its_own(*received.who, hello)) {
      count("hellos_forged");
      note_refusal(hello.swarm, received.who->agent, received.who, "hello", hello.agent.value(),
                   *wrong);
      refuse(peer, Code::kDenied, *wrong);
      return;
    }
  }
  if (sessions_.size() >= limits::kSessions && sessions_.by_peer(peer) == nullptr) {
    refuse(peer, Code::kOverloaded,
           fmt::format("{} sessions are open, which is the limit", sessions_.size()), 5'000);
    return;
  }
  if (hello.role == Role::kClient) {
    welcome(received, hello, find(hello.swarm));
    return;
  }
  const RightsPtr rights = rights_of(received, hello);
  if ((hello.features & kFeatureViews) == 0 &&
      (rights->view() != 0 || !open_to_all(hello.swarm)->everything(Act::kRead))) {
    refuse(
        peer, Code::kUnsupported,
        fmt::format("agent '{}' is of a Waggle from before rules of access, and this coordinator "
                    "has some; use the same version on both sides",
                    hello.agent.value()));
    return;
  }
  Swarm* swarm = ensure(hello.swarm);
  if (swarm == nullptr) {
    refuse(
        peer, Code::kOverloaded,
        fmt::format("this coordinator holds {} swarms, which is the limit; '{}' would be another",
                    swarms_.size(), hello.swarm.value()),
        30'000);
    return;
  }
  if (swarm->channel.empty()) {
    if (swarm->hellos_waiting.size() < kHellosWaiting) swarm->hellos_waiting.push_back(received);
    return;
  }
  if (hello.cursor.epoch == store_.epoch && hello.cursor.revision > swarm->state.head()) {
    count("cursors_beyond_head");
    if (now_.monotonic >= next_alarm_) {
      next_alarm_ = now_.monotonic + Millis{kAlarmMillis};
      actions_->deliver.emplace_back(Alarm{fmt::format(
          "agent '{}' holds revision {} of swarm '{}', the head here is {}, in the same epoch: "
          "this "
          "store was put back to an earlier state without --accept-rollback, and acknowledged "
          "writes are gone. Agents will take over the state here; cursors of before name other "
          "changes now",
          hello.agent.value(), hello.cursor.revision.value(), hello.swarm.value(),
          swarm->state.head().value())});
    }
  }
  Session* holder = sessions_.holder(hello.swarm, hello.agent);
  if (holder != nullptr && holder->peer != peer) {
    // With keys the id is who has the key: it may come back without its data directory.
    const bool same_agent = received.who != nullptr && holder->who != nullptr &&
                            received.who->agent == holder->who->agent;
    const bool its_own = same_agent || (hello.token == holder->token && hello.token != Token{});
    const std::int64_t silent = (now_.monotonic - holder->heard).count;
    if (!its_own) {
      const std::int64_t lease = std::max<std::int64_t>(options_.beat.failed() - silent, 1);
      refuse(peer, Code::kUnavailable,
             fmt::format("id_in_use: agent '{}' of swarm '{}' is attached from elsewhere and was "
                         "heard {:.1f} s ago; choose another id, or give this process the data "
                         "directory of that one. If that one is dead, its id is free in {:.0f} s",
                         hello.agent.value(), hello.swarm.value(),
                         static_cast<double>(silent) / 1000.0, static_cast<double>(lease) / 1000.0),
             std::min<std::int64_t>(lease, 5'000));
      return;
    }
    // A hello of the same process came by another connection: it reconnected, or this is an old
    // hello that came late. To be told that it was taken over would end the agent for good.
    const bool same_process =
        !hello.incarnations.empty() && hello.incarnations.back() == holder->process;
    end_session(*holder, "a later process with the same id and token took over", !same_process);
  }
  welcome(received, hello, swarm);
}

std::optional<std::string> Coordinator::not_its_own(const Identity& who, const Hello& hello) {
  // Clients and observers with a name of Waggle's own speak for nobody.
  if (!is_reserved_agent(hello.agent) && hello.agent != who.agent)
    return fmt::format("the key {} speaks for agent '{}', not for '{}'", who.key, who.agent.value(),
                       hello.agent.value());
  if (!who.enters(hello.swarm))
    return fmt::format("the key {} of agent '{}' enters swarm '{}' only, not '{}'", who.key,
                       who.agent.value(), who.swarm.value(), hello.swarm.value());
  return std::nullopt;
}

void Coordinator::on_identity_ended(const Identity& who) {
  const std::string why = fmt::format("its key {} is no longer authorized for it", who.key);
  for (auto& [id, swarm] : swarms_)
    std::erase_if(swarm->hellos_waiting, [&](const Received& hello) {
      return hello.who != nullptr && hello.who->key == who.key;
    });
  for (const SessionId id : sessions_.opened_by(who))
    end_session(sessions_.all().at(id), why, true);
}

void Coordinator::end_session(const Session& session, const std::string& why, bool tell) {
  count("sessions_fenced");
  if (tell) send(session.peer, make_message(Fenced{session.id, why}));
  results_.erase(session.id);
  sessions_.close(session.id);
}

// Of sessions that ended in this group.
void Coordinator::end_what_sessions_held() {
  for (const Session& ended : sessions_.take_ended()) {
    Swarm* swarm = find(ended.swarm);
    if (swarm == nullptr) continue;
    const Session* holder = sessions_.holder(ended.swarm, ended.agent);
    const bool same = holder != nullptr && ended.process && holder->process == ended.process;
    end_ephemeral(*swarm, ended, same ? holder : nullptr);
    // Another process of the same agent: this one was fenced, and can't have anything under way.
    if (!same) end_claims_of(*swarm, ended, ended.left || holder != nullptr);
  }
}

void Coordinator::welcome(const Received& received, const Hello& hello, Swarm* swarm) {
  Session fresh;
  fresh.id = random_.id<SessionId>();
  fresh.peer = received.peer;
  fresh.who = received.who;
  fresh.rights = rights_of(received, hello);
  fresh.swarm = hello.swarm;
  fresh.agent = hello.agent;
  fresh.role = hello.role;
  fresh.inner = received.inner;
  fresh.token = hello.token;
  if (!hello.incarnations.empty()) fresh.process = hello.incarnations.back();
  fresh.nonce = random_.id<Nonce>();
  fresh.heard = now_.monotonic;
  fresh.cursor = hello.cursor;
  if (received.bytes > 0)
    fresh.sender = hello.role == Role::kClient ? Sender::of_client(hello.swarm, received.peer)
                                               : Sender::of_agent(hello.swarm, hello.agent);
  const Session& session = sessions_.open(std::move(fresh));
  count("sessions_opened");

  Welcome welcome;
  welcome.session = session.id;
  welcome.nonce = session.nonce;
  welcome.start = start_;
  welcome.epoch = store_.epoch;
  welcome.wall_millis = now_.wall_millis;
  welcome.window = limits::kWindow;
  welcome.heartbeat_millis = options_.beat.interval_millis;
  if (swarm != nullptr) {
    welcome.lineage = swarm->state.row().lineage;
    welcome.head = swarm->state.head();
    welcome.floor = swarm->state.floor();
    if (session.role != Role::kClient) welcome.channel = swarm->channel;
    welcome.view = session.rights->view();
    welcome.private_keys = welcome.view != swarm->open_to_all->view();
  }
  send(session.peer, make_message(std::move(welcome)));

  // Outcomes whose answer may have been lost, so that a writer is always told.
  if (session.role == Role::kMember && swarm != nullptr) {
    std::vector<MutationResult> results =
        swarm->writers.unconfirmed(session.agent, limits::kWindow);
    if (!results.empty()) results_[session.id] = {session.peer, std::move(results)};
  }
}

void Coordinator::on_subscribed(const Subscribed& subscribed) {
  Swarm* swarm = find(subscribed.swarm);
  Session* session = sessions_.by_nonce(subscribed.swarm, subscribed.nonce);
  if (swarm == nullptr || session == nullptr) {
    count("ignored_nonce");
    return;
  }
  session->attached = true;
  session->beats_behind = 0;
  session->acked_broadcast = swarm->broadcast;
  send(session->peer, make_message(Attached{session->id, swarm->state.head(), swarm->broadcast,
                                            swarm->ephemeral.at()}));
}

void Coordinator::on_heartbeat(Session& session, const AgentHeartbeat& beat) {
  if (beat.number <= session.heartbeat_number) {
    count("ignored_old_heartbeat");
    return;
  }
  session.heartbeat_number = beat.number;
  session.cursor = beat.cursor;
  session.broadcast = beat.broadcast;
  Swarm* swarm = find(session.swarm);
  if (swarm == nullptr) return;
  if (session.role == Role::kMember) {
    std::vector<Row>& rows = actions_->persist.rows;
    swarm->writers.confirm(session.agent, beat.confirmed, rows);
    swarm->writers.touch(session.agent, now_.wall_millis, rows);
    // Safety: what the heartbeat of this session no longer lists is over, and a submit of it that
    // comes late is ignored. A heartbeat may itself be overtaken by submits of a newer incarnation,
    // so what was written under in this session stays until the next one.
    std::vector<Incarnation> kept = beat.incarnations;
    kept.insert(kept.end(), session.submitted.begin(), session.submitted.end());
    for (const Incarnation gone : swarm->writers.retire_others(session.agent, kept, rows))
      session.retired.insert(gone);
  }
  // Two beats behind what had been broadcast at the beat before: that leg is dead.
  session.beats_behind = beat.broadcast < session.acked_broadcast ? session.beats_behind + 1 : 0;
  if (session.beats_behind >= 2 && std::exchange(session.attached, false))
    count("broadcast_legs_lost");
  session.acked_broadcast = swarm->broadcast;
  send(session.peer,
       make_message(HeartbeatAck{session.id, beat.number, swarm->state.head(), swarm->broadcast}));
}

}  // namespace waggle
