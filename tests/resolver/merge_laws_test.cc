// The laws of the types that merge: whatever several agents with stale contexts write, the value is
// what the definition of its type says (tests/resolver/merge_oracle.h), and its bytes, deltas and
// hash agree with it. WAGGLE_SCHEDULES and WAGGLE_SEED choose how many schedules a type has and
// which.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/prng.h"
#include "tests/resolver/merge_world.h"

namespace waggle::laws {
namespace {

// ---- what agents write -------------------------------------------------------------------------

std::vector<std::string> some_elements(Prng& random) {
  std::vector<std::string> elements;
  for (const char* element : {"x", "y", "z"})
    if (random.chance(1, 2)) elements.emplace_back(element);
  if (elements.empty()) elements.emplace_back("x");
  return elements;
}

Scalar some_scalar(Prng& random) {
  switch (random.below(12)) {
    case 0:
      return static_cast<double>(random.between(-3, 3)) / 2;
    case 1:
      return std::string(1 + random.below(3), static_cast<char>('a' + random.below(3)));
    case 2:
      return random.below(9);
    default:
      return random.between(-9, 9);
  }
}

// Mostly small, sometimes so large that two of them overflow.
std::int64_t some_amount(Prng& random, std::int64_t large) {
  if (random.chance(1, 6)) return random.chance(1, 2) ? large : -large;
  return random.between(-5, 5);
}

EscrowOp some_escrow(Prng& random) {
  EscrowOp op;
  op.verb = static_cast<EscrowVerb>(random.below(3));
  op.amount = 1 + random.below(6);
  if (op.verb == EscrowVerb::kHandOver)
    op.to = AgentId(std::string(1, static_cast<char>('a' + random.below(4))));
  return op;
}

Op some_op(ValueType type, Prng& random);

Op some_field_op(Prng& random) {
  constexpr std::array kFields = {
      ValueType::kRegister,    ValueType::kRegister,       ValueType::kCounter,
      ValueType::kOrSet,       ValueType::kOrSet,          ValueType::kResettableCounter,
      ValueType::kEnableFlag,  ValueType::kDisableFlag,    ValueType::kMax,
      ValueType::kGrowSet,     ValueType::kRemoveWinsSet,  ValueType::kMultiRegister,
      ValueType::kGrowCounter, ValueType::kBoundedCounter, ValueType::kOnceFlag,
  };
  const ValueType type = kFields[random.below(kFields.size())];
  std::vector<std::string> path;
  for (std::uint64_t maps = random.below(3); maps > 0; --maps) path.emplace_back("m");
  if (random.chance(1, 4)) {
    FieldOp removal = field_op(path, DeleteOp{});
    if (removal.path.empty() || random.chance(1, 2))
      removal.path.emplace_back(random.chance(1, 2) ? "p" : "m");
    if (random.chance(1, 3)) removal.removed_type = random.chance(1, 2) ? type : ValueType::kMap;
    return removal;
  }
  path.emplace_back(random.chance(3, 4) ? "p" : "m");
  return field_op(std::move(path), some_op(type, random));
}

Op some_op(ValueType type, Prng& random) {
  switch (type) {
    case ValueType::kRegister:
    case ValueType::kMultiRegister:
      return PutOp{ContentType::kText, std::to_string(random.below(1000)), type};
    case ValueType::kMax:
    case ValueType::kMin:
      return RaiseOp{some_scalar(random), type};
    case ValueType::kOnceFlag:
      return FlagOp{true, type};
    case ValueType::kEnableFlag:
    case ValueType::kDisableFlag:
      return FlagOp{random.chance(1, 2), type};
    case ValueType::kCounter:
      return IncrOp{some_amount(random, std::numeric_limits<std::int64_t>::max()), type};
    case ValueType::kGrowCounter:
      return IncrOp{
          random.chance(1, 6) ? std::numeric_limits<std::int64_t>::max() : random.between(0, 5),
          type};
    case ValueType::kResettableCounter:
      if (random.chance(1, 3)) return ResetOp{};
      return IncrOp{some_amount(random, std::numeric_limits<std::int64_t>::max() - 4), type};
    case ValueType::kBoundedCounter:
      if (random.chance(1, 2)) return some_escrow(random);
      return IncrOp{some_amount(random, std::int64_t{1} << 61), type};
    case ValueType::kGrowSet:
      return SetAddOp{some_elements(random), type};
    case ValueType::kOrSet:
    case ValueType::kRemoveWinsSet:
      if (random.chance(2, 5)) return SetRemoveOp{some_elements(random), type};
      return SetAddOp{some_elements(random), type};
    default:
      return some_field_op(random);
  }
}

// ---- random schedules --------------------------------------------------------------------------

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

void play(World& world, ValueType type, Prng& random) {
  constexpr std::uint64_t kWrites = 30;  // below limits::kCounterShares
  for (std::uint64_t steps = 8 + random.below(40); steps > 0; --steps) {
    const std::size_t who = random.below(world.agents());
    switch (random.below(8)) {
      case 0:
      case 1:
        world.catch_up(who);
        break;
      case 2:
      case 3:
        if (world.waits(who)) world.deliver(who);
        break;
      case 4:
        if (random.chance(1, 3)) world.raise_floor();
        break;
      default:
        if (world.writes() < kWrites) world.write(who, some_op(type, random));
        break;
    }
    if (random.chance(1, 8)) world.check_forms(random.below(world.versions()));
  }
  for (std::size_t who = 0; who < world.agents(); ++who)
    while (world.waits(who)) world.deliver(who);
  world.check_forms(random.below(world.versions()));
}

World::Met operator+(World::Met a, const World::Met& b) {
  return {a.applied + b.applied, a.nothing + b.nothing, a.rejected + b.rejected,
          a.conflicts + b.conflicts, a.deltas + b.deltas};
}

// All schedules of a type; what they met, of all together.
World::Met hold_in_random_schedules(ValueType type) {
  const std::uint64_t schedules = from_environment("WAGGLE_SCHEDULES", 20'000);
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  World::Met met;
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    Prng random(seed);
    World world(type, 1 + random.below(4));
    try {
      play(world, type, random);
    } catch (const Violation& violation) {
      BOOST_FAIL(fmt::format("WAGGLE_SCHEDULES=1 WAGGLE_SEED={}: {}", seed, violation.text));
    }
    met = met + world.met();
  }
  return met;
}

// ---- all schedules -----------------------------------------------------------------------------

struct Step {
  std::size_t who = 0;
  std::optional<Op> written;  // none: its oldest write is committed
  bool catches_up = false;    // before it writes
};

// Every schedule of three authors and four writes of those operations: who writes what, having seen
// all or nothing new, and when each arrives. Authors are told apart only by when they first write.
class Exhaustive {
 public:
  Exhaustive(ValueType type, std::vector<Op> ops) : type_(type), ops_(std::move(ops)) {}

