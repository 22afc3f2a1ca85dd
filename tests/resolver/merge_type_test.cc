// The traps of the types that merge, one case each. That the rules agree with the definitions at
// large is for merge_laws_test.cc.

#include "resolver/merge_type.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/shape.h"
#include "base/value_bytes.h"

namespace waggle {
namespace {

using Kind = Verdict::Kind;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// Who writes, having seen what: its own writes up to `own` beside all commits up to `seen`.
struct By {
  std::string agent = "a";
  std::uint64_t seen = 0;
  std::uint64_t own = 0;
  std::uint64_t stamp = 1;
};

// One value; each write that applies is the next revision.
class Place {
 public:
  Verdict write(const By& by, const Op& op) {
    const Author author{AgentId(by.agent),    Incarnation(1),    Seq(++seq_),
                        Hlc::of(by.stamp, 0), Revision(by.seen), {{Incarnation(1), Seq(by.own)}}};
    Verdict verdict = merge_op(op, value ? &*value : nullptr,
                               {author, Dot{Revision(head + 1), 0, author.writer()}, floor});
    if (verdict.kind != Kind::kApply) return verdict;
    ++head;
    value = verdict.value;
    check_invariants(*value);
    const Result<Value> decoded = decode_value(type_of(*value), encode_value(*value));
    BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
    BOOST_REQUIRE(*decoded == *value);
    return verdict;
  }
  // By somebody who has seen everything.
  Verdict write(const Op& op) { return write({.seen = head}, op); }
  // The number of the newest write of whoever; for By::own.
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  template <typename T>
  [[nodiscard]] const T& as() const {
    return std::get<T>(value.value());
  }

  std::optional<Value> value;
  std::uint64_t head = 0;
  Revision floor;

