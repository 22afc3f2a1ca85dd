#pragma once

// Whether what clients saw of one register can have happened one after another, each at some moment
// between its call and its return: linearizability (Herlihy and Wing, 1990). Keys are independent
// of each other, so a history of several keys is linearizable if each of its keys is.
//
// The register holds a value with a version, which is the revision of the commit that wrote it.
// Every value is written once in a history, so that it says whose it is.
//
// The search is Wing and Gong's, 1993, over calls and returns in their order, with Lowe's memory of
// what was tried ("Testing for linearizability", 2017).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace waggle::linearizability {

// Never returned: nobody knows whether it had an effect, then or later.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

struct Operation {
  enum class Kind : std::uint8_t {
    kRead,    // gave `value` and `version`; version 0: there was none
    kWrite,   // of `value`, whatever was there; gave `version`
    kSwap,    // of `value` where the version was `expected`; gave `version`
    kNoSwap,  // refused, since the version was not `expected`
  };
  Kind kind = Kind::kRead;
  std::int64_t called = 0;
  std::int64_t returned = kNever;  // kWrite and kSwap only: unknown outcome
  std::string value;
  std::uint64_t version = 0;  // of an unknown outcome: 0
  std::uint64_t expected = 0;
  std::string client;  // for people
};

enum class Verdict : std::uint8_t { kLinearizable, kNot, kGaveUp };

struct Answer {
  Verdict verdict = Verdict::kLinearizable;
  std::string text;  // of kNot: the operation that can't be placed, and what stood there at best
  std::size_t steps = 0;
};

// REQUIRES: called <= returned in each.
[[nodiscard]] Answer check(std::vector<Operation> operations, std::size_t steps_max = 5'000'000);

[[nodiscard]] std::string to_text(const Operation& operation);

}  // namespace waggle::linearizability
