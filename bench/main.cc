// waggle_bench: what Waggle costs, beside what ZeroMQ and the disk cost in the same run. README.md
// of this folder explains the rows.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "bench/bare.h"
#include "bench/flood.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"

namespace {

constexpr const char* kUsage =
    "usage: waggle_bench [NAME] [--quick] [--only NAME] [--json FILE] [--trace FILE]\n"
    "  --quick      fewer repetitions, under a minute\n"
    "  --only NAME  only rows with these parts in their name: round, conflict.100, resolution\n"
    "  --trace FILE an editing trace for resolver.text: JSON with txns[].patches[] and endContent\n"
    "  --json FILE  where the figures go as JSON; default: waggle-bench.json, `-` for none\n"
    "Data is written below TMPDIR (default /tmp): it should be on the disk that matters.\n";

int usage(const std::string& wrong) {
  std::fprintf(stderr, "waggle_bench: %s\n%s", wrong.c_str(), kUsage);
  return 2;
}

int run(int argc, char** argv) {
  std::string only;
  std::string json = "waggle-bench.json";
  std::string trace;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--serve-bare") return waggle::bench::serve_bare();
    if (argument == "--serve-waggle" && more) return waggle::bench::serve_waggle(argv[i + 1]);
    if (argument == "--serve-limited" && i + 2 < argc)
      return waggle::bench::serve_waggle(argv[i + 1], std::strtoull(argv[i + 2], nullptr, 10));
    if (argument == "--flood" && more) return waggle::bench::flood(argv[i + 1]);
    if (argument == "--quick") {
      quick = true;
    } else if (argument == "--only" && more) {
      only = argv[++i];
    } else if (argument == "--trace" && more) {
      trace = argv[++i];
    } else if (argument == "--json" && more) {
      json = argv[++i];
    } else if (argument == "--help" || argument == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    } else if (!argument.starts_with("-") && only.empty()) {
      only = argument;
    } else {
      return usage("unknown or incomplete argument '" + argument + "'");
    }
  }
  if (json == "-") json.clear();

  waggle::bench::Report report(json, quick);
  waggle::bench::Run bench{report, quick, only, trace};
  const double begin = waggle::bench::now_micros();
  measure_disk(bench);
  measure_resolution(bench);
  measure_resolver(bench);
  measure_legs(bench);
  measure_throughput(bench);
  measure_delta(bench);
  measure_typed(bench);
  measure_decisions(bench);
  measure_locks(bench);
  measure_flood(bench);
  measure_footprint(bench);
  const bool fine = report.finish();
  std::printf("\n%.0f s", (waggle::bench::now_micros() - begin) / 1e6);
  if (!json.empty()) std::printf(", figures in %s", json.c_str());
  std::printf("\n");
  return fine ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle_bench: %s\n", error.what());
    return 1;
  }
}
