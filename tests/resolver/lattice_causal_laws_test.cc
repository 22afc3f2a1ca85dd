// The laws and definitions of the lattice types made of dots, on random and on all small schedules,
// and planted bugs that the checker must catch. WAGGLE_SCHEDULES and WAGGLE_SEED set how many and
// which.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "resolver/lattice_counters.h"
#include "resolver/lattice_map.h"
#include "tests/resolver/lattice_laws.h"

namespace waggle::lattice {
namespace {

using laws::for_known;
using laws::History;
using laws::Known;
using laws::Op;
using laws::stands;

std::string element_of(int what) {
  return fmt::format("e{}", what);
}

// ---- flags -------------------------------------------------------------------------------------

template <typename Store, bool kEnableWins>
struct FlagLaws {
  enum Kind { kEnable, kDisable };
  using State = Causal<Store>;
  using Delta = typename State::Delta;
  static Op draw(Prng& prng) { return {static_cast<int>(prng.below(2)), 0, 0}; }
  static std::vector<Op> few() { return {{kEnable, 0, 0}, {kDisable, 0, 0}}; }
  static std::string text(const Op& op) { return op.kind == kEnable ? "enable" : "disable"; }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return op.kind == kEnable ? state.mutate(actor, &Store::enable)
                              : state.mutate(actor, &Store::disable);
  }
  static std::string value(const State& state) { return state.value().on() ? "on" : "off"; }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    const int winner = kEnableWins ? kEnable : kDisable;
    bool won = false;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      won = won ||
            (done.op.kind == winner && stands(history, known, i, [&](const Op& later, const Op&) {
               return later.kind != winner;
             }));
    });
    return won == kEnableWins ? "on" : "off";
  }
};

// ---- sets --------------------------------------------------------------------------------------

template <typename Store>
struct AddWinsLawsOf {
  enum Kind { kAdd, kRemove, kClear };
  using State = Causal<Store>;
  using Delta = typename State::Delta;
  static Op draw(Prng& prng) {
    const std::uint64_t kind = prng.below(9);
    return {kind < 5 ? kAdd : kind < 8 ? kRemove : kClear, static_cast<int>(prng.below(3)), 0};
  }
  static std::vector<Op> few() { return {{kAdd, 0, 0}, {kRemove, 0, 0}, {kClear, 0, 0}}; }
  static std::string text(const Op& op) {
    if (op.kind == kClear) return "clear";
    return (op.kind == kAdd ? "add " : "remove ") + element_of(op.what);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    if (op.kind == kClear) return state.mutate(actor, &Store::clear);
    return op.kind == kAdd ? state.mutate(actor, &Store::add, element_of(op.what))
                           : state.mutate(actor, &Store::remove, element_of(op.what));
  }
  static std::string value(const State& state) {
    std::string text;
    for (const std::string& element : state.value().elements()) text += element;
    return text;
  }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    std::set<int> present;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      const auto undoes = [](const Op& later, const Op& earlier) {
        return later.kind == kClear || (later.kind == kRemove && later.what == earlier.what);
      };
      if (done.op.kind == kAdd && stands(history, known, i, undoes)) present.insert(done.op.what);
    });
    std::string text;
    for (const int what : present) text += element_of(what);
    return text;
  }
};
using AddWinsLaws = AddWinsLawsOf<AddWinsStore>;

struct RemoveWinsLaws {
  enum Kind { kAdd, kRemove };
  using State = RemoveWinsSet;
  using Delta = State::Delta;
  static Op draw(Prng& prng) {
    return {prng.chance(3, 5) ? kAdd : kRemove, static_cast<int>(prng.below(2)), 0};
  }
  static std::vector<Op> few() { return {{kAdd, 0, 0}, {kRemove, 0, 0}}; }
  static std::string text(const Op& op) {
    return (op.kind == kAdd ? "add " : "remove ") + element_of(op.what);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return state.mutate(actor, op.kind == kAdd ? &RemoveWinsStore::add : &RemoveWinsStore::remove,
                        element_of(op.what));
  }
  static std::string value(const State& state) {
    std::string text;
    for (const std::string& element : state.value().elements()) text += element;
    return text;
  }
  static std::string total(const State& state) { return value(state); }
  // There iff of the writes that nobody who knew them wrote over there is one, and none removes.
  static std::string define(const History& history, Known known) {
    std::map<int, bool> present;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      const auto undoes = [](const Op& later, const Op& earlier) {
        return later.what == earlier.what;
      };
      if (!stands(history, known, i, undoes)) return;
      const auto [held, first] = present.emplace(done.op.what, true);
      held->second = held->second && done.op.kind == kAdd;
    });
    std::string text;
    for (const auto& [what, there] : present)
      if (there) text += element_of(what);
    return text;
  }
};

