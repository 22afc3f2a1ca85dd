#pragma once

// Cap'n Proto before 1.0 leaves `const char* == kj::StringPtr` to C++20's rewritten comparisons,
// which clang 16, GCC 13 and later no longer find (P2468), so its own headers don't compile there.
// This gives them back, by name since `b == a` would be rewritten to itself. The build includes it
// ahead of every source that sees those headers.

#include <kj/string.h>

#ifdef __cpp_impl_three_way_comparison
namespace kj {

inline bool operator==(const char* a, const StringPtr& b) {
  return b.operator==(a);
}
inline bool operator!=(const char* a, const StringPtr& b) {
  return b.operator!=(a);
}

}  // namespace kj
#endif
