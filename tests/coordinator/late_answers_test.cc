// Answers that come when their round is over, under policies that let them amend it.

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "bench_of_rounds.h"
#include "resolver/receipt.h"
#include "resolver/replay.h"

namespace waggle {
namespace {

constexpr std::int64_t kAmend = 5'000;

// Policies that may be amended for five seconds: "l/" lww, "f/" fww, "v/" vector, "j/" merge, "m/"
// manual, "q/" quorum, "ql/" quorum and then lww. All other keys have lww and no time.
CoordinatorOptions with_amending() {
  CoordinatorOptions options = CoreBench::defaults();
  const auto add = [&](const char* prefix, Strategy strategy,
                       Strategy otherwise = Strategy::kKeep) {
    Policy policy;
    policy.prefix = prefix;
    policy.strategy = strategy;
    policy.otherwise = otherwise;
    policy.amend_millis = kAmend;
    (void)options.policies.add(std::move(policy));
  };
  add("l/", Strategy::kLww);
  add("f/", Strategy::kFww);
  add("v/", Strategy::kVector);
  add("j/", Strategy::kMerge);
  add("m/", Strategy::kManual);
  add("q/", Strategy::kQuorum);
  add("ql/", Strategy::kQuorum, Strategy::kLww);
  return options;
}

class LateBench : public RoundBench {
 public:
  explicit LateBench(std::initializer_list<const char*> members = {"a", "b", "c"},
                     CoordinatorState state = {})
      : RoundBench(members, with_amending(), std::move(state)) {}

  // A round of the key whose time is over when only "a" answered.
  RoundId lacking(const char* key, std::vector<Answer> answers) {
    const RoundId round = ask("a", ++asked_, {key});
    say("a", round, std::move(answers));
    wait(1'000);
    BOOST_REQUIRE(report("a") != nullptr);
    keep_receipts();
    return round;
  }
  void late(const std::string& agent, RoundId round, std::vector<Answer> answers) {
    answer(agent, round, std::move(answers));
    keep_receipts();
  }
  static Answer offers_from(const char* key, const char* value, std::uint64_t counter,
                            std::uint64_t based_on) {
    Answer answer = offers(key, value, counter);
    answer.offer.based_on = Revision(based_on);
    return answer;
  }

  [[nodiscard]] RecordPtr record(const char* key) const {
    return core.swarm(SwarmId("s"))->find(Key(key));
  }
  [[nodiscard]] bool amended() const { return !broadcasts<StateUpdate>().empty(); }
  // What verify() says of the one key's receipts.
  [[nodiscard]] std::string verified(const char* key) const {
    const CheckedChain checked = verify(receipts, record(key)->receipt, with_amending().policies);
    std::string text = checked.sound() ? "sound:" : "unsound:";
    for (const CheckedReceipt& one : checked.receipts)
      text += " " + std::string(to_text(one.verified)) + one.text;
    return text;
  }

  std::vector<Receipt> receipts;

 private:
  void keep_receipts() {
    for (const ReceiptRow* row : rows<ReceiptRow>()) receipts.push_back(row->receipt);
  }
  std::uint64_t asked_ = 0;
};

const OfferOutcome* told(const LateBench& bench, const std::string& agent) {
  const auto* result = bench.to<OfferResult>(agent);
  return result == nullptr || result->outcomes.empty() ? nullptr : &result->outcomes.front();
}

BOOST_AUTO_TEST_SUITE(late_answers)

BOOST_AUTO_TEST_CASE(a_late_answer_that_makes_another_outcome_is_a_commit_that_names_the_round) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  BOOST_TEST(bench.value("l/x") == "mine");
  BOOST_TEST(!bench.record("l/x")->metadata.contains("amends"));
  bench.late("b", round, {LateBench::offers("l/x", "later", 2)});
  BOOST_TEST(bench.value("l/x") == "later");
  const RecordPtr record = bench.record("l/x");
  BOOST_TEST(record->version.value() == 2u);
  BOOST_TEST(record->writer.agent.value() == kCoordinatorName);
  BOOST_TEST((record->hlc == Hlc::of(1'000'000, 2)));
  const Metadata expected = {
      {"amends", to_hex(round.value())}, {"amends_revision", "1"}, {"offered_by", "b"}};
  BOOST_TEST((record->metadata == expected));
  // Durable, and told to everybody with the round.
  BOOST_TEST(bench.rows<RecordRow>().size() == 1u);
  BOOST_TEST(bench.last.persist.sync);
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 1u);
  BOOST_TEST((updates[0]->round == round));
  BOOST_TEST(updates[0]->changes.size() == 1u);
  BOOST_TEST(bench.counter("rounds_amended") == 1u);
  BOOST_TEST(bench.counter("late_round_answers") == 0u);
  // The caller had its report; nobody gets another one.
  BOOST_TEST((bench.report("a") == nullptr));
}

BOOST_AUTO_TEST_CASE(every_offer_for_an_amended_key_is_answered_anew) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  BOOST_REQUIRE(told(bench, "a") != nullptr);
  BOOST_TEST(told(bench, "a")->took);
  bench.late("b", round, {LateBench::offers("l/x", "later", 2)});
  BOOST_REQUIRE(told(bench, "a") != nullptr);
  BOOST_TEST(!told(bench, "a")->took);
  BOOST_REQUIRE(told(bench, "b") != nullptr);
  BOOST_TEST(told(bench, "b")->took);
  BOOST_TEST(told(bench, "b")->version.value() == 2u);
}

