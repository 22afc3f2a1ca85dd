#include "base/token_bucket.h"

#include <algorithm>

namespace waggle {
namespace {

std::int64_t within(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min(number, TokenBucket::kMax));
}

std::int64_t divided_up(std::int64_t a, std::int64_t b) {
  return a / b + (a % b > 0 ? 1 : 0);
}

}  // namespace

TokenBucket::TokenBucket(Rate rate, Instant now)
    : rate_(within(rate.per_second)),
      full_(std::max<std::int64_t>(within(rate.burst), 1) * kThousand),
      level_(full_),
      at_(now) {}

std::int64_t TokenBucket::level_at(Instant now) const {
  if (rate_ == 0) return full_;
  if (now <= at_) return level_;
  // Compared before it is multiplied: who was away for years must not overflow.
  const std::int64_t missing = divided_up(full_ - level_, rate_);
  const std::int64_t passed = (now - at_).count;
  return passed >= missing ? full_ : level_ + passed * rate_;
}

void TokenBucket::settle(Instant now) {
  level_ = level_at(now);
  at_ = std::max(at_, now);
}

Millis TokenBucket::wait(std::uint64_t cost, Instant now) const {
  const std::int64_t needed = std::min(within(cost) * kThousand, full_);
  const std::int64_t missing = needed - level_at(now);
  if (missing <= 0) return {0};
  // A clock that went back first has to come up to where it was.
  const Millis behind = now < at_ ? at_ - now : Millis{0};
  return behind + Millis{divided_up(missing, rate_)};
}

bool TokenBucket::take(std::uint64_t cost, Instant now) {
  if (rate_ == 0) return true;
  if (wait(cost, now).count > 0) return false;
  settle(now);
  level_ -= within(cost) * kThousand;
  return true;
}

bool TokenBucket::owe(std::uint64_t cost, Instant now) {
  if (rate_ == 0) return true;
  settle(now);
  if (level_ <= -full_) return false;
  level_ = std::max(level_ - within(cost) * kThousand, -full_);
  return true;
}

bool TokenBucket::full(Instant now) const {
  return level_at(now) >= full_;
}

std::uint64_t TokenBucket::left(Instant now) const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(level_at(now) / kThousand, 0));
}

}  // namespace waggle
