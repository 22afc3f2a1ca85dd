#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

constexpr std::size_t kUnsentMax = 64;
constexpr std::size_t kRecordedMax = 300;
constexpr std::int64_t kChannelMillis = 3;

// About what its frame would have.
std::size_t size_of(const Message& message) {
  std::size_t size = 64;
  if (const auto* submit = std::get_if<Submit>(&message))
    for (const Mutation& mutation : submit->mutations) size += wire_size(mutation);
  if (const auto* response = std::get_if<StateResponse>(&message))
    for (const Answer& answer : response->answers) size += 64 + answer.offer.value.bytes.size();
  return size;
}

}  // namespace

std::string_view to_text(Leg leg) {
  switch (leg) {
    case Leg::kUp:
      return "up";
    case Leg::kDown:
      return "down";
    case Leg::kBroadcast:
      return "broadcast";
  }
  return "unrecognised";
}

SimNetwork::SimNetwork(Timeline& timeline, Prng& random, Story& story, const Plan& plan,
                       ToCoordinator up, ToPeer down)
    : timeline_(timeline),
      random_(random),
      story_(story),
      plan_(plan),
      to_coordinator_(std::move(up)),
      to_peer_(std::move(down)) {}

std::size_t SimNetwork::add_peer(std::string name) {
  Peer& peer = peers_.emplace_back();
  peer.name = std::move(name);
  connections_[id_of(peer, 1)] = {peers_.size() - 1, 1};
  return peers_.size() - 1;
}

PeerId SimNetwork::id_of(const Peer& peer, std::uint64_t connection) const {
  return PeerId(fmt::format("{}#{}", peer.name, connection));
}

const LinkRates& SimNetwork::rates(Leg leg) const {
  return leg == Leg::kUp ? plan_.up : leg == Leg::kDown ? plan_.down : plan_.broadcast;
}

MessagePtr SimNetwork::coded(const MessagePtr& message) const {
  return codec_ ? codec_(message) : message;
}

