#pragma once

// Earlier values of keys that their policy keeps, as what a three-way merge begins from. They are
// on disk (the family `history`) and in memory, so that a merge is decided in one step; the bounds
// are the policy's number of versions and kBytesMax of a swarm, the oldest go first. Who began from
// one that is gone is told `base_lost`.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/record.h"
#include "base/row.h"
#include "coordinator/version_chains.h"
#include "resolver/author.h"

namespace waggle {

class History {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{64} << 20;

  explicit History(SwarmId swarm) : swarm_(std::move(swarm)) {}

  // Recovery, in the order of the versions; at most `kept` of a key. What passes a bound now goes
  // with the next rows.
  void restore(const HistoryRow& row, std::uint32_t kept);

  // The record is about to be replaced; at most `kept` versions stay. Only registers are kept: the
  // other types merge without an ancestor.
  void add(const Key& key, const RecordPtr& record, std::uint32_t kept, std::vector<Row>& rows);
  void forget(const Key& key, std::vector<Row>& rows);

  // What the author knew of the key when it wrote: the newest version that it had seen, or its own.
  [[nodiscard]] RecordPtr known_to(const Key& key, const Author& author) const;
  // What stood at that version or before; null: not kept.
  [[nodiscard]] RecordPtr at(const Key& key, Revision version) const;
  [[nodiscard]] std::size_t bytes() const { return chains_.bytes(); }

 private:
  void tell(std::vector<Row>& rows);

  const SwarmId swarm_;
  VersionChains chains_{kBytesMax};
  std::vector<VersionChains::Dropped> dropped_;
};

}  // namespace waggle
