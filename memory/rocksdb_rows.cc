#include "memory/rocksdb_rows.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/check.h"
#include "capnp/records.h"
#include "memory/row_table.h"
#include "memory/state_digest.h"
#include "memory/store_keys.h"
#include "memory/stored_rows.h"

namespace waggle {
namespace {

namespace keys = store_keys;

// One family's part of a batch. A write batch in memory fails only when it is misused.
class BatchWriter {
 public:
  BatchWriter(RocksdbDatabase& database, rocksdb::WriteBatch& batch)
      : database_(database), batch_(batch) {}

  void put(std::string_view family, std::string_view key, std::string_view value) {
    check(batch_.Put(database_.family(family), slice(key), slice(value)));
  }
  void remove(std::string_view family, std::string_view key) {
    check(batch_.Delete(database_.family(family), slice(key)));
  }
  void remove(std::string_view family, const keys::Range& range) {
    check(batch_.DeleteRange(database_.family(family), slice(range.begin), slice(range.end)));
  }

  void add(const StoreRow& row) { put("meta", keys::kStore, encode_stored(row)); }
  void add(const SwarmRow& row) { put("meta", keys::swarm(row.swarm), encode_stored(row)); }
  void add(const RecordRow& row) {
    WAGGLE_CHECK(row.record != nullptr, "a record row without a record: " + row.key.value());
    put("state", keys::state(row.swarm, row.key), encode_record(*row.record));
  }
  void add(const ForgetRow& row) { remove("state", keys::state(row.swarm, row.key)); }
  void add(const WriterRow& row) {
    const keys::WriterAt at{row.swarm, row.agent, row.incarnation};
    if (row.gone) {
      remove("writers", keys::writer(at));
      remove("outcomes", keys::outcomes_of(at));
    } else {
      put("writers", keys::writer(at), encode_stored(row));
    }
  }
  void add(const OutcomeRow& row) {
    const std::string key = keys::outcome({{row.swarm, row.agent, row.incarnation}, row.seq});
    if (!row.outcomes.empty())
      put("outcomes", key, encode_stored(row.outcomes));
    else
      remove("outcomes", key);
  }
  void add(const ReceiptRow& row) {
    std::string key = keys::receipt(row.swarm, {row.receipt.key, row.at, row.index});
    put("receipts", key, encode_stored(row.receipt));
    receipts_.insert(std::move(key));
    if (row.keep > 0) keep_receipts(keys::receipts_of(row.swarm, row.receipt.key), row.keep);
  }
  void add(const ConflictRow& row) {
    const std::string key = keys::conflict({row.swarm, row.id});
    if (row.conflict)
      put("conflicts", key, encode_stored(*row.conflict));
    else
      remove("conflicts", key);
  }
  void add(const HistoryRow& row) {
    const std::string key = keys::version({row.swarm, row.key, row.version});
    if (row.record)
      put("history", key, encode_record(*row.record));
    else
      remove("history", key);
  }
  void add(const IdentityRow& row) { put("meta", keys::kIdentity, encode_stored(row)); }
  void add(const OutboxRow& row) {
    const std::string key = keys::outbox({row.incarnation, row.seq});
    if (row.mutation)
      put("outbox", key, keys::order(row.order) + encode_stored(*row.mutation));
    else
      remove("outbox", key);
  }
  void add(const ReplicaRow& row) {
    if (row.record)
      put("replica", row.key.value(), encode_record(*row.record));
    else
      remove("replica", row.key.value());
  }
  void add(const ReplicaCursorRow& row) {
    // One operation whatever the replica's size, and in the batch, so that no crash leaves half.
    if (row.wiped) remove("replica", keys::whole_replica());
    put("meta", keys::kCursor, encode_stored(HeldState{row.cursor, row.view}));
  }

 private:
  // The newest of the range stay: those of the database and of this batch.
  void keep_receipts(const keys::Range& range, std::size_t most) {
    std::set<std::string, std::less<>> all(receipts_.lower_bound(range.begin),
                                           receipts_.lower_bound(range.end));
    // What can't be read is told by those who read it.
    (void)database_.scan("receipts", range.begin, range.end, [&](auto key, auto) -> Status {
      all.emplace(key);
      return {};
    });
    for (; all.size() > most; all.erase(all.begin())) {
      remove("receipts", *all.begin());
      receipts_.erase(*all.begin());
    }
  }

