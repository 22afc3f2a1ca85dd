#include "io/endpoint.h"

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

std::string dialled(std::string_view text) {
  const Result<Endpoint> endpoint = parse_dial(text);
  return endpoint ? endpoint->text() : std::string("refused");
}

std::string listened(std::string_view text, bool allow_remote = false) {
  const Result<Endpoint> endpoint = parse_listen(text, allow_remote);
  if (endpoint) return endpoint->text();
  return endpoint.error().code == Code::kDenied ? "denied" : "refused";
}

std::string broadcast_of(std::string_view dial, std::string_view channel) {
  const Result<Endpoint> endpoint = broadcast_endpoint(*parse_dial(dial), channel);
  return endpoint ? endpoint->text() : std::string("refused");
}

BOOST_AUTO_TEST_CASE(only_the_three_transports_are_taken) {
  BOOST_TEST(dialled("tcp://127.0.0.1:4600") == "tcp://127.0.0.1:4600");
  BOOST_TEST(dialled("tcp://localhost:4600") == "tcp://127.0.0.1:4600");
  BOOST_TEST(dialled("tcp://[::1]:4600") == "tcp://[::1]:4600");
  BOOST_TEST(dialled("tcp://swarm.example:1") == "tcp://swarm.example:1");
  BOOST_TEST(dialled("ipc:///run/waggle.sock") == "ipc:///run/waggle.sock");
  BOOST_TEST(dialled("inproc://swarm") == "inproc://swarm");
  for (const char* text : {"",
                           "tcp://",
                           "tcp://:1",
                           "tcp://a",
                           "tcp://a:",
                           "tcp://a:b",
                           "tcp://a:0",
                           "tcp://a:*",
                           "tcp://a:65536",
                           "tcp://a:-1",
                           "tcp://a:1x",
                           "tcp://a b:1",
                           "tcp://a;b:1",
                           "tcp://*:1",
                           "tcp://[]:1",
                           "ipc://",
                           "ipc://*",
                           "inproc://",
                           "pgm://a:1",
                           "ws://a:1",
                           "127.0.0.1:4600"}) {
    BOOST_TEST(dialled(text) == "refused", text);
  }
  BOOST_TEST(dialled("ipc://" + std::string(107, 'a')) == "ipc://" + std::string(107, 'a'));
  BOOST_TEST(dialled("ipc://" + std::string(108, 'a')) == "refused");
  BOOST_TEST(dialled(std::string_view("ipc://a\0b", 9)) == "refused");
}

BOOST_AUTO_TEST_CASE(an_address_that_others_reach_is_denied_unless_allowed) {
  BOOST_TEST(listened("tcp://127.0.0.1:*") == "tcp://127.0.0.1:*");
  BOOST_TEST(listened("tcp://127.0.0.1:0") == "tcp://127.0.0.1:*");
  BOOST_TEST(listened("tcp://127.0.0.2:7") == "tcp://127.0.0.2:7");
  BOOST_TEST(listened("tcp://localhost:*") == "tcp://127.0.0.1:*");
  BOOST_TEST(listened("tcp://[::1]:*") == "tcp://[::1]:*");
  BOOST_TEST(listened("ipc:///tmp/a") == "ipc:///tmp/a");
  for (const char* text : {"tcp://*:4600", "tcp://0.0.0.0:4600", "tcp://192.168.0.1:*",
                           "tcp://[::]:4600", "tcp://eth0:4600", "tcp://127.evil.example:1"}) {
    BOOST_TEST(listened(text) == "denied", text);
    BOOST_TEST(listened(text, true) == text);
  }
  BOOST_TEST(listened("tcp://127.0.0.1") == "refused");
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_was_expected) {
  const std::string text = parse_dial("127.0.0.1:4600").error().text;
  BOOST_TEST(text.contains("'127.0.0.1:4600'"));
  BOOST_TEST(text.contains("tcp://HOST:PORT"));
  BOOST_TEST(parse_listen("tcp://*:1").error().text.contains("tcp://127.0.0.1:PORT"));
}

BOOST_AUTO_TEST_CASE(a_swarm_has_a_broadcast_address_of_its_own) {
  const auto of = [](std::string_view listen, std::string swarm, std::uint16_t port) {
    const Result<Endpoint> channel =
        channel_endpoint(*parse_listen(listen), SwarmId(std::move(swarm)), port);
    return channel ? channel->text() : std::string("refused");
  };
  BOOST_TEST(of("tcp://127.0.0.1:4600", "bees", 4601) == "tcp://127.0.0.1:4601");
  BOOST_TEST(of("ipc:///tmp/w", "bees", 0) == "ipc:///tmp/w.bees");
  BOOST_TEST(of("ipc:///tmp/w", "../b", 0) == "ipc:///tmp/w.%2E%2E%2Fb");
  BOOST_TEST(of("inproc://w", "bees", 0) == "inproc://w.bees");
  // A long name becomes a hash, and two names two of them.
  const std::string path = "ipc:///" + std::string(80, 'p');
  const std::string one = of(path, std::string(60, 'a'), 0);
  BOOST_TEST(one.size() == path.size() + 17);
  BOOST_TEST(one != of(path, std::string(60, 'b'), 0));
  BOOST_TEST(of("ipc:///" + std::string(100, 'p'), std::string(60, 'a'), 0) == "refused");
}

BOOST_AUTO_TEST_CASE(a_coordinator_can_not_send_its_agents_elsewhere) {
  BOOST_TEST(broadcast_of("tcp://far.example:1", "tcp:9") == "tcp://far.example:9");
  BOOST_TEST(broadcast_of("tcp://far.example:1", "tcp:0") == "refused");
  BOOST_TEST(broadcast_of("tcp://far.example:1", "tcp:x") == "refused");
  BOOST_TEST(broadcast_of("tcp://far.example:1", "tcp://evil.example:9") == "refused");
  BOOST_TEST(broadcast_of("tcp://far.example:1", "ipc:///run/x") == "refused");
  BOOST_TEST(broadcast_of("tcp://far.example:1", "") == "refused");
  BOOST_TEST(broadcast_of("ipc:///run/w", "ipc:///run/w.bees") == "ipc:///run/w.bees");
  BOOST_TEST(broadcast_of("ipc://./w", "ipc:///run/w.bees") == "ipc://./w.bees");
  BOOST_TEST(broadcast_of("ipc:///run/w", "ipc:///etc/secret") == "ipc:///run/secret");
  BOOST_TEST(broadcast_of("ipc:///run/w", "ipc:///etc/") == "refused");
  BOOST_TEST(broadcast_of("ipc:///run/w", "tcp:9") == "refused");
  BOOST_TEST(broadcast_of("inproc://w", "inproc://w.bees") == "inproc://w.bees");
  BOOST_TEST(broadcast_of("inproc://w", "ipc:///run/w") == "refused");
}

BOOST_AUTO_TEST_CASE(the_text_of_a_channel_names_its_port) {
  BOOST_TEST(channel_text(*parse_dial("tcp://127.0.0.1:4601")) == "tcp:4601");
  BOOST_TEST(channel_text(*parse_dial("ipc:///tmp/w.bees")) == "ipc:///tmp/w.bees");
  BOOST_TEST(channel_port("tcp:4601") == 4601);
  BOOST_TEST(channel_port("tcp:") == 0);
  BOOST_TEST(channel_port("ipc:///tmp/w.bees") == 0);
}

}  // namespace
}  // namespace waggle
