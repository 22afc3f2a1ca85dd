// `waggle serve`: a coordinator until TERM, INT or, without keys and rules, HUP. The first signal
// drains and exits 0, the second exits at once. With keys or access rules HUP reads those again.

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/access_file.h"
#include "cli/access_log.h"
#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "cli/signals.h"
#include "include/lib/coordinator_runtime.h"
#include "io/endpoint.h"

namespace waggle::cli {
namespace {

// Waits for signals beside the coordinator's loop: stops it, or reads again who may what.
class StopOnSignal {
 public:
  StopOnSignal(Signals& signals, CoordinatorRuntime& runtime, const Config& config)
      : runtime_(runtime),
        config_(config),
        over_(eventfd(0, EFD_CLOEXEC)),
        thread_([this, &signals] { watch(signals); }) {}
  ~StopOnSignal() {
    const std::uint64_t one = 1;
    (void)!write(over_, &one, sizeof one);
    thread_.join();
    close(over_);
  }
  [[nodiscard]] int signal() const { return signal_; }

 private:
  // Both files or none.
  Status read_again() {
    AccessRulesPtr rules;
    if (!config_.access_rules.empty()) {
      Result<AccessRulesPtr> read = read_access_file(config_.access_rules, config_.policies);
      if (!read) return std::unexpected(std::move(read.error()));
      rules = std::move(*read);
    }
    if (!config_.serve_key.empty())
      if (Status read = runtime_.reload(); !read) return read;
    return rules == nullptr ? Status() : runtime_.set_access(std::move(rules));
  }

  void reload() {
    if (const Status read = read_again(); !read)
      return say(fmt::format("HUP received, and all stays as it was: {}", read.error().text));
    std::string text = "HUP received:";
    if (!config_.serve_key.empty())
      text += fmt::format(" {} let in", counted(runtime_.authorized(), "key"));
    if (!config_.access_rules.empty()) text += " the access rules were read again";
    say(text);
  }

  void watch(Signals& signals) {
    const bool reloads = !config_.serve_key.empty() || !config_.access_rules.empty();
    pollfd fds[] = {{signals.fd(), POLLIN, 0}, {over_, POLLIN, 0}};
    while (true) {
      if (poll(fds, 2, -1) < 0) continue;
      const int signal = signals.take();
      if (signal == SIGHUP && reloads) {
        reload();
      } else if (signal != 0) {
        if (signal_ != 0) _exit(128 + signal);
        signal_ = signal;
        say(fmt::format("{} received: finishing what has arrived; once more exits at once",
                        signal_name(signal)));
        notify_supervisor("STOPPING=1");
        runtime_.stop();
      }
      if (fds[1].revents != 0) return;
    }
  }

