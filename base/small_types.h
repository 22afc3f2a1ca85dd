#pragma once

// The types whose whole value is small: they travel whole, and a commit copies them. With the
// coordinator as the only actor each mutation is applied exactly once, so a counter is one total
// and not a vector with a place for each agent.
//
// Sources: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data
// Types", 2011 (counters, flags, registers); Balegas et al., "Extending eventually consistent cloud
// databases for enforcing numeric invariants", 2015 (the bounded counter's escrow); Baquero,
// Almeida and Lerche, "The problem with embedded CRDT counters and a solution", 2016 (the
// resettable one); Preguica et al., "Dotted version vectors", 2010 (siblings).

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dot.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/status.h"

namespace waggle {

// DO NOT CHANGE the numbers.
enum class ContentType : std::uint8_t { kText = 1, kJson = 2, kBytes = 3 };
[[nodiscard]] std::string_view to_text(ContentType type);

// Opaque bytes: stored, compared and forwarded, never looked into. The value that stands is chosen
// by the policy's strategy.
struct Register {
  ContentType content = ContentType::kText;
  std::string bytes;
  friend bool operator==(const Register&, const Register&) = default;
};

// Every concurrent write is kept until somebody who has seen them writes. Invariant: siblings are
// sorted by dot. Bound: limits::kSiblings; beyond it the one with the least (HLC, agent id) goes,
// and a receipt names it.
struct Sibling {
  Dot dot;
  Hlc hlc;
  Register value;
  friend bool operator==(const Sibling&, const Sibling&) = default;
};
struct MultiRegister {
  std::vector<Sibling> siblings;
  friend bool operator==(const MultiRegister&, const MultiRegister&) = default;
};

// ---- max, min, once ----------------------------------------------------------------------------

// What max and min compare. All values of a key are of one kind: the first write's.
// Invariant: never NaN, and no negative zero. DO NOT CHANGE the order: it is on the wire.
using Scalar = std::variant<std::int64_t, std::uint64_t, double, std::string>;
[[nodiscard]] std::string_view kind_of(const Scalar& scalar);  // integer, natural, real, bytes
// A real that can be compared: -0 becomes 0. Errors: kRejected for NaN.
[[nodiscard]] Result<Scalar> checked(Scalar scalar);

struct MaxValue {
  Scalar value;
  friend bool operator==(const MaxValue&, const MaxValue&) = default;
};
struct MinValue {
  Scalar value;
  friend bool operator==(const MinValue&, const MinValue&) = default;
};
// Raised by its first write, and for ever.
struct OnceFlag {
  friend bool operator==(const OnceFlag&, const OnceFlag&) = default;
};

// ---- counters ----------------------------------------------------------------------------------

struct Counter {
  std::int64_t total = 0;
  friend bool operator==(const Counter&, const Counter&) = default;
};
// Only rises.
struct GrowCounter {
  std::uint64_t total = 0;
  friend bool operator==(const GrowCounter&, const GrowCounter&) = default;
};
// A reset takes away exactly what its author had seen; increments that it had not seen stay. For
// that the newest increments are kept apart. Bound: limits::kCounterShares; older ones, and those
// at or below the floor, are folded into `base`. A reset by an author who has not seen all that was
// folded can't be exact and is a conflict.
// Invariants: shares are sorted by dot and above `folded_through`; the total is within 64 bits.
struct Share {
  Dot dot;
  std::int64_t amount = 0;
  friend bool operator==(const Share&, const Share&) = default;
};
struct ResettableCounter {
  std::int64_t base = 0;
  Revision folded_through;
  std::vector<Share> shares;
  [[nodiscard]] std::int64_t total() const;
  friend bool operator==(const ResettableCounter&, const ResettableCounter&) = default;
};
// Never below zero, wherever it is decremented. What an agent reserved is its own to spend, also
// while it is away; what is free is first come, first served at the coordinator.
// Invariants: no reserve is 0; the total is within 63 bits. Bound: limits::kReserves.
struct BoundedCounter {
  std::uint64_t free = 0;
  std::map<AgentId, std::uint64_t> reserved;
  [[nodiscard]] std::uint64_t total() const;
  friend bool operator==(const BoundedCounter&, const BoundedCounter&) = default;
};

// ---- flags -------------------------------------------------------------------------------------

// On iff somebody's enabling was not seen by whoever disabled it.
struct EnableFlag {
  Dots enabled;
  [[nodiscard]] bool on() const { return !enabled.empty(); }
  friend bool operator==(const EnableFlag&, const EnableFlag&) = default;
};
// Its dual: off iff somebody's disabling was not seen by whoever enabled it.
struct DisableFlag {
  Dots disabled;
  [[nodiscard]] bool on() const { return disabled.empty(); }
  friend bool operator==(const DisableFlag&, const DisableFlag&) = default;
};

}  // namespace waggle
