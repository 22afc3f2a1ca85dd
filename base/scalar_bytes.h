#pragma once

// A Scalar and a Register as bytes, as values and operations have them. Inner header of
// base/value_parts and base/op_bytes.

#include "base/bytes.h"
#include "base/small_types.h"

namespace waggle {

void write_scalar(ByteWriter& out, const Scalar& scalar);
[[nodiscard]] Scalar read_scalar(ByteReader& in);
void write_register(ByteWriter& out, const Register& value);
[[nodiscard]] Register read_register(ByteReader& in);

}  // namespace waggle
