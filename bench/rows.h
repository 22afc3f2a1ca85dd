#pragma once

// The measurements, one file each. Every function asks `wanted` before it does anything costly.

#include <string>

#include "bench/report.h"

namespace waggle::bench {

struct Run {
  Report& report;
  bool quick = false;
  std::string only;        // whole parts of a name, such as "round" or "conflict.100"; empty: all
  std::string trace = {};  // a file for resolver.text; empty: a generated one

  // True iff the row is asked for, or one of the group whose name is given.
  [[nodiscard]] bool wanted(const std::string& name) const {
    return only.empty() || ("." + name + ".").find("." + only + ".") != std::string::npos ||
           only.starts_with(name + ".");
  }
};

void measure_disk(Run& run);        // disk.*
void measure_legs(Run& run);        // round.*, visible.*
void measure_throughput(Run& run);  // writes.*
void measure_delta(Run& run);       // delta.*
void measure_resolution(Run& run);  // resolution.*
void measure_resolver(Run& run);    // resolver.*
void measure_typed(Run& run);       // typed.*
void measure_decisions(Run& run);   // claims.*, tasks.*, proposals.*
void measure_locks(Run& run);       // locks.*
void measure_flood(Run& run);       // flood.*
void measure_footprint(Run& run);   // idle.*, memory.*, ready.*

}  // namespace waggle::bench
