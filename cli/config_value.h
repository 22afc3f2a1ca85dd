#pragma once

// From a value as a file or the environment has it to what a setting wants. Each error says what
// was expected and what was found. Inner header of the configuration.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/config.h"

namespace waggle::cli {

[[nodiscard]] std::unexpected<Error> expected_but(std::string_view wanted, const RawValue& raw);
[[nodiscard]] Result<std::string> as_text(const RawValue& raw, std::string_view wanted);
// Milliseconds.
[[nodiscard]] Result<std::int64_t> as_duration(const RawValue& raw, std::int64_t low,
                                               std::int64_t high);
[[nodiscard]] Result<std::uint64_t> as_size(const RawValue& raw);
[[nodiscard]] Result<std::int64_t> as_whole(const RawValue& raw, std::int64_t low,
                                            std::int64_t high);
[[nodiscard]] Status as_choice(const RawValue& raw, const std::vector<std::string>& choices,
                               std::string& out);
// 0.51, 1, "51%". Nothing: another thing.
[[nodiscard]] std::optional<double> as_share(const RawValue& raw);

template <typename T, typename U>
Status store(Result<T> value, U& out) {
  if (!value) return std::unexpected(value.error());
  out = static_cast<U>(*std::move(value));
  return {};
}

inline constexpr std::int64_t kConfigSecond = 1000;
inline constexpr std::int64_t kConfigHour = 3600 * kConfigSecond;

}  // namespace waggle::cli
