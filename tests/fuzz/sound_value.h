#pragma once

// What must hold of every value that was decoded or made of a delta, whatever its bytes were.

#include <string>

#include "base/check.h"
#include "base/limits.h"
#include "base/value.h"
#include "base/value_bytes.h"

namespace waggle::testing {

inline void check_sound(const Value& value) {
  check_invariants(value);
  WAGGLE_CHECK(size_of(value) <= limits::kFrameBytes);
  const std::string bytes = encode_value(value);
  const Result<Value> again = decode_value(type_of(value), bytes);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(*again == value && encode_value(*again) == bytes);
  WAGGLE_CHECK(size_of(*again) == size_of(value));
  WAGGLE_CHECK(content_hash(*again) == content_hash(value));
}

inline void check_refused(const Error& error) {
  WAGGLE_CHECK(error.code == Code::kRejected && !error.text.empty());
}

}  // namespace waggle::testing
