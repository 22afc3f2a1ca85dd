// Where configuration and data lie when nobody says (XDG base directories).

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/stat.h>

#include "cli/config.h"

namespace waggle::cli {
namespace {

std::string below(const char* variable, const char* in_home, const char* rest) {
  // The specification: a relative path in the variable is to be ignored.
  const char* base = std::getenv(variable);
  if (base != nullptr && *base == '/') return fmt::format("{}/{}", base, rest);
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return fmt::format("{}/{}/{}", home, in_home, rest);
}

}  // namespace

std::string default_config_path() {
  return below("XDG_CONFIG_HOME", ".config", "waggle/waggle.toml");
}

std::string default_data_directory() {
  return below("XDG_DATA_HOME", ".local/share", "waggle/coordinator");
}

Status make_parents(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR)
      return failed(Code::kRejected, fmt::format("the directory '{}' can't be made: {}", parent,
                                                 std::strerror(errno)));
  }
  return {};
}

std::string expand_home(const std::string& path) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || !path.starts_with("~/")) return path;
  return home + path.substr(1);
}

}  // namespace waggle::cli
