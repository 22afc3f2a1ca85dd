#pragma once

// The values of Waggle's C++ API: plain structs, free to copy. Nothing here throws; whatever can
// fail gives Expected<T>, whose Failure says in `code` what the caller should do and in `text` what
// was expected, what came, and what to try next.

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace waggle {

// One catalogue for library, program, wire and logs. The numbers never change.
enum class StatusCode : std::uint8_t {
  kCommitted = 0,     // done, stored and published
  kDuplicate = 1,     // done before; the outcome is the original one
  kConflict = 2,      // somebody else's write stands; read it and decide
  kParked = 3,        // waits for a person
  kStale = 4,         // of another history; read and write again
  kGap = 5,           // never seen by users of the library
  kOverloaded = 6,    // a bound was reached; wait and try again
  kUnavailable = 7,   // can't be done at present (nobody there, disk full); try again
  kUnknown = 8,       // may or may not have happened; read before you write again
  kRejected = 9,      // can never be done as asked
  kDenied = 10,       // not allowed
  kNotFound = 11,     // no such key, swarm or agent
  kTimeout = 12,      // the time given was over first
  kUnsupported = 13,  // of a newer Waggle
  kCorrupt = 14,      // stored bytes are damaged
  kInternal = 15,     // a failure of this side
};
[[nodiscard]] std::string_view name_of(StatusCode code);

struct Failure {
  StatusCode code = StatusCode::kInternal;
  std::string text;
  friend bool operator==(const Failure&, const Failure&) = default;
};
template <typename T>
using Expected = std::expected<T, Failure>;

// How safe a committed write is.
enum class Durability : std::uint8_t {
  kNone = 0,     // nothing was stored
  kMemory = 1,   // in the coordinator's memory only
  kWritten = 2,  // given to the operating system, not yet synced
  kDurable = 3,  // synced to disk
};
[[nodiscard]] std::string_view name_of(Durability level);

// A position in the history of a swarm's state. Revisions rise by one with each commit; they
// compare only within one epoch, which is drawn anew when a coordinator's store was restored.
struct StateVersion {
  std::uint64_t epoch = 0;  // 0: nothing is held yet
  std::uint64_t revision = 0;
  // "EPOCH@REVISION", as `waggle delta --since` takes it.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const StateVersion&, const StateVersion&) = default;
};

// What each type means and when to choose it: docs/types.md.
enum class ItemType : std::uint8_t {
  kRegister = 1,
  kCounter = 2,
  kSet = 3,
  kMax = 4,
  kMin = 5,
  kOnceFlag = 6,
  kGrowCounter = 7,
  kResettableCounter = 8,
  kBoundedCounter = 9,
  kEnableFlag = 10,
  kDisableFlag = 11,
  kGrowSet = 12,
  kRemoveWinsSet = 13,
  kMultiRegister = 14,
  kMap = 15,
  kList = 16,
  kText = 17,
};
// "register", "counter", "set", ..., "shared-text".
[[nodiscard]] std::string_view name_of(ItemType type);
enum class ContentKind : std::uint8_t { kText = 1, kJson = 2, kBytes = 3 };

// What a max or min compares: all values of a key are of one kind.
using Comparable = std::variant<std::int64_t, std::uint64_t, double, std::string>;

// One of several values that were written at the same time, of a multi-register.
struct SiblingValue {
  ContentKind content = ContentKind::kText;
  std::string bytes;
  std::string writer;
};

// One key of a swarm's state, or one field of a map.
struct StateItem {
  std::string key;      // of a field: its name
  bool exists = false;  // false: absent, or in a change: deleted
  ItemType type = ItemType::kRegister;
  ContentKind content = ContentKind::kText;  // of a register
  std::string bytes;        // of a register, opaque to Waggle, or of a text: at most 1 MiB
  std::int64_t number = 0;  // of a counter; a grow-counter beyond 2^63 - 1 says that
  bool on = false;          // of a flag
  Comparable comparable;    // of a max or min
  std::vector<std::string> elements;              // of a set, sorted; of a list, in its order
  std::vector<SiblingValue> siblings;             // of a multi-register
  std::vector<StateItem> fields;                  // of a map, by name and type
  std::uint64_t free = 0;                         // of a bounded counter: what nobody reserved
  std::map<std::string, std::uint64_t> reserved;  // and who reserved how much
  std::uint64_t version = 0;       // revision of the commit that last changed it; 0: none did
  std::string writer;              // agent id; "~coordinator" for the result of a round
  std::int64_t commit_millis = 0;  // since 1970-01-01 UTC, by the coordinator's clock
  std::map<std::string, std::string> metadata;
  std::string receipt;   // hash of the key's newest receipt; empty: nothing was chosen yet
  bool pending = false;  // an own write that is not committed yet is counted in
  // Of a key of the class ephemeral: `version` counts the ephemeral changes since the coordinator's
  // start, not commits.
  bool ephemeral = false;
};
struct ItemList {
  StateVersion at;
  bool pending = false;  // of any of them
  std::vector<StateItem> items;
};

struct WriteTicket {
  std::uint64_t number = 0;
  friend bool operator==(const WriteTicket&, const WriteTicket&) = default;
};
// The answer to one write. A group commits as a whole or not at all.
struct WriteResult {
  StatusCode code = StatusCode::kInternal;
  Durability level = Durability::kNone;
  std::uint64_t revision = 0;  // of its commit; else the head when it was judged
  bool changed = false;        // false: it was committed and there was nothing to change
  std::string key;             // of the entry that decided a conflict or a rejection
  std::string conflict;        // with a conflict: "version_mismatch", "concurrent_update", ...
  std::uint64_t parked = 0;    // with kParked: the number of what waits, `waggle conflict show`
  std::string reason;          // otherwise, where there is one: "type_mismatch", "too_large", ...
  std::optional<StateItem>
      standing;  // with a conflict: what stands there; empty: the key is absent
  std::string text;
  [[nodiscard]] bool ok() const {
    return code == StatusCode::kCommitted || code == StatusCode::kDuplicate;
  }
};

// ---- full synchronisation ----------------------------------------------------------------------

enum class SyncPriority : std::uint8_t { kNormal = 0, kHigh = 1, kCritical = 2 };

struct SyncOptions {
  std::chrono::milliseconds timeout{0};       // 0: by priority (30, 10, 5 s), without one 10 s
  std::optional<SyncPriority> priority = {};  // the order among waiting rounds
};

enum class SyncOutcome : std::uint8_t {
  kResolved = 0,   // offers were settled
  kUnchanged = 1,  // nothing was in question
  kMoved = 2,      // commits came in between, twice; the value stands
  kNoQuorum = 3,   // no value is held by enough; the value stands
  kNoAgents = 4,   // no member is attached
  kTimeout = 5,    // members were asked, and not one answered
  kPartial = 6,    // a missing answer could have changed the decision
  kParked = 7,     // left to a person: `waggle conflict ls`
};
[[nodiscard]] std::string_view name_of(SyncOutcome outcome);

struct KeySync {
  std::string key;
  SyncOutcome outcome = SyncOutcome::kUnchanged;
  std::string strategy;
  std::uint64_t version = 0;  // of the key after the round
  std::string winner;         // the agent whose offer was taken; empty: nobody's
  std::uint32_t offers = 0;   // how the members answered
  std::uint32_t same = 0;
  std::uint32_t behind = 0;
  std::uint32_t absent = 0;
  std::uint32_t differs = 0;
};
struct SyncResult {
  SyncOutcome outcome = SyncOutcome::kUnchanged;  // the worst of the keys
  std::uint64_t round = 0;
  std::uint64_t head = 0;      // revision after the round
  std::uint32_t expected = 0;  // members that were asked
  std::vector<std::string> answered;
  std::vector<std::string> missing;
  std::vector<std::string> late;  // answered only after being asked again
  std::chrono::milliseconds elapsed{0};
  std::vector<KeySync> keys;
  std::string text;
  [[nodiscard]] bool settled() const {
    return outcome == SyncOutcome::kResolved || outcome == SyncOutcome::kUnchanged;
  }
};

// ---- catching up -------------------------------------------------------------------------------

// What changed between two positions: each key once, at its latest.
struct DeltaResult {
  StateVersion from;
  StateVersion to;
  bool snapshot = false;  // the whole state instead: nothing was held, or `from` is too old
  std::string text;       // why, where it is not plain
  std::vector<StateItem> changes;  // in the order of the commits; deleted keys have exists == false
  std::uint64_t bytes = 0;         // of the changes on the wire
};

}  // namespace waggle
