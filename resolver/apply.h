#pragma once

// What one entry of a mutation does to the record that stands: the table "strategy x concurrent
// mutation" as a pure function. The coordinator asks it at commit, the agent for its own view.
//
//                      | informed      | concurrent
//   put, delete of a   | applies       | lww: greater (HLC, agent id) applies, else conflict
//     register         |               | keep, quorum: conflict (quorum: as its `otherwise` says)
//   incr, add, remove  | merges        | merges
//   delete of a        | applies       | conflict delete_update: nobody's unseen work is dropped
//     counter or set   |               |
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

// `current`: null when the key has no record at all; may be a tombstone. `next` is the revision
// that the commit would get, `index` the entry's place in it. Op ClearOp is not an entry's
// business.
[[nodiscard]] Verdict judge(const Entry& entry, const Record* current, const Author& author,
                            const Policy& policy, Revision floor, Revision next,
                            std::uint32_t index);

// The value that an agent shows for its own write before it is committed: what the coordinator
// would make of it if nobody came in between. What would be refused changes nothing. `place`: of
// the write among the pending ones of its key; until the coordinator gives a dot, one above all
// committed ones stands for it.
[[nodiscard]] std::optional<Value> apply_locally(const Op& op, std::optional<Value> value,
                                                 const Author& author, std::uint32_t place);

}  // namespace waggle
