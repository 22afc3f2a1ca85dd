#pragma once

// Bugs in the cores themselves, for the proof that the simulator finds such. mutants.py copies the
// sources of its table with each mutation beside what it replaces; the copies are linked into
// waggle_sim_mutants in the place of the originals, and this says which mutation is on. What ships
// knows nothing of it.
//
// One thread; one mutant a process.

#include "base/ids.h"
#include "base/time.h"

namespace waggle::sim {

// True: this one, counted from 1 in the order of the table.
[[nodiscard]] bool planted(int number);

// For a mutant that trusts the wall clock: the monotonic one as if it jumped along with it since
// the process of `start` first asked.
[[nodiscard]] Instant by_the_wall(StartId start, const Now& now);

}  // namespace waggle::sim
