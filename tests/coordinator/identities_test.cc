// With keys: a frame comes with the identity that sent it, and nobody speaks for another.

#include <boost/test/unit_test.hpp>

#include "tests/coordinator/bench_of_core.h"

namespace waggle {
namespace {

IdentityPtr identity(const std::string& agent, const std::string& key = "k",
                     const std::string& swarm = {}) {
  return std::make_shared<const Identity>(Identity{key, AgentId(agent), SwarmId(swarm)});
}

struct KeyBench : CoreBench {
  void receive_of(const std::string& peer, const IdentityPtr& who, Message message) {
    feed(Received{PeerId(peer), make_message(std::move(message)), who});
    close();
  }
  // Null: it was refused.
  const Welcome* join_as(const std::string& peer, const IdentityPtr& who, const Hello& hello) {
    receive_of(peer, who, hello);
    if (to<Welcome>(peer) == nullptr && to<Refused>(peer) == nullptr) close();  // opens the channel
    return to<Welcome>(peer);
  }
  const Refused& refused(const std::string& peer) {
    BOOST_REQUIRE(to<Refused>(peer) != nullptr);
    return *to<Refused>(peer);
  }
};

BOOST_AUTO_TEST_CASE(nobody_speaks_for_another) {
  KeyBench bench;
  BOOST_TEST((bench.join_as("p", identity("scout"), CoreBench::hello("planner")) == nullptr));
  BOOST_TEST((bench.refused("p").code == Code::kDenied));
  BOOST_TEST(bench.refused("p").retry_millis == 0);
  BOOST_TEST(bench.refused("p").text == "the key k speaks for agent 'scout', not for 'planner'");
  BOOST_TEST((bench.join_as("q", identity("planner"), CoreBench::hello("planner")) != nullptr));
  // As an observer neither.
  BOOST_TEST((bench.join_as("p", identity("scout"),
                            CoreBench::hello("other", 1, Role::kObserver)) == nullptr));
  // A client and a nameless observer speak for nobody.
  BOOST_TEST((bench.join_as("c", identity("scout"),
                            CoreBench::hello("~client-1", 1, Role::kClient)) != nullptr));
  BOOST_TEST((bench.join_as("o", identity("scout"),
                            CoreBench::hello("~tail-1", 1, Role::kObserver)) != nullptr));
}

BOOST_AUTO_TEST_CASE(a_key_of_one_swarm_enters_no_other) {
  KeyBench bench;
  for (const Role role : {Role::kMember, Role::kClient}) {
    const Hello hello = CoreBench::hello(role == Role::kMember ? "a" : "~client-1", 1, role);
    BOOST_TEST((bench.join_as("p", identity("a", "k", "other"), hello) == nullptr));
    BOOST_TEST(bench.refused("p").text.find("enters swarm 'other' only") != std::string::npos);
    BOOST_TEST((bench.join_as("q", identity("a", "k", "s"), hello) != nullptr));
  }
}

BOOST_AUTO_TEST_CASE(a_frame_of_another_key_is_of_no_session) {
  KeyBench bench;
  const IdentityPtr a = identity("a");
  const Welcome welcome = *bench.join_as("p", a, CoreBench::hello("a"));
  const Submit submit{welcome.session, welcome.epoch, {}, {CoreBench::put(1, "k", "v", welcome)}};
  // Recorded and sent again: by another key under the same name of a connection, and by another
  // connection.
  bench.receive_of("p", identity("b", "other"), submit);
  BOOST_TEST((bench.to<NoSession>("p") != nullptr));
  bench.receive_of("q", a, submit);
  BOOST_TEST((bench.to<NoSession>("q") != nullptr));
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("k")) == nullptr));
  bench.receive_of("p", a, submit);
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("k")) != nullptr));
}

BOOST_AUTO_TEST_CASE(with_its_key_an_agent_takes_over_its_own_id) {
  KeyBench bench;
  const IdentityPtr a = identity("a");
  bench.join_as("p", a, CoreBench::hello("a", 1));
  // It lost its data directory, and with it the token; another key of the same agent does too.
  BOOST_TEST((bench.join_as("q", a, CoreBench::hello("a", 2)) != nullptr));
  BOOST_TEST((bench.to<Fenced>("p") != nullptr));
  BOOST_TEST((bench.join_as("r", identity("a", "k2"), CoreBench::hello("a", 3)) != nullptr));
  BOOST_TEST((bench.to<Fenced>("q") != nullptr));
  // Of a nameless observer only who opened it.
  bench.join_as("o", a, CoreBench::hello("~tail-1", 1, Role::kObserver));
  BOOST_TEST((bench.join_as("t", identity("b", "k3"),
                            CoreBench::hello("~tail-1", 2, Role::kObserver)) == nullptr));
  BOOST_TEST(bench.refused("t").text.starts_with("id_in_use"));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_key_ends_its_sessions) {
  KeyBench bench;
  const IdentityPtr a = identity("a", "ka");
  const IdentityPtr b = identity("b", "kb");
  bench.join_as("p", a, CoreBench::hello("a"));
  bench.join_as("c", a, CoreBench::hello("~client-1", 1, Role::kClient));
  bench.join_as("q", b, CoreBench::hello("b"));
  bench.feed(IdentityEnded{a});
  bench.close();
  BOOST_REQUIRE(bench.to<Fenced>("p") != nullptr);
  BOOST_TEST(bench.to<Fenced>("p")->text.find("no longer authorized") != std::string::npos);
  BOOST_TEST((bench.to<Fenced>("c") != nullptr));
  BOOST_TEST((bench.to<Fenced>("q") == nullptr));
  BOOST_TEST(bench.core.sessions().size() == 1u);
}

// Its hello waits for the broadcast socket while the key is revoked.
BOOST_AUTO_TEST_CASE(a_waiting_hello_of_an_ended_key_is_not_answered) {
  KeyBench bench;
  const IdentityPtr a = identity("a", "ka");
  bench.feed(Received{PeerId("p"), make_message(CoreBench::hello("a")), a});
  bench.feed(IdentityEnded{a});
  bench.close();
  bench.close();
  BOOST_TEST(bench.core.sessions().size() == 0u);
}

}  // namespace
}  // namespace waggle
