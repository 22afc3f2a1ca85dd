#pragma once

// What becomes of a write of a register that somebody else wrote or deleted meanwhile: the chain of
// strategies of its policy, one after the other until one decides. Pure; judge() asks it.
//
//   lww, fww | the greater (lesser) stamp applies, the other is a conflict; not within the window
//   vector   | hands over: one write is based on one version
//   quorum   | hands over: one write is no round
//   merge    | the merged value applies, with the writer ~coordinator; where both changed the same,
//            | a later `lww`, `fww` or `keep` of the chain decides each such field, a later
//            | `manual` parks the whole, a later `custom` joins the whole
//   manual   | parked, where the write stands alone; in a group a conflict
//   custom   | the joined value applies
//   keep     | conflict

#include <optional>
#include <string_view>

#include "base/mutation.h"
#include "base/record.h"
#include "resolver/author.h"
#include "resolver/policy.h"
#include "resolver/verdict.h"

namespace waggle {

struct ConcurrentWrite {
  const Key& key;
  const Record& standing;         // live, or a tombstone
  std::optional<Register> value;  // empty: the write is a delete
  const Author& author;
  const Policy& policy;
  const Policies& policies;  // of the mergers
  // What the author had seen of the key: a record, or null where it is not kept any more.
  const Record* ancestor = nullptr;
  bool alone = true;  // the only entry of its mutation
};

[[nodiscard]] Verdict settle_concurrent(const ConcurrentWrite& write);

// For "which is the later one", with agents' ids for ties.
struct Stamp {
  Hlc hlc;
  AgentId agent;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};
// Within the window the clocks can't say which came later.
[[nodiscard]] bool too_close(const Stamp& a, const Stamp& b, std::int64_t window_millis);

// By an embedder's function, which is not ours to trust: what it throws becomes an error.
[[nodiscard]] Result<std::string> join_by(const Merger& merger, std::string_view a,
                                          std::string_view b);

}  // namespace waggle
