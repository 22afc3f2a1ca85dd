// Any bytes through the readers of JSON documents, pointers and patches. What is read has one
// canonical text, and what a patch makes of it is such a text within the limits. The first byte
// names the reader; NUL, which no JSON has, ends the document.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/shape.h"
#include "resolver/json_document.h"
#include "resolver/json_number.h"
#include "resolver/json_patch.h"
#include "resolver/json_pointer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/seeds.h"

namespace waggle {
namespace {

using testing::Input;

// The one number whose canonical text is read as another: -0.0, see resolver/json_document.h.
bool has_negative_zero(std::string_view canonical) {
  return canonical.find("-0") != std::string_view::npos;
}

std::optional<JsonValue> try_document(std::string_view text) {
  const Result<JsonValue> value = parse_json_document(text);
  if (!value) {
    WAGGLE_CHECK(value.error().code == Code::kRejected && !value.error().text.empty());
    return {};
  }
  WAGGLE_CHECK(is_utf8(text), "a document in other bytes than UTF-8");
  const std::string canonical = to_json(*value);
  const Result<JsonValue> again = parse_json_document(canonical);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(*again == *value || has_negative_zero(canonical));
  WAGGLE_CHECK(*parse_json_document(to_json(*again)) == *again);
  if (const JsonValue::Number* number = value->number()) {
    WAGGLE_CHECK(equal_json_numbers(number->text, number->text));
    (void)is_whole_json_number(number->text);
  }
  return *value;
}

void check_result(const Result<std::string>& text) {
  if (!text) {
    WAGGLE_CHECK(text.error().code == Code::kRejected && !text.error().text.empty());
    return;
  }
  WAGGLE_CHECK(text->size() <= limits::kValueBytes);
  const std::optional<JsonValue> value = try_document(*text);
  WAGGLE_CHECK(value.has_value(), "a patch gave no document");
  WAGGLE_CHECK(to_json(*value) == *text || has_negative_zero(*text));
}

void try_merge_patch(std::string_view document, std::string_view patch) {
  const Result<std::string> patched = apply_merge_patch(document, patch);
  check_result(patched);
  if (!patched) return;
  if (has_negative_zero(*patched)) return;
  // Once more changes nothing: a merge patch says what is, not what to add.
  WAGGLE_CHECK(apply_merge_patch(*patched, patch) == *patched);
  const Result<std::string> back = make_merge_patch(document, *patched);
  if (back) WAGGLE_CHECK(apply_merge_patch(document, *back) == *patched);
}

// What makes the second document of the first.
void try_make_patch(std::string_view from, std::string_view to) {
  const Result<std::string> patch = make_merge_patch(from, to);
  check_result(patch);
  if (!patch) return;
  const Result<JsonValue> wanted = parse_json_document(to);
  WAGGLE_CHECK(wanted.has_value());
  const std::string canonical = to_json(*wanted);
  WAGGLE_CHECK(has_negative_zero(canonical) || apply_merge_patch(from, *patch) == canonical);
}

void try_pointer(std::string_view text) {
  const Result<std::vector<std::string>> names = parse_json_pointer(text);
  if (!names) {
    WAGGLE_CHECK(names.error().code == Code::kRejected && !names.error().text.empty());
    return;
  }
  std::string pointer;
  for (const std::string& name : *names) {
    pointer = json_pointer_below(pointer, name);
    if (const auto index = to_array_index(name)) WAGGLE_CHECK(std::to_string(*index) == name);
  }
  WAGGLE_CHECK(pointer == text);
}

void try_numbers(std::string_view a, std::string_view b, std::string_view c) {
  for (const std::string_view text : {a, b, c}) {
    const Result<JsonValue> value = parse_json_document(text);
    if (!value || value->number() == nullptr) return;
    WAGGLE_CHECK(equal_json_numbers(value->number()->text, value->number()->text));
    // Canonical or not, it is the same number.
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    const std::string_view bare = text.substr(first, last - first + 1);
    WAGGLE_CHECK(equal_json_numbers(bare, value->number()->text) || value->number()->text == "-0");
  }
  const std::string base = parse_json_document(a)->number()->text;
  const std::string ours = parse_json_document(b)->number()->text;
  const std::string theirs = parse_json_document(c)->number()->text;
  WAGGLE_CHECK(equal_json_numbers(base, ours) == equal_json_numbers(ours, base));
  if (!is_whole_json_number(base) || !is_whole_json_number(ours) || !is_whole_json_number(theirs))
    return;
  const auto sum = sum_of_changes(base, ours, theirs);
  WAGGLE_CHECK(sum == sum_of_changes(base, theirs, ours));
  if (sum) WAGGLE_CHECK(is_whole_json_number(*sum));
}

}  // namespace

testing::Seeds testing::seeds() {
  const std::string document =
      R"({"a":[1,-0.0,1e-400,2.50,{"b":null}],"c~/":"\u00e9\ud83d\udc1d","d":true})";
  const std::string patch =
      R"([{"op":"test","path":"/d","value":true},{"op":"add","path":"/a/-","value":{"x":[]}},)"
      R"({"op":"move","from":"/a/0","path":"/e"},{"op":"copy","from":"/a","path":"/f"},)"
      R"({"op":"replace","path":"/c~0~1","value":3},{"op":"remove","path":"/d"}])";
  const std::string nul(1, '\0');
  return {
      {"document", nul + document},
      {"json_patch", "\1" + document + nul + patch},
      {"json_patch_of_nothing", "\1" + nul + R"([{"op":"add","path":"","value":[1]}])"},
      {"merge_patch", "\2" + document + nul + R"({"a":null,"d":{"x":1},"n":[1,null]})"},
      {"make_patch", "\3" + document + nul + R"({"a":[1],"d":true,"e":{"f":2}})"},
      {"pointer", "\4/a~0b/c~1d//0/01"},
      {"numbers", "\5" + std::string("12") + nul + "-1.20e1" + nul + "18446744073709551615"},
  };
}

}  // namespace waggle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle;
  Input input(data, size);
  switch (input.below(6)) {
    case 0:
      (void)try_document(input.rest());
      break;
    case 1: {
      const std::string_view document = input.up_to('\0');
      check_result(apply_json_patch(document, input.rest()));
      break;
    }
    case 2: {
      const std::string_view document = input.up_to('\0');
      try_merge_patch(document, input.rest());
      break;
    }
    case 3: {
      const std::string_view from = input.up_to('\0');
      try_make_patch(from, input.rest());
      break;
    }
    case 4:
      try_pointer(input.rest());
      break;
    default: {
      const std::string_view a = input.up_to('\0');
      const std::string_view b = input.up_to('\0');
      try_numbers(a, b, input.rest());
      break;
    }
  }
  return 0;
}
