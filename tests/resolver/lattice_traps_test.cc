// Traps that other CRDT libraries fell into, each a test, and the refusals of the lattice library:
// what is out of range, forged, of another type or spelt in another way.

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "resolver/lattice_counters.h"
#include "resolver/lattice_lww_map.h"
#include "resolver/lattice_map.h"
#include "resolver/lattice_registers.h"
#include "resolver/lattice_sets.h"

namespace waggle::lattice {
namespace {

const ActorId kA = actor_of(1, 1).value();
const ActorId kB = actor_of(2, 1).value();
const ActorId kC = actor_of(3, 1).value();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().text));
  return *std::move(result);
}
void must(const Status& status) {
  BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().text));
}
template <typename R>
bool refused(const R& result, Code code) {
  return !result && result.error().code == code && !result.error().text.empty();
}
Hlc at(std::uint64_t millis) {
  return Hlc::of(millis, 0);
}

BOOST_AUTO_TEST_SUITE(lattice_traps_test)

// ---- contexts and actors -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(dots_in_reverse_are_one_run_all_the_way) {
  CausalContext context;
  for (std::uint64_t n = 100'000; n > 1; --n) {
    must(context.insert(Dot{kA, n}));
    BOOST_REQUIRE(context.cloud_runs() == 1);
  }
  must(context.insert(Dot{kA, 1}));
  BOOST_TEST(context.cloud_runs() == 0);
  BOOST_TEST(context.through(kA) == 100'000);
}

BOOST_AUTO_TEST_CASE(a_cloud_beyond_its_bound_is_refused_and_nothing_changes) {
  CausalContext context;
  for (std::uint64_t i = 1; i <= kCloudRuns; ++i) must(context.insert(Dot{kA, 2 * i}));
  const CausalContext before = context;
  BOOST_TEST(refused(context.insert(Dot{kA, 2 * (kCloudRuns + 1)}), Code::kOverloaded));
  BOOST_TEST((context == before));
  // What closes a hole still fits, and so does the whole state.
  must(context.insert(Dot{kA, 3}));
  BOOST_TEST(context.cloud_runs() == kCloudRuns - 1);
  CausalContext whole;
  must(whole.insert(Run{kA, 1, 3 * kCloudRuns}));
  must(context.join(whole));
  BOOST_TEST(context.cloud_runs() == 0);
}

BOOST_AUTO_TEST_CASE(a_set_refuses_a_delta_too_many_out_of_order_and_takes_the_whole_state) {
  AddWinsSet source;
  std::vector<AddWinsSet::Delta> deltas;
  for (std::size_t i = 0; i < 2 * kCloudRuns + 2; ++i)
    deltas.push_back(must(source.mutate(kA, &AddWinsStore::add, std::to_string(i))));
  AddWinsSet replica;
  for (std::size_t i = 1; i < 2 * kCloudRuns + 1; i += 2) must(replica.join(deltas[i]));
  const std::string before = replica.encode();
  BOOST_TEST(refused(replica.join(deltas.back()), Code::kOverloaded));
  BOOST_TEST((replica.encode() == before));
  must(replica.join(source));
  BOOST_TEST((replica == source));
}

BOOST_AUTO_TEST_CASE(random_runs_agree_with_a_plain_set_of_dots) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      CausalContext contexts[2];
      std::set<Dot> plain[2];
      for (int i = 0; i < 24; ++i) {
        const std::size_t side = prng.below(2);
        const ActorId actor(1 + prng.below(2));
        const std::uint64_t first = 1 + prng.below(16);
        const std::uint64_t last = first + prng.below(3);
        must(contexts[side].insert(Run{actor, first, last}));
        for (std::uint64_t n = first; n <= last; ++n) plain[side].insert({actor, n});
        must(contexts[side].check_invariants());
      }
      const CausalContext rest = must(contexts[0].minus(contexts[1]));
      for (std::uint64_t actor = 1; actor <= 2; ++actor)
        for (std::uint64_t n = 1; n <= 20; ++n) {
          const Dot dot{ActorId(actor), n};
          BOOST_REQUIRE(contexts[0].contains(dot) == plain[0].contains(dot));
          BOOST_REQUIRE(rest.contains(dot) == (plain[0].contains(dot) && !plain[1].contains(dot)));
        }
      BOOST_REQUIRE(contexts[0].covers(rest));
      BOOST_REQUIRE(contexts[1].covers(contexts[0]) == rest.empty());
      ByteWriter out;
      contexts[0].write(out);
      const std::string bytes = out.take();
      ByteReader in("context", bytes);
      CausalContext decoded;
      decoded.read(in);
      must(in.finish());
      BOOST_REQUIRE(decoded == contexts[0]);
      must(contexts[0].join(contexts[1]));
      plain[0].insert(plain[1].begin(), plain[1].end());
      for (const Dot& dot : plain[0]) BOOST_REQUIRE(contexts[0].contains(dot));
    }
  }
}

