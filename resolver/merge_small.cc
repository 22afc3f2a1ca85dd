#include "resolver/merge_small.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {
namespace {

Verdict overflow(std::int64_t amount, std::string_view range) {
  return Verdict::rejects(Reason::kOverflow,
                          fmt::format("adding {} would pass the range of {}", amount, range));
}

constexpr std::string_view kSigned = "64 bits with sign";

Verdict too_little(std::uint64_t wanted, const BoundedCounter& counter, std::uint64_t reserved) {
  return Verdict::rejects(
      Reason::kNotEnough,
      fmt::format("{} were asked for; {} are free and {} reserved by the writer, {} in all", wanted,
                  counter.free, reserved, counter.total()));
}

std::uint64_t reserved_by(const BoundedCounter& counter, const AgentId& agent) {
  const auto found = counter.reserved.find(agent);
  return found == counter.reserved.end() ? 0 : found->second;
}

void set_reserve(BoundedCounter& counter, const AgentId& agent, std::uint64_t amount) {
  if (amount == 0) {
    counter.reserved.erase(agent);
  } else {
    counter.reserved[agent] = amount;
  }
}

// What is folded can be told apart no longer; see ResettableCounter.
void fold(ResettableCounter& counter, Revision floor) {
  auto kept = counter.shares.begin();
  while (kept != counter.shares.end() &&
         (kept->dot.revision <= floor ||
          static_cast<std::size_t>(counter.shares.end() - kept) > limits::kCounterShares)) {
    counter.base += kept->amount;  // within range: so is every sum of shares from the oldest on
    counter.folded_through = kept->dot.revision;
    ++kept;
  }
  counter.shares.erase(counter.shares.begin(), kept);
}

template <typename Extreme>
Verdict raise_to(const Scalar& value, const Value* current, bool greatest) {
  if (current == nullptr) return Verdict::applies(Extreme{value});
  const Scalar& held = std::get<Extreme>(*current).value;
  if (held.index() != value.index())
    return Verdict::rejects(Reason::kTypeMismatch,
                            fmt::format("it compares {} values, the write has one of kind {}",
                                        kind_of(held), kind_of(value)));
  if (greatest ? value <= held : value >= held) return Verdict::nothing();
  return Verdict::applies(Extreme{value});
}

}  // namespace

Verdict increment(std::int64_t amount, Counter counter) {
  if (__builtin_add_overflow(counter.total, amount, &counter.total))
    return overflow(amount, kSigned);
  return Verdict::applies(counter);
}

Verdict increment(std::int64_t amount, GrowCounter counter) {
  if (__builtin_add_overflow(counter.total, static_cast<std::uint64_t>(amount), &counter.total))
    return overflow(amount, "64 bits");
  return Verdict::applies(counter);
}

Verdict increment(std::int64_t amount, ResettableCounter counter, const MergeSetting& s) {
  std::int64_t total = 0;
  if (__builtin_add_overflow(counter.total(), amount, &total)) return overflow(amount, kSigned);
  counter.shares.push_back({s.dot, amount});
  fold(counter, s.floor);
  return Verdict::applies(std::move(counter));
}

Verdict reset(ResettableCounter counter, const MergeSetting& s) {
  if (counter.folded_through > s.author.seen)
    return Verdict::conflicts(
        ConflictKind::kDeleteUpdate,
        fmt::format("the reset speaks of revision {}, increments up to revision {} can't be told "
                    "apart any more; catch up and reset again",
                    s.author.seen.value(), counter.folded_through.value()));
  const std::size_t before = counter.shares.size();
  std::erase_if(counter.shares, [&](const Share& share) { return s.author.seen_dot(share.dot); });
  if (counter.base == 0 && counter.shares.size() == before) return Verdict::nothing();
  counter.base = 0;
  std::int64_t total = 0;
  for (const Share& share : counter.shares)
    if (__builtin_add_overflow(total, share.amount, &total))
      return Verdict::rejects(Reason::kOverflow,
                              "what is left after the reset would pass the range of 64 bits");
  return Verdict::applies(std::move(counter));
}

