#pragma once

// Named memory for the embedder: namespaces of keys and values of its own, beside the shared state
// and not part of it: nobody else sees them, no revision counts them.
//
// The namespace `synchronized_state` is a window on the shared state. It can be read here; changing
// it is a write like any other, with an outcome, so it is refused here.
//
// Not thread-safe: one thread at a time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "memory/key_values.h"

namespace waggle {

class MemoryProvider {
 public:
  static constexpr std::string_view kSynchronizedState = "synchronized_state";

  // How the owner of the shared state reads it. A missing function: that namespace is empty.
  struct SynchronizedState {
    std::function<std::optional<std::string>(const std::string& key)> retrieve;
    // Every live key that matches the glob, rising.
    std::function<std::vector<std::string>(const std::string& glob)> list_keys;
  };
  struct Usage {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;  // of keys and values
    friend bool operator==(const Usage&, const Usage&) = default;
  };

  // In memory, unless other values are given.
  explicit MemoryProvider(SynchronizedState state = {},
                          std::unique_ptr<KeyValues> values = std::make_unique<MapKeyValues>());

  // All: kRejected for a name, key or value that is not allowed (a namespace: 1..64 bytes of UTF-8
  // without control characters, white space and '/'; keys and values as in the shared state);
  // otherwise the errors of a store.

  // kDenied: the namespace is read-only.
  [[nodiscard]] Status store(const std::string& space, const std::string& key,
                             const std::string& value);
  // Empty: no such key.
  [[nodiscard]] Result<std::optional<std::string>> retrieve(const std::string& space,
                                                            const std::string& key);
  // False: no such key.
  [[nodiscard]] Result<bool> remove(const std::string& space, const std::string& key);
  // Rising. For the glob see base/glob.h.
  [[nodiscard]] Result<std::vector<std::string>> list_keys(const std::string& space,
                                                           const std::string& glob = "*");
  // How many keys went.
  [[nodiscard]] Result<std::uint64_t> clear_namespace(const std::string& space);
  // Of every namespace of the embedder's own. Reads them all.
  [[nodiscard]] Result<std::map<std::string, Usage>> stats();

 private:
  SynchronizedState state_;
  std::unique_ptr<KeyValues> values_;
};

}  // namespace waggle
