#include "cli/config.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shape.h"
#include "base/token_bucket.h"
#include "cli/config_policy.h"
#include "cli/config_value.h"
#include "cli/durations.h"
#include "cli/nearest.h"
#include "io/endpoint.h"

namespace waggle::cli {
namespace {

Status set_ports(Config& config, const RawValue& raw) {
  std::vector<std::int64_t> ports;
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&raw.value)) ports = *list;
  if (const auto* text = std::get_if<std::string>(&raw.value); text != nullptr && !raw.typed) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    const char* end = text->data() + text->size();
    const auto first = std::from_chars(text->data(), end, low);
    if (first.ec == std::errc{} && first.ptr != end && *first.ptr == '-') {
      const auto second = std::from_chars(first.ptr + 1, end, high);
      if (second.ec == std::errc{} && second.ptr == end) ports = {low, high};
    }
  }
  const bool any_port = ports == std::vector<std::int64_t>{0, 0};
  if (ports.size() != 2 ||
      (!any_port && (ports[0] < 1 || ports[1] > 65'535 || ports[0] > ports[1])))
    return expected_but(raw.typed ? "two ports such as [4601, 4700], the lower first; [0, 0]: any"
                                  : "two ports such as 4601-4700, the lower first; 0-0: any",
                        raw);
  config.broadcast_port_low = static_cast<std::uint16_t>(ports[0]);
  config.broadcast_port_high = static_cast<std::uint16_t>(ports[1]);
  return {};
}

// ---- the table ---------------------------------------------------------------------------------

struct Setting {
  const char* section;
  const char* name;
  const char* environment;
  const char* shown;  // its default, as it is written in a file; null: none
  const char* doc;
  Status (*set)(Config&, const RawValue&);
};

// Of settings that name a file; "": none.
Status set_file(std::string& out, const RawValue& raw, const char* example) {
  const auto text = as_text(raw, example);
  if (!text) return std::unexpected(text.error());
  out = expand_home(*text);
  return {};
}

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::int64_t kRateMax = 1'000'000'000;
constexpr std::uint64_t kPeerQueueMin = std::uint64_t{5} << 20;  // a frame, and one behind it
constexpr std::uint64_t kPeerQueueMax = std::uint64_t{256} << 20;
static_assert(kPeerQueueMin > limits::kFrameBytes);

const Setting kSettings[] = {
    {"coordinator", "listen", "WAGGLE_LISTEN", "\"tcp://127.0.0.1:4600\"",
     "Where `waggle serve` listens: tcp://ADDRESS:PORT or ipc:///PATH. Port 0 takes any free one.\n"
     "An address that other machines reach also needs `waggle serve --insecure-listen`.",
     [](Config& config, const RawValue& raw) -> Status {
       const auto text = as_text(raw, "an endpoint such as \"tcp://127.0.0.1:4600\"");
       if (!text) return std::unexpected(text.error());
       if (const auto endpoint = parse_listen(*text, true); !endpoint)
         return std::unexpected(endpoint.error());
       config.listen = *text;
       return {};
     }},
    {"coordinator", "data", "WAGGLE_DATA", nullptr,
     "The data directory. Default: $XDG_DATA_HOME/waggle/coordinator, which most often is\n"
     "~/.local/share/waggle/coordinator.",
     [](Config& config, const RawValue& raw) -> Status {
       const auto text = as_text(raw, "a directory such as \"/var/lib/waggle\"");
       if (text && text->empty()) return expected_but("a directory", raw);
       if (text) config.data = expand_home(*text);
       return text ? Status{} : std::unexpected(text.error());
     }},
    {"coordinator", "durability", "WAGGLE_DURABILITY", "\"sync\"",
     "\"sync\": a write is on disk before it is acknowledged. \"written\": it is given to the\n"
     "operating system; a power failure may lose about the last second. Answers name the level.",
     [](Config& config, const RawValue& raw) -> Status {
       std::string choice;
       Status status = as_choice(raw, {"sync", "written"}, choice);
       if (status) config.sync = choice == "sync";
       return status;
     }},
    {"coordinator", "broadcast_ports", "WAGGLE_BROADCAST_PORTS", "[0, 0]",
     "Ports for the broadcast sockets, one for each swarm, lowest and highest. [0, 0]: any free\n"
     "one, which is kept across restarts where possible.",
     set_ports},
    {"coordinator", "disk_reserve", "WAGGLE_DISK_RESERVE", "\"256MiB\"",
     "Writes are refused while less than this is free on the data directory's file system. Less "
     "than\n"
     "32MiB leaves the store too little to write its buffers out; then a full disk may end the\n"
     "process, and it recovers at the next start.",
     [](Config& config, const RawValue& raw) {
       return store(as_size(raw), config.disk_reserve_bytes);
     }},
    {"coordinator", "key", "WAGGLE_SERVE_KEY", "\"\"",
     "File of the coordinator's secret key, as `waggle keys new` makes it. With it every "
     "connection\n"
     "is encrypted and only authorized keys are let in; without, whoever reaches the endpoint is.",
     [](Config& config, const RawValue& raw) {
       return set_file(config.serve_key, raw, "a file such as \"/etc/waggle/coordinator.key\"");
     }},
    {"coordinator", "authorized_keys", "WAGGLE_AUTHORIZED_KEYS", "\"\"",
     "The file of `waggle keys authorize`: who is let in. Read at the start and on HUP. Default:\n"
     "authorized_keys beside the coordinator's key.",
     [](Config& config, const RawValue& raw) {
       return set_file(config.authorized_keys, raw,
                       "a file such as \"/etc/waggle/authorized_keys\"");
     }},
    {"coordinator", "access_log", "WAGGLE_ACCESS_LOG", "\"\"",
     "Where refusals and administrative acts are written, one JSON line each, kept at about 64\n"
     "MiB: FILE and FILE.1 to FILE.3. Default: no such log.",
     [](Config& config, const RawValue& raw) {
       return set_file(config.access_log, raw, "a file such as \"/var/log/waggle/access.log\"");
     }},

    {"coordinator", "access_rules", "WAGGLE_ACCESS_RULES", "\"\"",
     "A file of [[rule]] sections that say who may do what; read at the start and on HUP. "
     "Default:\n"
     "whoever is let in may do everything.",
     [](Config& config, const RawValue& raw) {
       return set_file(config.access_rules, raw, "a file such as \"/etc/waggle/access.toml\"");
     }},

    {"limits", "state_bytes_max", "WAGGLE_STATE_BYTES_MAX", "\"1GiB\"",
     "The state of one swarm, which is held in memory. Beyond: writes are refused (state_full).",
     [](Config& config, const RawValue& raw) -> Status {
       const auto size = as_size(raw);
       if (size && *size == 0) return expected_but("a size above 0", raw);
       return store(size, config.state_bytes_max);
     }},
    {"limits", "tombstones_max", "WAGGLE_TOMBSTONES_MAX", "100000",
     "Deletions that one swarm remembers for delta sync. Beyond: the oldest are forgotten, and an\n"
     "agent that was away for longer gets a snapshot.",
     [](Config& config, const RawValue& raw) {
       return store(as_whole(raw, 0, 100'000'000), config.tombstones_max);
     }},
    {"limits", "tombstone_age", "WAGGLE_TOMBSTONE_AGE", "\"24h\"",
     "How long a deletion is remembered for delta sync.",
     [](Config& config, const RawValue& raw) {
       return store(as_duration(raw, kSecond, 3'650 * 24 * kHour), config.tombstone_age_millis);
     }},
    {"limits", "messages_per_second", "WAGGLE_MESSAGES_PER_SECOND", "50000",
     "Of each agent, by its id; clients by their connection, and those of a swarm together what 8\n"
     "agents have. Beyond: refused (overloaded) with the time to come back; who does not mind it "
     "is\n"
     "ignored. 0: no limit, here and in the next two.",
     [](Config& config, const RawValue& raw) {
       return store(as_whole(raw, 0, kRateMax), config.limits.messages);
     }},
    {"limits", "writes_per_second", "WAGGLE_WRITES_PER_SECOND", "250000",
     "One message may carry many writes.",
     [](Config& config, const RawValue& raw) {
       return store(as_whole(raw, 0, kRateMax), config.limits.writes);
     }},
    {"limits", "bytes_per_second", "WAGGLE_BYTES_PER_SECOND", "\"256MiB\"",
     "Of all that an agent sends.",
     [](Config& config, const RawValue& raw) -> Status {
       const auto size = as_size(raw);
       if (size && *size > TokenBucket::kMax) return expected_but("at most 1TiB", raw);
       return store(size, config.limits.bytes);
     }},
    {"limits", "burst", "WAGGLE_BURST", "\"2s\"",
     "What so much time brings of the three above may come at once.",
     [](Config& config, const RawValue& raw) {
       return store(as_duration(raw, 1, kHour), config.limits.burst_millis);
     }},
    {"limits", "rounds", "WAGGLE_ROUNDS", "32",
     "Full synchronisations that an agent, or all clients of a swarm, asked for and that are not\n"
     "over. Beyond: overloaded. 0: only all swarms together are bounded.",
     [](Config& config, const RawValue& raw) {
       return store(as_whole(raw, 0, 2 * limits::kOpenRounds), config.limits.rounds);
     }},
    {"limits", "keys", "WAGGLE_KEYS", "0",
     "Live keys of a swarm that an agent wrote last; clients together 8 times as many. Then it "
     "makes\n"
     "no new one (rejected, too_many). 0: no limit but `state_bytes_max`.",
     [](Config& config, const RawValue& raw) {
       return store(as_whole(raw, 0, kRateMax), config.limits.keys);
     }},
    {"limits", "value_bytes", "WAGGLE_VALUE_BYTES", "\"1MiB\"",
     "The largest value. Beyond: rejected (too_large).",
     [](Config& config, const RawValue& raw) -> Status {
       const auto size = as_size(raw);
       if (size && (*size == 0 || *size > limits::kValueBytes))
         return expected_but("a size from 1 to 1MiB", raw);
       return store(size, config.limits.value_bytes);
     }},
    {"limits", "history", "WAGGLE_HISTORY", "64",
     "Earlier versions that are kept of a key, whatever its policy says. 0: none.",
     [](Config& config, const RawValue& raw) {
       return store(as_whole(raw, 0, limits::kHistoryVersions), config.limits.history);
     }},
    {"limits", "peer_queue", "WAGGLE_PEER_QUEUE", "\"16MiB\"",
     "What waits for one peer that reads too slowly. Beyond: its session is dropped, and it comes\n"
     "back by delta. Below 16MiB a swarm whose ephemeral keys have many bytes may be too much.",
     [](Config& config, const RawValue& raw) -> Status {
       const auto size = as_size(raw);
       if (size && (*size < kPeerQueueMin || *size > kPeerQueueMax))
         return expected_but("a size from 5MiB to 256MiB", raw);
       return store(size, config.peer_queue_bytes);
     }},

    {"timing", "heartbeat", "WAGGLE_HEARTBEAT", "\"5s\"",
     "How often coordinator and agents beat. Silent for 3 beats: degraded; 6: critical; 9: failed.",
     [](Config& config, const RawValue& raw) {
       return store(as_duration(raw, 50, kHour), config.heartbeat_millis);
     }},
    {"timing", "round_timeout", "WAGGLE_ROUND_TIMEOUT", "\"10s\"",
     "The time of a full synchronisation that names neither a timeout nor a priority.",
     [](Config& config, const RawValue& raw) {
       return store(as_duration(raw, 1, 600 * kSecond), config.round_timeout_millis);
     }},

    {"client", "coordinator", "WAGGLE_COORDINATOR", "\"tcp://127.0.0.1:4600\"",
     "The coordinator that all commands but `serve` ask.",
     [](Config& config, const RawValue& raw) -> Status {
       const auto text = as_text(raw, "an endpoint such as \"tcp://127.0.0.1:4600\"");
       if (!text) return std::unexpected(text.error());
       if (const auto endpoint = parse_dial(*text); !endpoint)
         return std::unexpected(endpoint.error());
       config.coordinator = *text;
       return {};
     }},
    {"client", "swarm", "WAGGLE_SWARM", "\"default\"", "The swarm that they speak of.",
     [](Config& config, const RawValue& raw) -> Status {
       const auto text = as_text(raw, "a name such as \"default\"");
       if (!text) return std::unexpected(text.error());
       if (const Status shape = check_swarm_id(*text); !shape) return shape;
       config.swarm = *text;
       return {};
     }},
    {"client", "timeout", "WAGGLE_TIMEOUT", "\"5s\"",
     "How long they wait for an answer, `waggle sync` apart.",
     [](Config& config, const RawValue& raw) {
       return store(as_duration(raw, 1, 24 * kHour), config.timeout_millis);
     }},
    {"client", "key", "WAGGLE_KEY", "\"\"",
     "File of this agent's or client's secret key, for a coordinator that has keys.",
     [](Config& config, const RawValue& raw) {
       return set_file(config.key, raw, "a file such as \"~/.config/waggle/planner.key\"");
     }},
    {"client", "coordinator_key", "WAGGLE_COORDINATOR_KEY", "\"\"",
     "File of the coordinator's public key. Without it anybody could pose as the coordinator.",
     [](Config& config, const RawValue& raw) {
       return set_file(config.coordinator_key, raw,
                       "a file such as \"~/.config/waggle/coordinator.key.pub\"");
     }},
};

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Setting& setting : kSettings)
    if (names.empty() || names.back() != setting.section) names.emplace_back(setting.section);
  names.emplace_back("policy");
  names.emplace_back("role");
  return names;
}

std::vector<std::string> names_in(std::string_view section) {
  std::vector<std::string> names;
  for (const Setting& setting : kSettings)
    if (section == setting.section) names.emplace_back(setting.name);
  if (section == "policy")
    for (const PolicySetting& setting : policy_settings()) names.emplace_back(setting.name);
  if (section == "role")
    for (const RoleSetting& setting : role_settings()) names.emplace_back(setting.name);
  return names;
}

std::unexpected<Error> at(const std::string& path, std::uint32_t line, const std::string& text) {
  return failed(Code::kRejected, fmt::format("{}:{}: {}", path, line, text));
}

// The section in which a name would be known; for keys that stand in the wrong one.
std::string home_of(std::string_view name) {
  for (const Setting& setting : kSettings)
    if (name == setting.name) return setting.section;
  return {};
}

std::unexpected<Error> unknown_key(const std::string& path, const ConfigSection& section,
                                   const ConfigItem& item) {
  const std::string where = section.name.empty() ? std::string("before any section")
                                                 : fmt::format("in [{}]", section.name);
  std::string hint = did_you_mean(item.name, names_in(section.name));
  if (const std::string home = home_of(item.name); hint.empty() && !home.empty())
    hint = fmt::format("; it belongs into [{}]", home);
  if (hint.empty() && section.name.empty()) hint = did_you_mean(item.name, section_names());
  if (hint.empty()) hint = "; `waggle config default` lists the keys";
  return at(path, item.line, fmt::format("unknown key '{}' {}{}", item.name, where, hint));
}

Status apply_policy(const ConfigSection& section, const std::string& path, Config& config) {
  Policy policy;
  bool has_prefix = false;
  for (const ConfigItem& item : section.items) {
    const auto setting =
        std::find_if(policy_settings().begin(), policy_settings().end(),
                     [&](const PolicySetting& one) { return item.name == one.name; });
    if (setting == policy_settings().end()) return unknown_key(path, section, item);
    if (const Status set = setting->set(policy, item.value); !set)
      return at(path, item.line, fmt::format("policy.{}: {}", item.name, set.error().text));
    has_prefix = has_prefix || item.name == "prefix";
  }
  if (!has_prefix)
    return at(path, section.line,
              "this [[policy]] has no prefix; name the keys it is for, or prefix = \"\" for all");
  if (const Status added = config.policies.add(std::move(policy)); !added)
    return at(path, section.line, added.error().text);
  ++config.policy_count;
  return {};
}

Status apply_role(const ConfigSection& section, const std::string& path, Config& config) {
  NamedRole role;
  for (const ConfigItem& item : section.items) {
    const auto setting = std::ranges::find_if(
        role_settings(), [&](const RoleSetting& one) { return item.name == one.name; });
    if (setting == role_settings().end()) return unknown_key(path, section, item);
    if (const Status set = setting->set(role, item.value); !set)
      return at(path, item.line, fmt::format("role.{}: {}", item.name, set.error().text));
  }
  if (const Status added = config.policies.add_role(role.name, std::move(role.role)); !added)
    return at(path, section.line, added.error().text);
  return {};
}

}  // namespace

Status apply_document(const ConfigDocument& document, const std::string& path, Config& config) {
  const std::vector<std::string> sections = section_names();
  for (const ConfigSection& section : document) {
    const bool known = section.name.empty() ||
                       std::find(sections.begin(), sections.end(), section.name) != sections.end();
    if (!known)
      return at(path, section.line,
                fmt::format("unknown section [{}]{}", section.name,
                            did_you_mean(section.name, sections)));
    const bool policy = section.name == "policy";
    const bool repeats = policy || section.name == "role";
    if (section.repeated != repeats)
      return at(path, section.line,
                section.repeated
                    ? fmt::format("[{}] stands once, in single brackets", section.name)
                    : fmt::format("a {0} is written [[{0}]], in double brackets", section.name));
    if (repeats) {
      const Status applied =
          policy ? apply_policy(section, path, config) : apply_role(section, path, config);
      if (!applied) return applied;
      continue;
    }
    for (const ConfigItem& item : section.items) {
      const auto* setting = std::find_if(
          std::begin(kSettings), std::end(kSettings),
          [&](const Setting& one) { return section.name == one.section && item.name == one.name; });
      if (setting == std::end(kSettings)) return unknown_key(path, section, item);
      if (const Status set = setting->set(config, item.value); !set)
        return at(path, item.line,
                  fmt::format("{}.{}: {}", section.name, item.name, set.error().text));
    }
  }
  return {};
}

std::string Config::authorized_keys_file() const {
  if (!authorized_keys.empty() || serve_key.empty()) return authorized_keys;
  return serve_key.substr(0, serve_key.rfind('/') + 1) + "authorized_keys";
}

std::vector<std::pair<std::string, std::string>> environment_of(const Config& config) {
  std::vector<std::pair<std::string, std::string>> out = {
      {"WAGGLE_SWARM", config.swarm}, {"WAGGLE_COORDINATOR", config.coordinator}};
  if (!config.key.empty()) out.emplace_back("WAGGLE_KEY", config.key);
  if (!config.coordinator_key.empty())
    out.emplace_back("WAGGLE_COORDINATOR_KEY", config.coordinator_key);
  return out;
}

Status apply_environment(Config& config) {
  for (const Setting& setting : kSettings) {
    const char* text = std::getenv(setting.environment);
    if (text == nullptr || *text == '\0') continue;
    const RawValue raw{std::string(text), fmt::format("'{}'", text), false};
    if (const Status set = setting.set(config, raw); !set)
      return failed(Code::kRejected, fmt::format("the environment variable {}: {}",
                                                 setting.environment, set.error().text));
  }
  return {};
}

Result<Config> load_config(const std::optional<std::string>& path, std::string* used) {
  Config config;
  std::string file;
  if (path) {
    file = *path;
  } else if (const char* named = std::getenv("WAGGLE_CONFIG"); named != nullptr && *named != '\0') {
    file = named;
  } else if (file = default_config_path(); !file.empty() && access(file.c_str(), F_OK) != 0) {
    file.clear();
  }
  if (!file.empty()) {
    const auto document = read_config_file(file);
    if (!document) return std::unexpected(document.error());
    if (const Status applied = apply_document(*document, file, config); !applied)
      return std::unexpected(applied.error());
  }
  if (const Status applied = apply_environment(config); !applied)
    return std::unexpected(applied.error());
  if (used != nullptr) *used = file;
  return config;
}

std::string default_config_text() {
  std::string text =
      "# Waggle's configuration. Lines show the defaults, `data` an example; remove the '#' to "
      "change.\n"
      "# Flags come before WAGGLE_* environment variables, those before this file.\n"
      "# `waggle config check FILE` tells what is wrong with a file.\n";
  const auto comment = [&text](std::string_view doc) {
    while (!doc.empty()) {
      const std::size_t end = std::min(doc.find('\n'), doc.size());
      text += fmt::format("# {}\n", doc.substr(0, end));
      doc.remove_prefix(std::min(end + 1, doc.size()));
    }
  };
  std::string_view section;
  for (const Setting& setting : kSettings) {
    if (section != setting.section) text += fmt::format("\n[{}]\n", section = setting.section);
    text += '\n';
    comment(setting.doc);
    text += fmt::format("# environment: {}\n", setting.environment);
    text += fmt::format("#{} = {}\n", setting.name,
                        setting.shown == nullptr ? "\"/var/lib/waggle\"" : setting.shown);
  }
  text += "\n# Rules for keys that begin with a prefix; any number of them.\n#[[policy]]\n";
  for (const PolicySetting& setting : policy_settings()) {
    text += '\n';
    comment(setting.doc);
    text += fmt::format("#{} = {}\n", setting.name, setting.shown);
  }
  text += "\n# Roles of agents in votes; any number of them.\n#[[role]]\n";
  for (const RoleSetting& setting : role_settings()) {
    text += '\n';
    comment(setting.doc);
    text += fmt::format("#{} = {}\n", setting.name, setting.shown);
  }
  return text;
}

}  // namespace waggle::cli
