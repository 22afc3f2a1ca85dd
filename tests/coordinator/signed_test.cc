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
    who = std::make_shared<const Identity>(Identity{secret->pub().fingerprint(), AgentId(agent),
                                                    SwarmId(), secret->pub().signing});
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
  BOOST_TEST(!verifies(Signer("b", 2).who->signing, SwarmId("s"), Key("plan"), *bench.find("plan")));
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
  BOOST_TEST((bench.put_signed(a, welcome, 5, "~proposal/p",
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

}  // namespace
}  // namespace waggle
