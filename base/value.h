#pragma once

// What a key holds. A register is opaque bytes with a content type: Waggle stores, compares and
// forwards it and never looks inside. A counter and a set merge: two agents that add at the same
// time are both counted.
//
// The coordinator is the only actor of committed state, so a counter is one total (each increment
// is applied exactly once) and a set is ORSWOT without tombstones (Bieniusa et al., "An optimized
// conflict-free replicated set", 2012) whose dots are commits: metadata never grows with the number
// of agents that ever wrote, only with the live elements.
//
// Invariant: an element of a set has at least one dot; its dots are sorted and unique.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"

namespace waggle {

// DO NOT CHANGE the numbers of these two: wire, disk and digests carry them. 4 and up are kept for
// the types of the full library (flags, max and min, multi-value register, map, list, text).
enum class ValueType : std::uint8_t { kRegister = 1, kCounter = 2, kOrSet = 3 };
enum class ContentType : std::uint8_t { kText = 1, kJson = 2, kBytes = 3 };

[[nodiscard]] std::string_view to_text(ValueType type);
[[nodiscard]] std::string_view to_text(ContentType type);

struct Register {
  ContentType content = ContentType::kText;
  std::string bytes;
  friend bool operator==(const Register&, const Register&) = default;
};

struct Counter {
  std::int64_t total = 0;
  friend bool operator==(const Counter&, const Counter&) = default;
};

// Which mutation of whom.
struct Writer {
  AgentId agent;
  Incarnation incarnation;
  Seq seq;
  friend auto operator<=>(const Writer&, const Writer&) = default;
};

// One committed addition to a set: unique by (revision, index), given by the coordinator.
struct Dot {
  Revision revision;
  std::uint32_t index = 0;
  Writer writer;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

struct OrSet {
  std::map<std::string, std::vector<Dot>, std::less<>> elements;
  friend bool operator==(const OrSet&, const OrSet&) = default;
};

using Value = std::variant<Register, Counter, OrSet>;

[[nodiscard]] ValueType type_of(const Value& value);
// Bytes that the value counts for against limits::kValueBytes and kCommitBytes: its content and,
// for a set, of each dot its writer's id and 40 bytes.
[[nodiscard]] std::size_t size_of(const Value& value);
// Equal content, equal hash. Of a set: the sum of its elements' hashes, so a change costs what
// changed and not what is there.
[[nodiscard]] Hash128 content_hash(const Value& value);

}  // namespace waggle