  CoordinatorRuntime& runtime_;
  const Config& config_;
  int over_;
  std::atomic<int> signal_ = 0;
  std::thread thread_;
};

std::string ready_line(const CoordinatorRuntime& runtime, const std::string& data,
                       std::int64_t elapsed_millis) {
  std::string text = fmt::format("waggle {} ready on {} after {}, data {}, epoch {}, level {}",
                                 WAGGLE_VERSION, runtime.endpoint(), duration_text(elapsed_millis),
                                 data.empty() ? "in memory" : data, to_hex(runtime.epoch().value()),
                                 to_text(runtime.level()));
  if (const std::string key = runtime.fingerprint(); !key.empty())
    text += fmt::format(", key {} ({} let in)", key, counted(runtime.authorized(), "key"));
  const auto swarms = runtime.recovered();
  text += swarms.empty() ? std::string(", no swarm yet")
                         : fmt::format(", {}: ", counted(swarms.size(), "swarm"));
  for (const auto& swarm : swarms)
    text += fmt::format("{}{} at revision {} ({})", &swarm == swarms.data() ? "" : ", ",
                        swarm.swarm.value(), swarm.head.value(), counted(swarm.keys, "key"));
  return text;
}

Json ready_json(const CoordinatorRuntime& runtime, const std::string& data,
                std::int64_t elapsed_millis) {
  Json out;
  out.set("event", "ready").set("contract", kContract).set("version", WAGGLE_VERSION);
  out.set("endpoint", runtime.endpoint()).set("data", data.empty() ? Json() : Json(data));
  out.set("epoch", to_hex(runtime.epoch().value())).set("level", to_text(runtime.level()));
  out.set("pid", static_cast<std::int64_t>(getpid())).set("elapsed_ms", elapsed_millis);
  if (const std::string key = runtime.fingerprint(); !key.empty())
    out.set("key", key).set("authorized", static_cast<std::uint64_t>(runtime.authorized()));
  Json swarms{Json::Array{}};
  for (const auto& swarm : runtime.recovered()) {
    Json one;
    one.set("swarm", swarm.swarm.value()).set("revision", swarm.head.value());
    swarms.push(one.set("keys", swarm.keys));
  }
  return out.set("swarms", std::move(swarms));
}

CoordinatorRuntimeOptions runtime_options(const CommandLine& line, const Config& config) {
  CoordinatorRuntimeOptions options;
  options.listen = config.listen;
  options.key = config.serve_key;
  options.authorized_keys = config.authorized_keys_file();
  options.allow_remote = line.serve.insecure_listen;
  options.channel_port_low = config.broadcast_port_low;
  options.channel_port_high = config.broadcast_port_high;
  if (!line.serve.memory)
    options.data = config.data.empty() ? default_data_directory() : config.data;
  options.sync = config.sync;
  options.accept_rollback = line.serve.accept_rollback;
  options.disk_reserve_bytes = config.disk_reserve_bytes;
  options.on_alarm = [](const std::string& text) { say("ALARM: " + text); };
  options.core.policies = config.policies;
  options.core.beat.interval_millis = config.heartbeat_millis;
  options.core.round_timeout_millis = config.round_timeout_millis;
  options.core.tombstone_millis = config.tombstone_age_millis;
  options.core.tombstones_max = config.tombstones_max;
  options.core.state_bytes_max = config.state_bytes_max;
  options.core.limits = config.limits;
  options.peer_queue_bytes = config.peer_queue_bytes;
  return options;
}

}  // namespace

int serve(const CommandLine& line, const Config& config) {
  const auto started = std::chrono::steady_clock::now();
  Signals signals;
  CoordinatorRuntimeOptions options = runtime_options(line, config);
  const bool keys = !options.key.empty();
  const auto listen = parse_listen(options.listen, true);
  if (!listen) return fail_usage("--listen: " + listen.error().text, line.json);
  if (listen->remote() && !keys && !options.allow_remote)
    return fail(
        {Code::kDenied,
         fmt::format(
             "'{}' is reached by other machines, and without keys nothing there is "
             "encrypted or asks who comes: everybody could read and write every swarm. Give "
             "a key with --key (`waggle keys new` makes one), listen on 127.0.0.1, or add "
             "--insecure-listen where the network itself is safe",
             options.listen)},
        line.json);
  if (!line.serve.memory && options.data.empty())
    return fail_usage(
        "where should the data lie? Neither HOME nor XDG_DATA_HOME is set: give --data "
        "DIR, or --memory to keep none",
        line.json);
  if (listen->remote() && !keys)
    say(
        fmt::format("WARNING: {} is open to every machine that reaches it: no encryption, no "
                    "authentication",
                    listen->text()));
  if (!options.data.empty())
    if (const Status made = make_parents(options.data); !made) return fail(made.error(), line.json);

  if (!config.access_rules.empty()) {
    Result<AccessRulesPtr> rules = read_access_file(config.access_rules, config.policies);
    if (!rules) return fail(rules.error(), line.json);
    options.core.access = std::move(*rules);
  }
  std::unique_ptr<AccessLog> access;
  if (!config.access_log.empty()) {
    Result<std::unique_ptr<AccessLog>> opened = AccessLog::open(config.access_log);
    if (!opened) return fail(opened.error(), line.json);
    access = std::move(*opened);
    options.on_access = [log = access.get()](const AccessNote& note) { log->add(note); };
  }
  const auto runtime = CoordinatorRuntime::open(options);
  if (!runtime)
    return fail({runtime.error().code, "cannot start: " + runtime.error().text}, line.json);
  if (keys && (*runtime)->authorized() == 0)
    say(fmt::format(
        "WARNING: nobody is let in yet: no key is in '{}'; `waggle keys authorize` adds "
        "one, then send HUP",
        options.authorized_keys));
  if (const std::string notice = (*runtime)->notice(); !notice.empty()) say("WARNING: " + notice);
  if ((*runtime)->level() != Level::kDurable)
    say(options.data.empty()
            ? "all state is in memory: it is gone when this process ends"
            : "durability is \"written\": a power failure may lose about the last second");

  Status ended;
  {
    const StopOnSignal stop(signals, **runtime, config);
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - started)
                             .count();
    // Connections are queued from here on and answered by run(). A reader that is gone is fine.
    (void)(line.json ? print_json(ready_json(**runtime, options.data, elapsed))
                     : print_line(ready_line(**runtime, options.data, elapsed)));
    notify_supervisor(fmt::format("READY=1\nSTATUS=listening on {}", (*runtime)->endpoint()));
    ended = (*runtime)->run();
  }
  if (!ended) return fail(ended.error(), line.json);
  say("stopped");
  return kExitDone;
}

}  // namespace waggle::cli
