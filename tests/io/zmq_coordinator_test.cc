// The coordinator's transport among peers that don't read, and the borders between swarms.

#include "io/zmq_coordinator.h"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/io/raw_peer.h"
#include "tests/io/scratch.h"
#include "tests/noise.h"

namespace waggle {
namespace {

using namespace test;

std::string open_channel(CoordinatorPump& coordinator, const std::string& swarm) {
  coordinator.transport->send(OpenChannel{SwarmId(swarm), {}});
  return coordinator.wait_for<ChannelOpened>().channel;
}

// The update of one revision, with a value of this size.
MessagePtr update_of(std::uint64_t revision, std::size_t bytes) {
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kBytes, testing::noise(bytes)};
  record->version = Revision(revision);
  record->writer = Writer{AgentId("a"), Incarnation(1), Seq(revision)};
  StateUpdate update;
  update.swarm = SwarmId("bees");
  update.start = StartId(1);
  update.broadcast = BroadcastNo(revision);
  update.epoch = Epoch(1);
  update.from = Revision(revision - 1);
  update.to = Revision(revision);
  update.changes = {Change{Key("k"), record}};
  return make_message(std::move(update));
}

const StateUpdate& update_in(const BroadcastReceived& broadcast) {
  return std::get<StateUpdate>(*broadcast.message);
}

BOOST_DATA_TEST_CASE(a_subscriber_that_does_not_read_loses_updates_and_delays_nobody,
                     boost::unit_test::data::make(std::vector<std::string>{"tcp", "ipc"}), kind) {
  const TempDirectory directory;
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(
      context, kind == "tcp" ? std::string("tcp://127.0.0.1:*") : "ipc://" + directory.file("w"),
      {.listen = {}, .channel_messages = 8});
  const Endpoint& endpoint = coordinator.transport->endpoint();
  const std::string channel = open_channel(coordinator, "bees");
  auto opened =
      ZmqAgentTransport::open(context, {.coordinator = endpoint, .broadcast_messages = 1});
  BOOST_REQUIRE(opened.has_value());
  AgentPump slow{std::move(*opened), {}};
  std::vector<AgentPump> fast;
  for (int i = 0; i < 2; ++i) fast.push_back(agent_of(context, endpoint));
  std::uint64_t nonce = 0;
  for (AgentPump* agent : {&slow, &fast[0], &fast[1]}) {
    agent->transport->send(JoinChannel{channel, Nonce(++nonce)});
    BOOST_TEST(coordinator.wait_for<Subscribed>().nonce.value() == nonce);
  }

  // Far more than there is room for on the way to one peer: in ZeroMQ and in the system's buffers.
  constexpr std::uint64_t kUpdates = 120;
  constexpr std::size_t kBytes = 500'000;
  for (std::uint64_t n = 1; n <= kUpdates; ++n) {
    coordinator.take();  // as in each turn: ZeroMQ learns what the others have read
    coordinator.transport->send(Broadcast{SwarmId("bees"), update_of(n, kBytes)});
    for (AgentPump& agent : fast) {
      BOOST_TEST(update_in(agent.wait_for<BroadcastReceived>()).to.value() == n);
    }
  }
  BOOST_TEST(coordinator.transport->counters().broadcasts == kUpdates);
  BOOST_TEST(coordinator.transport->counters().dropped == 0u);
  // Nothing is kept for it on our side either.
  BOOST_TEST(coordinator.transport->counters().bytes_queued == 0u);

  // At last it reads, and gets what is published then.
  std::vector<std::uint64_t> got = {0};
  std::size_t holes = 0;
  std::uint64_t published = kUpdates;
  BOOST_REQUIRE(eventually([&] {
    slow.take();
    if (slow.events.empty()) {
      coordinator.transport->send(Broadcast{SwarmId("bees"), update_of(++published, 1)});
    }
    for (const Event& event : std::exchange(slow.events, {})) {
      const StateUpdate& update = update_in(std::get<BroadcastReceived>(event));
      holes += update.from.value() > got.back() ? 1u : 0u;
      got.push_back(update.to.value());
    }
    return got.back() > kUpdates;
  }));
  // By the numbers alone it can tell that something is missing, and nothing came twice.
  BOOST_TEST(holes > 0u);
  BOOST_TEST(got.size() < kUpdates);
  BOOST_TEST((std::ranges::adjacent_find(got, std::greater_equal<>()) == got.end()));
}

BOOST_AUTO_TEST_CASE(what_an_ignored_peer_sends_is_thrown_away_unread_and_others_are_read) {
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(context, "tcp://127.0.0.1:*");
  AgentPump loud = agent_of(context, coordinator.transport->endpoint());
  AgentPump calm = agent_of(context, coordinator.transport->endpoint());
  const PeerId peer = greet(coordinator, loud, "loud");
  static_cast<void>(greet(coordinator, calm, "calm"));
  coordinator.transport->send(IgnorePeer{peer, 3'600'000});
  for (std::uint64_t n = 1; n <= 20; ++n) loud.transport->send(SendUp{bye_of(n)});
  BOOST_REQUIRE(eventually([&] {
    loud.take();
    coordinator.take();
    return coordinator.transport->counters().ignored == 20u;
  }));
  BOOST_TEST(coordinator.events.empty());
  calm.transport->send(SendUp{bye_of(1)});
  const Received heard = coordinator.wait_for_message<Bye>();
  BOOST_TEST((heard.peer != peer));
  BOOST_TEST(heard.bytes > 0u);
  // Its time is over.
  coordinator.transport->send(IgnorePeer{peer, 0});
  loud.transport->send(SendUp{bye_of(21)});
  BOOST_TEST(std::get<Bye>(*coordinator.wait_for_message<Bye>().message).session.value() == 21u);
}

BOOST_AUTO_TEST_CASE(one_peer_does_not_fill_a_turn) {
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(context, "tcp://127.0.0.1:*");
  AgentPump loud = agent_of(context, coordinator.transport->endpoint());
  static_cast<void>(greet(coordinator, loud, "loud"));
  // Within what a DEALER takes at once.
  const std::uint64_t count = 5 * limits::kFramesOfPeer;
  std::uint64_t got = 0;
  std::uint64_t sent = 0;
  BOOST_REQUIRE(eventually([&] {
    for (; sent < count; ++sent) loud.transport->send(SendUp{bye_of(sent)});
    loud.take();
    std::vector<Event> events;
    coordinator.transport->receive(events, limits::kEventsPerTurn);
    BOOST_TEST_REQUIRE(events.size() <= limits::kFramesOfPeer);
    for (const Event& event : events)
      if (const auto* bye = std::get_if<Bye>(std::get<Received>(event).message.get()))
        BOOST_TEST_REQUIRE(bye->session.value() == got++);
    return got == count;
  }));
}

BOOST_AUTO_TEST_CASE(while_one_peer_does_not_read_another_is_answered) {
  constexpr std::size_t kQueueBytes = 3u << 20;
  ZmqContext context;
  RawContext raw;
  CoordinatorPump coordinator =
      coordinator_at(context, "tcp://127.0.0.1:*",
                     {.listen = {}, .peer_send_messages = 2, .peer_queue_bytes = kQueueBytes});
  const auto& counters = coordinator.transport->counters();
  AgentPump honest = agent_of(context, coordinator.transport->endpoint());
  const PeerId honest_peer = greet(coordinator, honest, "honest");
  RawSocket slow(raw.handle(), ZMQ_DEALER);
  slow.narrow();
  slow.connect(coordinator.transport->endpoint().text());
  slow.send({"x"});
  const PeerId slow_peer = coordinator.wait_for<Malformed>().peer;

  std::vector<PeerId> lost;
  const auto take = [&] {
    coordinator.take();
    for (const Event& event : std::exchange(coordinator.events, {})) {
      if (const auto* gone = std::get_if<PeerLost>(&event)) lost.push_back(gone->peer);
    }
  };
  const MessagePtr large = large_of(400'000);
  std::uint64_t sent = 0;
  std::uint64_t answered_meanwhile = 0;
  const auto ask = [&] {
    ++sent;
    coordinator.transport->send(SendTo{honest_peer, bye_of(sent)});
    const auto answer = honest.wait_for<Received>();
    BOOST_TEST(std::get<Bye>(*answer.message).session.value() == sent);
  };
  for (int i = 0; i < 2'000 && lost.empty(); ++i) {
    ++sent;
    coordinator.transport->send(SendTo{slow_peer, large});
    BOOST_TEST(counters.bytes_queued <= kQueueBytes);
    answered_meanwhile += counters.peers_queued;
    ask();
    take();
  }
  BOOST_TEST(answered_meanwhile >= kQueueBytes / 400'000 - 1);
  BOOST_REQUIRE(lost.size() == 1u);
  BOOST_TEST(lost.front().value() == slow_peer.value());
  BOOST_TEST(counters.bytes_queued == 0u);
  BOOST_TEST(counters.peers_queued == 0u);

  // What is sent to it now goes nowhere, and it is not reported again.
  for (int i = 0; i < 20; ++i) {
    ++sent;
    coordinator.transport->send(SendTo{slow_peer, large});
    ask();
    take();
  }
  BOOST_TEST(lost.size() == 1u);
  BOOST_TEST(counters.peers_lost == 1u);
  BOOST_TEST(counters.bytes_queued == 0u);
  // Every frame was handed on or is counted as dropped.
  BOOST_TEST(counters.frames_out + counters.dropped == sent);
  // With nothing to try again no turn is asked for.
  BOOST_REQUIRE(eventually([&] {
    take();
    return coordinator.transport->next_retry() == Instant::never();
  }));

  // Heard of again it is a peer like others, once it reads.
  slow.send({"y"});
  BOOST_TEST(coordinator.wait_for<Malformed>().peer.value() == slow_peer.value());
  coordinator.transport->send(SendTo{slow_peer, hello_of("last")});
  std::size_t small = 0;
  BOOST_REQUIRE(eventually([&] {
    take();
    for (auto frames = slow.receive(); !frames.empty(); frames = slow.receive()) {
      small += frames.back().size() < 400'000 ? 1u : 0u;
    }
    return small > 0;
  }));
  BOOST_TEST(counters.bytes_queued == 0u);
  BOOST_TEST(lost.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_nonce_on_the_channel_of_another_swarm_says_nothing_of_this_one) {
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(context, "tcp://127.0.0.1:*");
  const std::string bees = open_channel(coordinator, "bees");
  const std::string wasps = open_channel(coordinator, "wasps");
  AgentPump stray = agent_of(context, coordinator.transport->endpoint());
  AgentPump member = agent_of(context, coordinator.transport->endpoint());
  // The nonce that was meant for the bees.
  stray.transport->send(JoinChannel{wasps, Nonce(5)});
  const auto elsewhere = coordinator.wait_for<Subscribed>();
  BOOST_TEST(elsewhere.swarm.value() == "wasps");
  BOOST_TEST(elsewhere.nonce.value() == 5u);
  member.transport->send(JoinChannel{bees, Nonce(6)});
  const auto here = coordinator.wait_for<Subscribed>();
  BOOST_TEST(here.swarm.value() == "bees");
  BOOST_TEST(here.nonce.value() == 6u);
  BOOST_TEST(coordinator.events.empty());

  // Who knows a nonce of the bees reads nothing of them elsewhere.
  coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(1)});
  coordinator.transport->send(Broadcast{SwarmId("wasps"), heartbeat_of(2)});
  const auto read = stray.wait_for<BroadcastReceived>();
  BOOST_TEST(std::get<Heartbeat>(*read.message).broadcast.value() == 2u);
  static_cast<void>(member.wait_for<BroadcastReceived>());
  BOOST_TEST(stray.events.empty());
  BOOST_TEST(member.events.empty());
}

}  // namespace
}  // namespace waggle
