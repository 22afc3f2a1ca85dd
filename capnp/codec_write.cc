// Writing, updates and catch-up.

#include "base/limits.h"
#include "capnp/codec.h"
#include "capnp/messages.h"
#include "capnp/parts.h"

namespace waggle::codec {
namespace {

void check_order(const std::vector<Mutation>& mutations) {
  for (std::size_t i = 1; i < mutations.size(); ++i) {
    if (mutations[i].incarnation != mutations[i - 1].incarnation ||
        mutations[i].seq <= mutations[i - 1].seq)
      refuse(fmt::format("submit: expected one incarnation and rising seqs, mutation {} breaks it",
                         i));
  }
}

void write_result(wire::MutationResult::Builder to, const MutationResult& result) {
  to.setIncarnation(result.incarnation.value());
  to.setSeq(result.seq.value());
  write(to.initOutcome(), result.outcome);
}

MutationResult read_result(wire::MutationResult::Reader from) {
  return {.incarnation = Incarnation(from.getIncarnation()),
          .seq = read_seq(from.getSeq()),
          .outcome = read(from.getOutcome())};
}

void write_applied(wire::Applied::Builder to, const Applied& applied) {
  to.setAgent(text_of(applied.agent));
  to.setIncarnation(applied.incarnation.value());
  to.setSeqThrough(applied.seq_through.value());
}

Applied read_applied(wire::Applied::Reader from) {
  return {.agent = read_agent(from.getAgent()),
          .incarnation = Incarnation(from.getIncarnation()),
          .seq_through = read_seq(from.getSeqThrough())};
}

std::vector<Change> read_changes(capnp::List<wire::Change>::Reader list) {
  return read_list(list, kListElements, "changes", [](wire::Change::Reader from) {
    Change change = read(from, Absent::kRefused);
    if (change.record->ephemeral) refuse("change: expected a durable record, got an ephemeral one");
    return change;
  });
}

}  // namespace

void write(wire::Submit::Builder to, const Submit& from) {
  to.setSession(from.session.value());
  to.setEpoch(from.epoch.value());
  write_list(from.confirmed, [&](unsigned size) { return to.initConfirmed(size); }, write);
  write_list(from.mutations, [&](unsigned size) { return to.initMutations(size); }, write);
}

Submit read(wire::Submit::Reader from) {
  Submit submit{.session = SessionId(from.getSession()),
                .epoch = Epoch(from.getEpoch()),
                .confirmed = read_own(from.getConfirmed(), "confirmed"),
                .mutations = read_list(from.getMutations(), limits::kWindow, "mutations",
                                       [](wire::Mutation::Reader one) { return read(one); })};
  check_order(submit.mutations);
  return submit;
}

void write(wire::SubmitResult::Builder to, const SubmitResult& from) {
  to.setSession(from.session.value());
  to.setEpoch(from.epoch.value());
  write_list(from.results, [&](unsigned size) { return to.initResults(size); }, write_result);
}

SubmitResult read(wire::SubmitResult::Reader from) {
  return {.session = SessionId(from.getSession()),
          .epoch = Epoch(from.getEpoch()),
          .results = read_list(from.getResults(), kListElements, "results", read_result)};
}

void write(wire::StateUpdate::Builder to, const StateUpdate& from) {
  to.setStart(from.start.value());
  to.setBroadcast(from.broadcast.value());
  to.setEpoch(from.epoch.value());
  to.setFrom(from.from.value());
  to.setTo(from.to.value());
  to.setRound(from.round.value());
  to.setElided(from.elided);
  to.setCleared(from.cleared);
  to.setSwarm(text_of(from.swarm));
  write_list(from.applied, [&](unsigned size) { return to.initApplied(size); }, write_applied);
  write_list(from.changes, [&](unsigned size) { return to.initChanges(size); }, write);
}

StateUpdate read(wire::StateUpdate::Reader from) {
  return {.swarm = read_swarm(from.getSwarm()),
          .start = StartId(from.getStart()),
          .broadcast = read_broadcast(from.getBroadcast()),
          .epoch = Epoch(from.getEpoch()),
          .from = read_revision(from.getFrom()),
          .to = read_revision(from.getTo()),
          .round = RoundId(from.getRound()),
          .cleared = from.getCleared(),
          .elided = read_number(from.getElided(), "elided"),
          .applied = read_list(from.getApplied(), kListElements, "applied", read_applied),
          .changes = read_changes(from.getChanges())};
}

void write(wire::DeltaRequest::Builder to, const DeltaRequest& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  write_cursor(to.getCursor(), from.cursor);
  to.setBase(from.base.value());
  to.setBytesMax(from.bytes_max);
  if (!from.prefix.empty()) to.setPrefix(text_of(from.prefix));
  to.setHolds(from.holds);
}

DeltaRequest read(wire::DeltaRequest::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .cursor = read_cursor(from.getCursor()),
          .base = read_revision(from.getBase()),
          .prefix = read_text(from.getPrefix(), "prefix", limits::kKeyBytes),
          .bytes_max = from.getBytesMax(),
          .holds = from.getHolds()};
}

void write(wire::DeltaChunk::Builder to, const DeltaChunk& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setEpoch(from.epoch.value());
  to.setFrom(from.from.value());
  to.setTo(from.to.value());
  to.setFloor(from.floor.value());
  to.setHead(from.head.value());
  to.setComplete(from.complete);
  to.setReset(from.reset);
  if (!from.text.empty()) to.setText(text_of(from.text));
  write_list(from.changes, [&](unsigned size) { return to.initChanges(size); }, write);
  write_list(from.applied, [&](unsigned size) { return to.initApplied(size); }, write);
}

DeltaChunk read(wire::DeltaChunk::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .epoch = Epoch(from.getEpoch()),
          .from = read_revision(from.getFrom()),
          .to = read_revision(from.getTo()),
          .floor = read_revision(from.getFloor()),
          .head = read_revision(from.getHead()),
          .complete = from.getComplete(),
          .reset = from.getReset(),
          .text = read_text(from.getText(), "text"),
          .changes = read_changes(from.getChanges()),
          .applied = read_own(from.getApplied(), "applied")};
}

}  // namespace waggle::codec
