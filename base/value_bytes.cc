#include "base/value_bytes.h"

#include <utility>

#include "base/value_parts.h"

namespace waggle {

std::string encode_value(const Value& value) {
  ValueWriter writer;
  writer.collect(value);
  writer.begin();
  writer.body(value);
  return writer.take();
}

Result<Value> decode_value(ValueType type, std::string_view bytes) {
  ValueReader reader(to_text(type), bytes);
  Value value = reader.body(type, 0);
  if (Status finished = reader.finish(); !finished)
    return std::unexpected(std::move(finished.error()));
  return value;
}

}  // namespace waggle
