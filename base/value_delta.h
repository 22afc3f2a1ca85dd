#pragma once

// How a value came from an earlier version of it, as bytes: what a reader that holds the earlier
// one needs and no more. Both versions share what did not change (base/persistent_map.h), so making
// a delta costs what changed, and so do its bytes; several changes need no joining, since the delta
// is taken between the two versions that matter.
//
//   delta   := format(1 byte, 1) writers change
//
// and by type the change:
//
//   set              count { length element count{dot} }                no dots: removed
//   grow-set         count { length element 0|1 }                       0: removed
//   remove-wins-set  swept count { length element count{dot} count{dot} }
//   map              count { length name type how ... }                 how 0: removed
//                                                                       how 1: hlc dots body
//                                                                       how 2: hlc dots change
//   list, text       length bytes of base/sequence.h
//
// Of a register the delta is content(1 byte) and the bytes packed against the earlier ones
// (base/packing.h). The other types are small and travel whole.

#include <optional>
#include <string>
#include <string_view>

#include "base/packing.h"
#include "base/status.h"
#include "base/value.h"

namespace waggle {

// Nothing: the types differ or have no delta, or the delta would not be smaller than the value.
// `packing` is of registers.
[[nodiscard]] std::optional<std::string> encode_delta(const Value& from, const Value& to,
                                                      Packing packing = Packing::kAuto);
// The later value. Exact: apply_delta(from, encode_delta(from, to)) is `to`. Errors: kRejected for
// any bytes that are no delta of that type, or do not fit `from`.
[[nodiscard]] Result<Value> apply_delta(const Value& from, std::string_view delta);

// A large register alone, packed. Nothing: any other value, or not worth it.
[[nodiscard]] std::optional<std::string> pack_value(const Value& value,
                                                    Packing packing = Packing::kAuto);
[[nodiscard]] Result<Value> unpack_value(std::string_view packed);

}  // namespace waggle
