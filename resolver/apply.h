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
#include "resolver/policy.h"

namespace waggle {

// Who writes, and what they had seen, translated to the present epoch.
struct Author {
  AgentId agent;
  Incarnation incarnation;
  Seq seq;
  Hlc hlc;
  Revision seen;
  std::vector<OwnThrough> own_through;

  // True iff the writer knew of that mutation when it wrote: it is its own, and was in its view.
  [[nodiscard]] bool own(const Writer& writer) const;
  // True iff the writer knew of that addition.
  [[nodiscard]] bool seen_dot(const Dot& dot) const;
  // True iff the record was changed behind the writer's back.
  [[nodiscard]] bool concurrent_with(const Record& record) const;
};

struct Verdict {
  enum class Kind : std::uint8_t { kApply, kNothing, kConflict, kReject };
  Kind kind = Kind::kNothing;
  std::optional<Value> value;  // with kApply; empty: delete
  ConflictKind conflict = ConflictKind::kNone;
  Reason reason = Reason::kNone;
  std::string text;
  // A rule chose between the standing record and this write: a receipt is due. Its name.
  std::string rule;
};

// `current`: null when the key has no record at all; may be a tombstone. `next` is the revision
// that the commit would get, `index` the entry's place in it. Op ClearOp is not an entry's
// business.
[[nodiscard]] Verdict judge(const Entry& entry, const Record* current, const Author& author,
                            const Policy& policy, Revision floor, Revision next,
                            std::uint32_t index);

// The value that an agent shows for its own write before it is committed. An op that does not fit
// the type changes nothing (it will be rejected).
[[nodiscard]] std::optional<Value> apply_locally(const Op& op, std::optional<Value> value,
                                                 const Writer& writer);

}  // namespace waggle
