#include "io/zmq_coordinator.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include "base/check.h"
#include "capnp/codec.h"
#include "io/system_clock.h"

namespace waggle {

namespace {

constexpr Millis kRetryInterval{5};
constexpr int kBindTriesMax = 400;
constexpr int kPeerReceiveMessages = 64;
// What subscribers send is short: a topic, and ZMTP's handshake.
constexpr std::int64_t kSubscriptionBytesMax = 1'024;
constexpr std::size_t kLostMax = limits::kSessions;
constexpr std::string_view kNonceTopic = "\xffwaggle-nonce:";
constexpr std::size_t kNonceDigits = 16;
constexpr std::string_view kRemotePeerPrefix = "zmq:";

std::optional<Nonce> nonce_of(std::string_view topic) {
  if (!topic.starts_with(kNonceTopic)) return std::nullopt;
  const std::string_view digits = topic.substr(kNonceTopic.size());
  if (digits.size() != kNonceDigits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return Nonce(value);
}

// Routing ids are any bytes; in a name they are written in hexadecimal.
PeerId peer_of(std::string_view routing_id) {
  return PeerId(std::string(kRemotePeerPrefix) + hex_of(routing_id));
}

// Empty: it is no name of a remote peer.
std::string routing_id_of(const PeerId& peer) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string id;
  if (!peer.value().starts_with(kRemotePeerPrefix)) return id;
  for (std::size_t i = kRemotePeerPrefix.size(); i + 1 < peer.value().size(); i += 2) {
    id += static_cast<char>(digit(peer.value()[i]) * 16 + digit(peer.value()[i + 1]));
  }
  return id;
}

bool is_local(const PeerId& peer) {
  return peer.value().starts_with(kLocalPeerPrefix);
}

bool is_ipv6(const Endpoint& endpoint) {
  return endpoint.host.starts_with('[');
}

// What one of several sources may take of `left`: half, so that none starves the others.
std::size_t share(std::size_t left) {
  return (left + 1) / 2;
}

}  // namespace

std::string nonce_topic(Nonce nonce) {
  return std::string(kNonceTopic) + to_hex(nonce.value());
}

// ---- opening -----------------------------------------------------------------------------------

Result<std::unique_ptr<ZmqCoordinatorTransport>> ZmqCoordinatorTransport::open(
    const ZmqContext& context, const Options& options) {
  Result<Socket> router =
      Socket::open(context, ZMQ_ROUTER,
                   {.send_high_water = options.peer_send_messages,
                    .receive_high_water = kPeerReceiveMessages,
                    .frame_bytes_max = static_cast<std::int64_t>(limits::kFrameBytes),
                    .ipv6 = is_ipv6(options.listen)});
  if (!router) return std::unexpected(std::move(router.error()));
  router->set(ZMQ_ROUTER_MANDATORY, 1);
  router->set(ZMQ_ROUTER_HANDOVER, 0);
  if (options.key != nullptr) router->serve_curve(*options.key, std::string(kZapDomain));
  if (Status bound = router->bind(options.listen); !bound) {
    return std::unexpected(std::move(bound.error()));
  }
  return std::unique_ptr<ZmqCoordinatorTransport>(
      new ZmqCoordinatorTransport(context, options, std::move(*router)));
}

ZmqCoordinatorTransport::ZmqCoordinatorTransport(const ZmqContext& context, const Options& options,
                                                 Socket router)
    : context_(context), options_(options), router_(std::move(router)), endpoint_(options.listen) {
  if (endpoint_.kind == Endpoint::Kind::kTcp) endpoint_.port = router_.bound_port();
}

ZmqCoordinatorTransport::~ZmqCoordinatorTransport() {
  attach(nullptr);
}

// ---- waiting -----------------------------------------------------------------------------------

void ZmqCoordinatorTransport::attach(FdWatch* watch) {
  const auto each_fd = [this](auto&& tell) {
    tell(router_.fd());
    for (const auto& [swarm, channel] : channels_) tell(channel.socket.fd());
    if (options_.local != nullptr) tell(options_.local->fd());
  };
  if (watch_ != nullptr) each_fd([this](int fd) { watch_->forget(fd); });
  watch_ = watch;
  if (watch_ != nullptr) each_fd([this](int fd) { watch_->watch(fd); });
}

bool ZmqCoordinatorTransport::has_work() {
  if (!own_.empty()) return true;
  if (options_.local != nullptr && options_.local->has_work()) return true;
  const auto holds_a_message = [](Socket& socket) {
    return socket.may_receive() && (socket.events() & ZMQ_POLLIN) != 0;
  };
  if (holds_a_message(router_)) return true;
  return std::ranges::any_of(channels_,
                             [&](auto& channel) { return holds_a_message(channel.second.socket); });
}

void ZmqCoordinatorTransport::spoke(int fd) {
  if (router_.fd() == fd) router_.spoke();
  for (auto& [swarm, channel] : channels_)
    if (channel.socket.fd() == fd) channel.socket.spoke();
}

// Without a loop nobody says that a descriptor spoke, so every socket is looked at.
bool ZmqCoordinatorTransport::worth_a_look(const Socket& socket) const {
  return watch_ == nullptr || socket.may_receive();
}

// ---- receiving ---------------------------------------------------------------------------------

void ZmqCoordinatorTransport::receive(std::vector<Event>& events, std::size_t max) {
  retry();
  const std::size_t end = events.size() + max;
  while (!own_.empty() && events.size() < end) {
    events.push_back(std::move(own_.front()));
    own_.pop_front();
  }
  receive_local(events, share(end - events.size()));
  for (auto& [swarm, channel] : channels_) {
    if (worth_a_look(channel.socket))
      receive_channel(swarm, channel, events, share(end - events.size()));
  }
  if (worth_a_look(router_)) receive_router(events, end - events.size());
}

void ZmqCoordinatorTransport::receive_local(std::vector<Event>& events, std::size_t max) {
  if (options_.local != nullptr) options_.local->take(events, max);
}

// False: nobody who is let in sent it. Asked for each frame, since a connection outlives the end of
// its key's authorization.
bool ZmqCoordinatorTransport::admits(const Frame& frame, IdentityPtr& who) {
  if (options_.key == nullptr) return true;
  who = options_.admission->find(frame.user_id());
  if (who == nullptr) ++counters_.nobody;
  return who != nullptr;
}

void ZmqCoordinatorTransport::receive_router(std::vector<Event>& events, std::size_t max) {
  Frame id;
  Frame frame;
  bool more = false;
  taken_.clear();
  bool filled = false;
  for (; max > 0 && !filled && router_.receive(id, more); --max) {
    PeerId peer = peer_of(id.bytes());
    lost_.erase(peer);
    ++counters_.frames_in;
    filled = ++taken_[peer] >= limits::kFramesOfPeer;
    if (more && ignores(peer)) {
      router_.discard_rest();
      ++counters_.ignored;
      continue;
    }
    if (!more || !router_.receive(frame, more) || more) {
      const std::uint64_t frames = 1 + (more ? router_.discard_rest() : 0);
      ++counters_.multipart;
      if (IdentityPtr who; !admits(frame, who)) continue;
      events.push_back(Malformed{std::move(peer),
                                 Error{Code::kRejected, "a message of " + std::to_string(frames) +
                                                            " frames; expected one frame"}});
      continue;
    }
    counters_.bytes_in += frame.size();
    IdentityPtr who;
    if (!admits(frame, who)) continue;
    Result<Message> message = frame.size() > limits::kFrameBytes
                                  ? failed(Code::kRejected, "a frame beyond the limit")
                                  : decode(frame.bytes());
    if (message) {
      events.push_back(Received{std::move(peer), make_message(std::move(*message)), std::move(who),
                                frame.size()});
    } else {
      ++counters_.malformed;
      events.push_back(Malformed{std::move(peer), std::move(message.error())});
    }
  }
}

// Bound: one entry a peer that was ignored of late; those whose time is over go with the next one.
void ZmqCoordinatorTransport::ignore(const IgnorePeer& ignore) {
  const Instant now = monotonic_now();
  std::erase_if(ignored_, [&](const auto& entry) { return now >= entry.second; });
  ignored_[ignore.peer] = now + Millis{ignore.millis};
}

bool ZmqCoordinatorTransport::ignores(const PeerId& peer) {
  if (ignored_.empty()) return false;
  const auto found = ignored_.find(peer);
  if (found == ignored_.end()) return false;
  if (monotonic_now() < found->second) return true;
  ignored_.erase(found);
  return false;
}

void ZmqCoordinatorTransport::receive_channel(const SwarmId& swarm, Channel& channel,
                                              std::vector<Event>& events, std::size_t max) {
  Frame frame;
  bool more = false;
  // Bound: frames that make no event must not hold the turn either.
  for (std::size_t frames = 0;
       max > 0 && frames < limits::kEventsPerTurn && channel.socket.receive(frame, more);
       ++frames) {
    if (more) channel.socket.discard_rest();
    const std::string_view bytes = frame.bytes();
    if (more || bytes.empty() || (bytes.front() != 0 && bytes.front() != 1)) {
      ++counters_.upstream;
      continue;
    }
    if (bytes.front() == 0) continue;  // an unsubscription
    ++counters_.subscriptions;
    if (const std::optional<Nonce> nonce = nonce_of(bytes.substr(1))) {
      events.push_back(Subscribed{swarm, *nonce});
      --max;
    }
  }
}

// ---- sending -----------------------------------------------------------------------------------

void ZmqCoordinatorTransport::send(const Send& send) {
  if (const auto* to = std::get_if<SendTo>(&send)) {
    send_to(*to);
  } else if (const auto* all = std::get_if<Broadcast>(&send)) {
    broadcast(*all);
  } else if (const auto* channel = std::get_if<OpenChannel>(&send)) {
    open_channel(*channel);
  } else if (const auto* drop = std::get_if<DropPeer>(&send)) {
    drop_peer(drop->peer);
  } else if (const auto* peer = std::get_if<IgnorePeer>(&send)) {
    ignore(*peer);
  } else {
    WAGGLE_CHECK(false, "an agent's action at a coordinator");
  }
}

const Frame* ZmqCoordinatorTransport::encoded(const MessagePtr& message) {
  if (encoded_message_ != message) {
    const std::string bytes = encode(*message);
    encoded_message_ = message;
    encoded_fits_ = bytes.size() <= limits::kFrameBytes;
    encoded_frame_ = encoded_fits_ ? Frame(bytes) : Frame();
    ++counters_.encoded;
  }
  if (encoded_fits_) return &encoded_frame_;
  ++counters_.dropped;
  return nullptr;
}

void ZmqCoordinatorTransport::send_to(const SendTo& send) {
  if (is_local(send.peer)) {
    if (options_.local != nullptr) options_.local->deliver(send.peer, send.message);
    return;
  }
  if (lost_.contains(send.peer)) {
    ++counters_.dropped;
    return;
  }
  const Frame* frame = encoded(send.message);
  if (frame == nullptr) return;
  // What is queued goes first.
  if (const auto queue = queues_.find(send.peer); queue != queues_.end()) {
    enqueue(send.peer, {}, urgency_of(*send.message), *frame);
    return;
  }
  std::string routing_id = routing_id_of(send.peer);
  const int error = send_frame(routing_id, *frame);
  if (error == EAGAIN) {
    enqueue(send.peer, std::move(routing_id), urgency_of(*send.message), *frame);
  } else if (error != 0) {
    ++counters_.dropped;
    lose(send.peer);
  }
}

int ZmqCoordinatorTransport::send_frame(const std::string& routing_id, Frame frame) {
  if (routing_id.empty()) return EHOSTUNREACH;
  // With ROUTER_MANDATORY the id's frame is refused when the peer is full or gone; behind an
  // accepted id the frame is always taken.
  if (const int error = router_.send(routing_id, true); error != 0) {
    return error == EAGAIN ? EAGAIN : EHOSTUNREACH;
  }
  const std::size_t size = frame.size();
  if (const int error = router_.send(frame); error != 0) return EHOSTUNREACH;
  ++counters_.frames_out;
  counters_.bytes_out += size;
  return 0;
}

void ZmqCoordinatorTransport::broadcast(const Broadcast& send) {
  const auto channel = channels_.find(send.swarm);
  const Frame* frame = encoded(send.message);
  if (frame == nullptr) return;
  if (channel == channels_.end()) {
    ++counters_.dropped;
    return;
  }
  Frame copy = *frame;
  if (channel->second.socket.send(copy) != 0) {
    ++counters_.dropped;
    return;
  }
  ++counters_.broadcasts;
  counters_.broadcast_bytes += frame->size();
}

// ---- slow peers --------------------------------------------------------------------------------

ZmqCoordinatorTransport::Urgency ZmqCoordinatorTransport::urgency_of(const Message& message) {
  if (std::holds_alternative<DeltaChunk>(message)) return Urgency::kChunk;
  if (std::holds_alternative<SubmitResult>(message) ||
      std::holds_alternative<QueryResult>(message) ||
      std::holds_alternative<CompactResult>(message))
    return Urgency::kResult;
  if (std::holds_alternative<StateRequest>(message) ||
      std::holds_alternative<OfferResult>(message) || std::holds_alternative<SyncReport>(message))
    return Urgency::kRound;
  return Urgency::kControl;
}

std::deque<Frame>* ZmqCoordinatorTransport::Queue::first() {
  const auto found =
      std::ranges::find_if(frames, [](const auto& of_urgency) { return !of_urgency.empty(); });
  return found == frames.end() ? nullptr : &*found;
}

void ZmqCoordinatorTransport::enqueue(const PeerId& peer, std::string routing_id, Urgency urgency,
                                      Frame frame) {
  const auto [entry, added] = queues_.try_emplace(peer);
  Queue& queue = entry->second;
  if (added) {
    queue.routing_id = std::move(routing_id);
    ++counters_.peers_queued;
  }
  const std::size_t size = frame.size();
  if (queue.bytes + size > options_.peer_queue_bytes) {
    ++counters_.dropped;
    forget_queue(entry);
    lose(peer);
    return;
  }
  queue.frames[static_cast<std::size_t>(urgency)].push_back(std::move(frame));
  queue.bytes += size;
  counters_.bytes_queued += size;
  ++counters_.queued;
  if (next_retry_ == Instant::never()) next_retry_ = monotonic_now() + kRetryInterval;
  if (counters_.bytes_queued > options_.all_queue_bytes) {
    const auto largest =
        std::ranges::max_element(queues_, {}, [](const auto& each) { return each.second.bytes; });
    const PeerId slowest = largest->first;
    forget_queue(largest);
    lose(slowest);
  }
}

void ZmqCoordinatorTransport::retry() {
  if (next_retry_ == Instant::never() || monotonic_now() < next_retry_) return;
  const bool waits = bind_again();
  for (auto entry = queues_.begin(); entry != queues_.end();) {
    Queue& queue = entry->second;
    int error = 0;
    while (std::deque<Frame>* frames = error == 0 ? queue.first() : nullptr) {
      const std::size_t size = frames->front().size();
      error = send_frame(queue.routing_id, frames->front());
      if (error == 0) {
        frames->pop_front();
        queue.bytes -= size;
        counters_.bytes_queued -= size;
      }
    }
    const auto here = entry++;
    if (error == EAGAIN) continue;
    const PeerId peer = here->first;
    forget_queue(here);
    if (error != 0) lose(peer);
  }
  next_retry_ = queues_.empty() && !waits ? Instant::never() : monotonic_now() + kRetryInterval;
}

void ZmqCoordinatorTransport::forget_queue(Queues::iterator queue) {
  for (const auto& of_urgency : queue->second.frames) counters_.dropped += of_urgency.size();
  counters_.bytes_queued -= queue->second.bytes;
  --counters_.peers_queued;
  queues_.erase(queue);
}

void ZmqCoordinatorTransport::lose(const PeerId& peer) {
  // Bound: past it a lost peer may be reported twice, which its reader ignores.
  if (lost_.size() >= kLostMax) lost_.clear();
  if (!lost_.insert(peer).second) return;
  ++counters_.peers_lost;
  own_.push_back(PeerLost{peer});
}

void ZmqCoordinatorTransport::drop_peer(const PeerId& peer) {
  if (is_local(peer)) {
    if (options_.local != nullptr) options_.local->drop(peer);
    return;
  }
  if (const auto queue = queues_.find(peer); queue != queues_.end()) forget_queue(queue);
  lost_.erase(peer);
}

// ---- channels ----------------------------------------------------------------------------------

void ZmqCoordinatorTransport::open_channel(const OpenChannel& send) {
  const auto [entry, added] = channels_.try_emplace(send.swarm);
  Channel& channel = entry->second;
  if (added) {
    Result<Socket> socket = bind_channel(send.swarm, send.wanted);
    if (!socket) {
      channels_.erase(entry);
      own_.push_back(ChannelFailed{send.swarm, std::move(socket.error().text)});
      return;
    }
    channel.socket = std::move(*socket);
    const bool tcp = endpoint_.kind == Endpoint::Kind::kTcp;
    channel.text = channel_text(
        *channel_endpoint(endpoint_, send.swarm, tcp ? channel.socket.bound_port() : 0));
    if (watch_ != nullptr) watch_->watch(channel.socket.fd());
  }
  own_.push_back(ChannelOpened{send.swarm, channel.text});
}

void ZmqCoordinatorTransport::shut_out(const SwarmId& swarm) {
  for (auto& [id, channel] : channels_) {
    if ((!swarm.empty() && id != swarm) || channel.bind_again) continue;
    channel.bind_again = channel.socket.bound_endpoint();
    channel.bind_tries = 0;
    channel.socket.unbind(*channel.bind_again);
    next_retry_ = std::min(next_retry_, monotonic_now() + kRetryInterval);
  }
}

// To the same address, since agents that lost the connection dial that one. libzmq gives it up a
// moment after unbind().
bool ZmqCoordinatorTransport::bind_again() {
  bool waits = false;
  std::vector<SwarmId> moved;
  for (auto& [id, channel] : channels_) {
    if (!channel.bind_again) continue;
    const Result<Endpoint> endpoint = parse_listen(*channel.bind_again, true);
    if (endpoint && channel.socket.bind(*endpoint)) {
      channel.bind_again.reset();
    } else if (++channel.bind_tries < kBindTriesMax) {
      waits = true;
    } else {
      moved.push_back(id);  // somebody else has it
    }
  }
  for (const SwarmId& id : moved) {
    const auto channel = channels_.find(id);
    if (watch_ != nullptr) watch_->forget(channel->second.socket.fd());
    channels_.erase(channel);
    open_channel(OpenChannel{id, {}});
  }
  return waits;
}

Result<Socket> ZmqCoordinatorTransport::bind_channel(const SwarmId& swarm,
                                                     const std::string& wanted) {
  Result<Socket> socket = Socket::open(context_, ZMQ_XPUB,
                                       {.send_high_water = options_.channel_messages,
                                        .receive_high_water = kPeerReceiveMessages,
                                        .frame_bytes_max = kSubscriptionBytesMax,
                                        .ipv6 = is_ipv6(endpoint_)});
  if (!socket) return socket;
  // Every subscription is told, also one that another peer has already.
  socket->set(ZMQ_XPUB_VERBOSE, 1);
  if (options_.key != nullptr) socket->serve_curve(*options_.key, zap_domain(swarm));

  std::vector<std::uint16_t> ports;
  if (endpoint_.kind == Endpoint::Kind::kTcp) {
    const std::uint16_t low = options_.channel_port_low;
    const std::uint16_t high = std::max(low, options_.channel_port_high);
    const std::uint16_t before = channel_port(wanted);
    if (before != 0 && (low == 0 || (low <= before && before <= high))) ports.push_back(before);
    if (low == 0) {
      ports.push_back(0);
    } else {
      for (std::uint32_t port = low; port <= high; ++port) {
        ports.push_back(static_cast<std::uint16_t>(port));
      }
    }
  } else {
    ports.push_back(0);
  }
  std::string text;
  for (const std::uint16_t port : ports) {
    const Result<Endpoint> endpoint = channel_endpoint(endpoint_, swarm, port);
    if (!endpoint) return std::unexpected(endpoint.error());
    const Status bound = socket->bind(*endpoint);
    if (bound) return socket;
    text = bound.error().text;
  }
  if (ports.size() > 2) {
    text = "no free port from " + std::to_string(ports.front()) + " to " +
           std::to_string(ports.back()) + " for the broadcasts of swarm '" + swarm.value() +
           "'; the last one: " + text;
  }
  return failed(Code::kUnavailable, std::move(text));
}

}  // namespace waggle