// ---- registers and counters --------------------------------------------------------------------

struct MultiRegisterLaws {
  enum Kind { kAssign, kClear };
  using State = MultiRegister;
  using Delta = State::Delta;
  static Op draw(Prng& prng) {
    return {prng.chance(1, 6) ? kClear : kAssign, static_cast<int>(prng.below(4)),
            prng.between(1, 3)};
  }
  static std::vector<Op> few() { return {{kAssign, 0, 1}, {kAssign, 1, 1}, {kClear, 0, 0}}; }
  static std::string text(const Op& op) {
    return op.kind == kClear ? "clear" : "assign " + element_of(op.what);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    if (op.kind == kClear) return state.mutate(actor, &MultiRegisterStore::clear);
    return state.mutate(actor, &MultiRegisterStore::assign,
                        Hlc::of(static_cast<std::uint64_t>(op.amount), 0), element_of(op.what));
  }
  static std::string value(const State& state) {
    std::string text;
    for (const std::string& each : state.value().values()) text += each;
    return text;
  }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    std::set<int> siblings;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      if (done.op.kind == kAssign &&
          stands(history, known, i, [](const Op&, const Op&) { return true; }))
        siblings.insert(done.op.what);
    });
    std::string text;
    for (const int what : siblings) text += element_of(what);
    return text;
  }
};

struct ResettableLaws {
  enum Kind { kAdd, kReset };
  using State = ResettableCounter;
  using Delta = State::Delta;
  static Op draw(Prng& prng) { return {prng.chance(1, 4) ? kReset : kAdd, 0, prng.between(-4, 9)}; }
  static std::vector<Op> few() { return {{kAdd, 0, 3}, {kAdd, 0, -1}, {kReset, 0, 0}}; }
  static std::string text(const Op& op) {
    return op.kind == kReset ? "reset" : fmt::format("add {}", op.amount);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    if (op.kind == kReset) return state.mutate(actor, &ResettableStore::reset);
    return state.mutate(actor, &ResettableStore::add, op.amount);
  }
  static std::string value(const State& state) {
    return fmt::format("{}", state.value().total().value());
  }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    std::int64_t sum = 0;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      const auto undoes = [](const Op& later, const Op&) { return later.kind == kReset; };
      if (done.op.kind == kAdd && stands(history, known, i, undoes)) sum += done.op.amount;
    });
    return fmt::format("{}", sum);
  }
};

// ---- the map -----------------------------------------------------------------------------------

