// Limits of each agent: docs/protocol.md, "Limits".

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "bench_of_rounds.h"

namespace waggle {
namespace {

constexpr std::size_t kFrame = 100;  // bytes that a message is said to have

CoordinatorOptions limited(void (*set)(AgentLimits&)) {
  CoordinatorOptions options = CoreBench::defaults();
  options.limits.messages = options.limits.writes = options.limits.bytes = 0;
  options.limits.burst_millis = 1'000;
  set(options.limits);
  return options;
}

// Members that came by a connection.
class LimitBench : public RoundBench {
 public:
  LimitBench(std::initializer_list<const char*> members, void (*set)(AgentLimits&))
      : RoundBench({}, limited(set)) {
    for (const char* member : members) welcomes[member] = joined(member);
  }
  void arrive(const std::string& peer, Message message, std::size_t bytes = kFrame) {
    feed(Received{PeerId(peer), make_message(std::move(message)), {}, bytes});
  }
  Welcome joined(const std::string& agent, const std::string& peer = {}) {
    const std::string from = peer.empty() ? agent : peer;
    arrive(from, hello(agent));
    close();
    if (to<Welcome>(from) == nullptr) close();
    const Welcome welcome = *to<Welcome>(from);
    feed(Subscribed{SwarmId("s"), welcome.nonce});
    close();
    return welcome;
  }
  // The codes of the answers to writes with these seqs, a letter each: c(ommitted), o(verloaded),
  // g(ap), r(ejected).
  std::string write(const std::string& agent, std::vector<std::uint64_t> seqs,
                    const std::string& key = "k", const std::string& value = "v") {
    std::vector<Mutation> mutations;
    for (const std::uint64_t seq : seqs)
      mutations.push_back(put(seq, key + std::to_string(seq), value, welcomes[agent], head()));
    return submitted(agent, std::move(mutations));
  }
  std::string submitted(const std::string& agent, std::vector<Mutation> mutations) {
    const Welcome& welcome = welcomes[agent];
    arrive(agent, Submit{welcome.session, welcome.epoch, {}, std::move(mutations)});
    close();
    results.clear();
    if (const auto* result = to<SubmitResult>(agent)) results = result->results;
    std::string codes;
    for (const MutationResult& one : results) codes += to_text(one.outcome.code).front();
    return codes;
  }
  [[nodiscard]] const Outcome& last_outcome() const { return results.back().outcome; }
  [[nodiscard]] std::uint64_t head() const {
    const SwarmState* swarm = core.swarm(SwarmId("s"));
    return swarm == nullptr ? 0 : swarm->head().value();
  }
  void ask_status(const std::string& agent, std::uint64_t request) {
    arrive(agent, Query{welcomes[agent].session, RequestId(request), StatusQuery{}});
    close();
  }
  template <typename T>
  [[nodiscard]] std::size_t sent() const {
    std::size_t count = 0;
    for (const Send& send : last.send) count += std::holds_alternative<T>(send) ? 1 : 0;
    return count;
  }

  std::vector<MutationResult> results;
};

BOOST_AUTO_TEST_SUITE(limiting_test)

BOOST_AUTO_TEST_CASE(
    a_write_over_the_limit_is_overloaded_consumes_nothing_and_passes_later) {  // Safety L1
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.writes = 2; });
  BOOST_TEST(bench.write("a", {1}) == "c");
  BOOST_TEST(bench.write("a", {2}) == "c");
  BOOST_TEST(bench.write("a", {3}) == "o");
  BOOST_TEST((bench.last_outcome().reason == Reason::kRateLimit));
  BOOST_TEST(bench.last_outcome().retry_millis == 500);
  BOOST_TEST(bench.last_outcome().text ==
             "agent 'a' may send 2 writes a second, and 2 at once (limits.writes_per_second); 1 "
             "more came too soon: come back in 500 ms");
  // Nothing of it was kept: what follows is a gap once there is room, and the same seq passes.
  bench.wait(499);
  BOOST_TEST(bench.write("a", {3}) == "o");
  BOOST_TEST(bench.last_outcome().retry_millis == 1);
  bench.wait(1);
  BOOST_TEST(bench.write("a", {4}) == "g");
  bench.wait(500);
  BOOST_TEST(bench.write("a", {3}) == "c");
  BOOST_TEST(bench.counter("over_limit_writes") == 2u);
}

