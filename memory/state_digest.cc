#include "memory/state_digest.h"

#include <map>

#include <fmt/format.h>

namespace waggle {

Status check_digests(const CoordinatorState& state) {
  struct Sum {
    Hash128 digest;
    std::uint64_t records = 0;
    const RecordRow* newest = nullptr;
  };
  std::map<SwarmId, Sum> sums;
  Sum* sum = nullptr;
  const SwarmId* swarm = nullptr;
  for (const RecordRow& row : state.records) {
    if (swarm == nullptr || *swarm != row.swarm) sum = &sums[row.swarm];
    swarm = &row.swarm;
    sum->digest += digest_part(row.key, *row.record);
    ++sum->records;
    if (sum->newest == nullptr || sum->newest->record->version < row.record->version)
      sum->newest = &row;
  }
  for (const SwarmRow& row : state.swarms) {
    const Sum& found = sums[row.swarm];
    if (!row.digest) continue;
    if (found.newest != nullptr && found.newest->record->version > row.head)
      return failed(Code::kCorrupt,
                    fmt::format("key '{}' of swarm '{}' has version {}, and the head is {}",
                                found.newest->key.value(), row.swarm.value(),
                                found.newest->record->version.value(), row.head.value()));
    if (found.digest != *row.digest)
      return failed(Code::kCorrupt,
                    fmt::format("the {} records of swarm '{}' have the digest {}, expected {}, "
                                "which was stored with head {}: some are lost or old",
                                found.records, row.swarm.value(), to_hex(found.digest),
                                to_hex(*row.digest), row.head.value()));
  }
  return {};
}

}  // namespace waggle
