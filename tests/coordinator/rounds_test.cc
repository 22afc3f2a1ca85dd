#include "coordinator/rounds.h"

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "bench_of_rounds.h"

namespace waggle {
namespace {

std::size_t requests_to(const CoreBench& bench, const std::string& peer) {
  std::size_t count = 0;
  for (const Send& send : bench.last.send)
    if (const auto* one = std::get_if<SendTo>(&send); one && one->peer.value() == peer)
      count += std::holds_alternative<StateRequest>(*one->message) ? 1 : 0;
  return count;
}

BOOST_AUTO_TEST_SUITE(rounds)

// ---- which rounds are asked, and when ----------------------------------------------------------

BOOST_AUTO_TEST_CASE(rounds_of_different_keys_run_side_by_side) {
  RoundBench bench({"a", "b"});
  const RoundId x = bench.ask("a", 1, {"x"});
  const RoundId y = bench.ask("b", 2, {"y"});
  BOOST_REQUIRE(x);
  BOOST_REQUIRE(y);
  BOOST_TEST((x != y));
  // The later one may end first.
  bench.answer("a", y);
  bench.answer("b", y);
  BOOST_REQUIRE(bench.report("b") != nullptr);
  BOOST_TEST((bench.report("b")->round == y));
  BOOST_TEST((bench.report("a") == nullptr));
  bench.answer("a", x);
  bench.answer("b", x);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->round == x));
}

BOOST_AUTO_TEST_CASE(a_round_that_shares_a_key_with_an_open_one_waits_for_it) {
  RoundBench bench({"a", "b"});
  const RoundId first = bench.ask("a", 1, {"x", "y"});
  BOOST_TEST(!bench.ask("b", 2, {"y", "z"}));
  BOOST_TEST(bench.ask("b", 3, {"w"}).value() != 0u);  // it passes the one that waits
  bench.answer("a", first, {RoundBench::offers("y", "mine", 1)});
  BOOST_TEST(!bench.asked());
  bench.answer("b", first);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  // Asked in the same group that ended the first, so about what the first has decided.
  const auto requests = bench.broadcasts<StateRequest>();
  BOOST_REQUIRE_EQUAL(requests.size(), 1u);
  BOOST_REQUIRE_EQUAL(requests[0]->keys.size(), 2u);
  BOOST_TEST(requests[0]->keys[0].key.value() == "y");
  BOOST_TEST(requests[0]->keys[0].version.value() == bench.head());
  BOOST_TEST(requests[0]->head.value() == bench.head());
}

BOOST_AUTO_TEST_CASE(a_round_over_all_keys_waits_for_every_open_one_of_its_swarm) {
  RoundBench bench({"a"});
  const RoundId x = bench.ask("a", 1, {"x"});
  SyncRequest all = bench.request("a", 2, {});
  all.all = true;
  bench.receive("a", all);
  bench.close();
  BOOST_TEST(!bench.asked());
  bench.answer("a", x);
  BOOST_REQUIRE(bench.asked());
  BOOST_TEST(bench.broadcasts<StateRequest>()[0]->all);
  BOOST_TEST(!bench.ask("a", 3, {"y"}));  // and nothing is asked beside it
}

