#include "resolver/json_number.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace waggle {
namespace {

// 0.digits * 10^exponent, without zeros at either end; zero: no digits, not negative, exponent 0.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// Far from where adding the length of a text could overflow.
constexpr std::int64_t kExponentMax = std::int64_t{1} << 60;

// Nothing: the exponent is beyond counting.
std::optional<Decimal> to_decimal(std::string_view text) {
  Decimal decimal;
  const std::size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view exponent = text.substr(mark + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    const auto read =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.exponent);
    if (read.ec != std::errc() || decimal.exponent > kExponentMax ||
        decimal.exponent < -kExponentMax)
      return std::nullopt;
  }
  bool fraction = false;
  for (const char c : text.substr(0, mark)) {
    if (c == '-') {
      decimal.negative = true;
    } else if (c == '.') {
      fraction = true;
    } else if (c == '0' && decimal.digits.empty()) {
      decimal.exponent -= fraction ? 1 : 0;
    } else {
      decimal.exponent += fraction ? 0 : 1;
      decimal.digits += c;
    }
  }
  decimal.digits.resize(decimal.digits.find_last_not_of('0') + 1);
  return decimal.digits.empty() ? Decimal{} : decimal;
}

}  // namespace

bool equal_json_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::optional<Decimal> first = to_decimal(a);
  return first && first == to_decimal(b);
}

}  // namespace waggle