 private:
  std::uint64_t seq_ = 0;
};

bool rejected(const Verdict& verdict, Reason reason, std::string_view part_of_text = {}) {
  BOOST_TEST_INFO(verdict.text);
  return verdict.kind == Kind::kReject && verdict.reason == reason &&
         verdict.text.find(part_of_text) != std::string::npos;
}
bool conflicts(const Verdict& verdict, ConflictKind kind, std::string_view part_of_text = {}) {
  BOOST_TEST_INFO(verdict.text);
  return verdict.kind == Kind::kConflict && verdict.conflict == kind &&
         verdict.text.find(part_of_text) != std::string::npos;
}
bool applied(const Verdict& verdict) {
  BOOST_TEST_INFO(verdict.text);
  return verdict.kind == Kind::kApply;
}

IncrOp incr(std::int64_t amount, ValueType type) {
  return {amount, type};
}
SetAddOp add(std::vector<std::string> elements, ValueType type = ValueType::kOrSet) {
  return {std::move(elements), type};
}
SetRemoveOp remove(std::vector<std::string> elements, ValueType type = ValueType::kOrSet) {
  return {std::move(elements), type};
}
PutOp put(std::string bytes, ValueType type = ValueType::kRegister) {
  return {ContentType::kText, std::move(bytes), type};
}
EditOp type_at(std::uint64_t at, std::string text, std::uint64_t removed = 0) {
  SequenceEdit edit{at, removed, {}};
  if (!text.empty()) edit.inserted = {std::move(text)};
  return {{std::move(edit)}, ValueType::kText};
}
FieldOp removal(std::vector<std::string> path, std::optional<ValueType> type = {}) {
  FieldOp op = field_op(std::move(path), DeleteOp{});
  op.removed_type = type;
  return op;
}
const Field* field_of(const Map& map, const std::string& name, ValueType type) {
  return map.fields.find(FieldId{name, type});
}
template <typename T>
const T& in_field(const Map& map, const std::string& name, ValueType type) {
  const Field* field = field_of(map, name, type);
  BOOST_REQUIRE(field != nullptr);
  return std::get<T>(field->value->value);
}

BOOST_AUTO_TEST_SUITE(merge_type_test)

// ---- max, min, once ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_number_that_is_none_is_refused_and_a_negative_zero_is_zero) {
  Place place;
  BOOST_TEST(rejected(place.write(RaiseOp{std::nan(""), ValueType::kMax}), Reason::kInvalid));
  BOOST_TEST(applied(place.write(RaiseOp{-0.0, ValueType::kMax})));
  BOOST_TEST(!std::signbit(std::get<double>(place.as<MaxValue>().value)));
  BOOST_TEST(rejected(place.write(RaiseOp{std::nan(""), ValueType::kMax}), Reason::kInvalid));
  BOOST_CHECK(place.write(RaiseOp{0.0, ValueType::kMax}).kind == Kind::kNothing);
  BOOST_TEST(applied(place.write(RaiseOp{HUGE_VAL, ValueType::kMax})));
}

BOOST_AUTO_TEST_CASE(values_of_another_kind_are_not_compared) {
  for (const ValueType type : {ValueType::kMax, ValueType::kMin}) {
    Place place;
    place.write(RaiseOp{std::int64_t{5}, type});
    for (const Scalar& other : {Scalar(std::uint64_t{6}), Scalar(6.0), Scalar(std::string("6"))})
      BOOST_TEST(rejected(place.write(RaiseOp{other, type}), Reason::kTypeMismatch, "integer"));
  }
}

BOOST_AUTO_TEST_CASE(naturals_above_the_signed_range_are_greater_and_bytes_compare_unsigned) {
  Place number;
  number.write(RaiseOp{std::uint64_t{1}, ValueType::kMax});
  BOOST_TEST(applied(number.write(RaiseOp{UINT64_MAX, ValueType::kMax})));
  Place text;
  text.write(RaiseOp{std::string("a"), ValueType::kMax});
  BOOST_TEST(applied(text.write(RaiseOp{std::string("\xff"), ValueType::kMax})));
}

// ---- counters ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(no_counter_wraps_in_either_direction) {
  struct Case {
    ValueType type;
    std::int64_t to_the_end;
    std::int64_t beyond;
  };
  for (const auto& [type, to_the_end, beyond] :
       {Case{ValueType::kCounter, kMost, 1}, Case{ValueType::kCounter, kLeast, -1},
        Case{ValueType::kResettableCounter, kMost, 1},
        Case{ValueType::kResettableCounter, kLeast, -1},
        Case{ValueType::kBoundedCounter, std::int64_t{limits::kNumberMax}, 1},
        Case{ValueType::kBoundedCounter, std::int64_t{limits::kNumberMax}, kMost}}) {
    BOOST_TEST_CONTEXT(to_text(type) << ' ' << beyond) {
      Place place;
      BOOST_TEST(applied(place.write(incr(to_the_end, type))));
      const std::optional<Value> before = place.value;
      BOOST_TEST(rejected(place.write(incr(beyond, type)), Reason::kOverflow));
      BOOST_CHECK(place.value == before);
    }
  }
  Place rising;
  for (const std::int64_t amount : {kMost, kMost, std::int64_t{1}})
    BOOST_TEST(applied(rising.write(incr(amount, ValueType::kGrowCounter))));
  BOOST_TEST(rising.as<GrowCounter>().total == UINT64_MAX);
  BOOST_TEST(rejected(rising.write(incr(1, ValueType::kGrowCounter)), Reason::kOverflow));
}

BOOST_AUTO_TEST_CASE(a_grow_counter_takes_no_decrement) {
  const Status shape = check_entry({Key("k"), {}, incr(-1, ValueType::kGrowCounter), {}});
  BOOST_REQUIRE(!shape);
  BOOST_TEST(shape.error().text.find("only rises") != std::string::npos);
  BOOST_TEST(!check_entry({Key("k"), {}, field_op({"f"}, incr(-1, ValueType::kGrowCounter)), {}}));
}

BOOST_AUTO_TEST_CASE(two_decrements_below_zero_add_up) {
  Place place;
  place.write({"a"}, incr(-5, ValueType::kCounter));
  place.write({"b"}, incr(-5, ValueType::kCounter));
  BOOST_TEST(place.as<Counter>().total == -10);
}

// ---- resettable counter ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_reset_takes_only_what_its_author_had_seen_and_its_own) {
  constexpr ValueType kType = ValueType::kResettableCounter;
  Place place;
  place.write({"a"}, incr(1, kType));
  place.write({"b", 1}, incr(10, kType));
  const std::uint64_t own = place.seq();
  place.write({"c"}, incr(100, kType));
  BOOST_TEST(applied(place.write({"b", 1, own}, ResetOp{})));
  BOOST_TEST(place.as<ResettableCounter>().total() == 100);
  BOOST_CHECK(place.write({"b", 1, own}, ResetOp{}).kind == Kind::kNothing);
}

