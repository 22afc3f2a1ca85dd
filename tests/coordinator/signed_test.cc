// Signed writes: what is kept with a record, what a policy asks for, votes that can't be forged.

#include <array>

#include <boost/test/unit_test.hpp>

#include "base/signature.h"
#include "io/keys.h"
#include "tests/coordinator/bench_of_core.h"

namespace waggle {
namespace {

struct Signer {
  std::unique_ptr<SecretKey> secret;
  IdentityPtr who;
  explicit Signer(const char* agent, std::uint8_t number) {
    Key32 seed{};
    seed.fill(number);
    secret = std::make_unique<SecretKey>(seed);
    who = std::make_shared<const Identity>(
        Identity{secret->pub().fingerprint(), AgentId(agent), SwarmId(), secret->pub().signing});
  }
};

CoordinatorOptions with_policy() {
  CoordinatorOptions options = CoreBench::defaults();
  Policy policy;
  policy.prefix = "signed/";
  policy.signed_writes = true;
  BOOST_REQUIRE(options.policies.add(policy));
  return options;
}

struct SignedBench : CoreBench {
  explicit SignedBench(CoordinatorOptions options = with_policy())
      : CoreBench(std::move(options)) {}

  Welcome join_as(const Signer& signer) {
    const std::string& agent = signer.who->agent.value();
    feed(Received{PeerId(agent), make_message(CoreBench::hello(agent)), signer.who});
    close();
    if (to<Welcome>(agent) == nullptr) close();
    const Welcome welcome = *to<Welcome>(agent);
    feed(Subscribed{SwarmId("s"), welcome.nonce});
    close();
    return welcome;
  }
  static void sign(const Signer& signer, Mutation& mutation) {
    const Writer writer{signer.who->agent, mutation.incarnation, mutation.seq};
    for (Entry& entry : mutation.entries) {
      const auto& put = std::get<PutOp>(entry.op);
      entry.signature = signer.secret->sign(bytes_to_sign(
          SwarmId("s"), entry.key, writer, Register{put.content, put.bytes}, entry.metadata));
    }
  }
  Outcome submit_as(const Signer& signer, const Welcome& welcome, Mutation mutation) {
    const std::string& agent = signer.who->agent.value();
    feed(Received{PeerId(agent),
                  make_message(Submit{welcome.session, welcome.epoch, {}, {std::move(mutation)}}),
                  signer.who});
    close();
    BOOST_REQUIRE(to<SubmitResult>(agent) != nullptr);
    return to<SubmitResult>(agent)->results.at(0).outcome;
  }
  Outcome put_signed(const Signer& signer, const Welcome& welcome, std::uint64_t seq,
                     const std::string& key, const std::string& value) {
    Mutation mutation = put(seq, key, value, welcome, core.swarm(SwarmId("s"))->head().value());
    sign(signer, mutation);
    return submit_as(signer, welcome, std::move(mutation));
  }
  [[nodiscard]] RecordPtr find(const char* key) const {
    return core.swarm(SwarmId("s"))->find(Key(key));
  }
};

BOOST_AUTO_TEST_CASE(the_signature_is_kept_with_the_record_and_fits_it) {
  SignedBench bench;
  const Signer a("a", 1);
  const Welcome welcome = bench.join_as(a);
  BOOST_TEST((bench.put_signed(a, welcome, 1, "plan", "north").code == Code::kCommitted));
  BOOST_TEST(verifies(a.who->signing, SwarmId("s"), Key("plan"), *bench.find("plan")));
  BOOST_TEST(
      !verifies(Signer("b", 2).who->signing, SwarmId("s"), Key("plan"), *bench.find("plan")));
  // Who does not sign is not refused where nobody asks for it.
  BOOST_TEST((bench.submit_as(a, welcome, bench.put(2, "plan", "south", welcome, 1)).code ==
              Code::kCommitted));
  BOOST_TEST((bench.find("plan")->signature == nullptr));
}

BOOST_AUTO_TEST_CASE(a_wrong_signature_is_refused_wherever) {
  SignedBench bench;
  const Signer a("a", 1);
  const Signer b("b", 2);
  const Welcome welcome = bench.join_as(a);
  std::uint64_t seq = 0;
  const auto refused = [&](const auto& spoil) {
    Mutation mutation = bench.put(++seq, "plan", "north", welcome);
    bench.sign(a, mutation);
    spoil(mutation);
    const Outcome outcome = bench.submit_as(a, welcome, std::move(mutation));
    return outcome.code == Code::kDenied && outcome.reason == Reason::kNotSigned;
  };
  BOOST_TEST(refused([](Mutation& m) { std::get<PutOp>(m.entries[0].op).bytes = "south"; }));
  BOOST_TEST(refused([](Mutation& m) { m.entries[0].key = Key("other"); }));
  BOOST_TEST(refused([](Mutation& m) { m.entries[0].metadata = {{"a", "b"}}; }));
  BOOST_TEST(refused([&](Mutation& m) { bench.sign(b, m); }));
  BOOST_TEST(refused([](Mutation& m) { m.entries[0].op = IncrOp{1}; }));
  // That of an earlier write of its own, sent under another number.
  BOOST_TEST(refused([&](Mutation& m) {
    Mutation earlier = bench.put(1, "plan", "north", welcome);
    bench.sign(a, earlier);
    m.entries[0].signature = earlier.entries[0].signature;
  }));
  BOOST_TEST((bench.find("plan") == nullptr));
}

BOOST_AUTO_TEST_CASE(a_policy_may_ask_for_signatures) {
  SignedBench bench;
  const Signer a("a", 1);
  const Welcome welcome = bench.join_as(a);
  const Outcome bare = bench.submit_as(a, welcome, bench.put(1, "signed/x", "1", welcome));
  BOOST_TEST((bare.code == Code::kDenied));
  BOOST_TEST((bare.reason == Reason::kNotSigned));
  Mutation counter = bench.put(2, "signed/x", "", welcome);
  counter.entries[0].op = IncrOp{1};
  BOOST_TEST((bench.submit_as(a, welcome, counter).code == Code::kDenied));
  BOOST_TEST((bench.put_signed(a, welcome, 3, "signed/x", "1").code == Code::kCommitted));
  Mutation gone = bench.put(4, "signed/x", "", welcome, 1);
  gone.entries[0].op = DeleteOp{};
  BOOST_TEST((bench.submit_as(a, welcome, gone).code == Code::kCommitted));
  // Nor by a task's or proposal's back door.
  BOOST_TEST((bench
                  .put_signed(a, welcome, 5, "~proposal/p",
                              R"({"title":"t","writes":[{"key":"signed/x","value":1}]})")
                  .code == Code::kDenied));
}

BOOST_AUTO_TEST_CASE(without_keys_a_signature_says_nothing_and_is_not_taken) {
  CoreBench bench;
  const Welcome welcome = bench.join("a");
  Mutation mutation = bench.put(1, "k", "v", welcome);
  SignedBench::sign(Signer("a", 1), mutation);
  BOOST_TEST((bench.submit("a", welcome, {mutation})[0].outcome.reason == Reason::kNotSigned));
}

BOOST_AUTO_TEST_CASE(a_value_that_was_merged_carries_nobodys_signature) {
  CoordinatorOptions options = CoreBench::defaults();
  Policy policy;
  policy.prefix = "m/";
  policy.strategy = Strategy::kMerge;
  BOOST_REQUIRE(options.policies.add(policy));
  SignedBench bench(std::move(options));
  const Signer a("a", 1);
  const Signer b("b", 2);
  const Welcome of_a = bench.join_as(a);
  const Welcome of_b = bench.join_as(b);
  const auto put_json = [&](const Signer& signer, const Welcome& welcome, std::uint64_t seq,
                            const char* json, std::uint64_t seen) {
    Mutation mutation = bench.put(seq, "m/x", json, welcome, seen);
    std::get<PutOp>(mutation.entries[0].op).content = ContentType::kJson;
    bench.sign(signer, mutation);
    return bench.submit_as(signer, welcome, std::move(mutation));
  };
  BOOST_TEST((put_json(a, of_a, 1, R"({"a":1,"b":1})", 0).code == Code::kCommitted));
  BOOST_TEST((put_json(a, of_a, 2, R"({"a":2,"b":1})", 1).code == Code::kCommitted));
  BOOST_TEST((put_json(b, of_b, 1, R"({"a":1,"b":2})", 1).code == Code::kCommitted));
  const RecordPtr record = bench.find("m/x");
  BOOST_TEST(std::get<Register>(*record->value).bytes == R"({"a":2,"b":2})");
  BOOST_TEST((record->signature == nullptr));
}

// ---- votes that can't be forged ----------------------------------------------------------------

struct ByzantineBench : SignedBench {
  std::vector<Signer> voters;
  std::vector<Welcome> welcomes;
  std::vector<std::uint64_t> seqs{0, 0, 0, 0};

