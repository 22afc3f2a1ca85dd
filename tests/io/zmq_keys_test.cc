// Who is let in: two transports with CURVE against each other, over real sockets.

#include <mutex>
#include <optional>
#include <utility>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "io/zap.h"
#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

SecretKeyPtr key_of(std::uint8_t number) {
  Key32 seed{};
  seed.fill(number);
  return std::make_shared<const SecretKey>(seed);
}
AuthorizedKey authorized(const SecretKeyPtr& key, const std::string& agent,
                         const std::string& swarm = {}) {
  return {key->pub(), AgentId(agent), SwarmId(swarm), {}, {}};
}

// A coordinator with keys.
struct Guarded {
  TempDirectory directory;
  ZmqContext context;
  ZmqContext outside;  // of the agents
  SecretKeyPtr own = key_of(1);
  Admission admission;
  std::mutex mutex;
  std::vector<ZapHandler::Refusal> refusals;  // guarded by mutex
  std::unique_ptr<ZapHandler> handler;
  CoordinatorPump coordinator;

  explicit Guarded(const std::vector<AuthorizedKey>& keys, const std::string& kind = "tcp",
                   bool answers = true) {
    static_cast<void>(admission.replace(keys));
    if (answers)
      handler = std::make_unique<ZapHandler>(context, admission,
                                             [this](const ZapHandler::Refusal& refusal) {
                                               const std::lock_guard lock(mutex);
                                               refusals.push_back(refusal);
                                             });
    ZmqCoordinatorTransport::Options options;
    options.key = own;
    options.admission = &admission;
    coordinator = coordinator_at(
        context, kind == "tcp" ? "tcp://127.0.0.1:*" : "ipc://" + directory.file("w"), options);
  }

  LinkKeysPtr keys(const SecretKeyPtr& secret) const {
    return std::make_shared<const LinkKeys>(LinkKeys{secret, own->pub()});
  }
  AgentPump agent(const LinkKeysPtr& keys) {
    ZmqAgentTransport::Options options;
    options.keys = keys;
    options.explain = true;
    return agent_of(outside, coordinator.transport->endpoint(), options);
  }
  std::string why() {
    const std::lock_guard lock(mutex);
    return refusals.empty() ? std::string() : refusals.front().why;
  }
  std::string channel(const std::string& swarm) {
    coordinator.transport->send(OpenChannel{SwarmId(swarm), {}});
    return coordinator.wait_for<ChannelOpened>().channel;
  }
};

// Says hello until it arrives.
Received heard(Guarded& place, AgentPump& agent) {
  agent.transport->send(SendUp{hello_of("x")});
  std::optional<Received> received;
  BOOST_REQUIRE(eventually([&] {
    agent.take();  // lets a waiting hello go
    place.coordinator.take();
    for (const Event& event : std::exchange(place.coordinator.events, {}))
      if (const auto* one = std::get_if<Received>(&event)) received = *one;
    return received.has_value();
  }));
  return *received;
}

// Says hello; it is told why it gets nowhere.
Error refused(Guarded& place, AgentPump& agent) {
  agent.transport->send(SendUp{hello_of("a")});
  Error error;
  BOOST_REQUIRE(eventually([&] {
    place.coordinator.take();
    agent.take();
    for (const Event& event : std::exchange(agent.events, {}))
      if (const auto* malformed = std::get_if<Malformed>(&event)) error = malformed->error;
    return !error.text.empty();
  }));
  for (const Event& event : place.coordinator.events)
    BOOST_TEST(!std::holds_alternative<Received>(event));
  return error;
}

const std::vector<std::string> kKinds = {"tcp", "ipc"};

BOOST_DATA_TEST_CASE(a_frame_comes_with_the_identity_of_its_key,
                     boost::unit_test::data::make(kKinds), kind) {
  const SecretKeyPtr one = key_of(2);
  const SecretKeyPtr two = key_of(3);
  Guarded place({authorized(one, "one"), authorized(two, "two", "bees")}, kind);
  AgentPump first = place.agent(place.keys(one));
  AgentPump second = place.agent(place.keys(two));
  // What the hello says does not matter here.
  const Received from_first = heard(place, first);
  const Received from_second = heard(place, second);
  BOOST_REQUIRE(from_first.who != nullptr);
  BOOST_REQUIRE(from_second.who != nullptr);
  BOOST_TEST(from_first.who->agent.value() == "one");
  BOOST_TEST(from_first.who->key == one->pub().fingerprint());
  BOOST_TEST(from_second.who->agent.value() == "two");
  BOOST_TEST(from_second.who->swarm.value() == "bees");
  place.coordinator.transport->send(SendTo{from_first.peer, bye_of(5)});
  BOOST_TEST(std::get<Bye>(*first.wait_for<Received>().message).session.value() == 5u);

  const std::string channel = place.channel("bees");
  second.transport->send(JoinChannel{channel, Nonce(2)});
  BOOST_TEST(place.coordinator.wait_for<Subscribed>().nonce.value() == 2u);
  place.coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(9)});
  static_cast<void>(second.wait_for<BroadcastReceived>());
}

BOOST_AUTO_TEST_CASE(who_is_not_authorized_hears_why) {
  Guarded place({authorized(key_of(2), "one")});
  AgentPump stranger = place.agent(place.keys(key_of(9)));
  const Error error = refused(place, stranger);
  BOOST_TEST((error.code == Code::kDenied));
  BOOST_TEST(error.text.find("waggle keys authorize") != std::string::npos);
  BOOST_TEST(place.why() == "its key is not authorized");
}

