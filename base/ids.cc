#include "base/ids.h"

#include <fmt/format.h>

namespace waggle {

std::string to_hex(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

std::string to_text(const Cursor& cursor) {
  return fmt::format("{:016x}@{}", cursor.epoch.value(), cursor.revision.value());
}

}  // namespace waggle
