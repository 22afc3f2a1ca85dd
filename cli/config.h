#pragma once

// What `waggle` is set to: flags > WAGGLE_* environment > file > defaults. Every setting stands
// once in a table (config.cc) that reads files and environment and also writes `waggle config
// default`, so none can be missing from one of them.
//
// A file is TOML. An unknown key or a wrong type is an error that names file, line and what was
// expected; nothing is skipped on the quiet.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "coordinator/agent_limits.h"
#include "resolver/policy.h"

namespace waggle::cli {

struct Config {
  // [coordinator]
  std::string listen = "tcp://127.0.0.1:4600";
  std::string data;                      // empty: default_data_directory()
  bool sync = true;                      // durability = "sync", else "written"
  std::uint16_t broadcast_port_low = 0;  // 0: any free port
  std::uint16_t broadcast_port_high = 0;
  std::uint64_t disk_reserve_bytes = std::uint64_t{256} << 20;
  std::string serve_key;        // file of the secret key; empty: without keys
  std::string authorized_keys;  // file; empty: "authorized_keys" beside serve_key
  std::string access_log;       // file; empty: none
  std::string access_rules;     // file; empty: everybody may everything
  // [limits]
  std::uint64_t state_bytes_max = std::uint64_t{1} << 30;
  std::uint64_t tombstones_max = 100'000;
  std::int64_t tombstone_age_millis = std::int64_t{24} * 3600 * 1000;
  AgentLimits limits;  // of each agent
  std::size_t peer_queue_bytes = limits::kPeerQueueBytes;
  // [timing]
  std::int64_t heartbeat_millis = 5'000;
  std::int64_t round_timeout_millis = 10'000;
  // [[policy]]
  Policies policies;
  std::size_t policy_count = 0;
  // [client]
  std::string coordinator = "tcp://127.0.0.1:4600";
  std::string swarm = "default";
  std::int64_t timeout_millis = 5'000;
  std::string key;              // file of the secret key; empty: without keys
  std::string coordinator_key;  // file of the coordinator's public key

  [[nodiscard]] std::string authorized_keys_file() const;
};

// ---- a file as it was read ---------------------------------------------------------------------

// A value before its setting has judged it.
struct RawValue {
  std::variant<std::string, std::int64_t, double, bool, std::vector<std::int64_t>,
               std::vector<std::string>, std::monostate>
      value;          // monostate: anything else, a table for one
  std::string found;  // what it is, for a message: "integer 5", "a table"
  bool typed = true;  // false: from the environment, where everything is text
};
struct ConfigItem {
  std::string name;
  std::uint32_t line = 0;
  RawValue value;
};
struct ConfigSection {
  std::string name;  // empty: the keys before the first section
  std::uint32_t line = 0;
  bool repeated = false;  // [[name]]
  std::vector<ConfigItem> items;
};
using ConfigDocument = std::vector<ConfigSection>;

// config_file.cc, the only file that knows toml++. Errors: kNotFound, kRejected with file and line.
[[nodiscard]] Result<ConfigDocument> read_config_file(const std::string& path);
// The same of a file's text; `path` is for messages. Errors: kRejected with file and line.
[[nodiscard]] Result<ConfigDocument> parse_config(std::string_view text, const std::string& path);

// ---- putting it together -----------------------------------------------------------------------

// Sets what the file names. Errors: kRejected, "FILE:LINE: ...".
[[nodiscard]] Status apply_document(const ConfigDocument& document, const std::string& path,
                                    Config& config);
// Sets what the WAGGLE_* environment names; an empty variable counts as absent.
[[nodiscard]] Status apply_environment(Config& config);

// Defaults, then the file (`path`, or WAGGLE_CONFIG, or the default file if it exists), then the
// environment. `used` gets the path of the file that was read, or nothing.
[[nodiscard]] Result<Config> load_config(const std::optional<std::string>& path,
                                         std::string* used = nullptr);

// A commented file with every setting at its default, which checks.
[[nodiscard]] std::string default_config_text();

// $XDG_CONFIG_HOME/waggle/waggle.toml; empty when neither it nor HOME is set.
[[nodiscard]] std::string default_config_path();
// $XDG_DATA_HOME/waggle/coordinator; empty when neither it nor HOME is set.
[[nodiscard]] std::string default_data_directory();
// Makes the directories above `path`, only for this user to read.
[[nodiscard]] Status make_parents(const std::string& path);
// What a command that this one starts needs in order to reach the same coordinator.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_of(const Config& config);
// A leading "~/" as the home directory.
[[nodiscard]] std::string expand_home(const std::string& path);

}  // namespace waggle::cli