  ByzantineBench() {
    voters.reserve(4);
    for (const char* name : {"a", "b", "c", "d"}) {
      voters.emplace_back(name, static_cast<std::uint8_t>(name[0]));
      welcomes.push_back(join_as(voters.back()));
    }
  }
  Outcome put_by(std::size_t n, const std::string& key, const std::string& value) {
    return put_signed(voters[n], welcomes[n], ++seqs[n], key, value);
  }
  Outcome propose(const char* faults = "1") {
    return put_by(0, "~proposal/p",
                  std::string(R"({"title":"t","writes":[{"key":"x","value":1}],"byzantine":)") +
                      faults + "}");
  }
  Outcome vote(std::size_t n, const std::string& stance) {
    return put_by(n, "~vote/p/" + voters[n].who->agent.value(), stance);
  }
  Proposal proposal() {
    const Result<Proposal> found =
        recover_proposal("p", std::get<Register>(*find("~proposal/p")->value).bytes);
    BOOST_REQUIRE(found);
    return *found;
  }
};

BOOST_AUTO_TEST_CASE(two_f_plus_one_signed_votes_decide_and_are_shown) {
  ByzantineBench bench;
  BOOST_REQUIRE((bench.propose().code == Code::kCommitted));
  bench.vote(0, "for");
  bench.vote(1, "against");
  bench.vote(2, "for");
  BOOST_TEST((bench.proposal().state == BallotState::kOpen));
  bench.vote(3, "for");
  const Proposal decided = bench.proposal();
  BOOST_TEST((decided.state == BallotState::kApproved));
  BOOST_TEST((bench.find("x") != nullptr));
  BOOST_REQUIRE(decided.signed_votes.size() == 4u);
  for (const Signer& voter : bench.voters)
    for (const auto& [agent, vote] : decided.signed_votes)
      BOOST_TEST(verifies(voter.who->signing, SwarmId("s"), "p", agent, vote) ==
                 (voter.who->agent == agent));
  // Of another proposal, or of another word, it is no proof.
  const auto& [agent, vote] = *decided.signed_votes.begin();
  BOOST_TEST(!verifies(bench.voters[0].who->signing, SwarmId("s"), "q", agent, vote));
  SignedVote other = vote;
  other.vote = "against";
  BOOST_TEST(!verifies(bench.voters[0].who->signing, SwarmId("s"), "p", agent, other));
}

BOOST_AUTO_TEST_CASE(an_unsigned_vote_does_not_count) {
  ByzantineBench bench;
  BOOST_REQUIRE((bench.propose().code == Code::kCommitted));
  const Outcome bare =
      bench.submit_as(bench.voters[1], bench.welcomes[1],
                      bench.put(++bench.seqs[1], "~vote/p/b", "for", bench.welcomes[1]));
  BOOST_TEST((bare.code == Code::kDenied));
  BOOST_TEST((bare.reason == Reason::kNotSigned));
  // Nor one in other words than those that are counted, which its signature would not fit.
  BOOST_TEST((bench.vote(1, R"("for")").code != Code::kCommitted));
  BOOST_TEST((bench.proposal().votes.empty()));
}

BOOST_AUTO_TEST_CASE(who_signs_two_votes_is_named_with_both_and_counts_for_nobody) {
  ByzantineBench bench;
  BOOST_REQUIRE((bench.propose().code == Code::kCommitted));
  bench.vote(0, "for");
  bench.vote(1, "for");
  const Outcome lied = bench.vote(1, "against");
  BOOST_TEST((lied.code == Code::kDenied));
  BOOST_TEST(lied.text.find("two different votes") != std::string::npos);
  const auto proof = [&](const Proposal& proposal) {
    BOOST_REQUIRE(proposal.equivocators.size() == 1u);
    const auto& [agent, both] = *proposal.equivocators.begin();
    BOOST_TEST(agent.value() == "b");
    BOOST_TEST(both.first.vote == "for");
    BOOST_TEST(both.second.vote == "against");
    const SigningKey& key = bench.voters[1].who->signing;
    BOOST_TEST(verifies(key, SwarmId("s"), "p", agent, both.first));
    BOOST_TEST(verifies(key, SwarmId("s"), "p", agent, both.second));
  };
  proof(bench.proposal());
  // Its voice is gone: two more are needed, and there are two.
  bench.vote(2, "for");
  BOOST_TEST((bench.proposal().state == BallotState::kOpen));

  // After a restart it stays so.
  CoordinatorState disk = bench.stored();
  Coordinator again(with_policy(), std::move(disk));
  Actions actions;
  again.step(Tick{}, bench.now, actions);
  again.finish(bench.now, actions);
  const RecordPtr kept = again.swarm(SwarmId("s"))->find(Key("~proposal/p"));
  const Result<Proposal> recovered = recover_proposal("p", std::get<Register>(*kept->value).bytes);
  BOOST_REQUIRE(recovered);
  BOOST_TEST((recovered->state == BallotState::kOpen));
  proof(*recovered);

  bench.vote(3, "for");
  const Proposal decided = bench.proposal();
  BOOST_TEST((decided.state == BallotState::kApproved));
  proof(decided);
  BOOST_TEST(!decided.signed_votes.contains(AgentId("b")));
}

BOOST_AUTO_TEST_CASE(f_must_fit_the_electorate) {
  ByzantineBench bench;
  for (const char* faults : {"2", "-1", "1.5", "\"x\"", "100000"}) {
    const Outcome outcome = bench.propose(faults);
    BOOST_TEST((outcome.code == Code::kRejected), faults);
  }
  BOOST_TEST((bench.propose("0").code == Code::kCommitted));
}

}  // namespace
}  // namespace waggle
