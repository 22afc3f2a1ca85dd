// Tasks through the core: added, taken, reported on, given back; what comes after them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"
#include "bench_of_claims.h"
#include "coordinator/task.h"

namespace waggle {
namespace {

CoordinatorOptions with_rules() {
  CoordinatorOptions options = CoreBench::defaults();
  Policy law;
  law.prefix = "law/";
  law.vote_permille = 510;
  Policy here;
  here.prefix = "here/";
  here.ephemeral = true;
  for (const Policy& policy : {law, here}) WAGGLE_CHECK(options.policies.add(policy).has_value());
  return options;
}

struct Place : ClaimBench {
  explicit Place(CoordinatorState state = {}) : ClaimBench(with_rules(), std::move(state)) {
    for (const char* agent : {"a", "b", "c"}) enter(agent);
  }

  Outcome write(const std::string& agent, const std::string& id, Op op, FenceToken token = {}) {
    Mutation mutation = CoreBench::put(++seqs[agent], "k", {}, sessions.at(agent), head());
    mutation.entries = {{task_key(id), {}, std::move(op), {}}};
    mutation.fence = token;
    const auto results = submit(agent, sessions.at(agent), {std::move(mutation)}, seqs[agent] - 1);
    BOOST_REQUIRE(!results.empty());
    BOOST_TEST(results.back().outcome.final());
    return results.back().outcome;
  }
  // "committed", or the reason or code why not.
  std::string put(const std::string& agent, const std::string& id, const std::string& document,
                  FenceToken token = {}) {
    return words(write(agent, id, PutOp{ContentType::kJson, document}, token));
  }
  std::string add(const std::string& id, const std::string& more = "") {
    return put("a", id, fmt::format(R"({{"title":"do {}"{}}})", id, more));
  }
  std::string cancel(const std::string& agent, const std::string& id) {
    return words(write(agent, id, DeleteOp{}));
  }
  static std::string words(const Outcome& outcome) {
    return outcome.reason != Reason::kNone ? std::string(to_text(outcome.reason))
                                           : std::string(to_text(outcome.code));
  }
  ClaimResult next(const std::string& agent, std::vector<std::string> can = {},
                   std::int64_t wait = 0, const std::string& ids = "*", std::uint64_t request = 0) {
    ClaimRequest asked;
    asked.request = RequestId(request);
    asked.pattern = std::string(kTaskKeys) + ids;
    asked.can = std::move(can);
    asked.ttl_millis = kTtl;
    asked.wait_millis = wait;
    return ask(agent, std::move(asked));
  }
  // The id of the task that an agent is given; "-": none.
  static std::string id_of(const ClaimResult& result) {
    return result.code == Code::kCommitted && result.place == 0
               ? std::string(task_id_of(result.pattern))
               : "-";
  }
  [[nodiscard]] Task task(const std::string& id) const {
    const auto document = register_of(core.swarm(SwarmId("s"))->find(task_key(id)).get());
    BOOST_REQUIRE(document.has_value());
    const Result<Task> found = recover_task(id, document->bytes);
    BOOST_REQUIRE(found.has_value());
    return *found;
  }
  [[nodiscard]] std::string state(const std::string& id) const {
    return std::string(to_text(task(id).state));
  }
  [[nodiscard]] std::string value(const std::string& key) const {
    const auto found = register_of(core.swarm(SwarmId("s"))->find(Key(key)).get());
    return found ? found->bytes : "none";
  }
};

constexpr const char* kDone = R"({"state":"done"})";
constexpr const char* kFailed = R"({"state":"failed","why":"it rained"})";

BOOST_AUTO_TEST_SUITE(tasks)

BOOST_AUTO_TEST_CASE(
    a_task_is_added_taken_with_its_document_and_done_in_one_commit_with_its_effect) {
  Place place;
  BOOST_TEST(place.add("t", R"(,"body":[1])") == "committed");
  BOOST_TEST(place.state("t") == "open");
  const ClaimResult taken = place.next("b");
  BOOST_TEST(place.id_of(taken) == "t");
  BOOST_REQUIRE(taken.task.has_value());
  BOOST_TEST(recover_task("t", taken.task->bytes)->title == "do t");
  BOOST_TEST((place.held("~task/t")->holder.agent == AgentId("b")));
  BOOST_TEST((place.next("c").code == Code::kNotFound));  // once
  const std::uint64_t before = place.head();
  BOOST_TEST(place.put("b", "t", R"({"state":"done","result":"dry",
      "writes":[{"key":"roof","value":"tin"}]})",
                       taken.token) == "committed");
  BOOST_TEST(place.head() == before + 1);
  BOOST_TEST(place.state("t") == "done");
  BOOST_TEST((place.task("t").ended_by == AgentId("b")));
  BOOST_TEST((place.value("roof") == "tin" && !place.held("~task/t")));
  const RecordPtr roof = place.core.swarm(SwarmId("s"))->find(Key("roof"));
  BOOST_TEST((roof->metadata.at("task") == "t" && roof->metadata.at("done_by") == "b"));
  // It stays so.
  BOOST_TEST(place.put("b", "t", kDone) == "closed");
  BOOST_TEST(place.put("b", "t", kDone, taken.token) == "closed");
  BOOST_TEST(place.add("t") == "conflict");
  BOOST_TEST(place.cancel("a", "t") == "closed");
}

