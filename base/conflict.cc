#include "base/conflict.h"

#include "base/check.h"
#include "base/limits.h"

namespace waggle {

static_assert(limits::kConflictSides <= 26, "sides are letters");

std::string side_name(std::size_t side) {
  WAGGLE_CHECK(side < limits::kConflictSides);
  return std::string(1, static_cast<char>('A' + side));
}

}  // namespace waggle