// A store that lost its last write in a crash and goes on under its old actor gives one dot to two
// changes, and both are lost. Under its next epoch nothing is.
BOOST_AUTO_TEST_CASE(a_new_epoch_after_a_crash_loses_nothing_where_a_reused_actor_does) {
  const auto survivors = [](ActorId after_crash) {
    AddWinsSet sent;
    must(sent.mutate(kA, &AddWinsStore::add, "sent"));  // then the store loses it
    AddWinsSet restarted;
    must(restarted.mutate(after_crash, &AddWinsStore::add, "acknowledged"));
    must(sent.join(restarted));
    return sent.value().elements().size();
  };
  BOOST_TEST(survivors(kA) == 0);
  BOOST_TEST(survivors(must(next_epoch(kA))) == 2);
  BOOST_TEST(refused(next_epoch(actor_of(1, 0xffff).value()), Code::kRejected));
  BOOST_TEST(refused(actor_of(0, 1), Code::kRejected));
  BOOST_TEST(refused(actor_of(std::uint64_t{1} << 48, 1), Code::kRejected));
}

BOOST_AUTO_TEST_CASE(two_values_of_one_dot_still_converge) {
  MultiRegister b;
  MultiRegister c;
  must(b.mutate(kA, &MultiRegisterStore::assign, at(1), "b"));
  must(c.mutate(kA, &MultiRegisterStore::assign, at(1), "c"));
  MultiRegister bc = b;
  must(bc.join(c));
  must(c.join(b));
  BOOST_TEST((bc == c));
}

BOOST_AUTO_TEST_CASE(an_actor_whose_numbers_are_forged_to_the_end_is_refused_its_next_dot) {
  AddWinsSet set;
  CausalContext forged;
  must(forged.insert(Run{kA, 1, limits::kNumberMax}));
  must(set.join(AddWinsSet({}, forged, 0)));
  BOOST_TEST(refused(set.mutate(kA, &AddWinsStore::add, "x"), Code::kRejected));
  must(set.mutate(must(next_epoch(kA)), &AddWinsStore::add, "x"));
  BOOST_TEST(refused(set.mutate(kSealed, &AddWinsStore::add, "x"), Code::kRejected));
}

// ---- registers ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(nan_is_refused_and_minus_zero_is_below_zero) {
  MaxRegister most;
  BOOST_TEST(refused(most.offer(std::nan("")), Code::kRejected));
  BOOST_TEST(most.is_bottom());
  MaxRegister minus;
  MaxRegister plus;
  must(minus.offer(-0.0));
  must(plus.offer(0.0));
  BOOST_TEST((minus.encode() != plus.encode()));
  MaxRegister joined = plus;
  must(joined.join(minus));
  must(minus.join(plus));
  BOOST_TEST((joined.encode() == minus.encode()));
  BOOST_TEST(!std::signbit(std::get<double>(*joined.value())));
  MinRegister least;
  must(least.offer(0.0));
  must(least.offer(-0.0));
  BOOST_TEST(std::signbit(std::get<double>(*least.value())));
}

