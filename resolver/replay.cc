#include "resolver/replay.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/value.h"
#include "resolver/concurrent.h"
#include "resolver/receipt.h"
#include "resolver/three_way.h"

namespace waggle {
namespace {

constexpr std::string_view kOtherwise = " otherwise ";
constexpr std::string_view kNotRetained = "a value is not retained, it is too large for that";
constexpr std::string_view kNoAncestor = "what the sides began from is not in the receipt";

// Of "merge otherwise lww": merge, lww. At least one, which may be empty.
std::vector<std::string_view> words_of(std::string_view rule) {
  std::vector<std::string_view> words;
  for (std::size_t end = rule.find(kOtherwise); end != std::string_view::npos;
       end = rule.find(kOtherwise)) {
    words.push_back(rule.substr(0, end));
    rule.remove_prefix(end + kOtherwise.size());
  }
  words.push_back(rule);
  return words;
}

Stamp stamp_of(const ReceiptInput& input) {
  return {input.hlc, input.agent};
}

// Runs one chain on the inputs of one receipt.
class Run {
 public:
  Run(const Receipt& receipt, const Policy& policy, const Policies& policies)
      : receipt_(receipt), policy_(policy), policies_(policies) {
    for (const ReceiptInput& input : receipt.inputs) {
      if (input.ancestor) {
        ancestors_.push_back(&input);
      } else if (input.committed) {
        committed_ = &input;
      } else {
        others_.push_back(&input);
      }
    }
  }

  Replay run() {
    for (const Strategy strategy : policy_.chain()) {
      if (std::optional<Replay> replay = ask(strategy)) {
        if (replay->rule.empty()) replay->rule = to_text(strategy);
        return *std::move(replay);
      }
    }
    return gives(committed(), "keep");
  }

 private:
  [[nodiscard]] bool in_round() const { return static_cast<bool>(receipt_.round); }
  // False: nothing was there, or a tombstone.
  [[nodiscard]] bool stands() const { return committed() != Hash128(); }
  [[nodiscard]] Hash128 committed() const {
    return committed_ != nullptr ? committed_->content : Hash128();
  }
  static Replay gives(const Hash128& output, std::string rule) {
    return {output, std::move(rule), false, {}};
  }
  static Replay unknown(std::string rule, std::string text) {
    return {std::nullopt, std::move(rule), false, std::move(text)};
  }

  std::optional<Replay> ask(Strategy strategy) {
    switch (strategy) {
      case Strategy::kKeep:
        return gives(committed(), "keep");
      case Strategy::kManual:
        // It could not wait then either: it was in a group.
        if (passed_over([](std::string_view word) { return word == "manual"; }))
          return std::nullopt;
        return Replay{committed(), "manual", true, {}};
      case Strategy::kLww:
        return by_stamp(true);
      case Strategy::kFww:
        return by_stamp(false);
      case Strategy::kVector:
        return in_round() ? by_version() : std::nullopt;
      case Strategy::kQuorum:
        return in_round() ? quorum() : std::nullopt;
      case Strategy::kMerge:
        return merge();
      case Strategy::kCustom:
        return join();
    }
    return std::nullopt;
  }

  std::optional<Replay> by_stamp(bool greatest) {
    std::vector<const ReceiptInput*> inputs = others_;
    if (committed_ != nullptr) {
      if (!greatest && in_round() && stands()) return gives(committed(), "fww");
      // Of a deletion the stamp counts for those who come later, not for who was first.
      if (greatest || !in_round() || stands()) inputs.push_back(committed_);
    }
    std::ranges::sort(inputs, [greatest](const ReceiptInput* a, const ReceiptInput* b) {
      return greatest ? stamp_of(*a) > stamp_of(*b) : stamp_of(*a) < stamp_of(*b);
    });
    if (inputs.empty()) return std::nullopt;
    if (inputs.size() > 1 &&
        too_close(stamp_of(*inputs[0]), stamp_of(*inputs[1]), policy_.conflict_window_millis))
      return std::nullopt;
    return gives(inputs.front()->content, greatest ? "lww" : "fww");
  }

