#pragma once

// The inner MemoryProvider behind an interface without its name: the public class is called the
// same, so no source may see both headers.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace waggle {

struct StateWindow {
  std::function<std::optional<std::string>(const std::string& key)> retrieve;
  std::function<std::vector<std::string>(const std::string& pattern)> list_keys;
};

class NamespaceMemory {
 public:
  virtual ~NamespaceMemory() = default;
  [[nodiscard]] virtual Status store(const std::string& space, const std::string& key,
                                     const std::string& value) = 0;
  [[nodiscard]] virtual Result<std::optional<std::string>> retrieve(const std::string& space,
                                                                    const std::string& key) = 0;
  [[nodiscard]] virtual Result<bool> remove(const std::string& space, const std::string& key) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> list_keys(const std::string& space,
                                                                   const std::string& pattern) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> clear(const std::string& space) = 0;
  // Keys and bytes of each namespace.
  [[nodiscard]] virtual Result<std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>>
  stats() = 0;
};

// `directory`: empty: in memory.
[[nodiscard]] Result<std::unique_ptr<NamespaceMemory>> open_namespace_memory(
    StateWindow window, const std::string& directory);

}  // namespace waggle
