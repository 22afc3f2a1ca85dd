// SwarmAgent as its users see it, over loopback sockets.

#include <atomic>
#include <future>
#include <mutex>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;

BOOST_AUTO_TEST_CASE(a_committed_put_is_read_by_another_agent_that_asks_for_its_revision) {
  const auto hive = serve();
  const auto one = join(member(*hive, "one"));
  const auto two = join(member(*hive, "two"));

  const WriteResult put = committed(one->commit(WriteGroup().put("k", "v"), kPatience));
  BOOST_TEST(put.revision == 1u);
  BOOST_TEST((put.level == Durability::kMemory));
  const StateItem item = take(two->get("k", put.revision, kPatience));
  BOOST_TEST(item.exists);
  BOOST_TEST(item.bytes == "v");
  BOOST_TEST(item.version == 1u);
  BOOST_TEST(item.writer == "one");
  BOOST_TEST(!item.pending);
}

BOOST_AUTO_TEST_CASE(an_agent_reads_its_own_write_before_any_coordinator_has_it) {
  // Nobody serves there, and nobody will.
  TempDirectory scratch;
  const auto agent = take(SwarmAgent::open(
      {.coordinator = "ipc://" + scratch.file("nobody"), .swarm = "bees", .agent = "one"}));
  take(agent->put("k", "v"));
  take(agent->counter("n").add(3));
  take(agent->set("s").add("x"));
  const StateItem item = take(agent->get("k"));
  BOOST_TEST(item.bytes == "v");
  BOOST_TEST(item.pending);
  BOOST_TEST(take(agent->counter("n").value()) == 3);
  BOOST_TEST(take(agent->set("s").elements()).size() == 1u);
  BOOST_TEST(take(agent->status()).unsent == 3u);
  const ItemList list = take(agent->list("?"));
  BOOST_TEST(list.items.size() == 3u);
  BOOST_TEST(list.pending);

  const auto late = agent->commit(WriteGroup().put("k", "w"), std::chrono::milliseconds(20));
  BOOST_REQUIRE(!late.has_value());
  BOOST_TEST((late.error().code == StatusCode::kTimeout));
}

BOOST_AUTO_TEST_CASE(compare_and_set_lets_exactly_one_writer_in) {
  const auto hive = serve();
  const auto one = join(member(*hive, "one"));
  const auto two = join(member(*hive, "two"));
  committed(one->commit(WriteGroup().put("task", "free").if_absent(), kPatience));

  const WriteResult a = take(one->commit(WriteGroup().put("task", "one").if_version(1), kPatience));
  const WriteResult b = take(two->commit(WriteGroup().put("task", "two").if_version(1), kPatience));
  BOOST_TEST(a.ok());
  BOOST_TEST((b.code == StatusCode::kConflict));
  BOOST_TEST(b.conflict == "version_mismatch");
  BOOST_TEST(b.key == "task");
  BOOST_REQUIRE(b.standing.has_value());
  BOOST_TEST(b.standing->bytes == "one");
  BOOST_TEST(b.standing->version == 2u);
}

