#pragma once

// The operations of `waggle agent run` that write: one table says which there are and what each
// takes. Their words are those of `waggle state`.

#include <optional>
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
// "ephemeral": true, of a put or delete.
[[nodiscard]] bool is_ephemeral(const Json& object);
// REQUIRES: is_ephemeral(object), and check_fields() was fine.
[[nodiscard]] Result<EphemeralCommand> ephemeral_of(const Json& object, std::string_view op);
// "metadata": an object of strings.
[[nodiscard]] Result<Metadata> metadata_of(const Json& object);
// "as_of" of an edit: a revision, or a cursor as changes have it.
[[nodiscard]] Status read_as_of(const Json& object, std::optional<Cursor>& out);

// The writes that are made of what the agent holds when it makes them: append and patch. They are
// not for groups.
[[nodiscard]] const std::vector<OpForm>& update_forms();
[[nodiscard]] bool is_update(std::string_view op);
// REQUIRES: is_update(op), and check_fields() was fine.
[[nodiscard]] Result<UpdateCommand> update_of(const Json& object, std::string_view op);
// Of {"op":"group","entries":[...]}.
[[nodiscard]] Result<WriteCommand> group_of(const Json& object);

}  // namespace waggle::cli
