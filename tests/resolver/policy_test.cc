#include "resolver/policy.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"

namespace waggle {
namespace {

Policy policy_of(std::string prefix) {
  Policy policy;
  policy.prefix = std::move(prefix);
  return policy;
}

Policies policies_of(const std::vector<std::string>& prefixes) {
  Policies policies;
  for (const std::string& prefix : prefixes) BOOST_REQUIRE(policies.add(policy_of(prefix)));
  return policies;
}

void check_refused(Policy policy, std::string_view part) {
  Policies policies;
  const Status status = policies.add(std::move(policy));
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == Code::kRejected));
  BOOST_TEST(status.error().text.find(part) != std::string::npos, status.error().text);
}

BOOST_AUTO_TEST_SUITE(policy_test)

BOOST_AUTO_TEST_CASE(without_policies_every_key_has_the_default) {
  const Policies policies;
  for (const std::string_view key : {"", "a", "\xff\xff", "some/key"}) {
    const Policy& policy = policies.of(key);
    BOOST_TEST(policy.prefix.empty());
    BOOST_TEST((policy.strategy == Strategy::kLww && policy.otherwise == Strategy::kKeep));
    BOOST_TEST(policy.quorum.permille == 510U);
    BOOST_TEST((policy.late_write == LateWrite::kConflict));
    BOOST_TEST(!policy.type.has_value());
  }
}

BOOST_AUTO_TEST_CASE(the_longest_prefix_that_fits_is_the_policy) {
  const Policies policies = policies_of({"ab", "a", "abc", "b/", "abd"});
  const std::vector<std::pair<std::string_view, std::string_view>> rows = {
      {"", ""},       {"a", "a"},      {"a/", "a"},     {"ab", "ab"},  {"abb", "ab"},
      {"abc", "abc"}, {"abcz", "abc"}, {"abcd", "abc"}, {"abe", "ab"}, {"ac", "a"},
      {"b", ""},      {"b/", "b/"},    {"b/x", "b/"},   {"b0", ""},    {"z", ""},
      {"A", ""},      {"abd!", "abd"}, {"aa", "a"},     {"b.", ""}};
  for (const auto& [key, prefix] : rows) BOOST_TEST(policies.of(key).prefix == prefix, key);
}

BOOST_AUTO_TEST_CASE(bytes_above_ascii_are_compared_unsigned) {
  const Policies policies = policies_of({"\xc3", "\xc3\xa9", "z"});
  BOOST_TEST(policies.of("\xc3\xa9t\xc3\xa9").prefix == "\xc3\xa9");
  BOOST_TEST(policies.of("\xc3\xbc").prefix == "\xc3");
  BOOST_TEST(policies.of("\xc4").prefix.empty());
}

BOOST_AUTO_TEST_CASE(random_policies_agree_with_a_search_of_all_of_them) {
  Prng prng(11);
  const auto text = [&prng](std::uint64_t longest) {
    std::string drawn(prng.below(longest + 1), ' ');
    for (char& c : drawn) c = "abz\xff"[prng.below(4)];
    return drawn;
  };
  for (int run = 0; run < 500; ++run) {
    Policies policies;
    std::vector<std::string> prefixes = {""};
    for (std::uint64_t n = prng.below(20); n > 0; --n) {
      const std::string prefix = text(5);
      if (policies.add(policy_of(prefix))) prefixes.push_back(prefix);
    }
    for (int i = 0; i < 50; ++i) {
      const std::string key = text(8);
      std::string longest;
      for (const std::string& prefix : prefixes)
        if (key.starts_with(prefix) && prefix.size() > longest.size()) longest = prefix;
      BOOST_REQUIRE(policies.of(key).prefix == longest);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_default_may_be_given_once) {
  Policies policies;
  Policy all;
  all.strategy = Strategy::kKeep;
  BOOST_REQUIRE(policies.add(all));
  BOOST_TEST((policies.of("anything").strategy == Strategy::kKeep));
  all.strategy = Strategy::kQuorum;
  BOOST_TEST(!policies.add(all));
  BOOST_TEST((policies.of("anything").strategy == Strategy::kKeep));
}

BOOST_AUTO_TEST_CASE(a_prefix_given_twice_is_refused_and_the_first_stays) {
  Policies policies;
  Policy first = policy_of("a");
  first.strategy = Strategy::kKeep;
  BOOST_REQUIRE(policies.add(first));
  const Status second = policies.add(policy_of("a"));
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == Code::kRejected));
  BOOST_TEST(second.error().text.find("'a'") != std::string::npos);
  BOOST_TEST((policies.of("ab").strategy == Strategy::kKeep));
}

BOOST_AUTO_TEST_CASE(a_rule_that_contradicts_itself_is_refused) {
  for (const std::uint32_t permille : {0U, 1U, 500U, 1001U, 4'000'000'000U}) {
    Policy policy = policy_of("votes/");
    policy.quorum.permille = permille;
    check_refused(policy, "quorum");
  }
  Policy circular = policy_of("votes/");
  circular.otherwise = Strategy::kQuorum;
  check_refused(circular, "otherwise");
  for (const std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    Policy policy = policy_of("votes/");
    policy.timeout_millis = timeout;
    check_refused(policy, "timeout");
  }
  check_refused(policy_of(std::string(limits::kKeyBytes + 1, 'k')), "1024");
}

BOOST_AUTO_TEST_CASE(the_ends_of_what_is_allowed_are_allowed) {
  Policies policies;
  Policy least = policy_of("a");
  least.quorum.permille = 501;
  least.timeout_millis = 1;
  BOOST_TEST(policies.add(least).has_value());
  Policy most = policy_of(std::string(limits::kKeyBytes, 'k'));
  most.quorum.permille = 1000;
  BOOST_TEST(policies.add(most).has_value());
}

BOOST_AUTO_TEST_CASE(a_refused_policy_changes_nothing) {
  Policies policies;
  Policy bad;
  bad.quorum.permille = 500;
  BOOST_TEST(!policies.add(bad));
  BOOST_TEST(policies.add(Policy{}).has_value());
}

BOOST_AUTO_TEST_CASE(strategies_have_texts_that_are_read_back) {
  for (const Strategy strategy :
       {Strategy::kLww, Strategy::kQuorum, Strategy::kKeep, Strategy::kFww, Strategy::kVector,
        Strategy::kMerge, Strategy::kManual, Strategy::kCustom}) {
    const Result<Strategy> read = strategy_of(to_text(strategy));
    BOOST_REQUIRE(read);
    BOOST_TEST((*read == strategy));
  }
  for (const std::string_view text : {"", "LWW", "hand", "unrecognised"}) {
    const Result<Strategy> read = strategy_of(text);
    BOOST_REQUIRE(!read);
    BOOST_TEST(read.error().text.find("one of lww, fww, vector, quorum") != std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
