#pragma once

// An agent's side of the wire: a DEALER to its coordinator and, once joined, a SUB to its swarm's
// broadcasts.
//
//   SendUp      --> DEALER; not connected or full: dropped and counted, the core sends again. Only
//                   the newest Hello is kept and leaves when the connection is there.
//   JoinChannel --> a new SUB that subscribes everything, then the nonce's topic. In this order, so
//                   when the coordinator reads the nonce the rest is subscribed.
//   Redial      --> a new DEALER
//
// Safety: the DEALER takes no routing id of its own and queues nothing for a coordinator that it
// does not reach, so what was meant for one coordinator never reaches the next.
//
// Many agents may share one ZmqContext and one thread. One thread owns a transport.

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "io/broadcast_cache.h"
#include "io/handshake_watch.h"
#include "io/host.h"
#include "io/poll_source.h"
#include "io/zmq_context.h"
#include "io/zmq_socket.h"

namespace waggle {

class ZmqAgentTransport final : public Transport, public PollSource {
 public:
  struct Options {
    Endpoint coordinator;   // of parse_dial()
    LinkKeysPtr keys = {};  // null: without CURVE
    // Says why a connection does not come about; costs two inner sockets.
    bool explain = false;
    int send_messages = 1000;      // in ZeroMQ, on their way to the coordinator
    int receive_messages = 256;    // in ZeroMQ, from the coordinator
    int broadcast_messages = 512;  // in ZeroMQ; beyond, updates are lost and pulled
    // Of all agents of the thread; borrowed, outlives the transport. Null: decodes for itself.
    BroadcastCache* broadcasts = nullptr;
  };
  // Fails when there are no more sockets; never because nobody listens there. Borrows the context.
  [[nodiscard]] static Result<std::unique_ptr<ZmqAgentTransport>> open(const ZmqContext& context,
                                                                       const Options& options);
  ~ZmqAgentTransport() override;

  ZmqAgentTransport(const ZmqAgentTransport&) = delete;
  ZmqAgentTransport& operator=(const ZmqAgentTransport&) = delete;

  // ---- Transport
  void receive(std::vector<Event>& events, std::size_t max) override;
  void send(const Send& send) override;

  // ---- PollSource
  void attach(FdWatch* watch) override;
  void spoke(int fd) override;
  [[nodiscard]] bool has_work() override;

  struct Counters {
    std::uint64_t frames_in = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t broadcasts_in = 0;
    std::uint64_t broadcast_bytes_in = 0;
    std::uint64_t frames_out = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t malformed = 0;
    std::uint64_t multipart = 0;
    std::uint64_t dropped = 0;  // not connected, or the coordinator does not keep up
    std::uint64_t redials = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  ZmqAgentTransport(const ZmqContext& context, const Options& options);

  [[nodiscard]] Status dial();
  [[nodiscard]] bool worth_a_look(const Socket& socket) const;
  void receive_from(Socket& socket, bool broadcast, std::vector<Event>& events, std::size_t max);
  [[nodiscard]] Result<MessagePtr> message_of(const Frame& frame, bool broadcast);
  void send_up(const MessagePtr& message);
  void flush_hello();
  void join(const JoinChannel& channel);
  void leave();
  void redial();
  void report(Code code, std::string text);

  const ZmqContext& context_;
  const Options options_;
  Socket dealer_;
  HandshakeWatch handshake_;  // of dealer_, and closed before it
  Socket sub_;
  FdWatch* watch_ = nullptr;

  MessagePtr hello_;  // waits for the connection
  std::deque<Event> own_;
  Counters counters_;
};

}  // namespace waggle