BOOST_AUTO_TEST_CASE(a_forged_maximum_is_caught_by_the_range_of_its_key) {
  MaxRegister forged;
  must(forged.offer(std::numeric_limits<std::uint64_t>::max()));
  const Scalar low = std::uint64_t{0};
  const Scalar high = std::uint64_t{1'000};
  BOOST_TEST(refused(forged.check_range(low, high), Code::kRejected));
  MaxRegister honest;
  must(honest.offer(std::uint64_t{1'000}));
  must(honest.check_range(low, high));
}

BOOST_AUTO_TEST_CASE(two_kinds_in_one_extreme_register_join_alike_but_are_not_offered) {
  MaxRegister number;
  MaxRegister text;
  must(number.offer(std::int64_t{7}));
  must(text.offer(std::string("seven")));
  BOOST_TEST(refused(number.offer(std::string("eight")), Code::kRejected));
  MaxRegister joined = number;
  must(joined.join(text));
  must(text.join(number));
  BOOST_TEST((joined == text));
}

BOOST_AUTO_TEST_CASE(equal_stamps_end_in_one_value_on_both_sides) {
  for (const auto& [first, second] : {std::pair(kA, kB), std::pair(kA, kA)}) {
    LastWriterRegister a;
    LastWriterRegister b;
    must(a.assign({at(5), first}, "A"));
    must(b.assign({at(5), second}, "B"));
    LastWriterRegister ab = a;
    must(ab.join(b));
    must(b.join(a));
    BOOST_TEST((ab == b));
  }
}

BOOST_AUTO_TEST_CASE(stamps_from_the_far_future_or_past_are_caught_by_the_guard) {
  LastWriterRegister future;
  must(future.assign({at(HlcClock::kMillisMax), kA}, "for ever"));
  BOOST_TEST(refused(future.check_stamp(at(1000), at(2000)), Code::kRejected));
  FirstWriterRegister ancient;
  must(ancient.assign({at(1), kA}, "since ever"));
  BOOST_TEST(refused(ancient.check_stamp(at(1000), at(2000)), Code::kRejected));
  LastWriterMap map;
  must(map.assign(kA, at(1500), "k", "v"));
  must(map.check_stamps(at(1000), at(2000)));
  must(map.assign(kA, at(9999), "k2", "v"));
  BOOST_TEST(refused(map.check_stamps(at(1000), at(2000)), Code::kRejected));
}

BOOST_AUTO_TEST_CASE(a_crowd_of_siblings_is_reported_and_settled_by_one_write) {
  MultiRegister all;
  for (std::uint64_t i = 0; i <= kSiblings; ++i) {
    BOOST_TEST(!all.value().crowded());
    MultiRegister alone;
    must(alone.mutate(must(actor_of(10 + i, 1)), &MultiRegisterStore::assign, at(i),
                      std::to_string(i)));
    must(all.join(alone));
  }
  BOOST_TEST(all.value().crowded());
  BOOST_TEST(all.value().values().size() == kSiblings + 1);  // none is dropped on the quiet
  must(all.mutate(kA, &MultiRegisterStore::settle));
  BOOST_TEST(all.value().entries().size() == 1);
  BOOST_TEST(*all.value().latest() == std::to_string(kSiblings));
  // One actor's later writes replace its own: siblings never outnumber actors.
  for (int i = 0; i < 100; ++i) must(all.mutate(kB, &MultiRegisterStore::assign, at(1), "again"));
  BOOST_TEST(all.value().entries().size() == 1);
}

// ---- counters ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(counters_refuse_overflow_and_keep_their_state) {
  GrowCounter grow;
  must(grow.increment(kA, UINT64_MAX));
  const GrowCounter full = grow;
  BOOST_TEST(refused(grow.increment(kA, 1), Code::kRejected));
  BOOST_TEST(refused(grow.increment(kB, 1), Code::kRejected));
  BOOST_TEST((grow == full));
  PnCounter pn;
  must(pn.add(kA, kMost));
  BOOST_TEST(refused(pn.add(kA, 1), Code::kRejected));
  BOOST_TEST(refused(pn.add(kB, 1), Code::kRejected));
  must(pn.add(kB, kLeast));
  BOOST_TEST(must(pn.value()) == -1);
  ResettableCounter resettable;
  must(resettable.mutate(kA, &ResettableStore::add, kLeast));
  BOOST_TEST(refused(resettable.mutate(kA, &ResettableStore::add, -1), Code::kRejected));
  BOOST_TEST(must(resettable.value().total()) == kLeast);
  BoundedCounter bounded;
  must(bounded.increment(kA, UINT64_MAX));
  BOOST_TEST(refused(bounded.increment(kB, 1), Code::kRejected));
}

// Each side is within its range; together they are not. The join is taken, the value says so.
BOOST_AUTO_TEST_CASE(a_sum_of_concurrent_increments_out_of_range_is_an_error_and_does_not_wrap) {
  PnCounter a;
  PnCounter b;
  must(a.add(kA, kMost));
  must(b.add(kB, kMost));
  must(a.join(b));
  BOOST_TEST(refused(a.value(), Code::kRejected));
  must(b.join(a));
  BOOST_TEST((a == b));
  GrowCounter c;
  GrowCounter d;
  must(c.increment(kA, UINT64_MAX));
  must(d.increment(kB, UINT64_MAX));
  must(c.join(d));
  BOOST_TEST(refused(c.value(), Code::kRejected));
}

BOOST_AUTO_TEST_CASE(two_decrements_by_five_give_minus_ten) {
  PnCounter counter;
  must(counter.add(kA, -5));
  must(counter.add(kA, -5));
  BOOST_TEST(must(counter.value()) == -10);
}

BOOST_AUTO_TEST_CASE(a_reset_counter_that_meets_a_stale_replica_keeps_the_unseen_increment_only) {
  ResettableCounter hub;
  must(hub.mutate(kA, &ResettableStore::add, 10));
  ResettableCounter stale = hub;
  must(hub.mutate(kA, &ResettableStore::reset));
  must(hub.mutate(kA, &ResettableStore::add, 3));
  must(stale.mutate(kB, &ResettableStore::add, 2));
  must(hub.join(stale));
  BOOST_TEST(must(hub.value().total()) == 5);
}

BOOST_AUTO_TEST_CASE(an_extended_share_is_one_share_and_a_folded_one_keeps_the_total) {
  ResettableCounter counter;
  must(counter.mutate(kA, &ResettableStore::add, 1));
  const Dot own = counter.value().entries().front().first;
  ResettableCounter::Delta last;
  for (int i = 0; i < 1000; ++i) last = must(counter.mutate(kA, &ResettableStore::extend, own, 2));
  BOOST_TEST(counter.value().shares() == 1);
  ResettableCounter other;
  must(other.join(last));
  BOOST_TEST((other == counter));
  BOOST_TEST(refused(other.mutate(kB, &ResettableStore::extend, own, 1), Code::kRejected));

  for (int i = 0; i < 9; ++i) must(counter.mutate(kB, &ResettableStore::add, -1));
  must(other.join(must(counter.mutate(kC, &ResettableStore::fold, counter.context()))));
  BOOST_TEST(counter.value().shares() == 1);
  BOOST_TEST(must(counter.value().total()) == 1992);
  must(other.join(counter));
  BOOST_TEST((other == counter));
}

BOOST_AUTO_TEST_CASE(a_counter_with_too_many_shares_refuses_until_it_is_folded) {
  ResettableCounter counter;
  for (std::size_t i = 0; i < kShares; ++i) must(counter.mutate(kA, &ResettableStore::add, 1));
  BOOST_TEST(refused(counter.mutate(kA, &ResettableStore::add, 1), Code::kOverloaded));
  must(counter.mutate(kA, &ResettableStore::fold, counter.context()));
  must(counter.mutate(kA, &ResettableStore::add, 1));
  BOOST_TEST(must(counter.value().total()) == static_cast<std::int64_t>(kShares) + 1);
}

BOOST_AUTO_TEST_CASE(a_decrement_without_rights_is_refused_however_high_the_value) {
  BoundedCounter counter;
  must(counter.increment(kA, 10));
  BOOST_TEST(refused(counter.decrement(kB, 1), Code::kOverloaded));
  BoundedCounter away = counter;
  must(away.decrement(kA, 10));
  BOOST_TEST(refused(counter.transfer(kB, kC, 1), Code::kOverloaded));
  must(counter.transfer(kA, kB, 0));
  must(counter.join(away));
  BOOST_TEST(must(counter.value()) == 0);
}

BOOST_AUTO_TEST_CASE(rights_of_a_retired_actor_can_be_reclaimed) {
  BoundedCounter counter;
  must(counter.increment(kA, 10));
  must(counter.transfer(kA, kB, 4));
  must(counter.decrement(kB, 1));
  must(counter.retire(kB));
  BOOST_TEST(must(counter.value()) == 9);
  BOOST_TEST(counter.rights(kA) == 6);
  BOOST_TEST(counter.rights(kSealed) == 3);
  must(counter.reclaim(kC));
  BOOST_TEST(counter.rights(kC) == 3);
  must(counter.decrement(kC, 3));
  BOOST_TEST(must(counter.value()) == 6);
}

// ---- sets --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_removal_that_arrives_before_its_addition_still_removes) {
  AddWinsSet source;
  const auto added = must(source.mutate(kA, &AddWinsStore::add, "x"));
  const auto removed = must(source.mutate(kA, &AddWinsStore::remove, "x"));
  AddWinsSet replica;
  must(replica.join(removed));
  must(replica.join(added));
  BOOST_TEST(!replica.value().contains("x"));
  BOOST_TEST((replica == source));
}

BOOST_AUTO_TEST_CASE(removed_elements_leave_nothing_behind) {
  AddWinsSet set;
  for (int i = 0; i < 1000; ++i) must(set.mutate(kA, &AddWinsStore::add, std::to_string(i)));
  for (int i = 0; i < 1000; ++i) must(set.mutate(kA, &AddWinsStore::remove, std::to_string(i)));
  BOOST_TEST(set.value().empty());
  BOOST_TEST(set.size() < 24);
}

BOOST_AUTO_TEST_CASE(delta_bytes_follow_the_change_after_many_overwrites) {
  AddWinsSet set;
  std::size_t first = 0;
  std::size_t last = 0;
  for (int i = 0; i < 20'000; ++i) {
    last = must(set.mutate(kA, &AddWinsStore::add, "e" + std::to_string(i % 100))).size();
    if (i == 100) first = last;
  }
  BOOST_TEST(last <= first + 4);  // the numbers grow, nothing else
  for (const auto& [element, dots] : set.value().entries()) BOOST_REQUIRE(dots.dots().size() == 1);
}

BOOST_AUTO_TEST_CASE(remove_wins_tombstones_are_counted_and_go_below_the_floor) {
  RemoveWinsSet set;
  for (int i = 0; i < 10; ++i) must(set.mutate(kA, &RemoveWinsStore::add, std::to_string(i)));
  for (int i = 0; i < 9; ++i) must(set.mutate(kA, &RemoveWinsStore::remove, std::to_string(i)));
  BOOST_TEST(set.value().tombstones() == 9);
  RemoveWinsSet other = set;
  must(other.join(must(set.mutate(kA, &RemoveWinsStore::settle, set.context()))));
  BOOST_TEST(set.value().tombstones() == 0);
  BOOST_TEST((set.value().elements() == std::vector<std::string>{"9"}));
  BOOST_TEST((other == set));
}

BOOST_AUTO_TEST_CASE(a_grow_set_is_bounded) {
  GrowSet set;
  for (std::size_t i = 0; i < kGrowSetElements; ++i) must(set.add(std::to_string(i)));
  BOOST_TEST(refused(set.add("one more"), Code::kOverloaded));
  must(set.add("0"));
  BOOST_TEST(set.elements().size() == kGrowSetElements);
}

BOOST_AUTO_TEST_CASE(elements_out_of_bounds_are_refused) {
  AddWinsSet set;
  BOOST_TEST(refused(set.mutate(kA, &AddWinsStore::add, ""), Code::kRejected));
  BOOST_TEST(
      refused(set.mutate(kA, &AddWinsStore::add, std::string(limits::kElementBytes + 1, 'x')),
              Code::kRejected));
  BOOST_TEST(set.is_bottom());
}

// ---- maps --------------------------------------------------------------------------------------

OrMap::Delta count(OrMap& map, ActorId actor, std::int64_t amount) {
  return must(map.mutate(
      actor, &MapStore::update<ResettableStore, decltype(&ResettableStore::add), std::int64_t>,
      "visits", &ResettableStore::add, std::move(amount)));
}

BOOST_AUTO_TEST_CASE(a_removed_and_re_created_field_is_not_resurrected_by_a_stale_replica) {
  OrMap map;
  count(map, kA, 10);
  OrMap stale = map;
  must(map.mutate(kA, &MapStore::remove, FieldId{"visits", Type::kResettableCounter}));
  count(map, kA, 3);
  must(map.join(stale));
  BOOST_TEST(must(map.value().find<ResettableStore>("visits")->total()) == 3);
  count(stale, kB, 4);  // an update that the removal had not seen
  must(map.join(stale));
  BOOST_TEST(must(map.value().find<ResettableStore>("visits")->total()) == 7);
}

BOOST_AUTO_TEST_CASE(two_types_under_one_name_are_two_fields_and_never_wedge_the_merge) {
  OrMap a;
  OrMap b;
  count(a, kA, 1);
  must(b.mutate(kB, [](const MapStore& map, Mutation& m) {
    return map.update<AddWinsStore>(m, "visits", &AddWinsStore::add, "bee");
  }));
  OrMap ab = a;
  must(ab.join(b));
  must(b.join(a));
  BOOST_TEST((ab == b));
  BOOST_TEST(ab.value().find<ResettableStore>("visits") != nullptr);
  BOOST_TEST(ab.value().find<AddWinsStore>("visits")->contains("bee"));
}

Result<MapStore> nested(const MapStore& map, Mutation& m, std::size_t depth) {
  if (depth == 0) return map.update<EnableWinsStore>(m, "on", &EnableWinsStore::enable);
  return map.update<MapStore>(m, "in", nested, depth - 1);
}

BOOST_AUTO_TEST_CASE(maps_nest_to_their_bound_and_come_back_from_bytes) {
  OrMap map;
  must(map.mutate(kA, nested, limits::kMapDepth - 1));
  BOOST_TEST((must(OrMap::decode(map.encode())) == map));
  const OrMap before = map;
  BOOST_TEST(refused(map.mutate(kA, nested, limits::kMapDepth), Code::kRejected));
  BOOST_TEST((map == before));
}

// ---- the key-value store -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_stale_replica_does_not_bring_back_a_key_whose_deletion_was_swept) {
  LastWriterMap map;
  must(map.assign(kA, at(10), "k", "v"));
  LastWriterMap stale = map;
  must(map.assign(kA, at(20), "k", std::nullopt));
  BOOST_TEST(map.deletions() == 1);
  must(map.sweep(map.context()));
  BOOST_TEST(map.deletions() == 0);
  LastWriterMap joined = map;
  must(joined.join(stale));
  BOOST_TEST(joined.find("k") == nullptr);
  must(stale.join(map));
  BOOST_TEST((stale == joined));
}

BOOST_AUTO_TEST_CASE(an_unseen_write_below_swept_deletions_is_a_conflict_and_above_it_is_taken) {
  LastWriterMap map;
  must(map.assign(kA, at(20), "k", std::nullopt));
  must(map.sweep(map.context()));
  const LastWriterMap before = map;
  LastWriterMap late;
  const auto delta = must(late.assign(kB, at(15), "k", "late"));
  BOOST_TEST(refused(map.join(late), Code::kConflict));
  BOOST_TEST(refused(map.join(delta), Code::kConflict));
  BOOST_TEST(refused(late.join(map), Code::kConflict));
  BOOST_TEST((map == before));
  LastWriterMap newer;
  must(map.join(must(newer.assign(kC, at(25), "k", "newer"))));
  BOOST_TEST(*map.find("k") == "newer");
}

BOOST_AUTO_TEST_CASE(a_requester_below_the_floor_is_sent_the_whole_state_not_a_partial_delta) {
  LastWriterMap map;
  must(map.assign(kA, at(10), "k", "v"));
  const CausalContext old = map.context();
  must(map.assign(kA, at(20), "k", std::nullopt));
  must(map.sweep(map.context()));
  BOOST_TEST(refused(map.delta_since(old), Code::kStale));
  BOOST_TEST(must(map.delta_since(map.context())).writes().empty());
  LastWriterMap behind;
  BOOST_TEST(refused(behind.sweep(map.context()), Code::kUnavailable));
}

// ---- retirement --------------------------------------------------------------------------------

// It would be lost where others take it for nothing at all.
BOOST_AUTO_TEST_CASE(a_stamp_of_swept_deletions_without_a_floor_is_not_read) {
  std::string bytes = LastWriterMap().encode();
  BOOST_TEST(LastWriterMap::decode(bytes).has_value());
  bytes.at(5) = 1;  // behind head, generation and context
  BOOST_TEST(refused(LastWriterMap::decode(bytes), Code::kRejected));
}

BOOST_AUTO_TEST_CASE(retirement_waits_for_missing_changes_and_then_frees_the_actor) {
  AddWinsSet source;
  const auto first = must(source.mutate(kA, &AddWinsStore::add, "x"));
  const auto second = must(source.mutate(kA, &AddWinsStore::add, "y"));
  AddWinsSet replica;
  must(replica.join(second));
  BOOST_TEST(refused(replica.retire(kA), Code::kUnavailable));
  must(replica.join(first));
  must(replica.retire(kA));
  BOOST_TEST(replica.context().through(kA) == 0);
  BOOST_TEST(replica.value().contains("x"));
  BOOST_TEST(refused(replica.join(first), Code::kStale));
  BOOST_TEST(refused(replica.retire(kSealed), Code::kRejected));
  must(replica.mutate(kB, &AddWinsStore::remove, "x"));
  BOOST_TEST((replica.value().elements() == std::vector<std::string>{"y"}));
}

// ---- bytes -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(bytes_of_one_type_are_no_other_type_and_a_delta_is_no_state) {
  EnableWinsFlag flag;
  const auto delta = must(flag.mutate(kA, &EnableWinsStore::enable));
  BOOST_TEST(refused(DisableWinsFlag::decode(flag.encode()), Code::kRejected));
  BOOST_TEST(refused(EnableWinsFlag::decode(delta.encode()), Code::kRejected));
  BOOST_TEST(refused(PnCounter::decode(GrowCounter().encode()), Code::kRejected));
}

