#pragma once

// Broadcasts that were decoded already. Every agent of a swarm receives the same frames by its own
// SUB socket; agents that share a thread decode each of them once and share the message, which is
// immutable.
//
// Safety: a frame is taken for another one only when all its bytes are equal, so sharing can't be
// told from decoding anew. What the codec refuses is not kept.
//
// Bound: kBytesMax of frames and kFramesMax of them, the oldest go first. With a single agent
// nothing is kept. One thread owns a cache; it outlives the transports that borrow it.

#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

#include "base/message.h"
#include "base/status.h"
#include "io/zmq_socket.h"

namespace waggle {

class BroadcastCache {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{8} << 20;
  static constexpr std::size_t kFramesMax = 4'096;

  // An agent that receives broadcasts comes and goes.
  void enter() { ++agents_; }
  void leave();

  // The message of a frame. Errors as decode().
  [[nodiscard]] Result<MessagePtr> message_of(const Frame& frame);

  struct Counters {
    std::uint64_t decoded = 0;
    std::uint64_t shared = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    Frame frame;
    MessagePtr message;
  };

  std::size_t agents_ = 0;
  std::list<Entry> entries_;  // oldest first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_hash_;
  std::size_t bytes_ = 0;
  Counters counters_;
};

}  // namespace waggle
