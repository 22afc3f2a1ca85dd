#include "memory/change_index.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>

namespace waggle {
namespace {

std::string place(const SwarmId& swarm, const Key& key) {
  return "key '" + key.value() + "' of swarm '" + swarm.value() + "'";
}

auto find_record(std::vector<RecordRow>& records, const ChangeEntry& change) {
  const auto before = [](const RecordRow& row, const ChangeEntry& wanted) {
    return std::tie(row.swarm, row.key) < std::tie(wanted.swarm, wanted.key);
  };
  const auto found = std::lower_bound(records.begin(), records.end(), change, before);
  const bool same =
      found != records.end() && found->swarm == change.swarm && found->key == change.key;
  return same ? found : records.end();
}

}  // namespace

Status join_index(std::vector<RecordRow>& records, const std::vector<ChangeEntry>& changes) {
  std::vector<bool> joined(records.size());
  for (const ChangeEntry& change : changes) {
    const auto row = find_record(records, change);
    if (row == records.end())
      return failed(Code::kCorrupt, "the index names " + place(change.swarm, change.key) +
                                        " at revision " + std::to_string(change.revision.value()) +
                                        ", but the state has no such key");
    if (row->record->version != change.revision)
      return failed(Code::kCorrupt, "the index names " + place(change.swarm, change.key) +
                                        " at revision " + std::to_string(change.revision.value()) +
                                        ", but its record has version " +
                                        std::to_string(row->record->version.value()));
    const auto at = static_cast<std::size_t>(row - records.begin());
    if (joined[at])
      return failed(Code::kCorrupt, "the index names " + place(change.swarm, change.key) +
                                        " twice at revision " +
                                        std::to_string(change.revision.value()));
    joined[at] = true;
    row->index = change.index;
  }
  const auto lone = std::find(joined.begin(), joined.end(), false);
  if (lone == joined.end()) return {};
  const RecordRow& row = records[static_cast<std::size_t>(lone - joined.begin())];
  return failed(Code::kCorrupt, "the index misses " + place(row.swarm, row.key) + " of version " +
                                    std::to_string(row.record->version.value()));
}

}  // namespace waggle
