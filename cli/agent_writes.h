#pragma once

// The operations of `waggle agent run` that write: one table says which there are and what each
// takes. Their words are those of `waggle state`.

#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/mutation.h"
#include "cli/json.h"

namespace waggle::cli {

struct OpForm {
  std::string_view op;
  std::vector<std::string> fields;  // that it may have, "op" and "id" apart
};
[[nodiscard]] const std::vector<OpForm>& write_forms();
[[nodiscard]] bool is_write(std::string_view op);

// REQUIRES: is_write(op), and check_fields() was fine.
[[nodiscard]] Result<Entry> entry_of(const Json& object, std::string_view op);
// Of {"op":"group","entries":[...]}.
[[nodiscard]] Result<WriteCommand> group_of(const Json& object);

}  // namespace waggle::cli