template <typename V>
void only_one_spelling(const V& value, std::uint64_t seed) {
  const std::string bytes = value.encode();
  const auto spelt_so = [](const std::string& other) {
    const Result<V> decoded = V::decode(other);
    return !decoded || decoded->encode() == other;
  };
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_REQUIRE(!V::decode(std::string_view(bytes).substr(0, size)));
  BOOST_REQUIRE(!V::decode(bytes + '\0'));
  Prng prng(seed);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = bytes;
      other[i] = static_cast<char>(other[i] ^ (1 << bit));
      BOOST_REQUIRE(spelt_so(other));
    }
  for (int round = 0; round < 2000; ++round) {
    std::string other = bytes;
    for (std::uint64_t changes = 1 + prng.below(4); changes > 0; --changes)
      other[prng.below(other.size())] =
          static_cast<char>(prng.chance(1, 2) ? prng.below(4) : prng.next());
    if (prng.chance(1, 3)) other.erase(prng.below(other.size()), 1);
    BOOST_REQUIRE(spelt_so(other));
    // Whatever is accepted can be used.
    if (Result<V> decoded = V::decode(other)) static_cast<void>(decoded->join(value));
  }
}

BOOST_AUTO_TEST_CASE(no_other_spelling_is_read) {
  OrMap map;
  count(map, kA, -300);
  must(map.mutate(kB, nested, std::size_t{2}));
  const auto delta = must(map.mutate(kB, &MapStore::clear));
  count(map, kB, 5);
  must(map.mutate(kB, [](const MapStore& all, Mutation& m) {
    return all.update<RemoveWinsStore>(m, "w", &RemoveWinsStore::remove, "bee");
  }));
  only_one_spelling(map, 1);
  only_one_spelling(delta, 2);

  LastWriterMap keys;
  must(keys.assign(kA, at(1000), "gone", std::nullopt));
  must(keys.sweep(keys.context()));
  must(keys.assign(kA, at(1001), "a", "1"));
  const auto change = must(keys.assign(kB, at(1005), "b", std::nullopt));
  only_one_spelling(keys, 3);
  only_one_spelling(change, 4);

  BoundedCounter bounded;
  must(bounded.increment(kA, 700));
  must(bounded.transfer(kA, kB, 3));
  must(bounded.decrement(kB, 1));
  only_one_spelling(bounded, 5);
  PnCounter pn;
  must(pn.add(kA, 5));
  must(pn.add(kB, -700));
  only_one_spelling(pn, 6);
  MultiRegister multi;
  must(multi.mutate(kA, &MultiRegisterStore::assign, at(3), "v"));
  only_one_spelling(multi, 7);
  LastWriterRegister last;
  must(last.assign({at(3), kA}, "v"));
  only_one_spelling(last, 8);
  GrowSet grow;
  must(grow.add("a"));
  must(grow.add("b"));
  only_one_spelling(grow, 9);
  for (const Scalar& scalar : {Scalar(std::int64_t{-5}), Scalar(std::uint64_t{300}), Scalar(-0.0),
                               Scalar(std::string("bytes"))}) {
    MaxRegister most;
    must(most.offer(scalar));
    only_one_spelling(most, 10);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle::lattice