BOOST_AUTO_TEST_CASE(only_its_holder_reports_on_a_task) {
  Place place;
  (void)place.add("t");
  (void)place.add("u");
  BOOST_TEST(place.put("b", "t", kDone) == "stale_token");  // nobody holds it
  const FenceToken token = place.next("b", {}, 0, "t").token;
  const FenceToken other = place.next("c", {}, 0, "u").token;
  BOOST_TEST(place.put("b", "t", kDone) == "claimed");
  BOOST_TEST(place.put("c", "t", kDone, other) == "claimed");
  BOOST_TEST(place.put("c", "t", kDone, FenceToken(5)) == "claimed");
  BOOST_TEST(place.put("b", "none", kDone, token) == "invalid");
  BOOST_TEST(place.state("t") == "open");
  BOOST_TEST(place.put("c", "t", kDone, token) == "committed");  // whom the holder gave it
}

BOOST_AUTO_TEST_CASE(the_same_request_is_the_same_task_and_another_one_is_the_next) {
  Place place;
  (void)place.add("t");
  (void)place.add("u");
  const ClaimResult first = place.next("b", {}, 0, "*", 42);
  const ClaimResult again = place.next("b", {}, 0, "*", 42);
  BOOST_TEST((place.id_of(again) == "t" && again.token == first.token && again.task == first.task));
  BOOST_TEST(place.id_of(place.next("b", {}, 0, "*", 43)) == "u");
  BOOST_TEST(place.id_of(place.next("b", {}, 0, "t", 44)) == "t");  // by name
}

