#include "cli/on_change.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

void wait_until_idle(OnChange& hook) {
  for (int i = 0; i < 1'000 && !hook.idle(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_TEST(hook.idle());
}

Json line(const char* text) {
  Json json;
  return json.set("text", text);
}

BOOST_AUTO_TEST_CASE(the_command_gets_the_change_and_its_key_in_order) {
  char path[] = "/tmp/waggle-on-change-XXXXXX";
  BOOST_REQUIRE(mkstemp(path) >= 0);
  {
    OnChange hook("echo \"$WAGGLE_SWARM $WAGGLE_KEY $WAGGLE_REVISION $(cat)\" >> \"$OUT\"",
                  {{"WAGGLE_SWARM", "s"}, {"OUT", path}}, [] {});
    hook.add("a", 1, line("one"));
    hook.add("b", 2, line("two"));
    wait_until_idle(hook);
    BOOST_TEST(hook.take_reports().empty());
  }
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  BOOST_TEST(content.str() == "s a 1 {\"text\":\"one\"}\ns b 2 {\"text\":\"two\"}\n");
  std::remove(path);
}

BOOST_AUTO_TEST_CASE(a_run_that_fails_is_reported) {
  OnChange hook("exit 7", {}, [] {});
  hook.add("k", 3, line("x"));
  wait_until_idle(hook);
  const auto reports = hook.take_reports();
  BOOST_REQUIRE(reports.size() == 1U);
  BOOST_TEST(reports[0].dump() ==
             R"({"event":"on_change_failed","key":"k","revision":3,"exit":7})");
}

BOOST_AUTO_TEST_CASE(the_oldest_is_dropped_when_too_many_wait) {
  OnChange hook("sleep 60", {}, [] {});
  for (std::size_t i = 0; i < OnChange::kQueueMax + 10; ++i) hook.add("k", i, line("x"));
  const auto reports = hook.take_reports();
  BOOST_REQUIRE(reports.size() == 1U);
  BOOST_TEST(reports[0].dump().contains("on_change_lagged"));
  BOOST_TEST(hook.stop() >= OnChange::kQueueMax);
}

BOOST_AUTO_TEST_CASE(stopping_ends_a_command_and_what_it_started) {
  const auto begin = std::chrono::steady_clock::now();
  {
    OnChange hook("trap '' TERM; sleep 60 & wait; sleep 60", {}, [] {});
    hook.add("k", 1, line("x"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(30)));
}

}  // namespace
}  // namespace waggle::cli
