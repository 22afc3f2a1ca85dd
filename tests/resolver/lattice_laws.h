#pragma once

// The laws of a join-semilattice as a checker for any type of resolver/lattice_*.h, or for a type
// with a planted bug. It plays random or all small schedules on a few replicas, and compares with
// the definition: every operation is kept with its causal past, and the value is worked out of
// these.
//
// A subject T says what is tried:
//   State, Delta            the types; State::join(State), join(Delta), ==
//   Op draw(Prng&)          a random operation
//   std::vector<Op> few()   two or three for exhaustive schedules
//   std::string text(Op)
//   Result<Delta> apply(State&, ActorId, const Op&)
//   std::string value(const State&)
//   std::string define(const History&, Known)            the value by definition
//   bool allowed(const History&, Known, replica, Op)     optional: whether the type may refuse it
// What a State has beside it (encode, delta_since, retire, ...) is tried where it is there.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/prng.h"
#include "resolver/lattice_context.h"

namespace waggle::lattice::laws {

struct Op {
  int kind = 0;
  int what = 0;  // which element, key, field or other replica
  std::int64_t amount = 0;
};
using Known = std::uint32_t;  // a bit for each operation
struct Happened {
  Op op;
  std::size_t replica = 0;
  Known past = 0;
};
using History = std::vector<Happened>;

inline bool holds(Known known, std::size_t operation) {
  return (known >> operation & 1U) != 0;
}
// Calls `each(index, happened)` for what is known.
template <typename Each>
void for_known(const History& history, Known known, Each each) {
  for (std::size_t i = 0; i < history.size(); ++i)
    if (holds(known, i)) each(i, history[i]);
}
// True iff nobody who knew operation `i` undid it: `undoes(later, earlier)`.
template <typename Undoes>
bool stands(const History& history, Known known, std::size_t i, Undoes undoes) {
  for (std::size_t j = 0; j < history.size(); ++j)
    if (holds(known, j) && holds(history[j].past, i) && undoes(history[j].op, history[i].op))
      return false;
  return true;
}

inline ActorId actor_of_replica(std::size_t replica) {
  return ActorId(((0xbee + replica) << 16) | 1);
}

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

template <typename T>
class Schedule {
 public:
  using State = typename T::State;
  using Delta = typename T::Delta;

  Schedule(std::size_t replicas, bool logs) : replicas_(replicas), logs_(logs) {}

  // Each gives false after the first violation, which fault() names.
  bool write(std::size_t who, const Op& op) {
    Replica& replica = replicas_[who];
    log([&] { return fmt::format("{}: {}", who, T::text(op)); });
    const State before = replica.state;
    Result<Delta> delta = T::apply(replica.state, actor_of_replica(who), op);
    if (delta.has_value() != allowed(replica, who, op))
      return broken(delta ? "it did what the definition refuses"
                          : "refused: " + delta.error().text);
    if (!delta) return replica.state == before || broken("a refused operation changed the state");

    State joined = before;
    if (!joined.join(*delta) || !(joined == replica.state))
      return broken("joining the delta differs from the mutated state");
    State joined_as_value = before;
    if (!joined_as_value.join(as_state(*delta)) || !(joined_as_value == replica.state))
      return broken("joining the delta as a value differs from the mutated state");
    if (!joined.join(before) || !(joined == replica.state))
      return broken("the mutator doesn't inflate");

    history_.push_back({op, who, replica.known});
    replica.known |= Known{1} << (history_.size() - 1);
    deltas_.push_back(*std::move(delta));
    return as_defined(replica);
  }

  enum class Way { kState, kBytes, kDeltas, kDeltaSince };
  bool pull(std::size_t who, std::size_t from, Way way, Prng& prng) {
    log([&] { return fmt::format("{} <- {} ({})", who, from, static_cast<int>(way)); });
    Replica& mine = replicas_[who];
    const Replica& theirs = replicas_[from];
    if (!pull_by(mine, theirs, way, prng)) return false;
    mine.known |= theirs.known;
    return as_defined(mine);
  }

  // All replicas meet, in this order; what they hold then is the same whatever the order.
  std::optional<State> meet(const std::vector<std::size_t>& order) {
    State all;
    for (const std::size_t who : order) {
      if (!all.join(replicas_[who].state)) {
        broken("states can't be joined");
        return {};
      }
    }
    return all;
  }
  bool meets_as_defined(const State& all) {
    const std::string defined = T::define(history_, everything());
    if (T::value(all) == defined) return true;
    return broken(fmt::format("all together give {}, by definition {}", T::value(all), defined));
  }

  // The deltas alone, in some order, some twice, some grouped.
  bool deltas_give(const State& all, Prng& prng) {
    std::vector<Delta> parcels = deltas_;
    for (std::size_t extra = prng.below(3); extra > 0 && !deltas_.empty(); --extra)
      parcels.push_back(deltas_[prng.below(deltas_.size())]);
    shuffle(parcels, prng);
    while (parcels.size() > 1 && prng.chance(1, 2)) {
      const Delta last = std::move(parcels.back());
      parcels.pop_back();
      if (!parcels[prng.below(parcels.size())].join(last)) return broken("deltas can't be grouped");
    }
    State state;
    for (const Delta& parcel : parcels)
      if (!state.join(parcel)) return broken("a delta can't be joined");
    return same_bytes(state, all) || broken("the deltas alone give something else than the states");
  }

