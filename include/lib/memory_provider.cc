#include <utility>

#include <waggle/memory_provider.h>

#include "include/lib/convert.h"
#include "include/lib/memory_provider_parts.h"

namespace waggle {
namespace {

// Of a call that may look through the window: its failure comes first.
template <typename T>
Expected<T> answer(std::optional<Error>& window_failure, Result<T> result) {
  if (std::optional<Error> failed_window = std::exchange(window_failure, std::nullopt))
    return std::unexpected(to_failure(std::move(*failed_window)));
  if (!result) return failure_of(result);
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

}  // namespace

Expected<std::unique_ptr<MemoryProvider>> MemoryProvider::open(const std::string& directory) {
  Result<std::unique_ptr<NamespaceMemory>> memory = open_namespace_memory({}, directory);
  if (!memory) return failure_of(memory);
  auto parts = std::make_unique<Parts>();
  parts->memory = std::move(*memory);
  return std::make_unique<MemoryProvider>(std::move(parts));
}

MemoryProvider::MemoryProvider(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MemoryProvider::~MemoryProvider() = default;

Expected<void> MemoryProvider::store(const std::string& space, const std::string& key,
                                     const std::string& value) {
  const std::lock_guard lock(parts_->mutex);
  return answer(*parts_->window_failure, parts_->memory->store(space, key, value));
}

Expected<std::optional<std::string>> MemoryProvider::retrieve(const std::string& space,
                                                              const std::string& key) {
  const std::lock_guard lock(parts_->mutex);
  return answer(*parts_->window_failure, parts_->memory->retrieve(space, key));
}

Expected<bool> MemoryProvider::remove(const std::string& space, const std::string& key) {
  const std::lock_guard lock(parts_->mutex);
  return answer(*parts_->window_failure, parts_->memory->remove(space, key));
}

Expected<std::vector<std::string>> MemoryProvider::list_keys(const std::string& space,
                                                             const std::string& pattern) {
  const std::lock_guard lock(parts_->mutex);
  return answer(*parts_->window_failure, parts_->memory->list_keys(space, pattern));
}

Expected<std::uint64_t> MemoryProvider::clear_namespace(const std::string& space) {
  const std::lock_guard lock(parts_->mutex);
  return answer(*parts_->window_failure, parts_->memory->clear(space));
}

Expected<std::map<std::string, MemoryProvider::Usage>> MemoryProvider::stats() {
  const std::lock_guard lock(parts_->mutex);
  auto used = parts_->memory->stats();
  if (!used) return failure_of(used);
  std::map<std::string, Usage> stats;
  for (const auto& [space, usage] : *used) stats[space] = {usage.first, usage.second};
  return stats;
}

}  // namespace waggle
