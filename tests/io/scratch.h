#pragma once

// What the tests with real sockets share: waiting with a generous deadline, messages, a temporary
// directory, and one coordinator transport that is pumped by hand.

#include <chrono>
#include <concepts>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "io/zmq_agent.h"
#include "io/zmq_coordinator.h"
#include "tests/noise.h"

namespace waggle::test {

// True when `done` became true within a minute.
template <std::predicate Done>
bool eventually(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline MessagePtr hello_of(const std::string& agent) {
  Hello hello;
  hello.swarm = SwarmId("bees");
  hello.agent = AgentId(agent);
  hello.incarnations = {Incarnation(7)};
  return make_message(std::move(hello));
}
inline MessagePtr heartbeat_of(std::uint64_t number) {
  Heartbeat heartbeat;
  heartbeat.swarm = SwarmId("bees");
  heartbeat.start = StartId(1);
  heartbeat.broadcast = BroadcastNo(number);
  heartbeat.epoch = Epoch(1);
  return make_message(heartbeat);
}
inline MessagePtr bye_of(std::uint64_t session) {
  return make_message(Bye{SessionId(session)});
}

// A message of at least `bytes` bytes, at most one value's limit.
inline MessagePtr large_of(std::size_t bytes) {
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kBytes, testing::noise(bytes)};
  record->version = Revision(1);
  record->writer = Writer{AgentId("a"), Incarnation(1), Seq(1)};
  DeltaChunk chunk;
  chunk.session = SessionId(1);
  chunk.request = RequestId(1);
  chunk.epoch = Epoch(1);
  chunk.to = Revision(1);
  chunk.head = Revision(1);
  chunk.changes = {Change{Key("k"), record}};
  return make_message(std::move(chunk));
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "waggle-io-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Events of one transport, taken when somebody waits for one.
template <typename TransportType>
struct Pump {
  std::unique_ptr<TransportType> transport;
  std::vector<Event> events;

  void take() { transport->receive(events, 4'096); }

  // Waits for an event of this type that `fits` and removes it and what came before.
  template <typename T, typename Fits>
  T wait_for(Fits fits) {
    std::optional<T> found;
    BOOST_REQUIRE(eventually([&] {
      take();
      for (std::size_t i = 0; i < events.size() && !found; ++i) {
        const T* event = std::get_if<T>(&events[i]);
        if (event == nullptr || !fits(*event)) continue;
        found = *event;
        events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
      return found.has_value();
    }));
    return *found;
  }
  template <typename T>
  T wait_for() {
    return wait_for<T>([](const T&) { return true; });
  }
  // Waits for a message of this type.
  template <typename M>
  Received wait_for_message() {
    return wait_for<Received>(
        [](const Received& event) { return std::holds_alternative<M>(*event.message); });
  }
};
using CoordinatorPump = Pump<ZmqCoordinatorTransport>;
using AgentPump = Pump<ZmqAgentTransport>;

inline CoordinatorPump coordinator_at(const ZmqContext& context, const std::string& listen,
                                      ZmqCoordinatorTransport::Options options = {}) {
  const Result<Endpoint> endpoint = parse_listen(listen);
  BOOST_REQUIRE(endpoint.has_value());
  options.listen = *endpoint;
  auto transport = ZmqCoordinatorTransport::open(context, options);
  const std::string refusal = transport ? std::string() : transport.error().text;
  BOOST_REQUIRE_MESSAGE(transport.has_value(), refusal);
  return {std::move(*transport), {}};
}

inline AgentPump agent_of(const ZmqContext& context, const Endpoint& coordinator,
                          ZmqAgentTransport::Options options = {}) {
  options.coordinator = coordinator;
  auto transport = ZmqAgentTransport::open(context, options);
  BOOST_REQUIRE(transport.has_value());
  return {std::move(*transport), {}};
}

// Says hello until it is heard and returns the name that the coordinator has for this agent. Once
// is enough unless a connection just broke: libzmq loses what is on its way then.
inline PeerId greet(CoordinatorPump& coordinator, AgentPump& agent, const std::string& name) {
  std::optional<PeerId> peer;
  int rounds = 0;
  BOOST_REQUIRE(eventually([&] {
    if (rounds++ % 1'000 == 0) agent.transport->send(SendUp{hello_of(name)});
    agent.take();  // lets a waiting hello go
    coordinator.take();
    for (const Event& event : coordinator.events) {
      const auto* received = std::get_if<Received>(&event);
      const auto* hello = received ? std::get_if<Hello>(received->message.get()) : nullptr;
      if (hello != nullptr && hello->agent == AgentId(name)) peer = received->peer;
    }
    return peer.has_value();
  }));
  coordinator.events.clear();
  return *peer;
}

}  // namespace waggle::test