Verdict increment(std::int64_t amount, BoundedCounter counter, const MergeSetting& s) {
  if (amount >= 0) {
    const auto more = static_cast<std::uint64_t>(amount);
    if (more > limits::kNumberMax - counter.total()) return overflow(amount, "62 bits");
    counter.free += more;
    return Verdict::applies(std::move(counter));
  }
  const std::uint64_t less = -static_cast<std::uint64_t>(amount);
  const std::uint64_t reserved = reserved_by(counter, s.author.agent);
  const std::uint64_t from_reserve = std::min(less, reserved);
  if (less - from_reserve > counter.free) return too_little(less, counter, reserved);
  set_reserve(counter, s.author.agent, reserved - from_reserve);
  counter.free -= less - from_reserve;
  return Verdict::applies(std::move(counter));
}

Verdict escrow(const EscrowOp& op, BoundedCounter counter, const MergeSetting& s) {
  const AgentId& agent = s.author.agent;
  const std::uint64_t reserved = reserved_by(counter, agent);
  const AgentId& taker = op.verb == EscrowVerb::kHandOver ? op.to : agent;
  if (op.verb != EscrowVerb::kRelease && is_client_agent(taker))
    return Verdict::rejects(Reason::kInvalid,
                            "a client does not stay, so it can't hold a reserve; reserve as a "
                            "member");
  const std::uint64_t held = op.verb == EscrowVerb::kReserve ? counter.free : reserved;
  if (op.amount > held) return too_little(op.amount, counter, reserved);
  switch (op.verb) {
    case EscrowVerb::kReserve:
      counter.free -= op.amount;
      set_reserve(counter, agent, reserved + op.amount);
      break;
    case EscrowVerb::kRelease:
      set_reserve(counter, agent, reserved - op.amount);
      counter.free += op.amount;
      break;
    case EscrowVerb::kHandOver:
      if (op.to == agent) return Verdict::nothing();
      set_reserve(counter, agent, reserved - op.amount);
      set_reserve(counter, op.to, reserved_by(counter, op.to) + op.amount);
      break;
  }
  if (counter.reserved.size() > limits::kReserves)
    return Verdict::rejects(
        Reason::kTooLarge, fmt::format("{} agents hold a reserve, which is the limit; release some",
                                       limits::kReserves));
  return Verdict::applies(std::move(counter));
}

Verdict raise(const RaiseOp& op, const Value* current) {
  const Result<Scalar> value = checked(op.value);
  if (!value) return Verdict::rejects(Reason::kInvalid, value.error().text);
  if (op.type == ValueType::kMin) return raise_to<MinValue>(*value, current, false);
  return raise_to<MaxValue>(*value, current, true);
}

Verdict turn(const FlagOp& op, const Value* current, const MergeSetting& s) {
  if (op.type == ValueType::kOnceFlag)
    return current != nullptr ? Verdict::nothing() : Verdict::applies(OnceFlag{});
  // The winning side leaves a dot; the other takes away the dots that it had seen.
  const bool enables = op.type == ValueType::kEnableFlag;
  EnableFlag enable;
  DisableFlag disable;
  if (current != nullptr) {
    if (enables) {
      enable = std::get<EnableFlag>(*current);
    } else {
      disable = std::get<DisableFlag>(*current);
    }
  }
  Dots& dots = enables ? enable.enabled : disable.disabled;
  const bool dropped = drop_seen(dots, s.author);
  if (op.on == enables) {
    add_dot(dots, s.dot);
  } else if (!dropped && current != nullptr) {
    return Verdict::nothing();
  }
  if (enables) return Verdict::applies(std::move(enable));
  return Verdict::applies(std::move(disable));
}

Verdict put_beside(const PutOp& op, MultiRegister multi, const MergeSetting& s) {
  std::erase_if(multi.siblings, [&](const Sibling& one) { return s.author.seen_dot(one.dot); });
  multi.siblings.push_back({s.dot, s.author.hlc, Register{op.content, op.bytes}});
  if (multi.siblings.size() <= limits::kSiblings) return Verdict::applies(std::move(multi));
  // Sibling explosion: somebody writes without ever reading. What goes is named by a receipt.
  const auto stamp = [](const Sibling& one) { return std::tie(one.hlc, one.dot.writer.agent); };
  multi.siblings.erase(
      std::min_element(multi.siblings.begin(), multi.siblings.end(),
                       [&](const Sibling& a, const Sibling& b) { return stamp(a) < stamp(b); }));
  return Verdict::applies(std::move(multi), fmt::format("siblings({})", limits::kSiblings));
}

}  // namespace waggle
