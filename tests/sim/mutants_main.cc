// waggle_sim_mutants: plants one bug after the other in the cores (mutants.py) and says after how
// many seeds the simulator found it.
//
//   waggle_sim_mutants [--seeds N] [--mutant M]   at most N seeds each (default 10000); M: only
//   that one
//
// A mutant is found when a checker says something or a check of the cores ends the process; both
// are looked for in a process of its own. Before the mutants the same seeds are run without any, so
// that what is found is theirs. Exit codes: 0 each was found; 1 one was not, or something was found
// without one; 2 wrong arguments.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/frame_codec.h"
#include "tests/sim/mutants.h"
#include "tests/sim/random_world.h"

namespace waggle::sim {
namespace {

int planted_now = 0;

struct Mutant {
  const char* name;
  const char* of;  // in the general catalogue; empty: it is not there
};
constexpr Mutant kMutants[] = {
#include "mutants.inc"
};
constexpr int kMutantCount = static_cast<int>(std::size(kMutants));
constexpr std::uint64_t kSeedsWithout = 60;

// What a child leaves behind, however it ends.
struct Trail {
  std::uint64_t seed = 0;  // the one it was at
  char found[160] = {};    // what was found in it; empty: nothing
};

void look(std::uint64_t seeds, Trail& trail) {
  for (trail.seed = 1; trail.seed <= seeds; ++trail.seed) {
    RunOptions options;
    options.codec = frame_codec();
    const RunResult result = run_world(Plan::drawn(trail.seed), std::move(options));
    if (result.findings.empty()) continue;
    const Finding& finding = result.findings.front();
    const auto text = fmt::format("{}: {}", finding.checker, finding.text);
    std::memcpy(trail.found, text.data(), std::min(text.size(), sizeof trail.found - 1));
    return;
  }
}

struct Found {
  std::uint64_t seed = 0;  // 0: it was not found
  std::string how;
};

Found find(int mutant, std::uint64_t seeds) {
  void* shared =
      mmap(nullptr, sizeof(Trail), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  auto* trail = new (shared) Trail();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    planted_now = mutant;
    (void)!freopen("/dev/null", "w", stderr);  // a check that ends the process says so at length
    look(seeds, *trail);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Found found;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    found = {trail->seed, "a check of the cores ends the process"};
  } else if (trail->found[0] != '\0') {
    found = {trail->seed, trail->found};
  }
  munmap(shared, sizeof(Trail));
  return found;
}

bool show(int mutant, std::uint64_t seeds) {
  const auto started = std::chrono::steady_clock::now();
  const Found found = find(mutant, seeds);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const Mutant& of = kMutants[mutant - 1];
  std::printf("%2d %-62s %s %5.1f s  %s\n", mutant, of.name,
              found.seed ? fmt::format("seed {:>5}", found.seed).c_str() : " NOT FOUND", seconds,
              found.how.c_str());
  std::fflush(stdout);
  return found.seed != 0;
}

int run(std::uint64_t seeds, int only) {
  const Found without = find(0, std::min(seeds, kSeedsWithout));
  if (without.seed != 0) {
    std::printf("seed %llu finds something without a mutant: %s\n",
                static_cast<unsigned long long>(without.seed), without.how.c_str());
    return 1;
  }
  int missed = 0;
  for (int mutant = 1; mutant <= kMutantCount; ++mutant)
    if (only == 0 || only == mutant) missed += show(mutant, seeds) ? 0 : 1;
  std::printf("%d mutants, %d not found in %llu seeds\n", only == 0 ? kMutantCount : 1, missed,
              static_cast<unsigned long long>(seeds));
  return missed == 0 ? 0 : 1;
}

}  // namespace

bool planted(int number) {
  return planted_now == number;
}

Instant by_the_wall(StartId start, const Now& now) {
  static std::map<StartId, std::int64_t> begun;
  const std::int64_t apart = now.wall_millis - now.monotonic.millis;
  return now.monotonic + Millis{apart - begun.try_emplace(start, apart).first->second};
}

}  // namespace waggle::sim

int main(int count, char** words) {
  std::uint64_t seeds = 10'000;
  int only = 0;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const std::string_view text = i + 1 < count ? words[i + 1] : "";
    const auto number = [&](auto& to) {
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), to);
      return ++i, parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    };
    const bool right = word == "--seeds" ? number(seeds) && seeds > 0
                       : word == "--mutant"
                           ? number(only) && only > 0 && only <= waggle::sim::kMutantCount
                           : false;
    if (right) continue;
    std::fprintf(stderr, "usage: waggle_sim_mutants [--seeds N] [--mutant 1..%d]\n",
                 waggle::sim::kMutantCount);
    return 2;
  }
  return waggle::sim::run(seeds, only);
}
