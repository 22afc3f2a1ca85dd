// States of different stores (resolver/lattice_*.h). The first byte names the type, the second what
// is done: any bytes through the decoders and then joined with each other, or three replicas whose
// deltas are lost, repeated, reordered, grouped and cut. Replicas that in the end got everything
// have the same bytes.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/lattice_writes.h"
#include "tests/fuzz/seeds.h"

namespace waggle::lattice {
namespace {

using testing::Input;

template <typename Type>
inline constexpr bool kHasContext = requires(const Type& value) { value.context(); };

template <typename Type>
void check_sound(const Type& value) {
  const Status sound = value.check_invariants();
  WAGGLE_CHECK(sound.has_value(), sound.error().text);
  const std::string bytes = value.encode();
  WAGGLE_CHECK(value.size() == bytes.size());
  WAGGLE_CHECK(value.is_bottom() == (value == Type()));
  const Result<Type> again = Type::decode(bytes);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(*again == value && again->encode() == bytes);
}

template <typename Type>
Result<Type> try_decode(std::string_view bytes) {
  Result<Type> value = Type::decode(bytes);
  if (value) {
    WAGGLE_CHECK(value->encode() == bytes);
    check_sound(*value);
  } else {
    WAGGLE_CHECK(!value.error().text.empty());
  }
  return value;
}

// All or nothing.
template <typename State, typename Other>
bool join_sound(State& state, const Other& other) {
  const State before = state;
  const Status joined = state.join(other);
  if (joined) {
    check_sound(state);
    State twice = state;
    WAGGLE_CHECK(twice.join(other).has_value() && twice == state, "joining twice makes a change");
  } else {
    WAGGLE_CHECK(state == before && !joined.error().text.empty());
  }
  return joined.has_value();
}

// Whoever made them: values that nobody's store could have come to are among them.
template <typename State>
void join_any(std::string_view first, std::string_view second) {
  using Delta = typename State::Delta;
  const Result<State> a = try_decode<State>(first);
  const Result<State> b = try_decode<State>(second);
  const Result<Delta> delta = try_decode<Delta>(second);
  if (a) {
    State same = *a;
    WAGGLE_CHECK(same.join(*a).has_value() && same == *a, "join is not idempotent");
  }
  if (a && b) {
    State ab = *a;
    State ba = *b;
    const bool joined = join_sound(ab, *b);
    WAGGLE_CHECK(joined == join_sound(ba, *a), "joined on one side and refused on the other");
    if (joined) WAGGLE_CHECK(ab == ba, "join is not commutative");
  }
  if (a && delta) {
    State joined = *a;
    (void)join_sound(joined, *delta);
  }
}

template <typename State>
class Replicas {
 public:
  using Delta = typename State::Delta;

  explicit Replicas(Input& input) : input_(input) {}

  void play() {
    for (int steps = 0; steps < 64 && !input_.at_end(); ++steps) step();
    meet();
  }

 private:
  static ActorId actor_of(std::size_t who) { return ActorId((1 + who) << 16); }

  void step() {
    const std::size_t who = input_.below(replicas_.size());
    State& state = replicas_[who];
    switch (input_.below(8)) {
      case 0:
        if (!deltas_.empty()) (void)take(state, some_delta());
        break;
      case 1: {
        const Result<State> sent = State::decode(other(who).encode());
        WAGGLE_CHECK(sent.has_value() && join_sound(state, *sent));
        break;
      }
      case 2:
        if constexpr (kHasContext<State>) {
          const State& from = other(who);
          const auto missing = from.delta_since(state.context());
          WAGGLE_CHECK(missing.has_value(), missing.error().text);
          WAGGLE_CHECK(join_sound(state, *missing));
          WAGGLE_CHECK(state.context().covers(from.context()));
        }
        break;
      case 3:
        if (!deltas_.empty()) cut(state, some_delta().encode());
        break;
      case 4:
        if (deltas_.size() > 1) {
          Delta group = some_delta();
          WAGGLE_CHECK(group.join(some_delta()).has_value());
          check_sound(group);
          deltas_.push_back(std::move(group));
        }
        break;
      default:
        write(who);
        break;
    }
  }

  void write(std::size_t who) {
    const State before = replicas_[who];
    Result<Delta> delta = write_to(replicas_[who], actor_of(who), input_);
    if (!delta) {
      WAGGLE_CHECK(replicas_[who] == before, "a refused write changed the state");
      return;
    }
    check_sound(replicas_[who]);
    check_sound(*delta);
    State joined = before;
    WAGGLE_CHECK(take(joined, *delta) && joined == replicas_[who],
                 "joining the delta differs from the mutated state");
    deltas_.push_back(*std::move(delta));
  }

  bool take(State& state, const Delta& delta) {
    const Result<Delta> sent = Delta::decode(delta.encode());
    WAGGLE_CHECK(sent.has_value() && *sent == delta);
    return join_sound(state, *sent);
  }

  // What came through can be anything, so only a copy takes it.
  void cut(const State& state, std::string bytes) {
    bytes = testing::damaged(std::move(bytes), input_);
    State copy = state;
    if (const Result<Delta> delta = try_decode<Delta>(bytes)) (void)join_sound(copy, *delta);
  }

