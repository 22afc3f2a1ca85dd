#pragma once

// The measurements, one file each. Every function asks `wanted` before it does anything costly.

#include <string>

#include "bench/report.h"

namespace waggle::bench {

struct Run {
  Report& report;
  bool quick = false;
  std::string only;  // part of a row's name; empty: all

  // True iff the row, or a row whose name begins so, is asked for.
  [[nodiscard]] bool wanted(const std::string& name) const {
    return only.empty() || name.find(only) != std::string::npos ||
           only.substr(0, name.size()) == name;
  }
};

void measure_disk(Run& run);        // disk.*
void measure_legs(Run& run);        // round.*, visible.*
void measure_throughput(Run& run);  // writes.*
void measure_delta(Run& run);       // delta.*
void measure_resolution(Run& run);  // resolution.*
void measure_footprint(Run& run);   // idle.*, memory.*, ready.*

}  // namespace waggle::bench
