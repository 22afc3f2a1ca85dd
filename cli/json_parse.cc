// The only file that knows nlohmann's JSON: its SAX parser builds our value.

#include <charconv>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/json.h"
#include "resolver/json_number.h"

namespace waggle::cli {
namespace {

// nlohmann begins with "[json.exception.parse_error.101] parse error at line 1, column 9: ".
std::string_view reason_of(std::string_view what) {
  for (const std::string_view start : {"syntax error ", "parse error"}) {
    const std::size_t at = what.find(start);
    if (at == std::string_view::npos) continue;
    const std::size_t colon = what.find(": ", at);
    if (start == "syntax error ") return what.substr(at);
    if (colon != std::string_view::npos) return what.substr(colon + 2);
  }
  const std::size_t end = what.find("] ");
  return end == std::string_view::npos ? what : what.substr(end + 2);
}

class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    // What a double would round stays as it was written.
    char digits[32];
    const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return equal_json_numbers({digits, end}, text) ? add(value) : add(Json::Number{text});
  }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t&) override { return fail("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(Json(Json::Object{})); }
  bool start_array(std::size_t) override { return open(Json(Json::Array{})); }
  bool key(string_t& name) override {
    if (!open_.back().names.insert(name).second)
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

  Json root;
  std::string error;

 private:
  struct Open {
    Json value;
    std::string name;
    std::set<std::string> names;  // of an object: those that came
  };
  bool fail(std::string text) {
    error = std::move(text);
    return false;
  }
  bool add(Json value) {
    if (open_.empty()) {
      root = std::move(value);
    } else if (open_.back().value.object() != nullptr) {
      open_.back().value.set(std::move(open_.back().name), std::move(value));
    } else {
      open_.back().value.push(std::move(value));
    }
    return true;
  }
  bool open(Json value) {
    if (open_.size() >= static_cast<std::size_t>(kJsonDepthMax))
      return fail(fmt::format("nested deeper than {} levels", kJsonDepthMax));
    open_.push_back({std::move(value), {}, {}});
    return true;
  }
  bool close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  std::vector<Open> open_;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  // To the parser below it would be the end of the text.
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
    return failed(Code::kRejected, fmt::format("a NUL byte (byte {})", at + 1));
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder))
    return failed(Code::kRejected, builder.error.empty() ? "not JSON" : builder.error);
  return std::move(builder.root);
}

}  // namespace waggle::cli
