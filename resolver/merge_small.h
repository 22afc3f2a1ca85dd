#pragma once

// The rules of the types whose whole value is small (base/small_types.h). Inner header of
// merge_type.

#include "base/op.h"
#include "base/value.h"
#include "resolver/merge_type.h"
#include "resolver/verdict.h"

namespace waggle {

// Overflow is refused, never wrapped: a counter that wrapped would have lost its increments.
[[nodiscard]] Verdict increment(std::int64_t amount, Counter counter);
[[nodiscard]] Verdict increment(std::int64_t amount, GrowCounter counter);
[[nodiscard]] Verdict increment(std::int64_t amount, ResettableCounter counter,
                                const MergeSetting& setting);
[[nodiscard]] Verdict increment(std::int64_t amount, BoundedCounter counter,
                                const MergeSetting& setting);
[[nodiscard]] Verdict reset(ResettableCounter counter, const MergeSetting& setting);
[[nodiscard]] Verdict escrow(const EscrowOp& op, BoundedCounter counter,
                             const MergeSetting& setting);
[[nodiscard]] Verdict raise(const RaiseOp& op, const Value* current);
[[nodiscard]] Verdict turn(const FlagOp& op, const Value* current, const MergeSetting& setting);
[[nodiscard]] Verdict put_beside(const PutOp& op, MultiRegister multi, const MergeSetting& setting);

}  // namespace waggle
