#include "include/lib/patch_key.h"

#include <optional>
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
    // What comes to what stands is nothing to write; with a condition it is the coordinator's to
    // say whether that holds.
    const std::optional<Register> stands = register_of(read->record.get());
    const auto* put = std::get_if<PutOp>(&*op);
    if (!given && stands && put != nullptr && *stands == Register{put->content, put->bytes}) {
      Outcome nothing;
      nothing.code = Code::kCommitted;
      if (read->at) nothing.revision = read->at->revision;
      nothing.key = patch.key;
      return nothing;
    }
    Entry entry{patch.key, patch.expect, *std::move(op), {}};
    if (!given) entry.expect = ExpectVersion{read->record ? read->record->version : Revision{}};
    Result<Outcome> outcome = client.write({std::move(entry)}, timeout_millis);
    const bool overtaken = outcome && outcome->conflict == ConflictKind::kVersionMismatch;
    if (given || !overtaken || tries == kTries) return outcome;
  }
}

}  // namespace waggle
