#include "cli/op_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/nearest.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

using enum ValueType;

constexpr std::array kCounters = {kCounter, kGrowCounter, kResettableCounter, kBoundedCounter};
// Nothing can be removed from a grow-set, which is for check_entry() to say.
constexpr std::array kSets = {kOrSet, kGrowSet, kRemoveWinsSet};
constexpr std::array kFlags = {kEnableFlag, kDisableFlag};
constexpr std::array kSequences = {kText, kList};

constexpr std::array<std::string_view, 4> kKinds = {"integer", "natural", "real", "bytes"};

std::unexpected<Error> not_one_of(std::string_view word, const std::vector<std::string>& known) {
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : "|") + name;
  return failed(Code::kRejected, fmt::format("'{}' is not one of {}{}", printable(word, 64), names,
                                             did_you_mean(word, known)));
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

// No "inf" and no "nan", which from_chars() reads too.
std::optional<double> real_of(std::string_view text) {
  const std::optional<double> number = number_of<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace

std::span<const ValueType> types_of(std::string_view verb) {
  if (verb == "incr") return kCounters;
  if (verb == "add" || verb == "remove") return kSets;
  if (verb == "on" || verb == "off") return kFlags;
  if (verb == "insert" || verb == "erase" || verb == "append") return kSequences;
  return {};
}

std::string type_words(std::string_view verb) {
  std::string words;
  for (const ValueType type : types_of(verb))
    words += fmt::format("{}{}", words.empty() ? "" : "|", to_text(type));
  return words;
}

Result<ValueType> type_for(std::string_view verb, std::string_view word) {
  std::vector<std::string> known;
  for (const ValueType type : types_of(verb)) {
    if (to_text(type) == word) return type;
    known.emplace_back(to_text(type));
  }
  return not_one_of(word, known);
}

Result<ValueType> field_type_of(std::string_view word) {
  if (word == "text" || word == "json" || word == "bytes") return kRegister;
  if (const std::optional<ValueType> type = value_type_of(word)) return *type;
  std::vector<std::string> known;
  for (const ValueType type : kValueTypes) known.emplace_back(to_text(type));
  return not_one_of(word, known);
}

bool is_kind(std::string_view word) {
  return std::ranges::find(kKinds, word) != kKinds.end();
}

Result<Scalar> scalar_of(const std::string& text, std::string_view kind) {
  if (!kind.empty() && !is_kind(kind)) return not_one_of(kind, {kKinds.begin(), kKinds.end()});
  if (kind == "bytes") return Scalar(text);
  const bool any = kind.empty();
  if (any || kind == "integer")
    if (const auto number = number_of<std::int64_t>(text)) return Scalar(*number);
  if (any || kind == "natural")
    if (const auto number = number_of<std::uint64_t>(text)) return Scalar(*number);
  if (any || kind == "real")
    if (const auto number = real_of(text)) return checked(Scalar(*number));
  const std::string found = printable(text, 64);
  if (kind == "integer")
    return failed(Code::kRejected,
                  fmt::format("expected a whole number of 64 bits with sign, got '{}'", found));
  if (kind == "natural")
    return failed(Code::kRejected,
                  fmt::format("expected a whole number of 64 bits without sign, got '{}'", found));
  return failed(Code::kRejected,
                fmt::format("expected a number that a double holds, got '{}'", found));
}

Result<std::vector<std::string>> field_path(std::string_view text) {
  if (!text.starts_with('/')) return std::vector{std::string(text)};
  std::vector<std::string> path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      path.emplace_back();
    } else if (text[i] != '~') {
      path.back() += text[i];
    } else if (++i < text.size() && (text[i] == '0' || text[i] == '1')) {
      path.back() += text[i] == '0' ? '~' : '/';
    } else {
      return failed(Code::kRejected,
                    fmt::format("'{}' is no path: behind '~' expected 0 for '~' or 1 for '/'",
                                printable(text, 128)));
    }
  }
  return path;
}

Op within(std::vector<std::string> path, Op op) {
  if (path.empty()) return op;
  return field_op(std::move(path), std::move(op));
}

std::vector<std::string> sorted_unique(std::vector<std::string> elements) {
  std::ranges::sort(elements);
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

EditOp insertion(std::uint64_t at, std::vector<std::string> inserted, ValueType type) {
  return {{{.at = at, .removed = 0, .inserted = std::move(inserted)}}, type};
}

EditOp erasure(std::uint64_t at, std::uint64_t count, ValueType type) {
  return {{{.at = at, .removed = count, .inserted = {}}}, type};
}

}  // namespace waggle::cli
