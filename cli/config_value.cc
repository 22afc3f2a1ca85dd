#include "cli/config_value.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "cli/durations.h"
#include "cli/nearest.h"

namespace waggle::cli {

std::unexpected<Error> expected_but(std::string_view wanted, const RawValue& raw) {
  return failed(Code::kRejected, fmt::format("expected {}, found {}", wanted, raw.found));
}

Result<std::string> as_text(const RawValue& raw, std::string_view wanted) {
  if (const auto* text = std::get_if<std::string>(&raw.value)) return *text;
  return expected_but(wanted, raw);
}

Result<std::int64_t> as_duration(const RawValue& raw, std::int64_t low, std::int64_t high) {
  const auto text = as_text(raw, "a duration such as \"5s\" or \"250ms\"");
  if (!text) return std::unexpected(text.error());
  const auto millis = parse_duration(*text);
  if (millis && (*millis < low || *millis > high))
    return failed(Code::kRejected, fmt::format("expected {} to {}, found {}", duration_text(low),
                                               duration_text(high), raw.found));
  return millis;
}

Result<std::uint64_t> as_size(const RawValue& raw) {
  if (const auto* bytes = std::get_if<std::int64_t>(&raw.value); bytes != nullptr && *bytes >= 0)
    return static_cast<std::uint64_t>(*bytes);
  const auto text = as_text(raw, "a size such as \"256MiB\" or a number of bytes");
  if (!text) return std::unexpected(text.error());
  return parse_size(*text);
}

Result<std::int64_t> as_whole(const RawValue& raw, std::int64_t low, std::int64_t high) {
  std::int64_t number = low - 1;
  if (const auto* whole = std::get_if<std::int64_t>(&raw.value)) {
    number = *whole;
  } else if (const auto* text = std::get_if<std::string>(&raw.value);
             text != nullptr && !raw.typed) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size()) number = low - 1;
  }
  if (number < low || number > high)
    return expected_but(fmt::format("a whole number from {} to {}", low, high), raw);
  return number;
}

Status as_choice(const RawValue& raw, const std::vector<std::string>& choices, std::string& out) {
  std::string wanted;
  for (const std::string& choice : choices)
    wanted += (wanted.empty()               ? "\""
               : &choice == &choices.back() ? " or \""
                                            : ", \"") +
              choice + "\"";
  const auto text = as_text(raw, wanted);
  if (!text) return std::unexpected(text.error());
  if (std::find(choices.begin(), choices.end(), *text) == choices.end())
    return failed(Code::kRejected, fmt::format("expected {}, found {}{}", wanted, raw.found,
                                               did_you_mean(*text, choices)));
  out = *text;
  return {};
}

std::optional<double> as_share(const RawValue& raw) {
  if (const auto* real = std::get_if<double>(&raw.value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&raw.value))
    return *whole == 0 || *whole == 1 ? std::optional(static_cast<double>(*whole)) : std::nullopt;
  const auto* text = std::get_if<std::string>(&raw.value);
  if (text == nullptr) return std::nullopt;
  double share = 0;
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, share, std::chars_format::fixed);
  if (read.ec != std::errc{} || std::string_view(read.ptr, end) != "%") return std::nullopt;
  return share / 100;
}

}  // namespace waggle::cli