// Fields s (set), c (counter), r (register), f (flag), w (remove-wins set) and m, a map with a set
// t and a counter k. The definition knows paths only: an operation undoes what its author knew at
// or below the path that it removes or writes over.
struct MapLaws {
  using State = OrMap;
  using Delta = State::Delta;
  enum Kind {
    kAdd,
    kTake,
    kCount,
    kAssign,
    kEnable,
    kDisable,
    kInnerAdd,
    kInnerCount,
    kWinAdd,
    kWinTake,
    kRemove,
    kInnerRemove,
    kClear,
    kKinds
  };
  static Op draw(Prng& prng) {
    return {static_cast<int>(prng.below(kKinds)), static_cast<int>(prng.below(12)),
            prng.between(1, 5)};
  }
  static std::vector<Op> few() {
    return {{kCount, 0, 2}, {kInnerAdd, 0, 0}, {kRemove, 1, 0}, {kRemove, 5, 0}};
  }
  static FieldId field(int what) {
    static const std::vector<FieldId> kFields = {
        {"s", Type::kAddWinsSet},     {"c", Type::kResettableCounter}, {"r", Type::kMultiRegister},
        {"f", Type::kEnableWinsFlag}, {"w", Type::kRemoveWinsSet},     {"m", Type::kMap}};
    return kFields[static_cast<std::size_t>(what) % kFields.size()];
  }
  static std::string name(int what) { return element_of(what % 2); }
  static std::string path(const Op& op) {
    switch (op.kind) {
      case kAdd:
      case kTake:
        return "/s/" + name(op.what) + "/";
      case kCount:
        return "/c/";
      case kAssign:
        return "/r/";
      case kEnable:
      case kDisable:
        return "/f/";
      case kInnerAdd:
        return "/m/t/" + name(op.what) + "/";
      case kInnerCount:
        return "/m/k/";
      case kWinAdd:
      case kWinTake:
        return "/w/" + name(op.what) + "/";
      case kRemove:
        return "/" + field(op.what).name + "/";
      case kInnerRemove:
        return "/m/t/";
      default:
        return "/";
    }
  }
  static std::string text(const Op& op) {
    return fmt::format("kind {} at {} amount {}", op.kind, path(op), op.amount);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return state.mutate(actor, [&](const MapStore& map, Mutation& m) -> Result<MapStore> {
      switch (op.kind) {
        case kAdd:
          return map.update<AddWinsStore>(m, "s", &AddWinsStore::add, name(op.what));
        case kTake:
          return map.update<AddWinsStore>(m, "s", &AddWinsStore::remove, name(op.what));
        case kCount:
          return map.update<ResettableStore>(m, "c", &ResettableStore::add, op.amount);
        case kAssign:
          return map.update<MultiRegisterStore>(m, "r", &MultiRegisterStore::assign, Hlc(),
                                                name(op.what));
        case kEnable:
          return map.update<EnableWinsStore>(m, "f", &EnableWinsStore::enable);
        case kDisable:
          return map.update<EnableWinsStore>(m, "f", &EnableWinsStore::disable);
        case kInnerAdd:
          return map.update<MapStore>(m, "m", [&](const MapStore& inner, Mutation& mm) {
            return inner.update<AddWinsStore>(mm, "t", &AddWinsStore::add, name(op.what));
          });
        case kInnerCount:
          return map.update<MapStore>(m, "m", [&](const MapStore& inner, Mutation& mm) {
            return inner.update<ResettableStore>(mm, "k", &ResettableStore::add, op.amount);
          });
        case kWinAdd:
          return map.update<RemoveWinsStore>(m, "w", &RemoveWinsStore::add, name(op.what));
        case kWinTake:
          return map.update<RemoveWinsStore>(m, "w", &RemoveWinsStore::remove, name(op.what));
        case kRemove:
          return map.remove(m, field(op.what));
        case kInnerRemove:
          return map.update<MapStore>(m, "m", [&](const MapStore& inner, Mutation& mm) {
            return inner.remove(mm, {"t", Type::kAddWinsSet});
          });
        default:
          return map.clear(m);
      }
    });
  }
  static std::string value(const State& state) {
    const MapStore& map = state.value();
    std::string text;
    if (const auto* set = map.find<AddWinsStore>("s"))
      for (const std::string& element : set->elements()) text += "/s/" + element + "/ ";
    if (const auto* counter = map.find<ResettableStore>("c"))
      text += fmt::format("/c/{} ", counter->total().value());
    if (const auto* values = map.find<MultiRegisterStore>("r"))
      for (const std::string& each : values->values()) text += "/r/" + each + " ";
    if (map.find<EnableWinsStore>("f") != nullptr) text += "/f/ ";
    if (const auto* set = map.find<RemoveWinsStore>("w"))
      for (const std::string& element : set->elements()) text += "/w/" + element + "/ ";
    if (const auto* inner = map.find<MapStore>("m")) {
      if (const auto* set = inner->find<AddWinsStore>("t"))
        for (const std::string& element : set->elements()) text += "/m/t/" + element + "/ ";
      if (const auto* counter = inner->find<ResettableStore>("k"))
        text += fmt::format("/m/k/{} ", counter->total().value());
    }
    return text;
  }
  static std::string total(const State& state) { return value(state); }

