#include "cli/line_reader.h"

#include <vector>

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

std::string lines(std::size_t bytes_max, const std::vector<std::string>& pieces) {
  LineReader reader(bytes_max);
  std::string text;
  const auto take = [&text](const std::optional<std::string>& line) {
    text += line ? "[" + *line + "]" : "[too long]";
  };
  for (const std::string& piece : pieces) reader.feed(piece, take);
  reader.finish(take);
  return text;
}

BOOST_AUTO_TEST_CASE(lines_come_whole_however_the_bytes_arrive) {
  BOOST_TEST(lines(10, {"a\nb\n"}) == "[a][b]");
  BOOST_TEST(lines(10, {"a", "b", "\n", "\n", "c"}) == "[ab][][c]");
  BOOST_TEST(lines(10, {}).empty());
  BOOST_TEST(lines(10, {"a\n"}) == "[a]");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_one_and_the_next_is_whole) {
  BOOST_TEST(lines(3, {"abc\nabcd\nabc\n"}) == "[abc][too long][abc]");
  BOOST_TEST(lines(3, {"ab", "cd", "e", "f\nx\n"}) == "[too long][x]");
  BOOST_TEST(lines(3, {"abcd"}) == "[too long]");
}

}  // namespace
}  // namespace waggle::cli
