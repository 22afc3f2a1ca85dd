#pragma once

// Our own canonical encoding, of which values, operations and deltas are made: equal content gives
// equal bytes, and a reader refuses every other spelling, so the bytes may be compared and hashed.
//
// Numbers are varints: seven bits a byte, low ones first, the top bit set on all bytes but the
// last, no longer than needed; numbers with a sign are folded first (0, -1, 1, -2, ... become 0, 1,
// 2, 3,
// ...). Strings are a length and so many bytes.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace waggle {

class ByteWriter {
 public:
  explicit ByteWriter(std::size_t expected = 64) { bytes_.reserve(expected); }
  void u8(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value);
  void signed_number(std::int64_t value);
  void fixed64(std::uint64_t value);  // eight bytes, little-endian
  void string(std::string_view value);
  void raw(std::string_view bytes) { bytes_.append(bytes); }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Takes bytes off the front. After the first thing that isn't as expected it is failed() and gives
// zeros and empty strings, so a decoder may check once, at its end and in its loops.
class ByteReader {
 public:
  // `what` is named in the text of a refusal and must outlive the reader.
  ByteReader(std::string_view what, std::string_view bytes) : what_(what), rest_(bytes) {}

  [[nodiscard]] bool failed() const { return !text_.empty(); }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  void fail(std::string_view text);
  // kRejected with the first failure's text, or for bytes that are left over.
  [[nodiscard]] Status finish();

  // What comes next, without taking it; empty where there is less.
  [[nodiscard]] std::string_view ahead(std::size_t size) const {
    return size <= rest_.size() ? rest_.substr(0, size) : std::string_view();
  }
  [[nodiscard]] std::string_view take(std::size_t size);
  [[nodiscard]] std::uint8_t u8();
  [[nodiscard]] std::uint64_t number(std::uint64_t max = UINT64_MAX);
  [[nodiscard]] std::int64_t signed_number();
  [[nodiscard]] std::uint64_t fixed64();
  // A count of things of at least `least` bytes each, so it can't exceed what is there.
  [[nodiscard]] std::size_t count(std::size_t least);
  [[nodiscard]] std::string_view string(std::size_t max) { return take(number(max)); }

 private:
  std::string_view what_;
  std::string_view rest_;
  std::string text_;
};

}  // namespace waggle
