#pragma once

// Who is attached: one session for each attachment of an agent, found by its connection, and the
// lease that each agent's newest session holds on its id.
//
//   hello --> session --(nonce read on the broadcast socket)--> attached --(silence)--> failed,
//   gone
//                \--(a later session of the same agent)--> fenced
//
// Health by silence, at the 5 s beat: < 15 s healthy, < 30 s degraded, < 45 s critical, then
// failed: the session ends and the id is free. A session is volatile: after a restart of the
// coordinator all are gone and everyone says hello again.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/access.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/message.h"
#include "base/time.h"
#include "coordinator/allowances.h"

namespace waggle {

struct Beat {
  std::int64_t interval_millis = 5'000;
  [[nodiscard]] std::int64_t degraded() const { return 3 * interval_millis; }
  [[nodiscard]] std::int64_t critical() const { return 6 * interval_millis; }
  [[nodiscard]] std::int64_t failed() const { return 9 * interval_millis; }
  [[nodiscard]] Health health(Millis silence) const;
};

struct Session {
  SessionId id;
  PeerId peer;
  IdentityPtr who;  // null: there are no keys
  RightsPtr rights = Rights::all();
  SwarmId swarm;
  AgentId agent;
  Role role = Role::kMember;
  bool inner = false;  // of the coordinator's own process
  Token token{};
  Incarnation process;  // names the agent's process, see Hello
  Nonce nonce;
  bool attached = false;  // the broadcast leg was seen live
  bool left = false;      // it said goodbye
  int beats_behind = 0;   // beats in a row with its broadcast leg behind
  Instant heard;
  std::uint64_t heartbeat_number = 0;
  Cursor cursor;
  BroadcastNo broadcast;        // the newest that it received
  BroadcastNo acked_broadcast;  // sent when its last beat was answered
  // Of this session: incarnations it has written under, and those that it had no longer listed.
  std::set<Incarnation> submitted;
  std::set<Incarnation> retired;
  // Of its ephemeral writes: the last one, and its result in case that is lost.
  std::uint64_t ephemeral_number = 0;
  MessagePtr ephemeral_result;
  Sender sender;                 // whose allowances it draws on; of this process: nobody's
  std::uint64_t over_limit = 0;  // messages and writes that a limit refused
};

class Sessions {
 public:
  explicit Sessions(Beat beat) : beat_(beat) {}

  // Replaces any session of the same connection, and of the same agent unless it is a client.
  Session& open(Session session);
  void close(SessionId id);

  // The session of a frame: named by it, of the connection it came by and of the identity that sent
  // it. Null: no such session.
  Session* of(const PeerId& peer, const IdentityPtr& who, SessionId id);
  Session* by_peer(const PeerId& peer);
  Session* by_nonce(const SwarmId& swarm, Nonce nonce);
  // The member or observer that holds the id at present.
  Session* holder(const SwarmId& swarm, const AgentId& agent);

  [[nodiscard]] Health health(const Session& session, Instant now) const {
    return beat_.health(now - session.heard);
  }
  // Sessions that this identity opened.
  [[nodiscard]] std::vector<SessionId> opened_by(const Identity& who) const;
  // Sessions whose lease is over.
  [[nodiscard]] std::vector<SessionId> expired(Instant now) const;
  // When the next lease could end; never, if there is none.
  [[nodiscard]] Instant next_expiry() const;
  // After the coordinator itself stood still: everybody gets a fresh interval.
  void refresh_all(Instant now);

  [[nodiscard]] const std::map<SessionId, Session>& all() const { return by_id_; }
  // Those that ended since it was asked last, but clients'.
  [[nodiscard]] std::vector<Session> take_ended() { return std::exchange(ended_, {}); }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::vector<const Session*> of_swarm(const SwarmId& swarm) const;
  [[nodiscard]] bool anyone_attached(const SwarmId& swarm) const;

 private:
  Beat beat_;
  std::map<SessionId, Session> by_id_;
  std::vector<Session> ended_;
  std::map<PeerId, SessionId> by_peer_;
  std::map<std::pair<SwarmId, AgentId>, SessionId> holders_;
};

}  // namespace waggle
