#include "base/dot.h"

#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {

void add_dot(Dots& dots, Dot dot) {
  WAGGLE_CHECK(dots.empty() || dots.back() < dot, "a dot below one that is there");
  dots.push_back(std::move(dot));
  while (dots.size() > limits::kDots) {
    dots[1].writer = {AgentId(kCoordinatorName), {}, {}};
    dots.erase(dots.begin());
  }
}

void put_dots(CanonicalBytes& bytes, const Dots& dots) {
  bytes.u64(dots.size());
  for (const Dot& dot : dots) {
    bytes.u64(dot.revision.value());
    bytes.u64(dot.index);
    bytes.text(dot.writer.agent.value());
    bytes.u64(dot.writer.incarnation.value());
    bytes.u64(dot.writer.seq.value());
  }
}

std::size_t size_of(const Dots& dots) {
  constexpr std::size_t kDotBytes = 40;  // beside the writer's id, as encoded
  std::size_t size = 0;
  for (const Dot& dot : dots) size += kDotBytes + dot.writer.agent.value().size();
  return size;
}

}  // namespace waggle