  static rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
  static void check(const rocksdb::Status& status) { WAGGLE_CHECK(status.ok(), status.ToString()); }

  RocksdbDatabase& database_;
  rocksdb::WriteBatch& batch_;
  std::set<std::string, std::less<>> receipts_;  // keys of those that the batch puts
};

// Reads families of one database; adds the place to what goes wrong.
class RowReader {
 public:
  explicit RowReader(RocksdbDatabase& database) : database_(database) {}

  // The row of `meta`, or an empty one.
  template <typename T>
  Result<T> meta(std::string_view key) const {
    const Result<std::string> value = database_.meta(key);
    if (!value) return std::unexpected(value.error());
    if (value->empty()) return T{};
    Result<T> row = stored_rows::decode<T>(key, *value);
    if (!row) return std::unexpected(database_.bad_row("meta", row.error()));
    return row;
  }
  // All rows of the range that `read` gives, or of the family.
  template <typename Row>
  Status rows(std::string_view family, Result<Row> (*read)(std::string_view, std::string_view),
              std::vector<Row>& out, const keys::Range& range = {}) const {
    return database_.scan(family, range.begin, range.end, [&](auto key, auto value) -> Status {
      Result<Row> row = read(key, value);
      if (!row) return std::unexpected(database_.bad_row(family, row.error()));
      out.push_back(std::move(*row));
      return {};
    });
  }

 private:
  RocksdbDatabase& database_;
};

// A shorter name stands before a longer one on disk, by its length byte; load orders by the names.
template <typename Row, typename Order>
void restore_order(std::vector<Row>& rows, Order order) {
  const auto before = [&](const Row& a, const Row& b) { return order(a) < order(b); };
  if (!std::is_sorted(rows.begin(), rows.end(), before))
    std::sort(rows.begin(), rows.end(), before);
}

// The record that a row writes or removes; nothing: a row of another kind.
struct RecordPlace {
  std::string_view swarm;  // of a replica: empty
  std::string_view key;
  friend bool operator==(const RecordPlace&, const RecordPlace&) = default;
};
struct HashPlace {
  std::size_t operator()(const RecordPlace& place) const {
    const std::hash<std::string_view> hash;
    return hash(place.key) * 31 + hash(place.swarm);
  }
};
std::optional<RecordPlace> place_of(const Row& row) {
  if (const auto* record = std::get_if<RecordRow>(&row))
    return RecordPlace{record->swarm.value(), record->key.value()};
  if (const auto* forget = std::get_if<ForgetRow>(&row))
    return RecordPlace{forget->swarm.value(), forget->key.value()};
  if (const auto* replica = std::get_if<ReplicaRow>(&row))
    return RecordPlace{{}, replica->key.value()};
  return std::nullopt;
}

// Of a key that several commits of one group changed only the newest record is written: a large
// value that many edit would else be encoded once a commit. True: another row of the batch comes
// after this one for the same record.
std::vector<bool> overtaken(const std::vector<Row>& rows) {
  std::vector<bool> overtaken(rows.size());
  std::unordered_set<RecordPlace, HashPlace> written;
  for (std::size_t i = rows.size(); i-- > 0;)
    if (const std::optional<RecordPlace> place = place_of(rows[i]))
      overtaken[i] = !written.insert(*place).second;
  return overtaken;
}

}  // namespace

void add_rows(RocksdbDatabase& database, const std::vector<Row>& rows, rocksdb::WriteBatch& batch) {
  BatchWriter writer(database, batch);
  const std::vector<bool> skipped = overtaken(rows);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!skipped[i]) std::visit([&](const auto& typed) { writer.add(typed); }, rows[i]);
}

Result<StoreRow> load_store(RocksdbDatabase& database) {
  return RowReader(database).meta<StoreRow>(keys::kStore);
}

Result<std::vector<SwarmRow>> load_swarms(RocksdbDatabase& database) {
  std::vector<SwarmRow> swarms;
  std::string end(keys::kSwarmPrefix);
  ++end.back();
  Status read = RowReader(database).rows("meta", stored_rows::swarm, swarms,
                                         {std::string(keys::kSwarmPrefix), std::move(end)});
  if (!read) return std::unexpected(read.error());
  return swarms;
}

