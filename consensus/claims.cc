#include "consensus/claims.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/shape.h"

namespace waggle {

namespace {

// It asks again every two seconds or more often. A dead one must not hold up those behind it.
constexpr Millis kPatience{15'000};
constexpr Millis kFresh{4'000};

Instant tired_at(const WaitingClaim& one) {
  return std::min(one.until, one.heard + kPatience);
}

}  // namespace

Status check_claim_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > limits::kClaimBytes)
    return failed(Code::kRejected,
                  fmt::format("a claim: expected a key or pattern of 1 to {} bytes, got {}",
                              limits::kClaimBytes, pattern.size()));
  if (!is_utf8(pattern)) return failed(Code::kRejected, "a claim: the pattern is not UTF-8");
  if (pattern.find_first_not_of("*?") == std::string_view::npos)
    return failed(Code::kRejected,
                  fmt::format("a claim: '{}' names no part of a key, only wildcards; name at least a "
                              "part of those that you need, as in 'plan/*'",
                              pattern));
  if (pattern.front() == '~')
    return failed(Code::kRejected,
                  fmt::format("a claim: '{}' is of Waggle's own keys, which begin with '~'",
                              pattern));
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
      if (glob_match(pattern, key)) return find(pattern);
  }
  return nullptr;
}

const Claim* Claims::overlapping(std::string_view pattern) const {
  if (is_plain_key(pattern)) return over(pattern);
  const std::string_view prefix = glob_prefix(pattern);
  for (auto at = held_.lower_bound(prefix); at != held_.end() && at->first.starts_with(prefix);
       ++at)
    if (globs_overlap(pattern, at->first)) return &at->second.claim;
  // Those whose wildcard stands before the end of this prefix.
  for (const auto& [length, count] : prefix_lengths_) {
    if (length >= prefix.size()) break;
    const auto found = by_prefix_.find(prefix.substr(0, length));
    if (found == by_prefix_.end()) continue;
    for (const std::string& other : found->second)
      if (globs_overlap(pattern, other)) return find(other);
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
  for (WaitingClaim& waiting : line_) {
    waiting.until = waiting.until + more;
    waiting.heard = waiting.heard + more;
  }
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
    return failed(Code::kOverloaded,
                  fmt::format("{} claims are held in this swarm, which is the limit", held_.size()));
  if (!is_plain_key(pattern) && patterns_ >= limits::kClaimPatterns)
    return failed(Code::kOverloaded,
                  fmt::format("{} claims with wildcards are held in this swarm, which is the limit; "
                              "claim single keys",
                              patterns_));
  return {};
}

// ---- the line ----------------------------------------------------------------------------------

Result<std::size_t> Claims::wait(WaitingClaim waiting) {
  std::size_t ahead = 0;
  for (WaitingClaim& one : line_) {
    if (one.request == waiting.request && one.wanted.holder == waiting.wanted.holder) {
      one.session = waiting.session;  // it may have joined anew
      one.heard = waiting.heard;
      return ahead + 1;
    }
    ahead += globs_overlap(one.wanted.pattern, waiting.wanted.pattern) ? 1 : 0;
  }
  if (line_.size() >= limits::kClaimsWaiting)
    return failed(Code::kOverloaded,
                  fmt::format("{} wait for claims in this swarm, which is the limit; ask again "
                              "later",
                              line_.size()));
  line_.push_back(std::move(waiting));
  return ahead + 1;
}

void Claims::stop_waiting(SessionId session, RequestId request) {
  std::erase_if(line_, [&](const WaitingClaim& one) {
    return one.session == session && one.request == request;
  });
}

void Claims::stop_waiting(const Claimant& claimant) {
  std::erase_if(line_, [&](const WaitingClaim& one) { return one.wanted.holder == claimant; });
}

std::optional<WaitingClaim> Claims::next_in_line(Instant now) {
  const auto fresh = [&](const WaitingClaim& one) { return now - one.heard <= kFresh; };
  for (auto at = line_.begin(); at != line_.end(); ++at) {
    const std::string_view wanted = at->wanted.pattern;
    if (!fresh(*at)) continue;
    if (overlapping(wanted) != nullptr || !room_for(wanted)) continue;
    const bool others_first = std::any_of(line_.begin(), at, [&](const WaitingClaim& earlier) {
      return fresh(earlier) && globs_overlap(earlier.wanted.pattern, wanted);
    });
    if (others_first) continue;
    WaitingClaim turn = std::move(*at);
    line_.erase(at);
    return turn;
  }
  return std::nullopt;
}

bool Claims::somebody_waits_for(std::string_view pattern) const {
  return std::ranges::any_of(line_, [&](const WaitingClaim& one) {
    return globs_overlap(one.wanted.pattern, pattern);
  });
}

std::vector<WaitingClaim> Claims::take_tired(Instant now) {
  std::vector<WaitingClaim> tired;
  std::erase_if(line_, [&](const WaitingClaim& one) {
    if (tired_at(one) > now) return false;
    tired.push_back(one);
    return true;
  });
  return tired;
}

Instant Claims::next_wake() const {
  Instant wake = by_end_.empty() ? Instant::never() : by_end_.begin()->first;
  for (const WaitingClaim& one : line_) wake = std::min(wake, tired_at(one));
  return wake;
}

void Claims::check_invariants() const {
  WAGGLE_CHECK(by_token_.size() == held_.size() && by_end_.size() == held_.size());
  std::size_t patterns = 0;
  for (auto one = held_.begin(); one != held_.end(); ++one) {
    WAGGLE_CHECK(of_token(one->second.claim.token) == &one->second.claim);
    WAGGLE_CHECK(by_end_.contains({one->second.ends, one->first}));
    patterns += is_plain_key(one->first) ? 0 : 1;
    for (auto other = std::next(one); other != held_.end(); ++other)
      WAGGLE_CHECK(!globs_overlap(one->first, other->first), "two claims share a key");
  }
  WAGGLE_CHECK(patterns == patterns_);
}

}  // namespace waggle
