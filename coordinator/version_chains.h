#pragma once

// Earlier records of keys, oldest first, bounded per key and in all. What goes when a bound is
// passed is told, so that whoever keeps the same on disk can follow.
//
// Versions of one key have no gap: what stands between two of them was never kept. They share their
// structure, so an earlier one costs what has changed since.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "base/ids.h"
#include "base/record.h"

namespace waggle {

class VersionChains {
 public:
  struct Dropped {
    Key key;
    Revision version;
  };

  explicit VersionChains(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Behind all that are kept of the key. `cost`: what it counts for, in bytes; `most`: versions to
  // keep of this key, at least 1.
  void add(const Key& key, RecordPtr record, std::size_t cost, std::size_t most,
           std::vector<Dropped>& dropped);
  void forget(const Key& key, std::vector<Dropped>& dropped);
  void clear();

  // The newest one for which holds(record); null: none.
  template <typename Holds>
  [[nodiscard]] RecordPtr newest(const Key& key, const Holds& holds) const {
    const auto of = by_key_.find(key);
    if (of == by_key_.end()) return nullptr;
    for (auto kept = of->second.rbegin(); kept != of->second.rend(); ++kept)
      if (holds(*kept->record)) return kept->record;
    return nullptr;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    RecordPtr record;
    std::size_t cost = 0;
    std::uint64_t number = 0;
  };
  using ByKey = std::map<Key, std::deque<Kept>>;
  void drop_oldest(ByKey::iterator of, std::vector<Dropped>& dropped);

  const std::size_t bytes_max_;
  ByKey by_key_;                        // each oldest first, never empty
  std::map<std::uint64_t, Key> order_;  // by the number in which they were added
  std::uint64_t next_number_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace waggle