BOOST_AUTO_TEST_CASE(of_a_submit_those_are_stepped_for_which_there_is_room_and_in_order) {
  LimitBench bench({"a", "b"}, [](AgentLimits& limits) { limits.writes = 3; });
  BOOST_TEST(bench.write("a", {1, 2, 3, 4, 5}) == "ccco");
  BOOST_TEST((bench.results[3].seq == Seq(4)));
  BOOST_TEST(bench.last_outcome().text.contains("5 writes came together, 2 of them too soon"));
  BOOST_TEST(bench.write("a", {6}) == "o");
  BOOST_TEST(bench.head() == 3u);
  // The others go on.
  for (const std::uint64_t seq : {1u, 2u, 3u}) BOOST_TEST(bench.write("b", {seq}, "other") == "c");
  bench.wait(1'000);
  BOOST_TEST(bench.write("a", {4, 5, 6}) == "ccc");
}

BOOST_AUTO_TEST_CASE(to_join_again_brings_nothing_new) {  // Safety L2
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.writes = 2; });
  BOOST_TEST(bench.write("a", {1, 2}) == "cc");
  for (int again = 0; again < 5; ++again) {
    const std::string peer = "a";
    bench.welcomes["a"] = bench.joined("a", peer);
    BOOST_TEST(bench.write("a", {3}) == "o");
  }
}

BOOST_AUTO_TEST_CASE(who_names_another_agent_spends_nothing_of_it) {
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.messages = 5; });
  for (int i = 0; i < 20; ++i) {
    bench.arrive("thief", CoreBench::hello("a", 9));
    bench.arrive("thief", Submit{bench.welcomes["a"].session, bench.welcomes["a"].epoch, {}, {}});
  }
  bench.close();
  BOOST_TEST(bench.write("a", {1}) == "c");
  BOOST_REQUIRE(bench.to<Refused>("thief") == nullptr);  // of another group
  BOOST_TEST(bench.counter("over_limit_messages") == 35u);
}

BOOST_AUTO_TEST_CASE(a_hello_over_the_limit_is_refused_with_the_time_to_come_back) {
  LimitBench bench({}, [](AgentLimits& limits) { limits.messages = 2; });
  for (int i = 0; i < 3; ++i) bench.arrive("p", CoreBench::hello("a"));
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>("p") != nullptr);
  BOOST_TEST((bench.to<Refused>("p")->code == Code::kOverloaded));
  BOOST_TEST(bench.to<Refused>("p")->retry_millis == 500);
}

BOOST_AUTO_TEST_CASE(a_question_over_the_limit_is_answered_with_an_error_that_names_it) {
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.bytes = 250; });
  bench.ask_status("a", 1);
  BOOST_TEST(bench.to<QueryResult>("a") != nullptr);
  bench.ask_status("a", 2);
  bench.ask_status("a", 3);
  const auto* error = bench.to<ErrorReply>("a");
  BOOST_REQUIRE(error != nullptr);
  BOOST_TEST((error->code == Code::kOverloaded));
  BOOST_TEST((error->request == RequestId(3)));
  BOOST_TEST(error->retry_millis == 200);
  BOOST_TEST(error->text ==
             "agent 'a' may send 250 bytes a second, and 250 at once (limits.bytes_per_second); a "
             "message of 100 bytes came too soon: come back in 200 ms");
  bench.wait(200);
  bench.ask_status("a", 3);
  BOOST_TEST(bench.to<QueryResult>("a") != nullptr);
}

