#pragma once

// One DEALER that speaks the protocol and holds no state: a writer of load, a puller of deltas, and
// a member that is only there. What it sends is what an agent or `waggle state put` sends.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/message.h"
#include "io/zmq_context.h"
#include "io/zmq_socket.h"

namespace waggle::bench {

class Peer {
 public:
  // Says hello and waits for the welcome. An id that begins with ~client is a client. Throws
  // std::runtime_error.
  Peer(const ZmqContext& context, const std::string& endpoint, const std::string& id);

  [[nodiscard]] const Welcome& welcome() const { return welcome_; }
  [[nodiscard]] int descriptor() const { return dealer_.fd(); }
  void send(const Message& message);
  // Null: nothing came in that time.
  [[nodiscard]] MessagePtr receive(int timeout_millis);

  // A client's next write of one value; nothing is seen before it, so lww settles it.
  [[nodiscard]] Mutation put(const std::string& key, std::string value);
  [[nodiscard]] Submit submit(std::vector<Mutation> mutations) const;
  // Takes a result into account; the number of mutations that it acknowledges. Throws when one was
  // not committed durably.
  std::size_t acknowledge(const SubmitResult& result);
  [[nodiscard]] Revision newest() const { return newest_; }

  // A member's broadcast leg: subscribes as an agent does; received frames are left in ZeroMQ.
  void join_channel(const ZmqContext& context, const std::string& endpoint);

  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }
  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }

 private:
  Socket dealer_;
  Socket sub_;
  Welcome welcome_;
  Incarnation incarnation_{1};
  Seq seq_;
  Seq confirmed_;
  Revision newest_;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t bytes_in_ = 0;
};

// Puts `keys` values of so many bytes, many at a time; "prefix/000123" are the keys. Returns the
// revision after them.
Revision fill(const ZmqContext& context, const std::string& endpoint, const std::string& prefix,
              std::size_t keys, std::size_t bytes);

}  // namespace waggle::bench
