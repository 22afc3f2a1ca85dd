#pragma once

// The tasks of a history, commit by commit: each is done at most once, by who held it then and with
// its token; what it writes is in the same commit, once; it is given out only while it is open and
// all that it comes after is done; attempts are counted one by one, and what failed too often is
// dead.
//
// One thread.

#include <functional>
#include <map>
#include <string>

#include "base/mutation.h"
#include "base/record.h"
#include "coordinator/task.h"
#include "tests/sim/story.h"

namespace waggle::sim {

class TaskTruth {
 public:
  using Found = std::function<void(CheckerName checker, std::string text)>;

  // Of a task's key. `by`: the mutation that made it; null: the coordinator by itself. `claim`:
  // that is held on it; null: none.
  void take(const Key& key, const Record& record, const Mutation* by, const Claim* claim,
            const Found& found);
  // A claim was granted that nobody held before.
  void take_claim(const Claim& claim, const Found& found) const;
  // Of any other key.
  void take_write(const Key& key, const Record& record, const Found& found);
  void clear();

 private:
  struct Effect {
    Revision at;
    std::map<Key, Register> writes;
  };
  void take_done(const Task& task, const Record& record, const Mutation* by, const Claim* claim,
                 const Found& found);
  void take_failed(const Task& before, const Task& task, const Mutation* by, const Found& found);

  std::map<std::string, Task> tasks_;
  std::map<std::string, Effect> effects_;
};

}  // namespace waggle::sim
