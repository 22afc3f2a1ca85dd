#pragma once

// A rate with a burst: so many tokens flow in a second, and so many are there at most. Whoever
// wants something takes its cost; what is not there has to be waited for.
//
//   full --take--> less --time--> full
//           \--(not enough)--> wait() says how long
//
// A cost above the burst passes when the bucket is full and leaves a debt, so that nothing is
// refused for ever and the rate holds over time all the same. owe() takes in any case, for what
// can't be refused; the debt is never more than a burst then.
//
// A small pure value: the time comes in, whole numbers only. A clock that stands still or goes back
// gives nothing. Thread safety: as an int.

#include <cstdint>

#include "base/time.h"

namespace waggle {

class TokenBucket {
 public:
  // Beyond what any machine moves; keeps the arithmetic within its range.
  static constexpr std::uint64_t kMax = std::uint64_t{1} << 40;

  struct Rate {
    std::uint64_t per_second = 0;  // 0: there is no limit
    std::uint64_t burst = 0;       // at least one is meant
    friend bool operator==(const Rate&, const Rate&) = default;
  };

  // Full. Numbers above kMax count as that.
  TokenBucket(Rate rate, Instant now);

  // How long until take() would succeed; 0: now.
  [[nodiscard]] Millis wait(std::uint64_t cost, Instant now) const;
  // False: not enough is there, and nothing was taken.
  [[nodiscard]] bool take(std::uint64_t cost, Instant now);
  // False: the debt is as large as it may be, a whole burst, and was before; nothing was taken.
  bool owe(std::uint64_t cost, Instant now);
  [[nodiscard]] bool full(Instant now) const;
  // Whole tokens that are there.
  [[nodiscard]] std::uint64_t left(Instant now) const;
  [[nodiscard]] std::uint64_t per_second() const { return static_cast<std::uint64_t>(rate_); }
  [[nodiscard]] std::uint64_t burst() const {
    return static_cast<std::uint64_t>(full_ / kThousand);
  }

 private:
  static constexpr std::int64_t kThousand = 1'000;

  // In thousandths of a token, as a millisecond brings `rate_` of them. Bound: `full_` is at most
  // 1000 * kMax, a debt too, so no sum leaves 64 bits.
  [[nodiscard]] std::int64_t level_at(Instant now) const;
  void settle(Instant now);

  std::int64_t rate_;  // tokens a second; 0: no limit
  std::int64_t full_;
  std::int64_t level_;
  Instant at_;
};

}  // namespace waggle
