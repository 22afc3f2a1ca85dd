#include "resolver/lattice_counters.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/lattice_object.h"

namespace waggle::lattice {
namespace {

Status check_writer(ActorId actor) {
  if (actor != kSealed) return {};
  return failed(Code::kRejected, "the sealed actor 0 doesn't write; use an actor of this store");
}

std::unexpected<Error> passed(std::uint64_t amount, std::uint64_t total) {
  return failed(Code::kRejected,
                fmt::format("adding {} to the actor's total of {} would pass the range of 64 bits",
                            amount, total));
}

// Errors: kRejected when the sum would pass 64 bits.
Result<std::uint64_t> sum_of(std::uint64_t total, std::uint64_t amount) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(total, amount, &sum)) return passed(amount, total);
  return sum;
}

// The sealed actor's total with the actor's. Errors: kRejected when it would pass 64 bits.
Result<std::uint64_t> sealed_total(const ActorTotals& totals, ActorId actor) {
  return sum_of(totals.of(kSealed), totals.of(actor));
}

void fold(ActorTotals& totals, ActorId actor, std::uint64_t sealed) {
  totals.drop(actor);
  totals.raise(kSealed, sealed);
}

// Takes over the generation of the other. Errors: kStale where the two differ.
template <typename Counter>
Status meet(const Counter& mine, std::uint64_t& generation, const Counter& other) {
  if (other.is_bottom()) return {};
  if (mine.is_bottom()) generation = other.generation();
  return check_generations(generation, other.generation());
}

Status check_retired(ActorId actor) {
  if (actor != kSealed) return {};
  return failed(Code::kRejected, "the sealed actor 0 can't retire");
}

// totals := count { actor(8 bytes) total }, rising, none 0
void write_totals(ByteWriter& out, const ActorTotals& totals) {
  out.number(totals.all().size());
  for (const auto& [actor, total] : totals.all()) {
    out.fixed64(actor.value());
    out.number(total);
  }
}

template <typename Key, typename ReadKey>
Totals<Key> read_totals(ByteReader& in, std::size_t least, ReadKey read_key) {
  Totals<Key> totals;
  for (std::size_t count = in.count(least); count > 0 && !in.failed(); --count) {
    const Key key = read_key();
    const std::uint64_t total = in.number();
    if (in.failed()) break;
    if (total == 0) in.fail("expected no total of 0");
    if (!totals.empty() && key <= totals.all().rbegin()->first)
      in.fail("expected actors that rise");
    totals.raise(key, total);
  }
  return totals;
}

ActorTotals read_actor_totals(ByteReader& in) {
  return read_totals<ActorId>(in, 9, [&] { return ActorId(in.fixed64()); });
}

template <typename Key>
Status check_totals(const Totals<Key>& totals) {
  for (const auto& [key, total] : totals.all())
    if (total == 0) return failed(Code::kInternal, "expected no total of 0");
  return {};
}

}  // namespace

// ---- grow-counter ------------------------------------------------------------------------------

Result<std::uint64_t> GrowCounter::value() const {
  return narrowed_natural(totals_.sum());
}

Result<GrowCounter> GrowCounter::increment(ActorId actor, std::uint64_t amount) {
  if (Status allowed = check_writer(actor); !allowed) return std::unexpected(allowed.error());
  const Result<std::uint64_t> total = sum_of(totals_.of(actor), amount);
  if (!total) return std::unexpected(total.error());
  if (totals_.sum() + amount > UINT64_MAX) return passed(amount, totals_.of(actor));
  GrowCounter delta;
  delta.generation_ = generation_;
  delta.totals_.raise(actor, *total);
  totals_.raise(actor, *total);
  return delta;
}

Status GrowCounter::join(const GrowCounter& other) {
  if (Status met = meet(*this, generation_, other); !met) return met;
  totals_.join(other.totals_);
  return {};
}

Status GrowCounter::retire(ActorId actor) {
  if (Status allowed = check_retired(actor); !allowed) return allowed;
  const Result<std::uint64_t> sealed = sealed_total(totals_, actor);
  if (!sealed) return std::unexpected(sealed.error());
  fold(totals_, actor, *sealed);
  ++generation_;
  return {};
}