BOOST_AUTO_TEST_CASE(a_late_answer_within_the_outcome_changes_nothing_and_keeps_its_offer) {
  for (Answer answer : {LateBench::offers("l/x", "earlier", 1), LateBench::offers("l/x", "mine", 9),
                        Answer{Key("l/x"), AnswerKind::kBehind, {}}}) {
    LateBench bench;
    const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 5)});
    bench.late("b", round, {std::move(answer)});
    BOOST_TEST(bench.head() == 1u);
    BOOST_TEST(bench.last.persist.rows.empty());
    BOOST_TEST(!bench.amended());
    BOOST_TEST((told(bench, "b") == nullptr));
    BOOST_TEST(bench.counter("late_round_answers") == 1u);
    BOOST_TEST(bench.counter("rounds_amended") == 0u);
  }
}

BOOST_AUTO_TEST_CASE(after_the_time_a_late_answer_is_counted_only) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.wait(kAmend - 1);
  bench.late("b", round, {LateBench::offers("l/x", "in time", 2)});
  BOOST_TEST(bench.value("l/x") == "in time");
  bench.wait(1);
  bench.late("c", round, {LateBench::offers("l/x", "too late", 3)});
  BOOST_TEST(bench.value("l/x") == "in time");
  BOOST_TEST(!bench.amended());
  BOOST_TEST(bench.counter("rounds_amended") == 1u);
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);
}

BOOST_AUTO_TEST_CASE(each_key_has_the_time_of_its_policy) {
  LateBench bench({"a", "b"});
  const RoundId round = bench.ask("a", 1, {"l/x", "x"});
  bench.say("a", round, {LateBench::offers("l/x", "mine", 1), LateBench::offers("x", "mine", 1)});
  bench.wait(1'000);
  bench.late("b", round, {LateBench::offers("l/x", "late", 2), LateBench::offers("x", "late", 2)});
  BOOST_TEST(bench.value("l/x") == "late");
  BOOST_TEST(bench.value("x") == "mine");
}

BOOST_AUTO_TEST_CASE(what_somebody_wrote_meanwhile_stays) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.write("c", 1, "l/x", "written", 2);
  bench.late("b", round, {LateBench::offers("l/x", "late", 9)});
  BOOST_TEST(bench.value("l/x") == "written");
  BOOST_TEST(!bench.amended());
  BOOST_TEST(bench.counter("late_round_answers") == 1u);
}

BOOST_AUTO_TEST_CASE(a_write_in_the_same_group_stays_too) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  Mutation mutation = LateBench::put(1, "l/x", "written", bench.welcomes.at("c"), bench.head());
  bench.receive("c", Submit{bench.session("c"), bench.core.epoch(), {}, {std::move(mutation)}});
  bench.late("b", round, {LateBench::offers("l/x", "late", 9)});
  BOOST_TEST(bench.value("l/x") == "written");
}

