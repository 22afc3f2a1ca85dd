// The laws and definitions of the lattice types without dots, and of the key-value store, on random
// and on all small schedules. WAGGLE_SCHEDULES and WAGGLE_SEED set how many and which.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "resolver/lattice_counters.h"
#include "resolver/lattice_lww_map.h"
#include "resolver/lattice_registers.h"
#include "resolver/lattice_sets.h"
#include "tests/resolver/lattice_laws.h"

namespace waggle::lattice {
namespace {

using laws::for_known;
using laws::History;
using laws::Known;
using laws::Op;

// ---- max, min, once ----------------------------------------------------------------------------

template <bool kGreatest>
struct ExtremeLaws {
  using State = ExtremeRegister<kGreatest>;
  using Delta = State;
  static Op draw(Prng& prng) { return {0, 0, prng.between(-4, 4)}; }
  static std::vector<Op> few() { return {{0, 0, -1}, {0, 0, 0}, {0, 0, 1}}; }
  static std::string text(const Op& op) { return fmt::format("offer {}", op.amount); }
  // Zeros of both signs among them.
  static double real(std::int64_t amount) {
    return amount == -1 ? -0.0 : static_cast<double>(amount);
  }
  static Result<Delta> apply(State& state, ActorId, const Op& op) {
    return state.offer(Scalar(real(op.amount)));
  }
  static std::string value(const State& state) {
    return state.value() ? fmt::format("{}", std::get<double>(*state.value())) : "none";
  }
  static std::string define(const History& history, Known known) {
    std::optional<std::int64_t> best;
    for_known(history, known, [&](std::size_t, const auto& done) {
      // Of these amounts the order is the reals' own but for -1, which stands for -0: below 0 and
      // above all others that are negative.
      const std::int64_t offered = done.op.amount;
      if (!best || (kGreatest ? offered > *best : offered < *best)) best = offered;
    });
    return best ? fmt::format("{}", real(*best)) : "none";
  }
};

struct OnceLaws {
  using State = OnceFlag;
  using Delta = State;
  static Op draw(Prng&) { return {}; }
  static std::vector<Op> few() { return {{}}; }
  static std::string text(const Op&) { return "raise"; }
  static Result<Delta> apply(State& state, ActorId, const Op&) { return state.raise(); }
  static std::string value(const State& state) { return state.raised() ? "on" : "off"; }
  static std::string define(const History&, Known known) { return known != 0 ? "on" : "off"; }
};

// ---- counters ----------------------------------------------------------------------------------

std::int64_t sum_of(const History& history, Known known) {
  std::int64_t sum = 0;
  for_known(history, known, [&](std::size_t, const auto& done) { sum += done.op.amount; });
  return sum;
}

struct GrowLaws {
  using State = GrowCounter;
  using Delta = State;
  static Op draw(Prng& prng) { return {0, 0, prng.between(0, 5)}; }
  static std::vector<Op> few() { return {{0, 0, 1}, {0, 0, 3}}; }
  static std::string text(const Op& op) { return fmt::format("increment {}", op.amount); }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return state.increment(actor, static_cast<std::uint64_t>(op.amount));
  }
  static std::string value(const State& state) { return fmt::format("{}", state.value().value()); }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    return fmt::format("{}", sum_of(history, known));
  }
};

struct PnLaws {
  using State = PnCounter;
  using Delta = State;
  static Op draw(Prng& prng) { return {0, 0, prng.between(-5, 5)}; }
  static std::vector<Op> few() { return {{0, 0, 2}, {0, 0, -5}}; }
  static std::string text(const Op& op) { return fmt::format("add {}", op.amount); }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return state.add(actor, op.amount);
  }
  static std::string value(const State& state) { return fmt::format("{}", state.value().value()); }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    return fmt::format("{}", sum_of(history, known));
  }
};

