#include "resolver/apply.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {
namespace {

using Kind = Verdict::Kind;

const AgentId kMe("m");
const AgentId kLesser("b");
const AgentId kGreater("z");
constexpr std::uint64_t kSeen = 10;
constexpr std::uint64_t kBehind = 12;  // a version that the author had not seen
constexpr std::uint64_t kNext = 30;
constexpr std::uint64_t kMillis = 1000;  // of the author's stamp

// The author has seen revision 10, and its own mutations up to seq 4 of incarnation 7; it writes 5.
Author author() {
  return {kMe,
          Incarnation(7),
          Seq(5),
          Hlc::of(kMillis, 0),
          Revision(kSeen),
          {{Incarnation(7), Seq(4)}}};
}

Dot dot(std::uint64_t revision, const AgentId& agent, std::uint64_t seq = 1) {
  return {Revision(revision), 0, {agent, Incarnation(7), Seq(seq)}};
}

OrSet set_of(std::vector<std::pair<std::string, std::vector<Dot>>> elements) {
  OrSet set;
  for (auto& [element, dots] : elements) set.elements.set(element, std::move(dots));
  return set;
}

Record record_of(std::optional<Value> value, std::uint64_t version, const AgentId& agent,
                 std::uint64_t millis, std::uint64_t seq = 1) {
  Record record;
  if (value) record.content = content_hash(*value);
  record.value = std::move(value);
  record.version = Revision(version);
  record.writer = {agent, Incarnation(7), Seq(seq)};
  record.hlc = Hlc::of(millis, 0);
  return record;
}

Entry entry_of(Op op, Expect expect = {}) {
  return {Key("key"), expect, std::move(op), {}};
}

Verdict judged(const Op& op, const Record* record, const Policy& policy = {},
               const Author& writer = author(), const Expect& expect = {},
               std::uint64_t floor = 0) {
  Policies policies;
  BOOST_REQUIRE(policies.add(policy));
  return judge(entry_of(op, expect), {record, Revision(floor), Revision(kNext), 2}, writer,
               policies);
}

// "put", "delete", "nothing", a conflict's kind or "rejected REASON"; ":RULE" if one chose.
std::string describe(const Verdict& verdict) {
  std::string text;
  switch (verdict.kind) {
    case Kind::kApply:
      text = verdict.value ? "put" : "delete";
      break;
    case Kind::kNothing:
      text = "nothing";
      break;
    case Kind::kConflict:
      text = to_text(verdict.conflict);
      break;
    case Kind::kPark:
      text = "park";
      break;
    case Kind::kReject:
      text = fmt::format("rejected {}", to_text(verdict.reason));
      break;
  }
  if (!verdict.rule.empty()) text += ":" + verdict.rule;
  return text;
}

Policy policy_of(Strategy strategy, Strategy otherwise = Strategy::kKeep) {
  Policy policy;
  policy.strategy = strategy;
  policy.otherwise = otherwise;
  return policy;
}

// ---- the table ---------------------------------------------------------------------------------

// What stands, as its writer's stamp and place tell; each row gives the verdict for each of these.
enum Standing : std::uint8_t {
  kAbsent,
  kInformed,  // changed before the author looked
  kOwn,       // changed since, by the author's own mutation that is in its view
  kOlder,     // changed since by another, with a lesser stamp
  kNewer,     // changed since by another, with a greater stamp
  kTombInformed,
  kTombOwn,
  kTombOlder,
  kTombNewer,
  kFloorAbsent,  // the author's cursor is below the floor
  kFloorOwn,
  kFloorOlder,
  kFloorNewer,
  kFloorTombOwn,
  kFloorTombOlder,
  kStandings,
};

std::optional<Record> standing_record(Standing standing, const Value& value) {
  switch (standing) {
    case kAbsent:
    case kFloorAbsent:
      return std::nullopt;
    case kInformed:
      return record_of(value, 9, kGreater, kMillis + 100);
    case kOwn:
    case kFloorOwn:
      return record_of(value, kBehind, kMe, kMillis + 100, 3);
    case kOlder:
    case kFloorOlder:
      return record_of(value, kBehind, kGreater, kMillis - 100);
    case kNewer:
    case kFloorNewer:
      return record_of(value, kBehind, kLesser, kMillis + 100);
    case kTombInformed:
      return record_of(std::nullopt, 9, kGreater, kMillis + 100);
    case kTombOwn:
    case kFloorTombOwn:
      return record_of(std::nullopt, kBehind, kMe, kMillis + 100, 3);
    case kTombOlder:
    case kFloorTombOlder:
      return record_of(std::nullopt, kBehind, kGreater, kMillis - 100);
    case kTombNewer:
      return record_of(std::nullopt, kBehind, kLesser, kMillis + 100);
    case kStandings:
      break;
  }
  BOOST_FAIL("no such standing");
  return std::nullopt;
}

struct Row {
  std::string_view name;
  Op op;
  Value value;  // what stands where something does
  std::vector<std::string_view> expected;
};

void check_table(const std::vector<Row>& rows, const std::vector<Policy>& policies) {
  for (const Row& row : rows) {
    BOOST_REQUIRE(row.expected.size() == kStandings);
    for (const Policy& policy : policies) {
      for (int number = 0; number < kStandings; ++number) {
        const auto standing = static_cast<Standing>(number);
        const std::optional<Record> record = standing_record(standing, row.value);
        const std::uint64_t floor = standing >= kFloorAbsent ? 11 : kSeen;
        const Verdict verdict =
            judged(row.op, record ? &*record : nullptr, policy, author(), {}, floor);
        BOOST_TEST(describe(verdict) == row.expected[standing],
                   row.name << ", standing " << number << ", " << to_text(policy.strategy) << ": "
                            << describe(verdict) << " instead of " << row.expected[standing]);
        const bool refused = verdict.kind == Kind::kConflict || verdict.kind == Kind::kReject;
        BOOST_TEST(refused != verdict.text.empty(), "whoever loses is told why");
      }
    }
  }
}

const Op kPut = PutOp{ContentType::kText, "mine"};
const Value kText = Register{ContentType::kText, "theirs"};
const Value kCount = Counter{40};

// The standing element was added by the last writer, at the version given.
Value one_element(std::uint64_t version) {
  return set_of({{"x", {dot(version, kLesser)}}});
}

// Merging types: the strategy has no say.
std::vector<Row> merging_rows() {
  const Value seen_element = one_element(9);
  const Value unseen_element = one_element(kBehind);
  return {
      {"incr",
       IncrOp{2},
       kCount,
       {"put", "put", "put", "put", "put", "put", "put", "put", "put", "delete_update", "put",
        "put", "put", "put", "delete_update"}},
      {"incr of nothing",
       IncrOp{0},
       kCount,
       {"put", "nothing", "nothing", "nothing", "nothing", "put", "put", "put", "put",
        "delete_update", "nothing", "nothing", "nothing", "put", "delete_update"}},
      {"delete of a counter",
       DeleteOp{},
       kCount,
       {"nothing", "delete", "delete", "delete_update:type(counter)", "delete_update:type(counter)",
        "nothing", "nothing", "nothing", "nothing", "nothing", "delete",
        "delete_update:type(counter)", "delete_update:type(counter)", "nothing", "nothing"}},
      {"add",
       SetAddOp{{"y"}},
       seen_element,
       {"put", "put", "put", "put", "put", "put", "put", "put", "put", "delete_update", "put",
        "put", "put", "put", "delete_update"}},
      {"remove of a seen element",
       SetRemoveOp{{"x"}},
       seen_element,
       {"nothing", "put", "put", "put", "put", "nothing", "nothing", "nothing", "nothing",
        "nothing", "put", "put", "put", "nothing", "nothing"}},
      {"remove of an element not there",
       SetRemoveOp{{"y"}},
       seen_element,
       {"nothing", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing",
        "nothing", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing"}},
      {"delete of a set of seen elements",
       DeleteOp{},
       seen_element,
       {"nothing", "delete", "delete", "delete_update:type(set)", "delete_update:type(set)",
        "nothing", "nothing", "nothing", "nothing", "nothing", "delete", "delete_update:type(set)",
        "delete_update:type(set)", "nothing", "nothing"}},
  };
}

BOOST_AUTO_TEST_SUITE(apply_test)

BOOST_AUTO_TEST_CASE(the_table_of_lww_holds) {
  check_table({{"put",
                kPut,
                kText,
                {"put", "put", "put", "put:lww", "concurrent_update:lww", "put", "put", "put:lww",
                 "delete_update:lww", "delete_update", "put", "put:lww", "concurrent_update:lww",
                 "put", "delete_update"}},
               {"delete",
                DeleteOp{},
                kText,
                {"nothing", "delete", "delete", "delete:lww", "delete_update:lww", "nothing",
                 "nothing", "nothing", "nothing", "nothing", "delete", "delete:lww",
                 "delete_update:lww", "nothing", "nothing"}}},
              {policy_of(Strategy::kLww), policy_of(Strategy::kQuorum, Strategy::kLww),
               policy_of(Strategy::kLww, Strategy::kLww)});
}

BOOST_AUTO_TEST_CASE(the_table_of_keep_holds) {
  check_table({{"put",
                kPut,
                kText,
                {"put", "put", "put", "concurrent_update:keep", "concurrent_update:keep", "put",
                 "put", "delete_update:keep", "delete_update:keep", "delete_update", "put",
                 "concurrent_update:keep", "concurrent_update:keep", "put", "delete_update"}},
               {"delete",
                DeleteOp{},
                kText,
                {"nothing", "delete", "delete", "delete_update:keep", "delete_update:keep",
                 "nothing", "nothing", "nothing", "nothing", "nothing", "delete",
                 "delete_update:keep", "delete_update:keep", "nothing", "nothing"}}},
              {policy_of(Strategy::kKeep), policy_of(Strategy::kQuorum),
               policy_of(Strategy::kKeep, Strategy::kLww)});
}

BOOST_AUTO_TEST_CASE(counters_and_sets_merge_whatever_the_strategy) {
  check_table(merging_rows(),
              {policy_of(Strategy::kLww), policy_of(Strategy::kKeep), policy_of(Strategy::kQuorum),
               policy_of(Strategy::kQuorum, Strategy::kLww)});
}

BOOST_AUTO_TEST_CASE(a_late_write_may_be_allowed_by_policy) {
  Policy policy;
  policy.late_write = LateWrite::kApply;
  for (const Op& op : {kPut, Op{IncrOp{1}}, Op{SetAddOp{{"x"}}}}) {
    BOOST_TEST(describe(judged(op, nullptr, policy, author(), {}, 11)) == "put");
    const Record tombstone = record_of(std::nullopt, kBehind, kGreater, kMillis - 100);
    const bool put = std::holds_alternative<PutOp>(op);
    BOOST_TEST(describe(judged(op, &tombstone, policy, author(), {}, 11)) ==
               (put ? "put:lww" : "put"));
  }
}

BOOST_AUTO_TEST_CASE(a_cursor_at_the_floor_is_not_below_it) {
  BOOST_TEST(describe(judged(kPut, nullptr, {}, author(), {}, kSeen)) == "put");
  BOOST_TEST(describe(judged(kPut, nullptr, {}, author(), {}, kSeen + 1)) == "delete_update");
}

// ---- who is concurrent
// ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(own_is_what_the_context_names) {
  const Author me = author();
  BOOST_TEST(me.own({kMe, Incarnation(7), Seq(4)}));
  BOOST_TEST(me.own({kMe, Incarnation(7), Seq(1)}));
  BOOST_TEST(!me.own({kMe, Incarnation(7), Seq(5)}));
  BOOST_TEST(!me.own({kMe, Incarnation(8), Seq(1)}));
  BOOST_TEST(!me.own({kLesser, Incarnation(7), Seq(1)}));
}

BOOST_AUTO_TEST_CASE(own_writes_outside_the_context_are_concurrent) {
  // Of an incarnation whose outbox was lost: the author did not know of it.
  Record record = record_of(kText, kBehind, kMe, kMillis + 100, 3);
  record.writer.incarnation = Incarnation(6);
  BOOST_TEST(describe(judged(kPut, &record)) == "concurrent_update:lww");
  Author knows = author();
  knows.own_through.push_back({Incarnation(6), Seq(3)});
  BOOST_TEST(describe(judged(kPut, &record, {}, knows)) == "put");
  knows.own_through.back().seq = Seq(2);
  BOOST_TEST(describe(judged(kPut, &record, {}, knows)) == "concurrent_update:lww");
}

BOOST_AUTO_TEST_CASE(a_commit_made_by_a_round_is_concurrent_to_everyone) {
  const Record record = record_of(kText, kBehind, AgentId(kCoordinatorName), kMillis + 100);
  BOOST_TEST(describe(judged(kPut, &record)) == "concurrent_update:lww");
  BOOST_TEST(describe(judged(kPut, &record, policy_of(Strategy::kKeep))) ==
             "concurrent_update:keep");
}

BOOST_AUTO_TEST_CASE(a_change_at_the_cursor_itself_was_seen) {
  const Record seen = record_of(kText, kSeen, kGreater, kMillis + 100);
  BOOST_TEST(describe(judged(kPut, &seen)) == "put");
  const Record unseen = record_of(kText, kSeen + 1, kGreater, kMillis + 100);
  BOOST_TEST(describe(judged(kPut, &unseen)) == "concurrent_update:lww");
}

// ---- last write wins
// -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_tie_of_stamps_is_broken_by_the_agent_id) {
  const Record lesser = record_of(kText, kBehind, kLesser, kMillis);
  BOOST_TEST(describe(judged(kPut, &lesser)) == "put:lww");
  const Record greater = record_of(kText, kBehind, kGreater, kMillis);
  BOOST_TEST(describe(judged(kPut, &greater)) == "concurrent_update:lww");
  // The same agent and stamp: what stands, stands.
  Record same = record_of(kText, kBehind, kMe, kMillis);
  same.writer.incarnation = Incarnation(6);
  BOOST_TEST(describe(judged(kPut, &same)) == "concurrent_update:lww");
}

BOOST_AUTO_TEST_CASE(of_two_concurrent_puts_the_same_one_wins_in_either_order) {
  const auto put_by = [](const AgentId& agent, std::uint64_t millis, const Record* record,
                         std::uint64_t next) {
    const Author writer{agent, Incarnation(7), Seq(1), Hlc::of(millis, 0), Revision(kSeen), {}};
    const Verdict verdict = judge(entry_of(PutOp{ContentType::kText, agent.value()}),
                                  {record, {}, Revision(next)}, writer, Policies());
    if (verdict.kind != Kind::kApply) return *record;
    return record_of(verdict.value, next, agent, millis);
  };
  const Record base = record_of(kText, 5, kGreater, 1);
  for (const std::uint64_t millis : {900U, 1000U, 1100U}) {
    const Record first = put_by(kMe, kMillis, &base, 11);
    const Record one = put_by(kLesser, millis, &first, 12);
    const Record second = put_by(kLesser, millis, &base, 11);
    const Record other = put_by(kMe, kMillis, &second, 12);
    BOOST_TEST((*one.value == *other.value));
    BOOST_TEST((one.writer.agent == (millis > kMillis ? kLesser : kMe)));
  }
}

BOOST_AUTO_TEST_CASE(the_loser_is_told_who_stands_and_since_when) {
  const Record newer = record_of(kText, kBehind, kLesser, kMillis + 1);
  const Verdict verdict = judged(kPut, &newer);
  BOOST_TEST(verdict.text.find("by b") != std::string::npos);
  BOOST_TEST(verdict.text.find("12") != std::string::npos);
  BOOST_TEST(verdict.text.find("key") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_put_carries_its_content_and_type) {
  const Verdict verdict = judged(PutOp{ContentType::kJson, "{}"}, nullptr);
  BOOST_TEST((verdict.value == Value{Register{ContentType::kJson, "{}"}}));
}

// ---- expected versions
// ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_expected_version_holds_or_is_a_mismatch) {
  struct Case {
    std::string_view what;
    std::optional<Record> record;
    Expect expect;
    bool holds;
  };
  const Record live = record_of(kText, kBehind, kGreater, kMillis + 100);
  const Record tombstone = record_of(std::nullopt, kBehind, kGreater, kMillis + 100);
  const Record mine = record_of(kText, kBehind, kMe, kMillis, 3);
  const Record my_tombstone = record_of(std::nullopt, kBehind, kMe, kMillis, 3);
  const Record informed = record_of(kText, kSeen, kGreater, kMillis);
  const Record own = record_of(kText, kBehind, kMe, kMillis, 4);
  Record of_earlier = mine;
  of_earlier.writer.incarnation = Incarnation(6);
  const std::vector<Case> cases = {
      {"0 of an absent key", std::nullopt, ExpectVersion{}, true},
      {"0 of a deleted key", tombstone, ExpectVersion{}, true},
      {"0 of a live key", live, ExpectVersion{}, false},
      {"the version of a live key", live, ExpectVersion{Revision(kBehind)}, true},
      {"an older version", live, ExpectVersion{Revision(9)}, false},
      {"a newer version", live, ExpectVersion{Revision(13)}, false},
      {"a version of an absent key", std::nullopt, ExpectVersion{Revision(kBehind)}, false},
      {"the version of the tombstone", tombstone, ExpectVersion{Revision(kBehind)}, false},
      {"mine, and it is", mine, ExpectMine{Seq(3)}, true},
      {"mine, of another seq", mine, ExpectMine{Seq(2)}, false},
      {"mine, of an earlier incarnation", of_earlier, ExpectMine{Seq(3)}, false},
      {"mine, but it is another's", live, ExpectMine{Seq(1)}, false},
      {"mine, but absent", std::nullopt, ExpectMine{Seq(3)}, false},
      {"mine, and I deleted it", my_tombstone, ExpectMine{Seq(3)}, true},
      {"unchanged, and it is absent", std::nullopt, ExpectUnchanged{}, true},
      {"unchanged since it was seen", informed, ExpectUnchanged{}, true},
      {"unchanged, but written meanwhile", live, ExpectUnchanged{}, false},
      {"unchanged, but deleted meanwhile", tombstone, ExpectUnchanged{}, false},
      {"unchanged but for an own write in the view", own, ExpectUnchanged{}, true},
  };
  for (const Case& test : cases) {
    const Record* record = test.record ? &*test.record : nullptr;
    for (const Strategy strategy : {Strategy::kLww, Strategy::kKeep, Strategy::kQuorum}) {
      const std::string put =
          describe(judged(kPut, record, policy_of(strategy), author(), test.expect));
      BOOST_TEST(put == (test.holds ? "put" : "version_mismatch"), test.what);
      const bool there = record != nullptr && record->live();
      const std::string deleted =
          describe(judged(DeleteOp{}, record, policy_of(strategy), author(), test.expect));
      BOOST_TEST(deleted == (!test.holds ? "version_mismatch"
                             : there     ? "delete"
                                         : "nothing"),
                 test.what);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_comes_to_what_stands_unchanged_makes_no_version) {
  const auto put = [](const char* text) { return PutOp{ContentType::kText, text}; };
  const Record informed = record_of(kText, kSeen, kGreater, kMillis);
  const auto same = put(std::get<Register>(kText).bytes.c_str());
  BOOST_TEST(describe(judged(same, &informed, {}, author(), ExpectUnchanged{})) == "nothing");
  BOOST_TEST(describe(judged(same, &informed, {}, author(), {})) == "put");
  BOOST_TEST(describe(judged(put("else"), &informed, {}, author(), ExpectUnchanged{})) == "put");
}

// A typed value that the author wrote last may still hold what it had not seen.
BOOST_AUTO_TEST_CASE(unchanged_looks_behind_an_own_write_into_sets) {
  const Record set = record_of(set_of({{"x", {dot(11, kLesser)}}, {"y", {dot(kBehind, kMe, 4)}}}),
                               kBehind, kMe, kMillis, 4);
  BOOST_TEST(describe(judged(SetAddOp{{"z"}}, &set, {}, author(), ExpectUnchanged{})) ==
             "version_mismatch");
  const Record own = record_of(set_of({{"y", {dot(kBehind, kMe, 4)}}}), kBehind, kMe, kMillis, 4);
  BOOST_TEST(describe(judged(SetAddOp{{"z"}}, &own, {}, author(), ExpectUnchanged{})) == "put");
}

BOOST_AUTO_TEST_CASE(unchanged_is_unknown_below_the_floor_where_nothing_stands) {
  BOOST_TEST(describe(judged(kPut, nullptr, {}, author(), ExpectUnchanged{}, kSeen)) == "put");
  Policy applying;
  applying.late_write = LateWrite::kApply;
  BOOST_TEST(describe(judged(kPut, nullptr, applying, author(), ExpectUnchanged{}, kSeen + 1)) ==
             "version_mismatch");
}

BOOST_AUTO_TEST_CASE(a_fulfilled_expected_version_is_not_late) {
  BOOST_TEST(describe(judged(kPut, nullptr, {}, author(), ExpectVersion{}, 11)) == "put");
}

BOOST_AUTO_TEST_CASE(a_mismatch_is_told_before_a_wrong_type) {
  const Record counter = record_of(kCount, kBehind, kGreater, kMillis);
  BOOST_TEST(describe(judged(kPut, &counter, {}, author(), ExpectVersion{})) == "version_mismatch");
  BOOST_TEST(describe(judged(kPut, &counter, {}, author(), ExpectVersion{Revision(kBehind)})) ==
             "rejected type_mismatch");
}

BOOST_AUTO_TEST_CASE(a_mismatch_names_what_was_expected_and_found) {
  const Record live = record_of(kText, kBehind, kGreater, kMillis);
  const Verdict verdict = judged(kPut, &live, {}, author(), ExpectVersion{Revision(9)});
  BOOST_TEST(verdict.text == "expected version 9 of 'key', found 12");
  BOOST_TEST(judged(kPut, nullptr, {}, author(), ExpectVersion{Revision(9)}).text ==
             "expected version 9 of 'key', found no such key");
}

BOOST_AUTO_TEST_CASE(a_fulfilled_expected_version_counts_as_seen) {
  // A client reads one key at version 12 and writes with an older cursor.
  const Record set = record_of(one_element(kBehind), kBehind, kGreater, kMillis);
  const ExpectVersion expected{Revision(kBehind)};
  BOOST_TEST(describe(judged(SetRemoveOp{{"x"}}, &set)) == "nothing");
  const Verdict removed = judged(SetRemoveOp{{"x"}}, &set, {}, author(), expected);
  BOOST_TEST((removed.value == Value{OrSet{}}));
  BOOST_TEST(describe(judged(DeleteOp{}, &set, {}, author(), expected)) == "delete");
  const Verdict added = judged(SetAddOp{{"x"}}, &set, {}, author(), expected);
  BOOST_TEST(std::get<OrSet>(*added.value).elements.find("x")->size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_expected_own_write_counts_as_seen_and_others_additions_do_not) {
  // Seq 4 had an expected version itself, so it never was in the view.
  Author writer = author();
  writer.own_through = {{Incarnation(7), Seq(3)}};
  const Record set = record_of(
      set_of({{"x", {dot(11, kLesser), dot(kBehind, kMe, 4)}}, {"y", {dot(kBehind, kMe, 4)}}}),
      kBehind, kMe, kMillis, 4);
  const Verdict verdict = judged(SetRemoveOp{{"x", "y"}}, &set, {}, writer, ExpectMine{Seq(4)});
  BOOST_TEST((verdict.value == Value{set_of({{"x", {dot(11, kLesser)}}})}));
}

// ---- types and limits
// ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_write_for_another_type_is_rejected) {
  const std::vector<std::pair<Op, ValueType>> ops = {{kPut, ValueType::kRegister},
                                                     {IncrOp{1}, ValueType::kCounter},
                                                     {SetAddOp{{"x"}}, ValueType::kOrSet},
                                                     {SetRemoveOp{{"x"}}, ValueType::kOrSet}};
  const std::vector<Value> values = {kText, kCount, one_element(9)};
  for (const auto& [op, type] : ops) {
    for (const Value& value : values) {
      const Record record = record_of(value, 9, kGreater, 1);
      const bool fits = type_of(value) == type;
      BOOST_TEST((describe(judged(op, &record)) == "put") == fits);
      if (!fits) {
        const Verdict verdict = judged(op, &record);
        BOOST_TEST(describe(verdict) == "rejected type_mismatch");
        BOOST_TEST(verdict.text.find(to_text(type)) != std::string::npos);
        BOOST_TEST(verdict.text.find(to_text(type_of(value))) != std::string::npos);
      }
      Policy policy;
      policy.type = type_of(value);
      BOOST_TEST((describe(judged(op, nullptr, policy)) == "rejected type_mismatch") == !fits);
      // A tombstone has no type: delete the key to change it, if the policy allows.
      const Record tombstone = record_of(std::nullopt, 9, kGreater, 1);
      const bool removes = std::holds_alternative<SetRemoveOp>(op);
      BOOST_TEST(describe(judged(op, &tombstone)) == (removes ? "nothing" : "put"));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_delete_fits_every_type) {
  for (const Value& value : {kText, kCount, one_element(9)}) {
    const Record record = record_of(value, 9, kGreater, 1);
    Policy policy;
    policy.type = ValueType::kRegister;
    BOOST_TEST(describe(judged(DeleteOp{}, &record, policy)) == "delete");
  }
}

BOOST_AUTO_TEST_CASE(a_record_of_a_type_from_before_the_policy_takes_no_more_writes) {
  const Record counter = record_of(kCount, 9, kGreater, 1);
  Policy policy;
  policy.type = ValueType::kRegister;
  BOOST_TEST(describe(judged(IncrOp{1}, &counter, policy)) == "rejected type_mismatch");
  BOOST_TEST(describe(judged(kPut, &counter, policy)) == "rejected type_mismatch");
}

BOOST_AUTO_TEST_CASE(increments_add_up_and_never_overflow) {
  const auto total = [](std::int64_t from, std::int64_t amount) -> std::optional<std::int64_t> {
    const Record record = record_of(Counter{from}, kBehind, kGreater, kMillis + 100);
    const Verdict verdict = judged(IncrOp{amount}, &record);
    if (verdict.kind == Kind::kReject) {
      BOOST_TEST(describe(verdict) == "rejected overflow");
      return std::nullopt;
    }
    if (verdict.kind == Kind::kNothing) return from;
    return std::get<Counter>(*verdict.value).total;
  };
  BOOST_TEST((total(40, 2) == 42));
  // The reference pn-counter lost the second of these.
  BOOST_TEST((total(-5, -5) == -10));
  BOOST_TEST((total(INT64_MAX - 1, 1) == INT64_MAX));
  BOOST_TEST((total(INT64_MAX, 1) == std::nullopt));
  BOOST_TEST((total(INT64_MAX, 0) == INT64_MAX));
  BOOST_TEST((total(INT64_MAX, INT64_MAX) == std::nullopt));
  BOOST_TEST((total(INT64_MIN + 1, -1) == INT64_MIN));
  BOOST_TEST((total(INT64_MIN, -1) == std::nullopt));
  BOOST_TEST((total(INT64_MIN, INT64_MIN) == std::nullopt));
  BOOST_TEST((total(INT64_MIN, INT64_MAX) == -1));
  BOOST_TEST((total(0, INT64_MIN) == INT64_MIN));
}

BOOST_AUTO_TEST_CASE(an_increment_after_an_unseen_delete_counts_from_nothing) {
  // Deleted and re-created, the old total must not come back (CRDT.md, type 4).
  const Record tombstone = record_of(std::nullopt, kBehind, kGreater, kMillis + 100);
  BOOST_TEST((judged(IncrOp{3}, &tombstone).value == Value{Counter{3}}));
  BOOST_TEST((judged(IncrOp{0}, nullptr).value == Value{Counter{0}}));
}

BOOST_AUTO_TEST_CASE(a_value_above_its_limit_is_rejected) {
  const std::string full(limits::kValueBytes, 'x');
  BOOST_TEST(describe(judged(PutOp{ContentType::kBytes, full}, nullptr)) == "put");
  const Verdict verdict = judged(PutOp{ContentType::kBytes, full + "x"}, nullptr);
  BOOST_TEST(describe(verdict) == "rejected too_large");
  BOOST_TEST(verdict.text.find("1048577") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_set_that_would_grow_above_its_limit_is_rejected_and_may_still_shrink) {
  OrSet set;
  set.elements.set("0000000000", {dot(9, kLesser)});
  const std::size_t each = size_of(Value(set));
  for (std::size_t i = 0; (i + 1) * each <= limits::kValueBytes; ++i)
    set.elements.set(fmt::format("{:010}", i), {dot(9, kLesser)});
  const Record record = record_of(set, 9, kLesser, 1);
  BOOST_TEST(describe(judged(SetAddOp{{std::string(10, 'z')}}, &record)) == "rejected too_large");
  // Adding what is there again replaces its dot.
  BOOST_TEST(describe(judged(SetAddOp{{"0000000000"}}, &record)) == "put");
  BOOST_TEST(describe(judged(SetRemoveOp{{"0000000000"}}, &record)) == "put");
}

BOOST_AUTO_TEST_CASE(a_clear_is_not_an_entrys_business) {
  BOOST_TEST(describe(judged(ClearOp{}, nullptr)) == "rejected invalid");
}

// ---- sets
// ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_addition_gets_the_commits_dot) {
  const Verdict verdict = judged(SetAddOp{{"x", "y"}}, nullptr);
  const Dot expected{Revision(kNext), 2, {kMe, Incarnation(7), Seq(5)}};
  BOOST_TEST((verdict.value == Value{set_of({{"x", {expected}}, {"y", {expected}}})}));
}

BOOST_AUTO_TEST_CASE(an_addition_replaces_the_dots_it_had_seen_and_joins_the_others) {
  const Record record =
      record_of(set_of({{"x", {dot(8, kLesser), dot(11, kMe, 2), dot(kBehind, kGreater)}}}),
                kBehind, kGreater, kMillis);
  const Verdict verdict = judged(SetAddOp{{"x"}}, &record);
  const Dot mine{Revision(kNext), 2, {kMe, Incarnation(7), Seq(5)}};
  BOOST_TEST((verdict.value == Value{set_of({{"x", {dot(kBehind, kGreater), mine}}})}));
}

BOOST_AUTO_TEST_CASE(a_removal_drops_only_what_it_had_seen) {
  const Record record = record_of(set_of({{"both", {dot(8, kLesser), dot(kBehind, kGreater)}},
                                          {"mine", {dot(11, kMe, 4)}},
                                          {"seen", {dot(10, kLesser)}},
                                          {"unseen", {dot(11, kGreater)}},
                                          {"untouched", {dot(1, kLesser)}}}),
                                  kBehind, kGreater, kMillis);
  const Verdict verdict = judged(SetRemoveOp{{"both", "mine", "none", "seen", "unseen"}}, &record);
  BOOST_TEST((verdict.value == Value{set_of({{"both", {dot(kBehind, kGreater)}},
                                             {"unseen", {dot(11, kGreater)}},
                                             {"untouched", {dot(1, kLesser)}}})}));
}

BOOST_AUTO_TEST_CASE(removing_the_last_element_leaves_an_empty_set) {
  const Record record = record_of(one_element(9), 9, kLesser, 1);
  BOOST_TEST((judged(SetRemoveOp{{"x"}}, &record).value == Value{OrSet{}}));
  const Record empty = record_of(OrSet{}, 9, kLesser, 1);
  BOOST_TEST(describe(judged(SetRemoveOp{{"x"}}, &empty)) == "nothing");
  BOOST_TEST(describe(judged(SetAddOp{}, &empty)) == "nothing");
  BOOST_TEST(describe(judged(DeleteOp{}, &empty)) == "delete");
}

BOOST_AUTO_TEST_CASE(an_own_later_merge_does_not_hide_anothers_unseen_addition_from_a_delete) {
  // Another added "theirs" at 11, the author's own addition followed at 12: the record's last
  // writer is the author, and yet a delete would drop what it never saw.
  const Record record =
      record_of(set_of({{"mine", {dot(kBehind, kMe, 4)}}, {"theirs", {dot(11, kGreater)}}}),
                kBehind, kMe, kMillis, 4);
  BOOST_TEST(describe(judged(DeleteOp{}, &record)) == "delete_update:type(set)");
  const Record all_known =
      record_of(set_of({{"mine", {dot(kBehind, kMe, 4)}}, {"theirs", {dot(10, kGreater)}}}),
                kBehind, kMe, kMillis, 4);
  BOOST_TEST(describe(judged(DeleteOp{}, &all_known)) == "delete");
}

// ---- the agent's own view
// ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_agent_sees_its_own_writes_at_once) {
  const Author me{kMe, Incarnation(7), Seq(5), {}, Revision(9), {}};
  BOOST_TEST(
      (apply_locally(kPut, std::nullopt, me, 0) == Value{Register{ContentType::kText, "mine"}}));
  BOOST_TEST((apply_locally(kPut, kText, me, 0) == Value{Register{ContentType::kText, "mine"}}));
  BOOST_TEST((apply_locally(DeleteOp{}, kText, me, 0) == std::nullopt));
  BOOST_TEST((apply_locally(DeleteOp{}, kCount, me, 0) == std::nullopt));
  BOOST_TEST((apply_locally(IncrOp{2}, kCount, me, 0) == Value{Counter{42}}));
  BOOST_TEST((apply_locally(IncrOp{2}, std::nullopt, me, 0) == Value{Counter{2}}));
  const std::optional<Value> added = apply_locally(SetAddOp{{"y"}}, one_element(9), me, 0);
  BOOST_TEST(std::get<OrSet>(*added).elements.size() == 2U);
  BOOST_TEST((apply_locally(SetRemoveOp{{"x"}}, one_element(9), me, 0) == Value{OrSet{}}));
  BOOST_TEST((apply_locally(SetRemoveOp{{"x"}}, std::nullopt, me, 0) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(an_own_write_that_will_be_rejected_changes_nothing_in_the_view) {
  const Author me{kMe, Incarnation(7), Seq(5), {}, Revision(9), {}};
  BOOST_TEST((apply_locally(IncrOp{1}, kText, me, 0) == kText));
  BOOST_TEST((apply_locally(kPut, kCount, me, 0) == kCount));
  BOOST_TEST((apply_locally(SetAddOp{{"x"}}, kCount, me, 0) == kCount));
  BOOST_TEST((apply_locally(SetRemoveOp{{"x"}}, kText, me, 0) == kText));
  BOOST_TEST((apply_locally(IncrOp{1}, Counter{INT64_MAX}, me, 0) == Value{Counter{INT64_MAX}}));
  BOOST_TEST((apply_locally(ClearOp{}, kText, me, 0) == kText));
}

// ---- remove-wins set ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_late_add_does_not_bring_back_an_element_whose_removal_was_swept) {
  RemoveWinsSet set;
  set.elements.set("gone", {{}, {dot(kBehind, kGreater)}});
  set.elements.set("here", {{dot(kBehind, kGreater)}, {}});
  set.removed = 1;
  const std::uint64_t floor = kBehind + 3;
  const Record record = record_of(set, floor + 1, kGreater, kMillis);
  const auto add = [](std::string element) {
    return SetAddOp{{std::move(element)}, ValueType::kRemoveWinsSet};
  };
  // Above the floor the removal is known, and wins.
  const Verdict known = judged(add("gone"), &record);
  BOOST_REQUIRE(known.kind == Kind::kApply);
  BOOST_TEST(!std::get<RemoveWinsSet>(*known.value).elements.find("gone")->present());
  // Below it nobody can tell any more, whether it is swept now or was before.
  const Verdict late = judged(add("gone"), &record, {}, author(), {}, floor);
  BOOST_TEST((late.kind == Kind::kConflict && late.conflict == ConflictKind::kDeleteUpdate));
  BOOST_TEST((judged(add("here"), &record, {}, author(), {}, floor).kind == Kind::kApply));
  Author informed = author();
  informed.seen = Revision(floor);
  const Verdict swept = judged(add("other"), &record, {}, informed, {}, floor);
  BOOST_REQUIRE(swept.kind == Kind::kApply);
  BOOST_TEST(std::get<RemoveWinsSet>(*swept.value).elements.find("gone") == nullptr);
  const Record after = record_of(swept.value, floor + 2, kMe, kMillis);
  BOOST_TEST((judged(add("gone"), &after, {}, author(), {}, floor).kind == Kind::kConflict));
  BOOST_TEST((judged(add("gone"), &after, {}, informed, {}, floor).kind == Kind::kApply));
  // An own removal since then tells no more of it.
  RemoveWinsSet anew = std::get<RemoveWinsSet>(*swept.value);
  anew.elements.set("gone", {{}, {dot(floor + 3, kMe, 4)}});
  anew.removed = 1;
  const Record own = record_of(anew, floor + 3, kMe, kMillis, 4);
  BOOST_TEST((judged(add("gone"), &own).kind == Kind::kConflict));
  BOOST_TEST((judged(add("gone"), &own, {}, informed).kind == Kind::kApply));
}

BOOST_AUTO_TEST_CASE(a_late_add_to_a_set_from_which_nothing_was_swept_is_taken) {
  RemoveWinsSet set;
  set.elements.set("here", {{dot(kBehind, kGreater)}, {}});
  const Record record = record_of(set, kBehind, kGreater, kMillis);
  const SetAddOp add{{"new"}, ValueType::kRemoveWinsSet};
  BOOST_TEST((judged(add, &record, {}, author(), {}, kBehind + 3).kind == Kind::kApply));
}

BOOST_AUTO_TEST_CASE(a_set_of_a_million_elements_is_refused_against_a_limit_of_a_thousand) {
  Policy policy;
  policy.elements_max = 1'000;
  std::vector<std::string> elements;
  for (int i = 0; i < 1'000'000; ++i) elements.push_back(fmt::format("{:07}", i));
  const Verdict refused = judged(SetAddOp{elements}, nullptr, policy);
  BOOST_CHECK(refused.kind == Kind::kReject);
  BOOST_CHECK(refused.reason == Reason::kTooLarge);
  elements.resize(1'000);
  BOOST_CHECK(judged(SetAddOp{elements}, nullptr, policy).kind == Kind::kApply);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
