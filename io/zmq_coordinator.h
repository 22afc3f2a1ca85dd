#pragma once

// The coordinator's side of the wire: one ROUTER for everything with one addressee, one XPUB for
// each swarm for what all members may see, and the ports of threads in the same process.
//
//   DEALER frame   --> ROUTER: [id][one frame] --> codec --> Received or Malformed
//   subscription   --> XPUB of a swarm: the nonce's topic --> Subscribed
//   SendTo         --> ROUTER; peer full: a bounded queue, tried again every 5 ms; else PeerLost
//   Broadcast      --> XPUB of its swarm; a full subscriber loses it and pulls a delta later
//
// A message is encoded once for all peers it is sent to in a row; they share its bytes.
//
// With keys, every peer proves one (CURVE, io/zap.h) and each frame goes on with the identity that
// it was sent by; what nobody in the table sent is dropped and counted. A swarm's broadcast socket
// lets in only who enters that swarm, and shut_out() makes everybody come in anew.
//
// One peer's frames fill no turn: beyond limits::kFramesOfPeer what was read is stepped first,
// since ROUTER reads its peers in turn and who sent one frame would wait for all of another's.
//
// Safety: the XPUB socket is the border of a swarm, since any peer of it can read all of it; there
// is no XPUB_MANUAL. Peers are told apart by ROUTER's own ids with a prefix, so that no remote peer
// can take the name of a local one. Routing ids never leave in a message. No input ends the
// process: what is not understood is discarded, counted and reported as Malformed.
//
// One thread owns it.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/limits.h"
#include "io/host.h"
#include "io/local_peers.h"
#include "io/poll_source.h"
#include "io/zap.h"
#include "io/zmq_context.h"
#include "io/zmq_socket.h"

namespace waggle {

// The topic whose subscription shows that an agent's broadcast leg is live. No frame of ours begins
// with its first byte, so it never matches one.
[[nodiscard]] std::string nonce_topic(Nonce nonce);

class ZmqCoordinatorTransport final : public Transport, public PollSource {
 public:
  struct Options {
    Endpoint listen;  // of parse_listen()
    // Ports for the broadcast sockets of a tcp endpoint; 0: any free port.
    std::uint16_t channel_port_low = 0;
    std::uint16_t channel_port_high = 0;
    LocalPeers* local = nullptr;  // borrowed
    // Null: without CURVE. Else the context has a ZapHandler over `admission`; borrowed.
    SecretKeyPtr key = {};
    const Admission* admission = nullptr;
    int peer_send_messages = 256;  // in ZeroMQ for one peer, before our own queue begins
    int channel_messages = 512;    // in ZeroMQ for one subscriber; beyond, it loses updates
    std::size_t peer_queue_bytes = limits::kPeerQueueBytes;
    std::size_t all_queue_bytes = std::size_t{256} << 20;  // beyond, the largest queue is dropped
  };
  // Fails with a text when it can't listen there. Borrows the context.
  [[nodiscard]] static Result<std::unique_ptr<ZmqCoordinatorTransport>> open(
      const ZmqContext& context, const Options& options);
  ~ZmqCoordinatorTransport() override;

  ZmqCoordinatorTransport(const ZmqCoordinatorTransport&) = delete;
  ZmqCoordinatorTransport& operator=(const ZmqCoordinatorTransport&) = delete;

  // Where it listens, with the port that was taken.
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

  // Closes all connections of a swarm's broadcasts; who may comes in again, and catches up. Empty:
  // of every swarm.
  void shut_out(const SwarmId& swarm);

  // ---- Transport
  void receive(std::vector<Event>& events, std::size_t max) override;
  void send(const Send& send) override;

  // ---- PollSource
  void attach(FdWatch* watch) override;
  void spoke(int fd) override;
  [[nodiscard]] bool has_work() override;
  [[nodiscard]] Instant next_retry() const override { return next_retry_; }