BOOST_AUTO_TEST_CASE(a_reset_of_an_absent_counter_makes_none) {
  Place place;
  BOOST_CHECK(place.write(ResetOp{}).kind == Kind::kNothing);
}

BOOST_AUTO_TEST_CASE(a_reset_that_can_not_tell_what_was_folded_is_a_conflict) {
  constexpr ValueType kType = ValueType::kResettableCounter;
  Place place;
  for (std::size_t i = 0; i <= limits::kCounterShares; ++i) place.write({"b"}, incr(1, kType));
  BOOST_TEST(place.as<ResettableCounter>().shares.size() == limits::kCounterShares);
  BOOST_CHECK(place.as<ResettableCounter>().folded_through == Revision(1));
  BOOST_TEST(
      conflicts(place.write({"a", 0}, ResetOp{}), ConflictKind::kDeleteUpdate, "revision 0"));
  BOOST_TEST(applied(place.write({"a", 1}, ResetOp{})));
  BOOST_TEST(place.as<ResettableCounter>().total() == std::int64_t{limits::kCounterShares});

  place.floor = Revision(20);
  place.write(incr(1, kType));
  BOOST_CHECK(place.as<ResettableCounter>().folded_through == Revision(20));
  BOOST_TEST(conflicts(place.write({"a", 19}, ResetOp{}), ConflictKind::kDeleteUpdate));
}

BOOST_AUTO_TEST_CASE(a_reset_that_would_leave_too_much_is_refused) {
  constexpr ValueType kType = ValueType::kResettableCounter;
  Place place;
  place.write({"a"}, incr(-5, kType));
  place.write({"b"}, incr(kMost, kType));
  place.write({"c"}, incr(5, kType));
  BOOST_TEST(rejected(place.write({"d", 1}, ResetOp{}), Reason::kOverflow));
  BOOST_TEST(place.as<ResettableCounter>().total() == kMost);
}

// ---- bounded counter ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_bounded_counter_never_falls_below_zero) {
  constexpr ValueType kType = ValueType::kBoundedCounter;
  Place place;
  BOOST_TEST(rejected(place.write(incr(-1, kType)), Reason::kNotEnough));
  place.write(incr(10, kType));
  BOOST_TEST(applied(place.write({"b"}, incr(-7, kType))));
  BOOST_TEST(rejected(place.write({"c"}, incr(-4, kType)), Reason::kNotEnough, "3 are free"));
  BOOST_TEST(rejected(place.write({"c"}, incr(kLeast, kType)), Reason::kNotEnough));
  BOOST_TEST(place.as<BoundedCounter>().total() == 3U);
}

BOOST_AUTO_TEST_CASE(what_an_agent_reserved_is_its_own_to_spend) {
  constexpr ValueType kType = ValueType::kBoundedCounter;
  Place place;
  place.write(incr(10, kType));
  BOOST_TEST(applied(place.write({"b"}, EscrowOp{EscrowVerb::kReserve, 6, {}})));
  BOOST_TEST(rejected(place.write({"c"}, incr(-5, kType)), Reason::kNotEnough));
  BOOST_TEST(
      rejected(place.write({"c"}, EscrowOp{EscrowVerb::kReserve, 5, {}}), Reason::kNotEnough));
  BOOST_TEST(
      rejected(place.write({"c"}, EscrowOp{EscrowVerb::kRelease, 1, {}}), Reason::kNotEnough));
  BOOST_TEST(applied(place.write({"c"}, incr(-4, kType))));
  // From its reserve first, and all of it, though it has an old context.
  BOOST_TEST(applied(place.write({"b"}, incr(-5, kType))));
  BOOST_TEST(place.as<BoundedCounter>().reserved.at(AgentId("b")) == 1U);
  BOOST_TEST(applied(place.write({"b"}, EscrowOp{EscrowVerb::kRelease, 1, {}})));
  BOOST_TEST(place.as<BoundedCounter>().reserved.empty());
  BOOST_TEST(place.as<BoundedCounter>().free == 1U);
}