BOOST_AUTO_TEST_CASE(who_floods_stays_in_and_is_heard) {
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.messages = 5; });
  for (int i = 0; i < 30; ++i) bench.ask_status("a", 1);
  AgentHeartbeat beat;
  beat.session = bench.welcomes["a"].session;
  beat.number = 1;
  bench.arrive("a", beat);
  bench.close();
  BOOST_TEST(bench.to<HeartbeatAck>("a") != nullptr);
  // For a minute nothing but refused questions: that is no silence.
  for (int i = 0; i < 60; ++i) {
    bench.wait(1'000);
    for (int n = 0; n < 20; ++n) bench.ask_status("a", 1);
  }
  BOOST_TEST(bench.core.sessions().all().size() == 1u);
  // Unless beats are the flood.
  for (std::uint64_t n = 2; n < 30; ++n) {
    beat.number = n;
    bench.arrive("a", beat);
  }
  bench.close();
  beat.number = 100;
  bench.arrive("a", beat);
  bench.close();
  BOOST_TEST(bench.to<HeartbeatAck>("a") == nullptr);
}

BOOST_AUTO_TEST_CASE(who_does_not_mind_the_answers_is_ignored_and_told_once_a_second) {
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.messages = 5; });
  for (int i = 0; i < 1'000; ++i)
    bench.arrive("a", Query{bench.welcomes["a"].session, RequestId(1), StatusQuery{}});
  bench.close();
  BOOST_TEST(bench.sent<IgnorePeer>() == 1u);
  // 5 answers, 200 refusals, and one word about what is ignored.
  BOOST_TEST(bench.sent<SendTo>() == 206u);
  BOOST_TEST(!bench.to<ErrorReply>("a")->request);
  BOOST_TEST(bench.to<ErrorReply>("a")->text.contains("not answered any more"));
  BOOST_TEST(bench.counter("over_limit_ignored") == 795u);
  BOOST_TEST(bench.counter("over_limit_messages") == 995u);
  for (int i = 0; i < 100; ++i)
    bench.arrive("a", Query{bench.welcomes["a"].session, RequestId(1), StatusQuery{}});
  bench.close();
  BOOST_TEST(bench.sent<SendTo>() == 0u);
}

BOOST_AUTO_TEST_CASE(frames_that_can_not_be_read_are_counted_too) {
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.messages = 5; });
  for (int i = 0; i < 100; ++i)
    bench.feed(Malformed{PeerId("a"), Error{Code::kRejected, "not a frame"}});
  bench.close();
  BOOST_TEST(bench.sent<IgnorePeer>() == 1u);
  BOOST_TEST(bench.write("a", {1}) == "o");
  bench.wait(2'000);
  BOOST_TEST(bench.write("a", {1}) == "c");
}

