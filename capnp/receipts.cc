// Receipts and parked conflicts, stored and sent in one form.

#include <optional>

#include "capnp/parts.h"

namespace waggle::codec {
namespace {

void write_input(wire::ReceiptInput::Builder to, const ReceiptInput& input) {
  if (!input.agent.empty()) to.setAgent(text_of(input.agent));
  to.setVersion(input.version.value());
  to.setHlc(input.hlc.bits);
  write_hash(to.getContent(), input.content);
  to.setCommitted(input.committed);
  to.setAncestor(input.ancestor);
  to.setWeight(input.weight);
  if (input.value) write(to.initValue(), *input.value);
}

ReceiptInput read_input(wire::ReceiptInput::Reader from) {
  ReceiptInput input;
  input.agent = read_optional_agent(from.getAgent());
  input.version = read_revision(from.getVersion());
  input.hlc = {from.getHlc()};
  input.content = read_hash(from.getContent());
  input.committed = from.getCommitted();
  input.ancestor = from.getAncestor();
  input.weight = from.getWeight();
  if (from.hasValue()) input.value = read(from.getValue());
  return input;
}

void write_side(wire::ConflictSide::Builder to, const ConflictSide& side) {
  if (!side.agent.empty()) to.setAgent(text_of(side.agent));
  to.setVersion(side.version.value());
  to.setHlc(side.hlc.bits);
  to.setWallMillis(side.wall_millis);
  if (side.value) write(to.initValue(), *side.value);
}

ConflictSide read_side(wire::ConflictSide::Reader from) {
  ConflictSide side;
  side.agent = read_optional_agent(from.getAgent());
  side.version = read_revision(from.getVersion());
  side.hlc = {from.getHlc()};
  side.wall_millis = read_wall(from.getWallMillis());
  if (from.hasValue()) side.value = read(from.getValue());
  return side;
}

}  // namespace

void write(wire::Receipt::Builder to, const Receipt& receipt) {
  to.setKey(text_of(receipt.key));
  to.setVersion(receipt.version.value());
  to.setRound(receipt.round.value());
  if (!receipt.rule.empty()) to.setRule(text_of(receipt.rule));
  write_list(receipt.inputs, [&](unsigned size) { return to.initInputs(size); }, write_input);
  write_hash(to.getOutput(), receipt.output);
  if (receipt.previous != ChainHash{}) to.setPrevious(data_of(receipt.previous));
  to.setWallMillis(receipt.wall_millis);
  to.setElectorate(receipt.electorate);
}

Receipt read(wire::Receipt::Reader from) {
  return {.key = read_key(from.getKey()),
          .version = read_revision(from.getVersion()),
          .round = RoundId(from.getRound()),
          .rule = read_text(from.getRule(), "rule"),
          // Of each member at most one offer with its ancestor, and the committed value.
          .inputs =
              read_list(from.getInputs(), 2 * limits::kSessions + 1, "receipt inputs", read_input),
          .output = read_hash(from.getOutput()),
          .previous = read_array<sizeof(ChainHash)>(from.getPrevious(), "previous receipt"),
          .wall_millis = read_wall(from.getWallMillis()),
          .electorate = from.getElectorate()};
}

void write(wire::Conflict::Builder to, const ParkedConflict& conflict) {
  to.setId(conflict.id.value());
  to.setKey(text_of(conflict.key));
  to.setKind(number_of(conflict.kind));
  to.setRound(conflict.round.value());
  to.setParkedWallMillis(conflict.parked_wall_millis);
  write_list(conflict.sides, [&](unsigned size) { return to.initSides(size); }, write_side);
  if (conflict.ancestor) write(to.initAncestor(), *conflict.ancestor);
}

ParkedConflict read(wire::Conflict::Reader from) {
  std::optional<Register> ancestor;
  if (from.hasAncestor()) ancestor = read(from.getAncestor());
  return {.id = ConflictId(read_number(from.getId(), "conflict")),
          .key = read_key(from.getKey()),
          .kind = read_enum<ConflictKind>(from.getKind()),
          .round = RoundId(from.getRound()),
          .parked_wall_millis = read_wall(from.getParkedWallMillis()),
          .sides = read_list(from.getSides(), limits::kConflictSides, "sides", read_side),
          .ancestor = std::move(ancestor)};
}

}  // namespace waggle::codec
