#pragma once

// The rule of maps (base/map_type.h): an operation goes down its path to one field, which is merged
// by its own type. Inner header of merge_type.

#include <optional>

#include "base/op.h"
#include "base/value.h"
#include "resolver/merge_type.h"
#include "resolver/verdict.h"

namespace waggle {

// Two concurrent writes of one register in a map: the greater (HLC, agent id) stands, the other is
// told by a conflict field_conflict that names the path.
[[nodiscard]] Verdict merge_field(const FieldOp& op, Map map, const MergeSetting& setting);
[[nodiscard]] std::optional<Value> fields_without_seen(const Map& map, const MergeSetting& setting);

}  // namespace waggle
