#pragma once

// What a public MemoryProvider is made of.

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <waggle/memory_provider.h>

#include "base/status.h"
#include "include/lib/namespace_memory.h"

namespace waggle {

struct MemoryProvider::Parts {
  std::mutex mutex;
  std::unique_ptr<NamespaceMemory> memory;  // guarded by mutex
  // Why the last look through the window failed: its functions give no errors of their own.
  std::shared_ptr<std::optional<Error>> window_failure = std::make_shared<std::optional<Error>>();
};

}  // namespace waggle
