#include "resolver/json_number.h"

#include <charconv>
#include <cstdint>
#include <limits>

#include "base/check.h"
#include "resolver/lattice_total.h"

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

template <typename Integer>
std::optional<lattice::WideTotal> to_integer(std::string_view text) {
  Integer value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return lattice::WideTotal{value};
}

std::optional<lattice::WideTotal> to_whole(std::string_view text) {
  const auto whole = to_integer<std::int64_t>(text);
  return whole ? whole : to_integer<std::uint64_t>(text);
}

}  // namespace

bool equal_json_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::optional<Decimal> first = to_decimal(a);
  return first && first == to_decimal(b);
}

bool is_whole_json_number(std::string_view text) {
  return to_whole(text).has_value();
}

std::optional<std::string> sum_of_changes(std::string_view base, std::string_view ours,
                                          std::string_view theirs) {
  const auto began = to_whole(base);
  const auto first = to_whole(ours);
  const auto second = to_whole(theirs);
  WAGGLE_CHECK(began && first && second);
  const lattice::WideTotal sum = *first + *second - *began;
  if (sum > std::numeric_limits<std::uint64_t>::max() ||
      sum < std::numeric_limits<std::int64_t>::min())
    return std::nullopt;
  return sum < 0 ? std::to_string(static_cast<std::int64_t>(sum))
                 : std::to_string(static_cast<std::uint64_t>(sum));
}

}  // namespace waggle