  std::uint64_t hold() {
    extend();
    return schedules_;
  }

 private:
  static constexpr std::size_t kAuthors = 3;
  static constexpr std::size_t kWrites = 4;

  void extend() {
    std::array<std::size_t, kAuthors> wrote{};
    std::array<std::size_t, kAuthors> arrived{};
    for (const Step& step : steps_) ++(step.written ? wrote : arrived)[step.who];
    std::size_t writes = 0;
    std::size_t known_authors = 0;
    bool waits = false;
    for (std::size_t who = 0; who < kAuthors; ++who) {
      writes += wrote[who];
      known_authors += wrote[who] > 0 ? 1 : 0;
      if (arrived[who] == wrote[who]) continue;
      waits = true;
      go_on({who, std::nullopt, false});
    }
    if (writes == kWrites) {
      if (!waits) replay();
      return;
    }
    for (std::size_t who = 0; who < std::min(known_authors + 1, kAuthors); ++who)
      for (const Op& op : ops_)
        for (const bool catches_up : {false, true}) go_on({who, op, catches_up});
  }

  void go_on(Step step) {
    steps_.push_back(std::move(step));
    extend();
    steps_.pop_back();
  }

  void replay() {
    ++schedules_;
    World world(type_, kAuthors);
    try {
      for (const Step& step : steps_) {
        if (!step.written) {
          world.deliver(step.who);
          continue;
        }
        if (step.catches_up) world.catch_up(step.who);
        world.write(step.who, *step.written);
      }
      world.check_forms(world.versions() / 2);
    } catch (const Violation& violation) {
      BOOST_FAIL(violation.text << " in " << told());
    }
  }

  [[nodiscard]] std::string told() const {
    std::string text;
    for (const Step& step : steps_) {
      const std::string_view what = step.written ? verb_of(*step.written) : "arrives";
      text += fmt::format("{}{}:{} ", step.catches_up ? "seen " : "",
                          static_cast<char>('a' + step.who), what);
    }
    return text;
  }

