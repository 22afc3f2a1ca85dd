// Which task is next, and for whom.

#include "consensus/task_queue.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

using Names = std::set<std::string>;

struct Queue : TaskQueue {
  void put(const std::string& id, std::int32_t priority = 0, Names needs = {}, Names after = {},
           std::int64_t not_before = 0) {
    add({id, std::move(needs), priority, Revision(++added), std::move(after)}, Instant{not_before});
    check_invariants();
  }
  // The next one, which is held from now on; "-": none.
  std::string take(const Names& can = {}, std::int64_t now = 0, const std::string& ids = "*") {
    const auto id = next(std::string(kTaskKeys) + ids, can, Instant{now});
    if (id) hold(*id);
    check_invariants();
    return id.value_or("-");
  }
  std::uint64_t added = 0;
};

WaitingClaim waiting(std::uint64_t who, Names can = {}, std::int64_t heard = 0) {
  WaitingClaim one;
  one.wanted.pattern = "~task/*";
  one.wanted.holder = {AgentId("a"), Incarnation(who)};
  one.session = SessionId(who);
  one.request = RequestId(who);
  one.until = Instant{100'000};
  one.heard = Instant{heard};
  one.can = std::move(can);
  return one;
}

BOOST_AUTO_TEST_SUITE(task_queue)

BOOST_AUTO_TEST_CASE(the_highest_priority_is_first_then_the_oldest) {
  Queue queue;
  queue.put("late");
  queue.put("low", -5);
  queue.put("high", 7);
  queue.put("later");
  BOOST_TEST(queue.take() == "high");
  BOOST_TEST(queue.take() == "late");
  BOOST_TEST(queue.take() == "later");
  BOOST_TEST(queue.take() == "low");
  BOOST_TEST(queue.take() == "-");
}

BOOST_AUTO_TEST_CASE(a_task_goes_to_who_has_what_it_needs) {
  Queue queue;
  queue.put("paint", 9, {"brush", "ladder"});
  queue.put("sweep");
  BOOST_TEST(queue.take({"brush"}) == "sweep");
  BOOST_TEST(queue.take({"brush"}) == "-");
  BOOST_TEST(queue.take({"brush", "ladder", "van"}) == "paint");
}

BOOST_AUTO_TEST_CASE(ids_may_be_named_by_a_pattern) {
  Queue queue;
  queue.put("build-1");
  queue.put("test-1");
  BOOST_TEST(queue.take({}, 0, "test-*") == "test-1");
  BOOST_TEST(queue.take({}, 0, "test-*") == "-");
  BOOST_TEST(queue.take({}, 0, "build-1") == "build-1");
}

BOOST_AUTO_TEST_CASE(what_comes_after_others_waits_until_they_are_done) {
  Queue queue;
  queue.put("walls");
  queue.put("floor");
  queue.put("roof", 9, {}, {"walls", "floor", "done-long-ago"});
  queue.put("flag", 9, {}, {"roof"});
  BOOST_TEST((queue.before("roof") == Names{"floor", "walls"}));
  BOOST_TEST((queue.behind("walls") == Names{"roof"}));
  BOOST_TEST(queue.take() == "walls");
  queue.finish("walls", true);
  BOOST_TEST(queue.take() == "floor");
  BOOST_TEST(queue.take() == "-");
  queue.give_back("floor", Instant{0});
  BOOST_TEST(queue.take() == "floor");
  queue.finish("floor", true);
  BOOST_TEST(queue.take() == "roof");
  queue.finish("flag", false);  // cancelled, and nothing comes after it
  queue.finish("roof", true);
  BOOST_TEST(queue.size() == 0u);
  queue.check_invariants();
}

BOOST_AUTO_TEST_CASE(what_was_given_back_for_a_time_waits_for_it) {
  Queue queue;
  queue.put("a");
  BOOST_TEST(queue.take() == "a");
  queue.give_back("a", Instant{500});
  BOOST_TEST((queue.next_wake() == Instant::never()));  // nobody waits for it
  BOOST_TEST(queue.take({}, 499) == "-");
  (void)queue.line().wait(waiting(1));
  BOOST_TEST((queue.next_wake() == Instant{500}));
  BOOST_TEST((!queue.next_in_line(Instant{499})));
  const auto served = queue.next_in_line(Instant{500});
  BOOST_REQUIRE(served.has_value());
  BOOST_TEST(served->second == "a");
}

BOOST_AUTO_TEST_CASE(who_waits_is_served_in_order_each_with_what_it_can_do) {
  Queue queue;
  (void)queue.line().wait(waiting(1, {"x"}));
  (void)queue.line().wait(waiting(2));
  (void)queue.line().wait(waiting(3, {"x"}));
  queue.put("plain");
  auto served = queue.next_in_line(Instant{0});
  BOOST_REQUIRE(served.has_value());
  BOOST_TEST((served->first.request == RequestId(1) && served->second == "plain"));
  queue.hold("plain");
  queue.put("special", 0, {"x"});
  served = queue.next_in_line(Instant{0});
  BOOST_REQUIRE(served.has_value());
  BOOST_TEST((served->first.request == RequestId(3)));  // the second can't do it
  queue.hold("special");
  // Who is silent for some seconds is passed over.
  queue.put("more");
  BOOST_TEST((!queue.next_in_line(Instant{5'000})));
  (void)queue.line().wait(waiting(2, {}, 5'000));
  BOOST_TEST(queue.next_in_line(Instant{5'000}).has_value());
}

// Against a list that is searched whole.
BOOST_AUTO_TEST_CASE(it_chooses_as_a_search_of_all_does) {
  struct Known {
    QueuedTask task;
    bool held = false;
    std::int64_t not_before = 0;
  };
  Prng random(11);
  Queue queue;
  std::map<std::string, Known> known;
  const auto some_names = [&] {
    Names names;
    for (const char* name : {"x", "y", "z"})
      if (random.chance(1, 3)) names.insert(name);
    return names;
  };
  std::size_t taken = 0;
  for (std::int64_t now = 1; now < 4'000; ++now) {
    const std::string id = "t" + std::to_string(random.below(30));
    const auto found = known.find(id);
    if (found == known.end()) {
      Known one;
      Names after;
      for (const auto& [other, ignored] : known)
        if (random.chance(1, 20)) after.insert(other);
      one.not_before = random.chance(1, 3) ? now + random.between(1, 50) : 0;
      queue.put(id, static_cast<std::int32_t>(random.between(-1, 1)), some_names(), after,
                one.not_before);
      one.task = {id, {}, 0, Revision(queue.added), after};
      known.emplace(id, one);
    } else if (found->second.held && random.chance(1, 2)) {
      queue.finish(id, true);
      for (auto& [other, one] : known) one.task.after.erase(id);
      known.erase(found);
    } else if (found->second.held) {
      found->second.held = false;
      found->second.not_before = random.chance(1, 2) ? now + random.between(1, 50) : 0;
      queue.give_back(id, Instant{found->second.not_before});
    } else {
      const std::string got = queue.take({"x", "y", "z"}, now);
      const bool any = std::ranges::any_of(known, [&](const auto& entry) {
        const Known& one = entry.second;
        return !one.held && one.not_before <= now && one.task.after.empty();
      });
      BOOST_TEST_REQUIRE((got != "-") == any);
      if (got == "-") continue;
      Known& one = known.at(got);
      BOOST_TEST_REQUIRE((!one.held && one.not_before <= now && one.task.after.empty()));
      one.held = true;
      ++taken;
    }
    queue.check_invariants();
  }
  BOOST_TEST(taken > 200u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
