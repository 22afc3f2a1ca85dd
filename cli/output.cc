#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "base/shape.h"

namespace waggle::cli {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

bool print(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return true;
  if (errno != EPIPE)
    say(fmt::format("standard output can't be written: {}", std::strerror(errno)));
  return false;
}

bool print_line(std::string_view line) {
  return print(std::string(line) + '\n');
}

bool print_json(const Json& json) {
  return print_line(json.dump());
}

void say(std::string_view text) {
  (void)write_all(STDERR_FILENO, fmt::format("waggle: {}\n", text));
}

int fail(const Error& error, bool json) {
  const int exit = exit_code(error.code) == 0 ? kExitFailure : exit_code(error.code);
  if (json) {
    Json line;
    line.set("event", "error").set("code", to_text(error.code)).set("text", error.text);
    line.set("exit", exit);
    (void)write_all(STDERR_FILENO, line.dump() + '\n');
  } else {
    say(error.text);
  }
  return exit;
}

int fail_usage(std::string_view text, bool json) {
  if (json) {
    Json line;
    line.set("event", "error").set("code", "usage").set("text", text).set("exit", kExitUsage);
    (void)write_all(STDERR_FILENO, line.dump() + '\n');
  } else {
    say(text);
  }
  return kExitUsage;
}

bool output_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}
bool errors_to_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  bool cut = false;
  if (text.size() > bytes_max) {
    cut = true;
    // Not within a character.
    std::size_t end = bytes_max;
    while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  const bool whole = is_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F are control characters too.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && (text[i + 1] & 0xe0) == 0x80;
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !whole)) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (c1) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return cut ? out + "..." : out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string counted(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

}  // namespace waggle::cli
