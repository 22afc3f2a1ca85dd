// What a coordinator needs while nothing happens, and to start. Shown, without a goal.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kAgents = 1'000;
constexpr std::size_t kKeys = 100'000;
constexpr std::size_t kValueBytes = 256;

Row single(std::string name, double value, std::string unit) {
  Row row;
  row.name = std::move(name);
  row.value = {value, value, value, 1};
  row.unit = std::move(unit);
  return row;
}

void measure_idle(Run& run) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  const RealSwarm swarm(coordinator.endpoint(), kAgents);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const double seconds = run.quick ? 5 : 20;
  const std::uint64_t bytes = tcp_bytes();
  const double coordinator_cpu = cpu_seconds(coordinator.pid());
  const double own_cpu = cpu_seconds(getpid());
  const double begin = now_micros();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double passed = (now_micros() - begin) / 1e6;
  Row wire = single("idle.bytes", static_cast<double>(tcp_bytes() - bytes) / passed, "B");
  wire.parts.emplace_back("an agent and second",
                          with_unit(wire.value.median / static_cast<double>(kAgents), "B"));
  run.report.add(std::move(wire));
  Row cpu =
      single("idle.cpu", (cpu_seconds(coordinator.pid()) - coordinator_cpu) / passed * 1e6, "us");
  cpu.parts.emplace_back("all agents together",
                         with_unit((cpu_seconds(getpid()) - own_cpu) / passed * 1e6, "us"));
  run.report.add(std::move(cpu));
}

// The program's own `serve` where it was built beside this one, else the same runtime in our role.
std::vector<std::string> serve_command(const std::string& data, std::string& what) {
  const char* given = std::getenv("WAGGLE_PROGRAM");
  const std::filesystem::path program =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(own_program()).parent_path() / "../cli/waggle";
  if (std::filesystem::exists(program)) {
    what = "waggle serve";
    return {program.string(), "serve", "--listen", "tcp://127.0.0.1:*", "--data", data};
  }
  what = "the runtime";
  return {own_program(), "--serve-waggle", data};
}

Row ready(const std::string& name, int count, const std::function<std::string(int)>& data_of) {
  Samples samples;
  std::string what;
  for (int i = 0; i < count; ++i) {
    const std::vector<std::string> command = serve_command(data_of(i), what);
    const double begin = now_micros();
    // `waggle serve` says on standard error that it was stopped; that it is ready it says before.
    Child child(command, true);
    (void)child.read_line(60);
    samples.push_back(now_micros() - begin);
  }
  Row row{.name = name, .value = summarise(samples), .unit = "us"};
  row.parts.emplace_back("of", what);
  return row;
}

void measure_memory_and_start(Run& run) {
  const ScratchDirectory scratch;
  const std::string store = scratch.path("store");
  {
    Coordinator coordinator(store);
    const double empty = resident_bytes(coordinator.pid());
    const ZmqContext context;
    fill(context, coordinator.endpoint(), "k", kKeys, kValueBytes);
    const double with_keys = resident_bytes(coordinator.pid());
    // Members with both legs that hold nothing: a thousand replicas of 100,000 keys would not fit
    // here, and it is the coordinator that is measured.
    std::vector<std::unique_ptr<Peer>> members;
    for (std::size_t i = 0; i < kAgents; ++i) {
      members.push_back(
          std::make_unique<Peer>(context, coordinator.endpoint(), fmt::format("member-{}", i)));
      members.back()->join_channel(context, coordinator.endpoint());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    if (run.wanted("memory")) {
      Row row = single("memory", resident_bytes(coordinator.pid()), "B");
      row.parts.emplace_back("empty", with_unit(empty, "B"));
      row.parts.emplace_back("a key",
                             with_unit((with_keys - empty) / static_cast<double>(kKeys), "B"));
      row.parts.emplace_back(
          "an agent",
          with_unit((row.value.median - with_keys) / static_cast<double>(kAgents), "B"));
      run.report.add(std::move(row));
    }
  }
  if (!run.wanted("ready")) return;
  const int count = run.quick ? 3 : 9;
  run.report.add(
      ready("ready.empty", count, [&](int i) { return scratch.path(fmt::format("empty-{}", i)); }));
  run.report.add(ready("ready.100000", count, [&](int) { return store; }));
}

}  // namespace

void measure_footprint(Run& run) {
  const bool idle = run.wanted("idle");
  const bool memory = run.wanted("memory") || run.wanted("ready");
  if (!idle && !memory) return;
  run.report.section(
      "footprint (shown)",
      "idle.*: 1000 agents that do nothing, for a second: bytes of both directions, processor time "
      "of the coordinator.\n"
      "  memory: resident bytes of a coordinator with 100,000 keys of 256 B and 1000 members. "
      "ready.*: "
      "from exec to the ready line.");
  const auto attempt = [&](const char* name, auto&& measure) {
    try {
      measure(run);
    } catch (const std::exception& error) {
      run.report.failure(name, error.what());
    }
  };
  if (idle) attempt("idle", measure_idle);
  if (memory) attempt("memory", measure_memory_and_start);
}

}  // namespace waggle::bench
