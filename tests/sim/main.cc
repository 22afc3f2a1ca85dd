// waggle_sim: runs seeds of the simulated world.
//
//   waggle_sim --seeds N [--from S] [--jobs J]   N seeds, from S on (default 1)
//   waggle_sim --seed S [--trace]                one seed, with its story
//
// Exit codes: 0 all held; 1 a checker found something; 2 wrong arguments. A failed check of the
// cores aborts the process; the seed stands on the last line that begins with "seed".

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/frame_codec.h"
#include "tests/sim/random_world.h"

namespace {

using namespace waggle::sim;

constexpr std::uint64_t kTwiceEvery = 20;

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t from = 1;
  std::uint64_t jobs = 1;
  bool trace = false;
  bool one = false;
  bool keep_going = false;
};

struct Total {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;
  std::uint64_t deeds = 0;
  std::int64_t virtual_millis = 0;
  std::int64_t slowest_heal = 0;
  std::uint64_t slowest_seed = 0;
  std::map<std::string, std::uint64_t> faults;
};

std::optional<Arguments> parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const auto number = [&](std::uint64_t& to) {
      if (i + 1 >= count) return false;
      const std::string_view text = words[++i];
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), to);
      return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    };
    if (word == "--seeds"        ? !number(arguments.seeds)
        : word == "--from"       ? !number(arguments.from)
        : word == "--jobs"       ? !number(arguments.jobs) || arguments.jobs == 0
        : word == "--seed"       ? !(arguments.one = number(arguments.from))
        : word == "--trace"      ? (arguments.trace = true, false)
        : word == "--keep-going" ? (arguments.keep_going = true, false)
                                 : true)
      return std::nullopt;
  }
  if (arguments.one) arguments.seeds = 1;
  return arguments;
}

RunResult run(std::uint64_t seed, bool told) {
  RunOptions options;
  options.told = told;
  options.codec = frame_codec();
  return run_world(Plan::drawn(seed), std::move(options));
}

// A seed that ends the process is named all the same: this line is printed before the abort's text.
std::uint64_t running_seed = 0;
void name_seed(int signal) {
  char line[96];
  const auto end =
      fmt::format_to_n(line, sizeof line, "seed {} aborted: ./dev sim --seed {} --trace\n",
                       running_seed, running_seed);
  (void)!write(STDERR_FILENO, line, end.size < sizeof line ? end.size : sizeof line);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run_seed(std::uint64_t seed, const Arguments& arguments, Total& total) {
  running_seed = seed;
  ++total.seeds;
  RunResult result = run(seed, arguments.trace);
  if (seed % kTwiceEvery == 0 && !arguments.trace && result.findings.empty()) {
    const RunResult again = run(seed, false);
    if (again.fingerprint != result.fingerprint)
      result.findings.push_back({"determinism", "the same seed made another run", 0});
  }
  total.commits += result.commits;
  total.writes += result.writes;
  total.deeds += result.deeds;
  total.virtual_millis += result.virtual_millis;
  for (const auto& [name, number] : result.faults) total.faults[name] += number;
  if (result.healed_millis > total.slowest_heal) {
    total.slowest_heal = result.healed_millis;
    total.slowest_seed = seed;
  }
  if (result.findings.empty()) return;
  ++total.failed;
  for (const Finding& finding : result.findings)
    std::printf("seed %llu at %.3f s: %s: %s\n", static_cast<unsigned long long>(seed),
                static_cast<double>(finding.at) / 1000.0, finding.checker.c_str(),
                finding.text.c_str());
  std::printf("  again: ./dev sim --seed %llu --trace\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
}

int run_all(const Arguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  Total total;
  for (std::uint64_t seed = arguments.from; seed < arguments.from + arguments.seeds; ++seed) {
    run_seed(seed, arguments, total);
    if (total.failed > 0 && !arguments.keep_going) break;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  for (const auto& [name, number] : total.faults)
    std::printf("  %9llu %s\n", static_cast<unsigned long long>(number), name.c_str());
  std::printf(
      "%llu seeds from %llu, %llu failed; %.1f seeds/s; %llu writes, %llu commits, %llu "
      "steps, %.1f virtual hours; slowest to heal: seed %llu, %.1f s\n",
      static_cast<unsigned long long>(total.seeds), static_cast<unsigned long long>(arguments.from),
      static_cast<unsigned long long>(total.failed), static_cast<double>(total.seeds) / seconds,
      static_cast<unsigned long long>(total.writes), static_cast<unsigned long long>(total.commits),
      static_cast<unsigned long long>(total.deeds),
      static_cast<double>(total.virtual_millis) / 3'600'000.0,
      static_cast<unsigned long long>(total.slowest_seed),
      static_cast<double>(total.slowest_heal) / 1000.0);
  return total.failed > 0 ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
  const std::optional<Arguments> arguments = parse(count, words);
  if (!arguments) {
    std::fprintf(stderr,
                 "usage: waggle_sim [--seeds N] [--from S] [--jobs J] [--keep-going]\n"
                 "       waggle_sim --seed S [--trace]\n");
    return 2;
  }
  std::signal(SIGABRT, name_seed);
  std::signal(SIGSEGV, name_seed);
  std::vector<pid_t> children;
  const std::uint64_t jobs = arguments->one ? 1 : arguments->jobs;
  std::fflush(stdout);
  for (std::uint64_t job = 1; job < jobs; ++job) {
    const pid_t child = fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    Arguments mine = *arguments;
    mine.from += arguments->seeds * job / jobs;
    mine.seeds = arguments->seeds * (job + 1) / jobs - arguments->seeds * job / jobs;
    const int code = run_all(mine);
    std::fflush(stdout);
    _exit(code);
  }
  Arguments first = *arguments;
  first.seeds = arguments->seeds / jobs;
  int code = run_all(first);
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) code = 1;
  }
  return code;
}