BOOST_AUTO_TEST_CASE(a_reserve_is_handed_over_and_only_ones_own) {
  Place place;
  place.write(incr(10, ValueType::kBoundedCounter));
  place.write({"b"}, EscrowOp{EscrowVerb::kReserve, 6, {}});
  const EscrowOp to_c{EscrowVerb::kHandOver, 4, AgentId("c")};
  BOOST_TEST(rejected(place.write({"d"}, to_c), Reason::kNotEnough));
  BOOST_TEST(applied(place.write({"b"}, to_c)));
  BOOST_TEST(rejected(place.write({"b"}, to_c), Reason::kNotEnough));
  BOOST_TEST(place.as<BoundedCounter>().reserved.at(AgentId("b")) == 2U);
  BOOST_TEST(place.as<BoundedCounter>().reserved.at(AgentId("c")) == 4U);
  BOOST_TEST(place.as<BoundedCounter>().total() == 10U);
  BOOST_CHECK(place.write({"b"}, EscrowOp{EscrowVerb::kHandOver, 2, AgentId("b")}).kind ==
              Kind::kNothing);
}

BOOST_AUTO_TEST_CASE(a_client_holds_no_reserve) {
  Place place;
  place.write(incr(10, ValueType::kBoundedCounter));
  place.write({"b"}, EscrowOp{EscrowVerb::kReserve, 6, {}});
  BOOST_TEST(rejected(place.write({"~client-1"}, EscrowOp{EscrowVerb::kReserve, 1, {}}),
                      Reason::kInvalid, "member"));
  BOOST_TEST(rejected(place.write({"b"}, EscrowOp{EscrowVerb::kHandOver, 1, AgentId("~client-1")}),
                      Reason::kInvalid));
  BOOST_TEST(applied(place.write({"~client-1"}, incr(-4, ValueType::kBoundedCounter))));
}

