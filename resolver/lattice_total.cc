#include "resolver/lattice_total.h"

#include <limits>
#include <string_view>

namespace waggle::lattice {
namespace {

template <typename T>
Result<T> within(WideTotal total, std::string_view range) {
  if (total < std::numeric_limits<T>::min() || total > std::numeric_limits<T>::max())
    return failed(
        Code::kRejected,
        std::string("the sum of all stores' parts passes the range of ") + std::string(range));
  return static_cast<T>(total);
}

}  // namespace

Result<std::int64_t> narrowed(WideTotal total) {
  return within<std::int64_t>(total, "64 bits with sign");
}

Result<std::uint64_t> narrowed_natural(WideTotal total) {
  return within<std::uint64_t>(total, "64 bits");
}

}  // namespace waggle::lattice
