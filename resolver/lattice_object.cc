#include "resolver/lattice_object.h"

#include <algorithm>

#include "base/check.h"

namespace waggle::lattice {

Dot Mutation::fresh() {
  if (!status_) return {};
  if (actor_ == kSealed) {
    status_ =
        failed(Code::kRejected, "the sealed actor 0 doesn't write; use an actor of this store");
    return {};
  }
  if (last_.n == 0) {
    const Result<Dot> next = seen_.next(actor_);
    if (!next) {
      status_ = std::unexpected(next.error());
      return {};
    }
    last_ = *next;
  } else {
    ++last_.n;
  }
  status_ = context_.insert(last_);
  return last_;
}

void Mutation::enter() {
  if (++depth_ >= limits::kMapDepth && status_)
    status_ = failed(Code::kRejected,
                     fmt::format("expected up to {} maps within each other", limits::kMapDepth));
}

void Mutation::drop(const Dot& dot) {
  if (status_) status_ = context_.insert(dot);
}

Status check_generations(std::uint64_t mine, std::uint64_t theirs) {
  if (mine == theirs) return {};
  return failed(Code::kStale,
                fmt::format("expected a value after {} retirements of actors, got one "
                            "after {}; the one behind must take the whole state",
                            mine, theirs));
}

Status check_retirement(const CausalContext& context, ActorId actor) {
  if (actor == kSealed) return failed(Code::kRejected, "the sealed actor 0 can't retire");
  if (context.out_of_order(actor) || context.out_of_order(kSealed))
    return failed(Code::kUnavailable,
                  fmt::format("changes of actor {:x} are missing; retire it when all have arrived",
                              actor.value()));
  if (context.through(actor) > limits::kNumberMax - context.through(kSealed))
    return failed(Code::kRejected, "the sealed actor has no dots left for those of this actor");
  return {};
}

Renaming seal(CausalContext& context, ActorId actor, std::vector<Dot> dots) {
  const std::uint64_t sealed = context.through(kSealed);
  context.forget(actor);
  if (!dots.empty()) {
    // It joins what the sealed actor has seen without a hole, so it can't be refused.
    const Status extended = context.insert(Run{kSealed, sealed + 1, sealed + dots.size()});
    WAGGLE_CHECK(extended.has_value());
  }
  return Renaming(std::move(dots), sealed);
}

Status check_dots(std::vector<Dot> dots, const CausalContext& context) {
  std::ranges::sort(dots);
  if (std::ranges::adjacent_find(dots) != dots.end())
    return failed(Code::kInternal, "expected each dot in one place");
  for (const Dot& dot : dots)
    if (!context.contains(dot))
      return failed(Code::kInternal,
                    fmt::format("expected every dot in the context, got ({:x}, {}) outside it",
                                dot.actor.value(), dot.n));
  return {};
}

}  // namespace waggle::lattice
