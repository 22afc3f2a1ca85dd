#pragma once

// Earlier records of keys that readers may still hold, so that what they miss can travel as a delta
// to what they have. Nothing is said by a reader but its revision: the record that it holds is the
// newest one at or below it.
//
// Only volatile: after a restart a reader gets the first change of each key whole. Bound: kPerKey
// versions of a key and kBytesMax of all keys together, the oldest go first.

#include <cstddef>
#include <vector>

#include "base/ids.h"
#include "base/record.h"
#include "coordinator/version_chains.h"

namespace waggle {

class EarlierVersions {
 public:
  // More than the commits of one key that are published together as a rule: a reader then has the
  // version from before the first of them.
  static constexpr std::size_t kPerKey = 512;
  static constexpr std::size_t kBytesMax = std::size_t{32} << 20;

  // The record is no longer the newest of its key. Kept where a delta to it can pay; else what was
  // kept of the key goes, so that the versions of a key have no gap.
  void add(const Key& key, RecordPtr record);
  void forget(const Key& key);

  // What a reader at `since` holds of a key that became `later`; null: it holds that one, none, or
  // one that is not kept.
  [[nodiscard]] RecordPtr held_at(const Key& key, Revision since, const Record& later) const;

 private:
  VersionChains chains_{kBytesMax};
  std::vector<VersionChains::Dropped> dropped_;  // nobody asks
};

}  // namespace waggle
