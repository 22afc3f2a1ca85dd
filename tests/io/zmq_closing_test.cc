// Closing with frames that nobody will ever take. The destructor of the context waits for all
// sockets, so whatever lingers without a bound hangs the process there.

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/io/raw_peer.h"
#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

// Ends the process when its scope is not left in time: a thread that hangs in ZeroMQ can't be
// brought back. The time is far above what closing takes, and below the 40 s after which ZMTP's
// heartbeats would end the wait for a peer over tcp.
class Watchdog {
 public:
  Watchdog()
      : thread_([this] {
          std::unique_lock lock(mutex_);
          if (left_.wait_for(lock, std::chrono::seconds(30), [this] { return over_; })) return;
          std::fputs("closing hangs\n", stderr);
          std::abort();
        }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    left_.notify_one();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  bool over_ = false;
  std::thread thread_;  // last, since it uses the others
};

std::string place(const std::string& kind, const TempDirectory& directory) {
  return kind == "tcp" ? std::string("tcp://127.0.0.1:*") : "ipc://" + directory.file("w");
}
// In ZeroMQ for one peer. As frames of 300 kB they are more than the system takes over at the end.
constexpr int kMessages = 50;
const std::vector<std::string> kKinds = {"tcp", "ipc"};

BOOST_DATA_TEST_CASE(an_agent_leaves_a_coordinator_that_no_longer_reads,
                     boost::unit_test::data::make(kKinds), kind) {
  const TempDirectory directory;
  RawContext raw;
  RawSocket stuck(raw.handle(), ZMQ_ROUTER);
  stuck.narrow();
  const Endpoint endpoint = *parse_dial(stuck.bind(place(kind, directory)));
  const MessagePtr large = large_of(300'000);
  // A full connection is closed at the end, or to dial anew.
  for (const bool redials : {false, true}) {
    std::optional<ZmqContext> context(std::in_place);
    auto opened =
        ZmqAgentTransport::open(*context, {.coordinator = endpoint, .send_messages = kMessages});
    BOOST_REQUIRE(opened.has_value());
    AgentPump agent{std::move(*opened), {}};
    const auto& counters = agent.transport->counters();
    BOOST_REQUIRE(eventually([&] {
      agent.transport->send(SendUp{hello_of("a1")});
      return counters.frames_out > 0;
    }));
    const std::uint64_t dropped = counters.dropped;
    for (int i = 0; i < 5'000 && counters.dropped == dropped; ++i) {
      agent.transport->send(SendUp{large});
    }
    BOOST_REQUIRE(counters.dropped > dropped);

    const Watchdog watchdog;
    if (redials) agent.transport->send(Redial{});
    agent.transport.reset();
    context.reset();
  }
}

BOOST_AUTO_TEST_CASE(an_agent_leaves_a_coordinator_that_it_never_reached) {
  const RawTcp silent = RawTcp::listener();
  std::uint16_t nobody = 0;
  {
    const RawTcp gone = RawTcp::listener();
    nobody = gone.port();
  }
  for (const std::uint16_t port : {silent.port(), nobody}) {
    std::optional<ZmqContext> context(std::in_place);
    AgentPump agent = agent_of(*context, *parse_dial("tcp://127.0.0.1:" + std::to_string(port)));
    agent.transport->send(SendUp{hello_of("a1")});
    for (int i = 0; i < 100; ++i) agent.transport->send(SendUp{bye_of(1)});
    // Its subscriptions wait for a connection.
    agent.transport->send(JoinChannel{"tcp:" + std::to_string(port), Nonce(1)});
    agent.take();
    BOOST_TEST(agent.transport->counters().frames_out == 0u);

    const Watchdog watchdog;
    agent.transport.reset();
    context.reset();
  }
}

BOOST_DATA_TEST_CASE(a_coordinator_leaves_peers_that_no_longer_read,
                     boost::unit_test::data::make(kKinds), kind) {
  const TempDirectory directory;
  RawContext raw;
  std::optional<ZmqContext> context(std::in_place);
  CoordinatorPump coordinator = coordinator_at(
      *context, place(kind, directory),
      {.listen = {}, .peer_send_messages = kMessages, .channel_messages = kMessages});
  coordinator.transport->send(OpenChannel{SwarmId("bees"), {}});
  const std::string channel = coordinator.wait_for<ChannelOpened>().channel;
  const Endpoint& endpoint = coordinator.transport->endpoint();
  const auto& counters = coordinator.transport->counters();
  RawSocket dealer(raw.handle(), ZMQ_DEALER);
  RawSocket sub(raw.handle(), ZMQ_XSUB);
  dealer.narrow();
  sub.narrow();
  dealer.connect(endpoint.text());
  dealer.send({"x"});
  const PeerId peer = coordinator.wait_for<Malformed>().peer;
  sub.connect(broadcast_endpoint(endpoint, channel)->text());
  sub.send({"\x01"});
  sub.send({"\x01" + nonce_topic(Nonce(1))});
  static_cast<void>(coordinator.wait_for<Subscribed>());

  // Frames wait in ZeroMQ and in our own queue.
  const MessagePtr large = large_of(300'000);
  for (int i = 0; i < 5'000 && counters.bytes_queued < 1'000'000; ++i) {
    coordinator.transport->send(SendTo{peer, large});
    coordinator.transport->send(Broadcast{SwarmId("bees"), large});
  }
  BOOST_REQUIRE(counters.bytes_queued >= 1'000'000u);

  const Watchdog watchdog;
  coordinator.transport.reset();
  context.reset();
}

}  // namespace
}  // namespace waggle
