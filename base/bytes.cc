#include "base/bytes.h"

#include <fmt/format.h>

namespace waggle {

void ByteWriter::number(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

void ByteWriter::signed_number(std::int64_t value) {
  number((static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void ByteWriter::fixed64(std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8)
    bytes_.push_back(static_cast<char>(value >> shift));
}

void ByteWriter::string(std::string_view value) {
  number(value.size());
  bytes_.append(value);
}

void ByteReader::fail(std::string_view text) {
  if (text_.empty()) text_ = fmt::format("{}: {}", what_, text);
  rest_ = {};
}

Status ByteReader::finish() {
  if (!failed() && !at_end()) fail("expected the end, got more bytes");
  if (!failed()) return {};
  return waggle::failed(Code::kRejected, text_);
}

std::string_view ByteReader::take(std::size_t size) {
  if (size > rest_.size()) {
    fail(fmt::format("expected {} more bytes, got {}", size, rest_.size()));
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t ByteReader::u8() {
  const std::string_view byte = take(1);
  return byte.empty() ? 0 : static_cast<std::uint8_t>(byte[0]);
}

std::uint64_t ByteReader::number(std::uint64_t max) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return fail("expected a number, got the end"), 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) return fail("expected a number of 64 bits"), 0;
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift > 0) return fail("expected a number no longer than needed"), 0;
    if (value > max) return fail(fmt::format("expected a number up to {}, got {}", max, value)), 0;
    return value;
  }
  return fail("expected a number of 64 bits"), 0;
}

std::size_t ByteReader::count(std::size_t least) {
  const std::uint64_t count = number(rest_.size());
  if (count > rest_.size() / least)
    fail(fmt::format("expected a number up to {}, got {}", rest_.size() / least, count));
  return failed() ? 0 : count;
}

std::int64_t ByteReader::signed_number() {
  const std::uint64_t folded = number();
  return static_cast<std::int64_t>((folded >> 1) ^ ((folded & 1) != 0 ? UINT64_MAX : 0));
}

std::uint64_t ByteReader::fixed64() {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const char c : take(8)) {
    value |= std::uint64_t{static_cast<std::uint8_t>(c)} << shift;
    shift += 8;
  }
  return value;
}

}  // namespace waggle
