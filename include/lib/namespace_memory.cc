#include "include/lib/namespace_memory.h"

#include "memory/memory_provider.h"

namespace waggle {
namespace {

class Namespaces final : public NamespaceMemory {
 public:
  Namespaces(StateWindow window, std::unique_ptr<KeyValues> values)
      : provider_({std::move(window.retrieve), std::move(window.list_keys)}, std::move(values)) {}

  [[nodiscard]] Status store(const std::string& space, const std::string& key,
                             const std::string& value) override {
    return provider_.store(space, key, value);
  }
  [[nodiscard]] Result<std::optional<std::string>> retrieve(const std::string& space,
                                                            const std::string& key) override {
    return provider_.retrieve(space, key);
  }
  [[nodiscard]] Result<bool> remove(const std::string& space, const std::string& key) override {
    return provider_.remove(space, key);
  }
  [[nodiscard]] Result<std::vector<std::string>> list_keys(const std::string& space,
                                                           const std::string& pattern) override {
    return provider_.list_keys(space, pattern);
  }
  [[nodiscard]] Result<std::uint64_t> clear(const std::string& space) override {
    return provider_.clear_namespace(space);
  }
  [[nodiscard]] Result<std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>> stats()
      override {
    auto usage = provider_.stats();
    if (!usage) return std::unexpected(std::move(usage.error()));
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> stats;
    for (const auto& [space, used] : *usage) stats[space] = {used.keys, used.bytes};
    return stats;
  }

 private:
  MemoryProvider provider_;
};

}  // namespace

Result<std::unique_ptr<NamespaceMemory>> open_namespace_memory(StateWindow window,
                                                               const std::string& directory) {
  std::unique_ptr<KeyValues> values = std::make_unique<MapKeyValues>();
  if (!directory.empty()) {
    auto opened = open_rocksdb_key_values(directory);
    if (!opened) return std::unexpected(std::move(opened.error()));
    values = std::move(*opened);
  }
  return std::make_unique<Namespaces>(std::move(window), std::move(values));
}

}  // namespace waggle
