#include "resolver/concurrent.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/apply.h"

namespace waggle {
namespace {

constexpr std::uint64_t kDay = std::uint64_t{24} * 3600 * 1000;
constexpr std::uint64_t kMillis = 10 * kDay;  // of the standing record's stamp and commit

Register text(std::string bytes) {
  return {ContentType::kText, std::move(bytes)};
}
Register json(std::string bytes) {
  return {ContentType::kJson, std::move(bytes)};
}

Record record_of(std::optional<Register> value, std::uint64_t version) {
  Record record;
  if (value) record.value = *std::move(value);
  record.version = Revision(version);
  record.hlc = Hlc::of(kMillis, 0);
  record.commit_wall_millis = static_cast<std::int64_t>(kMillis);
  record.writer = {AgentId("m"), Incarnation(1), Seq(1)};
  return record;
}

Policy chain_of(Strategy first, Strategy second = Strategy::kKeep,
                Strategy third = Strategy::kKeep) {
  Policy policy;
  policy.strategy = first;
  policy.otherwise = second;
  policy.at_last = third;
  policy.merger = "words";
  return policy;
}

std::string greater_of(std::string_view a, std::string_view b) {
  return std::string(std::max(a, b));
}

// The only custom merger: "words" takes the greater.
Policies policies_with_merger() {
  Policies policies;
  BOOST_REQUIRE(policies.add_merger("words", greater_of, {"a", "b", "cd"}));
  return policies;
}

// One write of "k", at version 5 when it came, by an agent that had seen version 1.
struct Write {
  Policy policy;
  std::optional<Register> standing = text("P");
  std::optional<Register> value = text("W");
  std::optional<Register> base = {};  // empty: not kept
  std::uint64_t millis = kMillis + 1;
  bool alone = true;
  std::string agent = "a";
};

Verdict verdict_on(const Write& write, const Policies& policies) {
  const Key key("k");
  const Record standing = record_of(write.standing, 5);
  const Record base = record_of(write.base, 1);
  Author author;
  author.agent = AgentId(write.agent);
  author.incarnation = Incarnation(9);
  author.seq = Seq(1);
  author.hlc = Hlc::of(write.millis, 0);
  author.seen = Revision(1);
  return settle_concurrent({key, standing, write.value, author, write.policy, policies,
                            write.base ? &base : nullptr, write.alone});
}

// "apply VALUE", "conflict KIND" or "park KIND", " merged", " (KIND)" of what was not taken, and
// the rule.
std::string describe(const Verdict& verdict) {
  std::string said;
  switch (verdict.kind) {
    case Verdict::Kind::kApply:
      said = "apply " +
             (verdict.value ? std::get<Register>(*verdict.value).bytes : std::string("(deleted)"));
      if (verdict.merged) said += " merged";
      if (verdict.conflict != ConflictKind::kNone)
        said += fmt::format(" ({})", to_text(verdict.conflict));
      break;
    case Verdict::Kind::kConflict:
      said = fmt::format("conflict {}", to_text(verdict.conflict));
      break;
    case Verdict::Kind::kPark:
      said = fmt::format("park {}", to_text(verdict.conflict));
      break;
    case Verdict::Kind::kNothing:
      said = "nothing";
      break;
    case Verdict::Kind::kReject:
      said = "reject";
      break;
  }
  return said + " [" + verdict.rule + "]";
}

std::string decided(const Write& write) {
  static const Policies policies = policies_with_merger();
  return describe(verdict_on(write, policies));
}

const std::string kUpdate(to_text(ConflictKind::kConcurrentUpdate));
const std::string kDelete(to_text(ConflictKind::kDeleteUpdate));
const std::string kClock(to_text(ConflictKind::kClockDivergence));
const std::string kField(to_text(ConflictKind::kFieldConflict));

BOOST_AUTO_TEST_SUITE(concurrent_test)

// ---- stamps ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(lww_applies_the_later_write_and_fww_the_earlier_one) {
  const Policy lww = chain_of(Strategy::kLww);
  const Policy fww = chain_of(Strategy::kFww);
  BOOST_TEST(decided({.policy = lww, .millis = kMillis + 1}) == "apply W [lww]");
  BOOST_TEST(decided({.policy = lww, .millis = kMillis - 1}) == "conflict " + kUpdate + " [lww]");
  BOOST_TEST(decided({.policy = fww, .millis = kMillis + 1}) == "conflict " + kUpdate + " [fww]");
  BOOST_TEST(decided({.policy = fww, .millis = kMillis - 1}) == "apply W [fww]");
}

BOOST_AUTO_TEST_CASE(equal_stamps_are_told_apart_by_agent_id) {
  const Policy lww = chain_of(Strategy::kLww);
  const Policy fww = chain_of(Strategy::kFww);
  for (const auto& [agent, later] : std::map<std::string, bool>{{"a", false}, {"z", true}}) {
    const std::string wins_late = decided({.policy = lww, .millis = kMillis, .agent = agent});
    const std::string wins_early = decided({.policy = fww, .millis = kMillis, .agent = agent});
    BOOST_TEST(wins_late.starts_with("apply") == later, wins_late);
    BOOST_TEST(wins_early.starts_with("apply") != later, wins_early);
  }
}

BOOST_AUTO_TEST_CASE(a_delete_competes_like_a_value_and_a_tombstone_like_a_record) {
  const Policy lww = chain_of(Strategy::kLww);
  BOOST_TEST(decided({.policy = lww, .value = std::nullopt}) == "apply (deleted) [lww]");
  BOOST_TEST(decided({.policy = lww, .value = std::nullopt, .millis = kMillis - 1}) ==
             "conflict " + kDelete + " [lww]");
  BOOST_TEST(decided({.policy = lww, .standing = std::nullopt}) == "apply W [lww]");
  BOOST_TEST(decided({.policy = lww, .standing = std::nullopt, .millis = kMillis - 1}) ==
             "conflict " + kDelete + " [lww]");
}

BOOST_AUTO_TEST_CASE(a_forged_ancient_stamp_is_not_the_first_write) {
  const Policy fww = chain_of(Strategy::kFww);
  BOOST_TEST(decided({.policy = fww, .millis = kMillis - kDay}) == "apply W [fww]");
  BOOST_TEST(decided({.policy = fww, .millis = kMillis - kDay - 1}) ==
             "conflict " + kUpdate + " [fww]");
  BOOST_TEST(decided({.policy = fww, .millis = 0}) == "conflict " + kUpdate + " [fww]");
  BOOST_TEST(decided({.policy = fww, .millis = HlcClock::kMillisMax}) ==
             "conflict " + kUpdate + " [fww]");
}

// Whoever has seen what stands is not concurrent, and still not first.
BOOST_AUTO_TEST_CASE(an_informed_write_under_fww_is_a_conflict_without_a_receipt) {
  Policies policies;
  BOOST_REQUIRE(policies.add(chain_of(Strategy::kFww)));
  const Record standing = record_of(text("P"), 5);
  Author author;
  author.agent = AgentId("a");
  author.seen = Revision(5);
  author.hlc = Hlc::of(kMillis - 1, 0);
  Entry entry{Key("k"), {}, PutOp{ContentType::kText, "W"}, {}};
  const auto judged = [&](const Record* record) {
    return judge(entry, {record, {}, Revision(6), 0, nullptr, true}, author, policies);
  };
  BOOST_TEST(describe(judged(&standing)) == "conflict " + kUpdate + " []");
  BOOST_TEST(describe(judged(nullptr)) == "apply W []");
  const Record tombstone = record_of(std::nullopt, 5);
  BOOST_TEST(describe(judged(&tombstone)) == "apply W []");
  // Who names the version that it replaces means it.
  entry.expect = ExpectVersion{Revision(5)};
  BOOST_TEST(describe(judged(&standing)) == "apply W []");
  entry.expect = {};
  entry.op = DeleteOp{};
  BOOST_TEST(describe(judged(&standing)) == "apply (deleted) []");
}

// ---- the conflict window -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(within_the_window_stamps_decide_nothing_and_the_next_strategy_is_asked) {
  for (const Strategy stamps : {Strategy::kLww, Strategy::kFww}) {
    const std::string name(to_text(stamps));
    Policy policy = chain_of(stamps);
    policy.conflict_window_millis = 100;
    for (const std::uint64_t millis : {kMillis - 100, kMillis, kMillis + 100})
      BOOST_TEST(decided({.policy = policy, .millis = millis}) ==
                 "conflict " + kClock + " [" + name + " otherwise keep]");
    const std::string applied = "apply W [" + name + "]";
    BOOST_TEST((decided({.policy = policy, .millis = kMillis + 101}) == applied) ==
               (stamps == Strategy::kLww));
    BOOST_TEST((decided({.policy = policy, .millis = kMillis - 101}) == applied) ==
               (stamps == Strategy::kFww));
    policy.otherwise = Strategy::kManual;
    BOOST_TEST(decided({.policy = policy, .millis = kMillis}) ==
               "park " + kClock + " [" + name + " otherwise manual]");
    policy.otherwise = Strategy::kCustom;
    BOOST_TEST(decided({.policy = policy, .millis = kMillis}) ==
               "apply W [" + name + " otherwise custom(words)]");
  }
}