BOOST_AUTO_TEST_CASE(waiting_rounds_are_asked_by_priority_and_then_by_age) {
  RoundBench bench({"a"});
  RoundId open = bench.ask("a", 1, {"x"}, 60'000, Priority::kNormal);
  BOOST_TEST(!bench.ask("a", 2, {"x"}, 60'000, Priority::kNormal));
  BOOST_TEST(!bench.ask("a", 3, {"x"}, 60'000, Priority::kNormal));
  BOOST_TEST(!bench.ask("a", 4, {"x"}, 60'000, Priority::kHigh));
  BOOST_TEST(!bench.ask("a", 5, {"x"}, 60'000, Priority::kCritical));
  BOOST_TEST(!bench.ask("a", 6, {"x"}, 60'000, Priority::kHigh));
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 6 && open; ++i) {
    bench.answer("a", open);
    BOOST_REQUIRE(bench.report("a") != nullptr);
    order.push_back(bench.report("a")->request.value());
    open = bench.asked();
  }
  BOOST_TEST((order == std::vector<std::uint64_t>{1, 5, 4, 6, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_key_may_have_its_priority_from_its_policy) {
  CoordinatorOptions options = CoreBench::defaults();
  Policy alarms;
  alarms.prefix = "alarm/";
  alarms.priority = Priority::kCritical;
  BOOST_REQUIRE(options.policies.add(alarms).has_value());
  RoundBench bench({"a"}, options);
  const RoundId open = bench.ask("a", 1, {"x", "alarm/fire"}, 60'000);
  BOOST_TEST(!bench.ask("a", 2, {"x"}, 60'000));
  BOOST_TEST(!bench.ask("a", 3, {"x", "alarm/fire"}, 60'000));
  bench.answer("a", open);
  const RoundId next = bench.asked();
  bench.answer("a", next);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(bench.report("a")->request.value() == 3u);
}

BOOST_AUTO_TEST_CASE(a_waiting_round_whose_time_is_over_is_reported_as_timeout) {
  RoundBench bench({"a", "b"});
  const RoundId open = bench.ask("a", 1, {"x"}, 5'000);
  BOOST_TEST(!bench.ask("b", 2, {"x"}, 300));
  bench.wait(299);
  BOOST_TEST((bench.report("b") == nullptr));
  bench.wait(1);
  const SyncReport* report = bench.report("b");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST((report->outcome == RoundOutcome::kTimeout));
  BOOST_TEST(report->request.value() == 2u);
  BOOST_TEST(report->expected == 0u);  // nobody was asked
  BOOST_TEST(report->text.find("before the round could be asked") != std::string::npos);
  // The open one is not touched, and the starved one is not asked after it.
  bench.answer("a", open);
  bench.answer("b", open);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kUnchanged));
  BOOST_TEST(!bench.asked());
}

BOOST_AUTO_TEST_CASE(open_and_waiting_rounds_are_bounded) {
  RoundBench bench({"a"});
  RoundId first;
  for (std::uint64_t n = 1; n <= 2 * limits::kOpenRounds; ++n) {
    const std::string key = "k" + std::to_string(n);
    const RoundId asked = bench.ask("a", n, {key.c_str()}, 60'000);
    BOOST_REQUIRE(bench.report("a") == nullptr);
    BOOST_REQUIRE_EQUAL(static_cast<bool>(asked), n <= limits::kOpenRounds);
    if (n == 1) first = asked;
  }
  bench.ask("a", 999, {"one too many"}, 60'000);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->code == Code::kOverloaded));
  BOOST_TEST(bench.report("a")->request.value() == 999u);
  // A place that gets free goes to the one that waits longest.
  bench.answer("a", first);
  const auto requests = bench.broadcasts<StateRequest>();
  BOOST_REQUIRE_EQUAL(requests.size(), 1u);
  BOOST_TEST(requests[0]->keys[0].key.value() == "k" + std::to_string(limits::kOpenRounds + 1));
}

BOOST_AUTO_TEST_CASE(a_repeated_sync_request_of_the_same_caller_is_one_round) {
  RoundBench bench({"a", "b"});
  const SyncRequest request = bench.request("a", 1, {"x"});
  bench.receive("a", request);
  bench.receive("a", request);  // while it waits
  bench.close();
  const RoundId round = bench.asked();
  bench.receive("a", request);  // while it is open
  bench.close();
  BOOST_TEST(!bench.asked());
  bench.answer("a", round);
  bench.answer("b", round);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  bench.wait(2'000);
  BOOST_TEST((bench.report("a") == nullptr));
  BOOST_TEST(bench.counter("rounds_asked") == 1u);
  BOOST_TEST(bench.counter("rounds_reported") == 1u);
}

BOOST_AUTO_TEST_CASE(requests_of_one_number_from_two_callers_are_two_rounds) {
  RoundBench bench({"a", "b"});
  BOOST_TEST(bench.ask("a", 1, {"x"}).value() != 0u);
  BOOST_TEST(bench.ask("b", 1, {"y"}).value() != 0u);
}

// ---- whose answer counts -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_second_answer_of_a_member_does_not_count) {
  RoundBench bench({"a", "b"});
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round, {RoundBench::offers("x", "first", 1)});
  bench.answer("a", round, {RoundBench::offers("x", "second", 9)});
  BOOST_TEST((bench.report("a") == nullptr));  // and it does not stand for the missing one
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);
  bench.answer("b", round);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(bench.report("a")->keys[0].offers == 1u);
  BOOST_TEST(bench.value("x") == "first");
}

BOOST_AUTO_TEST_CASE(an_answer_from_outside_the_roster_does_not_count) {
  RoundBench bench({"a", "b"});
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.welcomes["c"] = bench.join("c");  // it came when the roster was fixed
  bench.answer("c", round, {RoundBench::offers("x", "late comer", 9)});
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);
  bench.answer("a", round, {RoundBench::offers("x", "mine", 1)});
  BOOST_TEST((bench.report("a") == nullptr));
  bench.answer("b", round);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(bench.report("a")->expected == 2u);
  BOOST_TEST(RoundBench::names(bench.report("a")->answered) == "ab");
  BOOST_TEST(bench.value("x") == "mine");
}

BOOST_AUTO_TEST_CASE(observers_and_members_without_a_broadcast_leg_are_in_no_roster) {
  RoundBench bench({"a"});
  bench.receive("o", CoreBench::hello("o", 1, Role::kObserver));
  bench.receive("b", CoreBench::hello("b"));
  bench.close();
  bench.feed(Subscribed{SwarmId("s"), bench.to<Welcome>("o")->nonce});
  bench.close();
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(bench.report("a")->expected == 1u);
}

BOOST_AUTO_TEST_CASE(a_member_at_critical_health_is_in_no_roster_and_a_degraded_one_is) {
  RoundBench bench({"a", "b", "c"});
  const auto hear = [&](const char* agent, std::uint64_t number) {
    AgentHeartbeat beat;
    beat.session = bench.session(agent);
    beat.number = number;
    beat.broadcast = BroadcastNo(limits::kNumberMax);
    bench.receive(agent, beat);
    bench.close();
  };
  for (int second = 0; second < 14; ++second) bench.wait(1'000);
  hear("a", 1);
  hear("b", 1);
  for (int second = 0; second < 17; ++second) bench.wait(1'000);
  hear("a", 2);  // b was silent for 17 s, c for 31 s
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round);
  BOOST_TEST((bench.report("a") == nullptr));
  bench.answer("b", round);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(bench.report("a")->expected == 2u);
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_round_is_over_changes_nothing) {
  RoundBench bench({"a", "b"});
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round, {RoundBench::offers("x", "mine", 1)});
  bench.wait(1'000);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  const std::uint64_t head = bench.head();
  bench.answer("b", round, {RoundBench::offers("x", "too late", 9)});
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);
  BOOST_TEST(bench.head() == head);
  BOOST_TEST(bench.value("x") == "mine");
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_reminder_is_reported_as_late) {
  RoundBench bench({"a", "b", "c"});
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round);
  bench.wait(300);
  bench.answer("b", round, {RoundBench::offers("x", "late", 1)});
  bench.answer("c", round);
  const SyncReport* report = bench.report("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST(RoundBench::names(report->answered) == "abc");
  BOOST_TEST(RoundBench::names(report->late) == "bc");
  BOOST_TEST(report->missing.empty());
  BOOST_TEST((report->outcome == RoundOutcome::kResolved));  // late, and it counts in full
  BOOST_TEST(bench.value("x") == "late");
}

BOOST_AUTO_TEST_CASE(a_member_silent_at_a_quarter_of_the_time_is_asked_once_more_by_router) {
  RoundBench bench({"a", "b"});
  const RoundId round = bench.ask("a", 1, {"x"}, 1'000);
  BOOST_TEST(requests_to(bench, "b") == 0u);  // the first time by broadcast only
  bench.answer("a", round);
  bench.wait(249);
  BOOST_TEST(requests_to(bench, "b") == 0u);
  bench.wait(1);
  BOOST_TEST(requests_to(bench, "a") == 0u);
  BOOST_REQUIRE_EQUAL(requests_to(bench, "b"), 1u);
  const StateRequest& reminder = *bench.to<StateRequest>("b");
  BOOST_TEST((reminder.round == round));
  BOOST_TEST(reminder.broadcast.value() == 0u);
  BOOST_TEST(reminder.remaining_millis == 750);
  BOOST_REQUIRE_EQUAL(reminder.keys.size(), 1u);
  BOOST_TEST(reminder.keys[0].key.value() == "x");
  for (int i = 0; i < 7; ++i) {
    bench.wait(100);
    BOOST_TEST(requests_to(bench, "b") == 0u);
    BOOST_TEST(!bench.asked());
  }
}

BOOST_AUTO_TEST_CASE(a_reminder_speaks_of_the_versions_at_the_asking) {
  // A member that compares with newer ones would call itself behind and lose its vote.
  RoundBench bench({"a", "b"});
  bench.write("a", 1, "x", "one", 1);
  bench.ask("a", 1, {"x"});
  bench.write("a", 2, "y", "other", 2);
  bench.wait(250);
  BOOST_REQUIRE_EQUAL(requests_to(bench, "b"), 1u);
  BOOST_TEST(bench.to<StateRequest>("b")->head.value() == 1u);
  BOOST_TEST(bench.to<StateRequest>("b")->keys[0].version.value() == 1u);
}

// ---- when a round is over ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_round_by_lww_waits_for_everybody) {
  RoundBench bench({"a", "b", "c"});
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round, {RoundBench::offers("x", "mine", 9)});
  bench.answer("b", round);
  BOOST_TEST((bench.report("a") == nullptr));  // c may have a greater one
  bench.answer("c", round, {RoundBench::offers("x", "greater", 10)});
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(bench.report("a")->keys[0].winner.value() == "c");
  BOOST_TEST(bench.value("x") == "greater");
}

BOOST_AUTO_TEST_CASE(a_quorum_ends_the_round_when_it_is_there_and_the_missing_are_named) {
  RoundBench bench({"a", "b", "c", "d", "e"}, RoundBench::with_quorum());
  const RoundId round = bench.ask("a", 1, {"q/x"});
  bench.answer("a", round, {RoundBench::offers("q/x", "yes", 1)});
  bench.answer("b", round, {RoundBench::offers("q/x", "yes", 2)});
  BOOST_TEST((bench.report("a") == nullptr));  // two of five
  bench.answer("c", round, {RoundBench::offers("q/x", "yes", 3)});
  const SyncReport* report = bench.report("a");
  BOOST_REQUIRE(report != nullptr);
  // Resolved, not partial: d and e could not have changed it.
  BOOST_TEST((report->outcome == RoundOutcome::kResolved));
  BOOST_TEST(report->expected == 5u);
  BOOST_TEST(RoundBench::names(report->answered) == "abc");
  BOOST_TEST(RoundBench::names(report->missing) == "de");
  BOOST_TEST(bench.value("q/x") == "yes");
}

BOOST_AUTO_TEST_CASE(a_round_without_hope_of_a_quorum_ends_and_not_before) {
  RoundBench bench({"a", "b", "c", "d", "e"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "stands", 0);
  const RoundId round = bench.ask("a", 1, {"q/x"});
  bench.answer("a", round, {RoundBench::offers("q/x", "1", 1)});
  bench.answer("b", round, {RoundBench::offers("q/x", "2", 2)});
  bench.answer("c", round, {RoundBench::offers("q/x", "3", 3)});
  BOOST_TEST((bench.report("a") == nullptr));  // d and e could still make three of one value
  bench.answer("d", round, {RoundBench::offers("q/x", "4", 4)});
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kNoQuorum));
  BOOST_TEST(RoundBench::names(bench.report("a")->missing) == "e");
  BOOST_TEST(bench.value("q/x") == "stands");
  BOOST_TEST(bench.head() == 1u);
}

BOOST_AUTO_TEST_CASE(without_hope_of_a_quorum_lww_instead_still_waits_for_the_greatest) {
  RoundBench bench({"a", "b", "c"}, RoundBench::with_quorum(Strategy::kLww));
  const RoundId round = bench.ask("a", 1, {"q/x"});
  bench.answer("a", round, {RoundBench::offers("q/x", "1", 1)});
  bench.answer("b", round, {RoundBench::offers("q/x", "2", 2)});
  BOOST_TEST((bench.report("a") == nullptr));
  bench.answer("c", round, {RoundBench::offers("q/x", "3", 3)});
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kResolved));
  BOOST_TEST(bench.value("q/x") == "3");
}

BOOST_AUTO_TEST_CASE(the_committed_value_has_the_votes_of_those_who_hold_it) {
  RoundBench bench({"a", "b", "c"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "stands", 0);
  const RoundId round = bench.ask("a", 1, {"q/x"});
  bench.answer("a", round, {RoundBench::offers("q/x", "new", 5)});
  bench.answer("b", round);
  BOOST_TEST((bench.report("a") == nullptr));  // one against one
  bench.answer("c", round);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kUnchanged));
  BOOST_TEST(bench.report("a")->keys[0].same == 2u);
  BOOST_TEST(bench.value("q/x") == "stands");
  BOOST_REQUIRE(bench.to<OfferResult>("a") != nullptr);
  BOOST_TEST(!bench.to<OfferResult>("a")->outcomes[0].took);
}

BOOST_AUTO_TEST_CASE(all_keys_of_a_round_must_be_settled_before_it_is_over) {
  RoundBench bench({"a", "b", "c"}, RoundBench::with_quorum());
  const RoundId round = bench.ask("a", 1, {"q/x", "y"});
  bench.answer("a", round, {RoundBench::offers("q/x", "yes", 1)});
  bench.answer("b", round, {RoundBench::offers("q/x", "yes", 2)});
  BOOST_TEST((bench.report("a") == nullptr));  // c may offer something for y
  bench.answer("c", round);
  BOOST_TEST((bench.report("a") != nullptr));
}

// docs/protocol.md, Safety R1: a quorum is counted over the roster fixed at the start, in integers,
// and needs more than one half.
BOOST_AUTO_TEST_CASE(one_half_is_no_quorum_for_either_value) {
  RoundBench bench({"a", "b", "c", "d"}, RoundBench::with_quorum());
  const RoundId round = bench.ask("a", 1, {"q/x"});
  for (const char* yes : {"a", "b"}) bench.say(yes, round, {RoundBench::offers("q/x", "yes", 1)});
  for (const char* no : {"c", "d"}) bench.say(no, round, {RoundBench::offers("q/x", "no", 2)});
  bench.close();
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kNoQuorum));
  BOOST_TEST(bench.value("q/x") == "(absent)");
}

// Safety R1: who goes away after the asking still counts in the roster, so the rest of a swarm
// can't become a majority of itself.
BOOST_AUTO_TEST_CASE(members_that_leave_during_a_round_still_count) {
  RoundBench bench({"a", "b", "c"}, RoundBench::with_quorum());
  const RoundId round = bench.ask("a", 1, {"q/x"});
  bench.receive("b", Bye{bench.session("b")});
  bench.receive("c", Bye{bench.session("c")});
  bench.answer("a", round, {RoundBench::offers("q/x", "mine alone", 1)});
  BOOST_TEST((bench.report("a") == nullptr));
  bench.wait(1'000);
  const SyncReport* report = bench.report("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST((report->outcome == RoundOutcome::kPartial));
  BOOST_TEST(report->expected == 3u);
  BOOST_TEST(RoundBench::names(report->missing) == "bc");
  BOOST_TEST(bench.value("q/x") == "(absent)");
  BOOST_TEST(bench.head() == 0u);
}

BOOST_AUTO_TEST_CASE(a_round_whose_time_is_over_is_partial_with_answers_and_timeout_without) {
  RoundBench bench({"a", "b", "c"});
  const RoundId round = bench.ask("a", 1, {"x"});
  bench.answer("a", round, {RoundBench::offers("x", "mine", 1)});
  bench.answer("b", round);
  bench.wait(999);
  BOOST_TEST((bench.report("a") == nullptr));
  bench.wait(1);
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kPartial));
  BOOST_TEST(RoundBench::names(bench.report("a")->missing) == "c");
  BOOST_TEST(bench.value("x") == "mine");  // partial says that c might have had a greater one
  bench.ask("b", 2, {"x"});
  bench.wait(1'000);
  BOOST_REQUIRE(bench.report("b") != nullptr);
  BOOST_TEST((bench.report("b")->outcome == RoundOutcome::kTimeout));
  BOOST_TEST(RoundBench::names(bench.report("b")->missing) == "abc");
  BOOST_TEST(bench.value("x") == "mine");
}

// ---- keys that move meanwhile ------------------------------------------------------------------

// docs/protocol.md, Safety R2: a round never overwrites a commit that it did not ask about.
BOOST_AUTO_TEST_CASE(a_key_that_moved_joins_a_round_by_lww_with_its_present_value) {
  for (const std::uint64_t offered : {5u, 15u}) {
    RoundBench bench({"a", "b"});
    bench.write("a", 1, "x", "asked", 1);
    const RoundId round = bench.ask("a", 1, {"x"});
    bench.write("b", 1, "x", "meanwhile", 10);
    BOOST_TEST(bench.counter("rounds_asked_again") == 0u);
    bench.answer("a", round, {RoundBench::offers("x", "offer", offered)});
    bench.answer("b", round);
    BOOST_REQUIRE(bench.report("a") != nullptr);
    // The offer is greater than what was asked about; only the present value counts.
    const bool greater = offered > 10;
    BOOST_TEST(bench.value("x") == (greater ? "offer" : "meanwhile"));
    BOOST_TEST((bench.report("a")->outcome ==
                (greater ? RoundOutcome::kResolved : RoundOutcome::kUnchanged)));
    BOOST_TEST(bench.head() == (greater ? 3u : 2u));
    BOOST_REQUIRE(bench.to<OfferResult>("a") != nullptr);
    BOOST_TEST(bench.to<OfferResult>("a")->outcomes[0].took == greater);
  }
}

// Safety R2.
BOOST_AUTO_TEST_CASE(a_key_that_moved_is_not_decided_by_quorum_and_asked_again) {
  RoundBench bench({"a", "b"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "one", 1);
  const RoundId first = bench.ask("a", 1, {"q/x"}, 5'000);
  bench.write("b", 1, "q/x", "two", 2);
  bench.say("a", first, {RoundBench::offers("q/x", "offer", 9)});
  bench.say("b", first, {RoundBench::offers("q/x", "offer", 9)});
  bench.close();
  BOOST_TEST((bench.report("a") == nullptr));
  BOOST_TEST((bench.to<OfferResult>("a") == nullptr));  // its offer is still open
  BOOST_TEST(bench.counter("rounds_asked_again") == 1u);
  BOOST_TEST(bench.value("q/x") == "two");
  const auto again = bench.broadcasts<StateRequest>();
  BOOST_REQUIRE_EQUAL(again.size(), 1u);
  BOOST_TEST((again[0]->round != first));
  BOOST_TEST(again[0]->keys[0].version.value() == 2u);
  BOOST_TEST(again[0]->remaining_millis == 5'000);
}

// Safety R2.
BOOST_AUTO_TEST_CASE(a_key_that_moves_twice_is_reported_as_moved) {
  RoundBench bench({"a", "b"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "one", 1);
  const RoundId first = bench.ask("a", 1, {"q/x"}, 5'000);
  bench.write("b", 1, "q/x", "two", 2);
  bench.answer("a", first, {RoundBench::offers("q/x", "offer", 9)});
  const RoundId second = bench.asked();  // no missing answer can help the first asking
  BOOST_REQUIRE(second);
  bench.answer("b", first, {RoundBench::offers("q/x", "offer", 9)});
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);  // to the first asking
  bench.answer("a", second, {RoundBench::offers("q/x", "offer", 9)});
  BOOST_TEST((bench.report("a") == nullptr));
  bench.write("b", 2, "q/x", "three", 3);
  const SyncReport* report = bench.report("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST((report->outcome == RoundOutcome::kMoved));
  BOOST_REQUIRE_EQUAL(report->keys.size(), 1u);
  BOOST_TEST(report->keys[0].version.value() == 3u);
  BOOST_TEST(bench.counter("rounds_asked") == 2u);
  BOOST_TEST(bench.value("q/x") == "three");
  BOOST_TEST(bench.head() == 3u);
}

BOOST_AUTO_TEST_CASE(the_second_asking_can_still_resolve_and_asks_only_what_moved) {
  RoundBench bench({"a", "b"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "one", 1);
  const RoundId first = bench.ask("a", 1, {"q/x", "q/y"}, 5'000);
  bench.say("a", first, {RoundBench::offers("q/y", "agreed", 5)});
  bench.say("b", first, {RoundBench::offers("q/y", "agreed", 6)});
  bench.write("b", 1, "q/x", "two", 2);
  const auto again = bench.broadcasts<StateRequest>();
  BOOST_REQUIRE_EQUAL(again.size(), 1u);
  BOOST_REQUIRE_EQUAL(again[0]->keys.size(), 1u);
  BOOST_TEST(again[0]->keys[0].key.value() == "q/x");
  BOOST_TEST(bench.value("q/y") == "agreed");
  const RoundId second = again[0]->round;
  bench.answer("a", second, {RoundBench::offers("q/x", "three", 7)});
  bench.answer("b", second, {RoundBench::offers("q/x", "three", 8)});
  const SyncReport* report = bench.report("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST((report->outcome == RoundOutcome::kResolved));
  BOOST_TEST(report->keys.size() == 2u);  // of both askings
  BOOST_TEST(bench.value("q/x") == "three");
}

// Safety R2: without a present record nothing but the asked version tells that it was deleted.
BOOST_AUTO_TEST_CASE(a_key_deleted_meanwhile_has_moved) {
  RoundBench bench({"a", "b"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "one", 1);
  const RoundId round = bench.ask("a", 1, {"q/x"});
  Mutation gone = CoreBench::put(2, "q/x", "", bench.welcomes["a"], 1);
  gone.entries[0].op = DeleteOp{};
  bench.submit("a", bench.welcomes["a"], {gone});
  bench.answer("a", round, {RoundBench::offers("q/x", "offer", 9)});
  BOOST_TEST(bench.counter("rounds_asked_again") == 1u);
  BOOST_REQUIRE(bench.asked());
  BOOST_TEST(bench.broadcasts<StateRequest>()[0]->keys[0].version.value() == 0u);
}

// ---- what a round commits ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_round_that_changes_nothing_takes_no_revision) {
  RoundBench bench({"a", "b"});
  bench.write("a", 1, "x", "stands", 1);
  const RoundId round = bench.ask("a", 1, {"x", "never written"});
  bench.say("a", round, {RoundBench::offers("x", "stands", 9)});  // the value that stands
  bench.say("b", round, {RoundBench::offers("x", "older", 0)});
  bench.close();
  const SyncReport* report = bench.report("a");
  BOOST_REQUIRE(report != nullptr);
  BOOST_TEST((report->outcome == RoundOutcome::kUnchanged));
  BOOST_TEST(bench.head() == 1u);
  BOOST_TEST(bench.broadcasts<StateUpdate>().empty());
  BOOST_TEST(bench.core.swarm(SwarmId("s"))->find(Key("x"))->version.value() == 1u);
  BOOST_TEST(bench.to<OfferResult>("a")->outcomes[0].took);
  BOOST_TEST(!bench.to<OfferResult>("b")->outcomes[0].took);
}

BOOST_AUTO_TEST_CASE(two_keys_of_one_round_are_one_commit_whose_update_names_the_round) {
  RoundBench bench({"a", "b"});
  const RoundId round = bench.ask("a", 1, {"x", "y"});
  bench.answer("a", round, {RoundBench::offers("x", "of a", 1)});
  // A write of the same group has its own commit, and its own update.
  bench.receive("b", Submit{bench.session("b"),
                            bench.core.epoch(),
                            {},
                            {CoreBench::put(1, "z", "of b", bench.welcomes["b"])}});
  bench.answer("b", round, {RoundBench::offers("y", "of b", 2)});
  BOOST_TEST(bench.head() == 2u);
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 2u);
  BOOST_TEST(!updates[0]->round);
  BOOST_TEST(updates[0]->to.value() == 1u);
  BOOST_TEST((updates[1]->round == round));
  BOOST_TEST(updates[1]->from.value() == 1u);
  BOOST_TEST(updates[1]->to.value() == 2u);
  BOOST_REQUIRE_EQUAL(updates[1]->changes.size(), 2u);
  for (const Change& change : updates[1]->changes) {
    BOOST_TEST(change.record->version.value() == 2u);
    BOOST_TEST(change.record->writer.agent.value() == kCoordinatorName);
  }
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->round == round));
  for (const KeyReport& key : bench.report("a")->keys) BOOST_TEST(key.version.value() == 2u);
  BOOST_TEST(bench.last.persist.sync);
}

BOOST_AUTO_TEST_CASE(a_round_over_a_counter_needs_no_answers_that_can_not_change_it) {
  RoundBench bench({"a", "b"});
  Mutation m = CoreBench::put(1, "n", "", bench.welcomes["a"], 0);
  m.entries[0].op = IncrOp{1};
  bench.submit("a", bench.welcomes["a"], {m});
  const RoundId r = bench.ask("a", 1, {"n"});
  bench.answer("a", r);
  BOOST_TEST((bench.report("a") != nullptr));
}

BOOST_AUTO_TEST_CASE(a_round_over_all_that_asks_again_holds_its_keys) {
  RoundBench bench({"a", "b"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "one", 1);
  SyncRequest all = bench.request("a", 1, {}, 5'000);
  all.all = true;
  bench.receive("a", all);
  bench.close();
  const RoundId r = bench.asked();
  BOOST_REQUIRE(r);
  BOOST_TEST(!bench.ask("b", 2, {"q/x"}, 5'000));
  bench.write("b", 1, "q/x", "two", 2);
  bench.say("a", r, {RoundBench::offers("q/x", "offer", 9)});
  bench.say("b", r, {RoundBench::offers("q/x", "offer", 9)});
  bench.close();
  BOOST_TEST(bench.counter("rounds_asked_again") == 1u);
  BOOST_TEST(bench.broadcasts<StateRequest>().size() == 1u);
}

BOOST_AUTO_TEST_CASE(late_is_of_the_last_asking) {
  RoundBench bench({"a", "b"}, RoundBench::with_quorum());
  bench.write("a", 1, "q/x", "one", 1);
  const RoundId r = bench.ask("a", 1, {"q/x"}, 5'000);
  bench.wait(1'300);
  bench.write("b", 1, "q/x", "two", 2);
  bench.answer("a", r, {RoundBench::offers("q/x", "offer", 9)});
  const RoundId r2 = bench.asked();
  BOOST_REQUIRE(r2);
  bench.answer("a", r2, {RoundBench::offers("q/x", "offer", 9)});
  bench.answer("b", r2, {RoundBench::offers("q/x", "offer", 9)});
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST(RoundBench::names(bench.report("a")->late) == "");
}

BOOST_AUTO_TEST_CASE(rounds_keep_to_state_bytes_max) {
  CoordinatorOptions o = CoreBench::defaults();
  o.state_bytes_max = 1'000;
  RoundBench bench({"a"}, o);
  const std::string big(900, 'x');
  for (int n = 0; n < 20; ++n) {
    const std::string key = "k" + std::to_string(n);
    const RoundId r = bench.ask("a", 1 + n, {key.c_str()});
    bench.answer("a", r, {RoundBench::offers(key.c_str(), big.c_str(), n + 1)});
  }
  BOOST_TEST(bench.core.swarm(SwarmId("s"))->bytes() < 3'000u);
}

BOOST_AUTO_TEST_CASE(a_member_that_joined_anew_is_reminded_and_told_there) {
  RoundBench bench({"a", "b"});
  const RoundId r = bench.ask("a", 1, {"x"}, 4'000);
  bench.answer("a", r);
  bench.receive("b2", CoreBench::hello("b"));
  bench.close();
  const Welcome w = *bench.to<Welcome>("b2");
  bench.feed(Subscribed{SwarmId("s"), w.nonce});
  bench.close();
  bench.wait(1'000);
  BOOST_TEST((bench.to<StateRequest>("b2") != nullptr));
  BOOST_TEST((bench.to<StateRequest>("b") == nullptr));
  // its answer counts
  StateResponse s{w.session, r, AnswerKind::kSame, {RoundBench::offers("x", "v", 3)}};
  bench.receive("b2", s);
  bench.close();
  BOOST_TEST((bench.report("a") != nullptr));
  BOOST_TEST((bench.to<OfferResult>("b2") != nullptr));
}

BOOST_AUTO_TEST_CASE(a_round_on_a_full_disk_writes_nothing) {
  RoundBench bench({"a"});
  bench.write("a", 1, "x", "stands", 9);
  bench.feed(SpaceChanged{false, "full"});
  const RoundId r = bench.ask("a", 1, {"x"});
  bench.answer("a", r, {RoundBench::offers("x", "older", 1)});
  BOOST_TEST(bench.last.persist.rows.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
