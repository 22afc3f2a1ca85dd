#pragma once

// Named memory for the embedder: namespaces of keys and values of its own, beside the shared state
// and not part of it: nobody else sees them, no revision counts them.
//
// The namespace `synchronized_state` is a window on a swarm's shared state when the provider comes
// from StateSynchronizer::memory(). It is read-only here: changing the state is a write with an
// outcome (SwarmAgent, StateSynchronizer).
//
// Thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/types.h>

namespace waggle {

inline namespace embed {

class MemoryProvider {
 public:
  static constexpr std::string_view kSynchronizedState = "synchronized_state";

  struct Usage {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;  // of keys and values
  };

  // In memory; or in a directory of its own, every change synced (kUnavailable: open elsewhere;
  // kRejected: the directory can't be used; kCorrupt: damaged).
  [[nodiscard]] static Expected<std::unique_ptr<MemoryProvider>> open(
      const std::string& directory = {});
  ~MemoryProvider();
  MemoryProvider(const MemoryProvider&) = delete;
  MemoryProvider& operator=(const MemoryProvider&) = delete;

  // All: kRejected for a namespace that is not 1..64 bytes of UTF-8 without white space and '/',
  // for a key that is not 1..1024 bytes of UTF-8, for a value above 1 MiB.

  // kDenied: the namespace is read-only.
  [[nodiscard]] Expected<void> store(const std::string& space, const std::string& key,
                                     const std::string& value);
  // Empty: no such key. Of the shared state: a register's bytes, a counter's number as text, a set
  // as its sorted elements, one a line.
  [[nodiscard]] Expected<std::optional<std::string>> retrieve(const std::string& space,
                                                              const std::string& key);
  // False: no such key.
  [[nodiscard]] Expected<bool> remove(const std::string& space, const std::string& key);
  // Sorted. `*` stands for any text, `?` for one byte.
  [[nodiscard]] Expected<std::vector<std::string>> list_keys(const std::string& space,
                                                             const std::string& pattern = "*");
  // How many keys went.
  [[nodiscard]] Expected<std::uint64_t> clear_namespace(const std::string& space);
  // Of every namespace of the embedder's own. Reads them all.
  [[nodiscard]] Expected<std::map<std::string, Usage>> stats();

  struct Parts;
  explicit MemoryProvider(std::unique_ptr<Parts> parts);

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace embed

}  // namespace waggle
