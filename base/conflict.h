#pragma once

// A conflict that waits for a person: what two or more writers wanted of one key, side by side. The
// key goes on serving the value that stood; settling is an ordinary commit.
//
//   a concurrent write, by the policy's `manual` --> parked --(take a side, a value)--> a commit
//   a round whose offers it leaves to a person  --/       \--(dismiss, or its time is over)--> gone

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hlc.h"
#include "base/ids.h"
#include "base/mutation.h"
#include "base/small_types.h"

namespace waggle {

// One of the values that compete. Sides are named A, B, C, ... in their order; A is what stood.
struct ConflictSide {
  AgentId agent;
  Revision version;  // of A: the key's; of the others: what their writer had seen of the key
  Hlc hlc;
  std::int64_t wall_millis = 0;   // when the coordinator learned of it
  std::optional<Register> value;  // empty: the key absent, or deleted
  friend bool operator==(const ConflictSide&, const ConflictSide&) = default;
};

// Bound: limits::kConflictSides sides and limits::kConflictBytes of values, the ancestor's too; a
// further write of the key is a conflict and not parked.
struct ParkedConflict {
  ConflictId id;
  Key key;
  ConflictKind kind = ConflictKind::kConcurrentUpdate;
  RoundId round;  // 0: parked at a mutation
  std::int64_t parked_wall_millis = 0;
  std::vector<ConflictSide> sides;
  // What all sides began from, to merge them with; empty: not kept, or they began from different
  // versions, or it had to make room for a side.
  std::optional<Register> ancestor;
  friend bool operator==(const ParkedConflict&, const ParkedConflict&) = default;
};

// Bytes of its values, the ancestor's too.
[[nodiscard]] std::size_t value_bytes(const ParkedConflict& conflict);

// "A" to "Z".
[[nodiscard]] std::string side_name(std::size_t side);

}  // namespace waggle