BOOST_AUTO_TEST_CASE(a_key_deleted_meanwhile_is_not_brought_back) {
  for (const bool forgotten : {false, true}) {
    LateBench bench;
    const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
    Mutation gone = LateBench::put(1, "l/x", {}, bench.welcomes.at("c"), bench.head());
    gone.entries[0].op = DeleteOp{};
    (void)bench.submit("c", bench.welcomes.at("c"), {std::move(gone)});
    if (forgotten) {
      bench.receive("a", CompactRequest{bench.session("a"), RequestId(9), Revision(bench.head())});
      bench.close();
      BOOST_TEST((bench.record("l/x") == nullptr));
    }
    bench.late("b", round, {LateBench::offers("l/x", "late", 9)});
    BOOST_TEST(bench.value("l/x") == "(absent)");
  }
}

// The round left nothing, and nothing is there now; but not all the time.
BOOST_AUTO_TEST_CASE(a_key_that_came_and_went_meanwhile_is_not_brought_back) {
  LateBench bench({"a", "b"});
  const RoundId round = bench.lacking("q/x", {LateBench::offers("q/x", "yes", 1)});
  BOOST_TEST((bench.report("a")->outcome == RoundOutcome::kPartial));
  bench.write("a", 1, "q/x", "written", 2);
  Mutation gone = LateBench::put(2, "q/x", {}, bench.welcomes.at("a"), bench.head());
  gone.entries[0].op = DeleteOp{};
  (void)bench.submit("a", bench.welcomes.at("a"), {std::move(gone)});
  bench.receive("a", CompactRequest{bench.session("a"), RequestId(9), Revision(bench.head())});
  bench.close();
  BOOST_TEST((bench.record("q/x") == nullptr));
  bench.late("b", round, {LateBench::offers("q/x", "yes", 3)});
  BOOST_TEST(bench.value("q/x") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_swarm_that_was_cleared_meanwhile_stays_empty) {
  LateBench bench;
  const RoundId round = bench.lacking("q/x", {LateBench::offers("q/x", "yes", 1)});
  Mutation clear = LateBench::put(1, "", {}, bench.welcomes.at("c"), bench.head());
  clear.entries[0].op = ClearOp{};
  (void)bench.submit("c", bench.welcomes.at("c"), {std::move(clear)});
  bench.late("b", round, {LateBench::offers("q/x", "yes", 2)});
  BOOST_TEST(bench.value("q/x") == "(absent)");
}

BOOST_AUTO_TEST_CASE(two_late_answers_amend_one_after_the_other) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.late("b", round, {LateBench::offers("l/x", "later", 2)});
  bench.late("c", round, {LateBench::offers("l/x", "latest", 3)});
  BOOST_TEST(bench.value("l/x") == "latest");
  BOOST_TEST(bench.record("l/x")->metadata.at("amends_revision") == "2");
  BOOST_TEST(bench.counter("rounds_amended") == 2u);
  BOOST_TEST(bench.verified("l/x") == "sound: holds holds holds");
  // Nobody is missing any more, and nobody counts twice.
  bench.late("c", round, {LateBench::offers("l/x", "again", 4)});
  BOOST_TEST(bench.value("l/x") == "latest");
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);
}

BOOST_AUTO_TEST_CASE(two_late_answers_in_one_group_are_weighed_together) {
  LateBench bench;
  const RoundId round = bench.lacking("q/x", {LateBench::offers("q/x", "yes", 1)});
  BOOST_TEST(bench.value("q/x") == "(absent)");
  bench.say("b", round, {LateBench::offers("q/x", "no", 2)});
  bench.late("c", round, {LateBench::offers("q/x", "yes", 3)});
  BOOST_TEST(bench.value("q/x") == "yes");
  BOOST_TEST(bench.record("q/x")->metadata.at("amends_revision") == "0");
  BOOST_TEST(bench.verified("q/x") == "sound: holds");
  BOOST_TEST(told(bench, "a")->took);
  BOOST_TEST(!told(bench, "b")->took);
  BOOST_TEST(told(bench, "c")->took);
}

BOOST_AUTO_TEST_CASE(an_answer_for_another_swarm_or_from_outside_the_roster_amends_nothing) {
  LateBench bench({"a", "b"});
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.welcomes["d"] = bench.join("d");
  bench.late("d", round, {LateBench::offers("l/x", "late", 9)});
  bench.late("b", RoundId(round.value() + 1), {LateBench::offers("l/x", "late", 9)});
  BOOST_TEST(bench.value("l/x") == "mine");
  BOOST_TEST(bench.counter("ignored_round_answers") == 2u);
}

