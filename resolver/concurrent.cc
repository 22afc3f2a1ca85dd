#include "resolver/concurrent.h"

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/three_way.h"

namespace waggle {
namespace {

// How much earlier than a commit a first write may claim to have been made.
constexpr std::int64_t kEarliestMillis = std::int64_t{24} * 3600 * 1000;

ConflictKind kind_of(const ConcurrentWrite& w) {
  return w.standing.live() == w.value.has_value() ? ConflictKind::kConcurrentUpdate
                                                  : ConflictKind::kDeleteUpdate;
}

Stamp stamp_of(const Record& record) {
  return {record.hlc, record.writer.agent};
}

Stamp stamp_of(const Author& author) {
  return {author.hlc, author.agent};
}

std::string written_meanwhile(const ConcurrentWrite& w) {
  return fmt::format("'{}' was {} by {} meanwhile at revision {}", w.key.value(),
                     w.standing.live() ? "written" : "deleted", w.standing.writer.agent.value(),
                     w.standing.version.value());
}

std::optional<Value> value_of(const ConcurrentWrite& w) {
  if (!w.value) return std::nullopt;
  return *w.value;
}

// Walks the chain. `passed`: what came before and could not decide, for the rule's name.
class Chain {
 public:
  explicit Chain(const ConcurrentWrite& write) : w_(write), chain_(write.policy.chain()) {}

  Verdict decide() {
    for (; at_ < chain_.size(); ++at_) {
      if (std::optional<Verdict> verdict = ask(chain_[at_])) return *std::move(verdict);
      // Quorum is no rule of single writes, so it is not named; `vector` neither.
      if (chain_[at_] != Strategy::kQuorum && chain_[at_] != Strategy::kVector)
        passed_ += fmt::format("{} otherwise ", to_text(chain_[at_]));
    }
    return keep();
  }

