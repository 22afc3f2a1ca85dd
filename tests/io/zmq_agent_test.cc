// The agent's transport at a hostile coordinator, at none, and at a new one.

#include "io/zmq_agent.h"

#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "capnp/codec.h"
#include "tests/io/raw_peer.h"
#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

using Frames = std::vector<std::string>;

// Says hello until the raw ROUTER reads a new one; the name that it has for the agent then.
std::string raw_greet(RawSocket& router, AgentPump& agent, const std::string& not_this = {}) {
  std::string name;
  int rounds = 0;
  BOOST_REQUIRE(eventually([&] {
    if (rounds++ % 1'000 == 0) agent.transport->send(SendUp{hello_of("a1")});
    agent.take();  // lets a waiting hello go
    for (Frames frames = router.receive(); !frames.empty(); frames = router.receive()) {
      if (frames.front() != not_this) name = frames.front();
    }
    return !name.empty();
  }));
  return name;
}

// What no coordinator of ours says. The number of messages, by what they are counted as.
struct Nonsense {
  std::vector<Frames> malformed;
  std::vector<Frames> multipart;
};
Nonsense nonsense() {
  const std::string good = encode(*bye_of(1));
  Nonsense all;
  all.malformed = {{""}, {"garbage"}, {std::string(100'000, '\xff')}, {good + "12345678"}};
  for (std::size_t size = 1; size < good.size(); size += 7) {
    all.malformed.push_back({good.substr(0, size)});
  }
  // A good frame among others is no message either.
  all.multipart = {{"two", "frames"}, {good, good}, {good, "", ""}, {"", good}, Frames(200, good)};
  return all;
}

std::vector<std::string> kinds() {
  return {"tcp", "ipc", "inproc"};
}
std::string place(const std::string& kind, const TempDirectory& directory,
                  const std::string& name) {
  if (kind == "tcp") return "tcp://127.0.0.1:*";
  return kind == "ipc" ? "ipc://" + directory.file(name) : "inproc://" + name;
}

BOOST_DATA_TEST_CASE(after_each_nonsense_of_its_coordinator_an_agent_reads_the_next_good_frame,
                     boost::unit_test::data::make(kinds()), kind) {
  const TempDirectory directory;
  ZmqContext context;
  RawSocket router(context.handle(), ZMQ_ROUTER);
  AgentPump agent = agent_of(context, *parse_dial(router.bind(place(kind, directory, "w"))));
  const auto& counters = agent.transport->counters();
  std::string name = raw_greet(router, agent);
  std::uint64_t number = 0;
  const auto say = [&](Frames frames) {
    frames.insert(frames.begin(), name);
    router.send(frames);
  };
  const auto hears_a_good_one = [&] {
    say({encode(*bye_of(++number))});
    const Received received = agent.wait_for<Received>();
    BOOST_TEST(std::get<Bye>(*received.message).session.value() == number);
  };

  const Nonsense all = nonsense();
  for (const std::vector<Frames>* list : {&all.malformed, &all.multipart}) {
    for (const Frames& frames : *list) {
      say(frames);
      BOOST_TEST(!agent.wait_for<Malformed>().error.text.empty());
      hears_a_good_one();
    }
  }
  BOOST_TEST(counters.malformed == all.malformed.size());
  BOOST_TEST(counters.multipart == all.multipart.size());

  // Above the limit: over a network it ends the connection before it is read, and ZeroMQ may not
  // make a new one by itself; the core asks for one when it hears nothing. Within the process it
  // arrives, and is refused.
  say({std::string(limits::kFrameBytes + 1, 'x')});
  if (kind == "inproc") {
    BOOST_TEST(agent.wait_for<Malformed>().error.text.contains("limit"));
    BOOST_TEST(counters.malformed == all.malformed.size() + 1);
  } else {
    say({encode(*bye_of(0))});  // behind it: lost, too
    BOOST_REQUIRE(eventually([&] {
      agent.transport->send(SendUp{bye_of(1)});
      return counters.dropped > 0;
    }));
    agent.transport->send(Redial{});
    name = raw_greet(router, agent, name);
    BOOST_TEST(counters.bytes_in < limits::kFrameBytes);
    BOOST_TEST(counters.malformed == all.malformed.size());
  }
  hears_a_good_one();
}

BOOST_DATA_TEST_CASE(after_each_nonsense_on_the_broadcast_an_agent_reads_the_next_good_frame,
                     boost::unit_test::data::make(kinds()), kind) {
  const TempDirectory directory;
  ZmqContext context;
  RawSocket router(context.handle(), ZMQ_ROUTER);
  RawSocket publisher(context.handle(), ZMQ_XPUB);
  publisher.set(ZMQ_XPUB_VERBOSE, 1);
  const Endpoint endpoint = *parse_dial(router.bind(place(kind, directory, "w")));
  const Endpoint channel = *parse_dial(publisher.bind(place(kind, directory, "c")));
  // Two agents that share what they decode: each of them meets the nonsense.
  BroadcastCache cache;
  std::vector<AgentPump> agents;
  std::uint64_t nonce = 0;
  // Until the publisher reads each agent's nonce, which comes behind everything else.
  const auto all_join = [&] {
    for (AgentPump& agent : agents) {
      agent.transport->send(JoinChannel{channel_text(channel), Nonce(++nonce)});
      const std::string wanted = "\x01" + nonce_topic(Nonce(nonce));
      BOOST_REQUIRE(eventually([&] {
        const Frames frames = publisher.receive();
        return !frames.empty() && frames.front() == wanted;
      }));
    }
  };
  for (int i = 0; i < 2; ++i) {
    auto opened = ZmqAgentTransport::open(context, {.coordinator = endpoint, .broadcasts = &cache});
    BOOST_REQUIRE(opened.has_value());
    agents.push_back({std::move(*opened), {}});
  }
  all_join();

  std::uint64_t number = 0;
  const auto all_hear_a_good_one = [&] {
    publisher.send({encode(*heartbeat_of(++number))});
    std::vector<MessagePtr> heard;
    for (AgentPump& agent : agents) {
      heard.push_back(agent.wait_for<BroadcastReceived>().message);
      BOOST_TEST(std::get<Heartbeat>(*heard.back()).broadcast.value() == number);
    }
    // Decoded once.
    BOOST_TEST(heard[0] == heard[1]);
  };
  const Nonsense all = nonsense();
  for (const std::vector<Frames>* list : {&all.malformed, &all.multipart}) {
    for (const Frames& frames : *list) {
      publisher.send(frames);
      for (AgentPump& agent : agents) {
        BOOST_TEST(!agent.wait_for<Malformed>().error.text.empty());
      }
      all_hear_a_good_one();
    }
  }
  // Above the limit, as before: the core joins anew when it finds that leg dead.
  publisher.send({std::string(limits::kFrameBytes + 1, 'x')});
  if (kind == "inproc") {
    for (AgentPump& agent : agents) static_cast<void>(agent.wait_for<Malformed>());
  } else {
    all_join();
  }
  all_hear_a_good_one();
  for (const AgentPump& agent : agents) {
    const auto& counters = agent.transport->counters();
    BOOST_TEST(counters.malformed == all.malformed.size() + (kind == "inproc" ? 1u : 0u));
    BOOST_TEST(counters.multipart == all.multipart.size());
    BOOST_TEST((counters.broadcast_bytes_in < limits::kFrameBytes) == (kind != "inproc"));
  }

  // The other one left: nothing is shared any more. Leaving twice is leaving once.
  agents[1].transport->send(LeaveChannel{});
  agents[1].transport->send(LeaveChannel{});
  agents.pop_back();
  publisher.send({encode(*heartbeat_of(++number))});
  BOOST_TEST(agents[0].wait_for<BroadcastReceived>().message.use_count() == 1);
  BOOST_TEST(cache.counters().shared == number - 1);
}

// Whatever was sent while no coordinator listened: to the one that starts later, only the newest
// hello goes.
BOOST_DATA_TEST_CASE(what_was_meant_for_a_coordinator_that_is_gone_does_not_reach_the_next,
                     boost::unit_test::data::make(std::vector<std::string>{"tcp", "ipc"}), kind) {
  const TempDirectory directory;
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(context, place(kind, directory, "w"));
  const Endpoint endpoint = coordinator.transport->endpoint();
  AgentPump agent = agent_of(context, endpoint);
  greet(coordinator, agent, "before");

  coordinator.transport.reset();
  // Until the agent notices, it sends into nothing.
  BOOST_REQUIRE(eventually([&] {
    agent.transport->send(SendUp{bye_of(1)});
    agent.take();
    return agent.transport->counters().dropped > 0;
  }));
  const std::uint64_t dropped = agent.transport->counters().dropped;
  agent.transport->send(SendUp{hello_of("old")});
  for (int i = 0; i < 100; ++i) agent.transport->send(SendUp{bye_of(2)});
  agent.transport->send(SendUp{hello_of("new")});
  for (int i = 0; i < 100; ++i) agent.transport->send(SendUp{bye_of(3)});
  BOOST_TEST(agent.transport->counters().dropped == dropped + 200);

  BOOST_REQUIRE(eventually([&] {
    auto again = ZmqCoordinatorTransport::open(context, {.listen = endpoint});
    if (again) coordinator.transport = std::move(*again);
    return again.has_value();
  }));
  BOOST_REQUIRE(eventually([&] {
    agent.take();
    coordinator.take();
    return !coordinator.events.empty();
  }));
  agent.transport->send(SendUp{bye_of(4)});
  BOOST_REQUIRE(eventually([&] {
    coordinator.take();
    return coordinator.events.size() > 1;
  }));
  BOOST_REQUIRE(coordinator.events.size() == 2u);
  const auto& hello = std::get<Hello>(*std::get<Received>(coordinator.events[0]).message);
  BOOST_TEST(hello.agent.value() == "new");
  const auto& bye = std::get<Bye>(*std::get<Received>(coordinator.events[1]).message);
  BOOST_TEST(bye.session.value() == 4u);
}

BOOST_DATA_TEST_CASE(what_waited_for_a_stuck_coordinator_does_not_reach_the_next,
                     boost::unit_test::data::make(std::vector<std::string>{"tcp", "ipc"}), kind) {
  const TempDirectory directory;
  ZmqContext context;
  RawContext raw;
  RawSocket stuck(raw.handle(), ZMQ_ROUTER);
  stuck.narrow();
  const Endpoint endpoint = *parse_dial(stuck.bind(place(kind, directory, "w")));
  auto opened = ZmqAgentTransport::open(context, {.coordinator = endpoint, .send_messages = 50});
  BOOST_REQUIRE(opened.has_value());
  AgentPump agent{std::move(*opened), {}};
  raw_greet(stuck, agent);
  // Until no more can wait for it.
  const MessagePtr large = large_of(500'000);
  for (int i = 0; i < 2'000 && agent.transport->counters().dropped == 0; ++i) {
    agent.transport->send(SendUp{large});
  }
  BOOST_REQUIRE(agent.transport->counters().dropped > 0u);
  BOOST_TEST(agent.transport->counters().frames_out >= 50u);

  stuck.close();
  CoordinatorPump coordinator;
  BOOST_REQUIRE(eventually([&] {
    auto next = ZmqCoordinatorTransport::open(context, {.listen = endpoint});
    if (next) coordinator.transport = std::move(*next);
    return next.has_value();
  }));
  int rounds = 0;
  BOOST_REQUIRE(eventually([&] {
    if (rounds++ % 1'000 == 0) agent.transport->send(SendUp{hello_of("new")});
    agent.take();
    coordinator.take();
    return !coordinator.events.empty();
  }));
  agent.transport->send(SendUp{bye_of(4)});
  bool last = false;
  BOOST_REQUIRE(eventually([&] {
    coordinator.take();
    for (const Event& event : std::exchange(coordinator.events, {})) {
      const Message& message = *std::get<Received>(event).message;
      BOOST_TEST(!std::holds_alternative<DeltaChunk>(message));
      last = last || std::holds_alternative<Bye>(message);
    }
    return last;
  }));
  BOOST_TEST(coordinator.transport->counters().malformed == 0u);
}

}  // namespace
}  // namespace waggle