BOOST_AUTO_TEST_CASE(stamps_are_close_in_both_directions_and_never_without_a_window) {
  const Stamp early{Hlc::of(1000, 0), AgentId("a")};
  const Stamp late{Hlc::of(1010, 9), AgentId("b")};
  BOOST_TEST(!too_close(early, early, 0));
  BOOST_TEST(!too_close(early, early, -1));
  for (const auto& [a, b] : {std::pair(early, late), std::pair(late, early)}) {
    BOOST_TEST(too_close(a, b, 10));
    BOOST_TEST(!too_close(a, b, 9));
  }
  BOOST_TEST(!too_close({Hlc{0}, AgentId("a")}, {Hlc{UINT64_MAX}, AgentId("b")}, 1'000'000));
  BOOST_TEST(too_close({Hlc{0}, AgentId("a")}, {Hlc{UINT64_MAX}, AgentId("b")}, INT64_MAX));
}

// ---- merging -----------------------------------------------------------------------------------

const Register kBase = json(R"({"a":1,"b":1})");
const Register kStands = json(R"({"a":2,"b":1})");

BOOST_AUTO_TEST_CASE(changes_of_different_fields_merge_and_are_nobodys_write) {
  BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge),
                      .standing = kStands,
                      .value = json(R"({"a":1,"b":3})"),
                      .base = kBase}) == R"(apply {"a":2,"b":3} merged [merge])");
}

