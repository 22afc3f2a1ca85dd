#pragma once

// What a store has seen, exactly: a set of dots, each of which stands for one change of one actor.
// A dot that is in the context but no longer in the value was removed or overwritten; one that is
// in neither is news. That is why the lattice types need no tombstones.
//
// An actor numbers its dots from 1 without holes, so what has been seen of it is mostly one number.
// Dots that arrive ahead of others wait in a cloud of runs, sorted by actor and start: inserting
// one costs O(log runs) in every order of arrival. Bound: kCloudRuns; beyond it a join is refused,
// so that the caller asks for the whole state, which has no holes.
//
// An actor is a store in one life: 48 random bits of the installation and a 16-bit epoch, which the
// store raises and makes durable *before the first dot of every start*. A store that lost its last
// writes in a crash and went on under its old actor would give one dot to two changes, and they
// would eat each other without a trace (Riak's per-key epochs answer the same danger).
//
// Source: Almeida, Shoker and Baquero, "Delta state replicated data types", 2018 (causal contexts).

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "resolver/lattice_type.h"

namespace waggle::lattice {

using ActorId = StrongInt<struct ActorTag>;
// Actor 0 writes nothing itself: what retired actors left behind is folded into it.
inline constexpr ActorId kSealed{};

// Errors: kRejected for installation 0 or one of more than 48 bits.
[[nodiscard]] Result<ActorId> actor_of(std::uint64_t installation, std::uint16_t epoch);
// The same installation's next life. Errors: kRejected after the last; draw a new installation.
[[nodiscard]] Result<ActorId> next_epoch(ActorId actor);

struct Dot {
  ActorId actor;
  std::uint64_t n = 0;  // from 1
  friend auto operator<=>(const Dot&, const Dot&) = default;
};
// (actor, first) to (actor, last), all of them.
struct Run {
  ActorId actor;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend auto operator<=>(const Run&, const Run&) = default;
};

// The actors of a context. Beside it, a dot is written as the place of its actor, from 0, and its
// distance from the first dot that the context has of that actor.
class Actors {
 public:
  // `first`: of each actor the first dot, rising.
  explicit Actors(std::vector<Dot> first) : first_(std::move(first)) {}
  // REQUIRES: the dot is in the context.
  void write(ByteWriter& out, const Dot& dot) const;
  [[nodiscard]] Dot read(ByteReader& in) const;

 private:
  std::vector<Dot> first_;
};

class CausalContext {
 public:
  [[nodiscard]] bool contains(const Dot& dot) const;
  [[nodiscard]] bool covers(const CausalContext& other) const;
  [[nodiscard]] bool empty() const { return vector_.empty() && cloud_.empty(); }
  // The actor's next dot: above every one seen of it, those out of order included.
  // Errors: kRejected when its numbers are used up; go on under the next epoch.
  [[nodiscard]] Result<Dot> next(ActorId actor) const;

  // Errors of these: kOverloaded when the cloud would pass kCloudRuns; nothing has changed then.
  [[nodiscard]] Status insert(const Dot& dot) { return insert(Run{dot.actor, dot.n, dot.n}); }
  // REQUIRES: 1 <= first <= last.
  [[nodiscard]] Status insert(const Run& run);
  [[nodiscard]] Status join(const CausalContext& other);
  // Whether join() would be refused.
  [[nodiscard]] Status check_join(const CausalContext& other) const;
  // What is in this context and not in the other. `without`: rising dots.
  [[nodiscard]] Result<CausalContext> minus(const CausalContext& other) const;
  [[nodiscard]] Result<CausalContext> minus(const std::vector<Dot>& without) const;

  // How far the actor has been seen without a hole.
  [[nodiscard]] std::uint64_t through(ActorId actor) const;
  [[nodiscard]] bool out_of_order(ActorId actor) const;
  // Drops what was seen of the actor. Only for retirement, when nothing of it can arrive any more.
  void forget(ActorId actor);

  [[nodiscard]] std::vector<Run> runs() const;  // rising, with a hole between any two
  [[nodiscard]] Actors actors() const;
  [[nodiscard]] std::size_t actor_count() const { return first_dots().size(); }
  [[nodiscard]] std::size_t cloud_runs() const { return cloud_.size(); }

  // context := count { actor(8 bytes) count { gap length } }     rising; gap and length less one,
  //                                                              but the first gap as it is
  void write(ByteWriter& out) const;
  void read(ByteReader& in);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const CausalContext&, const CausalContext&) = default;

 private:
  using Seen = std::pair<ActorId, std::uint64_t>;
  using Cloud = std::map<Dot, std::uint64_t>;  // first dot of a run -> its last number

  void add(const Run& run);
  void add_all(const CausalContext& other);
  void add_to_cloud(const Run& run);
  std::uint64_t absorb(ActorId actor, std::uint64_t through);
  [[nodiscard]] std::vector<Dot> first_dots() const;

  // Invariants: actors rise, none stands at 0; a run of the cloud begins at least two above what
  // its actor is seen through, and two above the end of the run before.
  std::vector<Seen> vector_;
  Cloud cloud_;
};

}  // namespace waggle::lattice