  std::optional<Replay> by_version() {
    const ReceiptInput* best = nullptr;
    bool twice = false;
    for (const ReceiptInput* input : others_) {
      if (best == nullptr || input->version > best->version) {
        best = input;
        twice = false;
      } else if (input->version == best->version && input->content != best->content) {
        twice = true;
      }
    }
    if (best == nullptr || twice || (stands() && best->version < committed_->version))
      return std::nullopt;
    return gives(best->content, "vector");
  }

  // By the votes that were recorded, or anew by the policy's weights.
  std::optional<Replay> quorum() {
    if (receipt_.electorate == 0)
      return unknown("quorum", "the votes were not counted when this was decided");
    std::map<Hash128, std::uint64_t> votes;
    for (const ReceiptInput* input : others_)
      votes[input->content] +=
          policy_.weights.empty() ? input->weight : policy_.weight_of(input->agent);
    if (committed_ != nullptr) votes[committed_->content] += committed_->weight;
    for (const auto& [content, count] : votes)
      if (reaches(count, receipt_.electorate, policy_.quorum))
        return gives(content, fmt::format("quorum({})", policy_.quorum.permille));
    return std::nullopt;
  }

  std::optional<Replay> merge() {
    if (others_.empty()) return std::nullopt;
    if (in_round()) return merge_offers();
    if (!stands() || others_.front()->content == Hash128()) return std::nullopt;  // a deletion
    if (others_.size() > 1) return unknown("merge", "it has more inputs than a write has");
    const ReceiptInput* ancestor = ancestor_of(*others_.front());
    if (ancestor == nullptr) return no_ancestor();
    if (!committed_->value || !others_.front()->value || !ancestor->value)
      return unknown("merge", std::string(kNotRetained));
    MergeRule rule = policy_.merging;
    const auto merge_by = [&] {
      return merge_three_way(*ancestor->value, *committed_->value, *others_.front()->value, rule);
    };
    std::optional<ThreeWay> merged = merge_by();
    if (!merged) return std::nullopt;
    if (!merged->conflicts.empty() && rule.favor == MergeFavor::kNone) {
      const std::optional<MergeFavor> favor = favor_for_fields();
      if (!favor)
        return Replay{committed(), to_text(policy_.merging) + " otherwise manual", true, {}};
      rule.favor = *favor;
      merged = merge_by();
      if (!merged) return std::nullopt;
    }
    return gives(content_hash(merged->value), to_text(policy_.merging));
  }

  // As a round has it: what stands is changed by one offer after the other.
  std::optional<Replay> merge_offers() {
    std::optional<Register> value;
    if (stands()) {
      value = committed_->value;
      if (!value) return unknown("merge", std::string(kNotRetained));
    }
    for (const ReceiptInput* input : others_) {
      if (!value) {  // nothing stands: the first offer begins
        value = input->value;
        if (!value) return unknown("merge", std::string(kNotRetained));
        continue;
      }
      const ReceiptInput* ancestor = ancestor_of(*input);
      if (ancestor == nullptr) return no_ancestor();
      if (!input->value || !ancestor->value) return unknown("merge", std::string(kNotRetained));
      const MergeRule& rule = policy_.merging;
      std::optional<ThreeWay> merged =
          merge_three_way(*ancestor->value, *value, *input->value, rule);
      if (!merged || (!merged->conflicts.empty() && rule.favor == MergeFavor::kNone))
        return std::nullopt;
      value = std::move(merged->value);
    }
    return gives(value ? content_hash(*value) : Hash128(), to_text(policy_.merging));
  }

  // True iff such a word of the rule could not decide.
  [[nodiscard]] bool passed_over(bool (*is_it)(std::string_view word)) const {
    const std::vector<std::string_view> words = words_of(receipt_.rule);
    return std::any_of(words.begin(), words.end() - 1, is_it);
  }

