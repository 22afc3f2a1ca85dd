#include "coordinator/earlier_versions.h"

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
  if (can_pay(*record)) {
    const std::size_t cost = cost_of(*record);
    chains_.add(key, std::move(record), cost, kPerKey, dropped_);
  } else {
    chains_.forget(key, dropped_);
  }
  dropped_.clear();
}

void EarlierVersions::forget(const Key& key) {
  chains_.forget(key, dropped_);
  dropped_.clear();
}

RecordPtr EarlierVersions::held_at(const Key& key, Revision since, const Record& later) const {
  if (later.version <= since) return nullptr;
  return chains_.newest(key, [since](const Record& one) { return one.version <= since; });
}

}  // namespace waggle
