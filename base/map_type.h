#pragma once

// A map of named fields, each a value of its own type, maps included: the observed-remove map with
// update-wins and reset-remove. Removing a field takes away what its author had seen of it; an
// update that it had not seen keeps the field, and of a set, a counter, a flag, a list, a text or a
// map inside it only what was not seen. Types of which nothing can be taken away in part (max, min,
// once, grow-only ones, the plain and the bounded counter) stay whole then.
//
// A field is its name and its type, as in Riak's map: two authors who give one name to different
// types make two fields, and never a state that can't be merged.
//
// Sources: Almeida, Shoker and Baquero, "Delta state replicated data types", 2018 (DotMap); Brown
// et al., "Riak DT map", 2014. Cost: O(log n) for each field on the path; a delta names only the
// fields that changed.

#include <cstdint>
#include <memory>
#include <string>

#include "base/dot.h"
#include "base/hlc.h"
#include "base/persistent_map.h"
#include "base/value_type.h"

namespace waggle {

struct Nested;  // one Value; base/value.h

struct FieldId {
  std::string name;  // 1..limits::kElementBytes bytes of UTF-8
  ValueType type = ValueType::kRegister;
  friend auto operator<=>(const FieldId&, const FieldId&) = default;
};
struct Field {
  std::shared_ptr<const Nested> value;  // never null
  Hlc hlc;                              // of the newest write that won
  Dots updates;                         // at least one
  friend bool operator==(const Field& a, const Field& b);
};
struct WeighField {
  Weight operator()(const FieldId& id, const Field& field) const;
};
// Bound: limits::kMapDepth maps within each other.
struct Map {
  using Fields = PersistentMap<FieldId, Field, WeighField>;
  Fields fields;
  friend bool operator==(const Map&, const Map&) = default;
};

}  // namespace waggle
