#include "bench/summary.h"

#include <algorithm>
#include <cmath>

namespace waggle::bench {
namespace {

// REQUIRES: sorted, not empty.
double quantile(const Samples& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return std::lerp(sorted[low], sorted[high], at - static_cast<double>(low));
}

}  // namespace

Summary summarise(Samples samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {quantile(samples, 0.5), quantile(samples, 0.1), quantile(samples, 0.9), samples.size()};
}

double median(Samples samples) {
  return summarise(std::move(samples)).median;
}

}  // namespace waggle::bench
