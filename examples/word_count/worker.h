#pragma once

// One agent of the job. It takes open slices by compare-and-set, counts them, and reports each as
// one atomic group: the task is done, the totals are raised, new words join the vocabulary. So
// whatever dies between two steps, no slice is counted twice and none is left out.

#include <string>

namespace word_count {

struct WorkerOptions {
  std::string coordinator;
  std::string swarm;
  std::string id;
  std::string data;   // its outbox and replica, so that it can come back
  std::string offer;  // a value for the headline, empty: none
  int pace_millis = 0;
};

// Until `finish` comes on standard input. Speaks JSON lines on standard output. Returns the exit
// code.
int work(const WorkerOptions& options);

}  // namespace word_count
