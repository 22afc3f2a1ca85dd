#include "base/small_types.h"

#include <cmath>

#include "base/check.h"

namespace waggle {

std::string_view to_text(ContentType type) {
  switch (type) {
    case ContentType::kText:
      return "text";
    case ContentType::kJson:
      return "json";
    case ContentType::kBytes:
      return "bytes";
  }
  return "unrecognised";
}

std::string_view kind_of(const Scalar& scalar) {
  switch (scalar.index()) {
    case 0:
      return "integer";
    case 1:
      return "natural";
    case 2:
      return "real";
    default:
      return "bytes";
  }
}

Result<Scalar> checked(Scalar scalar) {
  auto* real = std::get_if<double>(&scalar);
  if (real == nullptr) return scalar;
  if (std::isnan(*real))
    return failed(Code::kRejected, "expected a number that can be compared, got NaN");
  if (*real == 0) *real = 0;  // never -0: it compares equal and has other bytes
  return scalar;
}

std::int64_t ResettableCounter::total() const {
  std::int64_t sum = base;
  for (const Share& share : shares)
    WAGGLE_CHECK(!__builtin_add_overflow(sum, share.amount, &sum), "a total beyond 64 bits");
  return sum;
}

std::uint64_t BoundedCounter::total() const {
  std::uint64_t sum = free;
  for (const auto& [agent, amount] : reserved) sum += amount;
  return sum;
}

}  // namespace waggle
