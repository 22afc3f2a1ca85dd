// Any bytes through what the program reads: JSON, the lines of `waggle agent run`, configuration
// files, and words of the command line. The first byte names the reader.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/op_bytes.h"
#include "base/shape.h"
#include "cli/agent_ops.h"
#include "cli/config.h"
#include "cli/durations.h"
#include "cli/json.h"
#include "cli/op_words.h"
#include "resolver/json_document.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/seeds.h"

namespace waggle::cli {
namespace {

using testing::Input;

template <typename T>
bool told(const Result<T>& result, Code code = Code::kRejected) {
  if (!result) WAGGLE_CHECK(result.error().code == code && !result.error().text.empty());
  return result.has_value();
}

// A line gives back what was read, and the canonical text is that of resolver/json_document.h.
void try_json(std::string_view text) {
  const Result<Json> json = parse_json(text);
  const Result<JsonValue> document = parse_json_document(text);
  if (!told(json)) {
    WAGGLE_CHECK(!document, "refused here and read as a document");
    return;
  }
  const std::string line = json->dump();
  WAGGLE_CHECK(line.find('\n') == std::string::npos);
  const Result<Json> again = parse_json(line);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  const bool negative_zero = line.find("-0") != std::string::npos;  // see json_document.h
  // Not *again == *json: a number may be read as another kind of the same value, 2500 for 2.5e3.
  WAGGLE_CHECK(negative_zero || again->dump() == line);
  const std::string canonical = json->canonical();
  WAGGLE_CHECK(negative_zero || parse_json(canonical)->canonical() == canonical);
  if (document) WAGGLE_CHECK(to_json(*document) == canonical, "two canonical texts");
}

void check_written(const Entry& entry) {
  if (!check_entry(entry)) return;
  if (std::holds_alternative<ClearOp>(entry.op) || std::holds_alternative<DeleteOp>(entry.op))
    return;
  const std::string bytes = encode_op(entry.op);
  const Result<Op> again = decode_op(bytes);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(*again == entry.op && encode_op(*again) == bytes);
}

void try_line(std::string_view line) {
  const ParsedOp parsed = parse_op(line);
  if (!told(parsed.op)) return;
  WAGGLE_CHECK(!parsed.op->op.empty() && parsed.op->id == parsed.id);
  if (const auto* write = std::get_if<WriteCommand>(&parsed.op->ask))
    for (const Entry& entry : write->entries) check_written(entry);
}

void try_config(std::string_view text) {
  const Result<ConfigDocument> document = parse_config(text, "file");
  if (!told(document)) return;
  Config config;
  const Status applied = apply_document(*document, "file", config);
  if (!applied)
    WAGGLE_CHECK(applied.error().code == Code::kRejected && !applied.error().text.empty());
}

void try_base64(std::string_view text) {
  WAGGLE_CHECK(from_base64(to_base64(text)) == text);
  const Result<std::string> bytes = from_base64(text);
  if (told(bytes)) WAGGLE_CHECK(to_base64(*bytes) == text, "two spellings of the same bytes");
}

void try_words(std::string_view text) {
  if (const auto millis = parse_duration(text); told(millis)) {
    WAGGLE_CHECK(*millis >= 0);
    (void)duration_text(*millis);
  }
  if (const auto bytes = parse_size(text); told(bytes)) (void)size_text(*bytes);
  (void)told(field_path(text));
  for (const std::string_view kind : {"", "integer", "natural", "real", "bytes"}) {
    const Result<Scalar> scalar = scalar_of(std::string(text), kind);
    if (told(scalar)) WAGGLE_CHECK(checked(*scalar) == *scalar, "a scalar that can't be compared");
  }
}

}  // namespace
}  // namespace waggle::cli

waggle::testing::Seeds waggle::testing::seeds() {
  Seeds seeds = {
      {"json", std::string(1, '\0') +
                   R"({"b":[1,-2.5e3,1e-400,18446744073709551616],"a":{"x":null},"\u00e9":"\n"})"},
      {"config",
       "\2[coordinator]\nlisten = \"tcp://127.0.0.1:1\"\nsync = true\n[limits]\n"
       "state_bytes_max = \"1GiB\"\n[[policy]]\nprefix = \"a/\"\ntype = \"set\"\n"
       "weights = [\"a=2\"]\nquorum = 0.6\n"},
      {"base64", "\3TWFu/+8="},
      {"duration",
       "\4"
       "1.5s"},
      {"size",
       "\4"
       "64KiB"},
      {"number", "\4-2.50e-3"},
      {"path", "\4/a~0b/c~1d"},
  };
  const std::pair<const char*, const char*> lines[] = {
      {"put", R"({"op":"put","key":"k","value":{"a":1},"if_version":3,"metadata":{"m":"n"}})"},
      {"add", R"({"id":1,"op":"add","key":"k","elements":["b",{"base64":"/w=="}],"type":"set"})"},
      {"max", R"({"op":"max","key":"k","value":-1.5,"kind":"real","field":["m","p"]})"},
      {"insert", R"({"op":"insert","key":"k","at":2,"text":"x","if_mine":7})"},
      {"handover", R"({"op":"handover","key":"k","amount":3,"to":"b"})"},
      {"group", R"({"op":"group","entries":[{"op":"incr","key":"a"},{"op":"delete","key":"b"}]})"},
      {"get", R"({"op":"get","keys":["a","b"],"at_least":5,"timeout":"2s"})"},
      {"list", R"({"op":"list","glob":"a*","after":"ab","limit":10})"},
      {"sync", R"({"op":"sync","all":true,"priority":"high"})"},
      {"rmfield", R"({"op":"rmfield","key":"k","field":"f","type":"counter"})"},
  };
  for (const auto& [name, line] : lines)
    seeds[std::string("line_") + name] = std::string("\1") + line;
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle::cli;
  Input input(data, size);
  switch (input.below(5)) {
    case 0:
      try_json(input.rest());
      break;
    case 1:
      try_line(input.rest());
      break;
    case 2:
      try_config(input.rest());
      break;
    case 3:
      try_base64(input.rest());
      break;
    default:
      try_words(input.rest());
      break;
  }
  return 0;
}
