#pragma once

// A set as bytes: equal sets give equal bytes, and decode_set() refuses every other spelling, so
// the bytes may be compared and hashed. Cap'n Proto carries them as one Data.
//
//   set      := format(1 byte, 1) writers elements
//   writers  := count { length agent incarnation(8 bytes, little-endian) }    rising, each in use
//   elements := count { length element dots }                                 rising
//   dots     := count(1 or more) { revision index writer seq }                rising as Dots
//
// count, length, revision, index, writer (its place in `writers`, from 0) and seq are varints:
// seven bits a byte, low ones first, the top bit set on all bytes but the last, no longer than
// needed. Strings rise as unsigned bytes do. Example: {"a"} added by w, incarnation 3, seq 4, at
// (300, 0):
//   01  01 01 'w' 03 00 00 00 00 00 00 00  01 01 'a' 01 ac 02 00 00 04

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/value.h"

namespace waggle {

[[nodiscard]] std::string encode_set(const OrSet& set);
// Errors: kRejected. Bound: size_of() the set is at most limits::kFrameBytes, more than any writer
// may make (limits::kValueBytes).
[[nodiscard]] Result<OrSet> decode_set(std::string_view bytes);

}  // namespace waggle
