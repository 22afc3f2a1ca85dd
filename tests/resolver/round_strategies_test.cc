// The strategies of a round beside lww, quorum and keep, which are in round_test.cc; weights,
// coverage and the conflict window; and for every chain that no round ends too early.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/prng.h"
#include "resolver/round.h"

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
Register text(std::string bytes) {
  return {ContentType::kText, std::move(bytes)};
}
const Record kCommitted = record_of(text("P"));
const Record kTombstone = record_of(std::nullopt);

Policy chain_of(Strategy first, Strategy second = Strategy::kKeep,
                Strategy third = Strategy::kKeep) {
  Policy policy;
  policy.strategy = first;
  policy.otherwise = second;
  policy.at_last = third;
  policy.merger = "greater";
  return policy;
}

// "greater" takes the greater value, and throws for one that holds '!'.
const Policies& policies() {
  static const Policies with_merger = [] {
    Policies made;
    const Status added = made.add_merger("greater",
                                         [](std::string_view a, std::string_view b) {
                                           if (a.contains('!') && b.contains('!') && a != b)
                                             throw std::runtime_error("both");
                                           return std::string(std::max(a, b));
                                         },
                                         {"a", "b", "cd"});
    BOOST_REQUIRE(added);
    return made;
  }();
  return with_merger;
}

// A word an answer: "same", "behind", "absent", "-" for a missing one, or an offer as
// VALUE@MILLIS or VALUE@MILLIS/BASED_ON. Members are named a, b, c, ... in roster order. In a
// value '_' stands for a new line.
RoundQuestion question(std::string_view answers, const Policy& policy, const Record* present,
                       std::uint64_t asked = kAsked) {
  RoundQuestion q;
  q.asked = Revision(asked);
  q.present = present;
  q.policy = &policy;
  q.policies = &policies();
  std::istringstream words{std::string(answers)};
  for (std::string word; words >> word; ++q.roster) {
    const AgentId agent(std::string(1, static_cast<char>('a' + q.roster)));
    q.electorate += policy.weight_of(agent);
    if (word == "-") continue;
    RoundInput input;
    input.agent = agent;
    if (const std::size_t at = word.find('@'); at != std::string::npos) {
      const std::size_t based = word.find('/', at);
      input.kind = AnswerKind::kOffer;
      input.offer.value = text(word.substr(0, at));
      std::ranges::replace(input.offer.value.bytes, '_', '\n');
      input.offer.hlc = Hlc::of(std::stoull(word.substr(at + 1)), 0);
      input.offer.based_on =
          Revision(based == std::string::npos ? asked : std::stoull(word.substr(based + 1)));
    } else {
      input.kind = word == "same"     ? AnswerKind::kSame
                   : word == "behind" ? AnswerKind::kBehind
                                      : AnswerKind::kAbsent;
    }
    q.answers.push_back(std::move(input));
  }
  return q;
}

