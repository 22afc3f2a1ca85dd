#pragma once

// A text cut into the units that a merge compares: lines or tokens. The units of a text put
// together are the text, byte by byte; nothing is normalised, so "\r\n" and "\n" are different line
// ends.
//
//   kLine   up to and with '\n'; the last line may lack it, and is then another unit than with it
//   kToken  a run of word bytes (A-Z a-z 0-9 _ and all of 0x80 and above, so UTF-8 is never cut),
//           a run of white space, or any other byte alone
//
// Cost: linear; numbering sorts, n log n, and can't be slowed down by chosen hash collisions.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace waggle {

enum class TextUnit : std::uint8_t { kLine, kToken };

// REQUIRES: the text outlives it.
class UnitText {
 public:
  UnitText(std::string_view text, TextUnit unit);

  [[nodiscard]] std::size_t size() const { return starts_.size() - 1; }
  // Units [begin, end).
  [[nodiscard]] std::string_view slice(std::size_t begin, std::size_t end) const {
    return text_.substr(starts_[begin], starts_[end] - starts_[begin]);
  }
  // One number a unit, see number_units(); zeros before.
  [[nodiscard]] const std::vector<std::size_t>& numbers() const { return numbers_; }

  friend void number_units(std::initializer_list<UnitText*> texts);

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;  // of each unit, and the text's size
  std::vector<std::size_t> numbers_;
};

// Numbers the units from 0 without gaps: two units of these texts have the same number iff they
// have the same bytes.
void number_units(std::initializer_list<UnitText*> texts);

// True iff the byte is part of a token that is a word.
[[nodiscard]] bool is_word_byte(char byte);

}  // namespace waggle
