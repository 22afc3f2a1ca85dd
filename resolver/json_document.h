#pragma once

// A JSON text as a tree that can be merged and patched, and its one canonical text: members sorted
// by their bytes, no white space, numbers in their shortest form: the same bytes as the program's
// own canonical form (cli/json.h), so that a text which it stored is compared and given back as it
// is. One exception, in both: -0.0 is written -0, which is read as the integer 0.
//
// Safe against what comes from a wire: size and nesting are bounded, so every walk of the tree may
// recurse; a name that comes twice in one object is refused, since only one of the two could be
// kept; text that is not UTF-8 is refused. Grammar: RFC 8259. Cost: linear in the text, times the
// logarithm of an object's members.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"

namespace waggle {

// Deeper nesting is refused.
inline constexpr std::size_t kJsonNestingMax = 64;

struct JsonValue {
  // In canonical text: the shortest form of a 64-bit integer or a double, or as it was written
  // where neither holds it exactly (1234567890123456.7, 1e-400). No digit is rounded away.
  struct Number {
    std::string text;
    friend bool operator==(const Number&, const Number&) = default;
  };
  using Array = std::vector<JsonValue>;
  using Object = std::map<std::string, JsonValue>;

  std::variant<std::monostate, bool, Number, std::string, Array, Object> content;  // first: null

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(content); }
  // Null if it is something else.
  [[nodiscard]] const Number* number() const { return std::get_if<Number>(&content); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&content); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&content); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&content); }
  [[nodiscard]] Array* array() { return std::get_if<Array>(&content); }
  [[nodiscard]] Object* object() { return std::get_if<Object>(&content); }
  // What it is, for people: "a string", "an object", ...
  [[nodiscard]] std::string_view kind() const;

  // By canonical text: 100000 and 1e5 differ, 1 and 1.0 do not.
  friend bool operator==(const JsonValue&, const JsonValue&) = default;
};

// One JSON text of at most limits::kValueBytes. Errors: kRejected with what came and at which byte.
[[nodiscard]] Result<JsonValue> parse_json_document(std::string_view text);

// The canonical text.
[[nodiscard]] std::string to_json(const JsonValue& value);

}  // namespace waggle