// "OUTCOME", " WINNER" or " =MADE", "!" where it is committed, " parks", " [RULE]".
std::string describe(const RoundQuestion& q, const RoundDecision& decision) {
  std::string said(to_text(decision.outcome));
  if (decision.winner) said += " " + q.answers.at(*decision.winner).agent.value();
  if (decision.made) said += " =" + decision.made->bytes;
  if (decision.commit) said += "!";
  if (decision.park) said += " parks";
  if (!decision.rule.empty()) said += " [" + decision.rule + "]";
  std::ranges::replace(said, '\n', '_');
  return said;
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

BOOST_AUTO_TEST_SUITE(round_strategies_test)

BOOST_AUTO_TEST_CASE(fww_keeps_what_stands_and_else_takes_the_first_offer) {
  check_rows({{"A@1 same", "unchanged [fww]"},
              {"A@1 - -", "unchanged [fww]"},
              {"same same", "unchanged"},
              {"- -", "timeout", false}},
             chain_of(Strategy::kFww), &kCommitted);
  for (const Record* absent : {static_cast<const Record*>(nullptr), &kTombstone})
    check_rows({{"A@30 B@20 absent", "resolved b! [fww]"},
                {"B@20 A@20", "resolved a! [fww]"},
                {"A@30 -", "partial a! [fww]", false},
                {"absent absent", "unchanged"}},
               chain_of(Strategy::kFww), absent, 0);
}

BOOST_AUTO_TEST_CASE(vector_takes_the_one_offer_that_knew_most) {
  check_rows({{"A@1/5 B@9000/4 same", "resolved a! [vector]"},
              {"A@1/4 B@1/5 C@1/3", "resolved b! [vector]"},
              {"A@1/4 same", "unchanged [vector otherwise keep]"},
              {"A@1/5 B@1/5", "unchanged [vector otherwise keep]"},
              {"A@1/5 A@2/5 B@1/4", "resolved a! [vector]"},
              {"P@1/5 same", "unchanged a [vector]"},
              {"A@1/5 -", "partial a! [vector]", false},
              {"same same", "unchanged"}},
             chain_of(Strategy::kVector), &kCommitted);
  check_rows({{"A@1/5 B@2000/5", "resolved b! [vector otherwise lww]"}},
             chain_of(Strategy::kVector, Strategy::kLww), &kCommitted);
  check_rows(
      {{"A@1 absent", "resolved a! [vector]"}, {"A@1 B@1", "unchanged [vector otherwise keep]"}},
      chain_of(Strategy::kVector), nullptr, 0);
}

BOOST_AUTO_TEST_CASE(manual_parks_when_all_have_answered) {
  check_rows({{"A@1 B@2", "parked parks [manual]"},
              {"A@1 same", "parked parks [manual]"},
              {"same behind", "unchanged"},
              {"A@1 -", "partial parks [manual]", false},
              {"- -", "timeout", false}},
             chain_of(Strategy::kManual), &kCommitted);
  check_rows({{"A@1 A@2 same", "resolved a! [quorum(510)]"},
              {"A@1 B@2 same", "parked parks [quorum(510) otherwise manual]"},
              {"A@1 B@2 C@3 -", "partial parks [quorum(510) otherwise manual]", false}},
             chain_of(Strategy::kQuorum, Strategy::kManual), &kCommitted);
}

BOOST_AUTO_TEST_CASE(custom_joins_all_offers_with_what_stands) {
  check_rows({{"A@1 Q@1 B@1", "resolved b! [custom(greater)]"},
              {"A@1 B@1", "unchanged [custom(greater)]"},
              {"Q!@1 R!@1", "unchanged [custom(greater) otherwise keep]"},
              {"Q@1 -", "partial a! [custom(greater)]", false}},
             chain_of(Strategy::kCustom), &kCommitted);
  check_rows({{"A@1 B@1", "resolved b! [custom(greater)]"}}, chain_of(Strategy::kCustom), nullptr,
             0);
  Policy unknown = chain_of(Strategy::kCustom, Strategy::kLww);
  unknown.merger = "nobody";
  check_rows({{"A@2000 same", "resolved a! [custom(nobody) otherwise lww]"}}, unknown, &kCommitted);
  RoundQuestion q = question("A@2000 same", unknown, &kCommitted);
  q.policies = nullptr;
  BOOST_TEST(describe(q, decide(q)) == "resolved a! [custom(nobody) otherwise lww]");
}

BOOST_AUTO_TEST_CASE(merge_joins_offers_each_with_what_it_began_from) {
  const Policy policy = chain_of(Strategy::kMerge);
  const Record stands = record_of(text("1\n2\n3\n4\n5\n"));
  const auto before = std::make_shared<const Record>(record_of(text("1\n2\n3\n4\nold\n"), 3));
  const auto merged = [&](std::string_view answers, const Record* present,
                          std::uint64_t asked = kAsked) {
    RoundQuestion q = question(answers, policy, present, asked);
    q.history = [&](Revision version) { return version == before->version ? before : nullptr; };
    return describe(q, decide(q));
  };
  BOOST_TEST(merged("a_2_3_4_5_@1 1_2_c_4_5_@2 same", &stands) == "resolved =a_2_c_4_5_! [merge]");
  BOOST_TEST(merged("a_2_3_4_5_@1 same", &stands) == "resolved a! [merge]");
  BOOST_TEST(merged("a_2_3_4_old_@1/3 same", &stands) == "resolved =a_2_3_4_5_! [merge]");
  BOOST_TEST(merged("1_2_3_4_5_@1 same", &stands) == "unchanged [merge]");
  BOOST_TEST(merged("a_2_3_4_5_@1 b_2_3_4_5_@2", &stands) == "unchanged [merge otherwise keep]");
  BOOST_TEST(merged("a_2_3_4_old_@1/2 same", &stands) == "unchanged [merge otherwise keep]");
  BOOST_TEST(merged("a_@1 absent", nullptr, 0) == "resolved a! [merge]");
  BOOST_TEST(merged("a_@1 b_@2", nullptr, 0) == "unchanged [merge otherwise keep]");
  // Without any history only offers on what stands can be merged.
  const RoundQuestion bare = question("a_2_3_4_old_@1/3 same", policy, &stands);
  BOOST_TEST(describe(bare, decide(bare)) == "unchanged [merge otherwise keep]");
}

BOOST_AUTO_TEST_CASE(
    what_is_not_joined_by_stamp_never_overwrites_a_commit_that_was_not_asked_about) {
  const Record moved = record_of(text("Q"), 8);
  for (const Strategy strategy :
       {Strategy::kVector, Strategy::kMerge, Strategy::kCustom, Strategy::kManual})
    check_rows({{"Z@9000 Z@9000", "moved"}, {"Z@9000 -", "moved"}, {"- -", "moved"}},
               chain_of(strategy), &moved);
  check_rows({{"Z@9000 -", "unchanged [fww]"}}, chain_of(Strategy::kFww), &moved);
}

BOOST_AUTO_TEST_CASE(stamps_within_the_window_hand_over) {
  Policy policy = chain_of(Strategy::kLww);
  policy.conflict_window_millis = 10;
  check_rows({{"A@1010 same", "unchanged [lww otherwise keep]"},
              {"A@1011 same", "resolved a! [lww]"},
              {"A@990 same", "unchanged [lww otherwise keep]"},
              {"A@989 same", "unchanged [lww]"},
              // Only the two greatest matter.
              {"A@2000 B@1001 C@1002", "resolved a! [lww]"},
              {"A@2000 B@1995 same", "unchanged [lww otherwise keep]"}},
             policy, &kCommitted);
  policy.otherwise = Strategy::kManual;
  check_rows({{"A@1010 same", "parked parks [lww otherwise manual]"}}, policy, &kCommitted);
  policy.strategy = Strategy::kFww;
  check_rows(
      {{"A@1 B@11", "parked parks [fww otherwise manual]"}, {"A@1 B@12", "resolved a! [fww]"}},
      policy, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(votes_are_weighed) {
  Policy policy = chain_of(Strategy::kQuorum);
  policy.weights = {{"a", 3}, {"b", 0}};  // of a, b, c, d: 3 + 0 + 1 + 1
  check_rows({{"A@1 B@1 B@1 B@1", "resolved a! [quorum(510)]"},
              {"A@1 - - -", "resolved a! [quorum(510)]"},
              {"same B@1 B@1 B@1", "unchanged [quorum(510)]"},
              {"behind B@1 B@1 B@1", "no_quorum [quorum(510) otherwise keep]"},
              {"- B@1 B@1 B@1", "partial [quorum(510) otherwise keep]", false},
              {"behind B@1 - -", "no_quorum [quorum(510) otherwise keep]"}},
             policy, &kCommitted);
}

BOOST_AUTO_TEST_CASE(a_quorum_of_too_few_answers_is_none) {
  Policy policy = chain_of(Strategy::kQuorum);
  policy.coverage_permille = 1000;
  check_rows({{"A@1 A@1 A@1 -", "partial [quorum(510) otherwise keep]", false},
              {"A@1 A@1 A@1 behind", "resolved a! [quorum(510)]"}},
             policy, &kCommitted);
  policy.coverage_permille = 750;
  check_rows({{"A@1 A@1 A@1 -", "resolved a! [quorum(510)]"},
              {"A@1 A@1 - -", "partial [quorum(510) otherwise keep]", false}},
             policy, &kCommitted);
}

// ---- properties --------------------------------------------------------------------------------

const std::vector<std::string> kAnswers = {"same",     "behind",   "absent", "A@995",
                                           "A@2000",   "B@1000/4", "B@2005", "P@500",
                                           "P@2500/4", "Q!@1500",  "R!@1600"};
const std::vector<std::string> kCompletions = {"same",  "behind",   "absent", "A@1",    "A@9000",
                                               "B@1/6", "B@9005/4", "P@9000", "S!@9500"};
const Record kMoved = record_of(text("B"), 8);
const Record kCounter = record_of(Counter{1});

struct Drawn {
  Policy policy;
  const Record* present = &kCommitted;
  std::uint64_t asked = kAsked;
  std::vector<std::string> words;

  [[nodiscard]] RoundQuestion question() const {
    std::string joined;
    for (const std::string& word : words) joined += word + " ";
    return waggle::question(joined, policy, present, asked);
  }
};

Drawn draw(Prng& prng) {
  static constexpr Strategy kStrategies[] = {Strategy::kLww,   Strategy::kFww,    Strategy::kVector,
                                             Strategy::kMerge, Strategy::kManual, Strategy::kCustom,
                                             Strategy::kKeep,  Strategy::kQuorum};
  Drawn drawn;
  drawn.policy =
      chain_of(kStrategies[prng.below(8)], kStrategies[prng.below(7)], kStrategies[prng.below(7)]);
  if (prng.chance(1, 2)) drawn.policy.strategy = Strategy::kQuorum;
  if (prng.chance(1, 3)) drawn.policy.conflict_window_millis = 10;
  if (prng.chance(1, 3)) drawn.policy.coverage_permille = 250 * (1 + prng.below(4));
  if (prng.chance(1, 2))
    for (const char* agent : {"a", "b", "c"})
      drawn.policy.weights[agent] = static_cast<std::uint32_t>(prng.below(4));
  static const Record* const kPresent[] = {nullptr, &kTombstone, &kMoved, &kCounter};
  if (const std::uint64_t which = prng.below(8); which < 4) drawn.present = kPresent[which];
  if (drawn.present == nullptr || drawn.present == &kTombstone) drawn.asked = 0;
  const std::uint64_t roster = 2 + prng.below(4);
  for (std::uint64_t i = 0; i < roster; ++i)
    drawn.words.push_back(kAnswers[prng.below(kAnswers.size())]);
  for (std::uint64_t n = 1 + prng.below(std::min<std::uint64_t>(3, roster)); n > 0; --n)
    drawn.words[prng.below(roster)] = "-";
  return drawn;
}

// What a round does: its outcome, the value that stands after it, whether a person is asked.
std::string effect_of(const RoundQuestion& q) {
  const RoundDecision decision = decide(q);
  std::string value = "(stays)";
  if (decision.commit)
    value = decision.winner ? q.answers.at(*decision.winner).offer.value.bytes
                            : decision.made.value().bytes;
  return fmt::format("{} {}{}", to_text(decision.outcome), value, decision.park ? " parks" : "");
}

void complete(Drawn drawn, std::size_t from, std::set<std::string>& effects) {
  while (from < drawn.words.size() && drawn.words[from] != "-") ++from;
  if (from == drawn.words.size()) {
    effects.insert(effect_of(drawn.question()));
    return;
  }
  for (const std::string& answer : kCompletions) {
    drawn.words[from] = answer;
    complete(drawn, from + 1, effects);
  }
}

BOOST_AUTO_TEST_CASE(no_chain_ends_a_round_that_a_missing_answer_could_change) {
  constexpr std::uint64_t kSeed = 31;
  Prng prng(kSeed);
  int settled_early = 0;
  for (int run = 0; run < 4'000; ++run) {
    const Drawn drawn = draw(prng);
    const RoundQuestion q = drawn.question();
    if (!settled(q)) {
      const RoundOutcome outcome = decide(q).outcome;
      BOOST_REQUIRE_MESSAGE(
          outcome == (q.answers.empty() ? RoundOutcome::kTimeout : RoundOutcome::kPartial),
          "seed " << kSeed << " run " << run);
      continue;
    }
    ++settled_early;
    std::set<std::string> effects;
    complete(drawn, 0, effects);
    std::string seen;
    for (const std::string& effect : effects) seen += effect + "; ";
    BOOST_REQUIRE_MESSAGE(effects == std::set<std::string>{effect_of(q)},
                          "seed " << kSeed << " run " << run << " "
                                  << to_text(drawn.policy.strategy) << " "
                                  << to_text(drawn.policy.otherwise) << " settled as "
                                  << effect_of(q) << ", may become " << seen);
  }
  BOOST_TEST(settled_early > 300);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
