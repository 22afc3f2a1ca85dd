// Snapshots through a socket file: all of it or an error, on whichever side something ends.

#include "io/snapshot_socket.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace waggle::test {
namespace {

namespace fs = std::filesystem;

struct Directory {
  Directory() {
    std::string name = fs::temp_directory_path() / "waggle-socket-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path = name;
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  [[nodiscard]] std::string file() const { return path + "/sock"; }
  [[nodiscard]] std::unique_ptr<SnapshotSocket> open(SnapshotSocket::Make make) const {
    auto opened = SnapshotSocket::open(path, "sock", std::move(make));
    BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().text);
    return std::move(*opened);
  }
  [[nodiscard]] Status fetch(std::string& out) const {
    return fetch_snapshot(path, "sock", [&](std::string_view bytes) -> Status {
      out += bytes;
      return {};
    });
  }

  std::string path;
};

// Larger than all buffers in between.
std::string large() {
  std::string bytes(std::size_t{5} << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i >> 7);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot_socket)

BOOST_FIXTURE_TEST_CASE(all_bytes_come_in_their_order, Directory) {
  const std::string bytes = large();
  const auto socket = open([&](const ByteSink& sink) -> Status {
    if (Status sent = sink("begins "); !sent) return sent;
    if (Status sent = sink(""); !sent) return sent;
    return sink(bytes);
  });
  for (int i = 0; i < 3; ++i) {
    std::string got;
    const Status fetched = fetch(got);
    BOOST_REQUIRE_MESSAGE(fetched.has_value(), fetched.error().text);
    BOOST_TEST((got == "begins " + bytes));
  }
}

BOOST_FIXTURE_TEST_CASE(several_callers_are_served_one_after_the_other, Directory) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  const auto socket = open([&](const ByteSink& sink) -> Status {
    most = std::max<int>(most, ++at_once);
    Status sent = sink(std::string(100'000, 'x'));
    --at_once;
    return sent;
  });
  std::atomic<int> whole = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      std::string got;
      if (fetch(got) && got.size() == 100'000) ++whole;
    });
  for (std::thread& caller : callers) caller.join();
  BOOST_TEST(whole == 4);
  BOOST_TEST(most == 1);
}

BOOST_FIXTURE_TEST_CASE(what_failed_is_told_with_its_code, Directory) {
  const auto socket = open([&](const ByteSink& sink) -> Status {
    if (Status sent = sink("half of it"); !sent) return sent;
    return failed(Code::kCorrupt, "a damaged row");
  });
  std::string got;
  const Status fetched = fetch(got);
  BOOST_REQUIRE(!fetched.has_value());
  BOOST_TEST((fetched.error().code == Code::kCorrupt));
  BOOST_TEST(fetched.error().text == "a damaged row");
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_refuses_bytes_ends_it_on_both_sides, Directory) {
  std::atomic<bool> ended = false;
  const std::string bytes = large();
  const auto socket = open([&](const ByteSink& sink) -> Status {
    Status sent;
    while (sent) sent = sink(bytes);
    ended = true;
    return sent;
  });
  const Status fetched = fetch_snapshot(
      path, "sock", [](std::string_view) { return failed(Code::kUnavailable, "disk full"); });
  BOOST_TEST(fetched.error().text == "disk full");
  while (!ended) std::this_thread::yield();
  std::string got;  // and the next one is served
  BOOST_TEST(!fetch_snapshot(path, "sock", [](std::string_view) {
                return failed(Code::kUnavailable, "again");
              }).has_value());
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_coordinator_is_no_end_of_a_snapshot, Directory) {
  std::atomic<bool> began = false;
  const std::string bytes = large();
  auto socket = open([&](const ByteSink& sink) -> Status {
    Status sent;
    while (sent) {
      sent = sink(bytes);
      began = true;
    }
    return sent;
  });
  std::thread ends([&] {
    while (!began) std::this_thread::yield();
    socket.reset();
  });
  std::string got;
  const Status fetched = fetch_snapshot(path, "sock", [](std::string_view) { return Status(); });
  ends.join();
  BOOST_REQUIRE(!fetched.has_value());
  BOOST_TEST(!fs::exists(file()));
  BOOST_TEST((fetch(got).error().code == Code::kUnavailable));
}

BOOST_FIXTURE_TEST_CASE(a_socket_that_was_left_is_replaced_and_is_its_owners_alone, Directory) {
  std::ofstream(file()) << "left";
  const mode_t before = umask(0);
  const auto socket = open([](const ByteSink& sink) { return sink("x"); });
  umask(before);
  struct stat info{};
  BOOST_REQUIRE(stat(file().c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777) == 0600U);
  std::string got;
  BOOST_TEST(fetch(got).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_long_path_is_reached_all_the_same, Directory) {
  const std::string whole = path;
  path += "/" + std::string(200, 'd');
  fs::create_directory(path);
  {
    const auto socket = open([](const ByteSink& sink) { return sink("x"); });
    std::string got;
    const Status fetched = fetch(got);
    BOOST_TEST(fetched.has_value());
    BOOST_TEST(got == "x");
  }
  path = whole;
}

BOOST_FIXTURE_TEST_CASE(where_nobody_listens_is_an_error, Directory) {
  std::string got;
  BOOST_TEST((fetch(got).error().code == Code::kUnavailable));
  BOOST_TEST(
      (SnapshotSocket::open(path + "/absent", "sock", {}).error().code == Code::kUnavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
