#include "memory/stored_rows.h"

#include <memory>
#include <optional>
#include <utility>

#include "memory/store_keys.h"

namespace waggle::stored_rows {
namespace {

namespace keys = store_keys;

// A record behind a key that `read` gives the shape of; `make` puts both into a row.
template <typename T, typename Row, typename Read, typename Make>
Result<Row> row_of(std::string_view key, std::string_view value, Read read, Make make) {
  auto at = read(key);
  if (!at) return std::unexpected(bad_key(key));
  Result<T> decoded = decode<T>(key, value);
  if (!decoded) return std::unexpected(std::move(decoded.error()));
  return make(std::move(*at), std::move(*decoded));
}

RecordPtr shared(Record record) {
  return std::make_shared<const Record>(std::move(record));
}

}  // namespace

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

Error bad_key(std::string_view key) {
  return {Code::kCorrupt, "the key '" + shown(key) + "' has no known shape"};
}

Error bad_value(std::string_view key, const Error& error) {
  return {error.code == Code::kUnsupported ? Code::kUnsupported : Code::kCorrupt,
          "the value of '" + shown(key) + "': " + error.text};
}

Result<SwarmRow> swarm(std::string_view key, std::string_view value) {
  Result<SwarmRow> row = decode<SwarmRow>(key, value);
  if (row) row->swarm = SwarmId(key.substr(keys::kSwarmPrefix.size()));
  return row;
}

Result<RecordRow> record(std::string_view key, std::string_view value) {
  return row_of<Record, RecordRow>(
      key, value, keys::read_state, [](keys::StateAt at, Record record) {
        return RecordRow{std::move(at.swarm), std::move(at.key), shared(std::move(record))};
      });
}

Result<WriterRow> writer(std::string_view key, std::string_view value) {
  return row_of<WriterRow, WriterRow>(key, value, keys::read_writer,
                                      [](keys::WriterAt at, WriterRow row) {
                                        row.swarm = std::move(at.swarm);
                                        row.agent = std::move(at.agent);
                                        row.incarnation = at.incarnation;
                                        return row;
                                      });
}

Result<OutcomeRow> outcomes(std::string_view key, std::string_view value) {
  using Outcomes = std::vector<Outcome>;
  return row_of<Outcomes, OutcomeRow>(
      key, value, keys::read_outcome, [](keys::OutcomeAt at, Outcomes outcomes) {
        return OutcomeRow{std::move(at.writer.swarm), std::move(at.writer.agent),
                          at.writer.incarnation, at.seq, std::move(outcomes)};
      });
}

Result<ConflictRow> conflict(std::string_view key, std::string_view value) {
  return row_of<ParkedConflict, ConflictRow>(
      key, value, keys::read_conflict, [](keys::ConflictAt at, ParkedConflict conflict) {
        return ConflictRow{std::move(at.swarm), at.id, std::move(conflict)};
      });
}

Result<HistoryRow> version(std::string_view key, std::string_view value) {
  return row_of<Record, HistoryRow>(key, value, keys::read_version,
                                    [](keys::VersionAt at, Record record) {
                                      return HistoryRow{std::move(at.swarm), std::move(at.key),
                                                        at.version, shared(std::move(record))};
                                    });
}

Result<ReceiptRow> receipt(std::string_view key, std::string_view value) {
  return row_of<Receipt, ReceiptRow>(
      key, value, keys::read_receipt, [](keys::ReceiptAt at, Receipt receipt) {
        return ReceiptRow{std::move(at.swarm), at.place.at, at.place.index, std::move(receipt)};
      });
}

Result<OutboxRow> outbox(std::string_view key, std::string_view value) {
  const std::optional<keys::OutboxAt> at = keys::read_outbox(key);
  if (!at) return std::unexpected(bad_key(key));
  if (value.size() < keys::kOrderBytes)
    return failed(Code::kCorrupt, "the value of '" + shown(key) + "' is too short");
  Result<Mutation> mutation = decode<Mutation>(key, value.substr(keys::kOrderBytes));
  if (!mutation) return std::unexpected(std::move(mutation.error()));
  return OutboxRow{at->incarnation, at->seq, keys::read_order(value), std::move(*mutation)};
}

Result<ReplicaRow> replica(std::string_view key, std::string_view value) {
  Result<Record> record = decode<Record>(key, value);
  if (!record) return std::unexpected(std::move(record.error()));
  return ReplicaRow{Key(key), shared(std::move(*record))};
}

}  // namespace waggle::stored_rows
