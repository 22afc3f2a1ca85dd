#include "cli/durations.h"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

namespace waggle::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A number and the unit behind it. False: no number, negative, or no finite one.
bool split(std::string_view text, double& number, std::string_view& unit) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !(number >= 0) || !std::isfinite(number)) return false;
  unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return true;
}

std::string one_decimal(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 24 * 3600e3}}};
  double number = 0;
  std::string_view unit;
  if (split(text, number, unit)) {
    for (const Unit& one : kUnits) {
      if (unit != one.name) continue;
      const double millis = number * one.factor;
      if (millis > 1e15)
        return failed(
            Code::kRejected,
            fmt::format("'{}' is longer than can be counted; name less than 30,000 years", text));
      return static_cast<std::int64_t>(std::llround(millis));
    }
  }
  return failed(
      Code::kRejected,
      fmt::format("'{}' is no duration: expected a number with a unit, such as 250ms, 5s, "
                  "2m, 24h or 7d",
                  text));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr double kK = 1024;
  static constexpr std::array<Unit, 15> kUnits = {{{"", 1},
                                                   {"B", 1},
                                                   {"K", kK},
                                                   {"KiB", kK},
                                                   {"M", kK * kK},
                                                   {"MiB", kK * kK},
                                                   {"G", kK * kK * kK},
                                                   {"GiB", kK * kK * kK},
                                                   {"T", kK * kK * kK * kK},
                                                   {"TiB", kK * kK * kK * kK},
                                                   {"kB", 1e3},
                                                   {"KB", 1e3},
                                                   {"MB", 1e6},
                                                   {"GB", 1e9},
                                                   {"TB", 1e12}}};
  double number = 0;
  std::string_view unit;
  if (split(text, number, unit)) {
    for (const Unit& one : kUnits) {
      if (unit != one.name) continue;
      const double bytes = number * one.factor;
      if (bytes > 4e18) break;
      return static_cast<std::uint64_t>(bytes);
    }
  }
  return failed(
      Code::kRejected,
      fmt::format("'{}' is no size: expected bytes, or a number with a unit, such as 64KiB, "
                  "256MiB or 1GB",
                  text));
}

std::string duration_text(std::int64_t millis) {
  if (millis < 1'000) return fmt::format("{} ms", millis);
  if (millis < 60'000) return one_decimal(static_cast<double>(millis) / 1e3) + " s";
  const std::int64_t seconds = millis / 1'000;
  if (seconds < 3'600) return fmt::format("{} m {} s", seconds / 60, seconds % 60);
  if (seconds < 48 * 3'600) return fmt::format("{} h {} m", seconds / 3'600, seconds % 3'600 / 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds % 86'400 / 3'600);
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{} {}", one_decimal(value), kUnits[unit]);
}

std::string wall_text(std::int64_t wall_millis) {
  std::int64_t rest = wall_millis % 1'000;
  std::time_t seconds = wall_millis / 1'000;
  if (rest < 0) {
    rest += 1'000;
    --seconds;
  }
  std::tm utc{};
  if (gmtime_r(&seconds, &utc) == nullptr) return fmt::format("{} ms", wall_millis);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, rest);
}

}  // namespace waggle::cli