  bool laws_hold(Prng& prng) {
    const State a = some_state(prng);
    const State b = some_state(prng);
    const State c = some_state(prng);
    const std::optional<State> ab = joined(a, b);
    const std::optional<State> ba = joined(b, a);
    if (!ab || !ba || !(*ab == *ba)) return broken("join is not commutative");
    const std::optional<State> bc = joined(b, c);
    if (!bc) return broken("states can't be joined");
    const std::optional<State> left = joined(*ab, c);
    const std::optional<State> right = joined(a, *bc);
    if (!left || !right || !(*left == *right)) return broken("join is not associative");
    const std::optional<State> aa = joined(a, a);
    if (!aa || !(*aa == a)) return broken("join is not idempotent");
    const std::optional<State> absorbed = joined(*ab, b);
    if (!absorbed || !(*absorbed == *ab)) return broken("join does not absorb");
    if (!joined(a, State()) || !(*joined(a, State()) == a) || !(*joined(State(), a) == a))
      return broken("the bottom is not neutral");
    return true;
  }

  bool bytes_come_back(const State& all, Prng& prng) {
    if constexpr (requires { State::decode(std::string_view()); }) {
      if (!comes_back(all)) return broken("decode(encode(state)) differs from the state");
      if (!deltas_.empty() && !comes_back(deltas_[prng.below(deltas_.size())]))
        return broken("decode(encode(delta)) differs from the delta");
      if (all.size() != all.encode().size()) return broken("size() is not the size of the bytes");
      if (all.is_bottom() != (all == State())) return broken("is_bottom() is wrong");
      if (Status sound = all.check_invariants(); !sound) return broken(sound.error().text);
    }
    return true;
  }

  bool delta_since_brings_all(const State& all, Prng& prng) {
    if constexpr (requires(const State& s) { s.delta_since(s.context()); }) {
      State old = some_state(prng);
      const auto delta = all.delta_since(old.context());
      if (!delta) return broken("delta_since() refused: " + delta.error().text);
      if (!old.join(*delta) || !(old == all)) return broken("delta_since() misses something");
    }
    return true;
  }

  bool retirement_keeps_the_value(const State& all, Prng& prng) {
    if constexpr (requires(State s) { s.retire(ActorId()); }) {
      const ActorId actor = actor_of_replica(prng.below(replicas_.size()));
      State here = all;
      State there = all;
      if (!here.retire(actor) || !there.retire(actor)) return broken("retirement is refused");
      if (!(here == there)) return broken("retirement gives two different states");
      if constexpr (requires { here.context(); })
        if (here.context().through(actor) != 0) return broken("a retired actor is still known");
      if (T::total(here) != T::total(all)) return broken("retirement changes the value");
      if (!comes_back(here)) return broken("a state after retirement doesn't come back from bytes");
      State stale = all;
      if (!stale.is_bottom() && (stale.join(here) || here.join(all)))
        return broken("generations are mixed");
    }
    return true;
  }

  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] std::string log_text() const {
    std::string text;
    for (const std::string& line : log_) text += "\n  " + line;
    return text;
  }
  [[nodiscard]] std::size_t replicas() const { return replicas_.size(); }

 private:
  struct Replica {
    State state;
    Known known = 0;
  };

  static State as_state(const Delta& delta) {
    if constexpr (std::is_same_v<State, Delta>) {
      return delta;
    } else {
      return delta.state();
    }
  }
  static bool same_bytes(const State& a, const State& b) {
    if constexpr (requires { a.encode(); }) {
      return a.encode() == b.encode();
    } else {
      return a == b;
    }
  }
  template <typename V>
  static bool comes_back(const V& value) {
    const std::string bytes = value.encode();
    const Result<V> decoded = V::decode(bytes);
    return decoded && *decoded == value && decoded->encode() == bytes;
  }
  static std::optional<State> joined(State a, const State& b) {
    if (!a.join(b)) return {};
    return a;
  }
  template <typename V>
  static void shuffle(std::vector<V>& all, Prng& prng) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[prng.below(i)]);
  }

  bool allowed(const Replica& replica, std::size_t who, const Op& op) const {
    if constexpr (requires { T::allowed(history_, replica.known, who, op); }) {
      return T::allowed(history_, replica.known, who, op);
    } else {
      return true;
    }
  }
  [[nodiscard]] Known everything() const {
    return static_cast<Known>((std::uint64_t{1} << history_.size()) - 1);
  }

  bool pull_by(Replica& mine, const Replica& theirs, Way way, Prng& prng) {
    if (way == Way::kDeltas) {
      std::vector<std::size_t> missing;
      for (std::size_t i = 0; i < deltas_.size(); ++i)
        if (holds(theirs.known & ~mine.known, i)) missing.push_back(i);
      shuffle(missing, prng);
      for (const std::size_t i : missing)
        if (!mine.state.join(deltas_[i])) return broken("a delta can't be joined");
      return true;
    }
    if constexpr (requires(const State& s) { s.delta_since(s.context()); }) {
      if (way == Way::kDeltaSince) {
        const auto delta = theirs.state.delta_since(mine.state.context());
        return (delta && mine.state.join(*delta)) || broken("delta_since() can't be joined");
      }
    }
    if constexpr (requires { State::decode(std::string_view()); }) {
      if (way == Way::kBytes) {
        const auto sent = State::decode(theirs.state.encode());
        return (sent && mine.state.join(*sent)) || broken("a sent state can't be joined");
      }
    }
    return mine.state.join(theirs.state) || broken("states can't be joined");
  }

  bool as_defined(const Replica& replica) {
    const std::string defined = T::define(history_, replica.known);
    const std::string value = T::value(replica.state);
    if (value == defined) return true;
    return broken(fmt::format("the value is {}, by definition {}", value, defined));
  }

  State some_state(Prng& prng) const {
    if (!deltas_.empty() && prng.chance(1, 3)) return as_state(deltas_[prng.below(deltas_.size())]);
    return replicas_[prng.below(replicas_.size())].state;
  }

  bool broken(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
    return false;
  }
  template <typename Line>
  void log(Line line) {
    if (logs_) log_.push_back(line());
  }

  std::vector<Replica> replicas_;
  bool logs_;
  History history_;
  std::vector<Delta> deltas_;
  std::string fault_;
  std::vector<std::string> log_;
};

