// Deciding one conflict among 100 offers, in this process.

#include <fmt/format.h>

#include "base/value.h"
#include "bench/rows.h"
#include "resolver/policy.h"
#include "resolver/receipt.h"
#include "resolver/round.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kOffers = 100;
constexpr double kGoalMicros = 5'000;

struct Conflict {
  Policy policy;
  Record present;
  RoundQuestion question;

  // `distinct`: how many different values the offers have.
  Conflict(Strategy strategy, std::size_t distinct) {
    policy.strategy = strategy;
    policy.otherwise = Strategy::kLww;
    present.value = Register{ContentType::kBytes, std::string(256, 'c')};
    present.version = Revision(1);
    question.asked = Revision(1);
    question.present = &present;
    question.policy = &policy;
    question.roster = kOffers;
    for (std::size_t i = 0; i < kOffers; ++i) {
      std::string value = fmt::format("{:0>256}", i % distinct);
      question.answers.push_back({AgentId(fmt::format("agent-{}", i)), AnswerKind::kOffer,
                                  Offer{Register{ContentType::kBytes, std::move(value)},
                                        Revision(1), Hlc::of(1'000 + i, 0)}});
    }
  }
};

// What the coordinator does with a decision beside it: the record's hash and the receipt's.
void settle(const Conflict& conflict, const RoundDecision& decision) {
  Receipt receipt;
  receipt.rule = decision.rule;
  for (const RoundInput& input : conflict.question.answers)
    receipt.inputs.push_back(
        input_of(input.agent, input.offer.based_on, input.offer.hlc, input.offer.value, false));
  volatile std::uint8_t keep = hash_of(receipt)[0];
  (void)keep;
}

Row measure(const std::string& name, const Conflict& conflict, bool whole, int count) {
  Samples samples;
  for (int i = -count / 10; i < count; ++i) {
    const double begin = now_micros();
    const RoundDecision decision = decide(conflict.question);
    if (whole) settle(conflict, decision);
    const double end = now_micros();
    if (!decision.winner) throw std::runtime_error("nobody won");
    if (i >= 0) samples.push_back(end - begin);
  }
  Row row{.name = name, .value = summarise(samples), .unit = "us"};
  row.goal = "under 5 ms";
  row.reached = row.value.median < kGoalMicros;
  return row;
}

}  // namespace

void measure_resolution(Run& run) {
  if (!run.wanted("resolution")) return;
  run.report.section("resolution of one conflict among 100 offers of 256 B",
                     "decide() alone: lww; quorum with 100 different values, and with 3; then lww "
                     "with the receipt (100 content hashes and the chain's hash).");
  const int count = run.quick ? 2'000 : 20'000;
  run.report.add(measure("resolution.lww", Conflict(Strategy::kLww, kOffers), false, count));
  run.report.add(
      measure("resolution.quorum.100", Conflict(Strategy::kQuorum, kOffers), false, count));
  run.report.add(measure("resolution.quorum.3", Conflict(Strategy::kQuorum, 3), false, count));
  run.report.add(measure("resolution.receipt", Conflict(Strategy::kLww, kOffers), true, count));
}

}  // namespace waggle::bench
