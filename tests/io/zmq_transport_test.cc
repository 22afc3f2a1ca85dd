// The two transports against each other, over real sockets.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

// ipc needs a directory; the others stand for themselves.
struct Place {
  TempDirectory directory;
  ZmqContext context;
  std::string listen;
  explicit Place(const std::string& kind) {
    if (kind == "tcp") listen = "tcp://127.0.0.1:*";
    if (kind == "ipc") listen = "ipc://" + directory.file("w");
    if (kind == "inproc") listen = "inproc://w";
  }
};
const std::vector<std::string> kKinds = {"tcp", "ipc", "inproc"};

std::string open_channel(CoordinatorPump& coordinator, const std::string& swarm,
                         const std::string& wanted = {}) {
  coordinator.transport->send(OpenChannel{SwarmId(swarm), wanted});
  const auto opened = coordinator.wait_for<ChannelOpened>();
  BOOST_TEST(opened.swarm.value() == swarm);
  return opened.channel;
}

BOOST_DATA_TEST_CASE(a_question_is_answered_and_a_broadcast_reaches_who_joined,
                     boost::unit_test::data::make(kKinds), kind) {
  Place place(kind);
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  AgentPump agent = agent_of(place.context, coordinator.transport->endpoint());

  const PeerId peer = greet(coordinator, agent, "a1");
  coordinator.transport->send(SendTo{peer, bye_of(5)});
  const Received answer = agent.wait_for<Received>();
  BOOST_TEST(std::get<Bye>(*answer.message).session.value() == 5u);
  BOOST_TEST(answer.peer.empty());

  const std::string channel = open_channel(coordinator, "bees");
  agent.transport->send(JoinChannel{channel, Nonce(0x1234)});
  const auto subscribed = coordinator.wait_for<Subscribed>();
  BOOST_TEST(subscribed.swarm.value() == "bees");
  BOOST_TEST(subscribed.nonce.value() == 0x1234u);

  // The leg is live now: the very next broadcast arrives.
  coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(9)});
  const auto heard = agent.wait_for<BroadcastReceived>();
  BOOST_TEST(std::get<Heartbeat>(*heard.message).broadcast.value() == 9u);

  // A broadcast of another swarm does not.
  open_channel(coordinator, "wasps");
  coordinator.transport->send(Broadcast{SwarmId("wasps"), heartbeat_of(10)});
  coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(11)});
  BOOST_TEST(std::get<Heartbeat>(*agent.wait_for<BroadcastReceived>().message).broadcast.value() ==
             11u);

  // Joining again makes a new leg with a new nonce; leaving ends it.
  agent.transport->send(JoinChannel{channel, Nonce(2)});
  BOOST_TEST(coordinator.wait_for<Subscribed>().nonce.value() == 2u);
  coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(12)});
  BOOST_TEST(std::get<Heartbeat>(*agent.wait_for<BroadcastReceived>().message).broadcast.value() ==
             12u);
  agent.transport->send(LeaveChannel{});
  coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(13)});
  coordinator.transport->send(SendTo{peer, bye_of(6)});
  static_cast<void>(agent.wait_for<Received>());
  BOOST_TEST(agent.events.empty());
}

