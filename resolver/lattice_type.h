#pragma once

// The lattice library merges states of *different stores*: values of which every store makes its
// own changes without asking anybody. The types beside it (base/value.h) are for one swarm, whose
// coordinator orders all commits; here nobody orders anything, and the actor is a store, never an
// agent, so metadata grows with the number of stores (CRDT practice: Riak's data types).
//
// Every type is a plain value with the same members:
//
//   Status join(const State&), join(const Delta&)   least upper bound; all or nothing
//   mutators                                        change the value and give the change as a delta
//   std::string encode(), decode(bytes)             canonical: equal content, equal bytes
//   size(), ==, is_bottom(), check_invariants()
//
// join() is commutative, associative and idempotent, and a delta is a value of the same lattice:
// deltas may be lost and sent again, repeated, reordered and grouped. What joins is refused as a
// whole or taken as a whole. Safety: nothing here counts past its range, no input trips a check.
//
// This header: the names of the types, their bounds, and the head of every encoding.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace waggle::lattice {

// DO NOT CHANGE the numbers: they are in the bytes. Which side wins is part of the type.
enum class Type : std::uint8_t {
  kMaxRegister = 1,
  kMinRegister = 2,
  kOnceFlag = 3,
  kGrowCounter = 4,
  kPnCounter = 5,
  kResettableCounter = 6,
  kBoundedCounter = 7,
  kEnableWinsFlag = 8,
  kDisableWinsFlag = 9,
  kGrowSet = 10,
  kAddWinsSet = 11,
  kRemoveWinsSet = 12,
  kLastWriter = 13,
  kFirstWriter = 14,
  kMultiRegister = 15,
  kMap = 16,
  kLastWriterMap = 17,
};
[[nodiscard]] std::string_view to_text(Type type);

// Dots out of order, in runs without a hole. Beyond: refused, the peer has to send its whole state.
inline constexpr std::size_t kCloudRuns = 4096;
// Concurrent values of a register. Beyond: reported as crowded; the next write settles it.
inline constexpr std::size_t kSiblings = 16;
// Elements of a grow-only set, shares of a resettable counter. Beyond: refused.
inline constexpr std::size_t kGrowSetElements = 100'000;
inline constexpr std::size_t kShares = 4096;
// An encoded value. Beyond: not decoded.
inline constexpr std::size_t kStateBytes = std::size_t{64} << 20;

// DO NOT CHANGE the numbers. A delta may name elements of which nothing is left.
enum class Form : std::uint8_t { kState = 0, kDelta = 1 };

// encoding := format(1 byte, 1) type(1 byte) form(1 byte) body
void write_head(ByteWriter& out, Type type, Form form);
// Fails the reader for another format, type or form, and for more than kStateBytes.
void read_head(ByteReader& in, Type type, Form form);

}  // namespace waggle::lattice
