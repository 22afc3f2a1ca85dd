#include "coordinator/sessions.h"

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Session session(std::uint64_t id, const char* peer, const char* agent, Role role = Role::kMember) {
  Session session;
  session.id = SessionId(id);
  session.peer = PeerId(peer);
  session.swarm = SwarmId("s");
  session.agent = AgentId(agent);
  session.role = role;
  session.nonce = Nonce(id);
  return session;
}

BOOST_AUTO_TEST_SUITE(sessions)

BOOST_AUTO_TEST_CASE(health_follows_the_silence_at_the_beat) {
  const Beat beat;
  BOOST_TEST((beat.health(Millis{14'999}) == Health::kHealthy));
  BOOST_TEST((beat.health(Millis{15'000}) == Health::kDegraded));
  BOOST_TEST((beat.health(Millis{30'000}) == Health::kCritical));
  BOOST_TEST((beat.health(Millis{45'000}) == Health::kFailed));
}

BOOST_AUTO_TEST_CASE(a_later_session_of_an_agent_replaces_the_earlier) {
  Sessions sessions{Beat{}};
  sessions.open(session(1, "p", "a"));
  sessions.open(session(2, "q", "a"));
  BOOST_TEST((sessions.of(PeerId("p"), nullptr, SessionId(1)) == nullptr));
  BOOST_TEST(sessions.holder(SwarmId("s"), AgentId("a"))->id.value() == 2u);
  BOOST_TEST(sessions.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_session_is_known_only_by_its_own_connection) {
  Sessions sessions{Beat{}};
  sessions.open(session(1, "p", "a"));
  BOOST_TEST((sessions.of(PeerId("q"), nullptr, SessionId(1)) == nullptr));
  BOOST_TEST((sessions.of(PeerId("p"), nullptr, SessionId(2)) == nullptr));
  BOOST_TEST((sessions.of(PeerId("p"), nullptr, SessionId(1)) != nullptr));
}

BOOST_AUTO_TEST_CASE(clients_hold_no_id_and_stand_in_no_list) {
  Sessions sessions{Beat{}};
  sessions.open(session(1, "p", "~client-1", Role::kClient));
  BOOST_TEST((sessions.holder(SwarmId("s"), AgentId("~client-1")) == nullptr));
  BOOST_TEST(sessions.of_swarm(SwarmId("s")).empty());
}

BOOST_AUTO_TEST_CASE(a_fresh_interval_saves_everybody_from_expiry) {
  Sessions sessions{Beat{}};
  sessions.open(session(1, "p", "a"));
  BOOST_TEST(sessions.expired(Instant{45'000}).size() == 1u);
  sessions.refresh_all(Instant{45'000});
  BOOST_TEST(sessions.expired(Instant{45'000}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
