#pragma once

// What an operation does to a value of its type, by the type's own rule: the merging half of
// judge(), without policy, versions and receipts. The coordinator asks it at commit; an agent asks
// the same function with the same context for its own view, so that what it shows is what will be
// committed, unless somebody else comes in between.
//
//   type               | concurrent use                       | refused
//   max, min, once     | the greatest, the least, raised      | another kind of value
//   counter            | all increments are added             | overflow
//   grow-counter       | all increments are added             | overflow, decrements
//   resettable-counter | a reset takes what it had seen       | overflow; conflict: reset of folded
//   bounded-counter    | never below 0, reserves are kept     | not_enough
//   enable-, disable-  | on (off) wins                        |
//     flag             |                                      |
//   set, grow-set      | union; an unseen add survives        |
//   remove-wins-set    | an unseen remove survives            | conflict: late add of an absent one
//   multi-register     | all concurrent values are kept       |
//   map                | each field by its own type           | field_conflict of two registers
//   list, text         | Fugue order, nothing interleaves     | out_of_range, base_lost
//
// Cost: of the small types their size; of the others O(log n) for each part that is touched.

#include <optional>

#include "base/mutation.h"
#include "base/value.h"
#include "resolver/author.h"
#include "resolver/verdict.h"

namespace waggle {

struct MergeSetting {
  const Author& author;
  Dot dot;         // that the operation gets
  Revision floor;  // what is at or below it may be dropped where a type keeps removals
};

// `current`: null when the key is absent; of the type that the operation needs. Not for a PutOp of
// a register, a DeleteOp or a ClearOp at the top, which the policy decides.
[[nodiscard]] Verdict merge_op(const Op& op, const Value* current, const MergeSetting& setting);

// What is left of a value when all that its author had seen is taken away, where a field of a map
// is removed that others changed meanwhile. Nothing: the type can't tell any more, its history was
// folded. Types of which nothing can be taken away in part stay whole.
[[nodiscard]] std::optional<Value> without_seen(const Value& value, const MergeSetting& setting);
// True iff the value holds work that its author had not seen, which deleting it would drop. The
// writer of a key's record is only its last one, and an author's own merging write may have come
// after somebody else's. Types without dots can't tell: false.
[[nodiscard]] bool holds_unseen(const Value& value, const MergeSetting& setting);

}  // namespace waggle
