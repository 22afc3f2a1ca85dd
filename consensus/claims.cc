#include "consensus/claims.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/shape.h"
#include "consensus/task_queue.h"

namespace waggle {

Status check_claim_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > limits::kClaimBytes)
    return failed(Code::kRejected,
                  fmt::format("a claim: expected a key or pattern of 1 to {} bytes, got {}",
                              limits::kClaimBytes, pattern.size()));
  if (!is_utf8(pattern)) return failed(Code::kRejected, "a claim: the pattern is not UTF-8");
  if (pattern.find_first_not_of("*?") == std::string_view::npos)
    return failed(
        Code::kRejected,
        fmt::format("a claim: '{}' names no part of a key, only wildcards; name at least a "
                    "part of those that you need, as in 'plan/*'",
                    pattern));
  if (pattern.front() == '~' && !is_task_key(pattern))
    return failed(
        Code::kRejected,
        fmt::format("a claim: '{}' is of Waggle's own keys, which begin with '~'", pattern));
  return {};
}

Status check_claim_time(std::int64_t ttl_millis) {
  if (ttl_millis >= limits::kClaimMillisMin && ttl_millis <= limits::kClaimMillisMax) return {};
  return failed(Code::kRejected,
                fmt::format("a claim: expected a time to live of {} to {} ms, got {}",
                            limits::kClaimMillisMin, limits::kClaimMillisMax, ttl_millis));
}

const Claim* Claims::find(std::string_view pattern) const {
  const auto found = held_.find(pattern);
  return found == held_.end() ? nullptr : &found->second.claim;
}

const Claim* Claims::of_token(FenceToken token) const {
  const auto found = by_token_.find(token);
  return found == by_token_.end() ? nullptr : find(found->second);
}

const Claim* Claims::over(std::string_view key) const {
  if (held_.empty()) return nullptr;
  if (const Claim* exact = find(key); exact != nullptr && is_plain_key(key)) return exact;
  for (const auto& [length, count] : prefix_lengths_) {
    if (length > key.size()) break;
    const auto found = by_prefix_.find(key.substr(0, length));
    if (found == by_prefix_.end()) continue;
    for (const std::string& pattern : found->second)
      if (claim_covers(pattern, key)) return find(pattern);
  }
  return nullptr;
}

const Claim* Claims::overlapping(std::string_view pattern) const {
  if (is_plain_key(pattern)) return over(pattern);
  const std::string_view prefix = glob_prefix(pattern);
  for (auto at = held_.lower_bound(prefix); at != held_.end() && at->first.starts_with(prefix);
       ++at)
    if (claims_overlap(pattern, at->first)) return &at->second.claim;
  // Those whose wildcard stands before the end of this prefix.
  for (const auto& [length, count] : prefix_lengths_) {
    if (length >= prefix.size()) break;
    const auto found = by_prefix_.find(prefix.substr(0, length));
    if (found == by_prefix_.end()) continue;
    for (const std::string& other : found->second)
      if (claims_overlap(pattern, other)) return find(other);
  }
  return nullptr;
}

std::vector<const Claim*> Claims::held_by(const Claimant& holder) const {
  std::vector<const Claim*> claims;
  for (const auto& [pattern, held] : held_)
    if (held.claim.holder == holder) claims.push_back(&held.claim);
  return claims;
}

void Claims::hold(Claim claim, Instant ends) {
  WAGGLE_CHECK(overlapping(claim.pattern) == nullptr && !by_token_.contains(claim.token));
  const std::string pattern = claim.pattern;
  by_token_.emplace(claim.token, pattern);
  by_end_.emplace(ends, pattern);
  if (!is_plain_key(pattern)) {
    const std::string_view prefix = glob_prefix(pattern);
    by_prefix_[std::string(prefix)].insert(pattern);
    ++prefix_lengths_[prefix.size()];
    ++patterns_;
  }
  held_.emplace(pattern, Held{std::move(claim), ends});
}

void Claims::end(std::string_view pattern) {
  const auto found = held_.find(pattern);
  if (found == held_.end()) return;
  by_token_.erase(found->second.claim.token);
  by_end_.erase({found->second.ends, found->first});
  if (!is_plain_key(found->first)) {
    const std::string_view prefix = glob_prefix(found->first);
    const auto same = by_prefix_.find(prefix);
    same->second.erase(found->first);
    if (same->second.empty()) by_prefix_.erase(same);
    const auto length = prefix_lengths_.find(prefix.size());
    if (--length->second == 0) prefix_lengths_.erase(length);
    --patterns_;
  }
  held_.erase(found);
}

void Claims::ends_at(std::string_view pattern, Instant ends, bool holder_lost) {
  const auto found = held_.find(pattern);
  WAGGLE_CHECK(found != held_.end());
  by_end_.erase({found->second.ends, found->first});
  found->second.ends = ends;
  found->second.holder_lost = holder_lost;
  by_end_.emplace(ends, found->first);
}

bool Claims::holder_lost(std::string_view pattern) const {
  const auto found = held_.find(pattern);
  return found != held_.end() && found->second.holder_lost;
}

Instant Claims::end_of(std::string_view pattern) const {
  const auto found = held_.find(pattern);
  return found == held_.end() ? Instant::never() : found->second.ends;
}

void Claims::give_time(Millis more) {
  by_end_.clear();
  for (auto& [pattern, held] : held_) {
    held.ends = held.ends + more;
    by_end_.emplace(held.ends, pattern);
  }
  line_.give_time(more);
}

std::vector<std::string> Claims::due(Instant now) const {
  std::vector<std::string> patterns;
  for (const auto& [ends, pattern] : by_end_) {
    if (ends > now) break;
    patterns.push_back(pattern);
  }
  return patterns;
}

Status Claims::room_for(std::string_view pattern) const {
  if (held_.size() >= limits::kClaims)
    return failed(
        Code::kOverloaded,
        fmt::format("{} claims are held in this swarm, which is the limit", held_.size()));
  if (!is_plain_key(pattern) && patterns_ >= limits::kClaimPatterns)
    return failed(
        Code::kOverloaded,
        fmt::format("{} claims with wildcards are held in this swarm, which is the limit; "
                    "claim single keys",
                    patterns_));
  return {};
}

std::optional<WaitingClaim> Claims::next_in_line(Instant now) {
  return line_.take_first(
      now, [&](const WaitingClaim& one, const std::vector<const WaitingClaim*>& earlier) {
        const std::string_view wanted = one.wanted.pattern;
        if (overlapping(wanted) != nullptr || !room_for(wanted)) return false;
        return std::ranges::none_of(earlier, [&](const WaitingClaim* before) {
          return claims_overlap(before->wanted.pattern, wanted);
        });
      });
}

Instant Claims::next_wake() const {
  const Instant ends = by_end_.empty() ? Instant::never() : by_end_.begin()->first;
  return std::min(ends, line_.next_wake());
}

void Claims::check_invariants() const {
  WAGGLE_CHECK(by_token_.size() == held_.size() && by_end_.size() == held_.size());
  std::size_t patterns = 0;
  for (auto one = held_.begin(); one != held_.end(); ++one) {
    WAGGLE_CHECK(of_token(one->second.claim.token) == &one->second.claim);
    WAGGLE_CHECK(by_end_.contains({one->second.ends, one->first}));
    patterns += is_plain_key(one->first) ? 0 : 1;
    for (auto other = std::next(one); other != held_.end(); ++other)
      WAGGLE_CHECK(!claims_overlap(one->first, other->first), "two claims share a key");
  }
  WAGGLE_CHECK(patterns == patterns_);
}

}  // namespace waggle
