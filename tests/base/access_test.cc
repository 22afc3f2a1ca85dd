#include "base/access.h"

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

AccessRule rule(std::vector<std::string> agents, std::vector<Act> allow,
                std::vector<std::string> keys = {"*"}, std::vector<std::string> swarms = {"*"}) {
  return {.agents = std::move(agents),
          .swarms = std::move(swarms),
          .keys = std::move(keys),
          .allow = std::move(allow)};
}
AccessRules rules(std::vector<AccessRule> all) {
  AccessRules made;
  for (AccessRule& one : all) BOOST_REQUIRE(made.add(std::move(one)));
  return made;
}
RightsPtr of(const AccessRules& rules, const char* agent, const char* swarm = "s") {
  return rules.of(AgentId(agent), SwarmId(swarm));
}

BOOST_AUTO_TEST_CASE(without_a_rule_everything_and_with_one_only_what_it_says) {
  BOOST_TEST(of(AccessRules(), "a")->everything(Act::kAdminister));
  BOOST_TEST(of(AccessRules(), "a")->view() == 0u);
  const AccessRules some = rules({rule({"planner"}, {Act::kRead, Act::kWrite}, {"plan/*"})});
  BOOST_TEST(of(some, "planner")->allows(Act::kRead, "plan/a"));
  BOOST_TEST(of(some, "planner")->allows(Act::kWrite, "plan/a/b"));
  BOOST_TEST(!of(some, "planner")->allows(Act::kWrite, "plans"));
  BOOST_TEST(!of(some, "planner")->allows(Act::kVote, "plan/a"));
  BOOST_TEST(!of(some, "scout")->allows(Act::kRead, "plan/a"));
  BOOST_TEST(of(some, "scout")->nothing(Act::kRead));
}

BOOST_AUTO_TEST_CASE(rules_add_up_by_pattern_role_and_swarm) {
  AccessRules some =
      rules({rule({"w-*"}, {Act::kRead}, {"a/*"}), rule({"w-1"}, {Act::kRead}, {"b"}),
             rule({"*"}, {Act::kClaim}, {"*"}, {"other"})});
  AccessRule of_role;
  of_role.members = {AgentId("w-1"), AgentId("boss")};
  of_role.allow = {Act::kWrite};
  BOOST_REQUIRE(some.add(of_role));
  BOOST_TEST(of(some, "w-1")->allows(Act::kRead, "a/x"));
  BOOST_TEST(of(some, "w-1")->allows(Act::kRead, "b"));
  BOOST_TEST(!of(some, "w-2")->allows(Act::kRead, "b"));
  BOOST_TEST(of(some, "boss")->everything(Act::kWrite));
  BOOST_TEST(!of(some, "w-2")->allows(Act::kWrite, "a/x"));
  BOOST_TEST(!of(some, "w-2")->allows(Act::kClaim, "a/x"));
  BOOST_TEST(of(some, "w-2", "other")->allows(Act::kClaim, "a/x"));
}

// An id is no pattern: an agent that calls itself "*" is not everybody.
BOOST_AUTO_TEST_CASE(members_of_roles_are_names_and_not_patterns) {
  AccessRules some;
  AccessRule of_role;
  of_role.members = {AgentId("*")};
  of_role.allow = {Act::kRead};
  BOOST_REQUIRE(some.add(of_role));
  BOOST_TEST(!of(some, "a")->allows(Act::kRead, "k"));
  BOOST_TEST(some.of_all(SwarmId("s"))->nothing(Act::kRead));
}

BOOST_AUTO_TEST_CASE(what_is_open_to_all_is_what_everybody_was_given) {
  const AccessRules some =
      rules({rule({"*"}, {Act::kRead}, {"open/*"}), rule({"a"}, {Act::kRead}, {"closed/*"}),
             rule({"a*"}, {Act::kRead}, {"half/*"})});
  const RightsPtr all = some.of_all(SwarmId("s"));
  BOOST_TEST(all->allows(Act::kRead, "open/x"));
  BOOST_TEST(!all->allows(Act::kRead, "closed/x"));
  BOOST_TEST(!all->allows(Act::kRead, "half/x"));
  BOOST_TEST(of(some, "a")->allows(Act::kRead, "closed/x"));
  BOOST_TEST(of(some, "zoe")->view() == all->view());
  BOOST_TEST(of(some, "a")->view() != all->view());
}

BOOST_AUTO_TEST_CASE(a_view_names_what_may_be_read_and_nothing_else) {
  const AccessRules some =
      rules({rule({"a", "b"}, {Act::kRead}, {"x", "y"}), rule({"b"}, {Act::kWrite}, {"z"}),
             rule({"c"}, {Act::kRead}, {"y", "x", "x"}), rule({"d"}, {Act::kRead}, {"x"}),
             rule({"e"}, {Act::kRead}, {"**"})});
  BOOST_TEST(of(some, "a")->view() == of(some, "b")->view());
  BOOST_TEST(of(some, "a")->view() == of(some, "c")->view());
  BOOST_TEST(of(some, "a")->view() != of(some, "d")->view());
  BOOST_TEST(of(some, "e")->view() == 0u);
  BOOST_TEST(of(some, "nobody")->view() != 0u);
}

BOOST_AUTO_TEST_CASE(a_pattern_is_covered_only_as_a_whole) {
  const AccessRules some = rules({rule({"a"}, {Act::kClaim}, {"plan/*", "x?"})});
  const RightsPtr rights = of(some, "a");
  BOOST_TEST(rights->covers(Act::kClaim, "plan/*"));
  BOOST_TEST(rights->covers(Act::kClaim, "plan/a*"));
  BOOST_TEST(rights->covers(Act::kClaim, "plan/?"));
  BOOST_TEST(rights->covers(Act::kClaim, "x?"));
  BOOST_TEST(rights->covers(Act::kClaim, "xy"));
  BOOST_TEST(!rights->covers(Act::kClaim, "*"));
  BOOST_TEST(!rights->covers(Act::kClaim, "plan*"));
  BOOST_TEST(!rights->covers(Act::kClaim, "?lan/*"));
  BOOST_TEST(!rights->covers(Act::kClaim, "x*"));
}

BOOST_AUTO_TEST_CASE(a_rule_is_for_somebody_and_allows_something) {
  AccessRules some;
  BOOST_TEST(!some.add(rule({}, {Act::kRead})));
  BOOST_TEST(!some.add(rule({"a"}, {})));
  BOOST_TEST(some.empty());
  for (std::size_t act = 0; act < kActs; ++act)
    BOOST_TEST((act_of(to_text(static_cast<Act>(act))) == static_cast<Act>(act)));
  BOOST_TEST(!act_of("rule").has_value());
}

}  // namespace
}  // namespace waggle