struct BoundedLaws {
  enum Kind { kIncrement, kDecrement, kTransfer };
  static constexpr std::size_t kReplicas = 4;
  using State = BoundedCounter;
  using Delta = State;
  static Op draw(Prng& prng) {
    return {static_cast<int>(prng.below(3)), static_cast<int>(prng.below(kReplicas)),
            prng.between(1, 4)};
  }
  static std::vector<Op> few() {
    return {{kIncrement, 0, 2}, {kDecrement, 0, 1}, {kTransfer, 1, 1}};
  }
  static std::string text(const Op& op) {
    if (op.kind == kTransfer) return fmt::format("transfer {} to {}", op.amount, op.what);
    return fmt::format("{} {}", op.kind == kIncrement ? "increment" : "decrement", op.amount);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    const auto amount = static_cast<std::uint64_t>(op.amount);
    if (op.kind == kIncrement) return state.increment(actor, amount);
    if (op.kind == kDecrement) return state.decrement(actor, amount);
    return state.transfer(actor, laws::actor_of_replica(static_cast<std::size_t>(op.what)), amount);
  }
  static std::int64_t rights(const History& history, Known known, std::size_t replica) {
    std::int64_t rights = 0;
    for_known(history, known, [&](std::size_t, const auto& done) {
      const bool own = done.replica == replica;
      if (own && done.op.kind == kIncrement) rights += done.op.amount;
      if (own && done.op.kind != kIncrement) rights -= done.op.amount;
      if (done.op.kind == kTransfer && static_cast<std::size_t>(done.op.what) == replica)
        rights += done.op.amount;
    });
    return rights;
  }
  static bool allowed(const History& history, Known known, std::size_t replica, const Op& op) {
    return op.kind == kIncrement || rights(history, known, replica) >= op.amount;
  }
  static std::string total(const State& state) { return fmt::format("{}", state.value().value()); }
  static std::string value(const State& state) {
    std::string text = total(state);
    for (std::size_t i = 0; i < kReplicas; ++i)
      text += fmt::format(" {}", state.rights(laws::actor_of_replica(i)));
    return text;
  }
  static std::string define(const History& history, Known known) {
    std::int64_t sum = 0;
    for_known(history, known, [&](std::size_t, const auto& done) {
      if (done.op.kind == kIncrement) sum += done.op.amount;
      if (done.op.kind == kDecrement) sum -= done.op.amount;
    });
    BOOST_REQUIRE(sum >= 0);
    std::string text = fmt::format("{}", sum);
    for (std::size_t i = 0; i < kReplicas; ++i)
      text += fmt::format(" {}", rights(history, known, i));
    return text;
  }
};

// ---- grow-set ----------------------------------------------------------------------------------

struct GrowSetLaws {
  using State = GrowSet;
  using Delta = State;
  static Op draw(Prng& prng) { return {0, static_cast<int>(prng.below(5)), 0}; }
  static std::vector<Op> few() { return {{0, 0, 0}, {0, 1, 0}}; }
  static std::string text(const Op& op) { return fmt::format("add e{}", op.what); }
  static Result<Delta> apply(State& state, ActorId, const Op& op) {
    return state.add(fmt::format("e{}", op.what));
  }
  static std::string value(const State& state) {
    std::string text;
    for (const std::string& element : state.elements()) text += element;
    return text;
  }
  static std::string define(const History& history, Known known) {
    std::set<int> elements;
    for_known(history, known,
              [&](std::size_t, const auto& done) { elements.insert(done.op.what); });
    std::string text;
    for (const int element : elements) text += fmt::format("e{}", element);
    return text;
  }
};

// ---- stamped -----------------------------------------------------------------------------------

// The value of an operation, none where it deletes; its stamp is op.amount, which is often the
// same.
std::optional<std::string> written_by(const Op& op) {
  if (op.kind == 1) return {};
  return fmt::format("v{}", op.what);
}
auto order_of(const laws::Happened& done) {
  const std::optional<std::string> value = written_by(done.op);
  return std::tuple(done.op.amount, done.replica, !value, value ? hash128(*value) : Hash128());
}

template <bool kLast>
struct StampedLaws {
  using State = StampedRegister<kLast>;
  using Delta = State;
  static Op draw(Prng& prng) {
    return {prng.chance(1, 4) ? 1 : 0, static_cast<int>(prng.below(4)), prng.between(1, 3)};
  }
  static std::vector<Op> few() { return {{0, 0, 1}, {0, 1, 1}, {1, 0, 2}}; }
  static std::string text(const Op& op) {
    return fmt::format("{} at {}", written_by(op).value_or("deletion"), op.amount);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return state.assign({Hlc::of(static_cast<std::uint64_t>(op.amount), 0), actor}, written_by(op));
  }
  static std::string value(const State& state) { return state.value() ? *state.value() : "none"; }
  static std::string define(const History& history, Known known) {
    const laws::Happened* best = nullptr;
    for_known(history, known, [&](std::size_t, const auto& done) {
      if (best == nullptr ||
          (kLast ? order_of(done) > order_of(*best) : order_of(done) < order_of(*best)))
        best = &done;
    });
    return best == nullptr ? "none" : written_by(best->op).value_or("none");
  }
};