 private:
  std::optional<Verdict> ask(Strategy strategy) {
    switch (strategy) {
      case Strategy::kLww:
        return by_stamp(true);
      case Strategy::kFww:
        return by_stamp(false);
      case Strategy::kMerge:
        return merge();
      case Strategy::kCustom:
        return join();
      case Strategy::kManual:
        if (w_.alone) return Verdict::parks(kind_, rule("manual"));
        why_ += "; a group can't wait for a person";
        return std::nullopt;
      case Strategy::kKeep:
        return keep();
      case Strategy::kVector:
      case Strategy::kQuorum:
        return std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string rule(std::string_view name) const {
    return passed_ + std::string(name);
  }

  Verdict keep() const {
    Verdict verdict = Verdict::conflicts(
        kind_,
        fmt::format("{}; the committed state stays by policy{}", written_meanwhile(w_), why_),
        rule("keep"));
    if (base_lost_) verdict.reason = Reason::kBaseLost;
    return verdict;
  }

  std::optional<Verdict> by_stamp(bool later_wins) {
    if (stamps_too_close()) {
      kind_ = ConflictKind::kClockDivergence;
      why_ += fmt::format("; the two were written within {} ms of each other",
                          w_.policy.conflict_window_millis);
      return std::nullopt;
    }
    const std::string name = rule(later_wins ? "lww" : "fww");
    if (wins_by_stamp(later_wins)) return Verdict::applies(value_of(w_), name);
    Verdict verdict = Verdict::conflicts(
        kind_,
        fmt::format("{}, and that is the {} one{}", written_meanwhile(w_),
                    later_wins ? "later" : "earlier", base_lost_ ? why_ : std::string()),
        name);
    if (base_lost_) verdict.reason = Reason::kBaseLost;
    return verdict;
  }

  [[nodiscard]] bool stamps_too_close() const {
    return too_close(stamp_of(w_.author), stamp_of(w_.standing), w_.policy.conflict_window_millis);
  }

  [[nodiscard]] bool wins_by_stamp(bool later_wins) const {
    const Stamp theirs = stamp_of(w_.standing);
    const Stamp ours = stamp_of(w_.author);
    if (later_wins) return ours > theirs;
    // A stamp far below the commit that it would overtake is not believed: else anybody could be
    // the first one afterwards.
    const bool forged = static_cast<std::int64_t>(ours.hlc.millis()) + kEarliestMillis <
                        w_.standing.commit_wall_millis;
    return ours < theirs && !forged;
  }

  // Which later strategy of the chain speaks where both sides changed the same field.
  [[nodiscard]] Strategy speaks_for_fields() const {
    // `keep` decides always, and is what is left when nobody else does.
    for (std::size_t next = at_ + 1; next < chain_.size() && chain_[next] != Strategy::kKeep;
         ++next) {
      switch (chain_[next]) {
        case Strategy::kLww:
        case Strategy::kFww:
          if (!stamps_too_close()) return chain_[next];
          break;
        case Strategy::kManual:
          if (w_.alone) return Strategy::kManual;
          break;
        case Strategy::kCustom:
          return Strategy::kCustom;
        default:
          break;
      }
    }
    return Strategy::kKeep;
  }

  // In the words of the merge what stands is `ours` and the write is `theirs`.
  std::optional<Verdict> merge() {
    const auto* stands = w_.standing.live() ? std::get_if<Register>(&*w_.standing.value) : nullptr;
    if (stands == nullptr || !w_.value) return std::nullopt;  // a deletion is on one side
    const auto* base = w_.ancestor != nullptr && w_.ancestor->live()
                           ? std::get_if<Register>(&*w_.ancestor->value)
                           : nullptr;
    if (base == nullptr) {
      base_lost_ = true;
      why_ += "; the version that the write began from is not kept any more (base_lost)";
      return std::nullopt;
    }
    MergeRule rule = w_.policy.merging;
    std::optional<ThreeWay> merged = merge_three_way(*base, *stands, *w_.value, rule);
    if (!merged) return std::nullopt;
    if (merged->conflicts.empty()) return merged_verdict(*merged, MergeFavor::kNone, rule);
    if (rule.favor != MergeFavor::kNone) return merged_verdict(*merged, rule.favor, rule);
    const Strategy speaks = speaks_for_fields();
    if (speaks == Strategy::kManual) {
      kind_ = ConflictKind::kFieldConflict;
      return Verdict::parks(kind_, this->rule(to_text(rule) + " otherwise manual"));
    }
    if (speaks == Strategy::kCustom) return std::nullopt;  // it gets the whole
    const bool takes_write = speaks != Strategy::kKeep && wins_by_stamp(speaks == Strategy::kLww);
    MergeRule named = rule;
    if (takes_write) named.fields = to_text(speaks);
    rule.favor = takes_write ? MergeFavor::kTheirs : MergeFavor::kOurs;
    merged = merge_three_way(*base, *stands, *w_.value, rule);
    if (!merged) return std::nullopt;
    return merged_verdict(*merged, rule.favor, named);
  }

  // `favor`: who has the fields that both changed.
  Verdict merged_verdict(const ThreeWay& merged, MergeFavor favor, const MergeRule& named) const {
    const std::string name = rule(to_text(named));
    std::string where;
    for (const std::string& path : merged.conflicts)
      where += fmt::format("{}{}", where.empty() ? "" : ", ", path);
    if (favor == MergeFavor::kOurs && merged.value == std::get<Register>(*w_.standing.value))
      return Verdict::conflicts(ConflictKind::kFieldConflict,
                                fmt::format("{}; both changed {}", written_meanwhile(w_), where),
                                name);
    Verdict verdict = Verdict::applies(Value(merged.value), name);
    verdict.merged = merged.value != *w_.value;
    if (favor == MergeFavor::kOurs) {
      verdict.conflict = ConflictKind::kFieldConflict;
      verdict.text = fmt::format("merged with what {} wrote meanwhile, who keeps: {}",
                                 w_.standing.writer.agent.value(), where);
    } else if (favor == MergeFavor::kTheirs) {
      verdict.text = fmt::format("merged with what {} wrote meanwhile, and put in its place: {}",
                                 w_.standing.writer.agent.value(), where);
    }
    return verdict;
  }

  std::optional<Verdict> join() {
    const auto* stands = w_.standing.live() ? std::get_if<Register>(&*w_.standing.value) : nullptr;
    const Merger* merger = w_.policies.merger(w_.policy.merger);
    if (stands == nullptr || !w_.value || merger == nullptr) return std::nullopt;
    const Result<std::string> joined = join_by(*merger, stands->bytes, w_.value->bytes);
    if (!joined) {
      why_ += fmt::format("; the merger '{}' failed: {}", w_.policy.merger, joined.error().text);
      return std::nullopt;
    }
    const Register value{w_.value->content, *joined};
    const std::string name = rule(fmt::format("custom({})", w_.policy.merger));
    if (value == *stands)
      return Verdict::conflicts(
          kind_, fmt::format("{}, and that has all of it", written_meanwhile(w_)), name);
    Verdict verdict = Verdict::applies(Value(value), name);
    verdict.merged = value != *w_.value;
    return verdict;
  }

  const ConcurrentWrite& w_;
  const std::vector<Strategy> chain_;
  std::size_t at_ = 0;
  ConflictKind kind_ = kind_of(w_);
  bool base_lost_ = false;
  std::string passed_;
  std::string why_;
};

}  // namespace

bool too_close(const Stamp& a, const Stamp& b, std::int64_t window_millis) {
  if (window_millis <= 0) return false;
  const std::uint64_t apart = a.hlc.millis() > b.hlc.millis() ? a.hlc.millis() - b.hlc.millis()
                                                              : b.hlc.millis() - a.hlc.millis();
  return apart <= static_cast<std::uint64_t>(window_millis);
}

Result<std::string> join_by(const Merger& merger, std::string_view a, std::string_view b) {
  try {
    Result<std::string> joined = merger(a, b);
    if (joined && joined->size() > limits::kValueBytes)
      return failed(Code::kRejected, fmt::format("it gave {} bytes, a value has at most {}",
                                                 joined->size(), limits::kValueBytes));
    return joined;
  } catch (const std::exception& thrown) {
    return failed(Code::kRejected, fmt::format("it threw: {}", thrown.what()));
  } catch (...) {
    return failed(Code::kRejected, "it threw something that is no std::exception");
  }
}

Verdict settle_concurrent(const ConcurrentWrite& write) {
  return Chain(write).decide();
}

}  // namespace waggle
