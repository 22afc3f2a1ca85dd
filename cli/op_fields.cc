#include "cli/op_fields.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/durations.h"
#include "cli/nearest.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

// The element itself, or {"base64":...} for one that is not UTF-8.
Result<std::string> element_of(const Json& item) {
  if (item.text() != nullptr) return *item.text();
  const Json* base64 = item.find("base64");
  if (base64 == nullptr || base64->text() == nullptr)
    return wrong_type("elements", "strings, or {\"base64\":...} for bytes", item);
  return from_base64(*base64->text());
}

}  // namespace

std::unexpected<Error> wrong(std::string text) {
  return failed(Code::kRejected, std::move(text));
}

std::unexpected<Error> wrong_type(std::string_view name, std::string_view wanted,
                                  const Json& found) {
  return wrong(
      fmt::format("\"{}\": expected {}, found {}", name, wanted, printable(found.dump(), 64)));
}

Status check_fields(const Json& object, std::string_view op, const std::vector<std::string>& known,
                    bool with_id) {
  for (const auto& [name, value] : *object.object()) {
    if (name == "op" || (name == "id" && with_id)) continue;
    if (std::find(known.begin(), known.end(), name) == known.end())
      return wrong(fmt::format("\"{}\" has no field \"{}\"{}", op, printable(name, 64),
                               did_you_mean(name, known)));
  }
  return {};
}

Result<std::string> text_of(const Json& object, std::string_view name) {
  const Json* field = object.find(name);
  if (field == nullptr) return wrong(fmt::format("the field \"{}\" is missing", name));
  if (field->text() == nullptr) return wrong_type(name, "a string", *field);
  return *field->text();
}

Status read_natural(const Json& object, std::string_view name, std::string_view wanted,
                    std::uint64_t least, std::uint64_t& out) {
  const Json* field = object.find(name);
  if (field == nullptr) return {};
  std::uint64_t number = 0;
  if (!field->natural(number) || number < least) return wrong_type(name, wanted, *field);
  out = number;
  return {};
}

Status read_duration(const Json& object, std::string_view name, std::int64_t& millis) {
  const Json* field = object.find(name);
  if (field == nullptr) return {};
  if (field->text() == nullptr) return wrong_type(name, "a duration such as \"10s\"", *field);
  const auto duration = parse_duration(*field->text());
  if (!duration) return wrong(fmt::format("\"{}\": {}", name, duration.error().text));
  millis = *duration;
  return {};
}

Status read_token(const Json& object, FenceToken& token) {
  std::uint64_t number = 0;
  if (const Status read = read_natural(object, "token", "the token of a claim", 1, number); !read)
    return read;
  token = FenceToken(number);
  return {};
}

Status read_flag(const Json& object, std::string_view name, bool& out) {
  const Json* field = object.find(name);
  if (field == nullptr) return {};
  if (field->boolean() == nullptr) return wrong_type(name, "true or false", *field);
  out = *field->boolean();
  return {};
}

Result<std::vector<std::string>> elements_of(const Json& object) {
  const Json* field = object.find("elements");
  if (field == nullptr) return wrong("the field \"elements\" is missing");
  if (field->array() == nullptr || field->array()->empty())
    return wrong_type("elements", "a list of one or more strings", *field);
  std::vector<std::string> elements;
  for (const Json& item : *field->array()) {
    auto element = element_of(item);
    if (!element) return std::unexpected(element.error());
    elements.push_back(*std::move(element));
  }
  return elements;
}

Result<Register> register_of(const Json& object) {
  const Json* value = object.find("value");
  const Json* base64 = object.find("base64");
  std::string type;
  if (object.find("type") != nullptr) {
    auto word = text_of(object, "type");
    if (!word) return std::unexpected(word.error());
    type = *std::move(word);
    if (type != "text" && type != "json" && type != "bytes")
      return wrong(
          fmt::format("\"type\": expected text, json or bytes, found \"{}\"", printable(type, 64)));
  }
  if ((value == nullptr) == (base64 == nullptr))
    return wrong("expected either \"value\" or, for bytes, \"base64\"");
  if (base64 != nullptr || type == "bytes") {
    // With "type":"bytes" the value itself is base64 too.
    const Json& text = base64 != nullptr ? *base64 : *value;
    if (text.text() == nullptr)
      return wrong_type(base64 != nullptr ? "base64" : "value", "base64 in a string", text);
    auto bytes = from_base64(*text.text());
    if (!bytes) return std::unexpected(bytes.error());
    if (type == "json") {
      const auto parsed = parse_json(*bytes);
      if (!parsed) return wrong("\"base64\": not JSON, as \"type\" says: " + parsed.error().text);
      return Register{ContentType::kJson, parsed->canonical()};
    }
    if (type == "text" && !is_utf8(*bytes))
      return wrong("\"base64\": not UTF-8, so it is no text; use \"type\":\"bytes\"");
    return Register{type == "text" ? ContentType::kText : ContentType::kBytes, *std::move(bytes)};
  }
  if (type == "text" && value->text() == nullptr)
    return wrong_type("value", "a string, as \"type\" is text", *value);
  if (type != "json" && value->text() != nullptr)
    return Register{ContentType::kText, *value->text()};
  return Register{ContentType::kJson, value->canonical()};
}

}  // namespace waggle::cli
