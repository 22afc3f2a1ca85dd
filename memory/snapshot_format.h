#pragma once

// A snapshot as a stream of bytes: everything a coordinator's store held at one moment, in a form
// of our own that can be checked without a store, a server or RocksDB. docs/storage.md has the
// bytes:
//
//   prelude            magic, format
//   block  head        when, by which Waggle, the epoch, the swarms with their heads
//   block  rows ...    rows of one family, keys rising; the families one after the other, meta
//   first block  end         how many rows of which family; nothing follows
//
// Every block carries a running digest, BLAKE2b-256 of the digest before it and its own bytes. So a
// flipped bit, a missing, moved or repeated block and a short file are all noticed, at the block
// where it is; the last digest is the whole snapshot's, and two of equal digest are equal.
//
// Nothing here knows what the rows mean (row_audit.h) or where the bytes go (snapshot_file.h).
//
// Bound: a block holds rows of about kSnapshotBlockBytes, at least one row; a reader takes no more
// than kSnapshotBlockBytesMax for one, whatever the bytes say.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/status.h"

namespace waggle {

// DO NOT CHANGE the meaning of a number that was given out; docs/storage.md says what is in which.
inline constexpr std::uint64_t kSnapshotFormat = 1;
inline constexpr std::size_t kSnapshotBlockBytes = std::size_t{256} << 10;
inline constexpr std::size_t kSnapshotBlockBytesMax = std::size_t{64} << 20;

struct SnapshotSwarm {
  SwarmId swarm;
  Revision head;
  Revision floor;
  std::optional<Hash128> digest;  // none: of a store that had none yet
  friend bool operator==(const SnapshotSwarm&, const SnapshotSwarm&) = default;
};
struct SnapshotHead {
  std::string program;  // the version of the Waggle that made it
  std::int64_t made_wall_millis = 0;
  std::uint64_t store_format = 0;
  Epoch epoch;
  std::vector<SnapshotSwarm> swarms;
  friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
};
struct FamilyRows {
  std::string family;
  std::uint64_t rows = 0;
  friend bool operator==(const FamilyRows&, const FamilyRows&) = default;
};
// Who makes a snapshot, and when.
struct SnapshotStamp {
  std::string program;  // version
  std::int64_t wall_millis = 0;
};
// What a writer wrote, and what a reader knows once it came to the end.
struct SnapshotSummary {
  SnapshotHead head;
  std::vector<FamilyRows> families;  // in the order of the snapshot
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  ChainHash digest{};
};

// Takes bytes in order. An error ends the snapshot.
using SnapshotSink = std::function<Status(std::string_view bytes)>;

class SnapshotWriter {
 public:
  explicit SnapshotWriter(SnapshotSink sink) : sink_(std::move(sink)) {}

  // REQUIRES: once, first.
  [[nodiscard]] Status begin(const SnapshotHead& head);
  // REQUIRES: all rows of a family one after the other, their keys rising.
  [[nodiscard]] Status add(std::string_view family, std::string_view key, std::string_view value);
  // REQUIRES: once, last.
  [[nodiscard]] Status end();

  [[nodiscard]] const SnapshotSummary& summary() const { return summary_; }

 private:
  [[nodiscard]] Status write_rows();
  [[nodiscard]] Status write_block(std::uint8_t kind, std::string_view payload);
  [[nodiscard]] Status put(std::string_view bytes);

  const SnapshotSink sink_;
  SnapshotSummary summary_;
  std::string rows_;  // of the open block
  std::uint64_t rows_count_ = 0;
};

// Gives at most `size` bytes, 0 at the end.
using SnapshotSource = std::function<Result<std::size_t>(char* bytes, std::size_t size)>;

class SnapshotReader {
 public:
  // `name`: of the file, for texts.
  SnapshotReader(std::string name, SnapshotSource source)
      : name_(std::move(name)), source_(std::move(source)) {}

  // Errors of all: kCorrupt with the place, kUnsupported for a newer format, the source's own.
  // REQUIRES: once, first.
  [[nodiscard]] Result<SnapshotHead> begin();

  // An error's text is given the place of the row's block.
  using Visit =
      std::function<Status(std::string_view family, std::string_view key, std::string_view value)>;
  // The rows of the next block. False: that was the end, and the snapshot is whole.
  // REQUIRES: begin() went well, and so did every next() before.
  [[nodiscard]] Result<bool> next(const Visit& visit);

  // Whole once next() said so; until then what was read so far.
  [[nodiscard]] const SnapshotSummary& summary() const { return summary_; }

 private:
  struct Block {
    std::uint8_t kind = 0;
    std::uint64_t at = 0;  // its first byte
    std::string payload;
  };
  [[nodiscard]] Result<Block> read_block();
  [[nodiscard]] Status read_rows(const Block& block, const Visit& visit);
  [[nodiscard]] Status enter(std::string_view family);
  [[nodiscard]] Status read_end(const Block& block);
  [[nodiscard]] Result<std::string> take(std::size_t size, std::string_view what);
  [[nodiscard]] std::unexpected<Error> damaged(std::uint64_t at, std::string_view text) const;

  const std::string name_;
  const SnapshotSource source_;
  SnapshotSummary summary_;
  std::set<std::string, std::less<>> families_;  // seen
  std::string last_key_;                         // of the present family
};

// What to do about a snapshot that is damaged.
inline constexpr std::string_view kSnapshotRemedy = "use another backup, or save a new one";

}  // namespace waggle
