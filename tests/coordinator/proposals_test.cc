// Proposals through the core: opened, voted on, decided, closed; and writes that need one.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"
#include "bench_of_core.h"
#include "consensus/claim_record.h"

namespace waggle {
namespace {

CoordinatorOptions with_votes() {
  CoordinatorOptions options = CoreBench::defaults();
  Policy plan;
  plan.prefix = "plan/";
  plan.vote_permille = 660;
  Policy board;
  board.prefix = "board/";
  board.vote_permille = 510;
  board.voters = {AgentId("a"), AgentId("b")};
  for (const Policy& policy : {plan, board}) WAGGLE_CHECK(options.policies.add(policy).has_value());
  for (const auto& [name, role] :
       {std::pair{"expert", VotingRole{{AgentId("a")}, 2'000}},
        std::pair{"manager", VotingRole{{AgentId("a"), AgentId("away")}, 1'500}}})
    WAGGLE_CHECK(options.policies.add_role(name, role).has_value());
  return options;
}

struct Place : CoreBench {
  explicit Place(CoordinatorState state = {}) : CoreBench(with_votes(), std::move(state)) {}

  void enter(const std::string& agent) { sessions[agent] = join(agent); }
  Outcome write(const std::string& agent, Entry entry) {
    Mutation mutation = CoreBench::put(++seqs[agent], "k", {}, sessions.at(agent), head());
    mutation.entries = {std::move(entry)};
    const auto results = submit(agent, sessions.at(agent), {std::move(mutation)}, seqs[agent] - 1);
    BOOST_REQUIRE(!results.empty());
    BOOST_TEST(results.back().outcome.final());
    return results.back().outcome;
  }
  Outcome propose(const std::string& agent, const std::string& id, const std::string& document) {
    return write(agent, {proposal_key(id), {}, PutOp{ContentType::kJson, document}, {}});
  }
  Outcome vote(const std::string& agent, const std::string& id, const std::string& word,
               const std::string& as = "") {
    return write(
        agent,
        {vote_key(id, AgentId(as.empty() ? agent : as)), {}, PutOp{ContentType::kText, word}, {}});
  }
  static std::string words(const Outcome& outcome) {
    return outcome.reason != Reason::kNone ? std::string(to_text(outcome.reason))
                                           : std::string(to_text(outcome.code));
  }
  [[nodiscard]] std::optional<JsonValue> document(const std::string& id) const {
    const SwarmState* swarm = core.swarm(SwarmId("s"));
    const RecordPtr record = swarm != nullptr ? swarm->find(proposal_key(id)) : nullptr;
    const std::optional<Register> value = register_of(record.get());
    if (!value) return std::nullopt;
    Result<JsonValue> json = parse_json_document(value->bytes);
    BOOST_REQUIRE(json.has_value());
    return *json;
  }
  // As canonical JSON; empty: there is none.
  [[nodiscard]] std::string field(const std::string& id, const std::string& name) const {
    const std::optional<JsonValue> found = document(id);
    if (!found || !found->object()->contains(name)) return {};
    return to_json(found->object()->at(name));
  }
  [[nodiscard]] std::string state(const std::string& id) const {
    const std::string text = field(id, "state");
    return text.size() > 2 ? text.substr(1, text.size() - 2) : text;
  }
  [[nodiscard]] std::string value(const std::string& key) const {
    const auto found = register_of(core.swarm(SwarmId("s"))->find(Key(key)).get());
    return found ? found->bytes : "none";
  }
  [[nodiscard]] std::uint64_t head() const {
    const SwarmState* swarm = core.swarm(SwarmId("s"));
    return swarm == nullptr ? 0 : swarm->head().value();
  }
  void pass(std::int64_t millis, const std::vector<std::string>& alive) {
    for (; millis > 0; millis -= 1'000) {
      for (const std::string& agent : alive)
        receive(agent, AgentHeartbeat{sessions.at(agent).session, ++beats, {}, {}, {}, {}});
      wait(std::min<std::int64_t>(millis, 1'000));
    }
  }

  std::map<std::string, Welcome> sessions;
  std::map<std::string, std::uint64_t> seqs;
  std::uint64_t beats = 0;
};

struct Three : Place {
  Three() {
    for (const char* agent : {"a", "b", "c"}) enter(agent);
  }
};

constexpr const char* kNorth = R"({"title":"go north"})";

BOOST_AUTO_TEST_SUITE(proposals)

BOOST_AUTO_TEST_CASE(two_of_three_decide_at_once_and_the_outcome_names_the_votes) {
  Three place;
  const Outcome opened = place.propose("a", "p", kNorth);
  BOOST_TEST((opened.code == Code::kCommitted && opened.changed));
  BOOST_TEST(place.state("p") == "open");
  BOOST_TEST(place.field("p", "electorate") == R"({"a":{},"b":{},"c":{}})");
  BOOST_TEST((place.field("p", "threshold") == "0.51" && place.field("p", "by") == R"("a")"));
  BOOST_TEST(place.words(place.vote("b", "p", "for")) == "committed");
  BOOST_TEST(place.state("p") == "open");
  BOOST_TEST(place.value("~vote/p/b") == "for");
  BOOST_TEST(place.words(place.vote("c", "p", "for")) == "committed");
  BOOST_TEST(place.state("p") == "approved");
  BOOST_TEST(place.field("p", "votes") == R"({"b":"for","c":"for"})");
  BOOST_TEST(place.field("p", "tally") ==
             R"({"abstain":0,"against":0,"all":3,"for":2,"missing":1})");
  BOOST_TEST(place.value("~vote/p/b") == "none");
  BOOST_TEST(place.words(place.vote("a", "p", "against")) == "closed");
  BOOST_TEST(place.state("p") == "approved");
}

BOOST_AUTO_TEST_CASE(a_vote_is_of_who_is_in_the_electorate_from_its_own_session_and_counts_once) {
  Three place;
  (void)place.propose("a", "p", R"({"title":"t","electorate":["a","b","away"],"timeout_ms":5000})");
  BOOST_TEST(place.words(place.vote("c", "p", "for")) == "not_voter");       // a stranger
  BOOST_TEST(place.words(place.vote("c", "p", "for", "a")) == "not_voter");  // as somebody else
  BOOST_TEST(place.words(place.vote("a", "none", "for")) == "invalid");
  BOOST_TEST(place.words(place.vote("a", "p", "perhaps")) == "invalid");
  BOOST_TEST((place.vote("a", "p", "for").changed));
  const Outcome again = place.vote("a", "p", "for");
  BOOST_TEST((again.code == Code::kCommitted && !again.changed));
  BOOST_TEST(place.state("p") == "open");
  BOOST_TEST(place.vote("a", "p", "abstain").changed);  // changed, and counted once
  BOOST_TEST(place.vote("b", "p", "for").changed);
  BOOST_TEST(place.state("p") == "open");
  BOOST_TEST(place.vote("b", "p", "abstain").changed);  // now two of three are missing
  BOOST_TEST(place.state("p") == "no_quorum");
  BOOST_TEST(place.field("p", "refused").find("c is not in the electorate") != std::string::npos);
  BOOST_TEST(place.field("p", "votes") == R"({"a":"abstain","b":"abstain"})");
  // Facts about who can't be an agent.
  const Outcome strange = place.propose("a", "r", R"({"title":"t","labels":{"no one":"m"}})");
  BOOST_TEST(place.words(strange) == "invalid");
  // Where it may not be changed.
  (void)place.propose("a", "q", R"({"title":"t","changes":false})");
  (void)place.vote("a", "q", "for");
  BOOST_TEST(place.words(place.vote("a", "q", "against")) == "voted");
  BOOST_TEST((place.words(place.vote("a", "q", "for")) == "committed"));
  // It can't be deleted.
  BOOST_TEST(place.words(place.write("a", {vote_key("q", AgentId("a")), {}, DeleteOp{}, {}})) ==
             "type_mismatch");
}

BOOST_AUTO_TEST_CASE(a_tie_a_silent_agent_and_nobody_at_all) {
  Three place;
  (void)place.propose("a", "tie", R"({"title":"t","electorate":["a","b"]})");
  (void)place.vote("a", "tie", "for");
  (void)place.vote("b", "tie", "against");
  BOOST_TEST(place.state("tie") == "rejected");
  (void)place.propose("a", "silent", R"({"title":"t","timeout_ms":3000})");
  (void)place.vote("a", "silent", "for");
  place.pass(2'000, {"a", "b", "c"});
  BOOST_TEST(place.state("silent") == "open");
  place.pass(2'000, {"a", "b", "c"});
  BOOST_TEST(place.state("silent") == "timeout");
  (void)place.propose("a", "nobody", R"({"title":"t","electorate":[]})");
  BOOST_TEST(place.state("nobody") == "no_quorum");
}

BOOST_AUTO_TEST_CASE(who_proposed_may_cancel_or_supersede_and_no_other) {
  Three place;
  (void)place.propose("a", "p", kNorth);
  const auto cancel = [&](const char* agent, const char* id) {
    return place.words(place.write(agent, {proposal_key(id), {}, DeleteOp{}, {}}));
  };
  BOOST_TEST(cancel("b", "p") == "not_voter");
  BOOST_TEST(cancel("a", "none") == "invalid");
  BOOST_TEST(cancel("a", "p") == "committed");
  BOOST_TEST(place.state("p") == "cancelled");
  BOOST_TEST(cancel("a", "p") == "closed");
  (void)place.propose("a", "q", kNorth);
  BOOST_TEST(place.words(place.propose("b", "r", R"({"title":"t","supersedes":"q"})")) ==
             "invalid");
  BOOST_TEST(
      (place.propose("a", "r", R"({"title":"t","supersedes":"q"})").code == Code::kCommitted));
  BOOST_TEST((place.state("q") == "superseded" && place.state("r") == "open"));
  // An id is given once.
  const Outcome twice = place.propose("b", "r", kNorth);
  BOOST_TEST((twice.code == Code::kConflict && twice.conflict == ConflictKind::kVersionMismatch));
}

BOOST_AUTO_TEST_CASE(a_bound_key_is_written_by_an_approved_proposal_once_and_by_nothing_else) {
  Three place;
  const Outcome refused =
      place.write("a", {Key("plan/goal"), {}, PutOp{ContentType::kText, "x"}, {}});
  BOOST_TEST((refused.code == Code::kDenied && refused.reason == Reason::kNeedsProposal));
  BOOST_TEST(refused.text.find("waggle propose --write plan/goal=VALUE") != std::string::npos);
  // The proposal has to ask for as much as the policy does.
  for (
      const char* weak :
      {R"({"title":"t","writes":[{"key":"plan/goal","value":"n"}]})",
       R"({"title":"t","threshold":"strong","of":"cast","writes":[{"key":"plan/goal","value":"n"}]})",
       R"({"title":"t","threshold":"strong","electorate":["a"],"writes":[{"key":"plan/goal","value":"n"}]})",
       R"({"title":"t","threshold":"strong","weights":{"a":9},"writes":[{"key":"plan/goal","value":"n"}]})",
       R"({"title":"t","writes":[{"key":"board/x","value":"n"}]})"})
    BOOST_TEST(place.words(place.propose("a", "weak", weak)) == "needs_proposal", weak);
  (void)place.propose("a", "p",
                      R"({"title":"t","threshold":"supermajority","writes":[)"
                      R"({"key":"plan/goal","value":"north"},{"key":"free","value":{"n":1}}]})");
  (void)place.vote("a", "p", "for");
  BOOST_TEST(place.value("plan/goal") == "none");
  const std::uint64_t before = place.head();
  (void)place.vote("b", "p", "for");
  BOOST_TEST((place.state("p") == "approved" && place.field("p", "applied") == "true"));
  BOOST_TEST((place.value("plan/goal") == "north" && place.value("free") == R"({"n":1})"));
  const RecordPtr record = place.core.swarm(SwarmId("s"))->find(Key("plan/goal"));
  BOOST_TEST(record->metadata.at("proposal") == "p");
  BOOST_TEST(record->version.value() == before + 2);  // the vote, and the outcome with its writes
  BOOST_TEST((record->version == place.core.swarm(SwarmId("s"))->find(proposal_key("p"))->version));
  // Of the electorate that the policy names.
  (void)place.propose(
      "c", "b", R"({"title":"t","electorate":["a","b"],"writes":[{"key":"board/x","value":"y"}]})");
  (void)place.vote("a", "b", "for");
  (void)place.vote("b", "b", "for");
  BOOST_TEST(place.value("board/x") == "y");
  // Rejected: nothing.
  (void)place.propose(
      "a", "no", R"({"title":"t","threshold":1,"writes":[{"key":"plan/goal","value":"south"}]})");
  (void)place.vote("a", "no", "against");
  BOOST_TEST((place.state("no") == "rejected" && place.value("plan/goal") == "north"));
}

BOOST_AUTO_TEST_CASE(what_was_approved_and_can_not_be_written_says_why) {
  Three place;
  (void)place.propose(
      "a", "p",
      R"({"title":"t","electorate":["a"],"writes":[{"key":"k","value":"v","if_version":0}]})");
  (void)place.write("b", {Key("k"), {}, PutOp{ContentType::kText, "meanwhile"}, {}});
  (void)place.vote("a", "p", "for");
  BOOST_TEST((place.state("p") == "approved" && place.field("p", "applied") == "false"));
  BOOST_TEST(place.field("p", "not_applied").find("expected version 0 of 'k'") !=
             std::string::npos);
  BOOST_TEST(place.value("k") == "meanwhile");
  (void)place.propose("a", "q",
                      R"({"title":"t","electorate":["a"],"writes":[{"key":"k2","value":"v"}]})");
  ClaimRequest claim;
  claim.session = place.sessions.at("b").session;
  claim.request = RequestId(1);
  claim.pattern = "k2";
  claim.ttl_millis = 10'000;
  place.receive("b", claim);
  place.close();
  (void)place.vote("a", "q", "for");
  BOOST_TEST(place.field("q", "not_applied").find("is claimed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_of_several_options_is_chosen_and_what_belongs_to_it_is_written) {
  constexpr const char* kWay = R"({"title":"which way","threshold":"supermajority",
      "writes":[{"key":"plan/asked","value":"yes"}],
      "options":["north",{"name":"south","writes":[{"key":"plan/way","value":"south"}]}]})";
  Three place;
  BOOST_TEST(place.words(place.propose("a", "p", kWay)) == "committed");
  BOOST_TEST(place.field("p", "method") == R"("approval")");
  BOOST_TEST(place.words(place.vote("a", "p", "south")) == "committed");
  BOOST_TEST(place.words(place.vote("a", "p", R"(["south"])")) == "committed");  // the same
  BOOST_TEST(place.value("~vote/p/a") == R"(["south"])");
  BOOST_TEST(place.words(place.vote("b", "p", "west")) == "invalid");
  BOOST_TEST(place.words(place.vote("b", "p", "for")) == "invalid");
  BOOST_TEST(place.words(place.vote("b", "p", R"(["north","south"])")) == "committed");
  // A restart in the middle knows what was said.
  Place again(place.stored());
  again.now.wall_millis = place.now.wall_millis;
  for (const char* agent : {"a", "b", "c"}) again.enter(agent);
  BOOST_TEST(again.state("p") == "open");
  BOOST_TEST(again.words(again.vote("c", "p", R"(["south","north"])")) == "committed");
  BOOST_TEST(again.state("p") == "approved");
  BOOST_TEST((again.field("p", "chosen") == R"("south")" && again.value("plan/way") == "south"));
  BOOST_TEST((again.value("plan/asked") == "yes" && again.value("~vote/p/a") == "none"));
  BOOST_TEST(again.field("p", "tally") ==
             R"({"abstain":0,"all":3,"missing":0,"options":{"north":2,"south":3}})");
  BOOST_TEST(again.field("p", "votes") ==
             R"({"a":["south"],"b":["north","south"],"c":["south","north"]})");
  // What an option would write counts for the policy of its key too.
  BOOST_TEST(
      again.words(again.propose("a", "weak", R"({"title":"t","options":["x",{"name":"y","writes":[
                                   {"key":"plan/way","value":"1"}]}]})")) == "needs_proposal");
}

BOOST_AUTO_TEST_CASE(who_has_a_role_votes_with_its_weight_whether_attached_or_not) {
  Three place;
  BOOST_TEST(place.words(place.propose("c", "p", R"({"title":"t","roles":["expert","manager"],
                 "labels":{"a":"north"}})")) == "committed");
  BOOST_TEST(place.field("p", "electorate") ==
             R"({"a":{"label":"north","weight":2},"away":{"weight":1.5}})");
  BOOST_TEST(place.field("p", "roles") == R"(["expert","manager"])");
  BOOST_TEST(place.words(place.vote("b", "p", "for")) == "not_voter");
  BOOST_TEST(place.words(place.vote("a", "p", "for")) == "committed");
  BOOST_TEST(place.state("p") == "approved");  // 2 of 3.5
  const auto text_of = [&](const char* document) {
    return place.propose("c", "bad", document).text;
  };
  BOOST_TEST(text_of(R"({"title":"t","roles":["cook"]})").find("has expert, manager") !=
             std::string::npos);
  BOOST_TEST(text_of(R"({"title":"t","roles":["expert"],"electorate":["b"]})")
                 .find("nothing beside \"roles\"") != std::string::npos);
  BOOST_TEST(text_of(R"({"title":"t","roles":[]})").find("a list of 1 to") != std::string::npos);
  // A policy says itself who votes.
  BOOST_TEST(place.words(place.propose("c", "q", R"({"title":"t","threshold":1,"roles":["expert"],
                 "writes":[{"key":"plan/x","value":1}]})")) == "needs_proposal");
}

BOOST_AUTO_TEST_CASE(a_restart_in_the_middle_goes_on_with_the_time_that_is_left) {
  Three place;
  (void)place.propose("a", "p", R"({"title":"t","timeout_ms":20000,"weights":{"c":2}})");
  (void)place.vote("a", "p", "for");
  (void)place.propose("a", "done", R"({"title":"t","electorate":["a"]})");
  (void)place.vote("a", "done", "for");
  place.pass(8'000, {"a", "b", "c"});
  CoordinatorState state = place.stored();
  Place again(state);
  again.now.wall_millis = place.now.wall_millis + 4'000;  // it was away for so long
  for (const char* agent : {"b", "c"}) again.enter(agent);
  BOOST_TEST((again.state("p") == "open" && again.state("done") == "approved"));
  again.pass(6'000, {"b", "c"});
  BOOST_TEST(again.state("p") == "open");
  again.pass(3'000, {"b", "c"});
  BOOST_TEST(again.state("p") == "timeout");
  BOOST_TEST(again.field("p", "votes") == R"({"a":"for"})");
}

BOOST_AUTO_TEST_CASE(a_restart_between_the_last_vote_and_the_outcome_decides) {
  Three place;
  (void)place.propose("a", "p", R"({"title":"t","writes":[{"key":"k","value":"v"}]})");
  (void)place.vote("a", "p", "for");
  CoordinatorState state = place.stored();
  // As if the disk had the vote of b, and not the outcome that followed.
  auto vote = std::make_shared<Record>();
  vote->value = Register{ContentType::kText, "for"};
  vote->version = state.swarms[0].head.next();
  vote->content = content_hash(*vote->value);
  vote->writer = {AgentId("b"), Incarnation(77), Seq(1)};
  state.records.push_back({SwarmId("s"), vote_key("p", AgentId("b")), vote});
  state.swarms[0].head = vote->version;
  state.swarms[0].digest.reset();
  Place again(state);
  again.enter("b");
  BOOST_TEST((again.state("p") == "approved" && again.value("k") == "v"));
}

BOOST_AUTO_TEST_CASE(bad_proposals_are_refused_with_what_is_wrong) {
  Three place;
  const auto text_of = [&](const std::string& document) {
    const Outcome outcome = place.propose("a", "bad", document);
    BOOST_TEST((outcome.code == Code::kRejected), document);
    return outcome.text;
  };
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"{}", "\"title\" is missing"},
      {"[]", "expected a JSON object"},
      {"{", "expected"},
      {R"({"title":5})", "a text"},
      {R"({"title":"t","threshold":0})", "threshold"},
      {R"({"title":"t","threshold":1.5})", "threshold"},
      {R"({"title":"t","threshold":"most"})", "supermajority"},
      {R"({"title":"t","participation":-0.1})", "participation"},
      {R"({"title":"t","cap":0})", "cap"},
      {R"({"title":"t","weights":{"a":-1}})", "weights"},
      {R"({"title":"t","weights":{"a":"NaN"}})", "weights"},
      {R"({"title":"t","electorate":["a","a"]})", "twice"},
      {R"({"title":"t","electorate":["a"],"weights":{"b":1}})", "not in the electorate"},
      {R"({"title":"t","timeout_ms":99})", "timeout_ms"},
      {R"({"title":"t","state":"approved"})", "\"state\" is unknown"},
      {R"({"title":"t","writes":[]})", "writes"},
      {R"({"title":"t","options":["x"]})", "a list of 2 to 16 options"},
      {R"({"title":"t","options":["x","x"]})", "each name once"},
      {R"({"title":"t","options":["x","abstain"]})", "and not 'abstain'"},
      {R"({"title":"t","options":["x",{"name":"y","write":1}]})", "\"write\" is unknown"},
      {R"({"title":"t","options":["x",5]})", "names, or objects"},
      {R"({"title":"t","method":"runoff"})", "\"options\" too"},
      {R"({"title":"t","options":["x","y"],"method":"borda"})", "approval or runoff"},
      {R"({"title":"t","writes":[{"key":"k"}]})", "writes"},
      {R"({"title":"t","writes":[{"key":"~claim/k","value":1}]})", "coordinator's own"},
      {R"({"title":"t","writes":[{"key":"k","value":1},{"key":"k","value":2}]})", "each key once"}};
  for (const auto& [document, part] : wrong)
    BOOST_TEST(text_of(document).find(part) != std::string::npos,
               document << ": " << text_of(document));
  BOOST_TEST(place.words(place.propose("a", "bad/id", kNorth)) == "invalid");
  const std::string large(limits::kProposalBytes, 'x');
  BOOST_TEST(place.words(place.propose("a", "large", fmt::format(R"({{"title":"{}"}})", large))) ==
             "too_large");
  // In a group, or as another type.
  Mutation group = CoreBench::put(++place.seqs["a"], "k", "v", place.sessions.at("a"));
  group.entries.push_back({proposal_key("g"), {}, PutOp{ContentType::kJson, kNorth}, {}});
  BOOST_TEST((place.submit("a", place.sessions.at("a"), {group}).back().outcome.reason ==
              Reason::kReserved));
  BOOST_TEST(place.words(place.write("a", {proposal_key("g"), {}, IncrOp{1}, {}})) ==
             "type_mismatch");
  BOOST_TEST(!place.document("bad").has_value());
}

BOOST_AUTO_TEST_CASE(only_so_many_are_open_and_so_many_closed_ones_are_kept) {
  Three place;
  for (std::size_t i = 0; i < limits::kProposals; ++i)
    BOOST_TEST_REQUIRE(
        (place.propose("a", fmt::format("p{}", i), kNorth).code == Code::kCommitted));
  BOOST_TEST(place.words(place.propose("a", "more", kNorth)) == "too_many");
  for (std::size_t i = 0; i < limits::kProposals; ++i)
    (void)place.write("a", {proposal_key(fmt::format("p{}", i)), {}, DeleteOp{}, {}});
  (void)place.propose("a", "more", kNorth);
  (void)place.write("a", {proposal_key("more"), {}, DeleteOp{}, {}});
  BOOST_TEST((place.state("p0").empty() && place.state("p1") == "cancelled"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
