#pragma once

// Samples and what is said of them. Medians, since one pause of the machine spoils a mean; the 10th
// and 90th percentile beside them, so that noise can be seen.

#include <chrono>
#include <cstddef>
#include <vector>

namespace waggle::bench {

using Samples = std::vector<double>;

struct Summary {
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  std::size_t samples = 0;
};

[[nodiscard]] Summary summarise(Samples samples);
[[nodiscard]] double median(Samples samples);

// Microseconds of the monotonic clock, the same in all processes of a machine.
[[nodiscard]] inline double now_micros() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace waggle::bench