BOOST_AUTO_TEST_CASE(what_comes_from_within_the_process_is_not_counted) {
  LimitBench bench({}, [](AgentLimits& limits) {
    limits.messages = limits.writes = limits.bytes = 1;
    limits.keys = limits.rounds = 1;
  });
  const Welcome welcome = bench.join("a");
  for (std::uint64_t seq = 1; seq <= 50; ++seq)
    BOOST_TEST_REQUIRE(
        (bench.submit("a", welcome, {bench.put(seq, "k" + std::to_string(seq), "v", welcome)})
             .back()
             .outcome.code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(an_agent_has_only_so_many_rounds_that_are_not_over) {
  LimitBench bench({"a", "b"}, [](AgentLimits& limits) { limits.rounds = 2; });
  (void)bench.ask("a", 1, {"x"});
  (void)bench.ask("a", 2, {"y"});
  (void)bench.ask("a", 3, {"z"});
  BOOST_REQUIRE(bench.report("a") != nullptr);
  BOOST_TEST((bench.report("a")->code == Code::kOverloaded));
  BOOST_TEST(bench.report("a")->text.contains("2 rounds of the same asker are not over"));
  // Another one is not harmed, and a new session brings nothing.
  BOOST_TEST(static_cast<bool>(bench.ask("b", 1, {"z"})));
  bench.welcomes["a"] = bench.joined("a");
  (void)bench.ask("a", 4, {"u"});
  BOOST_TEST((bench.report("a")->code == Code::kOverloaded));
  bench.wait(1'001);  // the time of those rounds is over
  BOOST_TEST(static_cast<bool>(bench.ask("a", 5, {"u"})));
}

BOOST_AUTO_TEST_CASE(an_agent_makes_only_so_many_keys_and_a_deleted_one_makes_room) {
  LimitBench bench({"a", "b"}, [](AgentLimits& limits) { limits.keys = 2; });
  BOOST_TEST(bench.write("a", {1, 2}) == "cc");
  BOOST_TEST(bench.write("a", {3}) == "r");
  BOOST_TEST((bench.last_outcome().reason == Reason::kTooMany));
  BOOST_TEST(bench.last_outcome().text ==
             "agent 'a' made 2 of this swarm's keys as they are now, and 1 more would be above its "
             "limit of 2 (limits.keys); delete some first");
  // It still writes those that are there, of whomever.
  BOOST_TEST(bench.write("b", {1}, "other") == "c");
  Mutation over = bench.put(4, "other1", "mine", bench.welcomes["a"], bench.head());
  BOOST_TEST(bench.submitted("a", {over}) == "c");
  BOOST_TEST(bench.write("b", {2, 3}, "other") == "cc");  // it has none by now
  Mutation gone = bench.put(5, "k1", "", bench.welcomes["a"], bench.head());
  gone.entries[0].op = DeleteOp{};
  Mutation too = bench.put(6, "k2", "", bench.welcomes["a"], bench.head());
  too.entries[0].op = DeleteOp{};
  BOOST_TEST(bench.submitted("a", {gone, too}) == "cc");
  BOOST_TEST(bench.write("a", {7}) == "c");
  BOOST_TEST(bench.write("a", {8}) == "r");
  BOOST_TEST(bench.counter("over_limit_keys") == 2u);

  // A start counts anew what the disk has.
  CoordinatorOptions options = limited([](AgentLimits& limits) { limits.keys = 2; });
  Coordinator again(options, bench.stored());
  BOOST_TEST(again.swarm(SwarmId("s"))->owned_by(AgentId("a")) == 2u);
  BOOST_TEST(again.swarm(SwarmId("s"))->owned_by(AgentId("b")) == 2u);
  again.check_invariants();
}

BOOST_AUTO_TEST_CASE(a_value_may_be_only_so_large) {
  LimitBench bench({"a"}, [](AgentLimits& limits) { limits.value_bytes = 10; });
  BOOST_TEST(bench.write("a", {1}, "k", "0123456789.") == "r");
  BOOST_TEST((bench.last_outcome().reason == Reason::kTooLarge));
  BOOST_TEST(bench.last_outcome().text.contains("a value has at most 10 here"));
  BOOST_TEST(bench.write("a", {2}, "k", "0123456789") == "c");
}

BOOST_AUTO_TEST_CASE(an_agent_list_says_what_was_refused_of_each) {
  LimitBench bench({"a", "b"}, [](AgentLimits& limits) { limits.writes = 1; });
  BOOST_TEST(bench.write("a", {1, 2, 3}) == "co");
  bench.arrive("b", Query{bench.welcomes["b"].session, RequestId(1), AgentsQuery{}});
  bench.close();
  const auto* result = bench.to<QueryResult>("b");
  BOOST_REQUIRE(result != nullptr && result->agents.size() == 2);
  BOOST_TEST(result->agents[0].over_limit == 2u);
  BOOST_TEST(result->agents[1].over_limit == 0u);
}

BOOST_AUTO_TEST_CASE(no_more_earlier_versions_are_kept_than_the_limit_says) {
  CoordinatorOptions options = limited([](AgentLimits& limits) { limits.history = 2; });
  Policy policy;
  policy.prefix = "k";
  policy.history = 10;
  BOOST_REQUIRE(options.policies.add(std::move(policy)));
  CoreBench bench(std::move(options));
  const Welcome welcome = bench.join("a");
  std::size_t kept = 0;
  for (std::uint64_t seq = 1; seq <= 6; ++seq) {
    (void)bench.submit("a", welcome, {bench.put(seq, "k", std::to_string(seq), welcome, seq - 1)});
    for (const HistoryRow* row : bench.rows<HistoryRow>()) row->record ? ++kept : --kept;
  }
  BOOST_TEST(kept == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
