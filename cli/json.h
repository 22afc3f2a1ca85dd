#pragma once

// JSON as the program reads and writes it: a small value, a writer of one line, and a parser. Keys
// of an object keep the order in which they were added, so that lines read well; canonical() sorts
// them and is what Waggle stores for a register of type json (equal content, equal bytes).
//
// Text must be UTF-8. Bytes that are not go into a field `base64` instead, see record_json.h; the
// writer replaces what slips through, so that a line is always valid JSON.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"

namespace waggle::cli {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;
  // A number kept as it was written: it fits neither 64-bit integers nor a double exactly.
  struct Number {
    std::string text;
    friend bool operator==(const Number&, const Number&) = default;
  };

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}
  Json(unsigned value) : value_(static_cast<std::uint64_t>(value)) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::uint64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(Number value) : value_(std::move(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  static Json object(std::initializer_list<Member> members) { return Json(Object(members)); }

  [[nodiscard]] bool is_null() const { return holds<std::monostate>(); }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&value_); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&value_); }
  [[nodiscard]] bool is_number() const {
    return holds<std::int64_t>() || holds<std::uint64_t>() || holds<double>() || holds<Number>();
  }
  // An integer that fits; false for any other number or type.
  [[nodiscard]] bool integer(std::int64_t& out) const;
  [[nodiscard]] bool natural(std::uint64_t& out) const;
  // A member of an object; null when this is none or has none of that name.
  [[nodiscard]] const Json* find(std::string_view name) const;

  // Adds a member. REQUIRES: null or an object, without that name.
  Json& set(std::string name, Json value);
  // Adds the members of another object. REQUIRES: as set(), for each.
  Json& add_all(Json object);
  // Adds an item. REQUIRES: null or an array.
  void push(Json value);

  // What it is, for people: "a string", "an object", ...
  [[nodiscard]] std::string_view kind() const;
  // One line without a line break.
  [[nodiscard]] std::string dump() const;
  [[nodiscard]] std::string canonical() const;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  template <typename T>
  [[nodiscard]] bool holds() const {
    return std::holds_alternative<T>(value_);
  }
  void write(std::string& out, bool sorted) const;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, Number, std::string,
               Array, Object>
      value_;
};

// Deeper nesting is refused: the tree is walked by recursion.
inline constexpr int kJsonDepthMax = 128;

// One JSON text. Errors: kRejected with what was expected, what came and at which byte; also for a
// name that comes twice in one object, since only one of the two could be kept.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

// RFC 4648 with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] Result<std::string> from_base64(std::string_view text);

}  // namespace waggle::cli
