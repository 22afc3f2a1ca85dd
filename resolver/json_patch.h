#pragma once

// Changes of a JSON text that a client writes as JSON: a merge patch (RFC 7396), which is shaped
// like the document and removes with null, or a list of operations on pointers (RFC 6902). Both
// are ways to state a change, never a form in which Waggle keeps or sends one.
//
// An empty document means that there is none yet. The result is canonical text
// (resolver/json_document.h) of at most limits::kValueBytes and kJsonNestingMax levels; or
// kRejected and nothing happened, however many operations had passed.
//
// Bound: work and memory of a list of operations are counted, since copying and moving within
// large arrays lets a short list ask for much; see json_patch.cc.

#include <string>
#include <string_view>

#include "base/status.h"

namespace waggle {

// A merge patch makes a document where there is none.
[[nodiscard]] Result<std::string> apply_merge_patch(std::string_view document,
                                                    std::string_view patch);

// Where there is no document, the first operation has to add one at "". Errors name the operation
// (the first is 1), its kind and path, what it expected and what stands there.
[[nodiscard]] Result<std::string> apply_json_patch(std::string_view document,
                                                   std::string_view patch);

// The merge patch that makes `to` of `from`, which may be empty: there is none yet. Errors:
// kRejected where either is no document; where `to` has a member null that the patch would have to
// set, since that removes it, with its pointer; and where the patch is larger than a value may be.
[[nodiscard]] Result<std::string> make_merge_patch(std::string_view from, std::string_view to);

}  // namespace waggle