BOOST_AUTO_TEST_CASE(a_group_commits_as_a_whole_or_not_at_all) {
  const auto hive = serve();
  const auto agent = join(member(*hive, "one"));
  const WriteResult first = committed(agent->commit(WriteGroup()
                                                        .put("task/1", "done")
                                                        .if_absent()
                                                        .metadata("by", "one")
                                                        .incr("done", 1)
                                                        .add("words", "b")
                                                        .add("words", "a"),
                                                    kPatience));
  const WriteResult second = take(
      agent->commit(WriteGroup().put("task/1", "again").if_absent().incr("done", 1), kPatience));
  BOOST_TEST((second.code == StatusCode::kConflict));
  BOOST_TEST(take(agent->counter("done").value()) == 1);
  const std::vector<std::string> words = take(agent->set("words").elements());
  BOOST_TEST(words == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  const StateItem task = take(hive->get_state("bees", "task/1", first.revision));
  BOOST_TEST(task.metadata.at("by") == "one");
  BOOST_TEST(task.version == first.revision);
  BOOST_TEST(take(hive->get_state("bees", "done")).version == first.revision);
}

BOOST_AUTO_TEST_CASE(what_can_never_be_written_is_refused_at_once) {
  const auto hive = serve();
  const auto agent = join(member(*hive, "one"));
  const auto refused = [&](const WriteGroup& group) {
    const auto ticket = agent->write(group);
    return !ticket && ticket.error().code == StatusCode::kRejected && !ticket.error().text.empty();
  };
  BOOST_TEST(refused(WriteGroup()));
  BOOST_TEST(refused(WriteGroup().put("", "v")));
  BOOST_TEST(refused(WriteGroup().put(std::string(10'000, 'k'), "v")));
  BOOST_TEST(refused(WriteGroup().put("k", std::string((1 << 20) + 1, 'x'))));
  BOOST_TEST(refused(WriteGroup().put("k", "v").put("k", "w")));
  BOOST_TEST(refused(WriteGroup().if_version(3)));
  BOOST_TEST(refused(WriteGroup().put("k\xff", "v")));

  take(agent->incr("n", 1));
  const WriteResult mismatch = take(agent->commit(WriteGroup().add("n", "x"), kPatience));
  BOOST_TEST((mismatch.code == StatusCode::kRejected));
  BOOST_TEST(mismatch.reason == "type_mismatch");
}

BOOST_AUTO_TEST_CASE(a_synchronisation_settles_offers_and_tells_both_sides) {
  const auto hive = serve();
  std::mutex mutex;
  std::vector<OfferSettlement> settled;
  AgentEvents events;
  events.on_offer = [&](const OfferSettlement& one) {
    const std::lock_guard lock(mutex);
    settled.push_back(one);
  };
  const auto host = std::make_shared<SwarmHost>();
  AgentConfig first = member(*hive, "one");
  AgentConfig second = member(*hive, "two");
  first.host = second.host = host;
  const auto one = join(first, events);
  const auto two = join(second, events);
  take(one->offer("nest", "oak"));
  take(two->offer("nest", "elm"));

  const SyncResult result = take(hive->synchronize_state("bees", "nest", std::chrono::seconds(30)));
  BOOST_TEST((result.outcome == SyncOutcome::kResolved));
  BOOST_TEST(result.expected == 2u);
  BOOST_TEST(result.answered.size() == 2u);
  BOOST_REQUIRE(result.keys.size() == 1u);
  BOOST_TEST(result.keys[0].offers == 2u);
  const std::string winner = result.keys[0].winner;
  BOOST_TEST(eventually([&] {
    const std::lock_guard lock(mutex);
    return settled.size() == 2;
  }));
  BOOST_TEST(settled[0].took != settled[1].took);
  const StateItem item = take(one->get("nest", result.head, kPatience));
  BOOST_TEST(item.bytes == (winner == "one" ? "oak" : "elm"));
  BOOST_TEST(item.writer == "~coordinator");

  // An agent may ask too, and a withdrawn offer is none.
  take(one->offer("nest", "ash"));
  take(one->withdraw("nest"));
  const SyncResult again = take(two->synchronize({"nest"}));
  BOOST_TEST((again.outcome == SyncOutcome::kUnchanged));
  BOOST_TEST((take(two->synchronize_all({.timeout = kPatience})).settled()));
}

BOOST_AUTO_TEST_CASE(changes_come_once_each_and_in_the_order_of_the_revisions) {
  const auto hive = serve();
  const auto writer = join(member(*hive, "writer"));
  std::mutex mutex;
  std::vector<StateVersion> path;
  AgentEvents events;
  events.on_change = [&](const StateChange& change) {
    const std::lock_guard lock(mutex);
    path.push_back(change.from);
    path.push_back(change.to);
  };
  AgentConfig config = member(*hive, "reader");
  config.observer = true;
  const auto reader = join(config, events);
  WriteTicket last;
  for (int i = 0; i < 200; ++i) last = take(writer->incr("n", 1));
  const std::uint64_t head = committed(writer->wait(last, kPatience)).revision;
  take(reader->get("n", head, kPatience));
  take(writer->flush(kPatience));
  const std::lock_guard lock(mutex);
  for (std::size_t i = 2; i < path.size(); i += 2) BOOST_TEST(path[i].text() == path[i - 1].text());
  BOOST_TEST(path.back().revision == 200u);
  const auto denied = reader->commit(WriteGroup().put("k", "v"), kPatience);
  BOOST_REQUIRE(denied.has_value());
  BOOST_TEST((denied->code == StatusCode::kDenied));
}

BOOST_AUTO_TEST_CASE(a_blocking_call_within_a_callback_is_refused_and_a_write_is_not) {
  const auto hive = serve();
  std::atomic<SwarmAgent*> self = nullptr;
  std::promise<std::vector<StatusCode>> told;
  std::atomic<bool> once = false;
  AgentEvents events;
  events.on_change = [&](const StateChange& change) {
    if (self == nullptr || change.items.empty() || once.exchange(true)) return;
    SwarmAgent& agent = *self;
    std::vector<StatusCode> codes;
    const auto note = [&](const auto& result) {
      codes.push_back(result ? StatusCode::kCommitted : result.error().code);
    };
    note(agent.get("k"));
    note(agent.commit(WriteGroup().put("k", "w"), std::chrono::seconds(1)));
    note(agent.synchronize({"k"}));
    note(agent.status());
    note(agent.leave());
    note(hive->get_state("bees", "k"));
    note(SwarmAgent::open(member(*hive, "other")));
    note(agent.put("answer", "42"));
    note(agent.offer("nest", "oak"));
    told.set_value(codes);
  };
  const auto agent = join(member(*hive, "one"), events);
  self = agent.get();
  take(agent->put("k", "v"));
  auto future = told.get_future();
  BOOST_REQUIRE((future.wait_for(kPatience) == std::future_status::ready));
  const std::vector<StatusCode> codes = future.get();
  BOOST_REQUIRE(codes.size() == 9u);
  for (std::size_t i = 0; i < 7; ++i) BOOST_TEST((codes[i] == StatusCode::kRejected), "call " << i);
  BOOST_TEST((codes[7] == StatusCode::kCommitted));
  BOOST_TEST((codes[8] == StatusCode::kCommitted));
  BOOST_TEST(eventually([&] {
    const auto item = hive->get_state("bees", "answer");
    return item && item->exists;
  }));
}

BOOST_AUTO_TEST_CASE(two_agents_of_one_id_are_told_apart_by_a_clear_text) {
  const auto hive = serve();
  const auto one = join(member(*hive, "one"));
  std::promise<LinkStatus> told;
  std::atomic<bool> once = false;
  AgentEvents events;
  events.on_link = [&](const LinkStatus& link) {
    if (link.state == LinkState::kLost && !once.exchange(true)) told.set_value(link);
  };
  const auto two = take(SwarmAgent::open(member(*hive, "one"), events));
  auto future = told.get_future();
  BOOST_REQUIRE((future.wait_for(kPatience) == std::future_status::ready));
  const LinkStatus link = future.get();
  BOOST_TEST(link.text.contains("id_in_use"));
  BOOST_TEST(link.text.contains("choose another id"));

  // The id is free once the first one left.
  take(one->leave(kPatience));
  take(two->wait_attached(kPatience));
  const auto gone = one->put("k", "v");
  BOOST_REQUIRE(gone.has_value());
  const WriteResult refused = take(one->wait(*gone, kPatience));
  BOOST_TEST((refused.code == StatusCode::kUnavailable));
}

BOOST_AUTO_TEST_CASE(the_last_agent_of_a_host_may_go_away_within_its_own_callback) {
  const auto hive = serve();
  auto slot = std::make_shared<std::unique_ptr<SwarmAgent>>();
  std::promise<void> gone;
  std::atomic<bool> armed = false;
  AgentEvents events;
  events.on_change = [&, slot](const StateChange&) {
    if (!armed.exchange(false)) return;
    slot->reset();
    gone.set_value();
  };
  *slot = join(member(*hive, "one"), events);
  armed = true;
  take(hive->put_state("bees", "k", "v"));
  BOOST_TEST((gone.get_future().wait_for(kPatience) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(a_configuration_that_can_not_be_is_refused_with_a_text) {
  TempDirectory scratch;
  const auto code_of = [](AgentConfig config) {
    const auto opened = SwarmAgent::open(config);
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST(!opened.error().text.empty());
    return opened.error().code;
  };
  BOOST_TEST((code_of({.swarm = "", .agent = "one"}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.swarm = "bees", .agent = "~one"}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.coordinator = "http://x", .swarm = "bees", .agent = "one"}) ==
              StatusCode::kRejected));
  const std::string data = scratch.file("agent");
  const auto agent = take(SwarmAgent::open({.swarm = "bees", .agent = "one", .data = data}));
  BOOST_TEST(
      (code_of({.swarm = "bees", .agent = "one", .data = data}) == StatusCode::kUnavailable));
}
