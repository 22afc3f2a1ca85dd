#include "resolver/text_units.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace waggle {
namespace {

enum class ByteClass : std::uint8_t { kWord, kSpace, kOther };

// Not <cctype>, whose answer depends on the locale.
ByteClass class_of(char byte) {
  if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
      (byte >= '0' && byte <= '9') || static_cast<unsigned char>(byte) >= 0x80)
    return ByteClass::kWord;
  return byte == ' ' || (byte >= '\t' && byte <= '\r') ? ByteClass::kSpace : ByteClass::kOther;
}

std::size_t line_end(std::string_view text, std::size_t start) {
  const std::size_t newline = text.find('\n', start);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

std::size_t token_end(std::string_view text, std::size_t start) {
  const ByteClass first = class_of(text[start]);
  std::size_t end = start + 1;
  if (first == ByteClass::kOther) return end;
  while (end < text.size() && class_of(text[end]) == first) ++end;
  return end;
}

}  // namespace

bool is_word_byte(char byte) {
  return class_of(byte) == ByteClass::kWord;
}

UnitText::UnitText(std::string_view text, TextUnit unit) : text_(text), starts_{0} {
  while (starts_.back() < text.size())
    starts_.push_back(unit == TextUnit::kLine ? line_end(text, starts_.back())
                                              : token_end(text, starts_.back()));
  numbers_.resize(size());
}

void number_units(std::initializer_list<UnitText*> texts) {
  // The hash only saves comparisons of bytes: neither it nor its order reaches a result.
  struct Unit {
    std::size_t hash;
    std::string_view bytes;
    std::size_t* number;
  };
  std::vector<Unit> units;
  for (UnitText* text : texts) {
    for (std::size_t i = 0; i < text->size(); ++i) {
      const std::string_view bytes = text->slice(i, i + 1);
      units.push_back({std::hash<std::string_view>{}(bytes), bytes, &text->numbers_[i]});
    }
  }
  std::ranges::sort(units, [](const Unit& left, const Unit& right) {
    return std::tie(left.hash, left.bytes) < std::tie(right.hash, right.bytes);
  });
  std::size_t number = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (i > 0 && (units[i].hash != units[i - 1].hash || units[i].bytes != units[i - 1].bytes))
      ++number;
    *units[i].number = number;
  }
}

}  // namespace waggle
