#pragma once

// One catalogue of outcomes for wire, library, program and logs. A code names what the caller
// should do; the text says what was expected, what came, and what to try next.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace waggle {

// DO NOT CHANGE the numbers: they travel on the wire and lie on disk.
enum class Code : std::uint8_t {
  kCommitted = 0,     // done, stored and published
  kDuplicate = 1,     // done before; the outcome is the original one
  kConflict = 2,      // somebody else's write stands; read it and decide
  kParked = 3,        // waits for a person
  kStale = 4,         // of another epoch or a forgotten writer; catch up and write again
  kGap = 5,           // an earlier mutation is missing; send from `expected`
  kOverloaded = 6,    // a bound was reached; wait and send again
  kUnavailable = 7,   // can't be done at present (disk full, shutting down); send again
  kUnknown = 8,       // may or may not have happened; read before you write again
  kRejected = 9,      // can never be done as asked; the text says why
  kDenied = 10,       // not allowed
  kNotFound = 11,     // no such key, swarm or agent
  kTimeout = 12,      // the time given was over first
  kUnsupported = 13,  // of a newer Waggle
  kCorrupt = 14,      // stored bytes are damaged
  kInternal = 15,     // a failure of this side
};

[[nodiscard]] std::string_view to_text(Code code);
// The exit code of the program for an outcome: 0 done, 1 failure, 3 not found, 4 conflict,
// 5 unreachable or try again, 6 timed out or unknown, 7 denied.
[[nodiscard]] int exit_code(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string text;
  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

[[nodiscard]] inline std::unexpected<Error> failed(Code code, std::string text) {
  return std::unexpected(Error{code, std::move(text)});
}

// How safe a committed write is. DO NOT CHANGE the numbers.
enum class Level : std::uint8_t {
  kNone = 0,     // nothing was stored
  kMemory = 1,   // in the coordinator's memory only (an in-memory store)
  kWritten = 2,  // given to the operating system, not yet synced
  kDurable = 3,  // synced to disk
};
[[nodiscard]] std::string_view to_text(Level level);

}  // namespace waggle
