#pragma once

// What a user writes with a proposal or with the end of a task, as the field "writes" has it.

#include <vector>

#include <waggle/consensus.h>

#include "resolver/document_fields.h"

namespace waggle {

// Errors: kRejected for what is no JSON and said to be.
[[nodiscard]] inline Result<JsonValue> writes_of(const std::vector<ProposedValue>& values) {
  JsonValue::Array writes;
  for (const ProposedValue& value : values) {
    JsonValue::Object write;
    write["key"] = json_text(value.key);
    write["value"] = json_text(value.text);
    if (value.json) {
      Result<JsonValue> json = parse_json_document(value.text);
      if (!json) return std::unexpected(std::move(json.error()));
      write["value"] = *std::move(json);
    }
    if (value.if_version)
      write["if_version"] = json_number(static_cast<std::int64_t>(*value.if_version));
    writes.push_back({std::move(write)});
  }
  return JsonValue{std::move(writes)};
}

}  // namespace waggle