BOOST_AUTO_TEST_CASE(reserves_beyond_their_limit_are_refused) {
  Place place;
  place.write(incr(5'000, ValueType::kBoundedCounter));
  for (std::size_t i = 0; i < limits::kReserves; ++i)
    BOOST_REQUIRE(
        applied(place.write({"m" + std::to_string(i)}, EscrowOp{EscrowVerb::kReserve, 1, {}})));
  BOOST_TEST(rejected(place.write({"one-more"}, EscrowOp{EscrowVerb::kReserve, 1, {}}),
                      Reason::kTooLarge));
  BOOST_TEST(applied(place.write({"m7"}, EscrowOp{EscrowVerb::kReserve, 1, {}})));
  BOOST_TEST(applied(place.write({"m8"}, EscrowOp{EscrowVerb::kHandOver, 1, AgentId("one-more")})));
}

// ---- flags and sets ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(of_concurrent_turns_each_flag_has_its_winner) {
  for (const bool on_first : {true, false}) {
    Place enable;
    enable.write(FlagOp{true, ValueType::kEnableFlag});
    enable.write({"b", 1}, FlagOp{on_first, ValueType::kEnableFlag});
    enable.write({"c", 1}, FlagOp{!on_first, ValueType::kEnableFlag});
    BOOST_TEST(enable.as<EnableFlag>().on());
    Place disable;
    disable.write(FlagOp{true, ValueType::kDisableFlag});
    disable.write({"b", 1}, FlagOp{on_first, ValueType::kDisableFlag});
    disable.write({"c", 1}, FlagOp{!on_first, ValueType::kDisableFlag});
    BOOST_TEST(!disable.as<DisableFlag>().on());
  }
}

BOOST_AUTO_TEST_CASE(a_removal_wins_over_an_addition_that_had_not_seen_it) {
  constexpr ValueType kType = ValueType::kRemoveWinsSet;
  for (const bool removal_first : {true, false}) {
    Place place;
    place.write(add({"x"}, kType));
    if (removal_first) place.write({"b", 1}, remove({"x"}, kType));
    place.write({"c", 1}, add({"x"}, kType));
    if (!removal_first) place.write({"b", 1}, remove({"x"}, kType));
    BOOST_TEST(count_of(*place.value) == 0U);
    BOOST_TEST(applied(place.write(add({"x"}, kType))));
    BOOST_TEST(count_of(*place.value) == 1U);
    BOOST_TEST(place.as<RemoveWinsSet>().removed == 0U);
  }
}

// Also of what was never added: the addition may be on its way.
BOOST_AUTO_TEST_CASE(a_removal_before_its_addition_arrives_wins) {
  constexpr ValueType kType = ValueType::kRemoveWinsSet;
  Place place;
  BOOST_TEST(applied(place.write({"b"}, remove({"x"}, kType))));
  place.write({"a"}, add({"x"}, kType));
  BOOST_TEST(count_of(*place.value) == 0U);
}

BOOST_AUTO_TEST_CASE(the_floor_sweeps_removals_that_everybody_has_seen) {
  constexpr ValueType kType = ValueType::kRemoveWinsSet;
  Place place;
  place.write(add({"x", "y", "z"}, kType));
  place.write(remove({"x"}, kType));            // revision 2
  place.write({"b", 1}, remove({"y"}, kType));  // revision 3
  BOOST_TEST(place.as<RemoveWinsSet>().elements.size() == 3U);
  place.floor = Revision(2);
  place.write(add({"w"}, kType));
  BOOST_TEST(place.as<RemoveWinsSet>().elements.find("x") == nullptr);
  BOOST_TEST(place.as<RemoveWinsSet>().elements.find("y") != nullptr);
  BOOST_TEST(place.as<RemoveWinsSet>().removed == 1U);
  place.floor = Revision(3);
  place.write(add({"w"}, kType));
  BOOST_TEST(place.as<RemoveWinsSet>().elements.size() == 2U);  // w, z
  BOOST_TEST(place.as<RemoveWinsSet>().removed == 0U);
}

// Of what is joined nobody can claim that it is its own: rather too much stays than too little.
BOOST_AUTO_TEST_CASE(dots_beyond_their_limit_are_joined_and_keep_what_was_not_seen) {
  Place place;
  place.write({"w0"}, add({"x"}));
  const std::uint64_t own = place.seq();
  for (std::size_t i = 1; i < limits::kDots + 3; ++i)
    place.write({"w" + std::to_string(i)}, add({"x"}));
  const Dots& dots = *place.as<OrSet>().elements.find("x");
  BOOST_TEST(dots.size() == limits::kDots);
  BOOST_CHECK(dots.front().revision == Revision(4));
  BOOST_TEST(dots.front().writer.agent.value() == kCoordinatorName);
  BOOST_CHECK(place.write({"w0", 3, own}, remove({"x"})).kind == Kind::kNothing);
  BOOST_TEST(applied(place.write({"w0", 4, own}, remove({"x"}))));
  BOOST_TEST(place.as<OrSet>().elements.find("x")->size() == limits::kDots - 1);
  BOOST_TEST(applied(place.write(remove({"x"}))));
  BOOST_TEST(place.as<OrSet>().elements.size() == 0U);
}

BOOST_AUTO_TEST_CASE(metadata_does_not_grow_with_the_number_of_writers) {
  const std::vector<Op> ops = {
      add({"x"}),
      add({"x"}, ValueType::kRemoveWinsSet),
      FlagOp{true, ValueType::kEnableFlag},
      FlagOp{false, ValueType::kDisableFlag},
      put("v", ValueType::kMultiRegister),
      incr(1, ValueType::kResettableCounter),
      field_op({"m", "s"}, add({"x"})),
  };
  for (const Op& op : ops) {
    BOOST_TEST_CONTEXT(verb_of(op)) {
      Place informed;
      Place late;
      for (int i = 1000; i < 2000; ++i) {
        informed.write({"w" + std::to_string(i), informed.head, 0, static_cast<std::uint64_t>(i)},
                       op);
        late.write({"w" + std::to_string(i), 0, 0, static_cast<std::uint64_t>(i)}, op);
      }
      constexpr std::size_t kDotSize = 48;  // with its writer's id
      constexpr std::size_t kMostDots = std::max(limits::kCounterShares, limits::kSiblings);
      const std::size_t parts = std::holds_alternative<FieldOp>(op) ? 3 : 1;
      BOOST_TEST(size_of(*late.value) <= parts * (kMostDots * (kDotSize + 16) + 32));
      if (!std::holds_alternative<IncrOp>(op))
        BOOST_TEST(size_of(*informed.value) <= parts * (kDotSize + 32));
    }
  }
}

// ---- multi-register ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(siblings_beyond_their_limit_go_by_stamp_and_a_rule_names_it) {
  constexpr ValueType kType = ValueType::kMultiRegister;
  Place place;
  for (std::uint64_t i = 0; i < limits::kSiblings; ++i)
    BOOST_TEST(place
                   .write({"w" + std::to_string(i), 0, 0, i == 3 ? 5 : 100 + i},
                          put(std::to_string(i), kType))
                   .rule.empty());
  const Verdict verdict = place.write({"late", 0, 0, 50}, put("late", kType));
  BOOST_TEST(applied(verdict));
  BOOST_TEST(verdict.rule == "siblings(16)");
  const std::vector<Sibling>& siblings = place.as<MultiRegister>().siblings;
  BOOST_TEST(siblings.size() == limits::kSiblings);
  for (const Sibling& one : siblings) BOOST_TEST(one.value.bytes != "3");
  BOOST_TEST(siblings.back().value.bytes == "late");

  // One with the least stamp of all is the one that goes; of equal stamps the lesser agent's.
  place.write({"later", 0, 0, 1}, put("later", kType));
  for (const Sibling& one : place.as<MultiRegister>().siblings)
    BOOST_TEST(one.value.bytes != "later");
  place.write({"a", 0, 0, 50}, put("tied", kType));
  BOOST_TEST(place.as<MultiRegister>().siblings.back().value.bytes == "late");

  place.write(put("settled", kType));
  BOOST_TEST(place.as<MultiRegister>().siblings.size() == 1U);
}

