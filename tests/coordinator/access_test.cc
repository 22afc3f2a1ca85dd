// The rules of access, on every path by which something is read or changed.

#include "base/access.h"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "tests/coordinator/bench_of_core.h"

namespace waggle {
namespace {

AccessRule rule(std::vector<std::string> agents, std::vector<Act> allow,
                std::vector<std::string> keys = {"*"}) {
  return {.agents = std::move(agents), .keys = std::move(keys), .allow = std::move(allow)};
}
AccessRulesPtr rules(std::vector<AccessRule> all) {
  auto made = std::make_shared<AccessRules>();
  for (AccessRule& one : all) BOOST_REQUIRE(made->add(std::move(one)));
  return made;
}

// Everybody reads open/; `boss` may everything; `a` has own/ too, `b` may write there unseen.
AccessRulesPtr usual() {
  return rules({rule({"*"}, {Act::kRead}, {"open/*"}),
                rule({"boss"}, {Act::kRead, Act::kWrite, Act::kPropose, Act::kVote, Act::kClaim,
                                Act::kSync, Act::kAdminister}),
                rule({"a"}, {Act::kRead, Act::kWrite, Act::kClaim, Act::kSync}, {"own/*"}),
                rule({"b"}, {Act::kWrite}, {"own/*", "open/*"})});
}

CoordinatorOptions with(AccessRulesPtr access) {
  CoordinatorOptions options = CoreBench::defaults();
  options.access = std::move(access);
  return options;
}

struct AccessBench : CoreBench {
  explicit AccessBench(AccessRulesPtr access = usual()) : CoreBench(with(std::move(access))) {
    boss = join("boss");
    a = join("a");
    b = join("b");
  }
  Outcome write(const std::string& who, const Welcome& welcome, std::uint64_t seq,
                const std::string& key, const std::string& value, std::uint64_t seen = 0) {
    const auto results = submit(who, welcome, {put(seq, key, value, welcome, seen)});
    BOOST_REQUIRE(results.size() == 1u);
    return results.front().outcome;
  }
  std::vector<std::string> keys_of(const std::vector<Change>& changes) const {
    std::vector<std::string> keys;
    for (const Change& change : changes) keys.push_back(change.key.value());
    return keys;
  }
  std::vector<std::string> pulled(const std::string& who, const Welcome& welcome) {
    receive(who, DeltaRequest{welcome.session, RequestId(1), {}, {}, {}});
    close();
    BOOST_REQUIRE(to<DeltaChunk>(who) != nullptr);
    BOOST_TEST(to<DeltaChunk>(who)->complete);
    return keys_of(to<DeltaChunk>(who)->changes);
  }
  const QueryResult& asked(const std::string& who, const Welcome& welcome, Ask ask) {
    receive(who, Query{welcome.session, RequestId(1), std::move(ask)});
    close();
    BOOST_REQUIRE(to<QueryResult>(who) != nullptr);
    return *to<QueryResult>(who);
  }
  std::vector<const AccessNote*> notes() const {
    std::vector<const AccessNote*> found;
    for (const Delivery& delivery : last.deliver)
      if (const auto* note = std::get_if<AccessNote>(&delivery)) found.push_back(note);
    return found;
  }

