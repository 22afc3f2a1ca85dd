#include "coordinator/sessions.h"

#include <algorithm>
#include <utility>

namespace waggle {

Health Beat::health(Millis silence) const {
  if (silence.count < degraded()) return Health::kHealthy;
  if (silence.count < critical()) return Health::kDegraded;
  if (silence.count < failed()) return Health::kCritical;
  return Health::kFailed;
}

Session& Sessions::open(Session session) {
  if (const auto before = by_peer_.find(session.peer); before != by_peer_.end())
    close(SessionId(before->second));
  if (session.role != Role::kClient) {
    const auto holder = holders_.find({session.swarm, session.agent});
    if (holder != holders_.end()) close(SessionId(holder->second));
    holders_[{session.swarm, session.agent}] = session.id;
  }
  by_peer_[session.peer] = session.id;
  return by_id_[session.id] = std::move(session);
}

void Sessions::close(SessionId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  Session& session = found->second;
  if (const auto peer = by_peer_.find(session.peer); peer != by_peer_.end() && peer->second == id)
    by_peer_.erase(peer);
  const auto holder = holders_.find({session.swarm, session.agent});
  if (holder != holders_.end() && holder->second == id) holders_.erase(holder);
  if (session.role != Role::kClient) ended_.push_back(std::move(found->second));
  by_id_.erase(found);
}

Session* Sessions::of(const PeerId& peer, const IdentityPtr& who, SessionId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second.peer != peer || found->second.who != who)
    return nullptr;
  return &found->second;
}

std::vector<SessionId> Sessions::opened_by(const Identity& who) const {
  std::vector<SessionId> opened;
  for (const auto& [id, session] : by_id_)
    if (session.who != nullptr && session.who->key == who.key) opened.push_back(id);
  return opened;
}

Session* Sessions::by_peer(const PeerId& peer) {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? nullptr : &by_id_.at(found->second);
}

Session* Sessions::by_nonce(const SwarmId& swarm, Nonce nonce) {
  for (auto& [id, session] : by_id_)
    if (session.nonce == nonce && session.swarm == swarm) return &session;
  return nullptr;
}

Session* Sessions::holder(const SwarmId& swarm, const AgentId& agent) {
  const auto found = holders_.find({swarm, agent});
  return found == holders_.end() ? nullptr : &by_id_.at(found->second);
}

std::vector<SessionId> Sessions::expired(Instant now) const {
  std::vector<SessionId> expired;
  for (const auto& [id, session] : by_id_)
    if (health(session, now) == Health::kFailed) expired.push_back(id);
  return expired;
}

Instant Sessions::next_expiry() const {
  Instant next = Instant::never();
  for (const auto& [id, session] : by_id_)
    next = std::min(next, session.heard + Millis{beat_.failed()});
  return next;
}

void Sessions::refresh_all(Instant now) {
  for (auto& [id, session] : by_id_) session.heard = now;
}

std::vector<const Session*> Sessions::of_swarm(const SwarmId& swarm) const {
  std::vector<const Session*> sessions;
  for (const auto& [id, session] : by_id_)
    if (session.swarm == swarm && session.role != Role::kClient) sessions.push_back(&session);
  std::sort(sessions.begin(), sessions.end(),
            [](const Session* a, const Session* b) { return a->agent < b->agent; });
  return sessions;
}

bool Sessions::anyone_attached(const SwarmId& swarm) const {
  return std::any_of(by_id_.begin(), by_id_.end(), [&](const auto& entry) {
    return entry.second.swarm == swarm && entry.second.attached;
  });
}

}  // namespace waggle
