#pragma once

// Claims as a bare peer asks for them.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>

#include "base/message.h"
#include "bench/peer.h"

namespace waggle::bench {

inline constexpr int kAnswerMillis = 20'000;

inline ClaimRequest claim_request(const Peer& peer, ClaimVerb verb, const std::string& pattern,
                                  FenceToken token = {}) {
  static std::uint64_t number = 0;
  ClaimRequest request;
  request.session = peer.welcome().session;
  request.request = RequestId(++number);
  request.verb = verb;
  request.pattern = pattern;
  request.token = token;
  if (verb == ClaimVerb::kTake) request.ttl_millis = 60'000;
  return request;
}

// The next message of a kind; others that a peer gets are left aside.
template <typename T>
T next_of(Peer& peer) {
  while (const MessagePtr message = peer.receive(kAnswerMillis)) {
    if (const auto* wanted = std::get_if<T>(message.get())) return *wanted;
    if (const auto* error = std::get_if<ErrorReply>(message.get()))
      throw std::runtime_error(error->text);
  }
  throw std::runtime_error("the coordinator does not answer");
}

inline ClaimResult claim_granted(Peer& peer) {
  ClaimResult result = next_of<ClaimResult>(peer);
  if (result.code != Code::kCommitted || result.place != 0)
    throw std::runtime_error("no claim was granted: " + result.text);
  return result;
}

}  // namespace waggle::bench