// ---- maps --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_update_keeps_a_field_that_is_removed_meanwhile_and_only_what_is_new_of_it) {
  Place place;
  place.write(field_op({"f"}, add({"old"})));
  place.write({"b", 1}, field_op({"f"}, add({"new"})));
  BOOST_TEST(applied(place.write({"c", 1}, removal({"f"}))));
  const OrSet& set = in_field<OrSet>(place.as<Map>(), "f", ValueType::kOrSet);
  BOOST_TEST(set.elements.size() == 1U);
  BOOST_TEST(set.elements.contains("new"));
  // And what was removed does not come back with a later addition.
  place.write(removal({"f"}));
  BOOST_TEST(place.as<Map>().fields.size() == 0U);
  place.write(field_op({"f"}, add({"again"})));
  BOOST_TEST(in_field<OrSet>(place.as<Map>(), "f", ValueType::kOrSet).elements.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_removed_counter_keeps_only_the_increments_that_were_not_seen) {
  constexpr ValueType kType = ValueType::kResettableCounter;
  Place place;
  place.write(field_op({"m", "n"}, incr(10, kType)));
  place.write({"b"}, field_op({"m", "n"}, incr(1, kType)));
  place.write({"c", 1}, removal({"m"}));
  const Map& inner = in_field<Map>(place.as<Map>(), "m", ValueType::kMap);
  BOOST_TEST(in_field<ResettableCounter>(inner, "n", kType).total() == 1);
}

BOOST_AUTO_TEST_CASE(one_name_with_two_types_is_two_fields) {
  Place place;
  place.write({"a"}, field_op({"f"}, put("1")));
  BOOST_TEST(applied(place.write({"b"}, field_op({"f"}, incr(2, ValueType::kCounter)))));
  BOOST_TEST(applied(place.write({"c"}, field_op({"f", "g"}, put("3")))));
  BOOST_TEST(place.as<Map>().fields.size() == 3U);

  Place other = place;
  BOOST_TEST(applied(other.write(removal({"f"}, ValueType::kCounter))));
  BOOST_TEST(field_of(other.as<Map>(), "f", ValueType::kCounter) == nullptr);
  BOOST_TEST(other.as<Map>().fields.size() == 2U);
  BOOST_CHECK(other.write(removal({"f"}, ValueType::kCounter)).kind == Kind::kNothing);
  BOOST_TEST(applied(place.write(removal({"f"}))));
  BOOST_TEST(place.as<Map>().fields.size() == 0U);
}

BOOST_AUTO_TEST_CASE(the_later_of_two_concurrent_writes_of_a_field_stands_and_the_path_is_named) {
  Place place;
  place.write({"a", 0, 0, 20}, field_op({"m", "f"}, put("20")));
  const Verdict lost = place.write({"b", 0, 0, 10}, field_op({"m", "f"}, put("10")));
  BOOST_TEST(conflicts(lost, ConflictKind::kFieldConflict, "/m/f"));
  BOOST_TEST(lost.text.find("written by a") != std::string::npos);
  BOOST_TEST(applied(place.write({"b", 0, 0, 20}, field_op({"m", "f"}, put("tie")))));
  BOOST_TEST(applied(place.write({"b", 2, 0, 1}, field_op({"m", "f"}, put("informed")))));
  const Map& inner = in_field<Map>(place.as<Map>(), "m", ValueType::kMap);
  BOOST_TEST(in_field<Register>(inner, "f", ValueType::kRegister).bytes == "informed");
}

