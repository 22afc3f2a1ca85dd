#include "consensus/claim_line.h"

#include <fmt/format.h>

#include "base/glob.h"
#include "base/limits.h"

namespace waggle {
namespace {

// A dead one must not hold up those behind it.
constexpr Millis kPatience{15'000};
constexpr Millis kFresh{4'000};

Instant tired_at(const WaitingClaim& one) {
  return std::min(one.until, one.heard + kPatience);
}

bool is_own(std::string_view text) {
  return text.starts_with('~');
}

}  // namespace

bool claim_covers(std::string_view pattern, std::string_view key) {
  return is_own(pattern) == is_own(key) && glob_match(pattern, key);
}

bool claims_overlap(std::string_view one, std::string_view other) {
  return is_own(one) == is_own(other) && globs_overlap(one, other);
}

Result<std::size_t> ClaimLine::wait(WaitingClaim waiting) {
  std::size_t ahead = 0;
  for (WaitingClaim& one : line_) {
    if (one.request == waiting.request && one.wanted.holder == waiting.wanted.holder) {
      one.session = waiting.session;  // it may have joined anew
      one.heard = waiting.heard;
      return ahead + 1;
    }
    ahead += claims_overlap(one.wanted.pattern, waiting.wanted.pattern) ? 1 : 0;
  }
  if (line_.size() >= limits::kClaimsWaiting)
    return failed(Code::kOverloaded,
                  fmt::format("{} wait for claims in this swarm, which is the limit; ask again "
                              "later",
                              line_.size()));
  line_.push_back(std::move(waiting));
  return ahead + 1;
}

void ClaimLine::stop_waiting(const Claimant& claimant, RequestId request) {
  std::erase_if(line_, [&](const WaitingClaim& one) {
    return one.wanted.holder == claimant && one.request == request;
  });
}

void ClaimLine::stop_waiting(const Claimant& claimant) {
  std::erase_if(line_, [&](const WaitingClaim& one) { return one.wanted.holder == claimant; });
}

bool ClaimLine::fresh(const WaitingClaim& one, Instant now) {
  return now - one.heard <= kFresh;
}

std::vector<WaitingClaim> ClaimLine::take_tired(Instant now) {
  std::vector<WaitingClaim> tired;
  std::erase_if(line_, [&](const WaitingClaim& one) {
    if (tired_at(one) > now) return false;
    tired.push_back(one);
    return true;
  });
  return tired;
}

bool ClaimLine::somebody_waits_for(std::string_view pattern) const {
  return std::ranges::any_of(
      line_, [&](const WaitingClaim& one) { return claims_overlap(one.wanted.pattern, pattern); });
}

void ClaimLine::give_time(Millis more) {
  for (WaitingClaim& waiting : line_) {
    waiting.until = waiting.until + more;
    waiting.heard = waiting.heard + more;
  }
}

Instant ClaimLine::next_wake() const {
  Instant wake = Instant::never();
  for (const WaitingClaim& one : line_) wake = std::min(wake, tired_at(one));
  return wake;
}

}  // namespace waggle
