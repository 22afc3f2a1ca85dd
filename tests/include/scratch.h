#pragma once

// What the tests of the public API share: a temporary directory, waiting with a generous deadline,
// and values out of Expected with the failure's text in the report.

#include <chrono>
#include <concepts>
#include <cstdlib>
#include <expected>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>
#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

namespace waggle::test {

// Generous: nothing here asserts how fast something is.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(60);

template <std::predicate Done>
bool eventually(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// The value; ends the case with the failure's text when there is none.
template <typename T, typename E>
T take(std::expected<T, E> result) {
  const std::string text = result ? std::string() : result.error().text;
  BOOST_REQUIRE_MESSAGE(result.has_value(), text);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
// A write that is committed.
inline WriteResult committed(Expected<WriteResult> result) {
  WriteResult taken = take(std::move(result));
  BOOST_REQUIRE_MESSAGE(taken.ok(), std::string(name_of(taken.code)) << ": " << taken.text);
  return taken;
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "waggle-api-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<StateSynchronizer> serve(SynchronizerConfig config = {}) {
  return take(StateSynchronizer::open(config));
}
// Attached, with the state in hand.
inline std::unique_ptr<SwarmAgent> join(const AgentConfig& config, AgentEvents events = {}) {
  auto agent = take(SwarmAgent::open(config, std::move(events)));
  take(agent->wait_attached(kPatience));
  return agent;
}
inline AgentConfig member(const StateSynchronizer& hive, std::string id) {
  return {.coordinator = hive.endpoint(), .swarm = "bees", .agent = std::move(id)};
}

}  // namespace waggle::test