BOOST_AUTO_TEST_CASE(a_merge_that_gives_what_was_written_is_its_writers_own) {
  // It had done what stands too, by itself.
  BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge),
                      .standing = kStands,
                      .value = json(R"({"a":2,"b":3})"),
                      .base = kBase}) == R"(apply {"a":2,"b":3} [merge])");
  // However it spells its documents.
  BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge),
                      .standing = kStands,
                      .value = json(R"({ "b" : 3, "a" : 2 })"),
                      .base = kBase}) == R"(apply { "b" : 3, "a" : 2 } [merge])");
}

BOOST_AUTO_TEST_CASE(texts_merge_by_line) {
  const Policy policy = chain_of(Strategy::kMerge);
  const Register base = text("one\ntwo\nthree\n");
  BOOST_TEST(decided({.policy = policy,
                      .standing = text("ONE\ntwo\nthree\n"),
                      .value = text("one\ntwo\nTHREE\n"),
                      .base = base}) == "apply ONE\ntwo\nTHREE\n merged [merge]");
  BOOST_TEST(decided({.policy = policy,
                      .standing = text("one\nTWO\nthree\n"),
                      .value = text("one\n2\nthree\n"),
                      .base = base}) == "conflict " + kField + " [merge]");
}

BOOST_AUTO_TEST_CASE(a_lost_ancestor_is_named_and_hands_over) {
  static const Policies policies = policies_with_merger();
  const Verdict kept = verdict_on({.policy = chain_of(Strategy::kMerge)}, policies);
  BOOST_TEST(describe(kept) == "conflict " + kUpdate + " [merge otherwise keep]");
  BOOST_TEST((kept.reason == Reason::kBaseLost));
  BOOST_TEST(kept.text.find("base_lost") != std::string::npos);
  BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge, Strategy::kLww)}) ==
             "apply W [merge otherwise lww]");
  BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge, Strategy::kManual)}) ==
             "park " + kUpdate + " [merge otherwise manual]");
}

BOOST_AUTO_TEST_CASE(a_deletion_on_either_side_is_not_merged) {
  const Policy policy = chain_of(Strategy::kMerge);
  for (const Write& write :
       {Write{.policy = policy, .value = std::nullopt, .base = text("B")},
        Write{.policy = policy, .standing = std::nullopt, .base = text("B")}}) {
    static const Policies policies = policies_with_merger();
    const Verdict verdict = verdict_on(write, policies);
    BOOST_TEST(describe(verdict) == "conflict " + kDelete + " [merge otherwise keep]");
    BOOST_TEST((verdict.reason == Reason::kNone));  // the ancestor is there
  }
}