  static bool undoes(const Op& later, const Op& earlier) {
    switch (later.kind) {
      case kTake:
      case kAssign:
      case kDisable:
      case kWinAdd:
      case kWinTake:
      case kRemove:
      case kInnerRemove:
      case kClear:
        return path(earlier).starts_with(path(later));
      default:
        return false;
    }
  }
  static std::string define(const History& history, Known known) {
    std::set<std::string> there;
    std::map<std::string, std::int64_t> sums;
    std::map<std::string, bool> wins;
    std::set<std::string> values;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      if (!stands(history, known, i, undoes)) return;
      const Op& op = done.op;
      if (op.kind == kAdd || op.kind == kEnable || op.kind == kInnerAdd) there.insert(path(op));
      if (op.kind == kCount || op.kind == kInnerCount) sums[path(op)] += op.amount;
      if (op.kind == kAssign) values.insert("/r/" + name(op.what));
      if (op.kind == kWinAdd || op.kind == kWinTake) {
        const auto [held, first] = wins.emplace(path(op), true);
        held->second = held->second && op.kind == kWinAdd;
      }
    });
    const auto all_below = [&](std::string_view prefix) {
      std::string text;
      for (const std::string& each : there)
        if (each.starts_with(prefix)) text += each + " ";
      for (const auto& [each, sum] : sums)
        if (each.starts_with(prefix)) text += fmt::format("{}{} ", each, sum);
      for (const std::string& each : values)
        if (each.starts_with(prefix)) text += each + " ";
      for (const auto& [each, present] : wins)
        if (present && each.starts_with(prefix)) text += each + " ";
      return text;
    };
    std::string text;
    for (const char* prefix : {"/s/", "/c/", "/r/", "/f/", "/w/", "/m/t/", "/m/k/"})
      text += all_below(prefix);
    return text;
  }
};

// ---- planted bugs ------------------------------------------------------------------------------

// Greatest time stamp wins, and of two equal ones the one that is there.
struct TielessRegister {
  std::int64_t at = 0;
  int value = -1;
  Status join(const TielessRegister& other) {
    if (other.at > at) *this = other;
    return {};
  }
  friend bool operator==(const TielessRegister&, const TielessRegister&) = default;
};
struct TielessLaws {
  using State = TielessRegister;
  using Delta = State;
  static Op draw(Prng& prng) { return {0, static_cast<int>(prng.below(3)), prng.between(1, 3)}; }
  static std::vector<Op> few() { return {{0, 0, 1}, {0, 1, 1}}; }
  static std::string text(const Op& op) { return fmt::format("{} at {}", op.what, op.amount); }
  static Result<Delta> apply(State& state, ActorId, const Op& op) {
    const State delta{op.amount, op.what};
    if (Status joined = state.join(delta); !joined) return std::unexpected(joined.error());
    return delta;
  }
  // Any of the latest would do, so only divergence counts.
  static std::string value(const State&) { return ""; }
  static std::string define(const History&, Known) { return ""; }
};

// One total for each actor that begins from max(0, old).
struct FloorCounter {
  std::map<ActorId, std::int64_t> totals;
  Status join(const FloorCounter& other) {
    for (const auto& [actor, total] : other.totals) {
      const auto [held, first] = totals.emplace(actor, total);
      held->second = std::max(held->second, total);
    }
    return {};
  }
  friend bool operator==(const FloorCounter&, const FloorCounter&) = default;
};
struct FloorLaws {
  using State = FloorCounter;
  using Delta = State;
  static Op draw(Prng& prng) { return {0, 0, prng.between(-5, 5)}; }
  static std::vector<Op> few() { return {{0, 0, -5}}; }
  static std::string text(const Op& op) { return fmt::format("add {}", op.amount); }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    const auto held = state.totals.find(actor);
    const std::int64_t old = held == state.totals.end() ? 0 : held->second;
    state.totals[actor] = std::max<std::int64_t>(0, old) + op.amount;
    return State{{{actor, state.totals[actor]}}};
  }
  static std::string value(const State& state) {
    std::int64_t sum = 0;
    for (const auto& [actor, total] : state.totals) sum += total;
    return fmt::format("{}", sum);
  }
  static std::string define(const History& history, Known known) {
    std::int64_t sum = 0;
    for_known(history, known, [&](std::size_t, const auto& done) { sum += done.op.amount; });
    return fmt::format("{}", sum);
  }
};