  ValueType type_;
  std::vector<Op> ops_;
  std::vector<Step> steps_;
  std::uint64_t schedules_ = 0;
};

void hold_in_all_schedules(ValueType type, std::vector<Op> ops) {
  BOOST_TEST(Exhaustive(type, std::move(ops)).hold() > 10'000U);
}

BOOST_AUTO_TEST_SUITE(merge_laws_test)

BOOST_AUTO_TEST_CASE(max_and_min_are_the_extremes_of_what_was_written_of_one_kind) {
  for (const ValueType type : {ValueType::kMax, ValueType::kMin}) {
    const World::Met met = hold_in_random_schedules(type);
    BOOST_TEST((met.applied > 0 && met.nothing > 0 && met.rejected > 0));
  }
}

BOOST_AUTO_TEST_CASE(a_once_flag_is_raised_by_any_write) {
  const World::Met met = hold_in_random_schedules(ValueType::kOnceFlag);
  BOOST_TEST((met.applied > 0 && met.nothing > 0));
}

BOOST_AUTO_TEST_CASE(counters_are_the_sum_of_all_increments_that_fit) {
  for (const ValueType type : {ValueType::kCounter, ValueType::kGrowCounter}) {
    const World::Met met = hold_in_random_schedules(type);
    BOOST_TEST((met.applied > 0 && met.nothing > 0 && met.rejected > 0));
  }
}

BOOST_AUTO_TEST_CASE(a_resettable_counter_is_the_sum_of_increments_that_no_reset_had_seen) {
  const World::Met met = hold_in_random_schedules(ValueType::kResettableCounter);
  BOOST_TEST((met.applied > 0 && met.nothing > 0 && met.rejected > 0));
}

BOOST_AUTO_TEST_CASE(a_bounded_counter_agrees_with_a_book_of_accounts) {
  const World::Met met = hold_in_random_schedules(ValueType::kBoundedCounter);
  BOOST_TEST((met.applied > 0 && met.rejected > 0));
}

BOOST_AUTO_TEST_CASE(flags_rest_on_what_nobody_who_turned_them_had_seen) {
  for (const ValueType type : {ValueType::kEnableFlag, ValueType::kDisableFlag}) {
    const World::Met met = hold_in_random_schedules(type);
    BOOST_TEST((met.applied > 0 && met.nothing > 0));
  }
}

BOOST_AUTO_TEST_CASE(sets_hold_what_their_definitions_say_and_no_dot_more) {
  for (const ValueType type : {ValueType::kOrSet, ValueType::kRemoveWinsSet, ValueType::kGrowSet}) {
    const World::Met met = hold_in_random_schedules(type);
    BOOST_TEST((met.applied > 0 && met.deltas > 0));
  }
}

BOOST_AUTO_TEST_CASE(a_multi_register_keeps_the_writes_that_no_writer_had_seen) {
  BOOST_TEST(hold_in_random_schedules(ValueType::kMultiRegister).applied > 0U);
}

BOOST_AUTO_TEST_CASE(a_map_has_the_fields_with_an_unremoved_update_each_by_its_type) {
  const World::Met met = hold_in_random_schedules(ValueType::kMap);
  BOOST_TEST((met.applied > 0 && met.nothing > 0 && met.rejected > 0 && met.conflicts > 0));
  BOOST_TEST(met.deltas > 0U);
}

BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_a_flag) {
  for (const ValueType type : {ValueType::kEnableFlag, ValueType::kDisableFlag})
    hold_in_all_schedules(type, {FlagOp{true, type}, FlagOp{false, type}});
}

BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_a_set) {
  for (const ValueType type : {ValueType::kOrSet, ValueType::kRemoveWinsSet})
    hold_in_all_schedules(type, {SetAddOp{{"x"}, type}, SetRemoveOp{{"x"}, type}});
}

BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_a_resettable_counter) {
  const ValueType type = ValueType::kResettableCounter;
  hold_in_all_schedules(type, {IncrOp{3, type}, ResetOp{}});
}

BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_what_adds_up_or_grows) {
  hold_in_all_schedules(ValueType::kCounter, {IncrOp{3}, IncrOp{-2}});
  hold_in_all_schedules(ValueType::kGrowCounter,
                        {IncrOp{1, ValueType::kGrowCounter}, IncrOp{2, ValueType::kGrowCounter}});
  hold_in_all_schedules(ValueType::kBoundedCounter, {IncrOp{2, ValueType::kBoundedCounter},
                                                     IncrOp{-1, ValueType::kBoundedCounter}});
  hold_in_all_schedules(ValueType::kGrowSet, {SetAddOp{{"x"}, ValueType::kGrowSet},
                                              SetAddOp{{"y"}, ValueType::kGrowSet}});
  for (const ValueType type : {ValueType::kMax, ValueType::kMin})
    hold_in_all_schedules(
        type, {RaiseOp{Scalar(std::int64_t{1}), type}, RaiseOp{Scalar(std::int64_t{2}), type}});
  const FlagOp raise{true, ValueType::kOnceFlag};
  hold_in_all_schedules(ValueType::kOnceFlag, {raise, raise});
}

BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_siblings_and_fields) {
  hold_in_all_schedules(ValueType::kMultiRegister,
                        {PutOp{ContentType::kText, "x", ValueType::kMultiRegister},
                         PutOp{ContentType::kText, "y", ValueType::kMultiRegister}});
  hold_in_all_schedules(ValueType::kMap, {field_op({"f"}, IncrOp{1}), field_op({"f"}, DeleteOp{})});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle::laws