  // It was lost where `merge` was asked and could not say anything; else it was not written down.
  [[nodiscard]] std::optional<Replay> no_ancestor() const {
    if (passed_over([](std::string_view word) { return merge_rule_of(word).has_value(); }))
      return std::nullopt;
    return unknown("merge", std::string(kNoAncestor));
  }

  // The newest version that the author of the input had seen, as far as it was kept.
  [[nodiscard]] const ReceiptInput* ancestor_of(const ReceiptInput& input) const {
    if (!in_round()) return ancestors_.empty() ? nullptr : ancestors_.front();
    const ReceiptInput* newest = nullptr;
    for (const ReceiptInput* one : ancestors_)
      if (one->version <= input.version && (newest == nullptr || one->version > newest->version))
        newest = one;
    return newest;
  }

  // As settle_concurrent() has it: what comes behind `merge` in the chain.
  [[nodiscard]] std::optional<MergeFavor> favor_for_fields() const {
    const Stamp ours = stamp_of(*committed_);
    const Stamp theirs = stamp_of(*others_.front());
    const bool theirs_later = theirs > ours;
    const bool close = too_close(ours, theirs, policy_.conflict_window_millis);
    bool behind = false;
    for (const Strategy strategy : policy_.chain()) {
      if (behind && strategy == Strategy::kLww && !close)
        return theirs_later ? MergeFavor::kTheirs : MergeFavor::kOurs;
      if (behind && strategy == Strategy::kFww && !close)
        return theirs_later ? MergeFavor::kOurs : MergeFavor::kTheirs;
      if (behind && strategy == Strategy::kKeep) return MergeFavor::kOurs;
      if (behind && strategy == Strategy::kManual) return std::nullopt;
      behind = behind || strategy == Strategy::kMerge;
    }
    return MergeFavor::kOurs;
  }

  std::optional<Replay> join() {
    const std::string rule = fmt::format("custom({})", policy_.merger);
    const Merger* merger = policies_.merger(policy_.merger);
    if (merger == nullptr)
      return unknown(rule, fmt::format("the merger '{}' is not registered here", policy_.merger));
    std::optional<Register> value;
    if (stands()) {
      value = committed_->value;
      if (!value) return unknown(rule, std::string(kNotRetained));
    }
    for (const ReceiptInput* input : others_) {
      if (!input->value) return unknown(rule, std::string(kNotRetained));
      if (!value) {
        value = input->value;
        continue;
      }
      Result<std::string> joined = join_by(*merger, value->bytes, input->value->bytes);
      if (!joined) return std::nullopt;
      value = Register{input->value->content, *std::move(joined)};
    }
    return gives(value ? content_hash(*value) : Hash128(), rule);
  }

