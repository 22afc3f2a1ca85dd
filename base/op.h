#pragma once

// What one entry of a mutation asks for. Each operation names the type that it is for where several
// types share a verb, so that a write never changes the type of a key by accident.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/sequence.h"
#include "base/small_types.h"
#include "base/value_type.h"

namespace waggle {

// Type: register (chosen by the policy's strategy), or multi-register (beside concurrent ones).
struct PutOp {
  ContentType content = ContentType::kText;
  std::string bytes;
  ValueType type = ValueType::kRegister;
  friend bool operator==(const PutOp&, const PutOp&) = default;
};
// On any type. In a FieldOp: removes the field.
struct DeleteOp {
  friend bool operator==(const DeleteOp&, const DeleteOp&) = default;
};
// Type: counter, grow-counter (0 or more), resettable-counter, bounded-counter (a decrement takes
// from what its author reserved, then from what is free).
struct IncrOp {
  std::int64_t amount = 0;
  ValueType type = ValueType::kCounter;
  friend bool operator==(const IncrOp&, const IncrOp&) = default;
};
// Type: set, grow-set, remove-wins-set. Elements: sorted, unique, each 1..limits::kElementBytes
// bytes.
struct SetAddOp {
  std::vector<std::string> elements;
  ValueType type = ValueType::kOrSet;
  friend bool operator==(const SetAddOp&, const SetAddOp&) = default;
};
// Type: set, remove-wins-set. Takes away the additions that the writer had seen; later ones live.
struct SetRemoveOp {
  std::vector<std::string> elements;
  ValueType type = ValueType::kOrSet;
  friend bool operator==(const SetRemoveOp&, const SetRemoveOp&) = default;
};
// Deletes every key of the swarm and raises its floor. Only alone in a mutation, with an empty key.
struct ClearOp {
  friend bool operator==(const ClearOp&, const ClearOp&) = default;
};
// Type: max, min.
struct RaiseOp {
  Scalar value;
  ValueType type = ValueType::kMax;
  friend bool operator==(const RaiseOp&, const RaiseOp&) = default;
};
// Type: once (on only), enable-flag, disable-flag.
struct FlagOp {
  bool on = true;
  ValueType type = ValueType::kEnableFlag;
  friend bool operator==(const FlagOp&, const FlagOp&) = default;
};
// Of a resettable counter: takes away the increments that the writer had seen.
struct ResetOp {
  friend bool operator==(const ResetOp&, const ResetOp&) = default;
};
// Of a bounded counter. DO NOT CHANGE the numbers.
enum class EscrowVerb : std::uint8_t {
  kReserve = 0,   // from what is free, for its author
  kRelease = 1,   // back
  kHandOver = 2,  // from its author's reserve to another agent's
};
struct EscrowOp {
  EscrowVerb verb = EscrowVerb::kReserve;
  std::uint64_t amount = 0;
  AgentId to;  // with kHandOver
  friend bool operator==(const EscrowOp&, const EscrowOp&) = default;
};
// Type: text, list. Positions are those of the state that the writer saw, its own pending edits
// included; each edit in the positions that the ones before it leave.
struct EditOp {
  std::vector<SequenceEdit> edits;
  ValueType type = ValueType::kText;
  friend bool operator==(const EditOp&, const EditOp&) = default;
};

// Settles a parked conflict of the key, in the same commit. DO NOT CHANGE the numbers.
enum class Settle : std::uint8_t {
  kDismiss = 0,  // what stands stays
  kSide = 1,     // the value of that side is the value now
  kValue = 2,    // another one
};
struct SettleOp {
  ConflictId conflict;
  Settle how = Settle::kDismiss;
  std::uint32_t side = 0;  // with kSide
  Register value;          // with kValue
  friend bool operator==(const SettleOp&, const SettleOp&) = default;
};

// An operation on a field of a map. Path: the names from the outermost map on; all but the last are
// fields of type map, which are made where they are missing. A DeleteOp removes the last one, of
// the given type or, without one, of every type.
struct NestedOp;
struct FieldOp {
  std::vector<std::string> path;            // 1..limits::kMapDepth names
  std::shared_ptr<const NestedOp> op;       // never null; not a ClearOp, not a FieldOp
  std::optional<ValueType> removed_type{};  // with a DeleteOp
  friend bool operator==(const FieldOp& a, const FieldOp& b);
};

using Op = std::variant<PutOp, DeleteOp, IncrOp, SetAddOp, SetRemoveOp, ClearOp, RaiseOp, FlagOp,
                        ResetOp, EscrowOp, EditOp, FieldOp, SettleOp>;
struct NestedOp {
  Op op;
};
[[nodiscard]] FieldOp field_op(std::vector<std::string> path, Op op);

// One word for people: "put", "incr", "add", "insert", ...
[[nodiscard]] std::string_view verb_of(const Op& op);
// The type that the key must have; none for a DeleteOp, a ClearOp and a SettleOp.
[[nodiscard]] std::optional<ValueType> type_needed(const Op& op);
// False: it can only make the state smaller, so it is welcome when the state is full.
[[nodiscard]] bool grows(const Op& op);
// What it counts for against the limits of a request: its content, with 16 bytes more for each
// element, edit and name, which they cost in a frame.
[[nodiscard]] std::size_t input_bytes(const Op& op);
[[nodiscard]] std::size_t input_bytes(const std::vector<std::string>& elements);

}  // namespace waggle
