#pragma once

// Claims: who may write which keys for a time. A claim is held on a pattern of keys (base/glob.h),
// of which no two that are held share a key. Each grant has a fencing token greater than all before
// it, and a write under a held claim has to bring that token, so that a holder who slept past its
// time can't write over the work of the next one.
//
//   asked --> waits in line --> held --(renewed)--> held --> ended: released, handed over, its time
//                                                            over, or its holder gone
//
// The line is fair: who waits is granted its claim once nothing that is held shares a key with it,
// and nobody who came earlier and still waits does. So a small claim can't starve a large one.
//
// Pure bookkeeping: what is decided is made durable and told by coordinator/claims.cc.
//
// Source: Burrows, "The Chubby lock service", 2006 (sequencers); Kleppmann, "How to do distributed
// locking", 2016 (fencing tokens).

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "consensus/claim_line.h"

namespace waggle {

// Pattern: 1..limits::kClaimBytes bytes of UTF-8, not only wildcards, of Waggle's own keys only
// those of tasks.
[[nodiscard]] Status check_claim_pattern(std::string_view pattern);
// limits::kClaimMillisMin..limits::kClaimMillisMax.
[[nodiscard]] Status check_claim_time(std::int64_t ttl_millis);

class Claims {
 public:
  // Null: none.
  [[nodiscard]] const Claim* find(std::string_view pattern) const;
  [[nodiscard]] const Claim* of_token(FenceToken token) const;
  [[nodiscard]] const Claim* over(std::string_view key) const;  // at most one
  // One that shares a key with the pattern.
  [[nodiscard]] const Claim* overlapping(std::string_view pattern) const;
  [[nodiscard]] std::size_t size() const { return held_.size(); }
  [[nodiscard]] std::vector<const Claim*> held_by(const Claimant& holder) const;

  // REQUIRES: overlapping() gives none.
  void hold(Claim claim, Instant ends);
  void end(std::string_view pattern);
  // REQUIRES: it is held.
  void ends_at(std::string_view pattern, Instant ends, bool holder_lost = false);
  [[nodiscard]] bool holder_lost(std::string_view pattern) const;
  [[nodiscard]] Instant end_of(std::string_view pattern) const;
  // Nobody is to blame for the time that the coordinator itself stood still.
  void give_time(Millis more);
  [[nodiscard]] std::vector<std::string> due(Instant now) const;

  // Errors: kOverloaded beyond limits::kClaims held, or limits::kClaimPatterns with wildcards.
  [[nodiscard]] Status room_for(std::string_view pattern) const;

  [[nodiscard]] ClaimLine& line() { return line_; }
  // Nothing: nobody can be granted a claim now. The one whose turn it is leaves the line.
  [[nodiscard]] std::optional<WaitingClaim> next_in_line(Instant now);
  // Of a claim's end or of the patience of somebody in line; never: neither.
  [[nodiscard]] Instant next_wake() const;

  // Recomputes what is derived. Costly: for tests and the simulator.
  void check_invariants() const;

 private:
  struct Held {
    Claim claim;
    Instant ends;
    bool holder_lost = false;
  };
  using HeldMap = std::map<std::string, Held, std::less<>>;

  HeldMap held_;
  std::map<FenceToken, std::string> by_token_;
  std::set<std::pair<Instant, std::string>> by_end_;
  // Of those with wildcards, by what stands before the first one: for a key only the lengths that
  // occur are looked up.
  std::map<std::string, std::set<std::string>, std::less<>> by_prefix_;
  std::map<std::size_t, std::size_t> prefix_lengths_;
  std::size_t patterns_ = 0;
  ClaimLine line_;
};

}  // namespace waggle
