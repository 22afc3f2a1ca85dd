// An agent goes away, the swarm works on, the agent comes back under its id and pulls only what
// changed meanwhile. What it wrote while nobody could hear it arrives too, once.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <string>

#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

template <typename T>
T must(waggle::Expected<T> result) {
  if (!result) {
    std::cerr << result.error().text << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

int main() {
  std::string directory = (fs::temp_directory_path() / "waggle-reconnect-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const waggle::SynchronizerConfig hive_config{.listen = "ipc://" + directory + "/hive.sock",
                                               .data = directory + "/hive"};
  // Its own directory is what makes it the same agent after a restart.
  const waggle::AgentConfig scout_config{.coordinator = hive_config.listen,
                                         .swarm = "bees",
                                         .agent = "scout",
                                         .data = directory + "/scout"};
  auto hive = must(waggle::StateSynchronizer::open(hive_config));
  const auto write = [&](int from, int to, const std::string& text) {
    for (int i = from; i < to; ++i)
      must(hive->put_state("bees", "meadow/" + std::to_string(i), text));
  };
  write(0, 400, std::string(1'000, '.'));
  {
    const auto scout = must(waggle::SwarmAgent::open(scout_config));
    must(scout->wait_attached(30s));
    must(scout->catch_up(30s));
    std::cout << "the scout holds " << must(scout->status()).keys << " keys and flies away\n";
  }
  write(0, 5, "mown");
  hive.reset();  // now even the coordinator is away

  {
    const auto scout = must(waggle::SwarmAgent::open(scout_config));
    must(scout->incr("flowers", 7));
    std::cout << "nobody is there; the scout counts on: " << must(scout->counter("flowers").value())
              << " flowers, kept on disk\n";
  }

  hive = must(waggle::StateSynchronizer::open(hive_config));
  std::promise<waggle::CatchUpReport> told;
  auto report = told.get_future();
  waggle::AgentEvents events;
  events.on_caught_up = [&, first = true](const waggle::CatchUpReport& caught_up) mutable {
    if (std::exchange(first, false)) told.set_value(caught_up);
  };
  const auto scout = must(waggle::SwarmAgent::open(scout_config, events));
  must(scout->wait_attached(30s));
  const auto saved = report.get();
  std::cout << "the scout resumed at revision " << saved.from.revision << ": " << saved.changes
            << " changes, " << saved.bytes << " bytes instead of " << saved.state_bytes << "\n";
  while (must(scout->status()).unsent > 0) must(scout->catch_up(30s));
  std::cout << "the swarm counts " << must(hive->get_state("bees", "flowers")).number
            << " flowers\n";
  const bool equal = must(scout->catch_up(30s)).to == must(hive->get_state_version("bees")) &&
                     must(scout->status()).digest == must(hive->digest("bees"));
  std::cout << (equal ? "both hold the same state\n" : "the states differ\n");
  fs::remove_all(directory);
  return equal ? 0 : 1;
}
