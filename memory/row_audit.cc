#include "memory/row_audit.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/shape.h"
#include "base/value.h"
#include "memory/store_keys.h"
#include "memory/stored_rows.h"

namespace waggle {
namespace {

namespace keys = store_keys;

std::unexpected<Error> wrong(std::string text) {
  return failed(Code::kCorrupt, std::move(text));
}

// A record's own promise, whatever it stands in.
Status check_record(const Key& key, const Record& record) {
  if (Status shape = check_key(key.value()); !shape) return wrong(shape.error().text);
  if (!record.version) return wrong(fmt::format("key '{}' has no version", key.value()));
  const Hash128 content = record.value ? content_hash(*record.value) : Hash128{};
  if (content != record.content)
    return wrong(
        fmt::format("the value of key '{}' has the content hash {}, expected {}, which is "
                    "stored beside it",
                    key.value(), to_hex(content), to_hex(record.content)));
  return {};
}

std::string writer_text(const SwarmId& swarm, const AgentId& agent, Incarnation incarnation) {
  return fmt::format("writer '{}' (incarnation {}) of swarm '{}'", agent.value(),
                     to_hex(incarnation.value()), swarm.value());
}

Status above_head(const SwarmRow& swarm, std::string_view what, Revision version) {
  if (version <= swarm.head) return {};
  return wrong(fmt::format("{} of swarm '{}' is at {}, and the head is {}", what,
                           swarm.swarm.value(), version.value(), swarm.head.value()));
}

}  // namespace

Status RowAudit::add(std::string_view family, std::string_view key, std::string_view value) {
  const auto row = [&](auto read) -> Status {
    const auto decoded = read(key, value);
    if (!decoded) return std::unexpected(decoded.error());
    return add_row(*decoded);
  };
  if (family == "meta") return add_meta(key, value);
  if (family == "state") return row(stored_rows::record);
  if (family == "writers") return row(stored_rows::writer);
  if (family == "outcomes") return row(stored_rows::outcomes);
  if (family == "conflicts") return row(stored_rows::conflict);
  if (family == "history") return row(stored_rows::version);
  if (family == "receipts") return row(stored_rows::receipt);
  if (family == "outbox") return row(stored_rows::outbox);
  if (family == "replica") return row(stored_rows::replica);
  if (family == "values")
    return keys::read_value(key) ? Status() : std::unexpected(stored_rows::bad_key(key));
  // The index by revision of format 1, which nobody reads.
  if (family == "changes" && format_ == 1) return {};
  if (family == "changes" || family == "proposals" || family == "claims")
    return wrong("'" + stored_rows::shown(key) + "' is there, and the family has no rows");
  return failed(Code::kUnsupported, "this Waggle knows no such family");
}

Status RowAudit::add_meta(std::string_view key, std::string_view value) {
  if (key == keys::kFormat) format_ = value == "1" ? 1 : 2;  // which ones there are: who opens it
  if (key == keys::kStore) {
    const Result<StoreRow> row = stored_rows::decode<StoreRow>(key, value);
    if (!row) return std::unexpected(row.error());
    store_ = *row;
  } else if (key == keys::kIdentity) {
    if (const auto row = stored_rows::decode<IdentityRow>(key, value); !row)
      return std::unexpected(row.error());
  } else if (key == keys::kCursor) {
    if (const auto row = stored_rows::decode<HeldState>(key, value); !row)
      return std::unexpected(row.error());
  } else if (key.starts_with(keys::kSwarmPrefix)) {
    const Result<SwarmRow> row = stored_rows::swarm(key, value);
    if (!row) return std::unexpected(row.error());
    return add_row(*row);
  }
  return {};  // a later Waggle may add rows that need no new format
}

Status RowAudit::add_row(const SwarmRow& row) {
  swarms_[row.swarm].row = row;
  const std::string name = "swarm '" + row.swarm.value() + "'";
  if (Status shape = check_swarm_id(row.swarm.value()); !shape) return wrong(shape.error().text);
  if (!store_.epoch) return wrong(name + " is there, and the store has no epoch");
  if (row.floor > row.head)
    return wrong(fmt::format("{} has the floor {} above its head {}", name, row.floor.value(),
                             row.head.value()));
  for (const EpochEnd& end : row.lineage) {
    if (end.last > row.head)
      return wrong(fmt::format("an epoch in the lineage of {} ended at {}, above its head {}", name,
                               end.last.value(), row.head.value()));
    if (end.epoch == store_.epoch)
      return wrong(fmt::format("the lineage of {} holds the present epoch", name));
  }
  return {};
}

Result<RowAudit::Swarm*> RowAudit::swarm_of(const SwarmId& id) {
  const auto found = swarms_.find(id);
  if (found == swarms_.end())
    return failed(Code::kCorrupt,
                  "a row of swarm '" + id.value() + "', which has no row in 'meta'");
  return &found->second;
}

Status RowAudit::add_row(const RecordRow& row) {
  const Result<Swarm*> swarm = swarm_of(row.swarm);
  if (!swarm) return std::unexpected(swarm.error());
  (*swarm)->digest += digest_part(row.key, *row.record);
  ++(row.record->live() ? (*swarm)->keys : (*swarm)->tombstones);
  if (Status whole = check_record(row.key, *row.record); !whole) return whole;
  return above_head((*swarm)->row, "key '" + row.key.value() + "'", row.record->version);
}

Status RowAudit::add_row(const HistoryRow& row) {
  const Result<Swarm*> swarm = swarm_of(row.swarm);
  if (!swarm) return std::unexpected(swarm.error());
  if (Status whole = check_record(row.key, *row.record); !whole) return whole;
  if (row.record->version != row.version)
    return wrong(fmt::format("the record of key '{}' has version {} and lies under {}",
                             row.key.value(), row.record->version.value(), row.version.value()));
  return above_head((*swarm)->row, "an earlier version of key '" + row.key.value() + "'",
                    row.version);
}

Status RowAudit::add_row(const WriterRow& row) {
  const Result<Swarm*> swarm = swarm_of(row.swarm);
  if (!swarm) return std::unexpected(swarm.error());
  writers_[{row.swarm, row.agent, row.incarnation}] = row.through;
  return {};
}

Status RowAudit::add_row(const OutcomeRow& row) {
  const Result<Swarm*> swarm = swarm_of(row.swarm);
  if (!swarm) return std::unexpected(swarm.error());
  const std::string writer = writer_text(row.swarm, row.agent, row.incarnation);
  const auto found = writers_.find({row.swarm, row.agent, row.incarnation});
  if (found == writers_.end()) return wrong("outcomes of " + writer + ", which has no row");
  const std::uint64_t last = row.seq.value() + row.outcomes.size() - 1;
  if (!row.seq || last > found->second.value())
    return wrong(fmt::format("outcomes {} to {} of {}, whose last is {}", row.seq.value(), last,
                             writer, found->second.value()));
  for (const Outcome& outcome : row.outcomes)
    if (Status known = above_head((*swarm)->row, "an outcome of " + writer, outcome.revision);
        !known)
      return known;
  return {};
}

Status RowAudit::add_row(const ConflictRow& row) {
  const Result<Swarm*> swarm = swarm_of(row.swarm);
  if (!swarm) return std::unexpected(swarm.error());
  const ConflictId last = (*swarm)->row.last_conflict;
  if (row.conflict->id == row.id && row.id && row.id <= last) return {};
  return wrong(
      fmt::format("conflict {} of swarm '{}' lies under {}, and the last one given out is "
                  "{}",
                  row.conflict->id.value(), row.swarm.value(), row.id.value(), last.value()));
}

Status RowAudit::add_row(const ReceiptRow& row) {
  const Result<Swarm*> swarm = swarm_of(row.swarm);
  if (!swarm) return std::unexpected(swarm.error());
  return above_head((*swarm)->row, "a receipt of key '" + row.receipt.key.value() + "'", row.at);
}

Status RowAudit::add_row(const OutboxRow& row) {
  if (row.mutation->incarnation == row.incarnation && row.mutation->seq == row.seq) return {};
  return wrong(fmt::format("write {} of incarnation {} lies under another number", row.seq.value(),
                           to_hex(row.incarnation.value())));
}

Status RowAudit::add_row(const ReplicaRow& row) {
  return check_record(row.key, *row.record);
}

std::vector<Error> RowAudit::finish() const {
  std::vector<Error> found;
  for (const auto& [id, swarm] : swarms_) {
    if (!swarm.row.digest || *swarm.row.digest == swarm.digest) continue;
    found.push_back(
        {Code::kCorrupt,
         fmt::format("the {} records of swarm '{}' have the digest {}, expected {}, which was "
                     "stored with head {}: some are lost or old",
                     swarm.keys + swarm.tombstones, id.value(), to_hex(swarm.digest),
                     to_hex(*swarm.row.digest), swarm.row.head.value())});
  }
  return found;
}

}  // namespace waggle
