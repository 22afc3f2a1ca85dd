#include "cli/nearest.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

const std::vector<std::string> kNames = {"listen", "data", "durability", "heartbeat", "timeout"};

BOOST_AUTO_TEST_CASE(distance_counts_single_letters_and_swaps) {
  BOOST_TEST(edit_distance("", "") == 0U);
  BOOST_TEST(edit_distance("", "abc") == 3U);
  BOOST_TEST(edit_distance("listen", "listen") == 0U);
  BOOST_TEST(edit_distance("lisen", "listen") == 1U);
  BOOST_TEST(edit_distance("lsiten", "listen") == 1U);
  BOOST_TEST(edit_distance("kitten", "sitting") == 3U);
}

BOOST_AUTO_TEST_CASE(the_nearest_name_is_proposed_and_only_when_it_is_near) {
  BOOST_TEST(nearest("lisen", kNames) == "listen");
  BOOST_TEST(nearest("dtaa", kNames) == "data");
  BOOST_TEST(nearest("heart", kNames) == "heartbeat");
  BOOST_TEST(nearest("durabilty", kNames) == "durability");
  BOOST_TEST(nearest("xyzzy", kNames).empty());
  BOOST_TEST(nearest("", kNames).empty());
  BOOST_TEST(nearest(std::string(1'000, 'a'), kNames).empty());
  BOOST_TEST(did_you_mean("timout", kNames) == ", did you mean 'timeout'?");
  BOOST_TEST(did_you_mean("qqq", kNames).empty());
}

}  // namespace
}  // namespace waggle::cli
