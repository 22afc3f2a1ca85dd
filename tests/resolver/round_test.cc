#include "resolver/round.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/prng.h"
#include "consensus/quorum.h"

namespace waggle {
namespace {

constexpr std::uint64_t kMillis = 1000;  // of the committed value's stamp
constexpr std::uint64_t kAsked = 5;

Record record_of(std::optional<Value> value, std::uint64_t version = kAsked) {
  Record record;
  record.value = std::move(value);
  record.version = Revision(version);
  record.hlc = Hlc::of(kMillis, 0);
  record.writer = {AgentId("m"), Incarnation(1), Seq(1)};
  return record;
}

const Record kCommitted = record_of(Register{ContentType::kText, "P"});
const Record kTombstone = record_of(std::nullopt);

// A word an answer: "same", "behind", "differs", "absent", or an offer as VALUE@MILLIS; "-" is
// missing. Members are named a, b, c, ... in roster order.
RoundQuestion question(std::string_view answers, const Policy& policy, const Record* present,
                       std::uint64_t asked = kAsked) {
  RoundQuestion q{Revision(asked), present, &policy, {}, 0};
  std::istringstream words{std::string(answers)};
  for (std::string word; words >> word; ++q.roster) {
    if (word == "-") continue;
    RoundInput input;
    input.agent = AgentId(std::string(1, static_cast<char>('a' + q.roster)));
    if (word == "same") {
      input.kind = AnswerKind::kSame;
    } else if (word == "behind") {
      input.kind = AnswerKind::kBehind;
    } else if (word == "differs") {
      input.kind = AnswerKind::kDiffers;
    } else if (word == "absent") {
      input.kind = AnswerKind::kAbsent;
    } else {
      const std::size_t at = word.find('@');
      BOOST_REQUIRE(at != std::string::npos);
      input.kind = AnswerKind::kOffer;
      input.offer.value = {ContentType::kText, word.substr(0, at)};
      input.offer.hlc = Hlc::of(std::stoull(word.substr(at + 1)), 0);
      input.offer.based_on = Revision(asked);
    }
    q.answers.push_back(std::move(input));
  }
  return q;
}

// "OUTCOME", " WINNER" where an offer won, "!" where it is committed, " [RULE]".
std::string describe(const RoundQuestion& q, const RoundDecision& decision) {
  std::string text(to_text(decision.outcome));
  if (decision.winner) text += " " + q.answers.at(*decision.winner).agent.value();
  if (decision.commit) text += "!";
  if (!decision.rule.empty()) text += " [" + decision.rule + "]";
  return text;
}

struct Row {
  std::string_view answers;
  std::string_view expected;
  bool settled = true;
};

void check_rows(const std::vector<Row>& rows, const Policy& policy, const Record* present,
                std::uint64_t asked = kAsked) {
  for (const Row& row : rows) {
    const RoundQuestion q = question(row.answers, policy, present, asked);
    BOOST_TEST(describe(q, decide(q)) == row.expected, "\"" << row.answers << "\"");
    BOOST_TEST(settled(q) == row.settled, "settled \"" << row.answers << "\"");
  }
}

Policy policy_of(Strategy strategy, Strategy otherwise = Strategy::kKeep,
                 std::uint32_t permille = 510) {
  Policy policy;
  policy.strategy = strategy;
  policy.otherwise = otherwise;
  policy.quorum.permille = permille;
  return policy;
}

BOOST_AUTO_TEST_SUITE(round_test)

BOOST_AUTO_TEST_CASE(lww_takes_the_greatest_of_offers_and_committed_value) {
  check_rows({{"same same same", "unchanged"},
              {"behind absent differs", "unchanged"},
              {"same A@2000 same", "resolved b! [lww]"},
              {"A@2000 B@3000 same", "resolved b! [lww]"},
              {"B@3000 A@2000 same", "resolved a! [lww]"},
              // The committed value is an input like any other.
              {"A@900 B@999 same", "unchanged [lww]"},
              // Ties: by agent id, against the committed one (written by m) as well.
              {"A@2000 B@2000 C@2000", "resolved c! [lww]"},
              {"A@1000 same", "unchanged [lww]"},
              // The same value as stands: it won, and there is nothing to commit.
              {"P@2000 A@1500", "unchanged a [lww]"},
              {"A@2000 -", "partial a! [lww]", false},
              {"A@900 -", "partial [lww]", false},
              {"same -", "partial", false},
              {"- -", "timeout", false}},
             policy_of(Strategy::kLww), &kCommitted);
}

BOOST_AUTO_TEST_CASE(lww_breaks_a_tie_with_the_committed_value_by_agent_id) {
  Record record = kCommitted;
  record.writer.agent = AgentId("a");
  check_rows({{"same B@1000", "resolved b! [lww]"}, {"A@1000 same", "unchanged [lww]"}},
             policy_of(Strategy::kLww), &record);
  // A commit of an earlier round with that very offer: it does not win again.
  record.writer.agent = AgentId(kCoordinatorName);
  check_rows({{"A@1000 B@1000", "unchanged [lww]"}}, policy_of(Strategy::kLww), &record);
}

BOOST_AUTO_TEST_CASE(lww_creates_an_absent_key_and_joins_with_its_tombstone) {
  const Policy policy = policy_of(Strategy::kLww);
  check_rows({{"A@1 absent", "resolved a! [lww]"}, {"absent absent", "unchanged"}}, policy, nullptr,
             0);
  check_rows({{"A@1 absent", "unchanged [lww]"}, {"A@1001 absent", "resolved a! [lww]"}}, policy,
             &kTombstone, 0);
}

BOOST_AUTO_TEST_CASE(lww_joins_with_a_value_that_moved) {
  const Record moved = record_of(Register{ContentType::kText, "Q"}, 8);
  check_rows({{"A@900 same", "unchanged [lww]"}, {"A@1001 same", "resolved a! [lww]"}},
             policy_of(Strategy::kLww), &moved);
}

BOOST_AUTO_TEST_CASE(quorum_takes_what_the_threshold_of_the_roster_holds) {
  check_rows({{"same same same", "unchanged"},
              {"A@1 A@2 same", "resolved a! [quorum(510)]"},
              {"same A@1 A@2", "resolved b! [quorum(510)]"},
              {"A@1 B@2 A@3", "resolved a! [quorum(510)]"},
              // Stamps have no say.
              {"A@1 A@1 B@9000", "resolved a! [quorum(510)]"},
              {"A@1 same same", "unchanged [quorum(510)]"},
              // An offer of what stands votes for it.
              {"P@1 P@2 A@3", "unchanged [quorum(510)]"},
              {"P@1 same A@3", "unchanged [quorum(510)]"},
              {"A@1 B@2 C@3", "no_quorum [quorum(510) otherwise keep]"},
              {"A@1 B@2 same", "no_quorum [quorum(510) otherwise keep]"},
              // Those that vote for nothing still count in the roster.
              {"A@1 behind differs", "no_quorum [quorum(510) otherwise keep]"},
              {"A@1 A@1 behind absent", "no_quorum [quorum(510) otherwise keep]"},
              {"A@1 A@1 A@1 absent", "resolved a! [quorum(510)]"},
              // An even split never reaches it.
              {"A@1 B@2", "no_quorum [quorum(510) otherwise keep]"},
              {"A@1 same", "no_quorum [quorum(510) otherwise keep]"},
              {"A@1 A@1 same same", "no_quorum [quorum(510) otherwise keep]"},
              // Without an offer nothing is in question.
              {"behind absent differs", "unchanged"},
              {"same behind behind", "unchanged"},
              {"A@1", "resolved a! [quorum(510)]"}},
             policy_of(Strategy::kQuorum), &kCommitted);
}

BOOST_AUTO_TEST_CASE(quorum_is_over_when_no_missing_answer_can_change_it) {
  check_rows({{"A@1 A@2 -", "resolved a! [quorum(510)]"},
              {"same same -", "unchanged"},
              {"A@1 - -", "partial [quorum(510) otherwise keep]", false},
              {"A@1 B@1 -", "partial [quorum(510) otherwise keep]", false},
              {"A@1 B@1 C@1 -", "no_quorum [quorum(510) otherwise keep]"},
              {"A@1 B@1 C@1 - -", "partial [quorum(510) otherwise keep]", false},
              {"A@1 behind behind -", "no_quorum [quorum(510) otherwise keep]"},
              // No quorum is possible, but a missing offer would make no_quorum of unchanged.
              {"behind absent -", "partial", false},
              {"- - -", "timeout", false}},
             policy_of(Strategy::kQuorum), &kCommitted);
}

BOOST_AUTO_TEST_CASE(quorum_falls_back_to_lww_by_policy) {
  check_rows({{"A@2000 A@1 same", "resolved a! [quorum(510)]"},
              {"A@2000 B@3000 same", "resolved b! [quorum(510) otherwise lww]"},
              {"A@1 B@2 same", "unchanged [quorum(510) otherwise lww]"},
              {"P@3000 A@2000 behind", "unchanged a [quorum(510) otherwise lww]"},
              {"A@2000 B@3000 -", "partial b! [quorum(510) otherwise lww]", false},
              {"A@2000 A@2000 -", "resolved a! [quorum(510)]"},
              {"same behind absent", "unchanged"}},
             policy_of(Strategy::kQuorum, Strategy::kLww), &kCommitted);
}

BOOST_AUTO_TEST_CASE(quorum_of_an_absent_key_has_no_committed_value_to_vote_for) {
  check_rows({{"A@1 A@2 absent", "resolved a! [quorum(510)]"},
              {"A@1 same same", "no_quorum [quorum(510) otherwise keep]"},
              {"absent absent absent", "unchanged"},
              {"A@1 absent absent", "no_quorum [quorum(510) otherwise keep]"}},
             policy_of(Strategy::kQuorum), nullptr, 0);
}

BOOST_AUTO_TEST_CASE(equal_bytes_of_another_content_type_are_another_value) {
  const Policy policy = policy_of(Strategy::kQuorum);
  RoundQuestion q = question("A@1 A@2 same", policy, &kCommitted);
  q.answers[1].offer.value.content = ContentType::kJson;
  BOOST_TEST(describe(q, decide(q)) == "no_quorum [quorum(510) otherwise keep]");
}

BOOST_AUTO_TEST_CASE(thresholds_are_counted_in_integers_over_the_whole_roster) {
  for (std::uint32_t roster = 1; roster <= 12; ++roster) {
    for (const std::uint32_t permille : {501U, 510U, 667U, 750U, 1000U}) {
      const Policy policy = policy_of(Strategy::kQuorum, Strategy::kKeep, permille);
      for (std::uint32_t votes = 1; votes <= roster; ++votes) {
        std::string answers;
        for (std::uint32_t i = 0; i < roster; ++i) answers += i < votes ? "A@1 " : "same ";
        const RoundQuestion q = question(answers, policy, &kCommitted);
        const std::uint32_t rest = roster - votes;
        const auto enough = [&](std::uint32_t n) {
          return n * 1000 >= roster * permille && 2 * n > roster;
        };
        const RoundOutcome expected = enough(votes)  ? RoundOutcome::kResolved
                                      : enough(rest) ? RoundOutcome::kUnchanged
                                                     : RoundOutcome::kNoQuorum;
        BOOST_TEST((decide(q).outcome == expected), votes << " of " << roster);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(quorum_never_overwrites_a_commit_it_did_not_ask_about) {
  const Record moved = record_of(Register{ContentType::kText, "Q"}, 8);
  for (const Strategy otherwise : {Strategy::kKeep, Strategy::kLww}) {
    const Policy policy = policy_of(Strategy::kQuorum, otherwise);
    check_rows({{"A@9000 A@9000 A@9000", "moved"},
                {"same same same", "moved"},
                {"A@9000 - -", "moved"},
                {"- - -", "moved"}},
               policy, &moved);
    check_rows({{"A@9000 A@9000", "moved"}}, policy, &kTombstone);
    check_rows({{"A@9000 A@9000", "moved"}}, policy, nullptr);
    check_rows({{"A@9000 A@9000", "moved"}}, policy, &kCommitted, 0);
  }
}

BOOST_AUTO_TEST_CASE(keep_takes_nobodys_value) {
  const Record moved = record_of(Register{ContentType::kText, "Q"}, 8);
  for (const Record* present : {&kCommitted, &moved, &kTombstone}) {
    check_rows({{"A@9000 A@9000 A@9000", "unchanged [keep]"},
                {"same A@9000 absent", "unchanged [keep]"},
                {"same behind differs", "unchanged"},
                {"A@9000 - -", "unchanged [keep]"},
                {"same -", "unchanged"},
                {"- -", "timeout", false}},
               policy_of(Strategy::kKeep), present);
  }
}

BOOST_AUTO_TEST_CASE(offers_on_a_counter_or_a_set_are_lost) {
  const Record counter = record_of(Counter{4});
  const Record set = record_of(OrSet{});
  for (const Record* present : {&counter, &set})
    for (const Strategy strategy : {Strategy::kLww, Strategy::kQuorum, Strategy::kKeep})
      check_rows({{"A@9000 A@9000 A@9000", "unchanged"},
                  {"A@9000 - -", "unchanged"},
                  {"- -", "timeout", false}},
                 policy_of(strategy), present);
}

BOOST_AUTO_TEST_CASE(offers_on_a_key_whose_policy_wants_another_type_are_lost) {
  for (const Strategy strategy : {Strategy::kLww, Strategy::kQuorum}) {
    Policy policy = policy_of(strategy);
    policy.type = ValueType::kCounter;
    check_rows({{"A@9000 A@9000", "unchanged"}}, policy, nullptr, 0);
    check_rows({{"A@9000 A@9000", "unchanged"}}, policy, &kTombstone, 0);
    policy.type = ValueType::kRegister;
    const RoundQuestion q = question("A@9000 A@9000", policy, nullptr, 0);
    BOOST_TEST(decide(q).commit);
  }
}

BOOST_AUTO_TEST_CASE(a_round_of_nobody_changes_nothing) {
  for (const Strategy strategy : {Strategy::kLww, Strategy::kQuorum, Strategy::kKeep})
    check_rows({{"", "unchanged"}}, policy_of(strategy), &kCommitted);
}

// ---- properties
// ----------------------------------------------------------------------------------

// Stamps around the committed one, so that offers lose, tie and win; 9 is above all others.
const std::vector<std::string> kAnswers = {"same",   "behind", "differs", "absent", "A@999",
                                           "A@2000", "B@1000", "B@3000",  "P@500",  "P@2500"};
const std::vector<std::string> kCompletions = {"same", "behind", "absent", "A@1",   "A@9000",
                                               "B@1",  "B@9000", "P@9000", "Z@9500"};

struct Drawn {
  Policy policy;
  const Record* present = nullptr;
  std::uint64_t asked = kAsked;
  std::vector<std::string> words;

  [[nodiscard]] std::string text() const {
    std::string text;
    for (const std::string& word : words) text += word + " ";
    return text;
  }
};

const Record kMoved = record_of(Register{ContentType::kText, "B"}, 8);
const Record kCounter = record_of(Counter{1});

Drawn draw(Prng& prng, std::uint64_t missing_most) {
  static constexpr Strategy kStrategies[] = {Strategy::kQuorum, Strategy::kQuorum, Strategy::kLww,
                                             Strategy::kKeep};
  static constexpr std::uint32_t kThresholds[] = {501, 510, 667, 750, 1000};
  Drawn drawn;
  drawn.policy =
      policy_of(kStrategies[prng.below(4)], prng.chance(1, 3) ? Strategy::kLww : Strategy::kKeep,
                kThresholds[prng.below(5)]);
  switch (prng.below(8)) {
    case 0:
      drawn.asked = 0;
      break;
    case 1:
      drawn.asked = 0, drawn.present = &kTombstone;
      break;
    case 2:
      drawn.present = &kMoved;
      break;
    case 3:
      drawn.present = &kCounter;
      break;
    default:
      drawn.present = &kCommitted;
      break;
  }
  if (prng.chance(1, 12)) drawn.policy.type = ValueType::kCounter;
  const std::uint64_t roster = 1 + prng.below(6);
  for (std::uint64_t i = 0; i < roster; ++i)
    drawn.words.push_back(kAnswers[prng.below(kAnswers.size())]);
  for (std::uint64_t n = prng.below(std::min(missing_most, roster) + 1); n > 0; --n)
    drawn.words[prng.below(roster)] = "-";
  return drawn;
}

std::string value_of(const Record* record) {
  if (record == nullptr || !record->live()) return "(absent)";
  if (const auto* value = std::get_if<Register>(&*record->value)) return value->bytes;
  return "(merged)";
}

// Outcome and the value that stands after it: what a missing answer must not change.
using Effect = std::pair<RoundOutcome, std::string>;
Effect effect_of(const RoundQuestion& q) {
  const RoundDecision decision = decide(q);
  BOOST_REQUIRE((!decision.commit || decision.winner));
  return {decision.outcome,
          decision.commit ? q.answers.at(*decision.winner).offer.value.bytes : value_of(q.present)};
}

void complete(Drawn drawn, std::size_t from, std::set<Effect>& effects) {
  while (from < drawn.words.size() && drawn.words[from] != "-") ++from;
  if (from == drawn.words.size()) {
    effects.insert(effect_of(question(drawn.text(), drawn.policy, drawn.present, drawn.asked)));
    return;
  }
  for (const std::string& answer : kCompletions) {
    drawn.words[from] = answer;
    complete(drawn, from + 1, effects);
  }
}

BOOST_AUTO_TEST_CASE(a_settled_key_is_decided_alike_however_the_missing_answer) {
  Prng prng(21);
  int settled_early = 0;
  int open = 0;
  for (int run = 0; run < 1500; ++run) {
    const Drawn drawn = draw(prng, 3);
    const RoundQuestion q = question(drawn.text(), drawn.policy, drawn.present, drawn.asked);
    const bool missing = q.answers.size() < q.roster;
    if (!missing) {
      BOOST_REQUIRE(settled(q));
      continue;
    }
    BOOST_TEST_CONTEXT("\"" << drawn.text() << "\" " << to_text(drawn.policy.strategy) << " "
                            << to_text(drawn.policy.otherwise) << " "
                            << drawn.policy.quorum.permille << " present "
                            << value_of(drawn.present) << " asked " << drawn.asked) {
      std::set<Effect> effects;
      complete(drawn, 0, effects);
      if (settled(q)) {
        ++settled_early;
        BOOST_REQUIRE((effects == std::set<Effect>{effect_of(q)}));
      } else {
        // And it waits for no answer in vain.
        ++open;
        effects.insert(effect_of(q));
        BOOST_REQUIRE(effects.size() > 1);
        const RoundOutcome outcome = decide(q).outcome;
        BOOST_REQUIRE(
            (outcome == (q.answers.empty() ? RoundOutcome::kTimeout : RoundOutcome::kPartial)));
      }
    }
  }
  BOOST_TEST(settled_early > 100);
  BOOST_TEST(open > 100);
}

// The rule of a complete round in other words: count, else take the greatest or nothing.
Effect expected_effect(const Drawn& drawn) {
  const std::string stands = value_of(drawn.present);
  const bool merged =
      stands == "(merged)" || (stands == "(absent)" && drawn.policy.type == ValueType::kCounter);
  if (merged || drawn.policy.strategy == Strategy::kKeep) return {RoundOutcome::kUnchanged, stands};

  using Stamped = std::tuple<std::uint64_t, std::string, std::string>;  // millis, agent, value
  std::vector<Stamped> stamped;
  std::map<std::string, std::uint64_t> votes;
  char agent = 'a';
  for (const std::string& word : drawn.words) {
    if (const std::size_t at = word.find('@'); at != std::string::npos) {
      stamped.emplace_back(std::stoull(word.substr(at + 1)), std::string(1, agent),
                           word.substr(0, at));
      ++votes[word.substr(0, at)];
    } else if (word == "same" && stands != "(absent)") {
      ++votes[stands];
    }
    ++agent;
  }
  const bool offered = !stamped.empty();
  if (drawn.policy.strategy == Strategy::kQuorum) {
    const std::uint64_t version = stands == "(absent)" ? 0 : drawn.present->version.value();
    if (version != drawn.asked) return {RoundOutcome::kMoved, stands};
    for (const auto& [value, count] : votes) {
      const std::uint64_t all = drawn.words.size();
      if (count * 1000 < all * drawn.policy.quorum.permille || 2 * count <= all) continue;
      return {value == stands ? RoundOutcome::kUnchanged : RoundOutcome::kResolved, value};
    }
    if (!offered) return {RoundOutcome::kUnchanged, stands};
    if (drawn.policy.otherwise == Strategy::kKeep) return {RoundOutcome::kNoQuorum, stands};
  }
  if (drawn.present != nullptr) stamped.emplace_back(kMillis, "m", stands);
  if (stamped.empty()) return {RoundOutcome::kUnchanged, stands};
  const std::string& greatest = std::get<2>(*std::max_element(stamped.begin(), stamped.end()));
  return {greatest == stands ? RoundOutcome::kUnchanged : RoundOutcome::kResolved, greatest};
}

BOOST_AUTO_TEST_CASE(complete_rounds_agree_with_the_rule_in_other_words) {
  Prng prng(22);
  std::map<RoundOutcome, int> seen;
  for (int run = 0; run < 20'000; ++run) {
    const Drawn drawn = draw(prng, 0);
    const RoundQuestion q = question(drawn.text(), drawn.policy, drawn.present, drawn.asked);
    const Effect effect = effect_of(q);
    ++seen[effect.first];
    BOOST_REQUIRE_MESSAGE(effect == expected_effect(drawn),
                          "\"" << drawn.text() << "\" " << to_text(drawn.policy.strategy) << ": "
                               << to_text(effect.first) << " " << effect.second);
    // Offers were weighed, or it says so by an empty rule.
    const RoundDecision decision = decide(q);
    BOOST_REQUIRE((decision.rule.empty() || drawn.text().find('@') != std::string::npos));
    BOOST_REQUIRE((!decision.winner || !decision.rule.empty()));
  }
  for (const RoundOutcome outcome : {RoundOutcome::kResolved, RoundOutcome::kUnchanged,
                                     RoundOutcome::kMoved, RoundOutcome::kNoQuorum})
    BOOST_TEST(seen[outcome] > 100, to_text(outcome));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