// Its removals name the element and not the dots that they saw.
class ForgetfulStore : public AddWinsStore {
 public:
  [[nodiscard]] Result<ForgetfulStore> add(Mutation& m, std::string_view element) const {
    return of(AddWinsStore::add(m, element));
  }
  [[nodiscard]] Result<ForgetfulStore> clear(Mutation& m) const {
    return of(AddWinsStore::clear(m));
  }
  [[nodiscard]] Result<ForgetfulStore> remove(Mutation&, std::string_view element) const {
    ForgetfulStore delta;
    delta.entries_.emplace(element, DotSet());
    return delta;
  }

 private:
  static Result<ForgetfulStore> of(Result<AddWinsStore> store) {
    if (!store) return std::unexpected(store.error());
    ForgetfulStore delta;
    static_cast<AddWinsStore&>(delta) = *std::move(store);
    return delta;
  }
};

// A map of counters whose removal hides the field and keeps its counter.
struct RestlessMap {
  AddWinsSet fields;
  std::map<int, PnCounter> counters;
  Status join(const RestlessMap& other) {
    if (Status joined = fields.join(other.fields); !joined) return joined;
    for (const auto& [field, counter] : other.counters)
      if (Status joined = counters[field].join(counter); !joined) return joined;
    return {};
  }
  friend bool operator==(const RestlessMap&, const RestlessMap&) = default;
};
struct RestlessLaws {
  enum Kind { kCount, kRemove };
  using State = RestlessMap;
  using Delta = State;
  static Op draw(Prng& prng) {
    return {prng.chance(1, 3) ? kRemove : kCount, static_cast<int>(prng.below(2)),
            prng.between(1, 5)};
  }
  static std::vector<Op> few() { return {{kCount, 0, 2}, {kRemove, 0, 0}}; }
  static std::string text(const Op& op) {
    return op.kind == kRemove ? "remove " + element_of(op.what)
                              : fmt::format("{} += {}", element_of(op.what), op.amount);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    Delta delta;
    const auto change = [&]() -> Result<AddWinsSet::Delta> {
      if (op.kind == kRemove)
        return state.fields.mutate(actor, &AddWinsStore::remove, element_of(op.what));
      const Result<PnCounter> counted = state.counters[op.what].add(actor, op.amount);
      if (!counted) return std::unexpected(counted.error());
      delta.counters[op.what] = *counted;
      return state.fields.mutate(actor, &AddWinsStore::add, element_of(op.what));
    }();
    if (!change) return std::unexpected(change.error());
    delta.fields = change->state();
    return delta;
  }
  static std::string value(const State& state) {
    std::string text;
    for (const auto& [field, counter] : state.counters)
      if (state.fields.value().contains(element_of(field)))
        text += fmt::format("{}={} ", element_of(field), counter.value().value());
    return text;
  }
  static std::string define(const History& history, Known known) {
    std::map<int, std::int64_t> sums;
    for_known(history, known, [&](std::size_t i, const auto& done) {
      const auto undoes = [](const Op& later, const Op& earlier) {
        return later.kind == kRemove && later.what == earlier.what;
      };
      if (done.op.kind == kCount && stands(history, known, i, undoes))
        sums[done.op.what] += done.op.amount;
    });
    std::string text;
    for (const auto& [field, sum] : sums) text += fmt::format("{}={} ", element_of(field), sum);
    return text;
  }
};

