#pragma once

// `stamps`: what a write's stamp may do, and what it may not, commit by commit.
//
//   - of two concurrent writes of a register under lww the one with the greater (stamp, agent)
//   stands,
//     whichever came first
//   - no stamp that was more than the allowed drift ahead of the coordinator is in a commit
//   - the coordinator's own stamps rise, over its restarts too, whatever its wall clock does
//
// One thread.

#include <functional>
#include <string>

#include "base/hlc.h"
#include "base/mutation.h"
#include "base/record.h"
#include "tests/sim/story.h"

namespace waggle::sim {

class StampTruth {
 public:
  using Found = std::function<void(CheckerName checker, std::string text)>;

  // Every record, as it is committed.
  void take(const std::string& what, const Key& key, const Record& record, const Found& found);
  // A write that was committed over a record that it had not seen.
  static void check_winner(const std::string& what, const Key& key, const Entry& entry,
                           const Record& record, const Record& before, const Found& found);
  // A write that was answered with a conflict: what stood must be the later one.
  static void check_loser(const Mutation& mutation, const AgentId& agent, const Outcome& outcome,
                          const Found& found);

 private:
  Hlc own_;
};

}  // namespace waggle::sim
