// The only file of this folder that knows nlohmann's JSON: its SAX parser builds our tree.

#include "resolver/json_document.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "resolver/json_number.h"

namespace waggle {
namespace {

template <typename T>
JsonValue shortest(T value) {
  char digits[32];
  return {JsonValue::Number{{digits, std::to_chars(digits, digits + sizeof digits, value).ptr}}};
}

class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add({}); }
  bool boolean(bool value) override { return add({value}); }
  bool number_integer(number_integer_t value) override { return add(shortest(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(shortest(value)); }
  bool number_float(number_float_t value, const string_t& text) override {
    JsonValue number = shortest(value);
    const bool exact = equal_json_numbers(number.number()->text, text);
    return add(exact ? std::move(number) : JsonValue{JsonValue::Number{text}});
  }
  bool string(string_t& value) override { return add({std::move(value)}); }
  bool binary(binary_t&) override { return fail("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open({JsonValue::Object{}}); }
  bool start_array(std::size_t) override { return open({JsonValue::Array{}}); }
  bool key(string_t& name) override {
    if (open_.back().value.object()->contains(name))
      return fail(fmt::format("the name \"{}\" comes twice in one object", name));
    open_.back().name = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    return fail(fmt::format("{} (byte {})", reason_of(why.what()), position));
  }

  JsonValue root;
  std::string error;

 private:
  struct Open {
    JsonValue value;
    std::string name;  // of the member that comes next
  };

  // The parser begins with "[json.exception.parse_error.101] parse error at line 1, column 9: ".
  static std::string_view reason_of(std::string_view what) {
    if (const std::size_t at = what.find("syntax error "); at != std::string_view::npos)
      return what.substr(at);
    const std::size_t end = what.find("] ");
    return end == std::string_view::npos ? what : what.substr(end + 2);
  }
  bool fail(std::string text) {
    error = std::move(text);
    return false;
  }
  bool add(JsonValue value) {
    if (open_.empty()) {
      root = std::move(value);
    } else if (JsonValue::Object* members = open_.back().value.object()) {
      members->emplace(std::move(open_.back().name), std::move(value));
    } else {
      open_.back().value.array()->push_back(std::move(value));
    }
    return true;
  }
  bool open(JsonValue value) {
    if (open_.size() >= kJsonNestingMax)
      return fail(fmt::format("nested deeper than {} levels", kJsonNestingMax));
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  std::vector<Open> open_;
};

void write_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

struct Writer {
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(const JsonValue::Number& number) const { out += number.text; }
  void operator()(const std::string& text) const { write_text(out, text); }
  void operator()(const JsonValue::Array& items) const {
    char before = '[';
    for (const JsonValue& item : items) {
      out += std::exchange(before, ',');
      std::visit(*this, item.content);
    }
    out += items.empty() ? "[]" : "]";
  }
  void operator()(const JsonValue::Object& members) const {
    char before = '{';
    for (const auto& [name, value] : members) {
      out += std::exchange(before, ',');
      write_text(out, name);
      out += ':';
      std::visit(*this, value.content);
    }
    out += members.empty() ? "{}" : "}";
  }
};

}  // namespace

std::string_view JsonValue::kind() const {
  static constexpr std::string_view kKinds[] = {"null",     "a boolean", "a number",
                                                "a string", "an array",  "an object"};
  static_assert(std::size(kKinds) == std::variant_size_v<decltype(content)>);
  return kKinds[content.index()];
}

Result<JsonValue> parse_json_document(std::string_view text) {
  if (text.size() > limits::kValueBytes)
    return failed(Code::kRejected, fmt::format("{} bytes of JSON, expected at most {}", text.size(),
                                               limits::kValueBytes));
  // To the parser below it would be the end of the text.
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
    return failed(Code::kRejected, fmt::format("a NUL byte (byte {})", at + 1));
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) return failed(Code::kRejected, builder.error);
  return std::move(builder.root);
}

std::string to_json(const JsonValue& value) {
  std::string out;
  std::visit(Writer{out}, value.content);
  return out;
}

}  // namespace waggle