  Welcome boss, a, b;
};

using Keys = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(what_not_everybody_may_read_is_not_broadcast_but_pulled) {
  AccessBench bench;
  BOOST_TEST(bench.boss.view == 0u);
  BOOST_TEST(bench.boss.private_keys);
  BOOST_TEST(bench.a.private_keys);
  BOOST_TEST(bench.a.view != 0u);
  BOOST_TEST(!bench.b.private_keys);

  const std::vector<Mutation> both = {bench.put(1, "own/x", "1", bench.boss),
                                      bench.put(2, "open/y", "2", bench.boss)};
  bench.submit("boss", bench.boss, both);
  const auto updates = bench.broadcasts<StateUpdate>();
  BOOST_REQUIRE(updates.size() == 1u);
  BOOST_TEST(bench.keys_of(updates[0]->changes) == Keys{"open/y"},
             boost::test_tools::per_element());
  BOOST_TEST(updates[0]->elided == 1u);
  BOOST_TEST(updates[0]->to.value() == 2u);
  BOOST_TEST(bench.pulled("boss", bench.boss) == (Keys{"own/x", "open/y"}),
             boost::test_tools::per_element());
  BOOST_TEST(bench.pulled("a", bench.a) == (Keys{"own/x", "open/y"}),
             boost::test_tools::per_element());
  BOOST_TEST(bench.pulled("b", bench.b) == Keys{"open/y"}, boost::test_tools::per_element());

  // A deletion of it neither.
  Mutation gone = bench.put(3, "own/x", "", bench.boss, 2);
  gone.entries = {Entry{Key("own/x"), {}, DeleteOp{}, {}}};
  bench.submit("boss", bench.boss, {gone});
  BOOST_REQUIRE(bench.broadcasts<StateUpdate>().size() == 1u);
  BOOST_TEST(bench.broadcasts<StateUpdate>()[0]->changes.empty());
}

BOOST_AUTO_TEST_CASE(without_rules_nothing_is_elided) {
  CoreBench bench;
  const Welcome a = bench.join("a");
  BOOST_TEST(a.view == 0u);
  BOOST_TEST(!a.private_keys);
  bench.submit("a", a, {bench.put(1, "k", "1", a)});
  BOOST_TEST(bench.broadcasts<StateUpdate>()[0]->elided == 0u);
}

BOOST_AUTO_TEST_CASE(a_write_that_no_rule_allows_is_denied_for_good_and_noted) {
  AccessBench bench;
  const Outcome denied = bench.write("a", bench.a, 1, "open/x", "1");
  BOOST_TEST((denied.code == Code::kDenied));
  BOOST_TEST((denied.reason == Reason::kNotAllowed));
  BOOST_TEST(denied.final());
  BOOST_TEST(denied.text.find("'a' may not write 'open/x'") != std::string::npos);
  BOOST_REQUIRE(bench.notes().size() == 1u);
  BOOST_TEST(bench.notes()[0]->agent == "a");
  BOOST_TEST(bench.notes()[0]->what == "write");
  BOOST_TEST(bench.notes()[0]->on == "open/x");
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("open/x")) == nullptr));
  // It consumed its seq: the next write goes on.
  BOOST_TEST((bench.write("a", bench.a, 2, "own/x", "1").code == Code::kCommitted));
  // A group is allowed as a whole or not at all.
  Mutation group = bench.put(3, "own/y", "1", bench.a);
  group.entries.push_back(Entry{Key("other"), {}, PutOp{ContentType::kText, "1"}, {}});
  BOOST_TEST((bench.submit("a", bench.a, {group})[0].outcome.code == Code::kDenied));
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("own/y")) == nullptr));
}

BOOST_AUTO_TEST_CASE(who_writes_unseen_is_not_shown_what_stands) {
  AccessBench bench;
  BOOST_TEST((bench.write("boss", bench.boss, 1, "own/x", "secret").code == Code::kCommitted));
  Mutation blind = bench.put(1, "own/x", "mine", bench.b);
  blind.entries[0].expect = ExpectVersion{};  // absent
  const Outcome outcome = bench.submit("b", bench.b, {blind})[0].outcome;
  BOOST_TEST((outcome.code == Code::kConflict));
  BOOST_TEST((outcome.committed == nullptr));
  // Who may read it is.
  blind.context.epoch = bench.a.epoch;
  const Outcome seen = bench.submit("a", bench.a, {blind})[0].outcome;
  BOOST_TEST((seen.code == Code::kConflict));
  BOOST_TEST((seen.committed != nullptr));
}

BOOST_AUTO_TEST_CASE(questions_are_answered_with_what_may_be_read) {
  AccessBench bench;
  bench.submit("boss", bench.boss,
               {bench.put(1, "own/x", "1", bench.boss), bench.put(2, "open/y", "2", bench.boss)});
  BOOST_TEST((bench.asked("b", bench.b, GetQuery{{Key("own/x")}, {}}).code == Code::kDenied));
  BOOST_TEST(bench.asked("b", bench.b, GetQuery{{Key("open/y")}, {}}).changes.size() == 1u);
  BOOST_TEST(bench.keys_of(bench.asked("b", bench.b, ListQuery{}).changes) == Keys{"open/y"},
             boost::test_tools::per_element());
  BOOST_TEST(bench.asked("a", bench.a, ListQuery{}).changes.size() == 2u);
  BOOST_TEST((bench.asked("b", bench.b, ReceiptsQuery{}).code == Code::kDenied));
  // The store answers that one.
  bench.receive("a", Query{bench.a.session, RequestId(1), ReceiptsQuery{Key("open/y"), {}}});
  bench.close();
  BOOST_TEST(std::ranges::count_if(bench.last.send, [](const Send& send) {
               return std::holds_alternative<SendReceipts>(send);
             }) == 1);
}

