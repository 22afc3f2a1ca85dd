#pragma once

// A swarm's index by revision names each key once, at the commit that last changed it. A store
// keeps it as rows of its own (`changes`), so records and index can be checked against each other
// when they are loaded.

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/row.h"
#include "base/status.h"

namespace waggle {

struct ChangeEntry {
  SwarmId swarm;
  Revision revision;
  std::uint32_t index = 0;  // of the key in its commit
  Key key;
};

// Gives each record its index. Error kCorrupt unless every record has exactly one entry, at its own
// version. REQUIRES: records sorted by (swarm, key), unique.
[[nodiscard]] Status join_index(std::vector<RecordRow>& records,
                                const std::vector<ChangeEntry>& changes);

}  // namespace waggle