BOOST_AUTO_TEST_CASE(a_restart_forgets_what_could_be_amended) {
  CoordinatorState state;
  RoundId round;
  {
    LateBench bench({"a", "b"});
    round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
    state.store.epoch = bench.core.epoch();
    state.swarms = {*bench.rows<SwarmRow>().at(0)};
    state.records = {*bench.rows<RecordRow>().at(0)};
  }
  LateBench bench({"a", "b"}, std::move(state));
  bench.late("b", round, {LateBench::offers("l/x", "late", 9)});
  BOOST_TEST(bench.value("l/x") == "mine");
  BOOST_TEST(bench.counter("ignored_round_answers") == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_or_state_takes_no_amendment_and_a_later_answer_makes_it_good) {
  LateBench bench;
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.feed(SpaceChanged{false, "disk full"});
  bench.late("b", round, {LateBench::offers("l/x", "later", 2)});
  BOOST_TEST(bench.last.persist.rows.empty());
  BOOST_TEST(bench.value("l/x") == "mine");
  bench.feed(SpaceChanged{true, ""});
  bench.late("c", round, {});
  BOOST_TEST(bench.value("l/x") == "later");
}

BOOST_AUTO_TEST_CASE(what_can_be_amended_is_bounded_and_the_oldest_go) {
  LateBench bench({"a", "b"});
  const RoundId first = bench.lacking("l/0", {LateBench::offers("l/0", "mine", 1)});
  const RoundId second = bench.lacking("l/1", {LateBench::offers("l/1", "mine", 1)});
  // All at once: their time must not be over.
  std::vector<RoundId> rounds;
  for (std::uint64_t i = 2; i <= limits::kOpenRounds; ++i) {
    const std::string key = "l/" + std::to_string(i);
    rounds.push_back(bench.ask("a", 100 + i, {key.c_str()}));
    bench.say("a", rounds.back(), {LateBench::offers(key.c_str(), "mine", 1)});
  }
  bench.wait(1'000);
  bench.late("b", first, {LateBench::offers("l/0", "late", 2)});
  BOOST_TEST(bench.value("l/0") == "mine");
  bench.late("b", second, {LateBench::offers("l/1", "late", 2)});
  BOOST_TEST(bench.value("l/1") == "late");
}

// ---- by strategy -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_receipt_of_an_amendment_has_what_stood_before_the_round) {
  // Else the rule would be run on what the round itself had made of the key.
  for (const bool existed : {false, true}) {
    LateBench bench({"a", "b"});
    if (existed) bench.write("a", 1, "l/x", "stood", 0);
    const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
    bench.late("b", round, {LateBench::offers("l/x", "late", 2)});
    BOOST_TEST(bench.verified("l/x") == "sound: holds holds");
    const Receipt& receipt = bench.receipts.back();
    BOOST_TEST(receipt.inputs.size() == (existed ? 3u : 2u));
    BOOST_TEST(receipt.inputs.front().committed == existed);
    BOOST_TEST((receipt.round == round));
  }
}

BOOST_AUTO_TEST_CASE(of_first_writes_a_late_earlier_one_stands) {
  LateBench bench({"a", "b"});
  const RoundId round = bench.lacking("f/x", {LateBench::offers("f/x", "second", 2)});
  BOOST_TEST(bench.value("f/x") == "second");
  bench.late("b", round, {LateBench::offers("f/x", "first", 1)});
  BOOST_TEST(bench.value("f/x") == "first");
  BOOST_TEST(bench.verified("f/x") == "sound: holds holds");
}

BOOST_AUTO_TEST_CASE(a_late_document_is_merged_with_what_it_began_from) {
  LateBench bench({"a", "b"});
  Mutation first = LateBench::put(1, "j/x", {}, bench.welcomes.at("a"), 0);
  first.entries[0].op = PutOp{ContentType::kJson, R"({"a":1,"b":1})"};
  (void)bench.submit("a", bench.welcomes.at("a"), {std::move(first)});
  const auto document = [](const char* json, std::uint64_t counter) {
    Answer answer = LateBench::offers_from("j/x", json, counter, 1);
    answer.offer.value.content = ContentType::kJson;
    return answer;
  };
  const RoundId round = bench.lacking("j/x", {document(R"({"a":2,"b":1})", 1)});
  BOOST_TEST(bench.value("j/x") == R"({"a":2,"b":1})");
  bench.late("b", round, {document(R"({"a":1,"b":3})", 2)});
  BOOST_TEST(bench.value("j/x") == R"({"a":2,"b":3})");
  BOOST_TEST(!bench.record("j/x")->metadata.contains("offered_by"));
  BOOST_TEST(bench.verified("j/x") == "sound: holds holds");
}

BOOST_AUTO_TEST_CASE(a_late_vote_for_what_stood_before_brings_it_back) {
  LateBench bench;
  bench.write("a", 1, "ql/x", "stood", 0);
  const RoundId round = bench.lacking("ql/x", {LateBench::offers("ql/x", "mine", 1)});
  BOOST_TEST(bench.value("ql/x") == "mine");  // no quorum, so by stamp
  bench.late("b", round, {});
  BOOST_TEST(bench.value("ql/x") == "mine");
  bench.late("c", round, {});  // two of three hold what stood
  BOOST_TEST(bench.value("ql/x") == "stood");
  BOOST_TEST(bench.verified("ql/x") == "sound: holds holds");
  BOOST_REQUIRE(told(bench, "a") != nullptr);
  BOOST_TEST(!told(bench, "a")->took);
}

BOOST_AUTO_TEST_CASE(a_late_offer_of_what_stood_before_brings_it_back) {
  LateBench bench({"a", "b"});
  bench.write("a", 1, "l/x", "stood", 0);
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.late("b", round, {LateBench::offers("l/x", "stood", 2)});
  BOOST_TEST(bench.value("l/x") == "stood");
  BOOST_TEST((bench.record("l/x")->hlc == Hlc::of(1'000'000, 2)));
  BOOST_TEST(bench.record("l/x")->metadata.at("offered_by") == "b");
  BOOST_TEST(bench.verified("l/x") == "sound: holds holds");
}

BOOST_AUTO_TEST_CASE(where_the_rules_decide_nothing_any_more_what_was_committed_stays) {
  LateBench bench({"a", "b"});
  bench.write("a", 1, "v/x", "stood", 0);
  const RoundId round = bench.lacking("v/x", {LateBench::offers_from("v/x", "mine", 1, 1)});
  BOOST_TEST(bench.value("v/x") == "mine");
  // Two were made with the same knowledge: on time `keep` would have had the word.
  bench.late("b", round, {LateBench::offers_from("v/x", "late", 2, 1)});
  BOOST_TEST(bench.value("v/x") == "mine");
  BOOST_TEST(bench.counter("late_round_answers") == 1u);
}

BOOST_AUTO_TEST_CASE(a_late_answer_parks_nothing) {
  LateBench bench({"a", "b"});
  bench.write("a", 1, "m/x", "stood", 0);
  const RoundId round = bench.lacking("m/x", {LateBench::offers("m/x", "mine", 1)});
  bench.late("b", round, {LateBench::offers("m/x", "late", 2)});
  BOOST_TEST(bench.value("m/x") == "stood");
  BOOST_TEST(bench.rows<ConflictRow>().empty());
}

// It was made when the round was over, so no time would have been early enough for it.
BOOST_AUTO_TEST_CASE(an_offer_that_knows_what_the_round_left_waits_for_the_next) {
  LateBench bench;
  bench.write("a", 1, "l/x", "stood", 0);
  const RoundId round = bench.lacking("l/x", {LateBench::offers("l/x", "mine", 1)});
  bench.late("b", round, {LateBench::offers_from("l/x", "informed", 8, bench.head())});
  BOOST_TEST(bench.value("l/x") == "mine");
  BOOST_TEST((told(bench, "b") == nullptr));
  bench.late("c", round, {LateBench::offers_from("l/x", "late", 7, 1)});
  BOOST_TEST(bench.value("l/x") == "late");
}

BOOST_AUTO_TEST_CASE(a_round_that_is_open_on_an_amended_key_asks_again) {
  LateBench bench({"a", "b"});
  const RoundId round = bench.lacking("q/x", {LateBench::offers("q/x", "yes", 1)});
  const RoundId open = bench.ask("a", 50, {"q/x"});
  BOOST_REQUIRE(open);
  bench.late("b", round, {LateBench::offers("q/x", "yes", 2)});
  BOOST_TEST(bench.value("q/x") == "yes");
  bench.answer("a", open, {LateBench::offers("q/x", "no", 3)});
  if (!bench.asked()) bench.answer("b", open, {LateBench::offers("q/x", "no", 4)});
  BOOST_TEST(bench.asked().value() != 0u);
  BOOST_TEST(bench.value("q/x") == "yes");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
