#include "base/conflict.h"

#include "base/check.h"
#include "base/limits.h"

namespace waggle {

static_assert(limits::kConflictSides <= 26, "sides are letters");

std::size_t value_bytes(const ParkedConflict& conflict) {
  std::size_t bytes = conflict.ancestor ? conflict.ancestor->bytes.size() : 0;
  for (const ConflictSide& side : conflict.sides)
    bytes += side.value ? side.value->bytes.size() : 0;
  return bytes;
}

std::string side_name(std::size_t side) {
  WAGGLE_CHECK(side < limits::kConflictSides);
  return std::string(1, static_cast<char>('A' + side));
}

}  // namespace waggle
