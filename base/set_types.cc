#include "base/set_types.h"

namespace waggle {

Weight WeighDots::operator()(const std::string& element, const Dots& dots) const {
  CanonicalBytes bytes;
  bytes.text(element);
  put_dots(bytes, dots);
  return {hash128(bytes.bytes()), element.size() + size_of(dots)};
}

Weight WeighElement::operator()(const std::string& element, const NoDots&) const {
  // With what an element costs beside its bytes, so that many tiny ones can't pass for a small set.
  constexpr std::size_t kElementOverhead = 8;
  return {hash128(element), element.size() + kElementOverhead};
}

Weight WeighBoth::operator()(const std::string& element, const AddsAndRemovals& dots) const {
  CanonicalBytes bytes;
  bytes.text(element);
  put_dots(bytes, dots.adds);
  put_dots(bytes, dots.removals);
  return {hash128(bytes.bytes()), element.size() + size_of(dots.adds) + size_of(dots.removals)};
}

}  // namespace waggle
