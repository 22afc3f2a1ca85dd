#pragma once

// Between the inner vocabulary (base/) and the plain structs of the public API.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <waggle/agent.h>
#include <waggle/group.h>
#include <waggle/types.h>

#include "base/message.h"
#include "base/mutation.h"
#include "base/record.h"
#include "base/status.h"

namespace waggle {

[[nodiscard]] Failure to_failure(Error error);
[[nodiscard]] inline std::unexpected<Failure> failure(StatusCode code, std::string text) {
  return std::unexpected(Failure{code, std::move(text)});
}
template <typename T>
[[nodiscard]] std::unexpected<Failure> failure_of(Result<T>& result) {
  return std::unexpected(to_failure(std::move(result.error())));
}

[[nodiscard]] StateVersion to_version(const Cursor& cursor);
[[nodiscard]] Cursor to_cursor(const StateVersion& version);
[[nodiscard]] StateItem to_item(const Key& key, const Record* record);
[[nodiscard]] std::vector<StateItem> to_items(const std::vector<Change>& changes);
[[nodiscard]] WriteResult to_result(const Outcome& outcome);
// A failure when it was refused.
// Of a write that was waited for: a failure when it was refused.
[[nodiscard]] Expected<void> outcome_of(const Expected<WriteResult>& written);
[[nodiscard]] Expected<HeldClaim> to_result(const ClaimResult& result);
[[nodiscard]] std::optional<std::string> to_text_of(const std::optional<Register>& checkpoint);
// A failure when no round was held.
[[nodiscard]] Expected<SyncResult> to_result(const SyncReport& report);

struct WriteGroup::Parts {
  std::vector<Entry> entries;  // the elements of sets as they were given
  std::string misuse;          // what was called wrongly, first
  void misused(std::string text) {
    if (misuse.empty()) misuse = std::move(text);
  }
};
// Ready to be written. Errors: of check_entries(), or what was called wrongly.
[[nodiscard]] Result<std::vector<Entry>> entries_of(const WriteGroup& group);
[[nodiscard]] std::vector<Key> to_keys(const std::vector<std::string>& keys);

// While one lives, the thread runs a callback of an agent.
class InCallback {
 public:
  InCallback();
  ~InCallback();
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
  [[nodiscard]] static bool here();
};
// Of blocking calls: a failure within a callback.
[[nodiscard]] Expected<void> may_block(std::string_view call);

}  // namespace waggle
