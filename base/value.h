#pragma once

// What a key holds. A register is opaque bytes with a content type; every other type merges: what
// two agents do at the same time is combined by a rule of the type, and nobody loses. The rules are
// in resolver/, the bytes in base/value_bytes.h.
//
// A Value is cheap to copy: what can be large (sets, maps, lists, texts) shares its structure
// between versions.

#include <cstddef>
#include <memory>
#include <variant>

#include "base/hash.h"
#include "base/map_type.h"
#include "base/sequence.h"
#include "base/set_types.h"
#include "base/small_types.h"
#include "base/value_type.h"

namespace waggle {

// An ordered list of elements and a text of unicode scalar values; see base/sequence.h.
struct List {
  Sequence sequence{SequenceUnit::kElement};
  friend bool operator==(const List&, const List&) = default;
};
struct Text {
  Sequence sequence{SequenceUnit::kScalar};
  friend bool operator==(const Text&, const Text&) = default;
};

// In the order of ValueType.
using Value = std::variant<Register, Counter, OrSet, MaxValue, MinValue, OnceFlag, GrowCounter,
                           ResettableCounter, BoundedCounter, EnableFlag, DisableFlag, GrowSet,
                           RemoveWinsSet, MultiRegister, Map, List, Text>;
static_assert(std::variant_size_v<Value> == kValueTypes.size());

struct Nested {
  Value value;
};

[[nodiscard]] ValueType type_of(const Value& value);
// A value of that type with nothing in it: what an operation on an absent key begins with.
[[nodiscard]] Value empty_value(ValueType type);
// Bytes that the value counts for against limits::kValueBytes and kCommitBytes: its content, and of
// each dot its writer's id and 40 bytes. Constant time for sets, maps, lists and texts.
[[nodiscard]] std::size_t size_of(const Value& value);
// Equal content, equal hash. Of sets, maps, lists and texts a sum over their parts that is kept up
// to date, so a change costs what changed and not what is there.
[[nodiscard]] Hash128 content_hash(const Value& value);
// How many elements, fields or units it holds; 1 for the other types.
[[nodiscard]] std::uint64_t count_of(const Value& value);
// Costly: for tests and the simulator.
void check_invariants(const Value& value);

}  // namespace waggle