BOOST_AUTO_TEST_CASE(bytes_and_other_content_types_are_never_merged) {
  const auto bytes = [](std::string of) { return Register{ContentType::kBytes, std::move(of)}; };
  const std::string kept = "conflict " + kUpdate + " [merge otherwise keep]";
  const Policy policy = chain_of(Strategy::kMerge);
  BOOST_TEST(decided({.policy = policy,
                      .standing = bytes("a\nb\nC\n"),
                      .value = bytes("A\nb\nc\n"),
                      .base = bytes("a\nb\nc\n")}) == kept);
  BOOST_TEST(decided({.policy = policy,
                      .standing = text(kStands.bytes),
                      .value = json(R"({"a":1,"b":3})"),
                      .base = kBase}) == kept);
  BOOST_TEST(decided({.policy = policy,
                      .standing = kStands,
                      .value = json("not a document"),
                      .base = kBase}) == kept);
}

BOOST_AUTO_TEST_CASE(what_together_is_above_a_value_is_not_merged) {
  const std::string half(limits::kValueBytes * 2 / 3, 'x');
  BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge),
                      .standing = text(half + "\nm\n"),
                      .value = text("m\n" + half + "\n"),
                      .base = text("m\n")}) == "conflict " + kUpdate + " [merge otherwise keep]");
}

BOOST_AUTO_TEST_CASE(a_field_that_both_changed_is_decided_by_what_comes_later_in_the_chain) {
  const auto decided_by = [](Strategy second, std::uint64_t millis) {
    return decided({.policy = chain_of(Strategy::kMerge, second),
                    .standing = json(R"({"a":2,"b":1,"c":2})"),
                    .value = json(R"({"a":3,"b":3,"c":1})"),
                    .base = json(R"({"a":1,"b":1,"c":1})"),
                    .millis = millis});
  };
  const std::string theirs = R"(apply {"a":3,"b":3,"c":2} merged )";
  const std::string ours = R"(apply {"a":2,"b":3,"c":2} merged ()" + kField + ") [merge]";
  BOOST_TEST(decided_by(Strategy::kLww, kMillis + 1) == theirs + "[merge(lww)]");
  BOOST_TEST(decided_by(Strategy::kLww, kMillis - 1) == ours);
  BOOST_TEST(decided_by(Strategy::kFww, kMillis + 1) == ours);
  BOOST_TEST(decided_by(Strategy::kFww, kMillis - 1) == theirs + "[merge(fww)]");
  BOOST_TEST(decided_by(Strategy::kKeep, kMillis + 1) == ours);
  BOOST_TEST(decided_by(Strategy::kVector, kMillis + 1) == ours);
  BOOST_TEST(decided_by(Strategy::kManual, kMillis + 1) ==
             "park " + kField + " [merge otherwise manual]");
  // The merger gets the whole.
  BOOST_TEST(decided_by(Strategy::kCustom, kMillis + 1) ==
             R"(apply {"a":3,"b":3,"c":1} [merge otherwise custom(words)])");
}

BOOST_AUTO_TEST_CASE(a_policy_may_favor_one_side_whatever_is_behind) {
  const auto decided_by = [](MergeFavor favor) {
    Policy policy = chain_of(Strategy::kMerge, Strategy::kManual);
    policy.merging.favor = favor;
    return decided({.policy = std::move(policy),
                    .standing = kStands,
                    .value = json(R"({"a":3,"b":3})"),
                    .base = kBase});
  };
  BOOST_TEST(decided_by(MergeFavor::kTheirs) == R"(apply {"a":3,"b":3} [merge(theirs)])");
  BOOST_TEST(decided_by(MergeFavor::kOurs) ==
             R"(apply {"a":2,"b":3} merged ()" + kField + ") [merge(ours)]");
}

