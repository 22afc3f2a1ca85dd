// Claims as a user of the library sees them.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;
using std::chrono::milliseconds;

namespace {

// What callbacks told, to wait for.
struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> lines;

  void add(std::string line) {
    const std::lock_guard lock(mutex);
    lines.push_back(std::move(line));
    changed.notify_all();
  }
  [[nodiscard]] bool wait_for(const std::string& line) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience,
                            [&] { return std::ranges::find(lines, line) != lines.end(); });
  }
};

AgentEvents heard_by(Told& told) {
  AgentEvents events;
  events.on_claim_lost = [&](const LostClaim& lost) { told.add("lost " + lost.pattern); };
  events.on_leader = [&](const LeaderChange& change) {
    told.add(change.name + " is led by " + (change.leader.empty() ? "nobody" : change.leader));
  };
  events.on_claim_gained = [&](const HeldClaim& held) {
    told.add("gained " + held.pattern + " " + held.checkpoint.value_or("-"));
  };
  return events;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_holds_the_claim_writes_and_others_do_not) {
  const auto hive = serve();
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"));
  const HeldClaim held = take(ada->claim("plan/*"));
  BOOST_TEST((held.token > 0 && held.ttl == milliseconds(30'000) && !held.checkpoint));
  committed(ada->commit(WriteGroup().put("plan/a", "1"), kPatience));
  const WriteResult refused = take(bob->commit(WriteGroup().put("plan/a", "2"), kPatience));
  BOOST_TEST((refused.code == StatusCode::kDenied));
  BOOST_TEST(refused.reason == "claimed");
  BOOST_TEST(take(ada->get("plan/a")).bytes == "1");

  const auto none = bob->claim("plan/a");
  BOOST_TEST((!none && none.error().code == StatusCode::kConflict));
  const auto late = bob->claim("plan/a", {.wait = milliseconds(100)});
  BOOST_TEST((!late && late.error().code == StatusCode::kTimeout));
  (void)take(ada->renew_claim("plan/*", "half"));
  // What bob knows of it is its own copy.
  BOOST_TEST(eventually(
      [&] { return take(bob->claim_state("plan/*")).checkpoint.value_or("") == "half"; }));
  const ClaimState state = take(bob->claim_state("plan/*"));
  BOOST_TEST((state.held && state.holder == "ada" && state.token == held.token));
  BOOST_TEST(ada->release_claim("plan/*").has_value());
  BOOST_TEST(take(bob->claim("plan/a")).token > held.token);
  BOOST_TEST((ada->release_claim("plan/*").error().code == StatusCode::kRejected));
  BOOST_TEST((ada->claim("*").error().code == StatusCode::kRejected));
  BOOST_TEST((ada->claim("k", {.ttl = milliseconds(1)}).error().code == StatusCode::kRejected));
}

BOOST_AUTO_TEST_CASE(a_claim_is_handed_over_and_lost_ones_are_told) {
  const auto hive = serve();
  Told ada_heard;
  Told bob_heard;
  const auto ada = join(member(*hive, "ada"), heard_by(ada_heard));
  const auto bob = join(member(*hive, "bob"), heard_by(bob_heard));
  (void)take(ada->claim("leader/planner"));
  BOOST_TEST(
      (ada->hand_over_claim("leader/planner", "nobody").error().code == StatusCode::kNotFound));
  BOOST_TEST(ada->hand_over_claim("leader/planner", "bob", "at step 3").has_value());
  BOOST_TEST(bob_heard.wait_for("gained leader/planner at step 3"));
  committed(bob->commit(WriteGroup().put("leader/planner", "me"), kPatience));
  for (Told* heard : {&ada_heard, &bob_heard}) {
    BOOST_TEST(heard->wait_for("planner is led by ada"));
    BOOST_TEST(heard->wait_for("planner is led by bob"));
  }
  // One that is not renewed is lost with its time.
  (void)take(ada->claim("brief", {.ttl = milliseconds(200), .renew = false}));
  BOOST_TEST(ada_heard.wait_for("lost brief"));
  // With its holder it goes, to whoever waits.
  BOOST_TEST(bob->leave().has_value());
  BOOST_TEST(ada_heard.wait_for("planner is led by nobody"));
  BOOST_TEST(take(ada->claim("leader/planner", {.wait = kPatience})).checkpoint.value_or("") ==
             "at step 3");
}
