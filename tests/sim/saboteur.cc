#include "tests/sim/saboteur.h"

namespace waggle::sim {

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> bugs;
  return bugs;
}

}  // namespace waggle::sim
