// Ephemeral keys.

#include "base/limits.h"
#include "capnp/codec.h"
#include "capnp/messages.h"
#include "capnp/parts.h"

namespace waggle::codec {
namespace {

void write_entry(wire::EphemeralEntry::Builder to, const EphemeralEntry& entry) {
  to.setKey(text_of(entry.key));
  if (entry.value) write(to.initValue(), *entry.value);
  to.setAgeMillis(entry.age_millis);
  write_list(entry.metadata, [&](unsigned size) { return to.initMetadata(size); }, write);
}

EphemeralEntry read_entry(wire::EphemeralEntry::Reader from) {
  EphemeralEntry entry{read_key(from.getKey()), std::nullopt, read_metadata(from.getMetadata()),
                       read_duration(from.getAgeMillis(), "age")};
  if (from.hasValue()) entry.value = read(from.getValue());
  return entry;
}

void write_refusal(wire::EphemeralRefusal::Builder to, const EphemeralRefusal& refusal) {
  to.setKey(text_of(refusal.key));
  to.setCode(number_of(refusal.code));
  to.setReason(number_of(refusal.reason));
  if (!refusal.text.empty()) to.setText(text_of(refusal.text));
}

EphemeralRefusal read_refusal(wire::EphemeralRefusal::Reader from) {
  return {.key = read_key(from.getKey()),
          .code = read_enum<Code>(from.getCode()),
          .reason = read_enum<Reason>(from.getReason()),
          .text = read_text(from.getText(), "text")};
}

// Registers or tombstones, whole.
std::vector<Change> read_changes(capnp::List<wire::Change>::Reader list) {
  return read_list(list, kListElements, "changes", [](wire::Change::Reader from) {
    Change change = read(from, Absent::kRefused);
    if (!change.record->ephemeral)
      refuse("ephemeral change: expected an ephemeral record, got a durable one");
    if (change.delta || (change.record->live() && !register_of(change.record.get())))
      refuse("ephemeral change: expected a whole register");
    return change;
  });
}

}  // namespace

void write(wire::EphemeralWrite::Builder to, const EphemeralWrite& from) {
  to.setSession(from.session.value());
  to.setNumber(from.number);
  write_list(from.entries, [&](unsigned size) { return to.initEntries(size); }, write_entry);
}

EphemeralWrite read(wire::EphemeralWrite::Reader from) {
  return {.session = SessionId(from.getSession()),
          .number = read_number(from.getNumber(), "number of an ephemeral write"),
          .entries = read_list(from.getEntries(), kListElements, "ephemeral entries", read_entry)};
}

void write(wire::EphemeralResult::Builder to, const EphemeralResult& from) {
  to.setSession(from.session.value());
  to.setNumber(from.number);
  to.setAt(from.at.value());
  write_list(from.refused, [&](unsigned size) { return to.initRefused(size); }, write_refusal);
}

EphemeralResult read(wire::EphemeralResult::Reader from) {
  return {.session = SessionId(from.getSession()),
          .number = read_number(from.getNumber(), "number of an ephemeral write"),
          .at = read_revision(from.getAt()),
          .refused = read_list(from.getRefused(), kListElements, "refusals", read_refusal)};
}

void write(wire::EphemeralUpdate::Builder to, const EphemeralUpdate& from) {
  to.setStart(from.start.value());
  to.setBroadcast(from.broadcast.value());
  to.setFrom(from.from.value());
  to.setTo(from.to.value());
  to.setSwarm(text_of(from.swarm));
  write_list(from.changes, [&](unsigned size) { return to.initChanges(size); }, write);
}

EphemeralUpdate read(wire::EphemeralUpdate::Reader from) {
  return {.swarm = read_swarm(from.getSwarm()),
          .start = StartId(from.getStart()),
          .broadcast = read_broadcast(from.getBroadcast()),
          .from = read_revision(from.getFrom()),
          .to = read_revision(from.getTo()),
          .changes = read_changes(from.getChanges())};
}

void write(wire::EphemeralRequest::Builder to, const EphemeralRequest& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
}

EphemeralRequest read(wire::EphemeralRequest::Reader from) {
  return {SessionId(from.getSession()), RequestId(from.getRequest())};
}

void write(wire::EphemeralState::Builder to, const EphemeralState& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setAt(from.at.value());
  to.setPiece(from.piece);
  to.setLast(from.last);
  write_list(from.changes, [&](unsigned size) { return to.initChanges(size); }, write);
}

EphemeralState read(wire::EphemeralState::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .at = read_revision(from.getAt()),
          .piece = from.getPiece(),
          .last = from.getLast(),
          .changes = read_changes(from.getChanges())};
}

}  // namespace waggle::codec
