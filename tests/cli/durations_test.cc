#include "cli/durations.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

BOOST_AUTO_TEST_CASE(a_duration_needs_a_number_and_a_unit) {
  BOOST_TEST(*parse_duration("250ms") == 250);
  BOOST_TEST(*parse_duration("5s") == 5'000);
  BOOST_TEST(*parse_duration("1.5s") == 1'500);
  BOOST_TEST(*parse_duration("2m") == 120'000);
  BOOST_TEST(*parse_duration("24h") == 86'400'000);
  BOOST_TEST(*parse_duration("7d") == 604'800'000);
  BOOST_TEST(*parse_duration("0s") == 0);
  for (const char* text :
       {"", "5", "s", "-1s", "5x", "5 s x", "nan s", "inf s", "1e9s", "99999999999d"})
    BOOST_TEST(!parse_duration(text), text);
  BOOST_TEST(parse_duration("5").error().text.contains("such as 250ms, 5s"));
}

BOOST_AUTO_TEST_CASE(a_size_may_have_a_unit) {
  BOOST_TEST(*parse_size("512") == 512U);
  BOOST_TEST(*parse_size("64KiB") == 65'536U);
  BOOST_TEST(*parse_size("64K") == 65'536U);
  BOOST_TEST(*parse_size("256MiB") == std::uint64_t{256} << 20);
  BOOST_TEST(*parse_size("1.5 GiB") == std::uint64_t{3} << 29);
  BOOST_TEST(*parse_size("1GB") == 1'000'000'000U);
  for (const char* text : {"", "MiB", "-1", "1XB", "9999999TiB"})
    BOOST_TEST(!parse_size(text), text);
}

BOOST_AUTO_TEST_CASE(people_read_them_back) {
  BOOST_TEST(duration_text(0) == "0 ms");
  BOOST_TEST(duration_text(999) == "999 ms");
  BOOST_TEST(duration_text(1'500) == "1.5 s");
  BOOST_TEST(duration_text(10'000) == "10 s");
  BOOST_TEST(duration_text(125'000) == "2 m 5 s");
  BOOST_TEST(duration_text(3 * 3'600'000 + 20 * 60'000) == "3 h 20 m");
  BOOST_TEST(duration_text(std::int64_t{3} * 86'400'000) == "3 d 0 h");
  BOOST_TEST(size_text(812) == "812 B");
  BOOST_TEST(size_text(2'150) == "2.1 KiB");
  BOOST_TEST(size_text(std::uint64_t{256} << 20) == "256 MiB");
  BOOST_TEST(size_text((1 << 20) - 1) == "1 MiB");
  BOOST_TEST(wall_text(0) == "1970-01-01T00:00:00.000Z");
  BOOST_TEST(wall_text(1'700'000'000'123) == "2023-11-14T22:13:20.123Z");
  BOOST_TEST(wall_text(-1) == "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace waggle::cli