template <typename T>
void hold_on_random_schedules() {
  const std::optional<std::string> violation = laws::find_violation<T>();
  BOOST_REQUIRE_MESSAGE(!violation, violation.value_or(""));
}
template <typename T>
void hold_on_every_small_schedule() {
  laws::Exhaustive<T> exhaustive;
  const std::optional<std::string> violation = exhaustive.find_violation();
  BOOST_REQUIRE_MESSAGE(!violation, violation.value_or(""));
  // One operation in 1 way, three of 3 replicas and 4 ways to take others in.
  const std::uint64_t ops = T::few().size();
  BOOST_TEST(exhaustive.schedules() == ops * (12 * ops) * (12 * ops) * (12 * ops));
}
// Caught both at random and exhaustively, with the words that name the law.
template <typename T>
void is_caught(std::string_view random_fault, std::string_view small_fault) {
  const std::optional<std::string> random = laws::find_violation<T>();
  BOOST_REQUIRE(random);
  // From another seed on another law may be the first that it breaks.
  if (std::getenv("WAGGLE_SEED") == nullptr)
    BOOST_TEST(random->find(random_fault) != std::string::npos, *random);
  const std::optional<std::string> small = laws::Exhaustive<T>().find_violation();
  BOOST_REQUIRE(small);
  BOOST_TEST(small->find(small_fault) != std::string::npos, *small);
}

BOOST_AUTO_TEST_SUITE(lattice_causal_laws_test)

using EnableLaws = FlagLaws<EnableWinsStore, true>;
using DisableLaws = FlagLaws<DisableWinsStore, false>;

BOOST_AUTO_TEST_CASE(enable_wins_flag_on_random_schedules) {
  hold_on_random_schedules<EnableLaws>();
}
BOOST_AUTO_TEST_CASE(disable_wins_flag_on_random_schedules) {
  hold_on_random_schedules<DisableLaws>();
}
BOOST_AUTO_TEST_CASE(add_wins_set_on_random_schedules) {
  hold_on_random_schedules<AddWinsLaws>();
}
BOOST_AUTO_TEST_CASE(remove_wins_set_on_random_schedules) {
  hold_on_random_schedules<RemoveWinsLaws>();
}
BOOST_AUTO_TEST_CASE(multi_register_on_random_schedules) {
  hold_on_random_schedules<MultiRegisterLaws>();
}
BOOST_AUTO_TEST_CASE(resettable_counter_on_random_schedules) {
  hold_on_random_schedules<ResettableLaws>();
}
BOOST_AUTO_TEST_CASE(map_on_random_schedules) {
  hold_on_random_schedules<MapLaws>();
}

BOOST_AUTO_TEST_CASE(flags_on_every_small_schedule) {
  hold_on_every_small_schedule<EnableLaws>();
  hold_on_every_small_schedule<DisableLaws>();
}
BOOST_AUTO_TEST_CASE(add_wins_set_on_every_small_schedule) {
  hold_on_every_small_schedule<AddWinsLaws>();
}
BOOST_AUTO_TEST_CASE(remove_wins_set_on_every_small_schedule) {
  hold_on_every_small_schedule<RemoveWinsLaws>();
}
BOOST_AUTO_TEST_CASE(multi_register_on_every_small_schedule) {
  hold_on_every_small_schedule<MultiRegisterLaws>();
}
BOOST_AUTO_TEST_CASE(resettable_counter_on_every_small_schedule) {
  hold_on_every_small_schedule<ResettableLaws>();
}
BOOST_AUTO_TEST_CASE(map_on_every_small_schedule) {
  hold_on_every_small_schedule<MapLaws>();
}

BOOST_AUTO_TEST_CASE(a_planted_last_writer_without_tie_break_is_caught) {
  is_caught<TielessLaws>("the deltas alone give something else",
                         "the deltas alone give something else");
}
BOOST_AUTO_TEST_CASE(a_planted_counter_that_begins_from_zero_is_caught) {
  is_caught<FloorLaws>("differs from the mutated state", "by definition");
}
BOOST_AUTO_TEST_CASE(a_planted_removal_that_names_no_dots_is_caught) {
  is_caught<AddWinsLawsOf<ForgetfulStore>>("by definition", "by definition");
}
BOOST_AUTO_TEST_CASE(a_planted_map_that_resurrects_is_caught) {
  is_caught<RestlessLaws>("by definition", "by definition");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle::lattice