BOOST_AUTO_TEST_CASE(stamps_that_are_too_close_or_forged_decide_no_field_either) {
  const auto decided_by = [](Policy policy, std::uint64_t millis) {
    return decided({.policy = std::move(policy),
                    .standing = kStands,
                    .value = json(R"({"a":3,"b":3})"),
                    .base = kBase,
                    .millis = millis});
  };
  const std::string ours = R"(apply {"a":2,"b":3} merged ()" + kField + ") [merge]";
  for (const Strategy stamps : {Strategy::kLww, Strategy::kFww}) {
    Policy policy = chain_of(Strategy::kMerge, stamps, Strategy::kManual);
    policy.conflict_window_millis = 10;
    for (const std::uint64_t millis : {kMillis - 10, kMillis + 10})
      BOOST_TEST(decided_by(policy, millis) == "park " + kField + " [merge otherwise manual]");
    policy.at_last = Strategy::kKeep;
    for (const std::uint64_t millis : {kMillis - 10, kMillis + 10})
      BOOST_TEST(decided_by(policy, millis) == ours);
  }
  const Policy fww = chain_of(Strategy::kMerge, Strategy::kFww);
  BOOST_TEST(decided_by(fww, kMillis - kDay) == R"(apply {"a":3,"b":3} [merge(fww)])");
  BOOST_TEST(decided_by(fww, kMillis - kDay - 1) == ours);
}

BOOST_AUTO_TEST_CASE(a_write_of_which_nothing_is_taken_is_a_conflict_however_it_is_spelt) {
  for (const char* stands : {R"({"a":2,"b":1})", R"({ "b": 1, "a": 2 })"})
    BOOST_TEST(decided({.policy = chain_of(Strategy::kMerge),
                        .standing = json(stands),
                        .value = json(R"({"a":3,"b":1})"),
                        .base = kBase}) == "conflict " + kField + " [merge]");
}

BOOST_AUTO_TEST_CASE(what_was_not_taken_is_named_by_its_path) {
  static const Policies policies = policies_with_merger();
  const Verdict verdict = verdict_on({.policy = chain_of(Strategy::kMerge),
                                      .standing = kStands,
                                      .value = json(R"({"a":3,"b":3})"),
                                      .base = kBase},
                                     policies);
  BOOST_TEST(verdict.text.find("/a") != std::string::npos, verdict.text);
  BOOST_TEST(verdict.text.find("/b") == std::string::npos, verdict.text);
}

// ---- manual ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(manual_parks_a_write_that_stands_alone_and_no_group) {
  Policy policy = chain_of(Strategy::kManual);
  BOOST_TEST(decided({.policy = policy}) == "park " + kUpdate + " [manual]");
  BOOST_TEST(decided({.policy = policy, .value = std::nullopt}) == "park " + kDelete + " [manual]");
  BOOST_TEST(decided({.policy = policy, .standing = std::nullopt}) ==
             "park " + kDelete + " [manual]");
  BOOST_TEST(decided({.policy = policy, .alone = false}) ==
             "conflict " + kUpdate + " [manual otherwise keep]");
  policy.otherwise = Strategy::kLww;
  BOOST_TEST(decided({.policy = policy, .alone = false}) == "apply W [manual otherwise lww]");
  // A field that waits for nobody goes on in the chain.
  const Write group{.policy = chain_of(Strategy::kMerge, Strategy::kManual, Strategy::kLww),
                    .standing = kStands,
                    .value = json(R"({"a":3,"b":3})"),
                    .base = kBase,
                    .alone = false};
  BOOST_TEST(decided(group) == R"(apply {"a":3,"b":3} [merge(lww)])");
}

// ---- custom ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_custom_merger_joins_both_values) {
  const Policy policy = chain_of(Strategy::kCustom);
  BOOST_TEST(decided({.policy = policy, .standing = text("P"), .value = text("W")}) ==
             "apply W [custom(words)]");
  BOOST_TEST(decided({.policy = policy, .standing = text("W"), .value = text("P")}) ==
             "conflict " + kUpdate + " [custom(words)]");
  Policies policies;
  BOOST_REQUIRE(policies.add_merger("words",
                                    [](std::string_view a, std::string_view b) {
                                      std::string letters(std::string(a) + std::string(b));
                                      std::ranges::sort(letters);
                                      const auto twice = std::ranges::unique(letters);
                                      letters.erase(twice.begin(), twice.end());
                                      return letters;
                                    },
                                    {"", "a", "bc"}));
  BOOST_TEST(describe(verdict_on({.policy = policy, .standing = text("ab"), .value = text("bc")},
                                 policies)) == "apply abc merged [custom(words)]");
}

BOOST_AUTO_TEST_CASE(a_merger_that_is_missing_or_meets_a_deletion_hands_over) {
  const Policy policy = chain_of(Strategy::kCustom, Strategy::kLww);
  BOOST_TEST(describe(verdict_on({.policy = policy}, Policies())) ==
             "apply W [custom otherwise lww]");
  BOOST_TEST(decided({.policy = policy, .value = std::nullopt}) ==
             "apply (deleted) [custom otherwise lww]");
  BOOST_TEST(decided({.policy = policy, .standing = std::nullopt}) ==
             "apply W [custom otherwise lww]");
}

