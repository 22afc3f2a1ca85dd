#pragma once

// What a write is told in words: the same words with the same meaning on the command line
// (cli/state_op.cc) and in the lines of `waggle agent run` (cli/agent_writes.cc).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/op.h"
#include "base/status.h"

namespace waggle::cli {

// The types that a verb can be for, the one that it means without a word first; empty for a verb
// that leaves no choice.
[[nodiscard]] std::span<const ValueType> types_of(std::string_view verb);
// "counter|grow-counter|..."
[[nodiscard]] std::string type_words(std::string_view verb);
// Errors: kRejected, with the types of that verb. REQUIRES: types_of(verb) is not empty.
[[nodiscard]] Result<ValueType> type_for(std::string_view verb, std::string_view word);
// Of a field that is removed, in the words of cli/value_json.h: text, json and bytes are registers.
[[nodiscard]] Result<ValueType> field_type_of(std::string_view word);

// What max and min compare. Kind: integer, natural, real, bytes; empty: the first of integer,
// natural and real that can hold the number. Errors: kRejected for what is no such number.
[[nodiscard]] Result<Scalar> scalar_of(const std::string& text, std::string_view kind);
[[nodiscard]] bool is_kind(std::string_view word);

// A field as it is named on the command line: a name, or a path when it begins with '/', as in
// RFC 6901: split at '/', with "~1" for '/' and "~0" for '~' within a name.
[[nodiscard]] Result<std::vector<std::string>> field_path(std::string_view text);
// The operation on that field; on the key itself when there is no path.
[[nodiscard]] Op within(std::vector<std::string> path, Op op);

// As the operations on sets need them.
[[nodiscard]] std::vector<std::string> sorted_unique(std::vector<std::string> elements);
// One edit as EditOp has it: of a text one piece, of a list an element each.
[[nodiscard]] EditOp insertion(std::uint64_t at, std::vector<std::string> inserted, ValueType type);
[[nodiscard]] EditOp erasure(std::uint64_t at, std::uint64_t count, ValueType type);

}  // namespace waggle::cli