// One random schedule. Nothing: all laws held.
template <typename T>
std::optional<std::string> play(std::uint64_t seed, bool logs) {
  Prng prng(seed);
  Schedule<T> schedule(2 + prng.below(3), logs);
  const auto result = [&](bool held) -> std::optional<std::string> {
    if (held) return {};
    return fmt::format("seed {}: {}{}", seed, schedule.fault(), schedule.log_text());
  };
  std::vector<std::size_t> order;
  for (std::size_t who = 0; who < schedule.replicas(); ++who)
    order.insert(order.begin() + static_cast<std::ptrdiff_t>(prng.below(who + 1)), who);

  for (std::uint64_t writes = 1 + prng.below(12); writes > 0;) {
    const std::size_t who = prng.below(schedule.replicas());
    if (prng.chance(3, 5)) {
      if (!schedule.write(who, T::draw(prng))) return result(false);
      --writes;
    } else if (const std::size_t from = prng.below(schedule.replicas()); from != who) {
      const auto way = static_cast<typename Schedule<T>::Way>(prng.below(4));
      if (!schedule.pull(who, from, way, prng)) return result(false);
    }
  }
  const auto all = schedule.meet(order);
  return result(all && schedule.meets_as_defined(*all) && schedule.deltas_give(*all, prng) &&
                schedule.laws_hold(prng) && schedule.bytes_come_back(*all, prng) &&
                schedule.delta_since_brings_all(*all, prng) &&
                schedule.retirement_keeps_the_value(*all, prng));
}

// The first violation in WAGGLE_SCHEDULES random schedules from WAGGLE_SEED on, with its schedule.
template <typename T>
std::optional<std::string> find_violation() {
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  const std::uint64_t count = from_environment("WAGGLE_SCHEDULES", 20'000);
  for (std::uint64_t seed = first; seed < first + count; ++seed)
    if (play<T>(seed, false)) return play<T>(seed, true);
  return {};
}

// Every schedule of three replicas and four operations of T::few(). Before each the writer takes in
// none, either or both of the others; the first is written by replica 0 without loss of generality.
template <typename T>
class Exhaustive {
 public:
  std::optional<std::string> find_violation() {
    extend(Schedule<T>(3, true), 0);
    return violation_;
  }
  [[nodiscard]] std::uint64_t schedules() const { return schedules_; }

 private:
  static constexpr int kOperations = 4;

  void extend(const Schedule<T>& so_far, int written) {
    if (violation_) return;
    if (written == kOperations) return finish(so_far);
    for (std::size_t who = 0; who < (written == 0 ? 1U : 3U); ++who)
      for (unsigned takes = 0; takes < (written == 0 ? 1U : 4U); ++takes)
        for (const Op& op : T::few()) {
          Schedule<T> next = so_far;
          bool held = true;
          for (unsigned i = 0; i < 2; ++i)
            if ((takes >> i & 1U) != 0)
              held = held && next.pull(who, (who + 1 + i) % 3, Schedule<T>::Way::kState, prng_);
          held = held && next.write(who, op);
          if (!held) return fail(next);
          extend(next, written + 1);
        }
  }
  void finish(Schedule<T> played) {
    ++schedules_;
    const auto all = played.meet({0, 1, 2});
    const auto again = played.meet({2, 1, 0});
    if (!all || !again || !(*all == *again) || !played.meets_as_defined(*all) ||
        !played.deltas_give(*all, prng_) || !played.laws_hold(prng_))
      fail(played);
  }
  void fail(const Schedule<T>& played) {
    if (!violation_) violation_ = played.fault() + played.log_text();
  }

  Prng prng_{1};
  std::uint64_t schedules_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace waggle::lattice::laws
