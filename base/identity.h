#pragma once

// Who sends, where connections prove it (io/zap.h). Without keys there is no identity, and a peer
// is believed what its hello says.

#include <memory>
#include <string>

#include "base/ids.h"
#include "base/signature.h"

namespace waggle {

struct Identity {
  std::string key;  // the fingerprint of the public key: names it in texts and logs
  AgentId agent;    // the only one that the key speaks for
  SwarmId swarm;    // the only one that it enters; empty: any
  SigningKey signing{};
  friend bool operator==(const Identity&, const Identity&) = default;

  [[nodiscard]] bool enters(const SwarmId& wanted) const {
    return swarm.empty() || swarm == wanted;
  }
};
using IdentityPtr = std::shared_ptr<const Identity>;

}  // namespace waggle
