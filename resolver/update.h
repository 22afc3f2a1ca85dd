#pragma once

// Operations that are made of the value that stands: whoever makes one reads and writes in one
// step, so that nothing comes in between (an agent on its own thread, a client under an expected
// version).

#include <string>
#include <string_view>
#include <vector>

#include "base/op.h"
#include "base/record.h"
#include "base/status.h"
#include "base/value.h"

namespace waggle {

// The field of that type at the path, within maps; the value itself for an empty path. Null: there
// is none.
[[nodiscard]] const Value* value_at(const Record* record, const std::vector<std::string>& path,
                                    ValueType type);

// Inserts behind the end; where there is nothing yet, or a value of another type, at 0. Type: text
// (one piece of UTF-8) or list.
[[nodiscard]] Op append_op(const Record* standing, std::vector<std::string> path,
                           std::vector<std::string> inserted, ValueType type);

enum class PatchForm : std::uint8_t {
  kMerge,  // RFC 7396: shaped like the document, null removes
  kList,   // RFC 6902: operations on pointers
};
// By how it begins. Errors: kRejected for what is neither an object nor a list.
[[nodiscard]] Result<PatchForm> patch_form_of(std::string_view patch);
// Puts the patched JSON document. Errors: kRejected for a patch that does not fit, see
// resolver/json_patch.h, and where a register stands that holds no JSON; whether a value of
// another type stands is for the coordinator to say.
[[nodiscard]] Result<Op> patch_op(const Record* standing, std::vector<std::string> path,
                                  PatchForm form, std::string_view patch);

}  // namespace waggle