// It passed the laws with its samples and fails later on.
BOOST_AUTO_TEST_CASE(a_merger_that_throws_fails_or_gives_too_much_hands_over) {
  enum class Mood { kFine, kThrows, kThrowsANumber, kFails, kBoundless };
  Mood mood = Mood::kFine;
  Policies policies;
  BOOST_REQUIRE(
      policies.add_merger("words",
                          [&mood](std::string_view a, std::string_view b) -> Result<std::string> {
                            switch (mood) {
                              case Mood::kThrows:
                                throw std::runtime_error("out of sorts");
                              case Mood::kThrowsANumber:
                                throw 7;
                              case Mood::kFails:
                                return failed(Code::kRejected, "not a word");
                              case Mood::kBoundless:
                                return std::string(limits::kValueBytes + 1, 'x');
                              case Mood::kFine:
                                break;
                            }
                            return greater_of(a, b);
                          },
                          {"a", "b"}));
  const Write write{.policy = chain_of(Strategy::kCustom)};
  BOOST_TEST(describe(verdict_on(write, policies)) == "apply W [custom(words)]");
  for (const auto& [bad, why] : std::map<Mood, std::string>{{Mood::kThrows, "out of sorts"},
                                                            {Mood::kThrowsANumber, "threw"},
                                                            {Mood::kFails, "not a word"},
                                                            {Mood::kBoundless, "bytes"}}) {
    mood = bad;
    const Verdict verdict = verdict_on(write, policies);
    BOOST_TEST(describe(verdict) == "conflict " + kUpdate + " [custom otherwise keep]");
    BOOST_TEST(verdict.text.find(why) != std::string::npos, verdict.text);
  }
}

BOOST_AUTO_TEST_CASE(an_unlawful_merger_is_refused_when_it_is_registered) {
  Policies policies;
  const Status first = policies.add_merger(
      "first", [](std::string_view a, std::string_view) { return std::string(a); }, {"a", "b"});
  BOOST_REQUIRE(!first);
  BOOST_TEST((first.error().code == Code::kRejected));
  BOOST_TEST(first.error().text.find("commutative") != std::string::npos, first.error().text);
  BOOST_TEST(first.error().text.find("'first'") != std::string::npos, first.error().text);
  BOOST_TEST((policies.merger("first") == nullptr));
  BOOST_REQUIRE(policies.add_merger("words", greater_of, {"a", "b"}));
  BOOST_TEST(!policies.add_merger("words", greater_of, {"a", "b"}));
}

// ---- chains ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(quorum_and_vector_are_no_rules_of_single_writes_and_hand_over_unnamed) {
  for (const Strategy strategy : {Strategy::kQuorum, Strategy::kVector}) {
    BOOST_TEST(decided({.policy = chain_of(strategy)}) == "conflict " + kUpdate + " [keep]");
    BOOST_TEST(decided({.policy = chain_of(strategy, Strategy::kLww)}) == "apply W [lww]");
    BOOST_TEST(decided({.policy = chain_of(strategy, Strategy::kVector, Strategy::kManual)}) ==
               "park " + kUpdate + " [manual]");
  }
}

BOOST_AUTO_TEST_CASE(the_rule_names_every_strategy_that_could_not_decide) {
  Policy policy = chain_of(Strategy::kLww, Strategy::kMerge, Strategy::kManual);
  policy.conflict_window_millis = 5;
  BOOST_TEST(decided({.policy = policy}) ==
             "park " + kClock + " [lww otherwise merge otherwise manual]");
  // Nothing is left to ask: what stands stays.
  policy.at_last = Strategy::kFww;
  BOOST_TEST(decided({.policy = policy}) ==
             "conflict " + kClock + " [lww otherwise merge otherwise fww otherwise keep]");
}

BOOST_AUTO_TEST_CASE(keep_says_who_wrote_and_at_which_revision) {
  static const Policies policies = policies_with_merger();
  const Verdict verdict = verdict_on({.policy = chain_of(Strategy::kKeep)}, policies);
  BOOST_TEST(describe(verdict) == "conflict " + kUpdate + " [keep]");
  for (const char* part : {"'k'", "by m", "revision 5"})
    BOOST_TEST(verdict.text.find(part) != std::string::npos, verdict.text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
