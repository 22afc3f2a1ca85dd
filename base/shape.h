#pragma once

// The shape of what users and peers hand in: names, values and mutations within base/limits.h. Pure
// functions, used by the codec for whatever arrives and by the cores for whatever is asked of them,
// so that nothing is accepted in one place that another one refuses.
//
// Each gives kRejected with a text that says what was expected and what came. Elements of a set and
// the bytes of a register may be any bytes; keys, ids and metadata are UTF-8.

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/mutation.h"
#include "base/record.h"
#include "base/status.h"
#include "base/value.h"

namespace waggle {

// RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

// 1..limits::kKeyBytes bytes of UTF-8.
[[nodiscard]] Status check_key(std::string_view key);
// 1..limits::kIdBytes bytes of UTF-8 without control characters, white space and '/'. Ids that
// begin with '~' pass: whether a peer may have one is for the core to say.
[[nodiscard]] Status check_agent_id(std::string_view id);
[[nodiscard]] Status check_swarm_id(std::string_view id);
// 1..limits::kElementBytes bytes.
[[nodiscard]] Status check_element(std::string_view element);
// size_of() at most limits::kValueBytes, and a register's content type. What else a value must be
// like is looked at where it is decoded (base/value_bytes.h).
[[nodiscard]] Status check_value(const Value& value);
// Names of 1 or more bytes and texts, UTF-8, together at most limits::kMetadataBytes.
[[nodiscard]] Status check_metadata(const Metadata& metadata);

// What an entry counts for against limits::kGroupBytes: key, content (base/op.h) and metadata.
[[nodiscard]] std::size_t input_bytes(const Entry& entry);
// Key (empty iff the operation is a ClearOp), operation, expectation and metadata.
[[nodiscard]] Status check_entry(const Entry& entry);
// All entries of one mutation: at least one; of more than one at most limits::kGroupEntries and
// limits::kGroupBytes, one entry a key; a ClearOp only alone.
[[nodiscard]] Status check_entries(const std::vector<Entry>& entries);
// check_entries(), and: incarnation not 0, seq 1..limits::kNumberMax, context within its limits and
// without own writes that come later.
[[nodiscard]] Status check_mutation(const Mutation& mutation);

}  // namespace waggle
