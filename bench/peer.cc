#include "bench/peer.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <zmq.h>

#include "base/limits.h"
#include "bench/summary.h"
#include "bench/swarm.h"
#include "capnp/codec.h"
#include "io/random.h"
#include "io/zmq_coordinator.h"

namespace waggle::bench {
namespace {

// The native handle of a Socket is its own; zmq_poll needs only the descriptor.
void wait_readable(Socket& socket, int timeout_millis) {
  if ((socket.events() & ZMQ_POLLIN) != 0 || timeout_millis == 0) return;
  zmq_pollitem_t item{nullptr, socket.fd(), ZMQ_POLLIN, 0};
  zmq_poll(&item, 1, timeout_millis);
}

Endpoint endpoint_of(const std::string& text) {
  const Result<Endpoint> endpoint = parse_dial(text);
  if (!endpoint) throw std::runtime_error(endpoint.error().text);
  return *endpoint;
}

Socket open_socket(const ZmqContext& context, int type) {
  Result<Socket> socket = Socket::open(
      context, type, {.frame_bytes_max = static_cast<std::int64_t>(limits::kFrameBytes)});
  if (!socket) throw std::runtime_error(socket.error().text);
  return std::move(*socket);
}

std::int64_t wall_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Peer::Peer(const ZmqContext& context, const std::string& endpoint, const std::string& id)
    : dealer_(open_socket(context, ZMQ_DEALER)), incarnation_(random_seed() >> 2 | 1) {
  if (!dealer_.connect(endpoint_of(endpoint))) throw std::runtime_error("can't dial " + endpoint);
  Hello hello;
  hello.swarm = SwarmId(kSwarmName);
  hello.agent = AgentId(id);
  hello.role = is_client_agent(hello.agent) ? Role::kClient : Role::kMember;
  hello.token.fill(static_cast<std::uint8_t>(random_seed() | 1));
  hello.incarnations = {incarnation_};
  const double deadline = now_micros() + 10e6;
  while (!welcome_.session) {
    if (now_micros() > deadline) throw std::runtime_error("the coordinator does not welcome " + id);
    send(hello);
    while (const MessagePtr message = receive(500)) {
      if (const auto* welcome = std::get_if<Welcome>(message.get())) {
        welcome_ = *welcome;
        break;
      }
      if (const auto* refused = std::get_if<Refused>(message.get()))
        throw std::runtime_error("refused: " + refused->text);
    }
  }
}

void Peer::send(const Message& message) {
  const std::string frame = encode(message);
  while (dealer_.send(frame, false) != 0) {
    zmq_pollitem_t item{nullptr, dealer_.fd(), ZMQ_POLLIN, 0};
    zmq_poll(&item, 1, 1);
  }
  bytes_out_ += frame.size();
}

MessagePtr Peer::receive(int timeout_millis) {
  const double deadline = now_micros() + timeout_millis * 1e3;
  Frame frame;
  bool more = false;
  while (!dealer_.receive(frame, more)) {
    const double left = deadline - now_micros();
    if (left <= 0) return nullptr;
    wait_readable(dealer_, static_cast<int>(left / 1e3) + 1);
  }
  bytes_in_ += frame.size();
  Result<Message> message = decode(frame.bytes());
  if (!message) throw std::runtime_error(message.error().text);
  return make_message(std::move(*message));
}

Mutation Peer::put(const std::string& key, std::string value) {
  Mutation mutation;
  mutation.incarnation = incarnation_;
  mutation.seq = seq_ = seq_.next();
  mutation.context = {
      welcome_.epoch, std::max(welcome_.head, newest_), {{incarnation_, confirmed_}}};
  mutation.hlc = Hlc::of(static_cast<std::uint64_t>(wall_millis()), seq_.value() & 0xffff);
  mutation.entries.push_back({Key(key), {}, PutOp{ContentType::kBytes, std::move(value)}, {}});
  return mutation;
}

Submit Peer::submit(std::vector<Mutation> mutations) const {
  Submit submit;
  submit.session = welcome_.session;
  submit.epoch = welcome_.epoch;
  submit.confirmed = {{incarnation_, confirmed_}};
  submit.mutations = std::move(mutations);
  return submit;
}

std::size_t Peer::acknowledge(const SubmitResult& result) {
  for (const MutationResult& one : result.results) {
    const Outcome& outcome = one.outcome;
    if (outcome.code != Code::kCommitted || outcome.level != Level::kDurable)
      throw std::runtime_error(fmt::format("a write was not durable: code {}, {}",
                                           static_cast<int>(outcome.code), outcome.text));
    confirmed_ = one.seq;
    newest_ = std::max(newest_, outcome.revision);
  }
  return result.results.size();
}

void Peer::join_channel(const ZmqContext& context, const std::string& endpoint) {
  const Result<Endpoint> channel = broadcast_endpoint(endpoint_of(endpoint), welcome_.channel);
  if (!channel) throw std::runtime_error(channel.error().text);
  sub_ = open_socket(context, ZMQ_SUB);
  if (!sub_.connect(*channel)) throw std::runtime_error("can't dial the channel");
  sub_.subscribe("");
  sub_.subscribe(nonce_topic(welcome_.nonce));
}

Revision fill(const ZmqContext& context, const std::string& endpoint, const std::string& prefix,
              std::size_t keys, std::size_t bytes) {
  constexpr std::size_t kAtOnce = 128;
  constexpr std::size_t kAhead = 512;
  constexpr std::size_t kSubmitBytes = std::size_t{256} << 10;
  Peer writer(context, endpoint, fmt::format("~client-fill-{:x}", random_seed()));
  std::size_t sent = 0;
  std::size_t acknowledged = 0;
  const double deadline = now_micros() + 120e6;
  while (acknowledged < keys) {
    while (sent < keys && sent - acknowledged + kAtOnce <= kAhead) {
      std::vector<Mutation> batch;
      for (std::size_t size = 0; batch.size() < kAtOnce && size < kSubmitBytes && sent < keys;
           ++sent, size += bytes)
        batch.push_back(writer.put(fmt::format("{}/{:06}", prefix, sent), std::string(bytes, 'v')));
      writer.send(writer.submit(std::move(batch)));
    }
    const MessagePtr message = writer.receive(5'000);
    if (message == nullptr || now_micros() > deadline)
      throw std::runtime_error("the coordinator does not acknowledge what fills it");
    if (const auto* result = std::get_if<SubmitResult>(message.get()))
      acknowledged += writer.acknowledge(*result);
  }
  return writer.newest();
}

}  // namespace waggle::bench
