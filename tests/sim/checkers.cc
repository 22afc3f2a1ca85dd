#include "tests/sim/checkers.h"

#include <utility>

#include <fmt/format.h>

#include "tests/sim/answer_checkers.h"
#include "tests/sim/claim_checker.h"
#include "tests/sim/ephemeral_checker.h"
#include "tests/sim/limit_checker.h"
#include "tests/sim/link_checker.h"
#include "tests/sim/order_checker.h"
#include "tests/sim/reader_checkers.h"
#include "tests/sim/round_checker.h"

namespace waggle::sim {

std::vector<std::unique_ptr<Checker>> all_checkers(Truth& truth) {
  std::vector<std::unique_ptr<Checker>> checkers;
  checkers.push_back(std::make_unique<VisibleChecker>(truth));
  checkers.push_back(std::make_unique<ReaderChecker>(truth));
  checkers.push_back(std::make_unique<GroupChecker>(truth));
  // Before the outcomes: it has to see a refusal while the write still counts.
  checkers.push_back(std::make_unique<ViewChecker>(truth));
  checkers.push_back(std::make_unique<OutcomeChecker>(truth));
  checkers.push_back(std::make_unique<AnswerChecker>(truth));
  checkers.push_back(std::make_unique<LostChecker>(truth));
  checkers.push_back(std::make_unique<OverruledChecker>(truth));
  checkers.push_back(std::make_unique<RoundChecker>(truth));
  checkers.push_back(std::make_unique<EphemeralChecker>(truth));
  checkers.push_back(std::make_unique<ClaimChecker>(truth));
  checkers.push_back(std::make_unique<OrderChecker>(truth));
  checkers.push_back(std::make_unique<LinkChecker>(truth));
  checkers.push_back(std::make_unique<LimitChecker>(truth));
  return checkers;
}

Key own_counter(const AgentId& agent) {
  return Key("own/" + agent.value());
}

bool is_quorum_key(const Key& key) {
  return key.value().starts_with("q/");
}

std::pair<Key, Key> group_pair(std::uint64_t n) {
  return {Key(fmt::format("g/{}/left", n)), Key(fmt::format("g/{}/right", n))};
}

}  // namespace waggle::sim
