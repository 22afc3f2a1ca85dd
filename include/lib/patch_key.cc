#include "include/lib/patch_key.h"

#include <utility>

namespace waggle {
namespace {

constexpr int kTries = 16;

}  // namespace

Result<KeyRead> read_key(RequestClient& client, const Key& key, std::int64_t timeout_millis) {
  const auto found = client.query(GetQuery{{key}, {}}, timeout_millis);
  if (!found && found.error().code == Code::kNotFound) return KeyRead{};
  if (!found) return std::unexpected(found.error());
  KeyRead read{nullptr, found->at};
  for (const Change& change : found->changes)
    if (change.record && change.record->live()) read.record = change.record;
  return read;
}

Result<Outcome> patch_key(RequestClient& client, const KeyPatch& patch,
                          std::int64_t timeout_millis) {
  const bool given = !std::holds_alternative<std::monostate>(patch.expect);
  for (int tries = 1;; ++tries) {
    const Result<KeyRead> read = read_key(client, patch.key, timeout_millis);
    if (!read) return std::unexpected(read.error());
    Result<Op> op = patch_op(read->record.get(), patch.field, patch.form, patch.text);
    if (!op) return std::unexpected(std::move(op.error()));
    Entry entry{patch.key, patch.expect, *std::move(op), {}};
    if (!given) entry.expect = ExpectVersion{read->record ? read->record->version : Revision{}};
    Result<Outcome> outcome = client.write({std::move(entry)}, timeout_millis);
    const bool overtaken = outcome && outcome->conflict == ConflictKind::kVersionMismatch;
    if (given || !overtaken || tries == kTries) return outcome;
  }
}

}  // namespace waggle
