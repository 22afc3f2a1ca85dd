#include "io/zmq_agent.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "capnp/codec.h"
#include "io/zmq_coordinator.h"

namespace waggle {

namespace {

constexpr std::size_t kOwnEventsMax = 1'024;

}  // namespace

// ---- opening -----------------------------------------------------------------------------------

// A new connection in place of what there was.
Status ZmqAgentTransport::dial() {
  handshake_.close();
  if (dealer_.is_open()) {
    if (watch_ != nullptr) watch_->forget(dealer_.fd());
    dealer_.close_now();
  }
  Result<Socket> dealer =
      Socket::open(context_, ZMQ_DEALER,
                   {.send_high_water = options_.send_messages,
                    .receive_high_water = options_.receive_messages,
                    .frame_bytes_max = static_cast<std::int64_t>(limits::kFrameBytes),
                    .ipv6 = options_.coordinator.host.starts_with('[')});
  if (!dealer) return std::unexpected(std::move(dealer.error()));
  dealer->set(ZMQ_IMMEDIATE, 1);
  if (options_.keys != nullptr) dealer->dial_curve(*options_.keys);
  if (options_.explain) handshake_ = HandshakeWatch(context_, *dealer, options_.keys != nullptr);
  if (Status connected = dealer->connect(options_.coordinator); !connected) {
    handshake_.close();
    return connected;
  }
  dealer_ = std::move(*dealer);
  if (watch_ != nullptr) watch_->watch(dealer_.fd());
  return {};
}

Result<std::unique_ptr<ZmqAgentTransport>> ZmqAgentTransport::open(const ZmqContext& context,
                                                                   const Options& options) {
  std::unique_ptr<ZmqAgentTransport> transport(new ZmqAgentTransport(context, options));
  if (Status dialled = transport->dial(); !dialled)
    return std::unexpected(std::move(dialled.error()));
  return transport;
}

ZmqAgentTransport::ZmqAgentTransport(const ZmqContext& context, const Options& options)
    : context_(context), options_(options) {}

ZmqAgentTransport::~ZmqAgentTransport() {
  attach(nullptr);
  handshake_.close();
  leave();
}

// ---- waiting -----------------------------------------------------------------------------------

void ZmqAgentTransport::attach(FdWatch* watch) {
  const auto each_fd = [this](auto&& tell) {
    if (dealer_.is_open()) tell(dealer_.fd());
    if (sub_.is_open()) tell(sub_.fd());
  };
  if (watch_ != nullptr) each_fd([this](int fd) { watch_->forget(fd); });
  watch_ = watch;
  if (watch_ != nullptr) each_fd([this](int fd) { watch_->watch(fd); });
}

void ZmqAgentTransport::spoke(int fd) {
  if (sub_.is_open() && sub_.fd() == fd) sub_.spoke();
  if (dealer_.is_open() && dealer_.fd() == fd) dealer_.spoke();
}

bool ZmqAgentTransport::has_work() {
  if (!own_.empty()) return true;
  if (sub_.is_open() && sub_.may_receive() && (sub_.events() & ZMQ_POLLIN) != 0) return true;
  if (!dealer_.is_open()) return false;
  if (hello_ != nullptr) return (dealer_.events() & (ZMQ_POLLIN | ZMQ_POLLOUT)) != 0;
  return dealer_.may_receive() && (dealer_.events() & ZMQ_POLLIN) != 0;
}

// Without a loop nobody says that a descriptor spoke, so every socket is looked at.
bool ZmqAgentTransport::worth_a_look(const Socket& socket) const {
  return socket.is_open() && (watch_ == nullptr || socket.may_receive());
}

// ---- receiving ---------------------------------------------------------------------------------

void ZmqAgentTransport::receive(std::vector<Event>& events, std::size_t max) {
  flush_hello();
  if (const std::optional<Error> failure = handshake_.take()) report(failure->code, failure->text);
  const std::size_t end = events.size() + max;
  while (!own_.empty() && events.size() < end) {
    events.push_back(std::move(own_.front()));
    own_.pop_front();
  }
  if (worth_a_look(sub_)) receive_from(sub_, true, events, (end - events.size() + 1) / 2);
  if (worth_a_look(dealer_)) receive_from(dealer_, false, events, end - events.size());
}

void ZmqAgentTransport::receive_from(Socket& socket, bool broadcast, std::vector<Event>& events,
                                     std::size_t max) {
  Frame frame;
  bool more = false;
  for (; max > 0 && socket.receive(frame, more); --max) {
    ++(broadcast ? counters_.broadcasts_in : counters_.frames_in);
    (broadcast ? counters_.broadcast_bytes_in : counters_.bytes_in) += frame.size();
    if (more) {
      const std::uint64_t frames = 1 + socket.discard_rest();
      ++counters_.multipart;
      events.push_back(Malformed{{},
                                 Error{Code::kRejected, "a message of " + std::to_string(frames) +
                                                            " frames; expected one frame"}});
      continue;
    }
    Result<MessagePtr> message = message_of(frame, broadcast);
    if (!message) {
      ++counters_.malformed;
      events.push_back(Malformed{{}, std::move(message.error())});
    } else if (broadcast) {
      events.push_back(BroadcastReceived{std::move(*message)});
    } else {
      events.push_back(Received{{}, std::move(*message)});
    }
  }
}

Result<MessagePtr> ZmqAgentTransport::message_of(const Frame& frame, bool broadcast) {
  if (frame.size() > limits::kFrameBytes)
    return failed(Code::kRejected, "a frame beyond the limit");
  if (broadcast && options_.broadcasts != nullptr) return options_.broadcasts->message_of(frame);
  Result<Message> message = decode(frame.bytes());
  if (!message) return std::unexpected(std::move(message.error()));
  return make_message(std::move(*message));
}

// ---- sending -----------------------------------------------------------------------------------

void ZmqAgentTransport::send(const Send& send) {
  if (const auto* up = std::get_if<SendUp>(&send)) {
    send_up(up->message);
  } else if (const auto* channel = std::get_if<JoinChannel>(&send)) {
    join(*channel);
  } else if (std::holds_alternative<LeaveChannel>(send)) {
    leave();
  } else if (std::holds_alternative<Redial>(send)) {
    redial();
  } else {
    WAGGLE_CHECK(false, "a coordinator's action at an agent");
  }
}

void ZmqAgentTransport::send_up(const MessagePtr& message) {
  const bool hello = std::holds_alternative<Hello>(*message);
  if (hello) hello_ = nullptr;  // this one is newer
  const std::string bytes = encode(*message);
  const bool fits = bytes.size() <= limits::kFrameBytes;
  if (fits && dealer_.is_open() && dealer_.send(bytes, false) == 0) {
    ++counters_.frames_out;
    counters_.bytes_out += bytes.size();
  } else if (hello && fits) {
    hello_ = message;
  } else {
    ++counters_.dropped;
  }
}

void ZmqAgentTransport::flush_hello() {
  if (hello_ == nullptr || !dealer_.is_open() || (dealer_.events() & ZMQ_POLLOUT) == 0) return;
  const MessagePtr hello = std::exchange(hello_, nullptr);
  send_up(hello);
}

void ZmqAgentTransport::join(const JoinChannel& channel) {
  leave();
  const Result<Endpoint> endpoint = broadcast_endpoint(options_.coordinator, channel.channel);
  if (!endpoint) return report(endpoint.error().code, endpoint.error().text);
  Result<Socket> sub =
      Socket::open(context_, ZMQ_SUB,
                   {.send_high_water = 16,  // of subscriptions; there are two
                    .receive_high_water = options_.broadcast_messages,
                    .frame_bytes_max = static_cast<std::int64_t>(limits::kFrameBytes),
                    .ipv6 = endpoint->host.starts_with('[')});
  if (!sub) return report(sub.error().code, sub.error().text);
  if (options_.keys != nullptr) sub->dial_curve(*options_.keys);
  if (const Status connected = sub->connect(*endpoint); !connected) {
    return report(connected.error().code, connected.error().text);
  }
  // Everything first: libzmq tells its peer in this order, and in this order again after a
  // reconnect, since it walks the topics from the shortest prefix on.
  sub->subscribe("");
  sub->subscribe(nonce_topic(channel.nonce));
  sub_ = std::move(*sub);
  if (options_.broadcasts != nullptr) options_.broadcasts->enter();
  if (watch_ != nullptr) watch_->watch(sub_.fd());
}

void ZmqAgentTransport::leave() {
  if (!sub_.is_open()) return;
  if (watch_ != nullptr) watch_->forget(sub_.fd());
  sub_.close_now();
  if (options_.broadcasts != nullptr) options_.broadcasts->leave();
}

void ZmqAgentTransport::redial() {
  ++counters_.redials;
  hello_ = nullptr;
  if (const Status dialled = dial(); !dialled) report(dialled.error().code, dialled.error().text);
}

// What went wrong on this side; the core tries again on its own timer.
void ZmqAgentTransport::report(Code code, std::string text) {
  if (own_.size() < kOwnEventsMax) own_.push_back(Malformed{{}, Error{code, std::move(text)}});
}

}  // namespace waggle
