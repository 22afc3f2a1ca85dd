#include "cli/child.h"

#include <cerrno>
#include <csignal>
#include <string_view>

#include <spawn.h>
#include <unistd.h>

namespace waggle::cli {
namespace {

std::vector<std::string> environment_with(const Environment& own) {
  std::vector<std::string> lines;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view line = *at;
    bool replaced = false;
    for (const auto& [name, value] : own)
      replaced = replaced || (line.starts_with(name) && line.substr(name.size()).starts_with('='));
    if (!replaced) lines.emplace_back(line);
  }
  for (const auto& [name, value] : own) lines.push_back(name + '=' + value);
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& lines) {
  std::vector<char*> pointers;
  for (std::string& line : lines) pointers.push_back(line.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

pid_t start_child(const std::vector<std::string>& words, const Environment& environment,
                  const ChildFiles& files) {
  std::vector<std::string> lines = environment_with(environment);
  std::vector<std::string> arguments = words;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (files.input >= 0) posix_spawn_file_actions_adddup2(&actions, files.input, STDIN_FILENO);
  if (files.output >= 0) posix_spawn_file_actions_adddup2(&actions, files.output, STDOUT_FILENO);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&how, &none);
  sigset_t ignored;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  posix_spawnattr_setsigdefault(&how, &ignored);
  posix_spawnattr_setpgroup(&how, 0);
  const int group = files.own_group ? POSIX_SPAWN_SETPGROUP : 0;
  posix_spawnattr_setflags(
      &how, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  pid_t child = -1;
  const int error = posix_spawnp(&child, words.front().c_str(), &actions, &how,
                                 pointers_to(arguments).data(), pointers_to(lines).data());
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&actions);
  errno = error;
  return error == 0 ? child : -1;
}

}  // namespace waggle::cli
