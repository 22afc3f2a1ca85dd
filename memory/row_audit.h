#pragma once

// Whether stored rows can be the store of a coordinator or an agent: each row by itself, and all of
// them together. `waggle snapshot verify` and `waggle doctor` read whole stores through it, without
// holding them in memory.
//
//   add(row) ... add(row)   a row's shape and value; that its swarm is known; that no version is
//                           above the head; that a value is the one of its content hash
//   finish()                that the records of each swarm add up to the digest stored with its
//   head
//
// REQUIRES: the families in the order of the database's kind, `meta` first, keys rising.
//
// A value, not thread-safe. Bound: memory for the swarms and one number for each writer.

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/row.h"
#include "base/status.h"

namespace waggle {

class RowAudit {
 public:
  struct Swarm {
    SwarmRow row;
    Hash128 digest;  // of the records
    std::uint64_t keys = 0;
    std::uint64_t tombstones = 0;
  };

  // What is wrong with the row; the text names it, not its family. Errors: kCorrupt, kUnsupported.
  [[nodiscard]] Status add(std::string_view family, std::string_view key, std::string_view value);
  // What is wrong with the swarms as wholes.
  [[nodiscard]] std::vector<Error> finish() const;

  [[nodiscard]] const StoreRow& store() const { return store_; }
  [[nodiscard]] const std::map<SwarmId, Swarm>& swarms() const { return swarms_; }

 private:
  using WriterAt = std::tuple<SwarmId, AgentId, Incarnation>;

  [[nodiscard]] Status add_meta(std::string_view key, std::string_view value);
  [[nodiscard]] Status add_row(const SwarmRow& row);
  [[nodiscard]] Status add_row(const RecordRow& row);
  [[nodiscard]] Status add_row(const WriterRow& row);
  [[nodiscard]] Status add_row(const OutcomeRow& row);
  [[nodiscard]] Status add_row(const ConflictRow& row);
  [[nodiscard]] Status add_row(const HistoryRow& row);
  [[nodiscard]] Status add_row(const ReceiptRow& row);
  [[nodiscard]] Status add_row(const OutboxRow& row);
  [[nodiscard]] Status add_row(const ReplicaRow& row);
  [[nodiscard]] Result<Swarm*> swarm_of(const SwarmId& id);

  StoreRow store_;
  std::uint64_t format_ = 0;
  std::map<SwarmId, Swarm> swarms_;
  std::map<WriterAt, Seq> writers_;
};

}  // namespace waggle
