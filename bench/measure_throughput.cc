#include "bench/rows.h"
namespace waggle::bench { void measure_throughput(Run&) {} void measure_delta(Run&) {} void measure_footprint(Run&) {} }
