#pragma once

// A counter that can be reset, alone or with the field of a map that it is in. A reset takes away
// exactly the increments that its author had seen; concurrent ones stay.
//
//   concurrent use   increments are added; a reset leaves those that it had not seen
//   metadata         a dot and two numbers for each share: one for each actor and sync, until
//   fold() a delta          the share, or the dots that a reset takes away
//
// A plain counter that is deleted and made anew brings back its whole old total when it meets a
// stale replica; so does one whose actor replaces its own share by a greater one, for a concurrent
// reset has seen the old share only. Hence a share never changes once anybody else may have seen
// it: add() takes a fresh dot, extend() adds to a share that was not sent yet. fold() joins shares
// that everybody has seen into one. Bound: kShares; beyond it add() is refused until somebody
// folds.
//
// Source: Baquero, Almeida and Lerche, "The problem with embedded CRDT counters and a solution",
// 2016.

#include <cstdint>

#include "resolver/lattice_object.h"

namespace waggle::lattice {

// Invariant: not both 0 (an increment by 0 writes nothing).
struct Share {
  std::uint64_t plus = 0;
  std::uint64_t minus = 0;
  void join(const Share& other);
  void write(ByteWriter& out) const;
  void read(ByteReader& in);
  friend bool operator==(const Share&, const Share&) = default;
};

class ResettableStore : public DotFun<Share> {
 public:
  static constexpr Type kType = Type::kResettableCounter;
  using DotFun::DotFun;
  // Errors: kRejected when concurrent increments have passed the range of 64 bits with sign.
  [[nodiscard]] Result<std::int64_t> total() const;
  [[nodiscard]] std::size_t shares() const { return entries_.size(); }

  // Errors of both: kRejected when the total would pass its range. `amount` 0: nothing happens.
  // Errors: kOverloaded beyond kShares.
  [[nodiscard]] Result<ResettableStore> add(Mutation& m, std::int64_t amount) const;
  // Adds to the actor's own share. REQUIRES: no state or delta with this dot was sent or stored for
  // others yet. Errors: kRejected for a share that isn't there or is another's.
  [[nodiscard]] Result<ResettableStore> extend(Mutation& m, const Dot& own,
                                               std::int64_t amount) const;
  [[nodiscard]] Result<ResettableStore> reset(Mutation& m) const;
  // Joins the shares at or below the floor into one of this actor. REQUIRES: every actor has seen
  // `floor`, no other actor folds it, and no reset that was made without it can arrive any more.
  // Errors: kRejected when the joined share would pass its range.
  [[nodiscard]] Result<ResettableStore> fold(Mutation& m, const CausalContext& floor) const;

 private:
  [[nodiscard]] Status check_amount(std::int64_t amount) const;
};
using ResettableCounter = Causal<ResettableStore>;

}  // namespace waggle::lattice
