#pragma once

// The keys under which a store on disk keeps its rows; docs/storage.md shows them with an example.
// Numbers are big-endian, so that bytes order as numbers do. Every name that is followed by more
// has its length in front: no name is the beginning of another, and a scan of one swarm, writer or
// key never meets another's rows.
//
//   name := length (1 byte) bytes
//
//   family      key                                                     value (Stored, records.h)
//   meta        "format"                                                decimal number
//   meta        "kind"                                                  "coordinator", "agent", ...
//   meta        "store"                                                 StoreRow
//   meta        "swarm/" swarm                                          SwarmRow
//   state       name(swarm) key                                         Record
//   writers     name(swarm) name(agent) incarnation(8)                  WriterRow
//   outcomes    name(swarm) name(agent) incarnation(8) seq(8)           Outcomes, from that seq on
//   receipts    name(swarm) length(2) key head(8) number(4)             Receipt
//   conflicts   name(swarm) id(8)                                       Conflict
//   history     name(swarm) length(2) key version(8)                    Record
//
// and of an agent, whose store belongs to one agent of one swarm:
//
//   meta        "identity", "cursor"                                    IdentityRow, Cursor
//   outbox      incarnation(8) seq(8)                                   order(8) Mutation
//   replica     key                                                     Record
//
// and of a MemoryProvider:
//
//   values      name(namespace) key                                     the value's bytes
//
// DO NOT CHANGE: these bytes lie on disk. The readers give nothing for bytes of another shape.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/row.h"

namespace waggle::store_keys {

inline constexpr std::string_view kFormat = "format";
inline constexpr std::string_view kKind = "kind";
inline constexpr std::string_view kStore = "store";
inline constexpr std::string_view kIdentity = "identity";
inline constexpr std::string_view kCursor = "cursor";
inline constexpr std::string_view kSwarmPrefix = "swarm/";

struct StateAt {
  SwarmId swarm;
  Key key;
};
struct WriterAt {
  SwarmId swarm;
  AgentId agent;
  Incarnation incarnation;
};
struct OutcomeAt {
  WriterAt writer;
  Seq seq;
};
struct ReceiptAt {
  SwarmId swarm;
  ReceiptPlace place;
};
struct ConflictAt {
  SwarmId swarm;
  ConflictId id;
};
struct VersionAt {
  SwarmId swarm;
  Key key;
  Revision version;
};
struct OutboxAt {
  Incarnation incarnation;
  Seq seq;
};
struct ValueAt {
  std::string space;
  std::string key;
};
// Half open: [begin, end).
struct Range {
  std::string begin;
  std::string end;
};

// REQUIRES of all: ids within 255 bytes, keys within 65535.
[[nodiscard]] std::string swarm(const SwarmId& swarm);
[[nodiscard]] std::string state(const SwarmId& swarm, const Key& key);
[[nodiscard]] std::string writer(const WriterAt& at);
[[nodiscard]] std::string outcome(const OutcomeAt& at);
[[nodiscard]] std::string receipt(const SwarmId& swarm, const ReceiptPlace& place);
[[nodiscard]] std::string conflict(const ConflictAt& at);
[[nodiscard]] std::string version(const VersionAt& at);
[[nodiscard]] std::string outbox(const OutboxAt& at);
[[nodiscard]] std::string value(std::string_view space, std::string_view key);

[[nodiscard]] Range outcomes_of(const WriterAt& writer);
[[nodiscard]] Range receipts_of(const SwarmId& swarm, const Key& key);
[[nodiscard]] Range receipts_of(const SwarmId& swarm);
// The keys of a namespace that begin so.
[[nodiscard]] Range values_of(std::string_view space, std::string_view prefix);
[[nodiscard]] Range whole_replica();

[[nodiscard]] std::optional<StateAt> read_state(std::string_view bytes);
[[nodiscard]] std::optional<WriterAt> read_writer(std::string_view bytes);
[[nodiscard]] std::optional<OutcomeAt> read_outcome(std::string_view bytes);
[[nodiscard]] std::optional<ReceiptAt> read_receipt(std::string_view bytes);
[[nodiscard]] std::optional<ConflictAt> read_conflict(std::string_view bytes);
[[nodiscard]] std::optional<VersionAt> read_version(std::string_view bytes);
[[nodiscard]] std::optional<OutboxAt> read_outbox(std::string_view bytes);
[[nodiscard]] std::optional<ValueAt> read_value(std::string_view bytes);

// The order in front of an outbox entry's mutation.
inline constexpr std::size_t kOrderBytes = 8;
[[nodiscard]] std::string order(std::uint64_t order);
// REQUIRES: at least kOrderBytes.
[[nodiscard]] std::uint64_t read_order(std::string_view value);

}  // namespace waggle::store_keys
