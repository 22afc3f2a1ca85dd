#include "io/broadcast_cache.h"

#include <utility>

#include "base/hash.h"
#include "capnp/codec.h"

namespace waggle {

void BroadcastCache::leave() {
  --agents_;
  if (agents_ > 1) return;
  by_hash_.clear();
  entries_.clear();
  bytes_ = 0;
}

Result<MessagePtr> BroadcastCache::message_of(const Frame& frame) {
  const std::string_view bytes = frame.bytes();
  const bool keep = agents_ > 1;
  const std::uint64_t hash = keep ? hash128(bytes).low : 0;
  if (keep) {
    const auto found = by_hash_.find(hash);
    if (found != by_hash_.end() && found->second->frame.bytes() == bytes) {
      ++counters_.shared;
      return found->second->message;
    }
  }
  ++counters_.decoded;
  Result<Message> decoded = decode(bytes);
  if (!decoded) return std::unexpected(std::move(decoded.error()));
  MessagePtr message = make_message(std::move(*decoded));
  if (!keep) return message;

  entries_.push_back({hash, frame, message});
  if (!by_hash_.try_emplace(hash, std::prev(entries_.end())).second) {
    entries_.pop_back();  // another frame of the same hash: it is there until it is the oldest
    return message;
  }
  bytes_ += bytes.size();
  while (bytes_ > kBytesMax || entries_.size() > kFramesMax) {
    bytes_ -= entries_.front().frame.size();
    by_hash_.erase(entries_.front().hash);
    entries_.pop_front();
  }
  return message;
}

}  // namespace waggle