  const Receipt& receipt_;
  const Policy& policy_;
  const Policies& policies_;
  std::vector<const ReceiptInput*> ancestors_;
  const ReceiptInput* committed_ = nullptr;
  std::vector<const ReceiptInput*> others_;
};

// Its parameters go into the policy; of "merge(lww)", by which `lww` had the word where both had
// changed the same, into what is behind `merge`.
std::optional<Strategy> strategy_of_word(std::string_view word, Policy& policy) {
  if (const std::optional<MergeRule> merging = merge_rule_of(word)) {
    policy.merging = *merging;
    if (!merging->fields.empty()) policy.otherwise = *strategy_of(merging->fields);
    return Strategy::kMerge;
  }
  const std::size_t open = word.find('(');
  if (word.substr(0, open) == "merge") return std::nullopt;
  const std::string_view name = word.substr(0, open);
  if (open != std::string_view::npos && word.back() == ')') {
    const std::string_view inner = word.substr(open + 1, word.size() - open - 2);
    if (name == "quorum")
      std::from_chars(inner.data(), inner.data() + inner.size(), policy.quorum.permille);
    if (name == "custom") policy.merger = inner;
  }
  const Result<Strategy> strategy = strategy_of(name);
  return strategy ? std::optional(*strategy) : std::nullopt;
}

}  // namespace

Replay replay(const Receipt& receipt, const Policy& policy, const Policies& policies) {
  return Run(receipt, policy, policies).run();
}

std::optional<Policy> policy_of_rule(const std::string& rule) {
  Policy policy;
  std::vector<Strategy> chain;
  for (const std::string_view word : words_of(rule)) {
    const auto strategy = strategy_of_word(word, policy);
    if (!strategy) return std::nullopt;
    chain.push_back(*strategy);
  }
  if (chain.size() > 3) return std::nullopt;
  // What the rule names could not decide, or did; what is behind it was never asked.
  policy.strategy = chain[0];
  if (chain.size() > 1) policy.otherwise = chain[1];
  policy.at_last = chain.size() > 2 ? chain[2] : Strategy::kKeep;
  return policy;
}

std::string_view to_text(Verified verified) {
  switch (verified) {
    case Verified::kHolds:
      return "holds";
    case Verified::kNotRun:
      return "not_run";
    case Verified::kDiffers:
      return "differs";
    case Verified::kBrokenLink:
      return "broken_link";
  }
  return "unrecognised";
}

namespace {

// A value stands beside its hash, of which alone the chain knows.
const ReceiptInput* changed_input(const Receipt& receipt) {
  const auto changed = std::ranges::find_if(receipt.inputs, [](const ReceiptInput& input) {
    return input.value && content_hash(*input.value) != input.content;
  });
  return changed == receipt.inputs.end() ? nullptr : &*changed;
}

}  // namespace

bool CheckedChain::sound() const {
  return ends_at_head && std::none_of(receipts.begin(), receipts.end(), [](const auto& one) {
           return one.verified == Verified::kDiffers || one.verified == Verified::kBrokenLink;
         });
}

CheckedChain verify(const std::vector<Receipt>& chain, const std::optional<ChainHash>& head,
                    const Policies& policies) {
  CheckedChain checked;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const Receipt& receipt = chain[i];
    CheckedReceipt& one = checked.receipts.emplace_back();
    // A key that was forgotten and written again begins a chain of its own.
    const bool begins = receipt.previous == ChainHash{};
    if (i > 0 && !begins && receipt.previous != hash_of(chain[i - 1])) {
      one = {Verified::kBrokenLink,
             "it does not name the receipt before it: one is missing, or was changed"};
      continue;
    }
    if (const ReceiptInput* changed = changed_input(receipt)) {
      one = {Verified::kDiffers,
             fmt::format("the value of {} is not the one that was hashed", changed->agent.value())};
      continue;
    }
    std::optional<Policy> policy = policy_of_rule(receipt.rule);
    if (!policy) {
      one = {Verified::kNotRun, fmt::format("'{}' is no rule that can be run", receipt.rule)};
      continue;
    }
    // Within a window of 0 what was within a wider one is decided by stamp, so what was passed over
    // is left out: the last word of the rule is what decided.
    if (receipt.rule.find(kOtherwise) != std::string::npos) {
      const std::size_t last = receipt.rule.rfind(kOtherwise) + kOtherwise.size();
      const std::optional<Policy> deciding = policy_of_rule(receipt.rule.substr(last));
      if (deciding && deciding->strategy != Strategy::kKeep) {
        policy->strategy = deciding->strategy;
        policy->otherwise = deciding->otherwise;
        policy->at_last = Strategy::kKeep;
      } else if (deciding) {
        policy = deciding;
      }
    }
    const Replay made = replay(receipt, *policy, policies);
    if (!made.output) {
      one = {Verified::kNotRun, made.text};
    } else if (*made.output != receipt.output) {
      one = {Verified::kDiffers, fmt::format("the rule gives {}, recorded is {}",
                                             to_hex(*made.output), to_hex(receipt.output))};
    }
  }
  // A record without one is of a key that was forgotten: the chain is that of its earlier life.
  if (head && *head != ChainHash{})
    checked.ends_at_head = !chain.empty() && hash_of(chain.back()) == *head;
  return checked;
}

}  // namespace waggle
