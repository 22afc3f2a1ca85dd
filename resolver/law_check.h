#pragma once

// Admission of a custom merger: a function of two values that an embedder wants to use as a join.
// One that isn't commutative, associative and idempotent keeps replicas apart for ever, and only
// when writes happen to be concurrent, so it is tried before it is taken in: seeded random cases
// made of the embedder's sample values, their mutations and recombinations, and of what the merger
// itself gave for them. A merger that breaks a law is refused with the law and the case, not warned
// about. Passing is evidence, not proof.
//
// The laws, of values a, b, c:
//   deterministic   m(a, b) gives the same twice
//   bounded         m(a, b) has at most `output_bytes_max` bytes
//   commutative     m(a, b) = m(b, a)
//   associative     m(m(a, b), c) = m(a, m(b, c))
//   idempotent      m(a, a) = a, of samples and results; of a mutated a, which may be spelt in an
//                   unusual way, m(x, x) = x with x = m(a, a)
// A merger may return an error for a mutated value that it can't read, as long as the laws hold for
// that too (an error equals any other error). It may not fail for samples, and never throw.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/status.h"

namespace waggle {

// A function that returns a plain std::string will do.
using Merger = std::function<Result<std::string>(std::string_view a, std::string_view b)>;

struct MergerTrial {
  std::uint64_t cases = 10'000;
  std::uint64_t seed = 1;
  std::size_t output_bytes_max = limits::kValueBytes;
};

// Errors: kRejected, with the law and the counterexample, or with what was wrong with the samples
// (at least two different ones are needed, none above `output_bytes_max`).
[[nodiscard]] Status check_merger(const Merger& merger, std::span<const std::string> samples,
                                  const MergerTrial& trial = {});

}  // namespace waggle
