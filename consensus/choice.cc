#include "consensus/choice.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace waggle {
namespace {

constexpr std::array<std::string_view, 2> kMethods = {"approval", "runoff"};

using Choice = std::vector<std::uint32_t>;

// Counts weights with the cap of groups applied.
class Counter {
 public:
  Counter(const BallotRule& rule, const Electorate& electorate, const Choices& choices)
      : electorate_(electorate), choices_(choices), cap_(group_cap(rule, electorate)) {}

  // Of those for whom `holds(choice)` is true; `choice` is null of who has not voted.
  [[nodiscard]] std::uint64_t weight(const std::function<bool(const Choice*)>& holds) const {
    std::map<std::string, std::uint64_t> groups;
    for (const auto& [agent, voter] : electorate_)
      if (holds(of(agent))) groups[group_of(agent, voter)] += voter.weight;
    std::uint64_t sum = 0;
    for (const auto& [group, weight] : groups) sum += std::min(weight, cap_);
    return sum;
  }
  [[nodiscard]] std::uint32_t groups(const std::function<bool(const Choice*)>& holds) const {
    std::set<std::string> groups;
    for (const auto& [agent, voter] : electorate_)
      if (voter.weight > 0 && holds(of(agent))) groups.insert(group_of(agent, voter));
    return static_cast<std::uint32_t>(groups.size());
  }

 private:
  [[nodiscard]] const Choice* of(const AgentId& agent) const {
    const auto found = choices_.find(agent);
    return found == choices_.end() ? nullptr : &found->second;
  }

  const Electorate& electorate_;
  const Choices& choices_;
  const std::uint64_t cap_;
};

bool missing(const Choice* choice) {
  return choice == nullptr;
}
bool cast(const Choice* choice) {
  return choice != nullptr && !choice->empty();
}
bool counts_for(ChoiceMethod method, const Choice* choice, std::uint32_t option) {
  if (!cast(choice)) return false;
  return method == ChoiceMethod::kRunoff ? choice->front() == option
                                         : std::ranges::find(*choice, option) != choice->end();
}
// Of two: the option stands before the other one.
bool prefers(const Choice* choice, std::uint32_t option, std::uint32_t other) {
  if (!cast(choice)) return false;
  for (const std::uint32_t one : *choice)
    if (one == option || one == other) return one == option;
  return false;
}

// The one that has more than every other; nothing: a tie.
std::optional<std::uint32_t> first_of(const std::vector<std::uint64_t>& scores) {
  const auto best = std::ranges::max_element(scores);
  if (std::ranges::count(scores, *best) != 1) return std::nullopt;
  return static_cast<std::uint32_t>(best - scores.begin());
}

}  // namespace

std::string_view to_text(ChoiceMethod method) {
  return kMethods[static_cast<std::size_t>(method)];
}

Result<ChoiceMethod> choice_method_of(std::string_view text) {
  const auto found = std::ranges::find(kMethods, text);
  if (found != kMethods.end()) return static_cast<ChoiceMethod>(found - kMethods.begin());
  return failed(Code::kRejected, fmt::format("expected approval or runoff, got '{}'", text));
}

ChoiceTally tally(const BallotRule& rule, ChoiceMethod method, std::uint32_t options,
                  const Electorate& electorate, const Choices& choices) {
  const Counter counter(rule, electorate, choices);
  ChoiceTally sum;
  sum.all = counter.weight([](const Choice*) { return true; });
  sum.missing = counter.weight(missing);
  sum.abstained = counter.weight([](const Choice* one) { return !missing(one) && !cast(one); });
  for (std::uint32_t option = 0; option < options; ++option)
    sum.scores.push_back(
        counter.weight([&](const Choice* one) { return counts_for(method, one, option); }));
  if (method != ChoiceMethod::kRunoff) return sum;
  const std::uint64_t base = rule.of_cast ? counter.weight(cast) : sum.all;
  const std::optional<std::uint32_t> first = first_of(sum.scores);
  if (first && at_least(sum.scores[*first], base, rule.threshold_permille)) return sum;
  std::vector<std::uint32_t> order(options);
  for (std::uint32_t option = 0; option < options; ++option) order[option] = option;
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::uint32_t option) { return sum.scores[option]; });
  sum.finalists = {order[0], order[1]};
  const auto preferring = [&](std::uint32_t option, std::uint32_t other) {
    return counter.weight([&](const Choice* one) { return prefers(one, option, other); });
  };
  sum.final_scores = {preferring(order[0], order[1]), preferring(order[1], order[0])};
  return sum;
}