BOOST_AUTO_TEST_CASE(a_refusal_within_a_map_names_the_field) {
  Place place;
  BOOST_TEST(rejected(place.write(field_op({"m", "quota"}, incr(-1, ValueType::kBoundedCounter))),
                      Reason::kNotEnough, "/m/quota"));
  BOOST_TEST(!place.value.has_value());
}

BOOST_AUTO_TEST_CASE(a_removal_of_what_is_not_there_makes_no_map) {
  Place place;
  BOOST_CHECK(place.write(removal({"m", "f"})).kind == Kind::kNothing);
  BOOST_CHECK(place.write(field_op({"m", "f"}, remove({"x"}))).kind == Kind::kNothing);
}

BOOST_AUTO_TEST_CASE(maps_nest_up_to_their_limit) {
  std::vector<std::string> path(limits::kMapDepth, "m");
  const Entry deepest{Key("k"), {}, field_op(path, put("v")), {}};
  BOOST_TEST(check_entry(deepest).has_value());
  Place place;
  BOOST_TEST(applied(place.write(deepest.op)));
  path.emplace_back("m");
  const Status beyond = check_entry({Key("k"), {}, field_op(path, put("v")), {}});
  BOOST_REQUIRE(!beyond);
  BOOST_TEST(beyond.error().text.find("1..8 names") != std::string::npos);

  Value nested = *place.value;
  Map outer;
  outer.fields.set(FieldId{"m", ValueType::kMap},
                   Field{std::make_shared<const Nested>(Nested{nested}),
                         {},
                         {Dot{Revision(1), 0, {AgentId("a"), Incarnation(1), Seq(1)}}}});
  BOOST_TEST(!decode_value(ValueType::kMap, encode_value(outer)).has_value());
}

BOOST_AUTO_TEST_CASE(a_removal_that_can_not_tell_what_was_folded_is_a_conflict_with_the_path) {
  constexpr ValueType kType = ValueType::kResettableCounter;
  Place place;
  for (std::size_t i = 0; i <= limits::kCounterShares; ++i)
    place.write({"b"}, field_op({"f"}, incr(1, kType)));
  BOOST_TEST(conflicts(place.write({"a"}, removal({"f"})), ConflictKind::kFieldConflict, "/f"));
  BOOST_TEST(applied(place.write(removal({"f"}))));
}

