#pragma once

// A replicated object: one store of dots (lattice_dot_stores.h) with the causal context that all of
// it shares. This is what a set, a flag, a register or a map of stores is; see the types of
// lattice_flags.h, lattice_sets.h, lattice_multi_register.h, lattice_resettable.h and
// lattice_map.h.
//
//   AddWinsSet set;
//   Result<AddWinsSet::Delta> delta = set.mutate(actor, &AddWinsStore::add, "bee");
//   other.join(*delta);
//
// A mutator is a const function of the store: it takes fresh dots and names the dots that it has
// seen and drops, and gives the store of the delta. mutate() joins the delta, so that a value and a
// replica that receives the delta do the same thing.
//
// A delta is an object of the same lattice (value()); beside it, it names the keys of which nothing
// is left, so that joining it costs what it changes (join(Delta) and join(value()) give the same).
//
// Retirement. An actor that will never write again leaves its dots behind. retire() gives them to
// the sealed actor 0 and forgets the actor, which leaves the value as it is. It is only safe where
// every replica does it at the same point of history, with the same state (a sequenced log entry);
// each raises the generation, and what is of another generation is refused as stale, never merged.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/lattice_dot_stores.h"

namespace waggle::lattice {

// What a mutator takes and drops: the context of its delta.
class Mutation {
 public:
  Mutation(const CausalContext& seen, ActorId actor) : seen_(seen), actor_(actor) {}
  // The next dot of the actor. After a failure it gives zeros and status() says why.
  [[nodiscard]] Dot fresh();
  // The mutation replaces this dot, which its author has seen.
  void drop(const Dot& dot);
  void drop(const std::vector<Dot>& dots) {
    for (const Dot& dot : dots) drop(dot);
  }
  template <typename Store>
  void drop_all_of(const Store& store) {
    std::vector<Dot> dots;
    store.collect(dots);
    drop(dots);
  }
  // The mutation extends what its own actor wrote under this dot.
  void extend(const Dot& dot) { drop(dot); }
  [[nodiscard]] ActorId actor() const { return actor_; }
  // Into a map within a map and out of it. Beyond limits::kMapDepth status() says so.
  void enter();
  void leave() { --depth_; }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const CausalContext& context() const { return context_; }

 private:
  const CausalContext& seen_;
  ActorId actor_;
  Dot last_;
  std::size_t depth_ = 0;
  CausalContext context_;
  Status status_;
};

// Refuses to join what retirements set apart. A value of which nothing is known has no generation.
[[nodiscard]] Status check_generations(std::uint64_t mine, std::uint64_t theirs);
[[nodiscard]] Status check_retirement(const CausalContext& context, ActorId actor);
// Gives up what the actor was seen with, in favour of the sealed one. `dots`: its own, rising.
[[nodiscard]] Renaming seal(CausalContext& context, ActorId actor, std::vector<Dot> dots);
// Every dot is in the context and stands in one place. `dots` in any order.
[[nodiscard]] Status check_dots(std::vector<Dot> dots, const CausalContext& context);

template <typename Store, Form kForm>
class Object {
 public:
  using Delta = Object<Store, Form::kDelta>;
  using State = Object<Store, Form::kState>;
  static constexpr Type kType = Store::kType;

  Object() = default;
  Object(Store store, CausalContext context, std::uint64_t generation)
      : store_(std::move(store)), context_(std::move(context)), generation_(generation) {}

