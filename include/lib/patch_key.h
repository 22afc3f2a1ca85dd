#pragma once

// A patch of a JSON document by whoever is no agent: read, patch, and write what comes out only
// where nothing came in between; else anew.

#include <cstdint>
#include <string>
#include <vector>

#include "base/mutation.h"
#include "base/record.h"
#include "base/status.h"
#include "include/lib/request_client.h"
#include "resolver/update.h"

namespace waggle {

struct KeyRead {
  RecordPtr record;            // null: there is no such key
  std::optional<Cursor> at{};  // none: there is no swarm yet, which begins with its first write
};
[[nodiscard]] Result<KeyRead> read_key(RequestClient& client, const Key& key,
                                       std::int64_t timeout_millis);

struct KeyPatch {
  Key key;
  std::vector<std::string> field;  // within maps; none: the key itself
  PatchForm form = PatchForm::kMerge;
  std::string text;
  Expect expect;  // none: what it was made of
};
// Errors: of patch_op() and of the client. Where others write the key all the time it is given up
// after 16 tries, and the outcome is the last conflict.
[[nodiscard]] Result<Outcome> patch_key(RequestClient& client, const KeyPatch& patch,
                                        std::int64_t timeout_millis);

}  // namespace waggle
