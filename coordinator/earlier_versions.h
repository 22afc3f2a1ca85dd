#pragma once

// Earlier records of keys that readers may still hold, so that what they miss can travel as a delta
// to what they have. Nothing is said by a reader but its revision: the record that it holds is the
// newest one at or below it. Versions share their structure, so an earlier one costs what has
// changed since.
//
// Only volatile: after a restart a reader gets the first change of each key whole. Bound: kPerKey
// versions of a key and kBytesMax of all keys together, the oldest go first.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "base/ids.h"
#include "base/record.h"

namespace waggle {

class EarlierVersions {
 public:
  static constexpr std::size_t kPerKey = 64;
  static constexpr std::size_t kBytesMax = std::size_t{32} << 20;

  // The record is no longer the newest of its key. Kept where a delta to it can pay; else what was
  // kept of the key goes, so that the versions of a key have no gap.
  void add(const Key& key, RecordPtr record);
  void forget(const Key& key);
  void clear();

  // What a reader at `since` holds of a key whose newest record is `present`; null: it holds that
  // one, none, or one that is not kept.
  [[nodiscard]] RecordPtr held_at(const Key& key, Revision since, const Record& present) const;

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    RecordPtr record;
    std::uint64_t number = 0;
  };
  using ByKey = std::map<Key, std::deque<Kept>>;
  void drop_oldest(ByKey::iterator of);

  ByKey by_key_;                         // each oldest first, never empty
  std::map<std::uint64_t, Key> order_;  // by the number in which they were added
  std::uint64_t next_number_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace waggle
