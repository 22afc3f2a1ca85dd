#pragma once

// Whether a record may carry the signature that came with the write. Inner header.

#include <memory>
#include <variant>

#include "base/mutation.h"
#include "base/record.h"

namespace waggle {

// Of a record that is what the entry put, and nothing else. Null: it is not, or was not signed.
[[nodiscard]] inline std::shared_ptr<const Signature> signature_of(const Entry& entry,
                                                                   const Record& record) {
  const auto* put = std::get_if<PutOp>(&entry.op);
  if (!entry.signature || put == nullptr || !record.live() ||
      *record.value != Value(Register{put->content, put->bytes}))
    return nullptr;
  return std::make_shared<const Signature>(*entry.signature);
}

}  // namespace waggle
