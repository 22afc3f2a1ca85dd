// Four agents count votes at the same time, each in a thread of its own, and the coordinator is
// restarted while they do. Every vote is in the tally once: none is lost, none counts twice.
//
// The tally is a map of counters. An increment says what to add and not what comes out, so nobody
// has to read first, to lock, or to try again. It prints
//
//   the coordinator goes away after 50 of 200 votes      (or a few more)
//   it is back, with 51 votes
//   ada reads a turnout of 200: barn 67, hedge 34, oak 99
//   bob reads a turnout of 200: barn 67, hedge 34, oak 99
//   cyd reads a turnout of 200: barn 67, hedge 34, oak 99
//   dan reads a turnout of 200: barn 67, hedge 34, oak 99
//   every vote counts once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::int64_t kVotesEach = 50;

template <typename T>
T must(waggle::Expected<T> result) {
  if (!result) {
    std::cerr << result.error().text << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Whom the voter with this number chooses.
std::string choice(std::int64_t voter) {
  return voter % 6 == 0 ? "hedge" : voter % 3 == 1 ? "barn" : "oak";
}

int main() {
  std::string directory = (fs::temp_directory_path() / "waggle-vote-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const waggle::SynchronizerConfig config{.listen = "ipc://" + directory + "/hive.sock",
                                          .data = directory + "/hive"};
  auto hive = must(waggle::StateSynchronizer::open(config));
  const auto turnout = [&] { return must(hive->get_state("bees", "turnout")).number; };

  const std::vector<std::string> names = {"ada", "bob", "cyd", "dan"};
  const auto host = std::make_shared<waggle::SwarmHost>();
  std::vector<std::unique_ptr<waggle::SwarmAgent>> agents;
  for (const std::string& name : names) {
    agents.push_back(must(waggle::SwarmAgent::open(
        {.coordinator = config.listen, .swarm = "bees", .agent = name, .host = host})));
    must(agents.back()->wait_attached(30s));
  }
  const auto votes = kVotesEach * std::ssize(agents);

  {
    std::vector<std::jthread> counting;
    for (std::size_t i = 0; i < agents.size(); ++i)
      counting.emplace_back([&agent = *agents[i], first = kVotesEach * std::int64_t(i)] {
        for (std::int64_t voter = first; voter < first + kVotesEach; ++voter) {
          // Both or none: the turnout is the sum of the tally at any time.
          const auto vote = waggle::WriteGroup().incr("tally").field(choice(voter)).incr("turnout");
          if (!must(agent.commit(vote, 60s)).ok()) std::cerr << "a vote was refused\n";
        }
      });
    // A vote is a revision, so this waits for as many votes.
    must(agents[0]->get("turnout", votes / 4, 30s));
    std::cout << "the coordinator goes away after " << turnout() << " of " << votes << " votes\n";
    hive.reset();
    hive = must(waggle::StateSynchronizer::open(config));
    std::cout << "it is back, with " << turnout() << " votes\n";
  }

  std::map<std::string, std::int64_t> cast;
  for (std::int64_t voter = 0; voter < votes; ++voter) ++cast[choice(voter)];
  const std::uint64_t head = must(hive->get_state_version("bees")).revision;
  bool right = true;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const auto read = must(agents[i]->get("turnout", head, 30s)).number;
    right = right && read == votes;
    std::cout << names[i] << " reads a turnout of " << read;
    for (const auto& [name, number] : cast) {
      const auto counted = must(agents[i]->map("tally").counter(name).value());
      right = right && counted == number;
      std::cout << (name == cast.begin()->first ? ": " : ", ") << name << " " << counted;
    }
    std::cout << "\n";
  }
  std::cout << (right ? "every vote counts once\n" : "votes were lost or counted twice\n");
  fs::remove_all(directory);
  return right ? 0 : 1;
}
