#pragma once

// Values as JSON and as text for people. `type` says how to read the rest:
//
//   text, json, bytes    a register: "value", or "base64" for what is not UTF-8
//   counter, grow-counter, resettable-counter, bounded-counter
//                        "value": a number; a bounded one with "free" and "reserved":{agent: n}
//   set, grow-set, remove-wins-set   "value": a sorted list
//   list                 "value": a list in its order
//   max, min             "value": a number or text, and "kind": integer, natural, real or bytes
//   once, enable-flag, disable-flag   "value": true or false
//   multi-register       "values": a list of registers, each with its "writer"
//   map                  "fields": a list of {"name":..., and what its type has}
//   shared-text          "value": text
//
// An element that is not UTF-8 is {"base64":"..."}.

#include <string>
#include <string_view>

#include "base/value.h"
#include "cli/json.h"

namespace waggle::cli {

[[nodiscard]] std::string_view type_word(const Value& value);
[[nodiscard]] Json element_json(const std::string& element);
[[nodiscard]] Json field_json(const FieldId& id, const Field& field);
// Adds "type" and what belongs to it.
void add_value(Json& out, const Value& value);

// One line, for people: a set as {a, b}, a map as {name: value}, bytes as a size.
[[nodiscard]] std::string preview(const Value& value, std::size_t bytes_max);
// As `waggle state get` prints it: the bare value; sets, lists and several registers one a line, a
// map a line for each field: its name, a tab and a preview.
[[nodiscard]] std::string plain_text(const Value& value, bool for_terminal);

}  // namespace waggle::cli
