#pragma once

// Where one run of a Sequence ends and the next begins. Inner header of base/sequence.h.

#include <cstdint>
#include <optional>

#include "base/sequence_span.h"

namespace waggle {

// How the first unit of `next` goes on from the last one of `span`, whatever the other units do:
// with the next commit (true), or in the same one (false); nothing: it begins another run.
[[nodiscard]] std::optional<bool> name_joint(const SequenceSpan& span, const SequenceSpan& next);
// The same of their deletions, as a step of SequenceSpan. Two that are not deleted go on.
[[nodiscard]] std::optional<std::int8_t> deletion_joint(const SequenceSpan& span,
                                                        const SequenceSpan& next);

}  // namespace waggle
