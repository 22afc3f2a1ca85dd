#include "cli/nearest.h"

#include <algorithm>

#include <fmt/format.h>

namespace waggle::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment, three rows of its table.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  if (name.empty() || name.size() > 64) return {};
  std::string best;
  // A third of the letters may be wrong, at most three, and at least one.
  std::size_t bound = std::min<std::size_t>(std::max<std::size_t>(name.size() / 3, 1), 3) + 1;
  for (const std::string& one : known) {
    const std::size_t distance = edit_distance(name, one);
    if (distance >= bound) continue;
    best = one;
    bound = distance;
  }
  if (!best.empty()) return best;
  // Or the one name that was not written to its end.
  if (name.size() < 3) return {};
  for (const std::string& one : known) {
    if (!one.starts_with(name)) continue;
    if (!best.empty()) return {};
    best = one;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  return near.empty() ? std::string() : fmt::format(", did you mean '{}'?", near);
}

}  // namespace waggle::cli
