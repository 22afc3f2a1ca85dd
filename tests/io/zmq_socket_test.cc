// What all our sockets share, which the layers above rely on.

#include "io/zmq_socket.h"

#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/io/raw_peer.h"
#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

// Above the 33 bytes that ZeroMQ keeps inside a message, around its buffer of 8 kB, and each size
// of a stretch, so that frames begin at every offset of the stream.
std::vector<std::size_t> frame_sizes() {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size < 300; ++size) sizes.push_back(size);
  for (std::size_t size = 8'180; size < 8'204; ++size) sizes.push_back(size);
  for (std::size_t size = 331; size < 70'000; size += 977) sizes.push_back(size);
  return sizes;
}

// The byte that a frame of this size is full of.
char fill_of(std::size_t size) {
  return static_cast<char>(size % 251);
}

// Sends a frame of each size and takes them at the other end. `name`: sent before each frame, and
// received, when the sender is a ROUTER.
void frames_arrive_aligned(Socket& from, Socket& to, const std::string& name) {
  const std::vector<std::size_t> sizes = frame_sizes();
  std::size_t sent = 0;
  std::size_t taken = 0;
  std::size_t crooked = 0;
  Frame frame;
  bool more = false;
  BOOST_REQUIRE(eventually([&] {
    // As many as there is room for, so that several of them arrive in one buffer.
    for (; sent < sizes.size(); ++sent) {
      if (!name.empty() && from.send(name, true) != 0) break;
      if (from.send(std::string(sizes[sent], fill_of(sizes[sent])), false) != 0) break;
    }
    while (taken < sent && to.receive(frame, more)) {
      while (more) BOOST_REQUIRE(to.receive(frame, more));
      BOOST_REQUIRE(frame.bytes() == std::string(sizes[taken], fill_of(sizes[taken])));
      crooked += reinterpret_cast<std::uintptr_t>(frame.bytes().data()) % 8 == 0 ? 0u : 1u;
      ++taken;
    }
    return taken == sizes.size();
  }));
  BOOST_TEST(crooked == 0u);
}

struct Pair {
  TempDirectory directory;
  ZmqContext context;
  Socket bound;
  Socket connected;
  Pair(const std::string& kind, int bound_type, int connected_type)
      : bound(open(bound_type)), connected(open(connected_type)) {
    Result<Endpoint> endpoint = parse_listen(kind == "ipc" ? "ipc://" + directory.file("w")
                                                           : std::string("tcp://127.0.0.1:*"));
    BOOST_REQUIRE(bound.bind(*endpoint).has_value());
    if (kind == "tcp") endpoint->port = bound.bound_port();
    BOOST_REQUIRE(connected.connect(*endpoint).has_value());
  }
  Socket open(int type) {
    Result<Socket> socket = Socket::open(context, type, {.frame_bytes_max = 1 << 20});
    BOOST_REQUIRE(socket.has_value());
    return std::move(*socket);
  }
};
const std::vector<std::string> kKinds = {"tcp", "ipc"};

// The codec reads numbers of 8 bytes. ZeroMQ's default hands out places in the middle of its
// buffer.
BOOST_DATA_TEST_CASE(frames_of_any_size_are_received_aligned_in_both_directions,
                     boost::unit_test::data::make(kKinds), kind) {
  Pair pair(kind, ZMQ_ROUTER, ZMQ_DEALER);
  frames_arrive_aligned(pair.connected, pair.bound, {});
  // The name that ROUTER has for its peer.
  Frame frame;
  bool more = false;
  BOOST_REQUIRE(pair.connected.send("who am I", false) == 0);
  BOOST_REQUIRE(eventually([&] { return pair.bound.receive(frame, more); }));
  const std::string name(frame.bytes());
  BOOST_REQUIRE(pair.bound.receive(frame, more));
  frames_arrive_aligned(pair.bound, pair.connected, name);
}

BOOST_DATA_TEST_CASE(broadcast_frames_of_any_size_are_received_aligned,
                     boost::unit_test::data::make(kKinds), kind) {
  Pair pair(kind, ZMQ_XPUB, ZMQ_SUB);
  pair.connected.subscribe("");
  Frame frame;
  bool more = false;
  BOOST_REQUIRE(eventually([&] { return pair.bound.receive(frame, more); }));
  frames_arrive_aligned(pair.bound, pair.connected, {});
}

// ZeroMQ's own time for a handshake is 30 s. So that nothing depends on how fast this machine is, a
// socket with that time is asked at the end whether it still waits.
BOOST_AUTO_TEST_CASE(a_connection_that_does_not_finish_the_handshake_is_closed) {
  ZmqContext context;
  CoordinatorPump coordinator = coordinator_at(context, "tcp://127.0.0.1:*");
  coordinator.transport->send(OpenChannel{SwarmId("bees"), {}});
  const std::string channel = coordinator.wait_for<ChannelOpened>().channel;
  RawContext raw;
  RawSocket patient(raw.handle(), ZMQ_ROUTER);
  const RawTcp waits = RawTcp::to(parse_dial(patient.bind("tcp://127.0.0.1:*"))->port);

  const std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", 16);
  std::vector<RawTcp> silent;
  for (const std::uint16_t port : {coordinator.transport->endpoint().port, channel_port(channel)}) {
    // Nothing, a part of the greeting, all of it without the READY that follows.
    for (const std::string& bytes : {std::string(), greeting.substr(0, 1), greeting.substr(0, 11),
                                     greeting + std::string(48, '\0')}) {
      silent.push_back(RawTcp::to(port));
      silent.back().write(bytes);
    }
  }
  // An agent at something that accepts and says nothing: it hangs up and dials again.
  const RawTcp listener = RawTcp::listener();
  AgentPump agent =
      agent_of(context, *parse_dial("tcp://127.0.0.1:" + std::to_string(listener.port())));
  const auto accepted = [&listener] {
    std::optional<RawTcp> tcp;
    BOOST_REQUIRE(eventually([&] { return listener.accept_into(tcp); }));
    return std::move(*tcp);
  };
  const RawTcp dialled = accepted();

  for (const RawTcp& tcp : silent) BOOST_REQUIRE(eventually([&] { return tcp.closed(); }));
  BOOST_REQUIRE(eventually([&] { return dialled.closed(); }));
  BOOST_TEST(!waits.closed());
  static_cast<void>(accepted());

  AgentPump honest = agent_of(context, coordinator.transport->endpoint());
  greet(coordinator, honest, "a1");
}

}  // namespace
}  // namespace waggle
