#include "io/local_peers.h"

#include <thread>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Bye bye(std::uint64_t session) {
  return Bye{SessionId(session)};
}

std::vector<Event> take_all(LocalPeers& peers) {
  std::vector<Event> events;
  peers.take(events, 1'000'000);
  return events;
}

constexpr std::chrono::milliseconds kAtOnce{0};
constexpr std::chrono::minutes kLong{1};

BOOST_AUTO_TEST_CASE(a_message_goes_in_and_its_answer_comes_back) {
  LocalPeers peers;
  const std::unique_ptr<LocalPort> port = peers.open();
  BOOST_TEST(!peers.has_work());
  BOOST_TEST(port->send(bye(7)).has_value());
  BOOST_TEST(peers.has_work());
  const std::vector<Event> events = take_all(peers);
  BOOST_REQUIRE(events.size() == 1u);
  const auto& received = std::get<Received>(events.front());
  BOOST_TEST(received.peer.value() == port->peer().value());
  BOOST_TEST(std::get<Bye>(*received.message).session.value() == 7u);

  BOOST_TEST(port->receive(kAtOnce) == nullptr);
  peers.deliver(received.peer, make_message(bye(8)));
  BOOST_TEST(std::get<Bye>(*port->receive(kLong)).session.value() == 8u);
}

BOOST_AUTO_TEST_CASE(ports_are_told_apart) {
  LocalPeers peers;
  const std::unique_ptr<LocalPort> one = peers.open();
  const std::unique_ptr<LocalPort> two = peers.open();
  BOOST_TEST(one->peer().value() != two->peer().value());
  peers.deliver(two->peer(), make_message(bye(1)));
  BOOST_TEST(one->receive(kAtOnce) == nullptr);
  BOOST_TEST(two->receive(kAtOnce) != nullptr);
}

BOOST_AUTO_TEST_CASE(what_the_codec_refuses_does_not_reach_the_coordinator) {
  LocalPeers peers;
  const std::unique_ptr<LocalPort> port = peers.open();
  Hello hello;  // without a swarm and an agent
  const Status sent = port->send(hello);
  BOOST_TEST(!sent.has_value());
  BOOST_TEST(!peers.has_work());
}

BOOST_AUTO_TEST_CASE(a_full_inbox_takes_nothing_more) {
  LocalPeers peers({.inbox_messages = 2, .queue_messages = 2});
  const std::unique_ptr<LocalPort> port = peers.open();
  BOOST_TEST(port->send(bye(1)).has_value());
  BOOST_TEST(port->send(bye(2)).has_value());
  const Status third = port->send(bye(3));
  BOOST_REQUIRE(!third.has_value());
  BOOST_TEST((third.error().code == Code::kOverloaded));
  BOOST_TEST(take_all(peers).size() == 2u);
  BOOST_TEST(port->send(bye(3)).has_value());
}

BOOST_AUTO_TEST_CASE(a_port_that_does_not_read_is_lost) {
  LocalPeers peers({.inbox_messages = 16, .queue_messages = 2});
  const std::unique_ptr<LocalPort> port = peers.open();
  for (std::uint64_t n = 1; n <= 3; ++n) peers.deliver(port->peer(), make_message(bye(n)));
  const std::vector<Event> events = take_all(peers);
  BOOST_REQUIRE(events.size() == 1u);
  BOOST_TEST(std::get<PeerLost>(events.front()).peer.value() == port->peer().value());
  BOOST_TEST(port->receive(kAtOnce) == nullptr);
  // It may go on.
  peers.deliver(port->peer(), make_message(bye(4)));
  BOOST_TEST(port->receive(kAtOnce) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_dropped_peer_loses_what_waits_for_it) {
  LocalPeers peers;
  const std::unique_ptr<LocalPort> port = peers.open();
  peers.deliver(port->peer(), make_message(bye(1)));
  peers.drop(port->peer());
  BOOST_TEST(port->receive(kAtOnce) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_port_outlives_the_coordinator) {
  auto peers = std::make_unique<LocalPeers>();
  const std::unique_ptr<LocalPort> port = peers->open();
  bool nothing = false;
  std::thread waiting([&] { nothing = port->receive(kLong) == nullptr; });
  peers.reset();
  waiting.join();
  BOOST_TEST(nothing);
  BOOST_TEST(port->closed());
  const Status sent = port->send(bye(1));
  BOOST_REQUIRE(!sent.has_value());
  BOOST_TEST((sent.error().code == Code::kUnavailable));
}

BOOST_AUTO_TEST_CASE(many_threads_at_once) {
  LocalPeers peers;
  constexpr int kThreads = 8;
  constexpr std::uint64_t kMessages = 200;
  std::vector<std::thread> threads;
  std::vector<std::uint64_t> echoed(kThreads, 0);
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::unique_ptr<LocalPort> port = peers.open();
      for (std::uint64_t n = 1; n <= kMessages; ++n) {
        if (!port->send(bye(n))) return;
        const MessagePtr answer = port->receive(kLong);
        if (answer == nullptr || std::get<Bye>(*answer).session.value() != n) return;
        ++echoed[i];
      }
    });
  }
  std::size_t gone = 0;
  while (gone < kThreads) {
    for (const Event& event : take_all(peers)) {
      if (const auto* received = std::get_if<Received>(&event)) {
        peers.deliver(received->peer, received->message);
      } else {
        ++gone;
      }
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::uint64_t count : echoed) BOOST_TEST(count == kMessages);
}

}  // namespace
}  // namespace waggle
