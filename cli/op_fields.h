#pragma once

// Reading the fields of an operation that is a JSON object; what is missing or of the wrong type is
// refused with its name, what was expected and what came.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/value.h"
#include "cli/json.h"

namespace waggle::cli {

[[nodiscard]] std::unexpected<Error> wrong(std::string text);
[[nodiscard]] std::unexpected<Error> wrong_type(std::string_view name, std::string_view wanted,
                                                const Json& found);

// Only "op", "id" where it may stand, and these.
[[nodiscard]] Status check_fields(const Json& object, std::string_view op,
                                  const std::vector<std::string>& known, bool with_id);

[[nodiscard]] Result<std::string> text_of(const Json& object, std::string_view name);
// Leave `out` as it is where the field is missing.
[[nodiscard]] Status read_natural(const Json& object, std::string_view name,
                                  std::string_view wanted, std::uint64_t least, std::uint64_t& out);
[[nodiscard]] Status read_duration(const Json& object, std::string_view name,
                                   std::int64_t& millis);
// "token": of a claim.
[[nodiscard]] Status read_token(const Json& object, FenceToken& token);
[[nodiscard]] Status read_flag(const Json& object, std::string_view name, bool& out);

// "elements": strings, or {"base64":...} for one that is not UTF-8; in their order.
[[nodiscard]] Result<std::vector<std::string>> elements_of(const Json& object);
// A value as it is written in an operation: {"value":..., "type":"text|json|bytes", "base64":...}.
// A string without a type is text, every other value JSON, which is put into canonical form.
[[nodiscard]] Result<Register> register_of(const Json& object);

}  // namespace waggle::cli
