// Joining and beats.

#include "capnp/codec.h"
#include "capnp/messages.h"
#include "capnp/parts.h"

namespace waggle::codec {

void write(wire::Hello::Builder to, const Hello& from) {
  to.setProtocol(from.protocol);
  to.setRole(number_of(from.role));
  to.setFeatures(from.features);
  write_cursor(to.getCursor(), from.cursor);
  to.setSwarm(text_of(from.swarm));
  to.setAgent(text_of(from.agent));
  to.setToken(data_of(from.token));
  write_incarnations(from.incarnations, [&](unsigned size) { return to.initIncarnations(size); });
}

Hello read(wire::Hello::Reader from) {
  return {.protocol = from.getProtocol(),
          .features = from.getFeatures(),
          .swarm = read_swarm(from.getSwarm()),
          .agent = read_agent(from.getAgent()),
          .role = read_enum<Role>(from.getRole()),
          .cursor = read_cursor(from.getCursor()),
          .token = read_array<sizeof(Token)>(from.getToken(), "token"),
          .incarnations = read_incarnations(from.getIncarnations())};
}

void write(wire::Welcome::Builder to, const Welcome& from) {
  to.setSession(from.session.value());
  to.setNonce(from.nonce.value());
  to.setStart(from.start.value());
  to.setEpoch(from.epoch.value());
  to.setHead(from.head.value());
  to.setFloor(from.floor.value());
  to.setWallMillis(from.wall_millis);
  to.setWindow(from.window);
  to.setHeartbeatMillis(from.heartbeat_millis);
  to.setPrivateKeys(from.private_keys);
  to.setView(from.view);
  write_list(from.lineage, [&](unsigned size) { return to.initLineage(size); }, write);
  if (!from.channel.empty()) to.setChannel(text_of(from.channel));
}

Welcome read(wire::Welcome::Reader from) {
  return {.session = SessionId(from.getSession()),
          .nonce = Nonce(from.getNonce()),
          .start = StartId(from.getStart()),
          .epoch = Epoch(from.getEpoch()),
          .lineage = read_lineage(from.getLineage()),
          .head = read_revision(from.getHead()),
          .floor = read_revision(from.getFloor()),
          .channel = read_text(from.getChannel(), "channel"),
          .wall_millis = read_wall(from.getWallMillis()),
          .window = read_number(from.getWindow(), "window"),
          .heartbeat_millis = read_duration(from.getHeartbeatMillis(), "heartbeat interval"),
          .private_keys = from.getPrivateKeys(),
          .view = from.getView()};
}

void write(wire::Refused::Builder to, const Refused& from) {
  to.setCode(number_of(from.code));
  to.setRetryMillis(from.retry_millis);
  if (!from.text.empty()) to.setText(text_of(from.text));
}

Refused read(wire::Refused::Reader from) {
  return {.code = read_enum<Code>(from.getCode()),
          .retry_millis = read_duration(from.getRetryMillis(), "time to retry"),
          .text = read_text(from.getText(), "text")};
}

void write(wire::Attached::Builder to, const Attached& from) {
  to.setSession(from.session.value());
  to.setHead(from.head.value());
  to.setBroadcast(from.broadcast.value());
  to.setEphemeral(from.ephemeral.value());
}

Attached read(wire::Attached::Reader from) {
  return {.session = SessionId(from.getSession()),
          .head = read_revision(from.getHead()),
          .broadcast = read_broadcast(from.getBroadcast()),
          .ephemeral = read_revision(from.getEphemeral())};
}

void write(wire::NoSession::Builder to, const NoSession& from) {
  to.setSession(from.session.value());
}

NoSession read(wire::NoSession::Reader from) {
  return {SessionId(from.getSession())};
}

void write(wire::Fenced::Builder to, const Fenced& from) {
  to.setSession(from.session.value());
  if (!from.text.empty()) to.setText(text_of(from.text));
}

Fenced read(wire::Fenced::Reader from) {
  return {SessionId(from.getSession()), read_text(from.getText(), "text")};
}

void write(wire::Bye::Builder to, const Bye& from) {
  to.setSession(from.session.value());
}

Bye read(wire::Bye::Reader from) {
  return {SessionId(from.getSession())};
}

void write(wire::AgentHeartbeat::Builder to, const AgentHeartbeat& from) {
  to.setSession(from.session.value());
  to.setNumber(from.number);
  write_cursor(to.getCursor(), from.cursor);
  to.setBroadcast(from.broadcast.value());
  write_list(from.confirmed, [&](unsigned size) { return to.initConfirmed(size); }, write);
  write_incarnations(from.incarnations, [&](unsigned size) { return to.initIncarnations(size); });
}

AgentHeartbeat read(wire::AgentHeartbeat::Reader from) {
  return {.session = SessionId(from.getSession()),
          .number = read_number(from.getNumber(), "heartbeat number"),
          .cursor = read_cursor(from.getCursor()),
          .broadcast = read_broadcast(from.getBroadcast()),
          .confirmed = read_own(from.getConfirmed(), "confirmed"),
          .incarnations = read_incarnations(from.getIncarnations())};
}

void write(wire::HeartbeatAck::Builder to, const HeartbeatAck& from) {
  to.setSession(from.session.value());
  to.setNumber(from.number);
  to.setHead(from.head.value());
  to.setBroadcast(from.broadcast.value());
}

HeartbeatAck read(wire::HeartbeatAck::Reader from) {
  return {.session = SessionId(from.getSession()),
          .number = read_number(from.getNumber(), "heartbeat number"),
          .head = read_revision(from.getHead()),
          .broadcast = read_broadcast(from.getBroadcast())};
}

void write(wire::Heartbeat::Builder to, const Heartbeat& from) {
  to.setStart(from.start.value());
  to.setBroadcast(from.broadcast.value());
  to.setEpoch(from.epoch.value());
  to.setHead(from.head.value());
  write_hash(to.getDigest(), from.digest);
  to.setSwarm(text_of(from.swarm));
  to.setEphemeral(from.ephemeral.value());
}

Heartbeat read(wire::Heartbeat::Reader from) {
  return {.swarm = read_swarm(from.getSwarm()),
          .start = StartId(from.getStart()),
          .broadcast = read_broadcast(from.getBroadcast()),
          .epoch = Epoch(from.getEpoch()),
          .head = read_revision(from.getHead()),
          .digest = read_hash(from.getDigest()),
          .ephemeral = read_revision(from.getEphemeral())};
}

}  // namespace waggle::codec
