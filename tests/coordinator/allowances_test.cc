#include "coordinator/allowances.h"

#include <string>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"

namespace waggle {
namespace {

constexpr Instant kStart{1'000};
const Sender kBee = Sender::of_agent(SwarmId("s"), AgentId("bee"));

Instant after(std::int64_t millis) {
  return kStart + Millis{millis};
}

// 10 messages, 100 writes and 1,000 bytes a second, of which one second's worth may come at once.
AgentLimits small() {
  AgentLimits limits;
  limits.messages = 10;
  limits.writes = 100;
  limits.bytes = 1'000;
  limits.burst_millis = 1'000;
  return limits;
}

Sender client(int peer) {
  return Sender::of_client(SwarmId("s"), PeerId("zmq:" + std::to_string(peer)));
}

bool passes(Allowances& allowances, const Sender& sender, Instant now = kStart) {
  return !allowances.take(sender, {.messages = 1}, now).refusal;
}

BOOST_AUTO_TEST_SUITE(allowances_test)

BOOST_AUTO_TEST_CASE(what_is_over_one_limit_takes_nothing_of_the_others) {
  Allowances allowances(small());
  BOOST_TEST(!allowances.take(kBee, {1, 0, 900}, kStart).refusal);
  for (int i = 0; i < 50; ++i) {
    const auto taken = allowances.take(kBee, {1, 0, 200}, kStart);
    BOOST_REQUIRE(taken.refusal);
    BOOST_TEST((taken.refusal->limit == Limit::kBytes));
    BOOST_TEST(taken.refusal->retry.count == 100);  // 100 bytes are missing
    BOOST_TEST(taken.refusal->per_second == 1'000u);
  }
  for (int i = 0; i < 9; ++i) BOOST_TEST(passes(allowances, kBee));
  BOOST_TEST(!passes(allowances, kBee));
}

BOOST_AUTO_TEST_CASE(of_many_writes_those_are_taken_for_which_there_is_room) {
  Allowances allowances(small());
  const auto first = allowances.take(kBee, {1, 70, 10}, kStart, true);
  BOOST_TEST(first.writes == 70u);
  BOOST_TEST(!first.refusal);
  const auto second = allowances.take(kBee, {1, 70, 10}, kStart, true);
  BOOST_TEST(second.writes == 30u);
  BOOST_REQUIRE(second.refusal);
  BOOST_TEST((second.refusal->limit == Limit::kWrites));
  BOOST_TEST(second.refusal->retry.count == 100);  // ten of the forty: not one at a time
  const auto third = allowances.take(kBee, {1, 3, 10}, kStart, true);
  BOOST_TEST(third.writes == 0u);
  BOOST_REQUIRE(third.refusal);
  BOOST_TEST(third.refusal->retry.count == 30);
  // What can't be divided is taken whole or not at all.
  BOOST_TEST(allowances.take(kBee, {1, 7, 10}, after(50)).refusal.has_value());
  BOOST_TEST(!allowances.take(kBee, {1, 5, 10}, after(50)).refusal);
}

BOOST_AUTO_TEST_CASE(each_agent_has_its_own) {
  Allowances allowances(small());
  for (int i = 0; i < 10; ++i) BOOST_TEST(passes(allowances, kBee));
  BOOST_TEST(!passes(allowances, kBee));
  BOOST_TEST(passes(allowances, Sender::of_agent(SwarmId("s"), AgentId("wasp"))));
  BOOST_TEST(passes(allowances, Sender::of_agent(SwarmId("t"), AgentId("bee"))));
  // No two names are the same sender by where they are cut.
  BOOST_TEST(Sender::of_agent(SwarmId("s"), AgentId("ab")).own !=
             Sender::of_agent(SwarmId("sa"), AgentId("b")).own);
}

BOOST_AUTO_TEST_CASE(clients_have_their_own_by_connection_and_a_share_in_what_all_have) {
  Allowances allowances(small());
  for (int i = 0; i < 10; ++i) BOOST_TEST(passes(allowances, client(1)));
  const auto own = allowances.take(client(1), {.messages = 1}, kStart);
  BOOST_REQUIRE(own.refusal);
  BOOST_TEST(!own.refusal->together);
  // Who connects anew finds what is left for all: eight times as much as one agent has.
  for (int peer = 2; peer <= 8; ++peer)
    for (int i = 0; i < 10; ++i) BOOST_TEST(passes(allowances, client(peer)));
  const auto all = allowances.take(client(9), {.messages = 1}, kStart);
  BOOST_REQUIRE(all.refusal);
  BOOST_TEST(all.refusal->together);
  BOOST_TEST(all.refusal->per_second == 80u);
  // Agents have none of it.
  BOOST_TEST(passes(allowances, kBee));
}

BOOST_AUTO_TEST_CASE(what_can_not_be_refused_is_owed) {
  Allowances allowances(small());
  for (int i = 0; i < 10; ++i) BOOST_TEST(passes(allowances, kBee));
  for (int i = 0; i < 10; ++i) BOOST_TEST(allowances.owe(kBee, {.messages = 1}, kStart));
  BOOST_TEST(!allowances.owe(kBee, {.messages = 1}, kStart));  // absurd
  BOOST_TEST(!passes(allowances, kBee, after(1'099)));
  BOOST_TEST(passes(allowances, kBee, after(1'100)));
}

BOOST_AUTO_TEST_CASE(only_so_many_refusals_are_answered) {
  Allowances allowances(small());
  int answered = 0;
  for (int i = 0; i < 1'000; ++i) answered += allowances.answers(kBee, kStart) ? 1 : 0;
  BOOST_TEST(answered == 200);
  for (int i = 0; i < 1'000; ++i) answered += allowances.answers(kBee, after(1'000)) ? 1 : 0;
  BOOST_TEST(answered == 250);
}

BOOST_AUTO_TEST_CASE(who_is_ignored_is_told_once_a_second_of_how_many) {
  Allowances allowances(small());
  const auto first = allowances.ignore(kBee, kStart);
  BOOST_TEST(first.begins);
  BOOST_TEST(first.tell == 1u);
  for (int i = 0; i < 7; ++i) {
    const auto more = allowances.ignore(kBee, after(99));
    BOOST_TEST(!more.begins);
    BOOST_TEST(more.tell == 0u);
  }
  BOOST_TEST(allowances.ignore(kBee, after(100)).begins);
  BOOST_TEST(allowances.ignore(kBee, after(1'000)).tell == 9u);
}

BOOST_AUTO_TEST_CASE(who_is_full_again_is_forgotten_and_nobody_before) {
  Allowances allowances(small());
  BOOST_TEST(passes(allowances, kBee));
  allowances.forget(after(99));
  BOOST_TEST(allowances.size() == 1u);
  allowances.forget(after(100));
  BOOST_TEST(allowances.size() == 0u);
}

BOOST_AUTO_TEST_CASE(beyond_the_bound_the_rest_shares_one) {
  Allowances allowances(small());
  for (std::size_t n = 0; n < limits::kAllowances + 100; ++n) {
    const Sender sender = Sender::of_stranger(PeerId("zmq:" + std::to_string(n)));
    static_cast<void>(passes(allowances, sender));
  }
  BOOST_TEST(allowances.size() <= limits::kAllowances + 1);
  BOOST_TEST(!passes(allowances, Sender::of_stranger(PeerId("zmq:new"))));
  // Those who were there before are as they were.
  BOOST_TEST(passes(allowances, Sender::of_stranger(PeerId("zmq:0"))));
}

BOOST_AUTO_TEST_CASE(a_limit_of_nothing_is_none) {
  AgentLimits limits = small();
  limits.messages = limits.writes = limits.bytes = 0;
  Allowances allowances(limits);
  for (int i = 0; i < 1'000; ++i)
    BOOST_TEST(!allowances.take(kBee, {1, 1'000, 1'000'000}, kStart, true).refusal);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