  struct Counters {
    std::uint64_t frames_in = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t frames_out = 0;  // to one peer
    std::uint64_t bytes_out = 0;
    std::uint64_t broadcasts = 0;  // each counted once, however many read it
    std::uint64_t broadcast_bytes = 0;
    std::uint64_t encoded = 0;
    std::uint64_t nobody = 0;     // of no authorized key, dropped
    std::uint64_t malformed = 0;  // refused by the codec
    std::uint64_t multipart = 0;  // messages of more than one frame, discarded
    std::uint64_t upstream = 0;   // messages on a broadcast socket that are no subscription
    std::uint64_t subscriptions = 0;
    std::uint64_t ignored = 0;  // frames of peers over their limits, thrown away unread
    std::uint64_t queued = 0;   // frames that had to wait for a slow peer
    std::uint64_t dropped = 0;  // frames that nobody gets: peer lost, no channel, too large
    std::uint64_t peers_lost = 0;
    std::uint64_t peers_queued = 0;  // now
    std::uint64_t bytes_queued = 0;  // now
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  // What goes first to a peer that is behind: to stay in, then rounds, then answers, then bulk.
  // Within a class the order stays; every message is safe to see in another one.
  enum class Urgency : std::uint8_t { kControl, kRound, kResult, kChunk };
  static constexpr std::size_t kUrgencies = 4;
  struct Queue {
    std::string routing_id;
    std::array<std::deque<Frame>, kUrgencies> frames;
    std::size_t bytes = 0;

    [[nodiscard]] std::deque<Frame>* first();  // null: empty
  };
  struct Channel {
    Socket socket;
    std::string text;
    std::optional<std::string> bind_again;  // after shut_out(), until it listens again
    int bind_tries = 0;
  };
  using Queues = std::unordered_map<PeerId, Queue>;

  ZmqCoordinatorTransport(const ZmqContext& context, const Options& options, Socket router);

  void receive_local(std::vector<Event>& events, std::size_t max);
  [[nodiscard]] bool worth_a_look(const Socket& socket) const;
  [[nodiscard]] bool admits(const Frame& frame, IdentityPtr& who);
  void receive_router(std::vector<Event>& events, std::size_t max);
  void receive_channel(const SwarmId& swarm, Channel& channel, std::vector<Event>& events,
                       std::size_t max);

  void send_to(const SendTo& send);
  void broadcast(const Broadcast& send);
  void open_channel(const OpenChannel& send);
  void drop_peer(const PeerId& peer);
  void ignore(const IgnorePeer& ignore);
  [[nodiscard]] bool ignores(const PeerId& peer);

  [[nodiscard]] Result<Socket> bind_channel(const SwarmId& swarm, const std::string& wanted);
  // 0, EAGAIN or EHOSTUNREACH.
  [[nodiscard]] int send_frame(const std::string& routing_id, Frame frame);
  [[nodiscard]] static Urgency urgency_of(const Message& message);
  void enqueue(const PeerId& peer, std::string routing_id, Urgency urgency, Frame frame);
  void retry();
  [[nodiscard]] bool bind_again();  // true: some wait for their address
  void forget_queue(Queues::iterator queue);
  void lose(const PeerId& peer);
  // Null: it is too large for a frame, and counted as dropped.
  [[nodiscard]] const Frame* encoded(const MessagePtr& message);

  const ZmqContext& context_;
  const Options options_;
  Socket router_;
  Endpoint endpoint_;
  FdWatch* watch_ = nullptr;

  std::map<SwarmId, Channel> channels_;
  std::deque<Event> own_;  // ChannelOpened, ChannelFailed, PeerLost
  Queues queues_;
  std::unordered_set<PeerId> lost_;                // reported, and not heard of since
  std::unordered_map<PeerId, Instant> ignored_;    // until then
  std::unordered_map<PeerId, std::size_t> taken_;  // frames in the present receive()
  Instant next_retry_ = Instant::never();

  MessagePtr encoded_message_;
  Frame encoded_frame_;
  bool encoded_fits_ = false;
  Counters counters_;
};

}  // namespace waggle
