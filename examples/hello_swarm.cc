// A coordinator and two agents in one process, in memory: write, read what the other wrote, and
// settle two different opinions in one synchronisation.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

using namespace std::chrono_literals;

// The value, or the end of the program with the reason.
template <typename T>
T must(waggle::Expected<T> result) {
  if (!result) {
    std::cerr << result.error().text << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

int main() {
  const auto hive = must(waggle::StateSynchronizer::open({}));
  std::cout << "the swarm meets at " << hive->endpoint() << "\n";

  const auto host = std::make_shared<waggle::SwarmHost>();  // one thread for both agents
  const auto join = [&](const char* name) {
    auto agent = must(waggle::SwarmAgent::open(
        {.coordinator = hive->endpoint(), .swarm = "bees", .agent = name, .host = host}));
    must(agent->wait_attached(30s));
    return agent;
  };
  const auto ada = join("ada");
  const auto bob = join("bob");

  // One atomic group: all of it, or nothing. The result says which revision it made.
  const auto written = must(ada->commit(
      waggle::WriteGroup().put("flower/1", "clover").incr("found", 1).add("scouts", "ada"), 30s));
  std::cout << "ada wrote revision " << written.revision << " (" << waggle::name_of(written.level)
            << ")\n";

  // Bob reads it: at least that revision.
  const auto flower = must(bob->get("flower/1", written.revision));
  std::cout << "bob reads " << flower.bytes << ", written by " << flower.writer << "\n";

  // Both count at once, and both are counted.
  must(ada->counter("found").add(2));
  must(bob->counter("found").add(3));
  must(ada->flush(30s));
  must(bob->flush(30s));
  std::cout << "found: " << must(hive->get_state("bees", "found")).number << "\n";

  // Two opinions about one register, settled for everybody.
  must(ada->offer("nest", "hollow oak"));
  must(bob->offer("nest", "old barn"));
  const auto round = must(hive->synchronize_state("bees", "nest", 10s));
  const auto nest = must(ada->get("nest", round.head));
  std::cout << "the swarm moves to the " << nest.bytes << " (" << round.keys[0].winner
            << "'s offer, " << round.answered.size() << " of " << round.expected << " answered)\n";
}
