#include "resolver/three_way.h"

namespace waggle {

std::optional<ThreeWay> merge_three_way(const Register&, const Register&, const Register&,
                                        MergeFavor) {
  return std::nullopt;  // STAND-IN until the merge engine lands
}

}  // namespace waggle
