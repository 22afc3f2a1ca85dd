#include "tests/sim/random_world.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "tests/sim/workload.h"
#include "tests/sim/world.h"

namespace waggle::sim {
namespace {

class Chaos {
 public:
  Chaos(World& world, const Plan& plan)
      : world_(world), plan_(plan), random_(world.random()), workload_(world.random(), plan) {
    const auto add = [&](bool on, const char* name, bool (Chaos::*fault)()) {
      if (on) faults_.push_back({name, fault});
    };
    add(plan.crash_coordinator, "coordinator crashes", &Chaos::crash_coordinator);
    add(plan.crash_agents, "agent crashes", &Chaos::crash_agent);
    add(plan.lose_agent_data, "agents that lost their data", &Chaos::lose_agent_data);
    add(plan.restore_coordinator, "coordinator restores", &Chaos::restore);
    add(plan.lose_coordinator_data, "coordinator lost its data", &Chaos::lose_coordinator_data);
    add(plan.reconnect, "silent reconnects", &Chaos::reconnect);
    add(plan.partitions, "one-way partitions", &Chaos::partition);
    add(plan.failing_syncs, "syncs told to fail", &Chaos::fail_sync);
    add(plan.clocks, "wall clocks that jump", &Chaos::jump_clock);
    add(plan.clocks_of_other_years, "wall clocks off by a year", &Chaos::jump_a_year);
    add(plan.clocks_unsteady, "wall clocks that swing", &Chaos::swing_clock);
    add(plan.clocks_unsteady, "wall clocks that stand still", &Chaos::freeze_clock);
    add(plan.replays, "frames of earlier connections replayed", &Chaos::replay);
    add(plan.twins, "other processes with an agent's id", &Chaos::twin);
    add(plan.compact, "compactions", &Chaos::compact);
    add(plan.offline, "agents offline", &Chaos::offline);
    add(plan.disk_full, "full disks", &Chaos::fill_disk);
    add(plan.leave, "agents that leave", &Chaos::leave);
  }

  void begin() {
    if (plan_.slow_disk) {
      world_.coordinator_machine().habits().latency_max = random_.between(1, 60);
      for (std::size_t n = 0; n < world_.agents(); ++n)
        world_.machine(n).habits().latency_max = random_.between(0, 40);
    }
    for (std::size_t n = 0; n < world_.agents(); ++n) {
      std::int64_t offset = plan_.clocks ? random_.between(-4'000, 3'000) : 0;
      if (plan_.clocks_far_ahead && random_.chance(1, 3)) offset = random_.between(5'500, 60'000);
      world_.machine(n).clock().set_wall_offset(offset);
    }
    world_.start_coordinator();
    for (std::size_t n = 0; n < world_.agents(); ++n) {
      world_.timeline().after(random_.between(0, plan_.smallest ? 5 : 3'000), [this, n] {
        if (!over() && !world_.agent_runs(n)) world_.start_agent(n);
      });
      write_later(n);
    }
    if (!faults_.empty()) fault_later();
    if (plan_.clients) client_later();
    world_.flood(plan_.chaos_millis);
  }

 private:
  struct Fault {
    const char* name;
    bool (Chaos::*strike)();  // false: there was nothing to strike
  };

  [[nodiscard]] bool over() const { return world_.now() >= plan_.chaos_millis; }

  void write_later(std::size_t n) {
    world_.timeline().after(random_.between(1, 2 * plan_.write_every_millis), [this, n] {
      if (over()) return;
      // Now and then many at once, so that groups, updates and windows fill.
      const std::uint64_t many =
          !plan_.smallest && random_.chance(1, 20) ? random_.below(30) + 1 : 1;
      for (std::uint64_t i = 0; i < many && world_.agent_runs(n); ++i)
        (void)world_.command(
            n, workload_.next(world_.agent(n), world_.agent_id(n), plan_.observes(n)));
      if (!plan_.smallest && random_.chance(1, 20)) settle(n);
      if (random_.chance(1, 20)) write_together();
      write_later(n);
    });
  }
  // All of them the same register in the same millisecond, so that stamps are equal now and then.
  void write_together() {
    const bool merges = plan_.strategies && random_.chance(1, 3);
    const Key key(fmt::format("{}/{}", merges ? "json" : "r", random_.below(merges ? 2 : 4)));
    for (std::size_t n = 0; n < world_.agents(); ++n)
      if (world_.agent_runs(n) && !plan_.observes(n))
        (void)world_.command(n, WriteCommand{{}, {workload_.put_on(world_.agent(n), key)}, {}, {}});
  }
  // By an agent or by a client, as they come. They know of what waits as a person would who looked.
  void settle(std::size_t n) {
    const std::vector<ParkedConflict> waiting = world_.truth().history->waiting();
    if (waiting.empty()) return;
    world_.story().count("settlements asked for");
    const Entry entry = workload_.settlement(waiting);
    if (random_.chance(1, 2)) {
      world_.write_by_client({entry});
    } else if (world_.agent_runs(n)) {
      (void)world_.command(n, WriteCommand{{}, {entry}});
    }
  }
  void client_later() {
    world_.timeline().after(random_.between(50, 2'000), [this] {
      if (over()) return;
      world_.write_by_client(workload_.client_entries());
      client_later();
    });
  }
  void fault_later() {
    world_.timeline().after(random_.between(1, 2 * plan_.fault_every_millis), [this] {
      if (over()) return;
      if (plan_.restore_coordinator && random_.chance(1, 4) && world_.coordinator_runs())
        world_.back_up();
      const Fault& fault = faults_[random_.below(faults_.size())];
      if ((this->*fault.strike)()) world_.story().count(fault.name);
      fault_later();
    });
  }