BOOST_AUTO_TEST_CASE(one_message_for_many_is_encoded_once) {
  Place place("inproc");
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  std::vector<AgentPump> agents;
  std::vector<PeerId> peers;
  for (int i = 0; i < 5; ++i) {
    agents.push_back(agent_of(place.context, coordinator.transport->endpoint()));
    peers.push_back(greet(coordinator, agents.back(), "a" + std::to_string(i)));
  }
  const MessagePtr message = large_of(100'000);
  open_channel(coordinator, "bees");
  coordinator.transport->send(Broadcast{SwarmId("bees"), message});
  for (const PeerId& peer : peers) coordinator.transport->send(SendTo{peer, message});
  for (AgentPump& agent : agents) {
    const Received received = agent.wait_for_message<DeltaChunk>();
    BOOST_TEST(std::get<DeltaChunk>(*received.message).changes.size() == 1u);
  }
  BOOST_TEST(coordinator.transport->counters().encoded == 1u);
  BOOST_TEST(coordinator.transport->counters().frames_out == 5u);
}

BOOST_AUTO_TEST_CASE(a_swarm_gets_the_port_that_it_had_if_it_is_free) {
  Place place("tcp");
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  const std::string first = open_channel(coordinator, "bees");
  BOOST_TEST(channel_port(first) != 0);
  // Asked again: the same.
  BOOST_TEST(open_channel(coordinator, "bees", "tcp:1") == first);
  // Taken: another.
  const std::string second = open_channel(coordinator, "wasps", first);
  BOOST_TEST(second != first);
  BOOST_TEST(channel_port(second) != 0);
  // Free again: it.
  coordinator.transport.reset();
  BOOST_TEST(eventually([&] {
    coordinator = coordinator_at(place.context, place.listen);
    return open_channel(coordinator, "wasps", second) == second;
  }));
}

BOOST_AUTO_TEST_CASE(ports_of_broadcasts_come_from_the_given_range) {
  Place place("tcp");
  std::uint16_t port = 0;
  {
    CoordinatorPump probe = coordinator_at(place.context, place.listen);
    port = channel_port(open_channel(probe, "bees"));
  }
  CoordinatorPump coordinator =
      coordinator_at(place.context, place.listen,
                     {.listen = {}, .channel_port_low = port, .channel_port_high = port});
  // One port, two swarms. The first may have to wait until the probe's socket is closed.
  std::string channel;
  BOOST_REQUIRE(eventually([&] {
    coordinator.transport->send(OpenChannel{SwarmId("bees"), "tcp:1"});
    coordinator.take();
    for (const Event& event : std::exchange(coordinator.events, {})) {
      if (const auto* opened = std::get_if<ChannelOpened>(&event)) channel = opened->channel;
    }
    return !channel.empty();
  }));
  BOOST_TEST(channel == "tcp:" + std::to_string(port));
  coordinator.transport->send(OpenChannel{SwarmId("wasps"), {}});
  const auto failure = coordinator.wait_for<ChannelFailed>();
  BOOST_TEST(failure.swarm.value() == "wasps");
  BOOST_TEST(failure.text.contains(std::to_string(port)));
}

BOOST_DATA_TEST_CASE(a_second_coordinator_at_the_same_place_is_refused,
                     boost::unit_test::data::make(kKinds), kind) {
  Place place(kind);
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  const auto second =
      ZmqCoordinatorTransport::open(place.context, {.listen = coordinator.transport->endpoint()});
  BOOST_REQUIRE(!second.has_value());
  BOOST_TEST(second.error().text.contains(coordinator.transport->endpoint().text()));
  // The first one goes on.
  AgentPump agent = agent_of(place.context, coordinator.transport->endpoint());
  greet(coordinator, agent, "a1");
}

BOOST_DATA_TEST_CASE(an_agent_finds_a_coordinator_that_was_started_again,
                     boost::unit_test::data::make(std::vector<std::string>{"tcp", "ipc"}), kind) {
  Place place(kind);
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  const Endpoint endpoint = coordinator.transport->endpoint();
  AgentPump agent = agent_of(place.context, endpoint);
  const PeerId before = greet(coordinator, agent, "a1");
  agent.transport->send(JoinChannel{open_channel(coordinator, "bees"), Nonce(1)});
  static_cast<void>(coordinator.wait_for<Subscribed>());
  const std::string channel = open_channel(coordinator, "bees");

  coordinator.transport.reset();
  coordinator.events.clear();
  BOOST_REQUIRE(eventually([&] {
    auto again = ZmqCoordinatorTransport::open(place.context, {.listen = endpoint});
    if (again) coordinator.transport = std::move(*again);
    return again.has_value();
  }));
  // The broadcast leg comes back by itself, with the nonce that it had.
  // The wanted port may not be closed yet; then the agent has to join anew.
  if (open_channel(coordinator, "bees", channel) == channel) {
    BOOST_REQUIRE(eventually([&] {
      agent.take();  // libzmq subscribes again on the agent's thread
      coordinator.take();
      return !coordinator.events.empty();
    }));
    BOOST_TEST(coordinator.wait_for<Subscribed>().nonce.value() == 1u);
  }
  // To the one that it was, the agent is somebody new.
  const PeerId after = greet(coordinator, agent, "a1");
  coordinator.transport->send(SendTo{after, bye_of(1)});
  static_cast<void>(agent.wait_for<Received>());
  BOOST_TEST(before.value() != "");
}

BOOST_AUTO_TEST_CASE(a_redialled_agent_is_a_new_peer_and_the_old_one_is_lost_once) {
  Place place("tcp");
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  AgentPump agent = agent_of(place.context, coordinator.transport->endpoint());
  const PeerId before = greet(coordinator, agent, "a1");
  agent.transport->send(Redial{});
  const PeerId after = greet(coordinator, agent, "a1");
  BOOST_TEST(before.value() != after.value());
  BOOST_REQUIRE(eventually([&] {
    coordinator.transport->send(SendTo{before, bye_of(1)});
    coordinator.take();
    return !coordinator.events.empty();
  }));
  BOOST_TEST(coordinator.wait_for<PeerLost>().peer.value() == before.value());
  coordinator.transport->send(SendTo{before, bye_of(2)});
  coordinator.take();
  BOOST_TEST(coordinator.events.empty());
  BOOST_TEST(coordinator.transport->counters().peers_lost == 1u);
  BOOST_TEST(agent.transport->counters().redials == 1u);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_sent_is_dropped_but_the_newest_hello_waits) {
  Place place("ipc");
  const Result<Endpoint> endpoint = parse_dial(place.listen);
  AgentPump agent = agent_of(place.context, *endpoint);
  agent.transport->send(SendUp{bye_of(1)});
  BOOST_TEST(agent.transport->counters().dropped == 1u);
  agent.transport->send(SendUp{hello_of("old")});
  agent.transport->send(SendUp{hello_of("new")});
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  BOOST_REQUIRE(eventually([&] {
    agent.take();
    coordinator.take();
    return !coordinator.events.empty();
  }));
  const Received received = coordinator.wait_for<Received>();
  BOOST_TEST(std::get<Hello>(*received.message).agent.value() == "new");
  BOOST_TEST(coordinator.events.empty());
}

BOOST_AUTO_TEST_CASE(a_channel_elsewhere_is_not_joined) {
  Place place("tcp");
  CoordinatorPump coordinator = coordinator_at(place.context, place.listen);
  AgentPump agent = agent_of(place.context, coordinator.transport->endpoint());
  agent.transport->send(JoinChannel{"ipc:///run/elsewhere", Nonce(1)});
  BOOST_TEST(agent.transport->has_work());
  BOOST_TEST(agent.wait_for<Malformed>().error.text.contains("ipc:///run/elsewhere"));
}

BOOST_AUTO_TEST_CASE(a_thread_of_the_process_is_a_peer_without_a_socket) {
  Place place("inproc");
  LocalPeers local;
  CoordinatorPump coordinator =
      coordinator_at(place.context, place.listen, {.listen = {}, .local = &local});
  std::uint64_t answered = 0;
  std::thread thread([&] {
    const std::unique_ptr<LocalPort> port = local.open();
    if (!port->send(*hello_of("~client"))) return;
    const MessagePtr answer = port->receive(std::chrono::minutes(1));
    if (answer != nullptr) answered = std::get<Bye>(*answer).session.value();
  });
  const Received asked = coordinator.wait_for<Received>();
  BOOST_TEST(asked.peer.value() == "local:1");
  coordinator.transport->send(SendTo{asked.peer, bye_of(3)});
  thread.join();
  BOOST_TEST(answered == 3u);
  BOOST_TEST(coordinator.wait_for<PeerLost>().peer.value() == "local:1");
  // Gone, and nobody minds.
  coordinator.transport->send(SendTo{asked.peer, bye_of(4)});
  coordinator.transport->send(DropPeer{asked.peer});
}

}  // namespace
}  // namespace waggle