BOOST_AUTO_TEST_CASE(the_first_in_line_who_can_do_it_is_given_a_task_when_there_is_one) {
  Place place;
  BOOST_TEST(place.next("b", {"x"}, 60'000, "*", 1).place == 1u);
  BOOST_TEST(place.next("c", {}, 60'000, "*", 2).place == 2u);
  (void)place.add("plain");
  BOOST_REQUIRE(place.to<ClaimResult>("b") != nullptr);
  BOOST_TEST(place.id_of(*place.to<ClaimResult>("b")) == "plain");
  BOOST_TEST(place.to<ClaimResult>("c") == nullptr);
  (void)place.add("special", R"(,"needs":["x"])");
  BOOST_TEST(place.to<ClaimResult>("c") == nullptr);
  BOOST_TEST(place.id_of(place.next("b", {"x"})) == "special");
  // Who gives up is told so, and so is who asks without waiting: nothing is there.
  place.wait_with(60'000, {"a", "b", "c"});
  BOOST_TEST((place.told["c"].code == Code::kTimeout));
}

BOOST_AUTO_TEST_CASE(what_failed_is_tried_again_after_a_time_and_is_dead_after_the_last) {
  Place place;
  (void)place.add("t", R"(,"retries":1,"backoff_ms":1000)");
  BOOST_TEST(place.put("b", "t", kFailed, place.next("b").token) == "committed");
  BOOST_TEST((place.task("t").attempts == 1u && place.task("t").failures[0].why == "it rained"));
  BOOST_TEST(place.id_of(place.next("c")) == "-");
  BOOST_TEST(place.next("c", {}, 60'000, "*", 9).place == 1u);
  place.wait_with(800, {"a", "b", "c"});
  (void)place.next("c", {}, 60'000, "*", 9);
  place.wait_with(200, {"a", "b", "c"});
  BOOST_TEST(place.id_of(place.told["c"]) == "t");
  BOOST_TEST(place.put("c", "t", kFailed, place.told["c"].token) == "committed");
  BOOST_TEST(place.state("t") == "dead");
  BOOST_TEST(place.id_of(place.next("b")) == "-");
  // It can be tried again from the beginning.
  BOOST_TEST(place.put("b", "t", R"({"state":"open"})") == "committed");
  BOOST_TEST(place.put("b", "t", R"({"state":"open"})") == "conflict");
  BOOST_TEST(place.put("b", "t", R"({"state":"failed","retry":false})", place.next("b").token) ==
             "committed");
  BOOST_TEST((place.state("t") == "dead" && place.task("t").attempts == 1u));
}

BOOST_AUTO_TEST_CASE(a_lost_worker_is_a_failed_attempt_one_that_leaves_or_gives_back_is_not) {
  Place place;
  (void)place.add("t", R"(,"retries":1,"backoff_ms":0)");
  (void)place.tell("b", ClaimVerb::kRelease, "~task/t", place.next("b").token);
  BOOST_TEST(place.task("t").attempts == 0u);
  (void)place.tell("b", ClaimVerb::kRenew, "~task/t", place.next("b").token, "half way");
  place.receive("b", Bye{place.sessions.at("b").session});
  place.close();
  BOOST_TEST(place.task("t").attempts == 0u);
  const ClaimResult taken = place.next("c");
  BOOST_TEST((place.id_of(taken) == "t" && taken.checkpoint->bytes == "half way"));
  place.wait_with(Place::kTtl + 200, {"a", "c"});
  BOOST_TEST(place.task("t").attempts == 1u);
  BOOST_TEST(place.task("t").failures[0].why == "its time was over");
  BOOST_TEST(place.put("c", "t", kDone, taken.token) == "stale_token");
  // A later process of the same agent: the earlier one died.
  (void)place.next("c");
  (void)place.enter("c", 2);
  BOOST_TEST(place.state("t") == "dead");
}

BOOST_AUTO_TEST_CASE(what_was_given_in_line_to_who_is_gone_is_no_attempt) {
  Place place;
  (void)place.next("b", {}, 60'000, "*", 7);
  (void)place.add("t", R"(,"retries":0)");
  BOOST_TEST((place.held("~task/t")->holder.agent == AgentId("b")));
  place.wait_with(6'000, {"a", "c"});
  BOOST_TEST(!place.held("~task/t"));
  BOOST_TEST((place.state("t") == "open" && place.task("t").attempts == 0u));
}

BOOST_AUTO_TEST_CASE(a_task_comes_after_those_that_it_names) {
  Place place;
  (void)place.add("walls");
  BOOST_TEST(place.add("roof", R"(,"after":["walls"],"priority":9)") == "committed");
  BOOST_TEST(place.add("x", R"(,"after":["nothing"])") == "invalid");
  const ClaimResult walls = place.next("b");
  BOOST_TEST(place.id_of(walls) == "walls");
  BOOST_TEST(place.id_of(place.next("c")) == "-");
  BOOST_TEST(place.cancel("a", "walls") == "conflict");  // the roof comes after it
  BOOST_TEST(place.next("c", {}, 60'000, "*", 5).place == 1u);
  (void)place.put("b", "walls", kDone, walls.token);
  BOOST_REQUIRE(place.to<ClaimResult>("c") != nullptr);
  BOOST_TEST(place.id_of(*place.to<ClaimResult>("c")) == "roof");
  // After what is done it begins at once, after what was cancelled never.
  BOOST_TEST(place.add("flag", R"(,"after":["walls"])") == "committed");
  BOOST_TEST(place.id_of(place.next("b")) == "flag");
  BOOST_TEST(place.cancel("a", "flag") == "committed");
  BOOST_TEST(place.add("song", R"(,"after":["flag"])") == "invalid");
}

BOOST_AUTO_TEST_CASE(who_added_a_task_cancels_it_and_its_holder_hears_of_it) {
  Place place;
  (void)place.add("t");
  const ClaimResult taken = place.next("b");
  BOOST_TEST(place.cancel("c", "t") == "reserved");
  BOOST_TEST(place.cancel("a", "t") == "committed");
  BOOST_TEST((place.state("t") == "cancelled" && !place.held("~task/t")));
  const RecordPtr claim = place.core.swarm(SwarmId("s"))->find(claim_key("~task/t"));
  BOOST_TEST(claim->metadata.at("ended") == "the task was cancelled");
  BOOST_TEST(place.put("b", "t", kDone, taken.token) == "closed");
  BOOST_TEST(place.cancel("a", "t") == "closed");
  // What its worker had said of it goes too.
  (void)place.add("u");
  (void)place.tell("b", ClaimVerb::kRelease, "~task/u", place.next("b").token, "half way");
  BOOST_TEST(place.checkpoint("~task/u") == "half way");
  BOOST_TEST(place.cancel("a", "u") == "committed");
  BOOST_TEST(place.checkpoint("~task/u") == "none");
  BOOST_TEST(place.cancel("a", "none") == "invalid");
}

BOOST_AUTO_TEST_CASE(an_effect_that_cannot_be_written_leaves_the_task_with_its_holder) {
  Place place;
  (void)place.add("t");
  const ClaimResult taken = place.next("b");
  const auto done_with = [&](const std::string& write) {
    return place.put("b", "t", fmt::format(R"({{"state":"done","writes":[{}]}})", write),
                     taken.token);
  };
  BOOST_TEST(done_with(R"({"key":"law/1","value":"x"})") == "needs_proposal");
  BOOST_TEST(done_with(R"({"key":"here/1","value":"x"})") == "wrong_class");
  (void)place.take("c", "roof");
  BOOST_TEST(done_with(R"({"key":"wall","value":"x"},{"key":"roof","value":"x"})") == "conflict");
  BOOST_TEST(done_with(R"({"key":"wall","value":"x","if_version":9})") == "conflict");
  BOOST_TEST((place.value("wall") == "none" && place.state("t") == "open"));
  BOOST_TEST(place.held("~task/t").has_value());
  BOOST_TEST(done_with(R"({"key":"wall","value":"x","if_version":0})") == "committed");
}

BOOST_AUTO_TEST_CASE(a_task_is_written_by_its_own_rules_only) {
  Place place;
  (void)place.add("t");
  Mutation group =
      CoreBench::put(++place.seqs["a"], "k", "v", place.sessions.at("a"), place.head());
  group.entries.push_back({task_key("t"), {}, PutOp{ContentType::kJson, kDone}, {}});
  const auto results = place.submit("a", place.sessions.at("a"), {std::move(group)});
  BOOST_TEST((results.back().outcome.reason == Reason::kReserved));
  BOOST_TEST(place.words(place.write("a", "t", IncrOp{1})) == "type_mismatch");
  BOOST_TEST(place.put("a", "u", std::string(limits::kTaskBytes + 1, ' ')) == "too_large");
  BOOST_TEST(place.put("a", "u", "so") == "invalid");
  // No pattern of a claim that begins with a wildcard reaches it.
  BOOST_TEST((place.take("c", "*t").code == Code::kCommitted));
  BOOST_TEST(place.id_of(place.next("b")) == "t");
  ClaimRequest claim;
  claim.pattern = "~claim/x";
  claim.ttl_millis = Place::kTtl;
  BOOST_TEST((place.ask("b", claim).code == Code::kRejected));
}

BOOST_AUTO_TEST_CASE(what_is_open_held_late_and_dead_is_so_after_a_restart) {
  Place before;
  (void)before.add("held");
  (void)before.add("late", R"(,"backoff_ms":5000)");
  (void)before.add("dead");
  (void)before.add("ready");
  (void)before.add("behind", R"(,"after":["held"])");
  const ClaimResult held = before.next("b", {}, 0, "held", 77);
  (void)before.put("b", "late", kFailed, before.next("b", {}, 0, "late").token);
  (void)before.put("b", "dead", R"({"state":"failed","retry":false})",
                   before.next("b", {}, 0, "dead").token);
  Place place(before.stored());
  place.now.wall_millis = before.now.wall_millis;
  BOOST_TEST(place.id_of(place.next("b", {}, 0, "*", 77)) == "held");  // asked again
  BOOST_TEST(place.id_of(place.next("c")) == "ready");
  BOOST_TEST(place.id_of(place.next("c")) == "-");
  place.wait_with(5'200, {"a", "b", "c"});
  BOOST_TEST(place.id_of(place.next("c")) == "late");
  BOOST_TEST(place.put("b", "held", kDone, held.token) == "committed");
  BOOST_TEST(place.id_of(place.next("c")) == "behind");
  BOOST_TEST(place.state("dead") == "dead");
}

BOOST_AUTO_TEST_CASE(the_oldest_that_ended_go_and_there_are_so_many_at_most) {
  Place place;
  place.checks = false;  // each looks at all
  for (std::size_t n = 0; n <= limits::kTasksKept; ++n) {
    (void)place.add(fmt::format("t{}", n));
    (void)place.cancel("a", fmt::format("t{}", n));
  }
  BOOST_TEST(!place.core.swarm(SwarmId("s"))->find(task_key("t0"))->live());
  BOOST_TEST(place.state("t1") == "cancelled");
  for (std::size_t n = 0; n < limits::kTasks; ++n)
    BOOST_TEST_REQUIRE(place.add(fmt::format("u{}", n)) == "committed");
  BOOST_TEST(place.add("one-more") == "too_many");
  place.core.check_invariants();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