  [[nodiscard]] std::size_t any_agent() { return random_.below(world_.agents()); }
  void start_coordinator_later() {
    world_.timeline().after(random_.between(1, 4'000), [this] {
      if (!world_.coordinator_runs()) world_.start_coordinator();
    });
  }
  void start_agent_later(std::size_t n) {
    world_.timeline().after(random_.between(1, 4'000), [this, n] {
      if (!world_.agent_runs(n)) world_.start_agent(n);
    });
  }

  bool crash_coordinator() {
    if (!world_.coordinator_runs()) return false;
    world_.stop_coordinator(random_.chance(3, 4));
    start_coordinator_later();
    return true;
  }
  bool crash_agent() {
    const std::size_t n = any_agent();
    if (!world_.agent_runs(n)) return false;
    world_.stop_agent(n, random_.chance(3, 4));
    start_agent_later(n);
    return true;
  }
  bool lose_agent_data() {
    const std::size_t n = any_agent();
    if (!world_.agent_runs(n) || !random_.chance(1, 3)) return false;
    world_.stop_agent(n, true);
    world_.lose_data(n);
    start_agent_later(n);
    return true;
  }
  bool restore() {
    if (!world_.coordinator_runs() || !random_.chance(1, 2)) return false;
    world_.stop_coordinator(true);
    const bool restored = world_.restore();
    start_coordinator_later();
    return restored;
  }
  bool lose_coordinator_data() {
    if (!world_.coordinator_runs() || !random_.chance(1, 4)) return false;
    world_.stop_coordinator(true);
    world_.lose_coordinator_data();
    start_coordinator_later();
    return true;
  }
  bool reconnect() {
    world_.network().reconnect(world_.peer(any_agent()));
    return true;
  }
  bool partition() {
    const std::size_t n = any_agent();
    const Leg leg = static_cast<Leg>(random_.below(3));
    world_.cut(n, leg, true);
    const std::int64_t longest = random_.chance(1, 2) ? 30'000 : 8'000;
    world_.timeline().after(random_.between(100, longest),
                            [this, n, leg] { world_.cut(n, leg, false); });
    return true;
  }
  bool fail_sync() {
    if (over()) return false;
    if (random_.chance(1, 2)) {
      world_.coordinator_machine().habits().fail_next = true;
    } else {
      world_.machine(any_agent()).habits().fail_next = true;
    }
    return true;
  }
  [[nodiscard]] Machine& any_machine() {
    return random_.chance(1, 3) ? world_.coordinator_machine() : world_.machine(any_agent());
  }
  bool jump_a_year() {
    constexpr std::int64_t kYear = std::int64_t{365} * 24 * 3'600'000;
    any_machine().clock().set_wall_offset(random_.chance(1, 3)   ? 0
                                          : random_.chance(1, 2) ? kYear
                                                                 : -kYear);
    return true;
  }
  bool swing_clock() {
    Machine& machine = any_machine();
    const std::int64_t offset = machine.clock().wall_offset();
    const std::int64_t by = random_.between(5, 4'000);
    const std::int64_t pause = random_.between(1, 50);
    for (std::int64_t n = 0; n < 20; ++n)
      world_.timeline().after(n * pause, [&machine, offset = n % 2 == 0 ? offset + by : offset] {
        machine.clock().set_wall_offset(offset);
      });
    return true;
  }
  bool freeze_clock() {
    Machine& machine = any_machine();
    machine.clock().freeze();
    world_.timeline().after(random_.between(200, 6'000), [&machine] { machine.clock().thaw(); });
    return true;
  }
  bool replay() {
    bool any = false;
    const std::size_t peer = world_.peer(any_agent());
    for (std::uint64_t n = random_.below(5) + 1; n > 0; --n)
      any = world_.network().replay(peer) || any;
    return any;
  }
  bool twin() {
    world_.say_hello_as(any_agent(), random_.chance(1, 2));
    return true;
  }
  bool jump_clock() {
    Machine& machine = any_machine();
    const bool far = plan_.clocks_far_ahead && random_.chance(1, 4);
    machine.clock().set_wall_offset(far ? random_.between(-60'000, 60'000)
                                        : random_.between(-4'000, 4'000));
    return true;
  }
  bool compact() {
    const std::uint64_t head = world_.truth().history->head().value();
    world_.compact(random_.chance(1, 2)
                       ? Revision(head - random_.below(std::min<std::uint64_t>(head, 5) + 1))
                       : Revision{});
    return true;
  }
  bool offline() {
    const std::size_t n = any_agent();
    for (const Leg leg : {Leg::kUp, Leg::kDown, Leg::kBroadcast}) world_.cut(n, leg, true);
    world_.timeline().after(random_.between(500, 12'000), [this, n] {
      for (const Leg leg : {Leg::kUp, Leg::kDown, Leg::kBroadcast}) world_.cut(n, leg, false);
    });
    return true;
  }
  bool fill_disk() {
    world_.coordinator_machine().post(SpaceChanged{false, "the disk is full"});
    world_.timeline().after(random_.between(100, 4'000),
                            [this] { world_.coordinator_machine().post(SpaceChanged{true, {}}); });
    return true;
  }
  bool leave() {
    const std::size_t n = any_agent();
    if (!world_.agent_runs(n)) return false;
    (void)world_.command(n, LeaveCommand{});
    world_.timeline().after(random_.between(100, 3'000),
                            [this, n, life = world_.machine(n).life()] {
                              if (!world_.agent_runs(n) || world_.machine(n).life() != life) return;
                              world_.stop_agent(n, false);
                              start_agent_later(n);
                            });
    return true;
  }

  World& world_;
  const Plan& plan_;
  Prng& random_;
  Workload workload_;
  std::vector<Fault> faults_;
};

}  // namespace

RunResult run_world(const Plan& plan, RunOptions options) {
  RunResult result;
  World world(plan, options.told, std::move(options.saboteur));
  if (plan.through_codec && options.codec) {
    world.network().set_codec(options.codec);
    world.story().count("worlds through the codec");
  }
  if (plan.observers > 0) world.story().count("observers", plan.observers);
  if (plan.unstored > 0) world.story().count("agents without a data directory", plan.unstored);
  Chaos chaos(world, plan);
  chaos.begin();
  const auto stop = [&] {
    const std::vector<Finding>& findings = world.story().findings();
    return options.wanted ? std::any_of(findings.begin(), findings.end(), options.wanted)
                          : !findings.empty();
  };
  // What was started in the chaos may end a little later: processes that come up again, partitions.
  while (!stop() && world.step(plan.chaos_millis)) {
  }
  std::string restless;
  result.batches =
      (plan.dying_is_agent ? world.machine(0) : world.coordinator_machine()).habits().batches;
  if (!stop()) {
    world.heal();
    const std::int64_t healed = world.now();
    const std::int64_t bound = healed + plan.heal_millis;
    restless = "never looked";
    while (!stop() && world.now() < bound && !restless.empty()) {
      const std::int64_t look = world.now() + 250;
      while (!stop() && world.step(look)) {
      }
      restless = world.restless();
    }
    result.healed_millis = world.now() - healed;
    if (!stop() && !restless.empty())
      world.truth().found("progress",
                          fmt::format("{} s after healing: {}", plan.heal_millis / 1000, restless));
    // Two more beats: digests are compared, timeouts of reads and rounds are over.
    if (!stop()) {
      const std::int64_t until = world.now() + 40'000;
      while (!stop() && world.step(until)) {
      }
      if (!stop() && !world.restless().empty())
        world.truth().found("progress", "at rest, and then not any more: " + world.restless());
      if (!stop() && world.restless().empty()) world.check_end();
    }
  }
  result.findings = world.story().findings();
  result.faults = world.story().faults();
  result.fingerprint = world.story().fingerprint();
  result.deeds = world.timeline().done();
  result.commits = world.truth().history->head().value();
  result.writes = world.truth().ledger.all().size();
  result.frames = world.network().sent();
  result.virtual_millis = world.now();
  return result;
}

}  // namespace waggle::sim