// The newest write had the least stamp and was not kept; who removes all that was kept leaves
// nothing that a multi-register could be.
BOOST_AUTO_TEST_CASE(a_removal_that_leaves_no_sibling_removes_the_field) {
  constexpr ValueType kType = ValueType::kMultiRegister;
  for (const bool within : {false, true}) {
    const std::vector<std::string> path =
        within ? std::vector<std::string>{"m", "f"} : std::vector<std::string>{"f"};
    Place place;
    for (std::uint64_t i = 0; i < limits::kSiblings; ++i)
      place.write({"w" + std::to_string(i), 0, 0, 100 + i}, field_op(path, put("v", kType)));
    BOOST_TEST(applied(place.write({"late", 0, 0, 1}, field_op(path, put("late", kType)))));
    BOOST_TEST(applied(place.write({"c", limits::kSiblings}, removal({path.front()}))));
    if (within) {
      BOOST_TEST(in_field<Map>(place.as<Map>(), "m", ValueType::kMap).fields.size() == 0U);
    } else {
      BOOST_TEST(place.as<Map>().fields.size() == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_removed_text_keeps_the_typing_that_was_not_seen) {
  Place place;
  place.write(field_op({"t"}, type_at(0, "old")));
  place.write({"b", 1}, field_op({"t"}, type_at(3, "new")));
  BOOST_TEST(applied(place.write({"c", 1}, removal({"t"}))));
  BOOST_TEST(in_field<Text>(place.as<Map>(), "t", ValueType::kText).sequence.text() == "new");
}

// ---- list and text -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_position_beyond_what_the_author_saw_is_out_of_range) {
  Place place;
  BOOST_TEST(rejected(place.write(type_at(1, "x")), Reason::kOutOfRange));
  place.write(type_at(0, "abc"));
  BOOST_TEST(rejected(place.write({"b", 0}, type_at(1, "x")), Reason::kOutOfRange));
  BOOST_TEST(rejected(place.write(type_at(2, "", 2)), Reason::kOutOfRange));
  BOOST_TEST(place.as<Text>().sequence.text() == "abc");
  BOOST_TEST(applied(place.write({"b", 0}, type_at(0, "x"))));
}

BOOST_AUTO_TEST_CASE(an_edit_that_speaks_of_folded_history_has_lost_its_base) {
  Place place;
  place.write(type_at(0, "abc"));
  place.floor = Revision(2);
  place.write(type_at(3, "def"));
  place.write({"b", 1}, type_at(0, "-"));  // little history is not worth folding
  BOOST_TEST(place.as<Text>().sequence.text() == "-abcdef");
  while (place.as<Text>().sequence.base() != Revision(2)) place.write(type_at(0, "x"));
  BOOST_TEST(place.as<Text>().sequence.history_bytes() > limits::kSequenceFoldBytes / 2);
  BOOST_TEST(rejected(place.write({"b", 1}, type_at(0, "x")), Reason::kBaseLost, "revision 1"));
  const std::uint64_t size = place.as<Text>().sequence.size();
  BOOST_TEST(applied(place.write({"b", 2}, type_at(6, "-"))));
  BOOST_TEST(place.as<Text>().sequence.size() == size + 1);
}

BOOST_AUTO_TEST_CASE(the_history_of_a_text_is_bounded_whatever_the_floor) {
  Text text;
  std::optional<Value> value = text;
  std::uint64_t head = 0;
  const auto edit = [&](std::uint64_t seen) {
    const Author author{AgentId("a"), Incarnation(1), Seq(head + 1), {}, Revision(seen), {}};
    Verdict verdict = merge_op(type_at(0, "x"), &*value,
                               {author, Dot{Revision(head + 1), 0, author.writer()}, {}});
    if (verdict.kind != Kind::kApply) return verdict;
    ++head;
    value = verdict.value;
    return verdict;
  };
  while (head < 20'000 && std::get<Text>(*value).sequence.base() == Revision()) {
    edit(head);
    BOOST_REQUIRE(std::get<Text>(*value).sequence.history_bytes() <= limits::kSequenceHistoryBytes);
  }
  BOOST_REQUIRE(std::get<Text>(*value).sequence.base() > Revision());
  check_invariants(*value);
  BOOST_TEST(std::get<Text>(*value).sequence.size() == head);
  BOOST_TEST(rejected(edit(0), Reason::kBaseLost));
  BOOST_TEST(applied(edit(head)));
}

// ---- what is left ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_value_holds_unseen_work_iff_something_is_left_without_what_was_seen) {
  const std::vector<Op> ops = {
      add({"x"}),
      add({"x"}, ValueType::kRemoveWinsSet),
      remove({"x"}, ValueType::kRemoveWinsSet),
      FlagOp{true, ValueType::kEnableFlag},
      FlagOp{false, ValueType::kDisableFlag},
      put("v", ValueType::kMultiRegister),
      incr(1, ValueType::kResettableCounter),
      field_op({"f"}, put("v")),
      type_at(0, "x"),
  };
  for (const Op& op : ops) {
    BOOST_TEST_CONTEXT(verb_of(op)) {
      Place place;
      place.write({"b"}, op);
      const std::uint64_t own = place.seq();
      place.write({"b", 1}, op);
      const auto holds = [&](const By& by) {
        const Author author{AgentId(by.agent),
                            Incarnation(1),
                            Seq(9),
                            {},
                            Revision(by.seen),
                            {{Incarnation(1), Seq(by.own)}}};
        return holds_unseen(*place.value,
                            {author, Dot{Revision(9), 0, author.writer()}, Revision()});
      };
      BOOST_TEST(holds({"a", 0}));
      BOOST_TEST(holds({"a", 1}));
      BOOST_TEST(holds({"b", 0, own}));
      BOOST_TEST(!holds({"a", 2}));
      BOOST_TEST(!holds({"b", 0, own + 1}));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
