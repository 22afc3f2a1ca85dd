#include "cli/config.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

// A file that is gone with its object.
class File {
 public:
  explicit File(const std::string& text) {
    const int fd = mkstemp(path_);
    BOOST_REQUIRE(fd >= 0);
    std::ofstream(path_) << text;
  }
  ~File() { std::remove(path_); }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  char path_[64] = "/tmp/waggle-config-XXXXXX";
};

// An environment variable that is gone with its object.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

Result<Config> loaded(const std::string& text) {
  return load_config(File(text).path());
}

// The message behind "FILE:".
std::string error_of(const std::string& text) {
  const File file(text);
  const auto config = load_config(file.path());
  if (config) return "accepted";
  const std::string& message = config.error().text;
  BOOST_TEST(message.starts_with(file.path() + ":"), message);
  return message.substr(file.path().size() + 1);
}

BOOST_AUTO_TEST_CASE(an_empty_file_means_the_defaults) {
  const auto config = loaded("");
  BOOST_REQUIRE(config);
  BOOST_TEST(config->listen == "tcp://127.0.0.1:4600");
  BOOST_TEST(config->sync);
  BOOST_TEST(config->heartbeat_millis == 5'000);
  BOOST_TEST(config->swarm == "default");
}

BOOST_AUTO_TEST_CASE(every_setting_is_read) {
  const auto config = loaded(R"(
[coordinator]
listen = "tcp://127.0.0.1:1234"
data = "/tmp/x"
durability = "written"
broadcast_ports = [5000, 5010]
disk_reserve = "1MiB"
[limits]
state_bytes_max = "64MiB"
tombstones_max = 50
tombstone_age = "2h"
messages_per_second = 300
writes_per_second = 0
bytes_per_second = "2MiB"
burst = "500ms"
rounds = 3
keys = 1000
value_bytes = "64KiB"
history = 4
peer_queue = "8MiB"
[timing]
heartbeat = "250ms"
round_timeout = "3s"
[client]
coordinator = "tcp://10.0.0.1:4600"
swarm = "bees"
timeout = "1s"
[[policy]]
prefix = "plan/"
strategy = "quorum"
otherwise = "lww"
quorum = "66.7%"
timeout = "7s"
priority = "critical"
late_write = "apply"
[[policy]]
prefix = "n/"
type = "counter"
[[policy]]
prefix = "doc/"
strategy = "merge"
otherwise = ["lww", "manual"]
conflict_window = "2s"
history = 20
merge_text = "token"
merge_favor = "union"
merge_sums = true
merge_keys = ["/tasks=id", "/tasks/*/steps=name"]
parked_for = "1h"
compression = "lz4"
[[policy]]
prefix = "vote/"
strategy = "quorum"
coverage = "50%"
weights = ["queen=3"]
amend = "10s"
time_to_live = "1h"
elements_max = 7
)");
  BOOST_REQUIRE_MESSAGE(config, config.error().text);
  BOOST_TEST(config->listen == "tcp://127.0.0.1:1234");
  BOOST_TEST(config->data == "/tmp/x");
  BOOST_TEST(!config->sync);
  BOOST_TEST(config->broadcast_port_low == 5000);
  BOOST_TEST(config->broadcast_port_high == 5010);
  BOOST_TEST(config->disk_reserve_bytes == std::uint64_t{1} << 20);
  BOOST_TEST(config->state_bytes_max == std::uint64_t{64} << 20);
  BOOST_TEST(config->tombstones_max == 50U);
  BOOST_TEST(config->tombstone_age_millis == 7'200'000);
  BOOST_TEST(config->limits.messages == 300U);
  BOOST_TEST(config->limits.writes == 0U);
  BOOST_TEST(config->limits.bytes == std::uint64_t{2} << 20);
  BOOST_TEST(config->limits.burst_millis == 500);
  BOOST_TEST(config->limits.rounds == 3U);
  BOOST_TEST(config->limits.keys == 1'000U);
  BOOST_TEST(config->limits.value_bytes == std::size_t{64} << 10);
  BOOST_TEST(config->limits.history == 4U);
  BOOST_TEST(config->peer_queue_bytes == std::size_t{8} << 20);
  BOOST_TEST(config->heartbeat_millis == 250);
  BOOST_TEST(config->round_timeout_millis == 3'000);
  BOOST_TEST(config->coordinator == "tcp://10.0.0.1:4600");
  BOOST_TEST(config->swarm == "bees");
  BOOST_TEST(config->timeout_millis == 1'000);
  BOOST_TEST(config->policy_count == 4U);
  const Policy& plan = config->policies.of("plan/a");
  BOOST_TEST((plan.strategy == Strategy::kQuorum));
  BOOST_TEST((plan.otherwise == Strategy::kLww));
  BOOST_TEST(plan.quorum.permille == 667U);
  BOOST_TEST(*plan.timeout_millis == 7'000);
  BOOST_TEST((*plan.priority == Priority::kCritical));
  BOOST_TEST((plan.late_write == LateWrite::kApply));
  BOOST_TEST((*config->policies.of("n/1").type == ValueType::kCounter));
  const Policy& doc = config->policies.of("doc/a");
  BOOST_TEST((doc.chain() == std::vector{Strategy::kMerge, Strategy::kLww, Strategy::kManual}));
  BOOST_TEST(doc.conflict_window_millis == 2'000);
  BOOST_TEST(*doc.history == 20U);
  const MergeRule rule{.unit = TextUnit::kToken,
                       .unite = true,
                       .additive_numbers = true,
                       .array_keys = {{"/tasks", "id"}, {"/tasks/*/steps", "name"}},
                       .fields = {}};
  BOOST_TEST((doc.merging == rule));
  BOOST_TEST(*doc.parked_millis == 3'600'000);
  BOOST_TEST((doc.packing == Packing::kLz4));
  const Policy& vote = config->policies.of("vote/a");
  BOOST_TEST(vote.coverage_permille == 500U);
  BOOST_TEST(vote.weight_of(AgentId("queen")) == 3U);
  BOOST_TEST(vote.amend_millis == 10'000);
  BOOST_TEST(*vote.live_millis == 3'600'000);
  BOOST_TEST(*vote.elements_max == 7U);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_with_its_line) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[coordinator]\nlisen = \"x\"\n",
       "2: unknown key 'lisen' in [coordinator], did you mean 'listen'?"},
      {"[coordinator]\nheartbeat = \"5s\"\n",
       "2: unknown key 'heartbeat' in [coordinator]; it belongs into [timing]"},
      {"listen = \"x\"\n",
       "1: unknown key 'listen' before any section; it belongs into [coordinator]"},
      {"[cordinator]\n", "1: unknown section [cordinator], did you mean 'coordinator'?"},
      {"[timing]\nheartbeat = 5\n",
       "2: timing.heartbeat: expected a duration such as \"5s\" or \"250ms\", found the number 5"},
      {"[timing]\nheartbeat = \"5\"\n", "2: timing.heartbeat: '5' is no duration"},
      {"[timing]\nheartbeat = \"1ms\"\n", "2: timing.heartbeat: expected 50 ms to"},
      {"[limits]\ntombstones_max = \"many\"\n",
       "2: limits.tombstones_max: expected a whole number"},
      {"[limits]\nvalue_bytes = \"2MiB\"\n",
       "2: limits.value_bytes: expected a size from 1 to 1MiB, found"},
      {"[limits]\nvalue_bytes = 0\n", "2: limits.value_bytes: expected a size from 1 to 1MiB"},
      {"[limits]\nhistory = 65\n", "2: limits.history: expected a whole number from 0 to 64"},
      {"[limits]\nrounds = 1000\n", "2: limits.rounds: expected a whole number from 0 to 128"},
      {"[limits]\npeer_queue = \"1MiB\"\n",
       "2: limits.peer_queue: expected a size from 5MiB to 256MiB, found"},
      {"[limits]\nburst = \"0s\"\n", "2: limits.burst: expected 1 ms to 1 h 0 m, found"},
      {"[limits]\nmessages = 5\n", "2: unknown key 'messages' in [limits]"},
      {"[limits]\nmesages_per_second = 5\n",
       "2: unknown key 'mesages_per_second' in [limits], did you mean 'messages_per_second'?"},
      {"[limits]\nstate_bytes_max = true\n",
       "2: limits.state_bytes_max: expected a size such as \"256MiB\" or a number of bytes, found "
       "true"},
      {"[coordinator]\ndurability = \"snyc\"\n",
       "2: coordinator.durability: expected \"sync\" or \"written\", found the text \"snyc\", did "
       "you mean 'sync'?"},
      {"[coordinator]\nbroadcast_ports = [9, 3]\n",
       "2: coordinator.broadcast_ports: expected two ports"},
      {"[coordinator]\nlisten = \"127.0.0.1:4600\"\n", "2: coordinator.listen: "},
      {"[client]\nswarm = \"a b\"\n", "2: client.swarm: "},
      {"[client]\nswarm = [1]\n",
       "2: client.swarm: expected a name such as \"default\", found a list"},
      {"[[policy]]\nstrategy = \"lww\"\n", "1: this [[policy]] has no prefix"},
      {"[[policy]]\nprefix = \"a\"\nquorum = 0.5\n",
       "3: policy.quorum: expected a share above one half"},
      {"[[policy]]\nprefix = \"a\"\n\n[[policy]]\nprefix = \"a\"\n",
       "4: two policies have the prefix 'a'"},
      {"[[policy]]\nprefix = \"a\"\nstratgy = \"lww\"\n",
       "3: unknown key 'stratgy' in [policy], did you mean 'strategy'?"},
      {"[policy]\nprefix = \"a\"\n", "1: a policy is written [[policy]]"},
      {"[role]\nname = \"a\"\n", "1: a role is written [[role]]"},
      {"[[role]]\nname = \"a\"\n", "1: the role 'a': expected 1 to 5000 agents, got 0"},
      {"[[role]]\nname = \"a\"\nagents = [\"x\"]\nweight = -1\n",
       "4: role.weight: expected a number from 0 to 1000"},
      {"[[role]]\nname = \"a\"\nwho = [\"x\"]\n", "3: unknown key 'who' in [role]"},
      {"[[policy]]\nprefix = \"a\"\nmerge_keys = [\"tasks\"]\n",
       "3: policy.merge_keys: expected pointers of arrays with members"},
      {"[[policy]]\nprefix = \"a\"\nmerge_sums = 1\n", "3: policy.merge_sums: expected true or"},
      {"[[policy]]\nprefix = \"a\"\nmerge_favor = \"mine\"\n", "3: policy.merge_favor: "},
      {"[[policy]]\nprefix = \"a\"\ncompression = \"gzip\"\n", "3: policy.compression: "},
      {"[[policy]]\nprefix = \"a\"\nhistory = 65\n", "3: policy.history: expected a whole"},
      {"[[policy]]\nprefix = \"a\"\nweights = [\"queen\"]\n", "3: policy.weights: expected agents"},
      {"[timing]\nheartbeat = \n", "2: "},
      {"[timing]\nheartbeat = \"5s\"\nheartbeat = \"5s\"\n", "3: "},
  };
  for (const auto& [text, expected] : cases)
    BOOST_TEST(error_of(text).starts_with(expected), text << " -> " << error_of(text));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_an_error_only_when_it_was_named) {
  BOOST_TEST(!load_config("/nowhere/waggle.toml"));
  BOOST_TEST(!load_config("/tmp"));  // a directory
  const Variable home("XDG_CONFIG_HOME", "/nowhere");
  BOOST_TEST(load_config({}).has_value());
}

BOOST_AUTO_TEST_CASE(the_environment_comes_before_the_file) {
  const Variable listen("WAGGLE_LISTEN", "tcp://127.0.0.1:9");
  const Variable ports("WAGGLE_BROADCAST_PORTS", "7000-7010");
  const Variable tombstones("WAGGLE_TOMBSTONES_MAX", "12");
  const Variable empty("WAGGLE_SWARM", "");
  const auto config =
      loaded("[coordinator]\nlisten = \"tcp://127.0.0.1:8\"\n[client]\nswarm = \"s\"\n");
  BOOST_REQUIRE_MESSAGE(config, config.error().text);
  BOOST_TEST(config->listen == "tcp://127.0.0.1:9");
  BOOST_TEST(config->broadcast_port_high == 7010);
  BOOST_TEST(config->tombstones_max == 12U);
  BOOST_TEST(config->swarm == "s");
}

BOOST_AUTO_TEST_CASE(a_wrong_variable_is_named) {
  const Variable timeout("WAGGLE_TIMEOUT", "soon");
  const auto config = loaded("");
  BOOST_REQUIRE(!config);
  BOOST_TEST(config.error().text.contains("WAGGLE_TIMEOUT"));
}

BOOST_AUTO_TEST_CASE(the_default_file_checks_and_means_the_defaults) {
  const std::string text = default_config_text();
  BOOST_TEST(loaded(text).has_value());
  // With every line made active: the lines shown are right, too.
  std::string active;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    if (line.starts_with("#") && !line.starts_with("# ")) line.erase(0, 1);
    active += line + '\n';
    at = end + 1;
  }
  const auto config = loaded(active);
  BOOST_REQUIRE_MESSAGE(config, config.error().text);
  const Config defaults;
  BOOST_TEST(config->listen == defaults.listen);
  BOOST_TEST(config->disk_reserve_bytes == defaults.disk_reserve_bytes);
  BOOST_TEST(config->state_bytes_max == defaults.state_bytes_max);
  BOOST_TEST(config->tombstones_max == defaults.tombstones_max);
  BOOST_TEST(config->tombstone_age_millis == defaults.tombstone_age_millis);
  BOOST_TEST(config->limits.messages == defaults.limits.messages);
  BOOST_TEST(config->limits.writes == defaults.limits.writes);
  BOOST_TEST(config->limits.bytes == defaults.limits.bytes);
  BOOST_TEST(config->limits.burst_millis == defaults.limits.burst_millis);
  BOOST_TEST(config->limits.rounds == defaults.limits.rounds);
  BOOST_TEST(config->limits.keys == defaults.limits.keys);
  BOOST_TEST(config->limits.value_bytes == defaults.limits.value_bytes);
  BOOST_TEST(config->limits.history == defaults.limits.history);
  BOOST_TEST(config->peer_queue_bytes == defaults.peer_queue_bytes);
  BOOST_TEST(config->heartbeat_millis == defaults.heartbeat_millis);
  BOOST_TEST(config->round_timeout_millis == defaults.round_timeout_millis);
  BOOST_TEST(config->timeout_millis == defaults.timeout_millis);
  BOOST_TEST(config->coordinator == defaults.coordinator);
  BOOST_TEST(config->policy_count == 1U);
}

BOOST_AUTO_TEST_CASE(directories_follow_the_xdg_variables) {
  const Variable data("XDG_DATA_HOME", "/srv/data");
  BOOST_TEST(default_data_directory() == "/srv/data/waggle/coordinator");
  const Variable relative("XDG_CONFIG_HOME", "relative");  // to be ignored
  const char* home = std::getenv("HOME");
  if (home != nullptr)
    BOOST_TEST(default_config_path() == std::string(home) + "/.config/waggle/waggle.toml");
}

}  // namespace
}  // namespace waggle::cli
