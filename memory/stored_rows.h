#pragma once

// Rows as they lie in a store's families, back as the structs of base/row.h: one function a family.
// What reads a database, a snapshot or a damaged store reads through these. The layout is in
// store_keys.h and docs/storage.md.
//
// Errors of all: kCorrupt for a key of no known shape or a value that can't be decoded,
// kUnsupported for a value written by a newer Waggle. The text names the row, and not the file or
// the family: that is for the caller to add.
//
// Pure functions, thread-safe.

#include <string>
#include <string_view>

#include "base/receipt.h"
#include "base/row.h"
#include "base/status.h"
#include "capnp/records.h"

namespace waggle::stored_rows {

// Printable bytes as they are, others as \xNN.
[[nodiscard]] std::string shown(std::string_view key);
[[nodiscard]] Error bad_key(std::string_view key);
// What decode_stored() refused, with the row in its text.
[[nodiscard]] Error bad_value(std::string_view key, const Error& error);

template <typename T>
[[nodiscard]] Result<T> decode(std::string_view key, std::string_view value) {
  Result<T> decoded = decode_stored<T>(value);
  if (!decoded) return std::unexpected(bad_value(key, decoded.error()));
  return decoded;
}

// ---- of a coordinator
// Of `meta`. REQUIRES: the key begins with store_keys::kSwarmPrefix.
[[nodiscard]] Result<SwarmRow> swarm(std::string_view key, std::string_view value);
[[nodiscard]] Result<RecordRow> record(std::string_view key, std::string_view value);
[[nodiscard]] Result<WriterRow> writer(std::string_view key, std::string_view value);
[[nodiscard]] Result<OutcomeRow> outcomes(std::string_view key, std::string_view value);
[[nodiscard]] Result<ConflictRow> conflict(std::string_view key, std::string_view value);
[[nodiscard]] Result<HistoryRow> version(std::string_view key, std::string_view value);
[[nodiscard]] Result<ReceiptRow> receipt(std::string_view key, std::string_view value);

// ---- of an agent
[[nodiscard]] Result<OutboxRow> outbox(std::string_view key, std::string_view value);
[[nodiscard]] Result<ReplicaRow> replica(std::string_view key, std::string_view value);

}  // namespace waggle::stored_rows
