#include "cli/output.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

BOOST_AUTO_TEST_CASE(nobodys_value_moves_the_cursor_of_a_terminal) {
  BOOST_TEST(printable("plain grüße") == "plain grüße");
  BOOST_TEST(printable("a\nb\tc") == "a\\nb\\tc");
  BOOST_TEST(printable("\x1b[31mred") == "\\x1b[31mred");
  BOOST_TEST(printable("\xc2\x9b"
                       "31m") == "\\u009b31m");
  BOOST_TEST(printable("\xff") == "\\xff");
  BOOST_TEST(printable(std::string_view("\0", 1)) == "\\x00");
}

BOOST_AUTO_TEST_CASE(text_is_cut_between_characters) {
  BOOST_TEST(printable("abcdef", 3) == "abc...");
  BOOST_TEST(printable("aä", 2) == "a...");
  BOOST_TEST(printable("abc", 3) == "abc");
}

BOOST_AUTO_TEST_CASE(columns_are_aligned_by_characters) {
  BOOST_TEST(table({{"KEY", "V"}, {"ä", "1"}, {"long", "2"}}) == "KEY   V\nä     1\nlong  2\n");
}

}  // namespace
}  // namespace waggle::cli