  [[nodiscard]] const Store& value() const { return store_; }
  [[nodiscard]] const CausalContext& context() const { return context_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // Errors: kStale for another generation, kOverloaded when the context would pass kCloudRuns.
  [[nodiscard]] Status join(const State& other)
    requires(kForm == Form::kState)
  {
    return join_by(other, Join::kWhole);
  }
  [[nodiscard]] Status join(const Delta& other) {
    return join_by(other, kForm == Form::kState ? Join::kNamed : Join::kGroup);
  }

  // `write(store, mutation, args...)` gives Result<Store>, the store of the delta.
  // Errors: the mutator's; kRejected for the sealed actor and one without dots left.
  template <typename Write, typename... Args>
  [[nodiscard]] Result<Delta> mutate(ActorId actor, Write&& write, Args&&... args)
    requires(kForm == Form::kState)
  {
    Mutation mutation(context_, actor);
    Result<Store> written = std::invoke(std::forward<Write>(write), std::as_const(store_), mutation,
                                        std::forward<Args>(args)...);
    if (!written) return std::unexpected(std::move(written.error()));
    if (!mutation.status()) return std::unexpected(mutation.status().error());
    Delta delta(*std::move(written), mutation.context(), generation_);
    if (Status joined = join(delta); !joined) return std::unexpected(std::move(joined.error()));
    return delta;
  }

  // What somebody who has seen `seen` needs: the dots that it lacks, and word of all that it has
  // seen and that is gone. Cost: O(state) in time, and in bytes what is new and up to two numbers
  // for each part that is not, because removals left no trace but their absence. Keep the mutators'
  // deltas for a link that must pay for changes only.
  // Errors: kOverloaded when the whole state is the shorter answer; send that.
  [[nodiscard]] Result<State> delta_since(const CausalContext& seen) const
    requires(kForm == Form::kState)
  {
    std::vector<Dot> known;
    store_.collect(known);
    std::erase_if(known, [&](const Dot& dot) { return !seen.contains(dot); });
    Result<CausalContext> context = context_.minus(known);
    if (!context) return std::unexpected(std::move(context.error()));
    Store store = store_;
    store.keep_unseen(seen);
    return State(std::move(store), *std::move(context), generation_);
  }

  // A delta as a value: without the names of what is empty.
  [[nodiscard]] State state() const
    requires(kForm == Form::kDelta)
  {
    Store store;
    const CausalContext nothing;
    store.join(store_, {nothing, context_}, Join::kNamed);
    return State(std::move(store), context_, generation_);
  }

  // Errors: kRejected for the sealed actor and one that has used too many dots; kUnavailable while
  // changes of the actor are missing.
  [[nodiscard]] Status retire(ActorId actor)
    requires(kForm == Form::kState)
  {
    if (Status allowed = check_retirement(context_, actor); !allowed) return allowed;
    std::vector<Dot> dots;
    store_.collect(dots);
    std::erase_if(dots, [&](const Dot& dot) { return dot.actor != actor; });
    std::ranges::sort(dots);
    store_.rename(seal(context_, actor, std::move(dots)));
    ++generation_;
    return {};
  }

  [[nodiscard]] bool is_bottom() const {
    return store_.empty() && context_.empty() && generation_ == 0;
  }
  [[nodiscard]] std::size_t size() const { return encode().size(); }

  // body := generation context store
  [[nodiscard]] std::string encode() const {
    ByteWriter out;
    write_head(out, kType, kForm);
    out.number(generation_);
    context_.write(out);
    store_.write(out, context_.actors());
    return out.take();
  }
  // Errors: kRejected for every spelling that encode() doesn't give.
  [[nodiscard]] static Result<Object> decode(std::string_view bytes) {
    ByteReader in(to_text(kType), bytes);
    Object object;
    read_head(in, kType, kForm);
    object.generation_ = in.number(limits::kNumberMax);
    object.context_.read(in);
    const Actors actors = object.context_.actors();
    object.store_.read(in, {actors, kForm});
    if (Status finished = in.finish(); !finished)
      return std::unexpected(std::move(finished.error()));
    if (Status sound = object.check_invariants(); !sound)
      return failed(Code::kRejected, std::move(sound.error().text));
    return object;
  }
  [[nodiscard]] Status check_invariants() const {
    if (Status sound = context_.check_invariants(); !sound) return sound;
    std::vector<Dot> dots;
    store_.collect(dots);
    return check_dots(std::move(dots), context_);
  }
  friend bool operator==(const Object&, const Object&) = default;

 private:
  template <Form kOther>
  Status join_by(const Object<Store, kOther>& other, Join how) {
    // Joined with itself, a value would be moved from while it is read.
    if (static_cast<const void*>(&other) == this || other.is_bottom()) return {};
    const bool first = is_bottom();
    if (!first)
      if (Status same = check_generations(generation_, other.generation()); !same) return same;
    if (Status allowed = context_.check_join(other.context()); !allowed) return allowed;
    if (first) generation_ = other.generation();
    store_.join(other.value(), {context_, other.context()}, how);
    return context_.join(other.context());
  }

  Store store_;
  CausalContext context_;
  std::uint64_t generation_ = 0;  // how many actors were retired
};

template <typename Store>
using Causal = Object<Store, Form::kState>;

}  // namespace waggle::lattice