ChoiceOutcome decide(const BallotRule& rule, ChoiceMethod method, std::uint32_t options,
                     const Electorate& electorate, const Choices& choices, bool closes) {
  const Counter counter(rule, electorate, choices);
  const ChoiceTally sum = tally(rule, method, options, electorate, choices);
  if (sum.all == 0) return {BallotState::kNoQuorum, {}};
  const bool all_voted = choices.size() == electorate.size();
  const bool complete = closes || all_voted;
  const bool takes_part = at_least(counter.weight([](const Choice* one) { return !missing(one); }),
                                   sum.all, rule.participation_permille);
  const auto groups_of = [&](std::uint32_t option) {
    return counter.groups([&](const Choice* one) {
      if (!sum.finalists) return counts_for(method, one, option);
      const auto [left, right] = *sum.finalists;
      return prefers(one, option, option == left ? right : left);
    });
  };

  if (!complete) {
    // Whatever those who are missing would still do.
    const std::optional<std::uint32_t> first = first_of(sum.scores);
    const std::uint64_t most_cast =
        counter.weight([](const Choice* one) { return missing(one) || cast(one); });
    const std::uint64_t base = rule.of_cast ? most_cast : sum.all;
    const auto could_reach = [&](std::uint32_t option) {
      return counter.weight(
          [&](const Choice* one) { return missing(one) || counts_for(method, one, option); });
    };
    if (first && takes_part && groups_of(*first) >= rule.groups_least && !sum.finalists &&
        at_least(sum.scores[*first], base, rule.threshold_permille)) {
      bool certain = true;
      for (std::uint32_t option = 0; option < options; ++option)
        certain = certain && (option == *first || could_reach(option) < sum.scores[*first]);
      if (certain) return {BallotState::kApproved, first};
    }
    if (method == ChoiceMethod::kRunoff) return {};
    bool lacks_abstained = false;
    for (std::uint32_t option = 0; option < options; ++option) {
      const std::uint64_t best = could_reach(option);
      if (at_least(best, base, rule.threshold_permille)) return {};
      lacks_abstained = lacks_abstained || (!rule.of_cast && at_least(best + sum.abstained, base,
                                                                      rule.threshold_permille));
    }
    return {lacks_abstained ? BallotState::kNoQuorum : BallotState::kRejected, {}};
  }

  if (choices.empty()) return {BallotState::kTimeout, {}};
  if (!takes_part) return {all_voted ? BallotState::kNoQuorum : BallotState::kTimeout, {}};
  std::optional<std::uint32_t> winner = first_of(sum.scores);
  std::uint64_t score = winner ? sum.scores[*winner] : 0;
  std::uint64_t of_those = counter.weight(cast);
  if (sum.finalists) {
    const auto [left, right] = *sum.finalists;
    const auto [for_left, for_right] = sum.final_scores;
    winner.reset();
    if (for_left != for_right) winner = for_left > for_right ? left : right;
    score = std::max(for_left, for_right);
    of_those = for_left + for_right;
  }
  if (of_those == 0) return {BallotState::kNoQuorum, {}};  // all abstained
  if (!winner) return {BallotState::kRejected, {}};
  if (!at_least(score, rule.of_cast ? of_those : sum.all, rule.threshold_permille)) {
    if (!rule.of_cast && !all_voted) return {BallotState::kTimeout, {}};
    // Without those who abstained it might have been reached.
    const bool lacks =
        !rule.of_cast && at_least(score + sum.abstained, sum.all, rule.threshold_permille);
    return {lacks ? BallotState::kNoQuorum : BallotState::kRejected, {}};
  }
  if (groups_of(*winner) < rule.groups_least) return {BallotState::kNoQuorum, {}};
  return {BallotState::kApproved, winner};
}

}  // namespace waggle
