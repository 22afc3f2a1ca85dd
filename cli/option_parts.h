#pragma once

// How the program's options are declared with CLI11: what options.cc and its parts
// (options_state.cc, options_decisions.cc, options_store.cc) share, the only files that know it.
// Inner header.

#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "cli/durations.h"
#include "cli/options.h"

namespace waggle::cli {

// The commands and what each is, in the order in which they were declared.
using Commands = std::vector<std::pair<CLI::App*, Verb>>;

// CLI11 clamps a number that is too large, so numbers are looked at before it reads them.
template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

// Checks of one value: empty, or what is wrong with it.
inline std::string natural_text(const std::string& text, std::uint64_t least) {
  const auto number = whole_number<std::uint64_t>(text);
  if (number && *number >= least && *number <= limits::kNumberMax) return {};
  return fmt::format("expected a whole number from {} to {}, got '{}'", least, limits::kNumberMax,
                     text);
}
inline std::string revision_of_text(const std::string& text) {
  return natural_text(text, 0);
}

inline CLI::App* command(CLI::App& parent, Commands& commands, Verb verb, const char* name,
                         const char* about) {
  CLI::App* app = parent.add_subcommand(name, about);
  commands.emplace_back(app, verb);
  return app;
}

inline CLI::App* family(CLI::App& parent, const char* name, const char* about) {
  CLI::App* app = parent.add_subcommand(name, about);
  app->require_subcommand(1);
  return app;
}

template <typename T>
CLI::Option* duration(CLI::App& app, const char* name, T& out, const char* about) {
  return app
      .add_option_function<std::string>(
          name,
          [name, &out](const std::string& text) {
            const auto millis = parse_duration(text);
            if (!millis) throw CLI::ValidationError(name, millis.error().text);
            out = *millis;
          },
          about)
      ->type_name("TIME");
}

// A name that can't be empty, as from `--data "$UNSET"`.
inline const CLI::Validator& not_empty() {
  static const CLI::Validator kNotEmpty(
      [](const std::string& text) { return std::string(text.empty() ? "is empty" : ""); }, "");
  return kNotEmpty;
}

inline void token(CLI::App& app, std::uint64_t& out, const char* about) {
  app.add_option("--token", out, about)
      ->check([](const std::string& text) { return natural_text(text, 1); })
      ->type_name("N");
}

// An option that is one of a few words.
template <typename T>
CLI::Option* choice(CLI::App& app, const char* name, std::map<std::string, T> words,
                    std::function<void(T)> take, const char* about) {
  std::string names;
  for (const auto& [word, value] : words) names += (names.empty() ? "" : "|") + word;
  return app
      .add_option_function<std::string>(
          name,
          [name, words, names, take](const std::string& text) {
            const auto found = words.find(text);
            if (found == words.end())
              throw CLI::ValidationError(name, fmt::format("'{}' is not one of {}", text, names));
            take(found->second);
          },
          about)
      ->type_name(names);
}

// Claims, proposals and votes, tasks; options_decisions.cc.
void add_decisions(CLI::App& app, CommandLine& line, Commands& commands);
// Snapshots and stores; options_store.cc.
void add_stores(CLI::App& app, CommandLine& line, Commands& commands);
// The family `waggle state`, into `line.state`; options_state.cc.
void add_state_family(CLI::App& family, CommandLine& line, Commands& commands);
// Of a verb that only agents have, what to do instead; else empty.
std::string only_for_agents(std::string_view verb);
// What the command line as a whole says of a write is read once all of it is there. Empty, or what
// is wrong with it.
[[nodiscard]] std::string settle_state_write(CommandLine::State& state);

}  // namespace waggle::cli
