#pragma once

// The port under a MemoryProvider: plain bytes under (namespace, key). What names are allowed, and
// which namespace is read-only, is the provider's business.
//
// Not thread-safe: one thread at a time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace waggle {

class KeyValues {
 public:
  using Visit =
      std::function<void(std::string_view space, std::string_view key, std::string_view value)>;
  virtual ~KeyValues() = default;
  // A change is durable on return, as far as the implementation is.
  [[nodiscard]] virtual Status put(const std::string& space, const std::string& key,
                                   const std::string& value) = 0;
  [[nodiscard]] virtual Status remove(const std::string& space, const std::string& key) = 0;
  // Every key of it, at once or not at all.
  [[nodiscard]] virtual Status clear(const std::string& space) = 0;
  // Empty: no such key.
  [[nodiscard]] virtual Result<std::optional<std::string>> get(const std::string& space,
                                                               const std::string& key) = 0;
  // The keys of a namespace that begin with `prefix`, rising.
  [[nodiscard]] virtual Status visit(const std::string& space, std::string_view prefix,
                                     const Visit& visit) = 0;
  // Everything, namespace by namespace.
  [[nodiscard]] virtual Status visit_all(const Visit& visit) = 0;
};

// In memory, gone with the object.
class MapKeyValues final : public KeyValues {
 public:
  [[nodiscard]] Status put(const std::string& space, const std::string& key,
                           const std::string& value) override;
  [[nodiscard]] Status remove(const std::string& space, const std::string& key) override;
  [[nodiscard]] Status clear(const std::string& space) override;
  [[nodiscard]] Result<std::optional<std::string>> get(const std::string& space,
                                                       const std::string& key) override;
  [[nodiscard]] Status visit(const std::string& space, std::string_view prefix,
                             const Visit& visit) override;
  [[nodiscard]] Status visit_all(const Visit& visit) override;

 private:
  std::map<std::string, std::map<std::string, std::string>> spaces_;  // no inner map is empty
};

// In a directory of its own, every change synced. Makes it and errs as open_rocksdb().
[[nodiscard]] Result<std::unique_ptr<KeyValues>> open_rocksdb_key_values(const std::string& path);

}  // namespace waggle
