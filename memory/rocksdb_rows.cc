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

// Printable bytes as they are, others as \xNN.
std::string shown(std::string_view key) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      text.push_back(c);
    else
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

// Reads families of one database; adds the place to what goes wrong.
class RowReader {
 public:
  explicit RowReader(RocksdbDatabase& database) : database_(database) {}

  template <typename T>
  Result<T> decode(std::string_view family, std::string_view key, std::string_view value) const {
    Result<T> decoded = decode_stored<T>(value);
    if (decoded) return decoded;
    const std::string text = "the value of '" + shown(key) + "': " + decoded.error().text;
    Error error = database_.damaged(family, text);
    if (decoded.error().code == Code::kUnsupported)
      error = {Code::kUnsupported, text + "; use the Waggle that wrote it or a later one"};
    return std::unexpected(std::move(error));
  }
  std::unexpected<Error> bad_key(std::string_view family, std::string_view key) const {
    return std::unexpected(
        database_.damaged(family, "the key '" + shown(key) + "' has no known shape"));
  }
  // The row of `meta`, or an empty one.
  template <typename T>
  Result<T> meta(std::string_view key) const {
    const Result<std::string> value = database_.meta(key);
    if (!value) return std::unexpected(value.error());
    if (value->empty()) return T{};
    return decode<T>("meta", key, *value);
  }

  Status records(std::vector<RecordRow>& out) const {
    return database_.scan("state", {}, {}, [&](auto key, auto value) -> Status {
      std::optional<keys::StateAt> at = keys::read_state(key);
      if (!at) return bad_key("state", key);
      Result<Record> record = decode<Record>("state", key, value);
      if (!record) return std::unexpected(record.error());
      out.push_back(RecordRow{std::move(at->swarm), std::move(at->key),
                              std::make_shared<const Record>(std::move(*record))});
      return {};
    });
  }
  Status writers(std::vector<WriterRow>& out) const {
    return database_.scan("writers", {}, {}, [&](auto key, auto value) -> Status {
      const std::optional<keys::WriterAt> at = keys::read_writer(key);
      if (!at) return bad_key("writers", key);
      Result<WriterRow> row = decode<WriterRow>("writers", key, value);
      if (!row) return std::unexpected(row.error());
      row->swarm = at->swarm;
      row->agent = at->agent;
      row->incarnation = at->incarnation;
      out.push_back(std::move(*row));
      return {};
    });
  }
  Status outcomes(std::vector<OutcomeRow>& out) const {
    return database_.scan("outcomes", {}, {}, [&](auto key, auto value) -> Status {
      const std::optional<keys::OutcomeAt> at = keys::read_outcome(key);
      if (!at) return bad_key("outcomes", key);
      Result<std::vector<Outcome>> outcomes = decode<std::vector<Outcome>>("outcomes", key, value);
      if (!outcomes) return std::unexpected(outcomes.error());
      const keys::WriterAt& writer = at->writer;
      out.push_back(OutcomeRow{writer.swarm, writer.agent, writer.incarnation, at->seq,
                               std::move(*outcomes)});
      return {};
    });
  }
  Status conflicts(std::vector<ConflictRow>& out) const {
    return database_.scan("conflicts", {}, {}, [&](auto key, auto value) -> Status {
      std::optional<keys::ConflictAt> at = keys::read_conflict(key);
      if (!at) return bad_key("conflicts", key);
      Result<ParkedConflict> conflict = decode<ParkedConflict>("conflicts", key, value);
      if (!conflict) return std::unexpected(conflict.error());
      out.push_back(ConflictRow{std::move(at->swarm), at->id, std::move(*conflict)});
      return {};
    });
  }
  Status history(std::vector<HistoryRow>& out) const {
    return database_.scan("history", {}, {}, [&](auto key, auto value) -> Status {
      std::optional<keys::VersionAt> at = keys::read_version(key);
      if (!at) return bad_key("history", key);
      Result<Record> record = decode<Record>("history", key, value);
      if (!record) return std::unexpected(record.error());
      out.push_back(HistoryRow{std::move(at->swarm), std::move(at->key), at->version,
                               std::make_shared<const Record>(std::move(*record))});
      return {};
    });
  }
  Status outbox(std::vector<OutboxRow>& out) const {
    return database_.scan("outbox", {}, {}, [&](auto key, auto value) -> Status {
      const std::optional<keys::OutboxAt> at = keys::read_outbox(key);
      if (!at) return bad_key("outbox", key);
      if (value.size() < keys::kOrderBytes)
        return std::unexpected(
            database_.damaged("outbox", "the value of '" + shown(key) + "' is too short"));
      Result<Mutation> mutation = decode<Mutation>("outbox", key, value.substr(keys::kOrderBytes));
      if (!mutation) return std::unexpected(mutation.error());
      out.push_back(
          OutboxRow{at->incarnation, at->seq, keys::read_order(value), std::move(*mutation)});
      return {};
    });
  }
  Status replica(std::vector<ReplicaRow>& out) const {
    return database_.scan("replica", {}, {}, [&](auto key, auto value) -> Status {
      Result<Record> record = decode<Record>("replica", key, value);
      if (!record) return std::unexpected(record.error());
      out.push_back(ReplicaRow{Key(key), std::make_shared<const Record>(std::move(*record))});
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
  const RowReader reader(database);
  std::string end(keys::kSwarmPrefix);
  ++end.back();
  Status read = database.scan("meta", keys::kSwarmPrefix, end, [&](auto key, auto value) -> Status {
    Result<SwarmRow> row = reader.decode<SwarmRow>("meta", key, value);
    if (!row) return std::unexpected(row.error());
    row->swarm = SwarmId(key.substr(keys::kSwarmPrefix.size()));
    swarms.push_back(std::move(*row));
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return swarms;
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
  Status read = reader.records(state.records);
  if (read) read = reader.writers(state.writers);
  if (read) read = reader.outcomes(state.outcomes);
  if (read) read = reader.conflicts(state.conflicts);
  if (read) read = reader.history(state.history);
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
  Status read = reader.replica(state.replica);
  if (read) read = reader.outbox(state.outbox);
  if (!read) return std::unexpected(read.error());
  std::sort(state.outbox.begin(), state.outbox.end(), sends_before);
  return state;
}

Result<std::vector<ReceiptRow>> scan_receipts(RocksdbDatabase& database, const ReceiptScan& scan) {
  std::vector<ReceiptRow> receipts;
  if (scan.limit == 0) return receipts;
  const RowReader reader(database);
  keys::Range range =
      scan.key.empty() ? keys::receipts_of(scan.swarm) : keys::receipts_of(scan.swarm, scan.key);
  // The next key that there can be.
  if (scan.after)
    range.begin = std::max(range.begin, keys::receipt(scan.swarm, *scan.after) + '\0');
  // Ends early with a status that is not reported: enough was read.
  Status read =
      database.scan("receipts", range.begin, range.end, [&](auto key, auto value) -> Status {
        std::optional<keys::ReceiptAt> at = keys::read_receipt(key);
        if (!at) return reader.bad_key("receipts", key);
        Result<Receipt> receipt = reader.decode<Receipt>("receipts", key, value);
        if (!receipt) return std::unexpected(receipt.error());
        receipts.push_back(
            ReceiptRow{scan.swarm, at->place.at, at->place.index, std::move(*receipt)});
        if (receipts.size() == scan.limit) return failed(Code::kCommitted, {});
        return {};
      });
  if (!read && read.error().code != Code::kCommitted) return std::unexpected(read.error());
  return receipts;
}

}  // namespace waggle
