#pragma once

// The command line as the user gave it. options.cc is the only file that knows CLI11; its own exit
// codes become 2, and it adds what CLI11 lacks: the nearest name to a mistyped one.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/message.h"
#include "base/value.h"

namespace waggle::cli {

enum class Verb {
  kServe,
  kAgentRun,
  kAgentList,
  kStateGet,
  kStatePut,
  kStateRemoveKey,
  kStateList,
  kStateIncrement,
  kStateAdd,
  kStateRemove,
  kSync,
  kDelta,
  kTail,
  kStatus,
  kClear,
  kCompact,
  kConfigCheck,
  kConfigDefault,
  kVersion,
};

// Only the part of the verb that was asked for is filled.
struct CommandLine {
  Verb verb = Verb::kVersion;

  // Of all commands. Empty: as configured.
  bool json = false;
  std::optional<std::string> config;
  std::optional<std::string> coordinator;
  std::optional<std::string> swarm;
  std::optional<std::int64_t> timeout_millis;

  struct Serve {
    std::optional<std::string> listen;
    std::optional<std::string> data;
    bool memory = false;
    bool insecure_listen = false;
    bool accept_rollback = false;
  } serve;

  struct AgentRun {
    std::string id;
    std::string data;
    std::string on_change;
    bool observer = false;
    bool changes = false;
    bool initial = false;
    bool no_stdin = false;
    std::int64_t drain_millis = 5'000;
  } agent;

  struct State {
    std::string key;
    std::string glob;
    std::optional<std::string> value;
    std::string file;
    std::optional<ContentType> content;
    std::vector<std::string> elements;
    std::int64_t amount = 1;
    std::optional<std::uint64_t> if_version;
    bool if_absent = false;
    std::uint64_t at_least = 0;
    bool long_list = false;
  } state;

  struct Sync {
    std::vector<std::string> keys;
    bool all = false;
    std::optional<Priority> priority;
    std::int64_t every_millis = 0;
    std::uint64_t count = 0;  // 0: for ever
  } sync;

  struct Follow {
    std::string cursor;  // of delta and tail
    std::string prefix;
    bool or_snapshot = false;
    std::uint64_t count = 0;
  } follow;

  struct Admin {
    std::string key;
    bool yes = false;
    std::uint64_t floor = 0;
    std::string file;  // of config check
    bool counters = false;
  } admin;
};

// The exit code when there is nothing to run: help was printed (0) or the line was wrong (2, said).
[[nodiscard]] std::expected<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace waggle::cli
