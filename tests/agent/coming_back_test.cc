// An agent that was told to come back later: not before, not later, and it makes itself smaller.

#include <boost/test/unit_test.hpp>

#include "bench_of_bounds.h"

namespace waggle {
namespace {

class ComingBack : public BoundsBench {
 public:
  explicit ComingBack() { attach(); }
  // Answers the newest submit: so many are committed, the next one is over the limit.
  void answer(std::size_t committed, std::int64_t retry_millis) {
    SubmitResult result{SessionId(1), kEpoch, {}};
    for (std::size_t i = 0; i <= committed && i < sent.size(); ++i) {
      MutationResult one{sent[i].incarnation, sent[i].seq, {}};
      one.outcome.code = i < committed ? Code::kCommitted : Code::kOverloaded;
      one.outcome.revision = Revision(++revision);
      if (i == committed) {
        one.outcome.reason = Reason::kRateLimit;
        one.outcome.retry_millis = retry_millis;
        one.outcome.text = "too much";
      }
      result.results.push_back(std::move(one));
    }
    receive(std::move(result));
    note();
  }
  void refuse(RequestId request, std::int64_t retry_millis) {
    receive(ErrorReply{SessionId(1), request, Code::kOverloaded, "too much", retry_millis});
  }
  // What the last step submitted, if anything.
  bool note() {
    const auto submits = ups<Submit>();
    if (!submits.empty()) sent.clear();
    for (const Submit* submit : submits)
      sent.insert(sent.end(), submit->mutations.begin(), submit->mutations.end());
    return !submits.empty();
  }
  void write_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      write(i + 1, PutOp{ContentType::kText, "v"});
      for (const Submit* submit : ups<Submit>())
        sent.insert(sent.end(), submit->mutations.begin(), submit->mutations.end());
    }
  }

  std::vector<Mutation> sent;
  std::uint64_t revision = 0;
};

BOOST_AUTO_TEST_SUITE(coming_back_test)

BOOST_AUTO_TEST_CASE(a_refused_write_is_sent_again_at_the_time_that_was_named) {
  for (const std::int64_t retry : {1, 37, 9'000}) {
    ComingBack bench;
    bench.write_many(1);
    const Seq seq = bench.sent.front().seq;
    bench.answer(0, retry);
    BOOST_TEST(!bench.note());
    if (retry > 1) {
      bench.wait(retry - 1);
      BOOST_TEST(!bench.note());
    }
    // New writes wait behind it: nothing passes it.
    bench.write(9, PutOp{ContentType::kText, "w"});
    BOOST_TEST(!bench.note());
    BOOST_TEST((bench.last.wake_at <= bench.now.monotonic + Millis{1}));
    bench.wait(1);
    BOOST_REQUIRE(bench.note());
    BOOST_TEST((bench.sent.front().seq == seq));
  }
}

BOOST_AUTO_TEST_CASE(it_sends_fewer_at_once_until_they_pass_and_then_more_again) {
  ComingBack bench;
  bench.write_many(512);
  BOOST_TEST(bench.sent.size() == 512u);
  std::vector<std::size_t> sizes;
  while (bench.sent.size() > 8) {
    bench.answer(8, 100);
    bench.wait(100);
    BOOST_REQUIRE(bench.note());
    sizes.push_back(bench.sent.size());
  }
  BOOST_TEST(sizes == (std::vector<std::size_t>{256, 128, 64, 32, 16, 8}),
             boost::test_tools::per_element());
  bench.answer(8, 0);  // all of them pass
  BOOST_TEST(bench.sent.size() == 16u);
}

BOOST_AUTO_TEST_CASE(that_writes_wait_is_told_once_and_their_end_once_all_are_through) {
  ComingBack bench;
  bench.write_many(4);
  bench.answer(1, 100);
  BOOST_REQUIRE(bench.told<LinkChanged>() != nullptr);
  BOOST_TEST(bench.told<LinkChanged>()->text == "writes wait: too much");
  bench.wait(100);
  bench.note();
  bench.answer(1, 100);
  BOOST_TEST(bench.told<LinkChanged>() == nullptr);
  bench.wait(100);
  bench.note();
  bench.answer(bench.sent.size(), 0);
  while (bench.core.outbox().unanswered() > 0) {
    BOOST_TEST(bench.told<LinkChanged>() == nullptr);
    bench.answer(bench.sent.size(), 0);
  }
  BOOST_REQUIRE(bench.told<LinkChanged>() != nullptr);
  BOOST_TEST((bench.told<LinkChanged>()->code == Code::kCommitted));
}

BOOST_AUTO_TEST_CASE(a_refused_pull_goes_on_at_the_time_that_was_named) {
  ComingBack bench;
  bench.feed(Command{CatchUpCommand{RequestId(5)}});
  const auto* asked = bench.up<DeltaRequest>();
  BOOST_REQUIRE(asked != nullptr);
  bench.refuse(asked->request, 7'000);
  bench.wait(6'999);
  BOOST_TEST(bench.up<DeltaRequest>() == nullptr);
  bench.wait(1);
  BOOST_TEST(bench.up<DeltaRequest>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_refused_synchronisation_is_asked_again_and_does_not_fail) {
  ComingBack bench;
  SyncCommand command;
  command.request = RequestId(6);
  command.all = true;
  command.timeout_millis = 60'000;
  bench.feed(Command{command});
  BOOST_REQUIRE(bench.up<SyncRequest>() != nullptr);
  bench.refuse(RequestId(6), 4'000);
  BOOST_TEST(bench.told<CommandFailed>() == nullptr);
  bench.wait(3'999);
  BOOST_TEST(bench.up<SyncRequest>() == nullptr);
  bench.wait(1);
  BOOST_TEST(bench.up<SyncRequest>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_refused_ephemeral_write_and_claim_are_sent_again_at_their_time) {
  ComingBack bench;
  bench.feed(
      Command{EphemeralCommand{RequestId(7), Key("e"), Register{ContentType::kText, "x"}, {}}});
  BOOST_REQUIRE(bench.up<EphemeralWrite>() != nullptr);
  bench.refuse({}, 4'000);
  bench.wait(3'999);
  BOOST_TEST(bench.up<EphemeralWrite>() == nullptr);
  bench.wait(1);
  BOOST_TEST(bench.up<EphemeralWrite>() != nullptr);

  ClaimCommand claim;
  claim.request = RequestId(8);
  claim.pattern = "k";
  claim.ttl_millis = 60'000;
  claim.wait_millis = 60'000;
  bench.feed(Command{claim});
  BOOST_REQUIRE(bench.up<ClaimRequest>() != nullptr);
  bench.refuse(bench.up<ClaimRequest>()->request, 4'000);
  bench.wait(3'999);
  BOOST_TEST(bench.up<ClaimRequest>() == nullptr);
  bench.wait(1);
  BOOST_TEST(bench.up<ClaimRequest>() != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
