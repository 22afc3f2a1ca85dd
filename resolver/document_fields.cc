#include "resolver/document_fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {

const JsonValue* DocumentFields::find(std::string_view name) const {
  const auto found = object_.find(std::string(name));
  return found == object_.end() ? nullptr : &found->second;
}

std::unexpected<Error> DocumentFields::wrong(std::string_view field, std::string_view expected,
                                             const JsonValue& came) const {
  std::string text = to_json(came);
  if (text.size() > 64) text = text.substr(0, 61) + "...";
  return failed(Code::kRejected,
                fmt::format("{}: \"{}\": expected {}, got {}", what_, field, expected, text));
}

Status DocumentFields::only(const std::set<std::string, std::less<>>& known) const {
  for (const auto& [name, value] : object_)
    if (!known.contains(name))
      return failed(Code::kRejected, fmt::format("{}: \"{}\" is unknown; expected {}", what_, name,
                                                 fmt::join(known, ", ")));
  return {};
}

Status DocumentFields::read_text(const char* name, std::size_t most, std::string& out) const {
  const JsonValue* value = find(name);
  if (value == nullptr) return {};
  const std::string* text = value->text();
  if (text == nullptr || text->empty() || text->size() > most)
    return wrong(name, fmt::format("a text of 1 to {} bytes", most), *value);
  out = *text;
  return {};
}

Status DocumentFields::read_flag(const char* name, bool& out) const {
  const JsonValue* value = find(name);
  if (value == nullptr) return {};
  const bool* flag = std::get_if<bool>(&value->content);
  if (flag == nullptr) return wrong(name, "true or false", *value);
  out = *flag;
  return {};
}

Status DocumentFields::read_names(const char* name, std::size_t least, std::size_t most,
                                  CheckName check, std::vector<std::string>& out) const {
  const JsonValue* value = find(name);
  if (value == nullptr) return {};
  const JsonValue::Array* list = value->array();
  if (list == nullptr || list->size() < least || list->size() > most)
    return wrong(name,
                 least > 0 ? fmt::format("a list of {} to {} names", least, most)
                           : fmt::format("a list of at most {} names", most),
                 *value);
  for (const JsonValue& one : *list) {
    if (one.text() == nullptr) return wrong(name, "names", one);
    if (Status shape = check(*one.text()); !shape)
      return failed(Code::kRejected,
                    fmt::format("{}: \"{}\": {}", what_, name, shape.error().text));
    out.push_back(*one.text());
  }
  return {};
}

Status DocumentFields::whole(const char* name, std::int64_t least, std::int64_t most,
                             std::optional<std::int64_t>& out) const {
  const JsonValue* value = find(name);
  if (value == nullptr) return {};
  const std::optional<double> number = number_of(*value);
  if (!number || *number != std::floor(*number) || *number < static_cast<double>(least) ||
      *number > static_cast<double>(most))
    return wrong(name, fmt::format("a whole number from {} to {}", least, most), *value);
  out = static_cast<std::int64_t>(*number);
  return {};
}

Result<JsonValue::Object> document_object(std::string_view what, std::string_view json) {
  Result<JsonValue> value = parse_json_document(json);
  if (!value) return std::unexpected(std::move(value.error()));
  if (value->object() == nullptr)
    return failed(Code::kRejected,
                  fmt::format("{}: expected a JSON object, got {}", what, value->kind()));
  return std::move(*value->object());
}

Status check_document_id(std::string_view of, std::string_view id) {
  const bool fine =
      !id.empty() && id.size() <= limits::kIdBytes && std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '_' || c == '-';
      });
  if (fine) return {};
  return failed(
      Code::kRejected,
      fmt::format("the id of a {}: expected 1 to {} letters, digits, '.', '_' or '-', got "
                  "'{}'",
                  of, limits::kIdBytes, id.substr(0, 2 * limits::kIdBytes)));
}

std::optional<double> number_of(const JsonValue& value) {
  const JsonValue::Number* number = value.number();
  if (number == nullptr) return std::nullopt;
  double result = 0;
  const char* const end = number->text.data() + number->text.size();
  const auto [rest, error] = std::from_chars(number->text.data(), end, result);
  if (error != std::errc() || rest != end || !std::isfinite(result)) return std::nullopt;
  return result;
}

JsonValue json_text(std::string text) {
  return {std::move(text)};
}

JsonValue json_number(std::int64_t number) {
  return {JsonValue::Number{fmt::to_string(number)}};
}

}  // namespace waggle
