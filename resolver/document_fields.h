#pragma once

// Reads the fields of a JSON document that somebody gave, such as a proposal or a task. Each error
// says of which document, which field, what was expected and what came.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "resolver/json_document.h"

namespace waggle {

class DocumentFields {
 public:
  // `what` names the document in errors. Borrows both.
  DocumentFields(std::string_view what, const JsonValue::Object& object)
      : what_(what), object_(object) {}

  [[nodiscard]] std::string_view what() const { return what_; }
  // Null: it was not given.
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view field, std::string_view expected,
                                             const JsonValue& came) const;
  // Errors: kRejected for a field that is none of these.
  [[nodiscard]] Status only(const std::set<std::string, std::less<>>& known) const;

  // Each leaves `out` as it is where the field was not given. Errors: kRejected.
  [[nodiscard]] Status read_text(const char* name, std::size_t most, std::string& out) const;
  [[nodiscard]] Status read_flag(const char* name, bool& out) const;
  // A list of `least` to `most` names, each of which `check` accepts.
  using CheckName = Status (*)(std::string_view);
  [[nodiscard]] Status read_names(const char* name, std::size_t least, std::size_t most,
                                  CheckName check, std::vector<std::string>& out) const;
  template <typename Number>
  [[nodiscard]] Status read_whole(const char* name, std::int64_t least, std::int64_t most,
                                  Number& out) const {
    std::optional<std::int64_t> number;
    Status read = whole(name, least, most, number);
    if (number) out = static_cast<Number>(*number);
    return read;
  }

 private:
  [[nodiscard]] Status whole(const char* name, std::int64_t least, std::int64_t most,
                             std::optional<std::int64_t>& out) const;

  std::string_view what_;
  const JsonValue::Object& object_;
};

// Errors: kRejected for what is no JSON, or no object.
[[nodiscard]] Result<JsonValue::Object> document_object(std::string_view what,
                                                        std::string_view json);
// The id of a document: 1..limits::kIdBytes letters, digits, '.', '_' and '-'. Errors: kRejected.
[[nodiscard]] Status check_document_id(std::string_view of, std::string_view id);
// Nothing: it is no number, or none that a double holds.
[[nodiscard]] std::optional<double> number_of(const JsonValue& value);

[[nodiscard]] JsonValue json_text(std::string text);
[[nodiscard]] JsonValue json_number(std::int64_t number);
// A list of texts.
template <typename Texts>
[[nodiscard]] JsonValue json_texts(const Texts& texts) {
  JsonValue::Array list;
  for (const std::string& text : texts) list.push_back(json_text(text));
  return {std::move(list)};
}

}  // namespace waggle
