// Periodic and selective synchronisation: what is critical in every period, everything in each
// third.
//
//   periodic_sync [PERIODS] [MILLISECONDS]

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

using namespace std::chrono_literals;

template <typename T>
T must(waggle::Expected<T> result) {
  if (!result) {
    std::cerr << result.error().text << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void tell(int period, const std::string& what, const waggle::SyncResult& result) {
  std::cout << "period " << period << ", " << what << ": " << waggle::name_of(result.outcome)
            << ", " << result.answered.size() << " of " << result.expected << " answered";
  for (const waggle::KeySync& key : result.keys)
    if (!key.winner.empty()) std::cout << ", " << key.key << " from " << key.winner;
  std::cout << "\n";
}

int main(int argc, char** argv) {
  const int periods = argc > 1 ? std::atoi(argv[1]) : 6;
  const std::chrono::milliseconds period(argc > 2 ? std::atoi(argv[2]) : 500);

  // By rule: alarms go before everything else, and a nest needs more than half of all.
  waggle::SynchronizerConfig config;
  config.rules = {{.prefix = "alarm/", .priority = waggle::SyncPriority::kCritical},
                  {.prefix = "nest", .resolve = {.strategy = waggle::ResolveBy::kQuorum}}};
  const auto hive = must(waggle::StateSynchronizer::open(config));
  const auto host = std::make_shared<waggle::SwarmHost>();
  std::vector<std::unique_ptr<waggle::SwarmAgent>> agents;
  for (const char* name : {"ada", "bob", "cyd"}) {
    agents.push_back(must(waggle::SwarmAgent::open(
        {.coordinator = hive->endpoint(), .swarm = "bees", .agent = name, .host = host})));
    must(agents.back()->wait_attached(30s));
  }

  bool all_settled = true;
  auto next = std::chrono::steady_clock::now();
  for (int i = 1; i <= periods; ++i) {
    // Each has an opinion; the third period's nest has two supporters.
    must(agents[i % 3]->offer("alarm/level", i % 2 == 0 ? "calm" : "wasps"));
    must(agents[0]->offer("nest", "oak"));
    must(agents[1]->offer("nest", i < 3 ? "barn" : "oak"));

    const auto alarms =
        must(hive->synchronize_state("bees", std::vector<std::string>{"alarm/level"}));
    tell(i, "alarms", alarms);
    all_settled = all_settled && alarms.settled();
    if (i % 3 == 0) tell(i, "everything", must(hive->synchronize_swarm("bees")));
    // From start to start, so that a long round does not move the rest.
    next += period;
    std::this_thread::sleep_until(next);
  }
  std::cout << "nest: " << must(hive->get_state("bees", "nest")).bytes << "\n";
  return all_settled ? 0 : 1;
}
