#pragma once

// What the disk needs, without Waggle: bytes appended to a file and synced, and one RocksDB write
// batch with its write-ahead log synced.

#include <cstddef>
#include <memory>
#include <string>

#include "bench/summary.h"

namespace waggle::bench {

class BareDisk {
 public:
  // Makes its files in a new directory.
  explicit BareDisk(const std::string& directory);
  ~BareDisk();
  BareDisk(const BareDisk&) = delete;
  BareDisk& operator=(const BareDisk&) = delete;

  // Microseconds of one append of so many bytes and fdatasync().
  [[nodiscard]] double append(std::size_t bytes);
  // Microseconds of one batch of one put of so many bytes, synced.
  [[nodiscard]] double batch(std::size_t bytes);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle::bench
