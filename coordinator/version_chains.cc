#include "coordinator/version_chains.h"

#include <utility>

namespace waggle {

void VersionChains::add(const Key& key, RecordPtr record, std::size_t cost, std::size_t most,
                        std::vector<Dropped>& dropped) {
  const auto of = by_key_.try_emplace(key).first;
  bytes_ += cost;
  order_.emplace(next_number_, key);
  of->second.push_back({std::move(record), cost, next_number_++});
  while (of->second.size() > most) drop_oldest(of, dropped);
  while (bytes_ > bytes_max_) drop_oldest(by_key_.find(order_.begin()->second), dropped);
}

void VersionChains::drop_oldest(ByKey::iterator of, std::vector<Dropped>& dropped) {
  const Kept& oldest = of->second.front();
  bytes_ -= oldest.cost;
  order_.erase(oldest.number);
  dropped.push_back({of->first, oldest.record->version});
  of->second.pop_front();
  if (of->second.empty()) by_key_.erase(of);
}

void VersionChains::forget(const Key& key, std::vector<Dropped>& dropped) {
  const auto of = by_key_.find(key);
  if (of == by_key_.end()) return;
  for (std::size_t left = of->second.size(); left > 0; --left) drop_oldest(of, dropped);
}

void VersionChains::clear() {
  by_key_.clear();
  order_.clear();
  bytes_ = 0;
}

}  // namespace waggle
