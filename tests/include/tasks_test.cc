// Tasks as a user of the library sees them.

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <waggle/tasks.h>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;
using std::chrono::milliseconds;

BOOST_AUTO_TEST_CASE(a_task_is_added_claimed_and_done_with_its_effect) {
  const auto hive = serve();
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"));
  TaskBoard adds(*ada);
  TaskBoard works(*bob);
  BOOST_TEST((works.claim().error().code == StatusCode::kNotFound));
  const std::string first = take(adds.add({.title = "fetch", .body_json = R"({"url":"x"})"}));
  const std::string second =
      take(adds.add({.title = "count", .needs = {"math"}, .after = {first}}));
  const HeldTask held = take(works.claim({.can = {"math"}}));
  BOOST_TEST((held.id == first && held.title == "fetch" && held.body_json == R"({"url":"x"})"));
  BOOST_TEST((works.claim({.can = {"math"}}).error().code == StatusCode::kNotFound));
  BOOST_TEST(works.done(first, {.result_json = "7", .writes = {{"fetched", "1"}}}).has_value());
  BOOST_TEST((works.claim().error().code == StatusCode::kNotFound));  // it can't do it
  const HeldTask next = take(works.claim({.can = {"math"}, .wait = kPatience}));
  BOOST_TEST(next.id == second);
  BOOST_REQUIRE(eventually([&] { return adds.task(second)->holder == "bob"; }));
  BOOST_TEST(works.fail(second, "a slip", false).has_value());
  BOOST_REQUIRE(eventually([&] { return adds.task(second)->stage == TaskStage::kDead; }));
  const TaskView dead = take(adds.task(second));
  BOOST_TEST((dead.attempts == 1u && dead.last_failure == "a slip" && dead.holder.empty()));
  BOOST_TEST((take(adds.task(first)).result_json == "7" && take(adds.tasks()).size() == 2u));
  BOOST_TEST(take(ada->get("fetched")).bytes == "1");
  BOOST_TEST(adds.retry(second).has_value());
  BOOST_TEST((works.cancel(second).error().code == StatusCode::kDenied));
  BOOST_TEST(adds.cancel(second).has_value());
  BOOST_TEST((works.done(first).error().code == StatusCode::kDenied));
  BOOST_TEST((adds.task("none").error().code == StatusCode::kNotFound));
  BOOST_TEST((adds.add({.title = "t", .priority = 5'000}).error().code == StatusCode::kRejected));
  BOOST_TEST((adds.add({.title = "t", .id = first}).error().code == StatusCode::kConflict));
}

BOOST_AUTO_TEST_CASE(what_was_given_back_or_left_goes_on_where_it_was) {
  const auto hive = serve();
  const auto ada = join(member(*hive, "ada"));
  auto bob = join(member(*hive, "bob"));
  TaskBoard adds(*ada);
  const std::string id = take(adds.add({.title = "dig"}));
  {
    TaskBoard works(*bob);
    BOOST_TEST(take(works.claim()).id == id);
    BOOST_TEST(works.give_back(id, "one metre").has_value());
    BOOST_TEST(take(works.claim()).checkpoint.value_or("-") == "one metre");
    BOOST_TEST(works.checkpoint(id, "two metres").has_value());
    BOOST_TEST(bob->leave().has_value());
  }
  const HeldTask again = take(adds.claim({.wait = kPatience}));
  BOOST_TEST((again.id == id && again.checkpoint.value_or("-") == "two metres"));
  BOOST_TEST(again.attempts == 0u);
  BOOST_TEST(adds.done(id).has_value());
}

// Who is told that a claim is lost, and who is not: a task that was done ends its claim silently.
BOOST_AUTO_TEST_CASE(the_end_of_a_task_is_no_loss_and_a_cancelled_one_is) {
  const auto hive = serve();
  std::mutex mutex;
  std::vector<std::string> lost;
  AgentEvents events;
  events.on_claim_lost = [&](const LostClaim& claim) {
    const std::lock_guard lock(mutex);
    lost.push_back(claim.pattern);
  };
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"), events);
  TaskBoard adds(*ada);
  TaskBoard works(*bob);
  const std::string done = take(adds.add({.title = "one"}));
  BOOST_TEST(take(works.claim()).id == done);
  BOOST_TEST(works.done(done).has_value());
  const std::string failed = take(adds.add({.title = "two", .retries = 0}));
  BOOST_TEST(take(works.claim()).id == failed);
  BOOST_TEST(works.fail(failed, "").has_value());
  const std::string cancelled = take(adds.add({.title = "three"}));
  BOOST_TEST(take(works.claim()).id == cancelled);
  BOOST_TEST(adds.cancel(cancelled).has_value());
  BOOST_REQUIRE(eventually([&] {
    const std::lock_guard lock(mutex);
    return !lost.empty();
  }));
  const std::lock_guard lock(mutex);
  BOOST_TEST((lost == std::vector<std::string>{"~task/" + cancelled}));
}

// Many workers, each task once.
BOOST_AUTO_TEST_CASE(each_task_is_done_once_by_many_workers) {
  constexpr int kTasks = 60;
  const auto hive = serve();
  const auto ada = join(member(*hive, "ada"));
  TaskBoard adds(*ada);
  std::vector<std::unique_ptr<SwarmAgent>> team;
  for (const char* name : {"b", "c", "d", "e"}) team.push_back(join(member(*hive, name)));
  std::vector<std::thread> threads;
  for (const auto& one : team)
    threads.emplace_back([&one] {
      TaskBoard works(*one);
      while (auto task = works.claim({.wait = std::chrono::seconds(5)})) {
        if (task->attempts == 0 && task->body_json == "1") {
          (void)works.fail(task->id, "the first time it fails");
        } else {
          (void)works.done(
              task->id, {.writes = {{"done/" + task->id, one->id(), false, 0}}});  // not yet there
        }
      }
    });
  for (int n = 0; n < kTasks; ++n)
    (void)take(
        adds.add({.title = "t", .body_json = n % 5 == 0 ? "1" : "0", .backoff = milliseconds(10)}));
  for (std::thread& thread : threads) thread.join();
  BOOST_REQUIRE(eventually([&] { return take(ada->list("done/*")).items.size() == kTasks; }));
  for (const TaskView& task : take(adds.tasks())) BOOST_TEST((task.stage == TaskStage::kDone));
}
