#pragma once

// A value as bytes (base/bytes.h): equal values give equal bytes, and decode_value() refuses every
// other spelling. The type is not in them: it stands beside them wherever a value is carried.
//
//   value    := format(1 byte, 1) writers body
//   writers  := count { length agent incarnation(8 bytes) }           rising, each in use
//   dot      := revision index writer seq                              writer: its place, from 0
//   dots     := count { dot }                                          rising, at least one
//
// and the bodies, in which names rise as unsigned bytes do:
//
//   register            := content(1 byte) length bytes
//   counter             := total with sign
//   grow-counter        := total
//   set                 := count { length element dots }
//   grow-set            := count { length element }
//   remove-wins-set     := swept count { length element count{dot} count{dot} }   adds, removals
//   max, min            := kind(1 byte) number | bytes
//   once                := nothing
//   enable-, disable-flag := count { dot }
//   resettable-counter  := base with sign, folded_through, count { dot, amount with sign }
//   bounded-counter     := free count { length agent amount }
//   multi-register      := count { dot hlc(8 bytes) register }
//   map                 := count { length name type(1 byte) hlc(8 bytes) dots body }
//   list, text          := length bytes of base/sequence.h, which have writers of their own
//
// Example: the set {"a"} added by w, incarnation 3, seq 4, at (300, 0):
//   01  01 01 'w' 03 00 00 00 00 00 00 00  01 01 'a' 01 ac 02 00 00 04

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/value.h"

namespace waggle {

[[nodiscard]] std::string encode_value(const Value& value);
// Errors: kRejected. Bound: size_of() the value is at most limits::kFrameBytes, more than any
// writer may make (limits::kValueBytes); maps nest up to limits::kMapDepth.
[[nodiscard]] Result<Value> decode_value(ValueType type, std::string_view bytes);

}  // namespace waggle
