#include "coordinator/allowances.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace waggle {
namespace {

// Enough for who minds what an answer says, several times over.
constexpr TokenBucket::Rate kAnswers{50, 200};
constexpr std::int64_t kTellMillis = 1'000;
constexpr std::int64_t kSweepMillis = 1'000;
constexpr std::string_view kTheRest = "rest";

std::array<std::uint64_t, 3> by_limit(const Allowances::Cost& cost) {
  return {cost.messages, cost.writes, cost.bytes};
}

TokenBucket::Rate rate_of(std::uint64_t per_second, std::int64_t burst_millis) {
  const std::uint64_t rate = std::min(per_second, TokenBucket::kMax);
  const auto seconds = static_cast<double>(std::max<std::int64_t>(burst_millis, 0)) / 1000.0;
  const double burst =
      std::min(static_cast<double>(rate) * seconds, static_cast<double>(TokenBucket::kMax));
  return {rate, std::max<std::uint64_t>(static_cast<std::uint64_t>(burst), 1)};
}

}  // namespace

Sender Sender::of_agent(const SwarmId& swarm, const AgentId& agent) {
  std::string own = "agent:" + swarm.value();
  own += '\0';
  return {own + agent.value(), {}};
}

Sender Sender::of_client(const SwarmId& swarm, const PeerId& peer) {
  return {of_stranger(peer).own, "clients:" + swarm.value()};
}

Sender Sender::of_stranger(const PeerId& peer) {
  return {"peer:" + peer.value(), {}};
}

Allowances::Allowances(const AgentLimits& limits)
    : rates_{rate_of(limits.messages, limits.burst_millis),
             rate_of(limits.writes, limits.burst_millis),
             rate_of(limits.bytes, limits.burst_millis)} {}

Allowances::Allowance& Allowances::of(const std::string& name, std::uint64_t shares, Instant now) {
  if (const auto found = allowances_.find(name); found != allowances_.end()) return found->second;
  const bool room = allowances_.size() < limits::kAllowances;
  const auto bucket = [&](TokenBucket::Rate rate) {
    return TokenBucket({rate.per_second * shares, rate.burst * shares}, now);
  };
  Allowance fresh{{bucket(rates_[0]), bucket(rates_[1]), bucket(rates_[2])},
                  TokenBucket(kAnswers, now)};
  return allowances_.try_emplace(room ? name : std::string(kTheRest), std::move(fresh))
      .first->second;
}

Allowances::Drawn Allowances::drawn_on(const Sender& sender, Instant now) {
  // Not while one of them is held, and not for each message when all are in use.
  if (allowances_.size() + 1 >= limits::kAllowances && now >= swept_ + Millis{kSweepMillis})
    forget(now);
  return {&of(sender.own, 1, now),
          sender.together.empty() ? nullptr : &of(sender.together, kClientsShares, now)};
}

// Null: it would pass. `writes`: what is worth coming back for at most.
std::optional<Allowances::Refusal> Allowances::judge(const Drawn& drawn, const Cost& cost,
                                                     std::uint64_t writes, Instant now) {
  const std::array<std::uint64_t, kLimits> costs = by_limit(cost);
  std::optional<Refusal> refusal;
  for (const Allowance* const one : {drawn.own, drawn.together}) {
    for (std::size_t i = 0; one != nullptr && i < kLimits; ++i) {
      const TokenBucket& bucket = one->buckets[i];
      if (costs[i] == 0 || bucket.wait(costs[i], now).count == 0) continue;
      // Not one at a time.
      std::uint64_t wanted = bucket.per_second() / 10;
      if (static_cast<Limit>(i) == Limit::kWrites) wanted = std::min(wanted, writes);
      const Millis retry = bucket.wait(std::max(wanted, costs[i]), now);
      if (refusal && refusal->retry >= retry) continue;
      refusal = Refusal{static_cast<Limit>(i), one == drawn.together, bucket.per_second(),
                        bucket.burst(), retry};
    }
  }
  return refusal;
}

Allowances::Taken Allowances::take(const Sender& sender, const Cost& cost, Instant now,
                                   bool divisible) {
  const Drawn drawn = drawn_on(sender, now);
  const auto pay = [&](const Cost& paid) {
    const std::array<std::uint64_t, kLimits> costs = by_limit(paid);
    for (Allowance* const one : {drawn.own, drawn.together})
      for (std::size_t i = 0; one != nullptr && i < kLimits; ++i)
        if (costs[i] > 0) static_cast<void>(one->buckets[i].take(costs[i], now));
  };
  constexpr auto kWrites = static_cast<std::size_t>(Limit::kWrites);
  std::uint64_t room = drawn.own->buckets[kWrites].left(now);
  if (drawn.together != nullptr) room = std::min(room, drawn.together->buckets[kWrites].left(now));
  Taken taken;
  // What can be divided goes into no debt: it passes as far as there is room.
  if ((!divisible || cost.writes <= room) && !judge(drawn, cost, cost.writes, now)) {
    pay(cost);
    taken.writes = cost.writes;
    return taken;
  }
  Cost part = cost;
  if (divisible && cost.writes > 1) part.writes = 1;
  if ((taken.refusal = judge(drawn, part, cost.writes, now))) return taken;
  part.writes = std::min(room, cost.writes);
  pay(part);
  taken.writes = part.writes;
  const std::uint64_t rest = cost.writes - part.writes;
  taken.refusal = judge(drawn, {.writes = 1}, rest, now);
  return taken;
}

bool Allowances::owe(const Sender& sender, const Cost& cost, Instant now) {
  const Drawn drawn = drawn_on(sender, now);
  const std::array<std::uint64_t, kLimits> costs = by_limit(cost);
  bool within = true;
  for (Allowance* const one : {drawn.own, drawn.together})
    for (std::size_t i = 0; one != nullptr && i < kLimits; ++i)
      if (costs[i] > 0) within = one->buckets[i].owe(costs[i], now) && within;
  return within;
}

bool Allowances::answers(const Sender& sender, Instant now) {
  return of(sender.own, 1, now).answers.take(1, now);
}

Allowances::Ignored Allowances::ignore(const Sender& sender, Instant now) {
  Allowance& one = of(sender.own, 1, now);
  ++one.ignored;
  Ignored ignored;
  if (now >= one.ignored_until) {
    ignored.begins = true;
    one.ignored_until = now + Millis{kIgnoredMillis};
  }
  if (now >= one.tell_at) {
    one.tell_at = now + Millis{kTellMillis};
    ignored.tell = std::exchange(one.ignored, 0);
  }
  return ignored;
}

void Allowances::forget(Instant now) {
  swept_ = now;
  std::erase_if(allowances_, [&](const auto& entry) {
    const Allowance& one = entry.second;
    return one.answers.full(now) && now >= one.tell_at &&
           std::ranges::all_of(one.buckets, [&](const TokenBucket& b) { return b.full(now); });
  });
}

}  // namespace waggle
