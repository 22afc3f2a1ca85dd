#pragma once

// Counters to which each store adds under its own name.
//
//                    | concurrent use         | metadata, for each actor      | a delta
//   grow-counter     | increments are added   | a number                      | the actor's total
//   pn-counter       | both kinds are added   | two numbers                   | the actor's two
//   totals bounded counter  | never below 0          | a number and its transfers    | what changed
//
// An actor's totals only grow, so the greater one is the later: the join is a maximum, and the cost
// is O(actors), never O(increments). A decrement is counted up as such: an actor that kept one
// signed total and joined by the maximum would lose its decrements. Nothing wraps: a mutator
// refuses what would pass the range, and a sum over all actors that does is an error of value().
//
// The bounded counter is an escrow: whoever increments owns the right to decrement as much, may
// give rights away, and can't spend what it doesn't hold, however long it is alone. So the value
// can't fall below 0 anywhere. Of two who ask for the last unit at once, the one with the right
// gets it.
//
// Retirement (lattice_object.h): the actor's totals, rights and transfers become the sealed
// actor's; the value stays. Every replica has to do it at the same point of history.
//
// Sources: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data
// Types", 2011; Balegas et al., "Extending eventually consistent cloud databases for enforcing
// numeric invariants", 2015.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "resolver/lattice_context.h"
#include "resolver/lattice_total.h"
#include "resolver/lattice_type.h"

namespace waggle::lattice {

// Totals that only grow. Invariant: none is 0.
template <typename Key>
class Totals {
 public:
  using Map = std::map<Key, std::uint64_t>;
  [[nodiscard]] const Map& all() const { return totals_; }
  [[nodiscard]] bool empty() const { return totals_.empty(); }
  [[nodiscard]] std::uint64_t of(const Key& key) const {
    const auto found = totals_.find(key);
    return found == totals_.end() ? 0 : found->second;
  }
  void raise(const Key& key, std::uint64_t total) {
    if (total == 0) return;
    std::uint64_t& held = totals_[key];
    if (held < total) held = total;
  }
  void drop(const Key& key) { totals_.erase(key); }
  void join(const Totals& other) {
    for (const auto& [key, total] : other.totals_) raise(key, total);
  }
  [[nodiscard]] WideTotal sum() const {
    WideTotal sum = 0;
    for (const auto& [key, total] : totals_) sum += total;
    return sum;
  }
  friend bool operator==(const Totals&, const Totals&) = default;

 private:
  Map totals_;
};
using ActorTotals = Totals<ActorId>;

class GrowCounter {
 public:
  static constexpr Type kType = Type::kGrowCounter;
  using Delta = GrowCounter;
  // Errors: kRejected when the sum passes 64 bits.
  [[nodiscard]] Result<std::uint64_t> value() const;
  [[nodiscard]] const ActorTotals& totals() const { return totals_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // Errors: kRejected for the sealed actor, and when its total would pass 64 bits.
  [[nodiscard]] Result<GrowCounter> increment(ActorId actor, std::uint64_t amount);
  // Errors: kStale for another generation.
  [[nodiscard]] Status join(const GrowCounter& other);
  // Errors: kRejected for the sealed actor, and when its total would pass 64 bits.
  [[nodiscard]] Status retire(ActorId actor);

  [[nodiscard]] bool is_bottom() const { return totals_.empty() && generation_ == 0; }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body := generation totals
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<GrowCounter> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const GrowCounter&, const GrowCounter&) = default;

 private:
  ActorTotals totals_;
  std::uint64_t generation_ = 0;
};

class PnCounter {
 public:
  static constexpr Type kType = Type::kPnCounter;
  using Delta = PnCounter;
  // Errors: kRejected when the sum passes 64 bits with sign.
  [[nodiscard]] Result<std::int64_t> value() const;
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // Errors: kRejected for the sealed actor, and when a total or the value would pass its range.
  [[nodiscard]] Result<PnCounter> add(ActorId actor, std::int64_t amount);
  [[nodiscard]] Status join(const PnCounter& other);
  [[nodiscard]] Status retire(ActorId actor);

  [[nodiscard]] bool is_bottom() const {
    return plus_.empty() && minus_.empty() && generation_ == 0;
  }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body := generation totals totals, of increments and of decrements
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<PnCounter> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const PnCounter&, const PnCounter&) = default;

 private:
  ActorTotals plus_;
  ActorTotals minus_;
  std::uint64_t generation_ = 0;
};

class BoundedCounter {
 public:
  static constexpr Type kType = Type::kBoundedCounter;
  using Delta = BoundedCounter;
  // Errors: kRejected when the sum passes 64 bits; kUnavailable where deltas out of order brought
  // decrements before the increments that they rest on.
  [[nodiscard]] Result<std::uint64_t> value() const;
  // What the actor may spend. 0 also where a state from outside claims that it overspent.
  [[nodiscard]] std::uint64_t rights(ActorId actor) const;
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // Errors of these: kRejected for the sealed actor and when a total would pass its range;
  // kOverloaded when the actor's rights don't suffice: somebody has to transfer some.
  [[nodiscard]] Result<BoundedCounter> increment(ActorId actor, std::uint64_t amount);
  [[nodiscard]] Result<BoundedCounter> decrement(ActorId actor, std::uint64_t amount);
  [[nodiscard]] Result<BoundedCounter> transfer(ActorId from, ActorId to, std::uint64_t amount);
  [[nodiscard]] Status join(const BoundedCounter& other);
  // The actor's rights become the sealed actor's; reclaim() hands them on.
  [[nodiscard]] Status retire(ActorId actor);
  // Gives the sealed actor's rights to `heir`. Like retire(): by every replica at the same point.
  [[nodiscard]] Status reclaim(ActorId heir);

  [[nodiscard]] bool is_bottom() const {
    return spent_.empty() && moved_.empty() && generation_ == 0;
  }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body := generation totals count { from to total }, of decrements, and of increments (from = to)
  //         and transfers
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<BoundedCounter> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const BoundedCounter&, const BoundedCounter&) = default;

 private:
  using Move = std::pair<ActorId, ActorId>;
  [[nodiscard]] WideTotal balance(ActorId actor) const;
  [[nodiscard]] Result<BoundedCounter> moved(const Move& move, std::uint64_t amount);

  ActorTotals spent_;
  Totals<Move> moved_;  // (i, i): what i added; (i, j): what i gave to j
  std::uint64_t generation_ = 0;
};

}  // namespace waggle::lattice
