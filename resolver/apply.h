#pragma once

// What one entry of a mutation does to the record that stands: the table "strategy x concurrent
// mutation" as a pure function. The coordinator asks it at commit.
//
//                      | informed      | concurrent
//   put, delete of a   | applies; with | the chain of strategies of its policy decides, see
//     register         | fww conflict  | resolver/concurrent.h
//   operations of the  | merge         | merge, each by the rule of its type, see
//     other types      |               | resolver/merge_type.h
//   delete of another  | applies       | conflict delete_update: nobody's unseen work is dropped
//     type             |               |
//
// A write is concurrent when the key was last changed after the revision that its writer had seen,
// by somebody else; a set is also when it holds an addition that its deleter had not seen. A
// fulfilled expected version is never concurrent, and counts as seen; an unfulfilled one is always
// the conflict version_mismatch, before anything else is looked at.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/mutation.h"
#include "base/record.h"
#include "resolver/author.h"
#include "resolver/policy.h"
#include "resolver/verdict.h"

namespace waggle {

// What stands where a write comes in.
struct Standing {
  const Record* record = nullptr;  // null: no record at all; may be a tombstone
  Revision floor;
  Revision next;            // that the commit would get
  std::uint32_t index = 0;  // the entry's place in it
  // What the author had seen of the key, where its policy keeps that; null: not known.
  const Record* ancestor = nullptr;
  bool alone = true;  // the only entry of its mutation
};

// Not for a ClearOp or a SettleOp.
[[nodiscard]] Verdict judge(const Entry& entry, const Standing& standing, const Author& author,
                            const Policies& policies);

// The value that an agent shows for its own write before it is committed: what the coordinator
// would make of it if nobody came in between. What would be refused changes nothing. `place`: of
// the write among the pending ones of its key; until the coordinator gives a dot, one above all
// committed ones stands for it.
[[nodiscard]] std::optional<Value> apply_locally(const Op& op, std::optional<Value> value,
                                                 const Author& author, std::uint32_t place);

}  // namespace waggle
