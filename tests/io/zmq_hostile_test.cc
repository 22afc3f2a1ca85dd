// A coordinator among peers that are broken, slow or hostile: raw ZeroMQ and raw TCP. After each
// attack an honest agent is still served.

#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

// A socket without any of our settings.
class Raw {
 public:
  Raw(void* context, int type) : socket_(zmq_socket(context, type)) {
    BOOST_REQUIRE(socket_ != nullptr);
    set(ZMQ_LINGER, 0);
  }
  ~Raw() { zmq_close(socket_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void set(int option, int value) { zmq_setsockopt(socket_, option, &value, sizeof value); }
  void set_id(const std::string& id) {
    BOOST_REQUIRE(zmq_setsockopt(socket_, ZMQ_ROUTING_ID, id.data(), id.size()) == 0);
  }
  void connect(const std::string& endpoint) {
    BOOST_REQUIRE(zmq_connect(socket_, endpoint.c_str()) == 0);
  }
  void send(const std::string& bytes, bool more = false) {
    BOOST_REQUIRE(zmq_send(socket_, bytes.data(), bytes.size(), more ? ZMQ_SNDMORE : 0) >= 0);
  }

 private:
  void* socket_;
};

struct Scene {
  ZmqContext context;
  void* raw = zmq_ctx_new();
  CoordinatorPump coordinator;
  explicit Scene(const ZmqCoordinatorTransport::Options& options = {})
      : coordinator(coordinator_at(context, "tcp://127.0.0.1:*", options)) {}
  ~Scene() { zmq_ctx_term(raw); }

  [[nodiscard]] std::string endpoint() const { return coordinator.transport->endpoint().text(); }
  void serves_an_honest_agent() {
    AgentPump agent = agent_of(context, coordinator.transport->endpoint());
    const PeerId peer = greet(coordinator, agent, "honest");
    coordinator.transport->send(SendTo{peer, bye_of(1)});
    static_cast<void>(agent.wait_for<Received>());
  }
  std::string channel() {
    coordinator.transport->send(OpenChannel{SwarmId("bees"), {}});
    const std::string text = coordinator.wait_for<ChannelOpened>().channel;
    return "tcp://127.0.0.1:" + std::to_string(channel_port(text));
  }
};

int tcp_to(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BOOST_REQUIRE(fd >= 0);
  BOOST_REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

void write_tcp(int fd, const std::string& bytes) {
  // May fail: the other side closes when it has seen enough.
  static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

BOOST_AUTO_TEST_CASE(a_message_of_many_frames_is_refused_as_a_whole) {
  Scene scene;
  Raw peer(scene.raw, ZMQ_DEALER);
  peer.connect(scene.endpoint());
  peer.send("one", true);
  peer.send("two", true);
  peer.send("three");
  const auto malformed = scene.coordinator.wait_for<Malformed>();
  BOOST_TEST(malformed.error.text.contains("3 frames"));
  BOOST_TEST(malformed.peer.value().starts_with("zmq:"));
  BOOST_TEST(scene.coordinator.transport->counters().multipart == 1u);
  scene.serves_an_honest_agent();
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_no_message_is_reported_with_its_peer) {
  Scene scene;
  Raw peer(scene.raw, ZMQ_DEALER);
  peer.connect(scene.endpoint());
  peer.send("");
  peer.send("garbage");
  peer.send(std::string(100'000, '\xff'));
  for (int i = 0; i < 3; ++i) {
    const auto malformed = scene.coordinator.wait_for<Malformed>();
    BOOST_TEST(!malformed.error.text.empty());
    // It can be told so.
    scene.coordinator.transport->send(
        SendTo{malformed.peer,
               make_message(ErrorReply{
                   .session = {}, .request = {}, .code = Code::kRejected, .text = "no message"})});
  }
  BOOST_TEST(scene.coordinator.transport->counters().malformed == 3u);
  BOOST_TEST(scene.coordinator.transport->counters().frames_out == 3u);
  scene.serves_an_honest_agent();
}

BOOST_AUTO_TEST_CASE(a_frame_beyond_the_limit_never_arrives) {
  Scene scene;
  Raw peer(scene.raw, ZMQ_DEALER);
  peer.connect(scene.endpoint());
  peer.send(std::string(limits::kFrameBytes + 1, 'x'));
  peer.send("after");
  // Its connection was dropped; what it sends on the next one is seen.
  scene.serves_an_honest_agent();
  peer.send("later");
  static_cast<void>(scene.coordinator.wait_for<Malformed>());
  BOOST_TEST(scene.coordinator.transport->counters().bytes_in < limits::kFrameBytes);
}

BOOST_AUTO_TEST_CASE(a_peer_that_calls_itself_local_is_not_taken_for_one) {
  LocalPeers local;
  Scene scene({.listen = {}, .local = &local});
  const std::unique_ptr<LocalPort> port = local.open();
  Raw peer(scene.raw, ZMQ_DEALER);
  peer.set_id("local:1");
  peer.connect(scene.endpoint());
  peer.send("x");
  const auto malformed = scene.coordinator.wait_for<Malformed>();
  BOOST_TEST(malformed.peer.value() != port->peer().value());
  scene.coordinator.transport->send(SendTo{malformed.peer, bye_of(1)});
  BOOST_TEST(port->receive(std::chrono::milliseconds(0)) == nullptr);
}

BOOST_AUTO_TEST_CASE(squatted_routing_ids_do_not_end_the_process) {
  Scene scene;
  // Routing ids are drawn from rand(); these are the first of a process that never seeds it.
  std::vector<std::unique_ptr<Raw>> squatters;
  for (std::uint32_t i = 0; i < 50; ++i) {
    const std::uint32_t number = 0x6b8b4567u + i;
    std::string id(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(number >> shift);
    squatters.push_back(std::make_unique<Raw>(scene.raw, ZMQ_DEALER));
    squatters.back()->set_id(id);
    squatters.back()->connect(scene.endpoint());
    squatters.back()->send("x");
  }
  for (int i = 0; i < 50; ++i) static_cast<void>(scene.coordinator.wait_for<Malformed>());
  for (int i = 0; i < 60; ++i) {
    squatters.push_back(std::make_unique<Raw>(scene.raw, ZMQ_DEALER));
    squatters.back()->connect(scene.endpoint());
    squatters.back()->send("x");
  }
  for (int i = 0; i < 60; ++i) static_cast<void>(scene.coordinator.wait_for<Malformed>());
  scene.serves_an_honest_agent();
}

BOOST_AUTO_TEST_CASE(a_second_peer_with_the_same_routing_id_does_not_take_over) {
  Scene scene;
  Raw first(scene.raw, ZMQ_DEALER);
  first.set_id("name");
  first.connect(scene.endpoint());
  first.send("x");
  const PeerId peer = scene.coordinator.wait_for<Malformed>().peer;
  Raw second(scene.raw, ZMQ_DEALER);
  second.set_id("name");
  second.connect(scene.endpoint());
  second.send("from the second");
  scene.serves_an_honest_agent();
  first.send("from the first");
  BOOST_TEST(scene.coordinator.wait_for<Malformed>().peer.value() == peer.value());
}

BOOST_AUTO_TEST_CASE(garbage_over_tcp_harms_nobody) {
  Scene scene;
  const std::uint16_t router = scene.coordinator.transport->endpoint().port;
  const std::uint16_t channel = parse_dial(scene.channel())->port;
  const std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", 16);
  const std::vector<std::string> attacks = {
      "", "GET / HTTP/1.1\r\n\r\n", std::string(4'096, '\xff'), std::string(4'096, '\0'),
      greeting.substr(0, 11), greeting + std::string(48, '\0') + std::string(500, '\xff'),
      // A frame whose length is the largest number.
      greeting + std::string(48, '\0') + std::string("\x02\xff\xff\xff\xff\xff\xff\xff\xff", 9)};
  std::vector<int> open;
  for (const std::uint16_t port : {router, channel}) {
    for (const std::string& bytes : attacks) {
      open.push_back(tcp_to(port));
      write_tcp(open.back(), bytes);
    }
  }
  scene.serves_an_honest_agent();
  for (const int fd : open) ::close(fd);
  scene.serves_an_honest_agent();
}

BOOST_AUTO_TEST_CASE(other_topics_and_messages_on_a_broadcast_socket_are_ignored) {
  Scene scene;
  const std::string channel = scene.channel();
  Raw sub(scene.raw, ZMQ_XSUB);
  sub.connect(channel);
  const std::string topic = nonce_topic(Nonce(0xabc));
  sub.send(std::string("\x01", 1));  // everything
  sub.send("\x01other");
  sub.send("\x01" + topic.substr(0, topic.size() - 1));        // too short
  sub.send("\x01" + topic.substr(0, topic.size() - 1) + "x");  // no number
  sub.send("upstream");
  sub.send("");
  sub.send("up", true);
  sub.send("stream");
  sub.send(std::string("\0", 1) + topic);  // an unsubscription
  sub.send("\x01" + topic);
  const auto subscribed = scene.coordinator.wait_for<Subscribed>();
  BOOST_TEST(subscribed.nonce.value() == 0xabcu);
  BOOST_TEST(scene.coordinator.events.empty());
  BOOST_TEST(scene.coordinator.transport->counters().upstream >= 2u);
  scene.serves_an_honest_agent();
}

BOOST_AUTO_TEST_CASE(a_flood_on_a_broadcast_socket_is_drained) {
  Scene scene;
  const std::string channel = scene.channel();
  Raw sub(scene.raw, ZMQ_XSUB);
  sub.set(ZMQ_SNDHWM, 0);
  sub.connect(channel);
  for (int i = 0; i < 20'000; ++i) sub.send("upstream");
  sub.send("\x01" + nonce_topic(Nonce(5)));
  BOOST_TEST(scene.coordinator.wait_for<Subscribed>().nonce.value() == 5u);
  BOOST_TEST(scene.coordinator.transport->counters().upstream == 20'000u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_is_lost_once_and_the_others_are_served) {
  Scene scene({.listen = {}, .peer_send_messages = 2, .peer_queue_bytes = 4u << 20});
  Raw slow(scene.raw, ZMQ_DEALER);
  slow.set(ZMQ_RCVHWM, 1);
  slow.set(ZMQ_RCVBUF, 65'536);
  slow.connect(scene.endpoint());
  slow.send("x");
  const PeerId peer = scene.coordinator.wait_for<Malformed>().peer;
  const MessagePtr message = large_of(500'000);
  std::vector<PeerLost> lost;
  for (int i = 0; i < 2'000 && lost.empty(); ++i) {
    scene.coordinator.transport->send(SendTo{peer, message});
    scene.coordinator.take();
    for (const Event& event : std::exchange(scene.coordinator.events, {})) {
      if (const auto* gone = std::get_if<PeerLost>(&event)) lost.push_back(*gone);
    }
    BOOST_TEST(scene.coordinator.transport->counters().bytes_queued <= (4u << 20));
  }
  BOOST_REQUIRE(lost.size() == 1u);
  BOOST_TEST(lost.front().peer.value() == peer.value());
  // Its queue is gone, and it is not reported again.
  BOOST_TEST(scene.coordinator.transport->counters().bytes_queued == 0u);
  BOOST_TEST(scene.coordinator.transport->counters().peers_queued == 0u);
  BOOST_TEST((scene.coordinator.transport->next_retry() != Instant::never()));
  scene.coordinator.transport->send(SendTo{peer, message});
  scene.serves_an_honest_agent();
  BOOST_TEST(scene.coordinator.transport->counters().peers_lost == 1u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_reads_slowly_gets_everything_in_order) {
  Scene scene({.listen = {}, .peer_send_messages = 1});
  AgentPump agent = agent_of(scene.context, scene.coordinator.transport->endpoint());
  const PeerId peer = greet(scene.coordinator, agent, "slow");
  for (std::uint64_t n = 1; n <= 400; ++n) {
    scene.coordinator.transport->send(SendTo{peer, bye_of(n)});
  }
  BOOST_TEST(scene.coordinator.transport->counters().queued > 0u);
  for (std::uint64_t n = 1; n <= 400; ++n) {
    std::optional<std::uint64_t> got;
    BOOST_REQUIRE(eventually([&] {
      scene.coordinator.take();  // tries again what is queued
      agent.take();
      if (!agent.events.empty()) {
        got = std::get<Bye>(*std::get<Received>(agent.events.front()).message).session.value();
        agent.events.erase(agent.events.begin());
      }
      return got.has_value();
    }));
    BOOST_TEST(*got == n);
  }
  BOOST_TEST(scene.coordinator.transport->counters().peers_queued == 0u);
}

BOOST_AUTO_TEST_CASE(the_slowest_goes_when_all_queues_together_are_too_large) {
  Scene scene({.listen = {}, .peer_send_messages = 1, .all_queue_bytes = 4u << 20});
  Raw large(scene.raw, ZMQ_DEALER);
  Raw small(scene.raw, ZMQ_DEALER);
  std::vector<PeerId> peers;
  for (Raw* raw : {&small, &large}) {
    raw->set(ZMQ_RCVHWM, 1);
    raw->set(ZMQ_RCVBUF, 65'536);
    raw->connect(scene.endpoint());
    raw->send("x");
    peers.push_back(scene.coordinator.wait_for<Malformed>().peer);
  }
  const MessagePtr message = large_of(500'000);
  // Until a few frames wait for the first; then the second until one of them goes.
  const auto& counters = scene.coordinator.transport->counters();
  for (int i = 0; i < 2'000 && counters.bytes_queued < 1'000'000; ++i) {
    scene.coordinator.transport->send(SendTo{peers[0], message});
  }
  BOOST_REQUIRE(counters.peers_queued == 1u);
  for (int i = 0; i < 2'000 && counters.peers_lost == 0; ++i) {
    scene.coordinator.transport->send(SendTo{peers[1], message});
  }
  BOOST_TEST(scene.coordinator.wait_for<PeerLost>().peer.value() == peers[1].value());
  BOOST_TEST(counters.peers_queued == 1u);
  scene.coordinator.transport->send(DropPeer{peers[0]});
  BOOST_TEST(counters.peers_queued == 0u);
  BOOST_TEST(counters.bytes_queued == 0u);
}

BOOST_AUTO_TEST_CASE(an_agent_outlives_a_coordinator_that_talks_nonsense) {
  Scene scene;
  void* raw = zmq_socket(scene.raw, ZMQ_ROUTER);
  BOOST_REQUIRE(zmq_bind(raw, "tcp://127.0.0.1:*") == 0);
  char text[256] = {};
  std::size_t size = sizeof text;
  BOOST_REQUIRE(zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, text, &size) == 0);
  AgentPump agent = agent_of(scene.context, *parse_dial(text));
  agent.transport->send(SendUp{hello_of("a1")});
  char id[256];
  int id_size = -1;
  BOOST_REQUIRE(eventually([&] {
    agent.take();
    id_size = zmq_recv(raw, id, sizeof id, ZMQ_DONTWAIT);
    return id_size > 0;
  }));
  const auto say = [&](const std::vector<std::string>& frames) {
    zmq_send(raw, id, static_cast<std::size_t>(id_size), ZMQ_SNDMORE);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      zmq_send(raw, frames[i].data(), frames[i].size(), i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    }
  };
  say({"garbage"});
  say({"two", "frames"});
  static_cast<void>(agent.wait_for<Malformed>());
  static_cast<void>(agent.wait_for<Malformed>());
  BOOST_TEST(agent.transport->counters().malformed == 1u);
  BOOST_TEST(agent.transport->counters().multipart == 1u);
  const int no_linger = 0;
  zmq_setsockopt(raw, ZMQ_LINGER, &no_linger, sizeof no_linger);
  zmq_close(raw);
}

}  // namespace
}  // namespace waggle