struct LastWriterMapLaws {
  static constexpr int kKeys = 3;
  using State = LastWriterMap;
  using Delta = State::Delta;
  static Op draw(Prng& prng) {
    // The key and the value together.
    return {prng.chance(1, 4) ? 1 : 0, static_cast<int>(prng.below(kKeys * 4)), prng.between(1, 4)};
  }
  static std::vector<Op> few() { return {{0, 0, 1}, {0, 1, 1}, {1, 0, 2}}; }
  static int key_of(const Op& op) { return op.what % kKeys; }
  static std::string text(const Op& op) {
    return fmt::format("k{} = {} at {}", key_of(op), written_by(op).value_or("deletion"),
                       op.amount);
  }
  static Result<Delta> apply(State& state, ActorId actor, const Op& op) {
    return state.assign(actor, Hlc::of(static_cast<std::uint64_t>(op.amount), 0),
                        fmt::format("k{}", key_of(op)), written_by(op));
  }
  static std::string value(const State& state) {
    std::string text;
    for (int key = 0; key < kKeys; ++key) {
      const std::string* held = state.find(fmt::format("k{}", key));
      text += held == nullptr ? "-" : *held;
    }
    return text;
  }
  static std::string total(const State& state) { return value(state); }
  static std::string define(const History& history, Known known) {
    std::string text;
    for (int key = 0; key < kKeys; ++key) {
      const laws::Happened* best = nullptr;
      for_known(history, known, [&](std::size_t, const auto& done) {
        if (key_of(done.op) == key && (best == nullptr || order_of(done) > order_of(*best)))
          best = &done;
      });
      text += best == nullptr ? "-" : written_by(best->op).value_or("-");
    }
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
  if constexpr (!requires { &T::allowed; })
    BOOST_TEST(exhaustive.schedules() == ops * (12 * ops) * (12 * ops) * (12 * ops));
}

BOOST_AUTO_TEST_SUITE(lattice_plain_laws_test)

BOOST_AUTO_TEST_CASE(max_register_on_random_schedules) {
  hold_on_random_schedules<ExtremeLaws<true>>();
}
BOOST_AUTO_TEST_CASE(min_register_on_random_schedules) {
  hold_on_random_schedules<ExtremeLaws<false>>();
}
BOOST_AUTO_TEST_CASE(once_flag_on_random_schedules) {
  hold_on_random_schedules<OnceLaws>();
}
BOOST_AUTO_TEST_CASE(grow_counter_on_random_schedules) {
  hold_on_random_schedules<GrowLaws>();
}
BOOST_AUTO_TEST_CASE(pn_counter_on_random_schedules) {
  hold_on_random_schedules<PnLaws>();
}
BOOST_AUTO_TEST_CASE(bounded_counter_on_random_schedules) {
  hold_on_random_schedules<BoundedLaws>();
}
BOOST_AUTO_TEST_CASE(grow_set_on_random_schedules) {
  hold_on_random_schedules<GrowSetLaws>();
}
BOOST_AUTO_TEST_CASE(last_writer_register_on_random_schedules) {
  hold_on_random_schedules<StampedLaws<true>>();
}
BOOST_AUTO_TEST_CASE(first_writer_register_on_random_schedules) {
  hold_on_random_schedules<StampedLaws<false>>();
}
BOOST_AUTO_TEST_CASE(last_writer_map_on_random_schedules) {
  hold_on_random_schedules<LastWriterMapLaws>();
}

BOOST_AUTO_TEST_CASE(pn_counter_on_every_small_schedule) {
  hold_on_every_small_schedule<PnLaws>();
}
BOOST_AUTO_TEST_CASE(bounded_counter_on_every_small_schedule) {
  hold_on_every_small_schedule<BoundedLaws>();
}
BOOST_AUTO_TEST_CASE(last_writer_register_on_every_small_schedule) {
  hold_on_every_small_schedule<StampedLaws<true>>();
}
BOOST_AUTO_TEST_CASE(last_writer_map_on_every_small_schedule) {
  hold_on_every_small_schedule<LastWriterMapLaws>();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle::lattice