BOOST_AUTO_TEST_CASE(who_comes_without_a_key_hears_why) {
  Guarded place({authorized(key_of(2), "one")});
  AgentPump bare = place.agent(nullptr);
  const Error error = refused(place, bare);
  BOOST_TEST((error.code == Code::kDenied));
  BOOST_TEST(error.text.find("waggle keys new") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_agent_does_not_talk_to_who_poses_as_its_coordinator) {
  const SecretKeyPtr one = key_of(2);
  Guarded place({authorized(one, "one")});
  const auto other =
      std::make_shared<const LinkKeys>(LinkKeys{one, key_of(7)->pub()});  // expects another one
  AgentPump agent = place.agent(other);
  const Error error = refused(place, agent);
  BOOST_TEST((error.code == Code::kDenied));
}

// libzmq lets everybody in where nobody answers, unless it is told not to.
BOOST_AUTO_TEST_CASE(without_a_handler_nobody_is_let_in) {
  const SecretKeyPtr one = key_of(2);
  Guarded place({authorized(one, "one")}, "tcp", false);
  AgentPump agent = place.agent(place.keys(one));
  agent.transport->send(SendUp{hello_of("one")});
  // So long that the handshake of a correct place would be over many times.
  for (int i = 0; i < 500; ++i) {
    place.coordinator.take();
    agent.take();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  BOOST_TEST(place.coordinator.events.empty());
}

BOOST_AUTO_TEST_CASE(broadcasts_of_a_swarm_are_for_who_enters_it) {
  const SecretKeyPtr bee = key_of(2);
  const SecretKeyPtr wasp = key_of(3);
  Guarded place({authorized(bee, "one", "bees"), authorized(wasp, "two", "wasps")});
  AgentPump allowed = place.agent(place.keys(bee));
  AgentPump stranger = place.agent(place.keys(wasp));
  const std::string channel = place.channel("bees");
  stranger.transport->send(JoinChannel{channel, Nonce(3)});
  BOOST_REQUIRE(eventually([&] {
    place.coordinator.take();
    return !place.why().empty();
  }));
  BOOST_TEST(place.why() == "its key does not enter this swarm");
  allowed.transport->send(JoinChannel{channel, Nonce(2)});
  BOOST_TEST(place.coordinator.wait_for<Subscribed>().nonce.value() == 2u);
  place.coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(9)});
  static_cast<void>(allowed.wait_for<BroadcastReceived>());
  stranger.take();
  for (const Event& event : stranger.events)
    BOOST_TEST(!std::holds_alternative<BroadcastReceived>(event));
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_heard_no_more_and_hears_nothing) {
  const SecretKeyPtr stays = key_of(2);
  const SecretKeyPtr goes = key_of(3);
  Guarded place({authorized(stays, "stays"), authorized(goes, "goes")});
  AgentPump honest = place.agent(place.keys(stays));
  AgentPump revoked = place.agent(place.keys(goes));
  const std::string channel = place.channel("bees");
  for (AgentPump* agent : {&honest, &revoked}) {
    static_cast<void>(heard(place, *agent));
    agent->transport->send(JoinChannel{channel, Nonce(agent == &honest ? 1 : 2)});
    static_cast<void>(place.coordinator.wait_for<Subscribed>());
  }
  const std::vector<IdentityPtr> ended = place.admission.replace({authorized(stays, "stays")});
  BOOST_REQUIRE(ended.size() == 1u);
  BOOST_TEST(ended.front()->agent.value() == "goes");
  place.coordinator.transport->shut_out({});

  // Its connection still stands, and what comes by it is dropped.
  revoked.transport->send(SendUp{hello_of("x")});
  BOOST_TEST(eventually([&] {
    place.coordinator.take();
    return place.coordinator.transport->counters().nobody == 1;
  }));
  BOOST_TEST(place.coordinator.events.empty());
  // The other one comes back to the broadcasts by itself, at the same address.
  // A SUB makes its new connection only while somebody reads it.
  std::optional<Subscribed> again;
  BOOST_REQUIRE(eventually([&] {
    honest.take();
    revoked.take();
    place.coordinator.take();
    for (const Event& event : std::exchange(place.coordinator.events, {}))
      if (const auto* one = std::get_if<Subscribed>(&event)) again = *one;
    return again.has_value();
  }));
  BOOST_TEST(again->nonce.value() == 1u);
  place.coordinator.transport->send(Broadcast{SwarmId("bees"), heartbeat_of(9)});
  static_cast<void>(honest.wait_for<BroadcastReceived>());
  revoked.take();
  for (const Event& event : revoked.events)
    BOOST_TEST(!std::holds_alternative<BroadcastReceived>(event));
}

BOOST_AUTO_TEST_CASE(the_table_keeps_who_stays_the_same) {
  const SecretKeyPtr a = key_of(2);
  const SecretKeyPtr b = key_of(3);
  Admission admission;
  BOOST_TEST(admission.replace({authorized(a, "a"), authorized(b, "b", "bees")}).empty());
  const IdentityPtr was = admission.find(user_id_of(a->pub().link));
  BOOST_REQUIRE(was != nullptr);
  BOOST_TEST(admission.replace({authorized(a, "a"), authorized(b, "b", "bees")}).empty());
  BOOST_TEST((admission.find(user_id_of(a->pub().link)) == was));
  // Another agent, another swarm: the old identity is over.
  BOOST_TEST(admission.replace({authorized(a, "c"), authorized(b, "b")}).size() == 2u);
  BOOST_TEST((admission.find(user_id_of(a->pub().link)) != was));
  BOOST_TEST((admission.find("") == nullptr));
  BOOST_TEST((admission.find(user_id_of(key_of(4)->pub().link)) == nullptr));
}

}  // namespace
}  // namespace waggle
