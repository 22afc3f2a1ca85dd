#pragma once

// The stored forms: what RocksDB holds under a key, see capnp/records.capnp and docs/storage.md.
// Each is one frame as in capnp/codec.h with a root `Stored` that names its format and its kind, so
// that bytes of another kind are refused rather than misread.
//
// decode_stored() takes bytes at any alignment. Errors: kCorrupt for bytes that can't be read,
// kUnsupported for a form written by a newer Waggle.
//
// Thread-safe as capnp/codec.h.

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/mutation.h"
#include "base/record.h"
#include "base/row.h"
#include "base/status.h"
#include "base/value.h"

namespace waggle {

[[nodiscard]] std::string encode_stored(const Value& value);
[[nodiscard]] std::string encode_stored(const Record& record);
[[nodiscard]] std::string encode_stored(const StoreRow& row);
[[nodiscard]] std::string encode_stored(const SwarmRow& row);
// Without `gone`, which says that the row is to be deleted.
[[nodiscard]] std::string encode_stored(const WriterRow& row);
[[nodiscard]] std::string encode_stored(const std::vector<Outcome>& outcomes);
[[nodiscard]] std::string encode_stored(const Receipt& receipt);
[[nodiscard]] std::string encode_stored(const ParkedConflict& conflict);
[[nodiscard]] std::string encode_stored(const IdentityRow& row);
[[nodiscard]] std::string encode_stored(const Mutation& mutation);  // an entry of the outbox
[[nodiscard]] std::string encode_stored(const HeldState& held);     // of an agent's replica

// T: one of the above.
template <typename T>
[[nodiscard]] Result<T> decode_stored(std::string_view bytes);
template <>
[[nodiscard]] Result<Value> decode_stored<Value>(std::string_view bytes);
template <>
[[nodiscard]] Result<Record> decode_stored<Record>(std::string_view bytes);
template <>
[[nodiscard]] Result<StoreRow> decode_stored<StoreRow>(std::string_view bytes);
template <>
[[nodiscard]] Result<SwarmRow> decode_stored<SwarmRow>(std::string_view bytes);
template <>
[[nodiscard]] Result<WriterRow> decode_stored<WriterRow>(std::string_view bytes);
// Also of the single outcome that stores of format 1 hold.
template <>
[[nodiscard]] Result<std::vector<Outcome>> decode_stored<std::vector<Outcome>>(
    std::string_view bytes);
template <>
[[nodiscard]] Result<Receipt> decode_stored<Receipt>(std::string_view bytes);
template <>
[[nodiscard]] Result<ParkedConflict> decode_stored<ParkedConflict>(std::string_view bytes);
template <>
[[nodiscard]] Result<IdentityRow> decode_stored<IdentityRow>(std::string_view bytes);
template <>
[[nodiscard]] Result<Mutation> decode_stored<Mutation>(std::string_view bytes);
template <>
[[nodiscard]] Result<HeldState> decode_stored<HeldState>(std::string_view bytes);

// The same for a record, by the names that readers look for.
[[nodiscard]] inline std::string encode_record(const Record& record) {
  return encode_stored(record);
}
[[nodiscard]] inline Result<Record> decode_record(std::string_view bytes) {
  return decode_stored<Record>(bytes);
}

}  // namespace waggle