std::string GrowCounter::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  out.number(generation_);
  write_totals(out, totals_);
  return out.take();
}

Result<GrowCounter> GrowCounter::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, Form::kState);
  GrowCounter counter;
  counter.generation_ = in.number(limits::kNumberMax);
  counter.totals_ = read_actor_totals(in);
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return counter;
}

Status GrowCounter::check_invariants() const {
  return check_totals(totals_);
}

// ---- pn-counter --------------------------------------------------------------------------------

Result<std::int64_t> PnCounter::value() const {
  return narrowed(plus_.sum() - minus_.sum());
}

Result<PnCounter> PnCounter::add(ActorId actor, std::int64_t amount) {
  if (Status allowed = check_writer(actor); !allowed) return std::unexpected(allowed.error());
  ActorTotals PnCounter::* side = amount < 0 ? &PnCounter::minus_ : &PnCounter::plus_;
  const Result<std::uint64_t> total = sum_of((this->*side).of(actor), magnitude(amount));
  if (!total) return std::unexpected(total.error());
  if (Result<std::int64_t> after = narrowed(plus_.sum() - minus_.sum() + amount); !after)
    return std::unexpected(std::move(after.error()));
  (this->*side).raise(actor, *total);
  PnCounter delta;
  delta.generation_ = generation_;
  delta.plus_.raise(actor, plus_.of(actor));
  delta.minus_.raise(actor, minus_.of(actor));
  return delta;
}

Status PnCounter::join(const PnCounter& other) {
  if (Status met = meet(*this, generation_, other); !met) return met;
  plus_.join(other.plus_);
  minus_.join(other.minus_);
  return {};
}

Status PnCounter::retire(ActorId actor) {
  if (Status allowed = check_retired(actor); !allowed) return allowed;
  const Result<std::uint64_t> plus = sealed_total(plus_, actor);
  if (!plus) return std::unexpected(plus.error());
  const Result<std::uint64_t> minus = sealed_total(minus_, actor);
  if (!minus) return std::unexpected(minus.error());
  fold(plus_, actor, *plus);
  fold(minus_, actor, *minus);
  ++generation_;
  return {};
}

std::string PnCounter::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  out.number(generation_);
  write_totals(out, plus_);
  write_totals(out, minus_);
  return out.take();
}

Result<PnCounter> PnCounter::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, Form::kState);
  PnCounter counter;
  counter.generation_ = in.number(limits::kNumberMax);
  counter.plus_ = read_actor_totals(in);
  counter.minus_ = read_actor_totals(in);
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return counter;
}

Status PnCounter::check_invariants() const {
  if (Status sound = check_totals(plus_); !sound) return sound;
  return check_totals(minus_);
}

// ---- bounded counter ---------------------------------------------------------------------------

Result<std::uint64_t> BoundedCounter::value() const {
  WideTotal total = -spent_.sum();
  for (const auto& [move, amount] : moved_.all())
    if (move.first == move.second) total += amount;
  if (total < 0)
    return failed(Code::kUnavailable,
                  "increments that the known decrements rest on have not arrived yet");
  return narrowed_natural(total);
}

WideTotal BoundedCounter::balance(ActorId actor) const {
  WideTotal balance = -WideTotal{spent_.of(actor)};
  for (const auto& [move, amount] : moved_.all()) {
    if (move.second == actor) balance += amount;
    if (move.first == actor && move.second != actor) balance -= amount;
  }
  return balance;
}

std::uint64_t BoundedCounter::rights(ActorId actor) const {
  const WideTotal held = balance(actor);
  if (held <= 0) return 0;
  return held > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(held);
}

Result<BoundedCounter> BoundedCounter::moved(const Move& move, std::uint64_t amount) {
  const Result<std::uint64_t> total = sum_of(moved_.of(move), amount);
  if (!total) return std::unexpected(total.error());
  moved_.raise(move, *total);
  BoundedCounter delta;
  delta.generation_ = generation_;
  delta.moved_.raise(move, *total);
  return delta;
}

