// Includes every public header and does the least that shows that the library works.

#include <chrono>
#include <cstdio>

#include <waggle/agent.h>
#include <waggle/conflict_resolver.h>
#include <waggle/group.h>
#include <waggle/memory_provider.h>
#include <waggle/state_synchronizer.h>
#include <waggle/types.h>
#include <waggle/version.h>

int main() {
  const auto hive = waggle::StateSynchronizer::open({});
  if (!hive) {
    std::fprintf(stderr, "%s\n", hive.error().text.c_str());
    return 1;
  }
  const auto agent = waggle::SwarmAgent::open(
      {.coordinator = (*hive)->endpoint(), .swarm = "bees", .agent = "one"});
  if (!agent) {
    std::fprintf(stderr, "%s\n", agent.error().text.c_str());
    return 1;
  }
  const auto result =
      (*agent)->commit(waggle::WriteGroup().put("k", "v"), std::chrono::seconds(60));
  if (!result || !result->ok()) return 1;
  const auto item = (*hive)->get_state("bees", "k");
  return item && item->bytes == "v" ? 0 : 1;
}
