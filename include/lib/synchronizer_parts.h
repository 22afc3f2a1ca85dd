#pragma once

// What a StateSynchronizer is made of: a coordinator on a thread of its own, and clients of it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <waggle/state_synchronizer.h>

#include "include/lib/convert.h"
#include "include/lib/coordinator_runtime.h"
#include "include/lib/request_client.h"

namespace waggle {

// For an answer of a coordinator in the same process, on a busy machine.
inline constexpr std::int64_t kAnswerMillis = 30'000;

struct StateSynchronizer::Parts {
  std::unique_ptr<CoordinatorRuntime> runtime;
  std::thread thread;

  std::mutex mutex;  // guards what follows
  std::map<std::string, std::vector<std::unique_ptr<RequestClient>>> idle;
  bool stopped = false;
  Status ended;  // of run(), once stopped

  ~Parts() {
    if (thread.joinable()) {
      runtime->stop();
      thread.join();
    }
  }

  static constexpr std::size_t kIdleClients = 8;  // kept for each swarm

  // Runs `use` with a client of that swarm: one that is idle, or a new one. `what` names the call.
  template <typename T>
  [[nodiscard]] Expected<T> with_client(const std::string& swarm, std::string_view what,
                                        const std::function<Result<T>(RequestClient&)>& use);
};

template <typename T>
Expected<T> StateSynchronizer::Parts::with_client(
    const std::string& swarm, std::string_view what,
    const std::function<Result<T>(RequestClient&)>& use) {
  if (Expected<void> may = may_block(what); !may) return std::unexpected(std::move(may.error()));
  std::unique_ptr<RequestClient> client;
  {
    const std::lock_guard lock(mutex);
    if (stopped)
      return failure(StatusCode::kUnavailable,
                     ended ? "the synchronizer was stopped" : "it ended: " + ended.error().text);
    if (const auto waiting = idle.find(swarm); waiting != idle.end() && !waiting->second.empty()) {
      client = std::move(waiting->second.back());
      waiting->second.pop_back();
    }
  }
  if (!client) {
    Result<std::unique_ptr<RequestClient>> opened =
        RequestClient::over(runtime->local_port(), SwarmId(swarm), kAnswerMillis);
    if (!opened) return failure_of(opened);
    client = std::move(*opened);
  }
  Result<T> result = use(*client);
  {
    const std::lock_guard lock(mutex);
    std::vector<std::unique_ptr<RequestClient>>& waiting = idle[swarm];
    if (!stopped && waiting.size() < kIdleClients) waiting.push_back(std::move(client));
  }
  if (!result) return failure_of(result);
  return std::move(*result);
}

}  // namespace waggle
