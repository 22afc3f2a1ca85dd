#include "memory/memory_provider.h"

#include <utility>

#include "base/glob.h"
#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

bool is_window(const std::string& space) {
  return space == MemoryProvider::kSynchronizedState;
}

Status check_space(const std::string& space) {
  // The rule of a swarm's id.
  if (check_swarm_id(space)) return {};
  return failed(Code::kRejected, "a namespace needs a name of 1 to " +
                                     std::to_string(limits::kIdBytes) +
                                     " bytes of UTF-8 without control characters, white space "
                                     "and '/'");
}

Status check_place(const std::string& space, const std::string& key) {
  if (Status allowed = check_space(space); !allowed) return allowed;
  return check_key(key);
}

Status check_writable(const std::string& space) {
  if (!is_window(space)) return {};
  return failed(Code::kDenied, "the namespace '" + space +
                                   "' shows the shared state and can't be changed here; write to "
                                   "the state instead");
}

}  // namespace

MemoryProvider::MemoryProvider(SynchronizedState state, std::unique_ptr<KeyValues> values)
    : state_(std::move(state)), values_(std::move(values)) {}

Status MemoryProvider::store(const std::string& space, const std::string& key,
                             const std::string& value) {
  if (Status allowed = check_place(space, key); !allowed) return allowed;
  if (Status allowed = check_writable(space); !allowed) return allowed;
  if (value.size() > limits::kValueBytes)
    return failed(Code::kRejected, "the value has " + std::to_string(value.size()) +
                                       " bytes, the limit is " +
                                       std::to_string(limits::kValueBytes));
  return values_->put(space, key, value);
}

Result<std::optional<std::string>> MemoryProvider::retrieve(const std::string& space,
                                                            const std::string& key) {
  if (Status allowed = check_place(space, key); !allowed) return std::unexpected(allowed.error());
  if (!is_window(space)) return values_->get(space, key);
  if (!state_.retrieve) return std::nullopt;
  return state_.retrieve(key);
}

Result<bool> MemoryProvider::remove(const std::string& space, const std::string& key) {
  if (Status allowed = check_place(space, key); !allowed) return std::unexpected(allowed.error());
  if (Status allowed = check_writable(space); !allowed) return std::unexpected(allowed.error());
  const auto before = values_->get(space, key);
  if (!before) return std::unexpected(before.error());
  if (!before->has_value()) return false;
  if (Status removed = values_->remove(space, key); !removed)
    return std::unexpected(removed.error());
  return true;
}

Result<std::vector<std::string>> MemoryProvider::list_keys(const std::string& space,
                                                           const std::string& glob) {
  if (Status allowed = check_space(space); !allowed) return std::unexpected(allowed.error());
  std::vector<std::string> keys;
  if (is_window(space)) return state_.list_keys ? state_.list_keys(glob) : keys;
  const Status read = values_->visit(space, glob_prefix(glob), [&](auto, auto key, auto) {
    if (glob_match(glob, key)) keys.emplace_back(key);
  });
  if (!read) return std::unexpected(read.error());
  return keys;
}

Result<std::uint64_t> MemoryProvider::clear_namespace(const std::string& space) {
  if (Status allowed = check_space(space); !allowed) return std::unexpected(allowed.error());
  if (Status allowed = check_writable(space); !allowed) return std::unexpected(allowed.error());
  std::uint64_t count = 0;
  Status done = values_->visit(space, {}, [&](auto, auto, auto) { ++count; });
  if (done && count != 0) done = values_->clear(space);
  if (!done) return std::unexpected(done.error());
  return count;
}

Result<std::map<std::string, MemoryProvider::Usage>> MemoryProvider::stats() {
  std::map<std::string, Usage> all;
  const Status read = values_->visit_all([&](auto space, auto key, auto value) {
    Usage& usage = all[std::string(space)];
    ++usage.keys;
    usage.bytes += key.size() + value.size();
  });
  if (!read) return std::unexpected(read.error());
  return all;
}

}  // namespace waggle
