#include "cli/access_log.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

struct Scratch {
  std::filesystem::path directory;
  Scratch() {
    std::string path = (std::filesystem::temp_directory_path() / "waggle-log-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(path.data()) != nullptr);
    directory = path;
  }
  ~Scratch() { std::filesystem::remove_all(directory); }
  [[nodiscard]] std::string file(const char* name) const { return directory / name; }
  [[nodiscard]] std::string text(const char* name) const {
    std::ostringstream text;
    text << std::ifstream(file(name)).rdbuf();
    return text.str();
  }
};

AccessNote note(std::int64_t at, const std::string& why) {
  AccessNote note;
  note.wall_millis = at;
  note.agent = "a\"b";
  note.what = "write";
  note.on = "plan/a";
  note.why = why;
  return note;
}

BOOST_AUTO_TEST_CASE(a_note_is_one_line_and_what_is_not_known_is_absent) {
  const Scratch scratch;
  {
    auto log = AccessLog::open(scratch.file("log"));
    BOOST_REQUIRE(log);
    (*log)->add(note(0, "line\nbreak"));
  }
  BOOST_TEST(scratch.text("log") ==
             "{\"at\":\"1970-01-01T00:00:00.000Z\",\"refused\":true,\"agent\":\"a\\\"b\","
             "\"what\":\"write\",\"on\":\"plan/a\",\"why\":\"line\\nbreak\"}\n");
  // Added to, after a restart too; for its owner only.
  {
    auto log = AccessLog::open(scratch.file("log"));
    (*log)->add(note(1, "second"));
  }
  BOOST_TEST(scratch.text("log").find("line\\nbreak") != std::string::npos);
  BOOST_TEST(scratch.text("log").find("second") != std::string::npos);
  BOOST_TEST((std::filesystem::status(scratch.file("log")).permissions() ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
}

BOOST_AUTO_TEST_CASE(a_full_file_moves_on_and_the_oldest_goes) {
  const Scratch scratch;
  auto log = AccessLog::open(scratch.file("log"), {.file_bytes = 100, .files = 3});
  for (int i = 0; i < 5; ++i) (*log)->add(note(i * 1'000, "number " + std::to_string(i)));
  BOOST_TEST(scratch.text("log").find("number 4") != std::string::npos);
  BOOST_TEST(scratch.text("log.1").find("number 3") != std::string::npos);
  BOOST_TEST(scratch.text("log.2").find("number 2") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(scratch.file("log.3")));
}

BOOST_AUTO_TEST_CASE(a_flood_is_counted_and_not_written) {
  const Scratch scratch;
  auto log = AccessLog::open(scratch.file("log"), {.lines_a_second = 3});
  for (int i = 0; i < 10; ++i) (*log)->add(note(5'000 + i, "flood"));
  (*log)->add(note(6'000, "after"));
  const std::string text = scratch.text("log");
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 5);
  BOOST_TEST(text.find("\"left_out\":7") != std::string::npos);
  BOOST_TEST(text.find("after") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_opened_is_said) {
  const auto log = AccessLog::open("/nowhere/at/all");
  BOOST_REQUIRE(!log);
  BOOST_TEST(log.error().text.find("/nowhere/at/all") != std::string::npos);
}

}  // namespace
}  // namespace waggle::cli
