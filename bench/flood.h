#pragma once

// The hidden role of the flooder in measure_flood.cc.

#include <string>

namespace waggle::bench {

// Says one line, floods until standard input ends, and says what it sent and what of it was
// committed, a second each.
int flood(const std::string& endpoint);

}  // namespace waggle::bench
