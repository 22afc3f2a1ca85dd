#include "tests/sim/claim_truth.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

// What is handed to who waits has at most this until it renews (coordinator/claims.cc).
constexpr std::int64_t kUnconfirmedMillis = 5'000;
// A grant is seen once it is on the disk, and clocks drift.
constexpr std::int64_t kSlackMillis = 100;

}  // namespace

void ClaimTruth::take(const Key& key, const Record& record, std::int64_t now, const Found& found) {
  const std::string pattern(pattern_of(key.value()));
  std::optional<Claim> claim = claim_of(key, record);
  const auto before = held_.find(pattern);
  if (!claim) {
    if (before == held_.end()) return;
    const std::int64_t lasted = now - since_[pattern];
    const auto why = record.metadata.find("ended");
    if (why != record.metadata.end() && why->second == "its time was over" &&
        lasted + kSlackMillis < std::min(before->second.ttl_millis, kUnconfirmedMillis))
      found("claims",
            fmt::format("'{}' was held for {} ms and its time of {} ms is said to be over", pattern,
                        lasted, before->second.ttl_millis));
    held_.erase(before);
    return;
  }
  if (before == held_.end() || before->second.token != claim->token) {
    if (claim->token <= last_)
      found("claims", fmt::format("'{}' is granted under token {}, {} was given before", pattern,
                                  claim->token.value(), last_.value()));
    last_ = std::max(last_, claim->token);
    since_[pattern] = now;
  }
  for (const auto& [other, held] : held_)
    if (other != pattern && claims_overlap(other, pattern))
      found("claims", fmt::format("'{}' is granted to {} while {} holds '{}'", pattern,
                                  claim->holder.agent.value(), held.holder.agent.value(), other));
  held_.insert_or_assign(pattern, *std::move(claim));
}

const Claim* ClaimTruth::over(const Key& key) const {
  const auto found = std::ranges::find_if(
      held_, [&](const auto& entry) { return claim_covers(entry.first, key.value()); });
  return found == held_.end() ? nullptr : &found->second;
}

void ClaimTruth::check_write(const std::string& what, const Key& key, const Mutation* mutation,
                             const Found& found) const {
  const Claim* claim = over(key);
  const FenceToken fence = mutation != nullptr ? mutation->fence : FenceToken();
  if (claim != nullptr && claim->token != fence)
    found("claims", fmt::format("{}: written under token {}, while {} holds '{}' under {}", what,
                                fence.value(), claim->holder.agent.value(), claim->pattern,
                                claim->token.value()));
  const auto is_it = [&](const auto& entry) { return entry.second.token == fence; };
  if (fence && std::ranges::none_of(held_, is_it))
    found("claims",
          fmt::format("{}: written under token {}, which nobody holds", what, fence.value()));
}

void ClaimTruth::clear(const std::string& what, const Found& found) {
  if (!held_.empty()) found("claims", fmt::format("{}: '{}' is held", what, held_.begin()->first));
  held_.clear();
}

}  // namespace waggle::sim
