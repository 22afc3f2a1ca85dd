#pragma once

// Standard output carries data and nothing else; messages and progress go to standard error. Both
// are written at once, without a buffer of ours, so that a pipe sees each line when it is made.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/json.h"

namespace waggle::cli {

// The program's exit codes beside those of waggle::exit_code().
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// Data. False: the reader is gone, or the file can't be written; the latter was said.
bool print(std::string_view text);
bool print_line(std::string_view line);
bool print_json(const Json& json);
// "waggle: TEXT" on standard error.
void say(std::string_view text);

// Reports a failure (with `json` as one JSON line, on standard error too) and gives its exit code.
int fail(const Error& error, bool json);
int fail_usage(std::string_view text, bool json = false);

[[nodiscard]] bool output_is_terminal();
[[nodiscard]] bool errors_to_terminal();

// For a terminal: control characters and bytes that are not UTF-8 as \xNN, so that nobody's value
// moves the cursor; cut after `bytes_max` with "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max = SIZE_MAX);

// Rows of cells in aligned columns; the first row is the heading. The last column is not padded.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

// "1 key", "2 keys"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one);

}  // namespace waggle::cli
