#include "coordinator/earlier_versions.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/packing.h"

namespace waggle {
namespace {

// About what is no longer shared with the next version: nodes on the path of what changed.
constexpr std::size_t kStructureBytes = 2'048;

bool can_pay(const Record& record) {
  if (!record.live()) return false;
  switch (type_of(*record.value)) {
    case ValueType::kRegister:
    case ValueType::kOrSet:
    case ValueType::kGrowSet:
    case ValueType::kRemoveWinsSet:
    case ValueType::kMap:
    case ValueType::kList:
    case ValueType::kText:
      return size_of(*record.value) >= kPackLeast;
    default:
      return false;
  }
}

std::size_t cost_of(const Record& record) {
  return type_of(*record.value) == ValueType::kRegister ? size_of(*record.value) : kStructureBytes;
}

}  // namespace

void EarlierVersions::add(const Key& key, RecordPtr record) {
  if (!can_pay(*record)) {
    forget(key);
    return;
  }
  const auto of = by_key_.try_emplace(key).first;
  bytes_ += cost_of(*record);
  order_.emplace(next_number_, key);
  of->second.push_back({std::move(record), next_number_++});
  if (of->second.size() > kPerKey) drop_oldest(of);
  while (bytes_ > kBytesMax) drop_oldest(by_key_.find(order_.begin()->second));
}

void EarlierVersions::drop_oldest(ByKey::iterator of) {
  const Kept& oldest = of->second.front();
  bytes_ -= cost_of(*oldest.record);
  order_.erase(oldest.number);
  of->second.pop_front();
  if (of->second.empty()) by_key_.erase(of);
}

void EarlierVersions::forget(const Key& key) {
  const auto of = by_key_.find(key);
  if (of == by_key_.end()) return;
  for (std::size_t left = of->second.size(); left > 0; --left) drop_oldest(of);
}

void EarlierVersions::clear() {
  by_key_.clear();
  order_.clear();
  bytes_ = 0;
}

RecordPtr EarlierVersions::held_at(const Key& key, Revision since, const Record& present) const {
  if (present.version <= since) return nullptr;
  const auto of = by_key_.find(key);
  if (of == by_key_.end()) return nullptr;
  const auto above =
      std::upper_bound(of->second.begin(), of->second.end(), since,
                       [](Revision at, const Kept& one) { return at < one.record->version; });
  return above == of->second.begin() ? nullptr : std::prev(above)->record;
}

}  // namespace waggle