Result<BoundedCounter> BoundedCounter::increment(ActorId actor, std::uint64_t amount) {
  if (Status allowed = check_writer(actor); !allowed) return std::unexpected(allowed.error());
  const Result<std::uint64_t> held = value();
  if (!held) return std::unexpected(held.error());
  if (Result<std::uint64_t> after = sum_of(*held, amount); !after) return passed(amount, *held);
  return moved({actor, actor}, amount);
}

Result<BoundedCounter> BoundedCounter::decrement(ActorId actor, std::uint64_t amount) {
  if (Status allowed = check_writer(actor); !allowed) return std::unexpected(allowed.error());
  if (amount > rights(actor))
    return failed(Code::kOverloaded, fmt::format("{} were asked for, the actor may spend {}; let "
                                                 "another one transfer some of its rights",
                                                 amount, rights(actor)));
  const Result<std::uint64_t> total = sum_of(spent_.of(actor), amount);
  if (!total) return std::unexpected(total.error());
  spent_.raise(actor, *total);
  BoundedCounter delta;
  delta.generation_ = generation_;
  delta.spent_.raise(actor, *total);
  return delta;
}

Result<BoundedCounter> BoundedCounter::transfer(ActorId from, ActorId to, std::uint64_t amount) {
  if (Status allowed = check_writer(from); !allowed) return std::unexpected(allowed.error());
  if (Status allowed = check_writer(to); !allowed) return std::unexpected(allowed.error());
  if (amount > rights(from))
    return failed(Code::kOverloaded, fmt::format("{} were to be transferred, the actor holds {}",
                                                 amount, rights(from)));
  if (from == to) {
    BoundedCounter nothing;
    nothing.generation_ = generation_;
    return nothing;
  }
  return moved({from, to}, amount);
}

Status BoundedCounter::join(const BoundedCounter& other) {
  if (Status met = meet(*this, generation_, other); !met) return met;
  spent_.join(other.spent_);
  moved_.join(other.moved_);
  return {};
}

Status BoundedCounter::retire(ActorId actor) {
  if (Status allowed = check_retired(actor); !allowed) return allowed;
  const Result<std::uint64_t> spent = sealed_total(spent_, actor);
  if (!spent) return std::unexpected(spent.error());
  Totals<Move> folded;
  for (const auto& [move, amount] : moved_.all()) {
    const auto sealed = [&](ActorId each) { return each == actor ? kSealed : each; };
    const Move to{sealed(move.first), sealed(move.second)};
    // What the actor and the sealed one gave each other is now one's own; it was never an
    // increment.
    if (to.first == to.second && move.first != move.second) continue;
    const Result<std::uint64_t> total = sum_of(folded.of(to), amount);
    if (!total) return std::unexpected(total.error());
    folded.raise(to, *total);
  }
  moved_ = std::move(folded);
  fold(spent_, actor, *spent);
  ++generation_;
  return {};
}

Status BoundedCounter::reclaim(ActorId heir) {
  if (Status allowed = check_writer(heir); !allowed) return allowed;
  const Result<BoundedCounter> given = moved({kSealed, heir}, rights(kSealed));
  if (!given) return std::unexpected(given.error());
  ++generation_;
  return {};
}

std::string BoundedCounter::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  out.number(generation_);
  write_totals(out, spent_);
  out.number(moved_.all().size());
  for (const auto& [move, amount] : moved_.all()) {
    out.fixed64(move.first.value());
    out.fixed64(move.second.value());
    out.number(amount);
  }
  return out.take();
}

Result<BoundedCounter> BoundedCounter::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, Form::kState);
  BoundedCounter counter;
  counter.generation_ = in.number(limits::kNumberMax);
  counter.spent_ = read_actor_totals(in);
  counter.moved_ = read_totals<Move>(in, 17, [&] {
    const ActorId from(in.fixed64());
    return Move{from, ActorId(in.fixed64())};
  });
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return counter;
}

Status BoundedCounter::check_invariants() const {
  if (Status sound = check_totals(spent_); !sound) return sound;
  return check_totals(moved_);
}

}  // namespace waggle::lattice
