#pragma once

// What is known about one key after one commit. Records are immutable and shared: the state map,
// an update on its way out, a delta chunk and the row for the store all hold the same one.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/packing.h"
#include "base/status.h"
#include "base/value.h"

namespace waggle {

using Metadata = std::map<std::string, std::string>;
using Signature = std::array<std::uint8_t, 64>;  // base/signature.h

// Of a commit that a rule chose between the register that stood and others: who wrote that one
// finds here that its write lost, or was merged, and why.
struct Choice {
  std::string rule;  // as in the receipt: "fww", "quorum(510)"
  Revision over;     // the version that stood
  Writer writer;     // of it
  friend bool operator==(const Choice&, const Choice&) = default;
};

struct Record {
  std::optional<Value> value;  // empty: a tombstone, the key was deleted at `version`
  Revision version;            // the commit that last changed the key
  std::int64_t commit_wall_millis = 0;
  Hlc hlc;        // of the mutation that won
  Writer writer;  // ~coordinator for a commit made by a round
  Metadata metadata;
  Hash128 content;             // content_hash(*value); zero for a tombstone
  ChainHash receipt{};         // of the newest receipt of the key; zeros: none
  std::uint32_t receipts = 0;  // how many the key has
  // Of an ephemeral key: never on disk, and `version` counts the ephemeral changes of its
  // coordinator's start, not commits.
  bool ephemeral = false;
  std::shared_ptr<const Choice> choice = {};  // null: the commit chose between nothing
  // Of a register as its writer put it; null: it did not sign, or what stands was made of several.
  std::shared_ptr<const Signature> signature = {};

  [[nodiscard]] bool live() const { return value.has_value(); }
};
[[nodiscard]] bool operator==(const Record& a, const Record& b);
using RecordPtr = std::shared_ptr<const Record>;

// Null: no register stood. Of the parts of other types each has its own writer.
[[nodiscard]] std::shared_ptr<const Choice> choice_over(const Record* standing, std::string rule);

// How a value came from the one of version `from`: base/value_delta.h.
struct Delta {
  Revision from;
  std::string bytes;
  friend bool operator==(const Delta&, const Delta&) = default;
};

// One key of a commit as it travels to readers.
struct Change {
  Key key;
  RecordPtr record;
  // At the sender: the record that the reader is known to hold. The codec writes a delta to it
  // where that is smaller. Null: the change goes whole.
  RecordPtr base = {};
  // At the reader: the value is still to be made, see completed(); `record` is without it then,
  // though it is no tombstone.
  std::shared_ptr<const Delta> delta = {};
  Packing packing = Packing::kAuto;  // at the sender, of large registers
};
// By key and record: the way it travels makes no difference.
[[nodiscard]] bool operator==(const Change& a, const Change& b);
// The change with its whole record. `held`: the record that the reader holds of that key, or null.
// Errors: kStale when that is not the version that the delta is against; kCorrupt when it does not
// give what the record's content hash promises.
[[nodiscard]] Result<Change> completed(const Change& change, const Record* held);

// The part of the swarm's digest that a live key adds: H128(key, version, type, content hash). The
// digest is the sum of these modulo 2^128; tombstones add nothing.
[[nodiscard]] Hash128 digest_part(const Key& key, const Record& record);

// An estimate of a record's bytes on the wire, for cutting chunks and updates; and of a change, as
// it came.
[[nodiscard]] std::size_t wire_size(const Key& key, const Record& record);
[[nodiscard]] std::size_t wire_size(const Change& change);

// The value of a register that stands; empty: there is none, it is deleted, or of another type.
[[nodiscard]] std::optional<Register> register_of(const Record* record);

}  // namespace waggle
