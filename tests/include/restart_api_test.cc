// What survives a restart of either side, over loopback sockets and real stores.

#include <atomic>
#include <future>
#include <mutex>

#include <boost/test/unit_test.hpp>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;

BOOST_AUTO_TEST_CASE(writes_made_while_the_coordinator_is_away_arrive_after_its_restart) {
  TempDirectory scratch;
  const SynchronizerConfig config{.listen = "ipc://" + scratch.file("hive.sock"),
                                  .data = scratch.file("hive")};
  auto hive = serve(config);
  BOOST_TEST((hive->durability() == Durability::kDurable));
  const auto agent = join(member(*hive, "one"));
  BOOST_TEST((committed(agent->commit(WriteGroup().incr("n", 1), kPatience)).level ==
              Durability::kDurable));
  take(hive->stop());
  const auto stopped = hive->get_state("bees", "n");
  BOOST_REQUIRE(!stopped.has_value());
  BOOST_TEST((stopped.error().code == StatusCode::kUnavailable));
  hive.reset();

  for (int i = 0; i < 10; ++i) take(agent->incr("n", 1));
  BOOST_TEST(take(agent->counter("n").value()) == 11);
  hive = serve(config);
  take(agent->flush(kPatience));
  BOOST_TEST(take(hive->get_state("bees", "n")).number == 11);
  BOOST_TEST(take(hive->get_state_version("bees")).revision == 11u);
}

BOOST_AUTO_TEST_CASE(an_agent_with_data_resumes_by_a_delta_and_keeps_its_id) {
  TempDirectory scratch;
  const auto hive = serve();
  AgentConfig config = member(*hive, "one");
  config.data = scratch.file("agent");
  const auto other = join(member(*hive, "other"));
  {
    const auto agent = join(config);
    for (int i = 0; i < 50; ++i)
      take(other->put("key/" + std::to_string(i), std::string(500, 'x')));
    take(other->flush(kPatience));
    take(agent->get("key/0", 50, kPatience));
    take(agent->catch_up(kPatience));
  }
  WriteTicket last;
  for (int i = 0; i < 3; ++i) last = take(other->put("key/" + std::to_string(i), "new"));
  committed(other->wait(last, kPatience));

  std::mutex mutex;
  std::vector<CatchUpReport> reports;
  AgentEvents events;
  events.on_caught_up = [&](const CatchUpReport& report) {
    const std::lock_guard lock(mutex);
    reports.push_back(report);
  };
  // Its id is shown to be its own by what lies in its directory: no lease has to run out.
  const auto agent = join(config, events);
  BOOST_TEST(take(agent->get("key/1", 53, kPatience)).bytes == "new");
  BOOST_TEST(eventually([&] {
    const std::lock_guard lock(mutex);
    return !reports.empty();
  }));
  const std::lock_guard lock(mutex);
  const CatchUpReport& report = reports.front();
  BOOST_TEST(!report.snapshot);
  BOOST_TEST(report.from.revision == 50u);
  BOOST_TEST(report.changes == 3u);
  BOOST_TEST(report.bytes < report.state_bytes);
  BOOST_TEST(take(agent->status()).digest == take(hive->digest("bees")));
}

BOOST_AUTO_TEST_CASE(unsent_writes_of_an_earlier_process_are_sent_and_told) {
  TempDirectory scratch;
  const std::string endpoint = "ipc://" + scratch.file("hive.sock");
  const AgentConfig config{
      .coordinator = endpoint, .swarm = "bees", .agent = "one", .data = scratch.file("agent")};
  {
    const auto agent = take(SwarmAgent::open(config));
    for (int i = 0; i < 5; ++i) take(agent->incr("n", 2));
  }
  std::atomic<int> settled = 0;
  AgentEvents events;
  events.on_settled = [&](const SettledWrite& write) {
    if (write.ticket.number == 0 && write.result.ok()) ++settled;
  };
  const auto hive = serve({.listen = endpoint});
  const auto agent = join(config, events);
  BOOST_TEST(eventually([&] { return settled == 5; }));
  BOOST_TEST(take(hive->get_state("bees", "n")).number == 10);
}

BOOST_AUTO_TEST_CASE(an_unsent_write_is_counted_once_when_agent_and_coordinator_restart) {
  TempDirectory scratch;
  const SynchronizerConfig config{.listen = "ipc://" + scratch.file("hive.sock"),
                                  .data = scratch.file("hive")};
  AgentConfig one{
      .coordinator = config.listen, .swarm = "bees", .agent = "one", .data = scratch.file("agent")};
  constexpr int kRounds = 4;
  constexpr int kWrites = 25;
  for (int round = 0; round < kRounds; ++round) {
    auto hive = serve(config);
    auto agent = join(one);
    for (int i = 0; i < kWrites; ++i) take(agent->incr("n", 1));
    // Both go at once, whatever was answered.
    if (round % 2 == 0) hive.reset();
    agent.reset();
  }
  const auto hive = serve(config);
  const auto agent = join(one);
  BOOST_TEST(eventually([&] { return take(agent->status()).unsent == 0; }));
  BOOST_TEST(take(hive->get_state("bees", "n")).number == kRounds * kWrites);
}

BOOST_AUTO_TEST_CASE(one_directory_belongs_to_one_process_and_one_agent) {
  TempDirectory scratch;
  const SynchronizerConfig config{.data = scratch.file("hive")};
  const auto hive = serve(config);
  const auto second = StateSynchronizer::open(config);
  BOOST_REQUIRE(!second.has_value());
  BOOST_TEST((second.error().code == StatusCode::kUnavailable));

  AgentConfig one = member(*hive, "one");
  one.data = scratch.file("agent");
  join(one).reset();
  one.agent = "two";
  const auto stranger = SwarmAgent::open(one);
  BOOST_REQUIRE(!stranger.has_value());
  BOOST_TEST(stranger.error().text.contains("belongs to agent 'one'"));
}