BOOST_AUTO_TEST_CASE(claims_rounds_and_compaction_need_their_word) {
  AccessBench bench;
  const auto claim = [&](const char* who, const Welcome& welcome, const char* pattern) {
    ClaimRequest request;
    request.session = welcome.session;
    request.request = RequestId(9);
    request.pattern = pattern;
    request.ttl_millis = 10'000;
    bench.receive(who, request);
    bench.close();
    return bench.to<ClaimResult>(who)->code;
  };
  BOOST_TEST((claim("a", bench.a, "own/*") == Code::kCommitted));
  BOOST_TEST((claim("a", bench.a, "o*") == Code::kDenied));
  BOOST_TEST((claim("b", bench.b, "open/x") == Code::kDenied));
  const auto sync = [&](const char* who, const Welcome& welcome, std::vector<Key> keys) {
    SyncRequest request;
    request.session = welcome.session;
    request.request = RequestId(9);
    request.all = keys.empty();
    request.keys = std::move(keys);
    bench.receive(who, request);
    bench.close();
    const auto* report = bench.to<SyncReport>(who);
    return report == nullptr ? Code::kCommitted : report->code;
  };
  BOOST_TEST((sync("b", bench.b, {Key("open/x")}) == Code::kDenied));
  BOOST_TEST((sync("a", bench.a, {}) == Code::kDenied));
  BOOST_TEST((sync("boss", bench.boss, {}) == Code::kCommitted));
  bench.receive("a", CompactRequest{bench.a.session, RequestId(3), {}});
  bench.close();
  BOOST_TEST((bench.to<CompactResult>("a")->code == Code::kDenied));
  bench.receive("boss", CompactRequest{bench.boss.session, RequestId(3), {}});
  bench.close();
  BOOST_TEST((bench.to<CompactResult>("boss")->code == Code::kCommitted));
  BOOST_REQUIRE(bench.notes().size() == 1u);
  BOOST_TEST(!bench.notes()[0]->refused);
  BOOST_TEST(bench.notes()[0]->agent == "boss");
  BOOST_TEST(bench.notes()[0]->on == "compact");
  Mutation clear = bench.put(1, "", "", bench.a);
  clear.entries = {Entry{Key(), {}, ClearOp{}, {}}};
  BOOST_TEST((bench.submit("a", bench.a, {clear})[0].outcome.code == Code::kDenied));
}

BOOST_AUTO_TEST_CASE(of_a_hidden_key_only_its_readers_are_asked_each_alone) {
  AccessBench bench;
  bench.write("boss", bench.boss, 1, "own/x", "1");
  SyncRequest request;
  request.session = bench.a.session;
  request.request = RequestId(9);
  request.keys = {Key("own/x")};
  bench.receive("a", request);
  bench.close();
  BOOST_TEST(bench.broadcasts<StateRequest>().empty());
  BOOST_TEST((bench.to<StateRequest>("a") != nullptr));
  BOOST_TEST((bench.to<StateRequest>("boss") != nullptr));
  BOOST_TEST((bench.to<StateRequest>("b") == nullptr));
}

// Its offer counts as none.
BOOST_AUTO_TEST_CASE(an_offer_is_a_write) {
  AccessBench bench(rules({rule({"*"}, {Act::kRead, Act::kSync}), rule({"a"}, {Act::kWrite})}));
  SyncRequest request;
  request.session = bench.a.session;
  request.request = RequestId(9);
  request.keys = {Key("k")};
  bench.receive("a", request);
  bench.close();
  BOOST_REQUIRE(bench.broadcasts<StateRequest>().size() == 1u);
  Answer forged{Key("k"), AnswerKind::kOffer, {}};
  forged.offer.value = Register{ContentType::kText, "forged"};
  forged.offer.hlc = Hlc::of(1'000'000, 1);
  const RoundId round = bench.broadcasts<StateRequest>()[0]->round;
  for (const auto& [who, welcome] :
       {std::pair("a", bench.a), std::pair("b", bench.b), std::pair("boss", bench.boss)}) {
    StateResponse response;
    response.session = welcome.session;
    response.round = round;
    response.rest = AnswerKind::kAbsent;
    if (std::string(who) == "b") response.answers = {forged};
    bench.receive(who, response);
  }
  bench.close();
  BOOST_TEST((bench.core.swarm(SwarmId("s"))->find(Key("k")) == nullptr));
  BOOST_TEST(bench.core.counters().at("offers_refused") == 1u);
}

