#pragma once

// One write of each type of resolver/lattice_*.h, chosen by the bytes of a fuzz input: few elements
// and few stamps, so that writers meet, and amounts at the ends of their ranges.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/status.h"
#include "resolver/lattice_counters.h"
#include "resolver/lattice_lww_map.h"
#include "resolver/lattice_map.h"
#include "resolver/lattice_registers.h"
#include "resolver/lattice_sets.h"
#include "tests/fuzz/input.h"

namespace waggle::lattice {

inline std::string some_name(testing::Input& input) {
  return std::string(1, static_cast<char>('a' + input.below(3)));
}
inline std::string some_bytes(testing::Input& input) {
  return std::string(input.below(3), static_cast<char>('x' + input.below(2)));
}
inline Hlc some_hlc(testing::Input& input) {
  return input.rarely(16) ? Hlc{input.number()} : Hlc::of(input.below(4), input.below(2));
}
inline std::int64_t some_amount(testing::Input& input) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> amounts = {1, -1, 5, -3, 0, kMost, -kMost, -kMost - 1};
  return input.one_of(amounts);
}
inline std::uint64_t some_natural(testing::Input& input) {
  const std::vector<std::uint64_t> amounts = {1, 2, 7, 0, UINT64_MAX, std::uint64_t{1} << 63};
  return input.one_of(amounts);
}
inline Scalar some_scalar(testing::Input& input) {
  const std::vector<Scalar> scalars = {std::int64_t{-1},
                                       std::uint64_t{3},
                                       0.0,
                                       -0.0,
                                       std::string("s"),
                                       std::string(),
                                       std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::quiet_NaN()};
  return input.one_of(scalars);
}

template <typename State>
Result<typename State::Delta> write_to(State& state, ActorId actor, testing::Input& input) {
  using Store = std::remove_cvref_t<decltype(state.value())>;
  if constexpr (std::is_same_v<Store, AddWinsStore>) {
    if (input.rarely(8)) return state.mutate(actor, &Store::clear);
    return input.flag() ? state.mutate(actor, &Store::remove, some_name(input))
                        : state.mutate(actor, &Store::add, some_name(input));
  } else if constexpr (std::is_same_v<Store, RemoveWinsStore>) {
    return input.flag() ? state.mutate(actor, &Store::remove, some_name(input))
                        : state.mutate(actor, &Store::add, some_name(input));
  } else if constexpr (std::is_same_v<Store, ResettableStore>) {
    return input.rarely(4) ? state.mutate(actor, &Store::reset)
                           : state.mutate(actor, &Store::add, some_amount(input));
  } else if constexpr (std::is_same_v<Store, MultiRegisterStore>) {
    if (input.rarely(8)) return state.mutate(actor, &Store::settle);
    if (input.rarely(8)) return state.mutate(actor, &Store::clear);
    const Hlc hlc = some_hlc(input);
    return state.mutate(actor, &Store::assign, hlc, some_bytes(input));
  } else {
    static_assert(std::is_same_v<Store, EnableWinsStore> ||
                  std::is_same_v<Store, DisableWinsStore>);
    return input.flag() ? state.mutate(actor, &Store::disable)
                        : state.mutate(actor, &Store::enable);
  }
}

inline Result<MapStore> write_field(const MapStore& map, Mutation& m, testing::Input& input) {
  const std::string name = some_name(input);
  switch (input.below(10)) {
    case 0: {
      const Hlc hlc = some_hlc(input);
      return map.update<MultiRegisterStore>(m, name, &MultiRegisterStore::assign, hlc,
                                            some_bytes(input));
    }
    case 1:
      return map.update<EnableWinsStore>(m, name, &EnableWinsStore::enable);
    case 2:
      return map.update<DisableWinsStore>(m, name, &DisableWinsStore::disable);
    case 3:
      return map.update<AddWinsStore>(m, name, &AddWinsStore::add, some_name(input));
    case 4:
      return map.update<AddWinsStore>(m, name, &AddWinsStore::remove, some_name(input));
    case 5:
      return map.update<RemoveWinsStore>(
          m, name, input.flag() ? &RemoveWinsStore::remove : &RemoveWinsStore::add,
          some_name(input));
    case 6:
      if (input.flag()) return map.update<ResettableStore>(m, name, &ResettableStore::reset);
      return map.update<ResettableStore>(m, name, &ResettableStore::add, some_amount(input));
    case 7: {
      const std::vector<Type> types = {Type::kMap, Type::kAddWinsSet, Type::kMultiRegister,
                                       Type::kResettableCounter, Type::kRemoveWinsSet};
      return map.remove(m, {name, input.one_of(types)});
    }
    case 8:
      if (input.rarely(4)) return map.clear(m);
      [[fallthrough]];
    default:
      return map.update<MapStore>(m, name, [&input](const MapStore& inner, Mutation& within) {
        return write_field(inner, within, input);
      });
  }
}
inline Result<OrMap::Delta> write_to(OrMap& map, ActorId actor, testing::Input& input) {
  return map.mutate(actor, [&input](const MapStore& fields, Mutation& m) {
    return write_field(fields, m, input);
  });
}

template <bool kGreatest>
Result<ExtremeRegister<kGreatest>> write_to(ExtremeRegister<kGreatest>& extreme, ActorId,
                                            testing::Input& input) {
  return extreme.offer(some_scalar(input));
}
inline Result<OnceFlag> write_to(OnceFlag& flag, ActorId, testing::Input&) {
  return flag.raise();
}
template <bool kLast>
Result<StampedRegister<kLast>> write_to(StampedRegister<kLast>& stamped, ActorId actor,
                                        testing::Input& input) {
  const Hlc hlc = some_hlc(input);
  return stamped.assign({hlc, actor},
                        input.rarely(4) ? std::nullopt : std::optional(some_bytes(input)));
}
inline Result<LastWriterMap::Delta> write_to(LastWriterMap& map, ActorId actor,
                                             testing::Input& input) {
  const Hlc hlc = some_hlc(input);
  const std::string name = some_name(input);
  return map.assign(actor, hlc, name,
                    input.rarely(4) ? std::nullopt : std::optional(some_bytes(input)));
}
inline Result<GrowSet> write_to(GrowSet& set, ActorId, testing::Input& input) {
  return set.add(some_name(input));
}
inline Result<GrowCounter> write_to(GrowCounter& counter, ActorId actor, testing::Input& input) {
  return counter.increment(actor, some_natural(input));
}
inline Result<PnCounter> write_to(PnCounter& counter, ActorId actor, testing::Input& input) {
  return counter.add(actor, some_amount(input));
}
inline Result<BoundedCounter> write_to(BoundedCounter& counter, ActorId actor,
                                       testing::Input& input) {
  const std::uint64_t amount = some_natural(input);
  switch (input.below(3)) {
    case 0:
      return counter.increment(actor, amount);
    case 1:
      return counter.decrement(actor, amount);
    default:
      return counter.transfer(actor, ActorId(actor.value() ^ (input.below(3) << 16)), amount);
  }
}

}  // namespace waggle::lattice
