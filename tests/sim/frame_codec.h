#pragma once

// The real codec as the network may use it: a frame is encoded and decoded on its way, and what
// comes out must be what went in.

#include "tests/sim/network.h"

namespace waggle::sim {

// Empty when the simulator is built without the codec.
[[nodiscard]] SimNetwork::Codec frame_codec();

}  // namespace waggle::sim
