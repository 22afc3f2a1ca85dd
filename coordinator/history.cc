#include "coordinator/history.h"

#include "base/limits.h"

namespace waggle {
namespace {

constexpr std::size_t kRecordBytes = 256;  // beside its value

std::size_t cost_of(const Record& record) {
  return kRecordBytes + size_of(*record.value);
}

}  // namespace

void History::restore(const HistoryRow& row, std::uint32_t kept) {
  if (kept == 0 || !row.record->live()) {
    dropped_.push_back({row.key, row.version});
    return;
  }
  chains_.add(row.key, row.record, cost_of(*row.record), kept, dropped_);
}

void History::add(const Key& key, const RecordPtr& record, std::uint32_t kept,
                  std::vector<Row>& rows) {
  if (kept == 0 || !record->live() || type_of(*record->value) != ValueType::kRegister) {
    forget(key, rows);
    return;
  }
  rows.emplace_back(HistoryRow{swarm_, key, record->version, record});
  chains_.add(key, record, cost_of(*record), kept, dropped_);
  tell(rows);
}

void History::forget(const Key& key, std::vector<Row>& rows) {
  chains_.forget(key, dropped_);
  tell(rows);
}

void History::tell(std::vector<Row>& rows) {
  for (const VersionChains::Dropped& one : dropped_)
    rows.emplace_back(HistoryRow{swarm_, one.key, one.version, nullptr});
  dropped_.clear();
}

RecordPtr History::known_to(const Key& key, const Author& author) const {
  return chains_.newest(key, [&author](const Record& one) {
    return one.version <= author.seen || author.own(one.writer);
  });
}

RecordPtr History::at(const Key& key, Revision version) const {
  return chains_.newest(key, [version](const Record& one) { return one.version <= version; });
}

}  // namespace waggle