void SimNetwork::carry(std::size_t at, Leg leg, const std::function<void()>& arrive) {
  Peer& peer = peers_[at];
  const LinkRates& rate = rates(leg);
  if (!healed_) ++sent_;
  const auto fated = [&](Fate fate) {
    return !healed_ && std::ranges::any_of(plan_.fated, [&](const FatedFrame& one) {
      return one.number == sent_ && one.fate == fate;
    });
  };
  if (fated(Fate::kLost)) {
    story_.count("frames lost");
    return;
  }
  if (peer.cut[index(leg)]) {
    story_.count("frames cut off");
    return;
  }
  if (random_.below(1000) < rate.lost) {
    story_.count("frames lost");
    return;
  }
  std::int64_t when = timeline_.now() + random_.between(rate.latency_min, rate.latency_max);
  if (random_.below(1000) < rate.late) {
    story_.count("frames late");
    when += random_.between(1, rate.late_millis);
  }
  constexpr std::int64_t kFatedMillis = 150;  // some writes and their answers later
  if (fated(Fate::kLate)) {
    timeline_.at(when + kFatedMillis, arrive);
    return;
  }
  if (fated(Fate::kDoubled)) timeline_.at(when + kFatedMillis, arrive);
  std::int64_t& newest = peer.newest_arrival[index(leg)];
  if (random_.below(1000) < rate.overtaken) {
    story_.count("frames reordered");
    when += random_.between(1, 50);
  } else {
    when = std::max(when, newest);
    newest = when;
  }
  timeline_.at(when, arrive);
  if (random_.below(1000) < rate.doubled) {
    story_.count("frames doubled");
    timeline_.at(when + random_.between(0, 3'000), arrive);
  }
}

void SimNetwork::record(std::size_t at, Leg leg, const MessagePtr& message) {
  if (!plan_.replays) return;
  Peer& peer = peers_[at];
  if (peer.recorded.size() == kRecordedMax) peer.recorded.pop_front();
  peer.recorded.push_back({leg, peer.connection, peer.process, message});
}

bool SimNetwork::replay(std::size_t at) {
  const Peer& peer = peers_[at];
  std::vector<const Recorded*> earlier;
  for (const Recorded& one : peer.recorded)
    if (one.connection != peer.connection) earlier.push_back(&one);
  if (earlier.empty()) return false;
  const Recorded one = *earlier[random_.below(earlier.size())];
  timeline_.after(1, [this, at, one] {
    if (peers_[at].cut[index(one.leg)]) return;
    if (one.leg == Leg::kUp) {
      deliver_up(at, peers_[at].connection, one.process, one.message);
    } else {
      put_back(one.leg, at, one.message);
    }
  });
  return true;
}

// ---- unicast -----------------------------------------------------------------------------------

void SimNetwork::send_up(std::size_t at, MessagePtr message) {
  Peer& peer = peers_[at];
  if (tap_ && !tap_(Leg::kUp, at, message)) return;
  story_.note(timeline_.now(), 1, fingerprint_of(*message),
              [&] { return fmt::format("{} -> c   {}", peer.name, describe(*message)); });
  record(at, Leg::kUp, message);
  if (!up_) {
    // A DEALER without a connection keeps a little, then drops.
    if (random_.chance(1, 2) && peer.unsent.size() < kUnsentMax)
      peer.unsent.push_back(coded(message));
    return;
  }
  carry(at, Leg::kUp,
        [this, at, connection = peer.connection, process = peer.process, life = coordinator_life_,
         m = coded(message)] {
          if (life == coordinator_life_) deliver_up(at, connection, process, m);
        });
}

void SimNetwork::deliver_up(std::size_t at, std::uint64_t connection, std::uint64_t process,
                            const MessagePtr& message) {
  if (!up_) return;
  const Peer& peer = peers_[at];
  if (process != peer.process && std::holds_alternative<Hello>(*message)) return;
  if (const auto ignored = ignored_.find(id_of(peer, connection));
      ignored != ignored_.end() && timeline_.now() < ignored->second) {
    story_.count("frames thrown away unread");
    return;
  }
  story_.note(timeline_.now(), 2, at, [&] {
    return fmt::format("      c gets from {}#{}: {}", peer.name, connection, name_of(*message));
  });
  to_coordinator_(Received{id_of(peer, connection), message, {}, size_of(*message)});
}

void SimNetwork::ignore(const PeerId& peer, std::int64_t millis) {
  ignored_[peer] = timeline_.now() + millis;
}

void SimNetwork::send_down(const PeerId& to, MessagePtr message) {
  const auto found = connections_.find(to);
  if (found == connections_.end()) return;
  const auto [at, connection] = found->second;
  if (tap_ && !tap_(Leg::kDown, at, message)) return;
  story_.note(timeline_.now(), 3, fingerprint_of(*message),
              [&] { return fmt::format("c -> {}   {}", to.value(), describe(*message)); });
  if (connection != peers_[at].connection) {
    // A ROUTER finds nobody there. Sometimes it says so.
    if (random_.chance(1, 4)) {
      story_.count("peers reported lost");
      timeline_.after(1, [this, to, life = coordinator_life_] {
        if (up_ && life == coordinator_life_) to_coordinator_(PeerLost{to});
      });
    }
    return;
  }
  record(at, Leg::kDown, message);
  carry(at, Leg::kDown, [this, at = at, connection = connection, m = coded(message)] {
    if (peers_[at].connection != connection) return;
    story_.note(timeline_.now(), 4, at,
                [&] { return fmt::format("      {} gets {}", peers_[at].name, name_of(*m)); });
    to_peer_(at, Received{{}, m});
  });
}

void SimNetwork::reconnect(std::size_t at) {
  Peer& peer = peers_[at];
  ++peer.connection;
  connections_[id_of(peer, peer.connection)] = {at, peer.connection};
  story_.note(timeline_.now(), 5, at,
              [&] { return fmt::format("* {} is connection {} now", peer.name, peer.connection); });
  std::deque<MessagePtr> unsent = std::exchange(peer.unsent, {});
  if (!up_) return;
  for (MessagePtr& message : unsent)
    carry(at, Leg::kUp,
          [this, at, connection = peer.connection, process = peer.process, life = coordinator_life_,
           m = std::move(message)] {
            if (life == coordinator_life_) deliver_up(at, connection, process, m);
          });
}

void SimNetwork::peer_went_down(std::size_t at) {
  peers_[at].unsent.clear();
  ++peers_[at].process;
  leave_channel(at);
  reconnect(at);
}

// ---- broadcast ---------------------------------------------------------------------------------

void SimNetwork::open_channel(const OpenChannel& asked) {
  const bool fails = plan_.channel_fails && random_.chance(1, 3);
  timeline_.after(kChannelMillis, [this, asked, fails, life = coordinator_life_] {
    if (!up_ || life != coordinator_life_) return;
    if (fails) {
      story_.count("channels failed to open");
      to_coordinator_(ChannelFailed{asked.swarm, "the simulator says so"});
      return;
    }
    const std::string channel = asked.wanted.empty() ? "sim:1" : asked.wanted;
    channel_ = coordinator_life_;
    // SUB sockets that were left from before connect again by themselves and subscribe anew.
    for (std::size_t at = 0; at < peers_.size(); ++at) {
      if (!peers_[at].joined || !random_.chance(1, 2)) continue;
      story_.count("subscriptions renewed by themselves");
      subscribe(at);
    }
    to_coordinator_(ChannelOpened{asked.swarm, channel});
  });
}

void SimNetwork::join_channel(std::size_t at, const JoinChannel& join) {
  Peer& peer = peers_[at];
  peer.nonce = join.nonce;
  peer.subscribed = false;
  peer.joined = true;
  ++peer.subscription;
  if (channel_ != 0) subscribe(at);
}

void SimNetwork::subscribe(std::size_t at) {
  const Peer& peer = peers_[at];
  // Two frames on one connection: the subscription to everything, then the nonce.
  const auto still = [this, at, subscription = peer.subscription, channel = channel_] {
    return up_ && channel == channel_ && peers_[at].subscription == subscription;
  };
  carry(at, Leg::kUp, [this, at, still] {
    if (still()) peers_[at].subscribed = true;
  });
  carry(at, Leg::kUp, [this, at, still, nonce = peer.nonce] {
    if (!still() || !peers_[at].subscribed) return;
    story_.note(timeline_.now(), 6, at,
                [&] { return fmt::format("      c reads the nonce of {}", peers_[at].name); });
    to_coordinator_(Subscribed{SwarmId("hive"), nonce});
  });
}

void SimNetwork::leave_channel(std::size_t at) {
  peers_[at].subscribed = false;
  peers_[at].joined = false;
  // The number of the next subscription differs, so nothing on its way arrives.
  ++peers_[at].subscription;
  peers_[at].nonce = {};
}

void SimNetwork::broadcast(MessagePtr message) {
  story_.note(timeline_.now(), 7, fingerprint_of(*message),
              [&] { return fmt::format("c => *    {}", describe(*message)); });
  const MessagePtr frame = coded(message);
  for (std::size_t at = 0; at < peers_.size(); ++at) {
    if (!peers_[at].subscribed || (tap_ && !tap_(Leg::kBroadcast, at, message))) continue;
    record(at, Leg::kBroadcast, message);
    carry(at, Leg::kBroadcast, [this, at, frame, subscription = peers_[at].subscription] {
      if (peers_[at].subscription != subscription) return;
      story_.note(timeline_.now(), 8, at, [&] {
        return fmt::format("      {} hears {}", peers_[at].name, name_of(*frame));
      });
      to_peer_(at, BroadcastReceived{frame});
    });
  }
}

void SimNetwork::put_back(Leg leg, std::size_t at, const MessagePtr& message) {
  if (leg == Leg::kUp) {
    deliver_up(at, peers_[at].connection, peers_[at].process, message);
  } else if (leg == Leg::kDown) {
    to_peer_(at, Received{{}, message});
  } else {
    to_peer_(at, BroadcastReceived{message});
  }
}

// ---- faults ------------------------------------------------------------------------------------

void SimNetwork::coordinator_went_down() {
  up_ = false;
  channel_ = 0;
  ++coordinator_life_;
  ignored_.clear();
  for (Peer& peer : peers_) peer.subscribed = false;
}

void SimNetwork::coordinator_came_up() {
  up_ = true;
  ++coordinator_life_;
  // Everyone's connection was made anew, and nobody was told.
  for (std::size_t at = 0; at < peers_.size(); ++at) reconnect(at);
}

void SimNetwork::heal() {
  plan_.up = plan_.down = plan_.broadcast = LinkRates{};
  plan_.channel_fails = false;
  healed_ = true;
  for (Peer& peer : peers_) std::fill(std::begin(peer.cut), std::end(peer.cut), false);
}

}  // namespace waggle::sim