  // Everybody gets everything, each in an order of its own and some of it twice.
  void meet() {
    State all;
    for (const State& state : replicas_) WAGGLE_CHECK(join_sound(all, state));
    State deltas_alone;
    for (auto delta = deltas_.rbegin(); delta != deltas_.rend(); ++delta)
      WAGGLE_CHECK(take(deltas_alone, *delta));
    WAGGLE_CHECK(deltas_alone.encode() == all.encode(), "the deltas give something else");
    for (std::size_t who = 0; who < replicas_.size(); ++who) {
      State by_context = replicas_[who];
      if constexpr (kHasContext<State>) {
        const auto missing = all.delta_since(by_context.context());
        WAGGLE_CHECK(missing.has_value() && join_sound(by_context, *missing));
        WAGGLE_CHECK(by_context.encode() == all.encode(), "delta_since() misses something");
      }
      for (std::size_t i = 0; i < deltas_.size(); ++i)
        WAGGLE_CHECK(take(replicas_[who], deltas_[(i * 5 + who) % deltas_.size()]));
      for (const Delta& delta : deltas_) WAGGLE_CHECK(take(replicas_[who], delta));
      WAGGLE_CHECK(replicas_[who].encode() == all.encode(), "replicas differ");
    }
    retire(all);
  }

  void retire(State all) {
    if constexpr (requires { all.retire(ActorId()); }) {
      for (std::size_t who = 0; who < replicas_.size(); ++who) {
        const State before = all;
        if (!all.retire(actor_of(who))) {
          WAGGLE_CHECK(all == before);
          continue;
        }
        check_sound(all);
        for (State& replica : replicas_) WAGGLE_CHECK(replica.retire(actor_of(who)).has_value());
      }
      for (State& replica : replicas_) WAGGLE_CHECK(replica.encode() == all.encode());
    }
  }

  const State& other(std::size_t who) {
    return replicas_[(who + 1 + input_.below(replicas_.size() - 1)) % replicas_.size()];
  }
  const Delta& some_delta() { return deltas_[input_.below(deltas_.size())]; }

  Input& input_;
  std::array<State, 3> replicas_;
  std::vector<Delta> deltas_;
};

template <typename State>
void try_type(Input& input) {
  if (input.flag()) return Replicas<State>(input).play();
  const std::size_t first = input.byte() << 8 | input.byte();
  const std::string_view rest = input.rest();
  join_any<State>(rest.substr(0, first), rest.substr(std::min(first, rest.size())));
}

// ---- seeds -------------------------------------------------------------------------------------

// Two states and a delta of the second's writer.
template <typename State>
void add_seeds(testing::Seeds& seeds, std::uint8_t type) {
  // Bytes that write something, whatever the type.
  const std::string choices = {0, 0, 1, 0, 0, 2, 3, 1, 0, 1, 0, 5, 2, 1, 1, 6, 0, 0, 1, 9, 1, 3, 0};
  Input input(reinterpret_cast<const std::uint8_t*>(choices.data()), choices.size());
  State a;
  State b;
  std::string delta;
  for (int writes = 0; writes < 8; ++writes) {
    (void)write_to(a, ActorId(1 << 16), input);
    if (const auto written = write_to(b, ActorId(2 << 16), input)) delta = written->encode();
  }
  const auto seed = [&](std::string_view name, std::string_view second) {
    const std::string first = a.encode();
    seeds[std::string(to_text(State::kType)) + std::string(name)] =
        std::string({static_cast<char>(type), 0, static_cast<char>(first.size() >> 8),
                     static_cast<char>(first.size())}) +
        first + std::string(second);
  };
  seed("_states", b.encode());
  seed("_delta", delta);
  std::string played = {static_cast<char>(type), 1};
  for (int i = 0; i < 60; ++i) played += static_cast<char>(i * i + 7 * i);
  seeds[std::string(to_text(State::kType)) + "_replicas"] = played;
}

// What is done with each of the types, by its place.
template <typename... States>
struct Types {
  static void try_one(Input& input) {
    constexpr std::array kTry = {&try_type<States>...};
    kTry[input.below(kTry.size())](input);
  }
  static testing::Seeds seeds() {
    testing::Seeds seeds;
    std::uint8_t type = 0;
    (add_seeds<States>(seeds, type++), ...);
    return seeds;
  }
};
using AllTypes =
    Types<MaxRegister, MinRegister, OnceFlag, GrowCounter, PnCounter, ResettableCounter,
          BoundedCounter, EnableWinsFlag, DisableWinsFlag, GrowSet, AddWinsSet, RemoveWinsSet,
          LastWriterRegister, FirstWriterRegister, MultiRegister, OrMap, LastWriterMap>;

}  // namespace
}  // namespace waggle::lattice

waggle::testing::Seeds waggle::testing::seeds() {
  return lattice::AllTypes::seeds();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  waggle::testing::Input input(data, size);
  waggle::lattice::AllTypes::try_one(input);
  return 0;
}
