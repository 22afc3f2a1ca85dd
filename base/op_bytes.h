#pragma once

// The operations of the types that came after the first three, as bytes (base/bytes.h): one
// spelling for each, decode_op() refuses every other.
//
//   op      := format(1 byte, 1) verb(1 byte) ...
//   put        (0) type content length bytes
//   incr       (1) type amount with sign
//   add        (2) type count { length element }
//   remove     (3) type count { length element }
//   raise      (4) type kind(1 byte) number | bytes
//   flag       (5) type on(1 byte)
//   reset      (6)
//   escrow     (7) verb amount length agent
//   edit       (8) type count { at removed count { length text } }
//   field      (9) count { length name } removed-type op without its format
//   delete    (10) only within a field
//   settle    (11) conflict how(1 byte) side content length bytes
//
// type is one byte, the number of ValueType; removed-type is 0 for none.

#include <string>
#include <string_view>

#include "base/op.h"
#include "base/status.h"

namespace waggle {

// REQUIRES: not a ClearOp; a DeleteOp only within a FieldOp.
[[nodiscard]] std::string encode_op(const Op& op);
// Errors: kRejected; kUnsupported for a verb, type or format of a newer Waggle. Limits of the parts
// are looked at by check_entry().
[[nodiscard]] Result<Op> decode_op(std::string_view bytes);

}  // namespace waggle
