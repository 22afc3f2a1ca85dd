#pragma once

// What happened in a run: always as a fingerprint, so that two runs of one seed can be compared,
// and on request as lines for people (`--trace`). Also where a checker says what it found, and
// where injected faults are counted.
//
// One thread.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event.h"
#include "base/message.h"

namespace waggle::sim {

// All checkers that exist; what each watches is said in checkers.h, history.h and typed_effects.h.
// `recovery` and `equal` are in world.cc, `progress` is in random_world.cc.
inline constexpr std::string_view kCheckers[] = {
    "visible",  "revisions", "once",      "effects",   "sets",   "recovery",  "readers",
    "groups",   "views",     "outcomes",  "answers",   "lost",   "rounds",    "equal",
    "progress", "counters",  "extremes",  "unions",    "flags",  "siblings",  "edits",
    "fields",   "parked",    "ephemeral", "overruled", "claims", "decisions", "tasks",
    "order",    "stamps",    "links",     "limits"};

// The name of one of them: another one does not compile, so no checker can be forgotten in the list
// from which the planted bugs are asked for.
class CheckerName {
 public:
  consteval CheckerName(const char* name) : name_(name) {  // NOLINT: meant to be implicit
    if (std::find(std::begin(kCheckers), std::end(kCheckers), name_) == std::end(kCheckers))
      throw std::logic_error("no such checker: name it in kCheckers");
  }
  [[nodiscard]] constexpr std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

struct Finding {
  std::string checker;
  std::string text;
  std::int64_t at = 0;
};

class Story {
 public:
  explicit Story(bool told) : told_(told) {}

  void mix(std::uint64_t number) {
    fingerprint_ = (fingerprint_ ^ number) * 0x9e3779b97f4a7c15u;
    fingerprint_ ^= fingerprint_ >> 29;
  }
  // `text` is a function, called only when the story is told.
  template <typename Text>
  void note(std::int64_t at, std::uint64_t a, std::uint64_t b, Text&& text) {
    mix(static_cast<std::uint64_t>(at));
    mix(a);
    mix(b);
    if (told_) tell(at, text());
  }
  // A line for people, when the story is told.
  void say(const std::string& text) const {
    if (told_) std::printf("%s\n", text.c_str());
  }
  void found(CheckerName checker, std::int64_t at, std::string text);
  void count(const char* fault, std::uint64_t by = 1) { faults_[fault] += by; }

  [[nodiscard]] bool told() const { return told_; }
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& faults() const { return faults_; }

 private:
  static void tell(std::int64_t at, const std::string& text);

  const bool told_;
  std::uint64_t fingerprint_ = 0;
  std::vector<Finding> findings_;
  std::map<std::string, std::uint64_t> faults_;
};

// One line each, for people.
[[nodiscard]] std::string describe(const Message& message);
[[nodiscard]] std::string describe(const Delivery& delivery);
[[nodiscard]] std::string describe(const Mutation& mutation);

// A number that changes with what matters in a message.
[[nodiscard]] std::uint64_t fingerprint_of(const Message& message);

}  // namespace waggle::sim
