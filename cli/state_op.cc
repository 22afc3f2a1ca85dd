#include "cli/state_op.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/json.h"
#include "cli/op_words.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

// Reads one byte more than a value may have, so that what is too large is refused and not cut.
Result<std::string> read_value(std::istream& in, const std::string& name) {
  std::string bytes(limits::kValueBytes + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (in.bad())
    return failed(Code::kRejected, fmt::format("{} can't be read: {}", name, std::strerror(errno)));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (bytes.size() > limits::kValueBytes)
    return failed(Code::kRejected,
                  fmt::format("{} holds more than {} bytes, which is the limit of a "
                              "value; store it elsewhere and put its address here",
                              name, limits::kValueBytes));
  return bytes;
}

Result<Op> put_of(const CommandLine::State& state) {
  auto bytes = value_of(state);
  if (!bytes) return std::unexpected(bytes.error());
  const ContentType content =
      state.content.value_or(is_utf8(*bytes) ? ContentType::kText : ContentType::kBytes);
  if (content == ContentType::kText && !is_utf8(*bytes))
    return failed(Code::kRejected, "the value is not UTF-8, so it is no text; use --type bytes");
  if (content == ContentType::kJson) {
    const auto parsed = parse_json(*bytes);
    if (!parsed) return failed(Code::kRejected, "the value is not JSON: " + parsed.error().text);
    bytes = parsed->canonical();
  }
  const ValueType type = state.beside ? ValueType::kMultiRegister : ValueType::kRegister;
  return PutOp{content, *std::move(bytes), type};
}

Op removal_of(const CommandLine::State& state) {
  FieldOp removal = field_op(state.field, DeleteOp{});
  removal.removed_type = state.type;
  return removal;
}

// On the key or the field itself. REQUIRES: settle_state_write() was called.
Result<Op> bare_op_of(const CommandLine::State& state) {
  const std::string& verb = state.verb;
  if (verb == "put" || verb == "setfield") return put_of(state);
  if (verb == "incr") return IncrOp{state.amount, *state.type};
  if (verb == "reset") return ResetOp{};
  if (verb == "add") return SetAddOp{sorted_unique(state.elements), *state.type};
  if (verb == "remove") return SetRemoveOp{sorted_unique(state.elements), *state.type};
  if (verb == "max") return RaiseOp{state.scalar, ValueType::kMax};
  if (verb == "min") return RaiseOp{state.scalar, ValueType::kMin};
  if (verb == "once") return FlagOp{true, ValueType::kOnceFlag};
  if (verb == "on" || verb == "off") return FlagOp{verb == "on", *state.type};
  if (verb == "erase") return erasure(state.at, state.count, *state.type);
  if (verb == "insert" || verb == "append") return insertion(state.at, state.elements, *state.type);
  return DeleteOp{};
}

}  // namespace

Result<std::string> value_of(const CommandLine::State& state) {
  if (!state.file.empty()) {
    std::ifstream file(state.file, std::ios::binary);
    if (!file)
      return failed(Code::kRejected, fmt::format("the file '{}' can't be opened: {}", state.file,
                                                 std::strerror(errno)));
    return read_value(file, fmt::format("the file '{}'", state.file));
  }
  if (state.value && *state.value != "-") return *state.value;
  if (fcntl(STDIN_FILENO, F_GETFD) < 0)
    return failed(Code::kRejected,
                  "standard input is closed and no value was given; an empty value "
                  "is written as ''");
  if (!state.value && isatty(STDIN_FILENO) == 1)
    say("the value is read from the terminal; ^D ends it");
  return read_value(std::cin, "standard input");
}

Result<Op> op_of(const CommandLine::State& state) {
  if (state.verb == "rmfield") return removal_of(state);
  Result<Op> op = bare_op_of(state);
  if (!op) return op;
  return within(state.field, *std::move(op));
}

Result<PatchText> patch_of(const CommandLine::State& state) {
  auto bytes = value_of(state);
  if (!bytes) return std::unexpected(bytes.error());
  const auto parsed = parse_json(*bytes);
  if (!parsed) return failed(Code::kRejected, "the patch is not JSON: " + parsed.error().text);
  const auto form = patch_form_of(*bytes);
  if (!form) return std::unexpected(form.error());
  return PatchText{*form, *std::move(bytes)};
}

}  // namespace waggle::cli
