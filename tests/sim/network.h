#pragma once

// The network between the coordinator and everyone else, as ZeroMQ makes it: for each peer one
// connection with a leg up (DEALER to ROUTER) and a leg down, and one broadcast leg (XPUB to SUB)
// that works once the peer joined the channel.
//
//   peer --up--> coordinator        under the connection's PeerId
//   peer <-down-- coordinator       only if that PeerId is the peer's present connection
//   peer <-broadcast-- coordinator  only if its subscription arrived on the present channel
//
// A leg loses, doubles, delays and reorders frames by its rates and can be cut one way. A
// connection can be replaced without anyone being told; what it still carried upwards may arrive
// late, under the old PeerId. Only the hello of a process that died meanwhile does not: between
// processes of one agent the coordinator goes by the order in which their hellos arrive. The nonce
// is a frame like any other: it can be lost.
//
// One thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/prng.h"
#include "tests/sim/plan.h"
#include "tests/sim/story.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

enum class Leg : std::uint8_t { kUp, kDown, kBroadcast };
[[nodiscard]] std::string_view to_text(Leg leg);

class SimNetwork {
 public:
  using ToCoordinator = std::function<void(Event)>;
  using ToPeer = std::function<void(std::size_t peer, Event)>;
  // Bytes and back, when frames pass through the codec; may change nothing.
  using Codec = std::function<MessagePtr(const MessagePtr&)>;
  // Sees every frame before anything else does; false: the frame is dropped.
  using Tap = std::function<bool(Leg leg, std::size_t peer, const MessagePtr& message)>;

  SimNetwork(Timeline& timeline, Prng& random, Story& story, const Plan& plan, ToCoordinator up,
             ToPeer down);

  // A peer that can speak; its name makes its PeerIds readable.
  std::size_t add_peer(std::string name);
  [[nodiscard]] const std::string& name(std::size_t peer) const { return peers_[peer].name; }

  // ---- what the transports ask
  void send_up(std::size_t peer, MessagePtr message);
  void send_down(const PeerId& to, MessagePtr message);
  void broadcast(MessagePtr message);
  void open_channel(const OpenChannel& asked);
  void ignore(const PeerId& peer, std::int64_t millis);
  void join_channel(std::size_t peer, const JoinChannel& join);
  void leave_channel(std::size_t peer);
  // A new connection. What the old one still carries upwards may arrive late.
  void reconnect(std::size_t peer);

  // ---- faults
  void coordinator_went_down();
  void coordinator_came_up();
  void peer_went_down(std::size_t peer);
  void cut(std::size_t peer, Leg leg, bool is_cut) { peers_[peer].cut[index(leg)] = is_cut; }
  // A frame that an earlier connection of the peer carried, in either direction, comes once more on
  // the present one. False: there is none.
  bool replay(std::size_t peer);
  void heal();
  void set_codec(Codec codec) { codec_ = std::move(codec); }
  void set_tap(Tap tap) { tap_ = std::move(tap); }
  // Frames that were sent before healing.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  // Carries a frame that the tap had dropped, on the peer's present connection.
  void put_back(Leg leg, std::size_t peer, const MessagePtr& message);

 private:
  struct Recorded {
    Leg leg = Leg::kUp;
    std::uint64_t connection = 0;
    std::uint64_t process = 0;
    MessagePtr message;
  };
  struct Peer {
    std::string name;
    std::uint64_t connection = 1;
    std::uint64_t process = 1;
    std::uint64_t subscription = 0;  // a new number with each JoinChannel and LeaveChannel
    bool joined = false;
    Nonce nonce;
    bool subscribed = false;  // arrived at the coordinator's present channel
    bool cut[3] = {false, false, false};
    std::int64_t newest_arrival[3] = {0, 0, 0};
    std::deque<MessagePtr> unsent;  // while the coordinator is down
    std::deque<Recorded> recorded;
  };
  static std::size_t index(Leg leg) { return static_cast<std::size_t>(leg); }
  [[nodiscard]] PeerId id_of(const Peer& peer, std::uint64_t connection) const;
  [[nodiscard]] const LinkRates& rates(Leg leg) const;
  // Calls `arrive` as often and as late as the leg lets it.
  void carry(std::size_t peer, Leg leg, const std::function<void()>& arrive);
  void deliver_up(std::size_t peer, std::uint64_t connection, std::uint64_t process,
                  const MessagePtr& message);
  void subscribe(std::size_t peer);
  void record(std::size_t peer, Leg leg, const MessagePtr& message);
  [[nodiscard]] MessagePtr coded(const MessagePtr& message) const;

  Timeline& timeline_;
  Prng& random_;
  Story& story_;
  Plan plan_;
  ToCoordinator to_coordinator_;
  ToPeer to_peer_;
  Codec codec_;
  Tap tap_;
  std::vector<Peer> peers_;
  std::map<PeerId, std::pair<std::size_t, std::uint64_t>> connections_;
  std::uint64_t sent_ = 0;
  bool healed_ = false;
  std::map<PeerId, std::int64_t> ignored_;  // until then
  bool up_ = false;
  std::uint64_t coordinator_life_ = 0;
  std::uint64_t channel_ = 0;  // 0: not open
};

}  // namespace waggle::sim