Result<RecoveredHeads> load_heads(RocksdbDatabase& database) {
  const Result<StoreRow> store = load_store(database);
  if (!store) return std::unexpected(store.error());
  Result<std::vector<SwarmRow>> swarms = load_swarms(database);
  if (!swarms) return std::unexpected(swarms.error());
  RecoveredHeads recovered;
  recovered.epoch = store->epoch;
  for (SwarmRow& row : *swarms) recovered.swarms[row.swarm] = {row.head, std::move(row.lineage)};
  return recovered;
}

Result<CoordinatorState> load_coordinator_rows(RocksdbDatabase& database) {
  const RowReader reader(database);
  CoordinatorState state;
  Result<StoreRow> store = load_store(database);
  if (!store) return std::unexpected(store.error());
  state.store = *store;
  Result<std::vector<SwarmRow>> swarms = load_swarms(database);
  if (!swarms) return std::unexpected(swarms.error());
  state.swarms = std::move(*swarms);
  Status read = reader.rows("state", stored_rows::record, state.records);
  if (read) read = reader.rows("writers", stored_rows::writer, state.writers);
  if (read) read = reader.rows("outcomes", stored_rows::outcomes, state.outcomes);
  if (read) read = reader.rows("conflicts", stored_rows::conflict, state.conflicts);
  if (read) read = reader.rows("history", stored_rows::version, state.history);
  if (!read) return std::unexpected(read.error());
  restore_order(state.records, [](const RecordRow& row) { return std::tie(row.swarm, row.key); });
  restore_order(state.writers, [](const WriterRow& row) {
    return std::tie(row.swarm, row.agent, row.incarnation);
  });
  restore_order(state.outcomes, [](const OutcomeRow& row) {
    return std::tie(row.swarm, row.agent, row.incarnation, row.seq);
  });
  restore_order(state.conflicts,
                [](const ConflictRow& row) { return std::tie(row.swarm, row.id); });
  restore_order(state.history,
                [](const HistoryRow& row) { return std::tie(row.swarm, row.key, row.version); });
  if (Status whole = check_digests(state); !whole)
    return std::unexpected(database.damaged("state", whole.error().text));
  return state;
}

Result<AgentState> load_agent_rows(RocksdbDatabase& database) {
  const RowReader reader(database);
  AgentState state;
  Result<IdentityRow> identity = reader.meta<IdentityRow>(keys::kIdentity);
  if (!identity) return std::unexpected(identity.error());
  state.identity = std::move(*identity);
  const Result<HeldState> held = reader.meta<HeldState>(keys::kCursor);
  if (!held) return std::unexpected(held.error());
  state.cursor = held->cursor;
  state.view = held->view;
  Status read = reader.rows("replica", stored_rows::replica, state.replica);
  if (read) read = reader.rows("outbox", stored_rows::outbox, state.outbox);
  if (!read) return std::unexpected(read.error());
  std::sort(state.outbox.begin(), state.outbox.end(), sends_before);
  return state;
}

Result<std::vector<ReceiptRow>> scan_receipts(RocksdbDatabase& database, const ReceiptScan& scan) {
  std::vector<ReceiptRow> receipts;
  if (scan.limit == 0) return receipts;
  keys::Range range =
      scan.key.empty() ? keys::receipts_of(scan.swarm) : keys::receipts_of(scan.swarm, scan.key);
  // The next key that there can be.
  if (scan.after)
    range.begin = std::max(range.begin, keys::receipt(scan.swarm, *scan.after) + '\0');
  // Ends early with a status that is not reported: enough was read.
  Status read =
      database.scan("receipts", range.begin, range.end, [&](auto key, auto value) -> Status {
        Result<ReceiptRow> row = stored_rows::receipt(key, value);
        if (!row) return std::unexpected(database.bad_row("receipts", row.error()));
        receipts.push_back(std::move(*row));
        if (receipts.size() == scan.limit) return failed(Code::kCommitted, {});
        return {};
      });
  if (!read && read.error().code != Code::kCommitted) return std::unexpected(read.error());
  return receipts;
}

}  // namespace waggle
