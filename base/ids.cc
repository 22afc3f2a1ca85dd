#include "base/ids.h"

#include <charconv>

#include <fmt/format.h>

namespace waggle {

std::string to_hex(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool from_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* begin = text.data() + 2 * i;
    if (*begin == '-') return false;
    const auto [end, error] = std::from_chars(begin, begin + 2, bytes[i], 16);
    if (error != std::errc() || end != begin + 2) return false;
  }
  return true;
}

std::string to_text(const Cursor& cursor) {
  return fmt::format("{:016x}@{}", cursor.epoch.value(), cursor.revision.value());
}

}  // namespace waggle