BOOST_AUTO_TEST_CASE(a_proposal_and_a_task_write_only_what_their_author_may) {
  AccessBench bench(rules({rule({"*"}, {Act::kRead, Act::kPropose, Act::kClaim}),
                           rule({"a"}, {Act::kWrite}, {"own/*", "~task/*"})}));
  const auto propose = [&](std::uint64_t seq, const char* id, const char* key) {
    return bench
        .write("a", bench.a, seq, std::string("~proposal/") + id,
               std::string(R"({"title":"t","writes":[{"key":")") + key + R"(","value":1}]})")
        .code;
  };
  BOOST_TEST((propose(1, "p1", "own/x") == Code::kCommitted));
  BOOST_TEST((propose(2, "p2", "other") == Code::kDenied));
  BOOST_TEST((bench.write("b", bench.b, 1, "~vote/p1/b", "for").code == Code::kDenied));
  BOOST_TEST((bench.write("b", bench.b, 2, "~task/t", R"({"title":"t"})").code == Code::kDenied));
  BOOST_TEST(
      (bench.write("a", bench.a, 3, "~task/t", R"({"title":"t"})").code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(what_goes_to_everybody_can_not_be_ephemeral_where_not_everybody_reads) {
  CoordinatorOptions options = with(usual());
  Policy policy;
  policy.prefix = "";
  policy.ephemeral = true;
  policy.live_millis = 60'000;
  BOOST_REQUIRE(options.policies.add(policy));
  CoreBench bench(options);
  const Welcome boss = bench.join("boss");
  const auto refused = [&](std::uint64_t number, const char* key) {
    bench.receive(
        "boss", EphemeralWrite{
                    boss.session, number, {{Key(key), Register{ContentType::kText, "1"}, {}, 0}}});
    bench.close();
    return bench.to<EphemeralResult>("boss")->refused.size();
  };
  BOOST_TEST(refused(1, "own/here") == 1u);
  BOOST_TEST(refused(2, "open/here") == 0u);
}

BOOST_AUTO_TEST_CASE(new_rules_hold_at_once_and_whose_rights_changed_joins_again) {
  AccessBench bench;
  bench.write("boss", bench.boss, 1, "own/x", "1");
  bench.feed(AccessChanged{rules({rule({"*"}, {Act::kRead}), rule({"b"}, {Act::kWrite})})});
  bench.close();
  for (const char* who : {"boss", "a", "b"}) BOOST_TEST((bench.to<NoSession>(who) != nullptr), who);
  BOOST_TEST(bench.core.sessions().size() == 0u);
  const Welcome a = bench.join("a");
  BOOST_TEST(a.view == 0u);
  BOOST_TEST(!a.private_keys);
  BOOST_TEST((bench.write("a", a, 1, "own/x", "2", 1).code == Code::kDenied));
  // The same once more: nobody whose rights stay has to come again.
  bench.feed(AccessChanged{rules({rule({"*"}, {Act::kRead}), rule({"b", "c"}, {Act::kWrite})})});
  bench.close();
  BOOST_TEST(bench.core.sessions().size() == 1u);
  // None: as before there were any.
  bench.feed(AccessChanged{nullptr});
  bench.close();
  BOOST_TEST((bench.write("a", bench.join("a"), 2, "k", "2").code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(an_agent_from_before_there_were_rules_is_told_so) {
  CoreBench bench(with(usual()));
  Hello old = CoreBench::hello("boss");
  old.features = 0;
  bench.receive("p", old);
  bench.close();
  BOOST_REQUIRE(bench.to<Refused>("p") != nullptr);
  BOOST_TEST((bench.to<Refused>("p")->code == Code::kUnsupported));
}

BOOST_AUTO_TEST_CASE(
    commands_without_a_key_are_one_agent_and_calls_of_this_process_may_everything) {
  CoreBench bench(with(rules({rule({"~client"}, {Act::kRead}, {"open/*"})})));
  const auto hello = CoreBench::hello("~client-0123", 1, Role::kClient);
  bench.receive("c", hello);
  bench.feed(Received{.peer = PeerId("in"), .message = make_message(hello), .inner = true});
  bench.close();
  const Welcome outside = *bench.to<Welcome>("c");
  const Welcome inside = *bench.to<Welcome>("in");
  bench.feed(
      Received{.peer = PeerId("in"),
               .message = make_message(Submit{
                   inside.session, inside.epoch, {}, {CoreBench::put(1, "own/x", "1", inside)}}),
               .inner = true});
  bench.close();
  BOOST_TEST((bench.to<SubmitResult>("in")->results[0].outcome.code == Code::kCommitted));
  bench.receive("c", Query{outside.session, RequestId(1), GetQuery{{Key("own/x")}, {}}});
  bench.close();
  BOOST_TEST((bench.to<QueryResult>("c")->code == Code::kDenied));
}

}  // namespace
}  // namespace waggle
