#pragma once

// A claim, and the line of those who wait for one. What is held is in claims.h.
//
// Who waits asks again every two seconds or more often. Who did not for some seconds is passed over
// and keeps its place; who did not for longer leaves the line.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"

namespace waggle {

// Whom a claim belongs to: one process of an agent, or one run of a client.
struct Claimant {
  AgentId agent;
  Incarnation process;
  friend auto operator<=>(const Claimant&, const Claimant&) = default;
};

struct Claim {
  std::string pattern;
  Claimant holder;
  std::string label;  // what the holder calls itself; empty: its agent id
  AgentId handed_by;  // who handed it over to the holder; empty: it was taken
  FenceToken token;
  std::int64_t ttl_millis = 0;  // from its grant and each renewal
  bool of_session = false;      // ends with its holder's session too
  RequestId asked{};            // of a task's: by which request of its holder it was taken
  friend bool operator==(const Claim&, const Claim&) = default;
};

struct WaitingClaim {
  Claim wanted;  // without token; of a task's the pattern is that of the tasks it would take
  SessionId session;
  RequestId request;
  Instant until;
  Instant heard;                // asked last; who falls silent leaves the line
  std::set<std::string> can{};  // of a task's: what the holder is capable of
};

// Whether the pattern covers the key, and whether two patterns share a key. Keys of Waggle's own
// are not reached by a pattern that begins with a wildcard.
[[nodiscard]] bool claim_covers(std::string_view pattern, std::string_view key);
[[nodiscard]] bool claims_overlap(std::string_view one, std::string_view other);

class ClaimLine {
 public:
  // The place in line, from 1, among those whose patterns share a key: of who asks again it is the
  // one that it had. Errors: kOverloaded beyond limits::kClaimsWaiting.
  [[nodiscard]] Result<std::size_t> wait(WaitingClaim waiting);
  void stop_waiting(const Claimant& claimant, RequestId request);
  void stop_waiting(const Claimant& claimant);

  // The first for whom `may(waiting, earlier)` is true, who leaves the line; `earlier` are those
  // who came before it and are there still. Nothing: none.
  template <typename May>
  [[nodiscard]] std::optional<WaitingClaim> take_first(Instant now, const May& may) {
    std::vector<const WaitingClaim*> earlier;
    for (auto at = line_.begin(); at != line_.end(); ++at) {
      if (!fresh(*at, now)) continue;
      if (may(*at, earlier)) {
        WaitingClaim turn = std::move(*at);
        line_.erase(at);
        return turn;
      }
      earlier.push_back(&*at);
    }
    return std::nullopt;
  }
  // Those whose time is over, or who fell silent; they leave the line.
  [[nodiscard]] std::vector<WaitingClaim> take_tired(Instant now);
  // A pattern that shares a key with what somebody waits for, who asked first.
  [[nodiscard]] bool somebody_waits_for(std::string_view pattern) const;
  [[nodiscard]] std::size_t size() const { return line_.size(); }
  void give_time(Millis more);
  [[nodiscard]] Instant next_wake() const;  // never: nobody waits

 private:
  [[nodiscard]] static bool fresh(const WaitingClaim& one, Instant now);

  std::vector<WaitingClaim> line_;
};

}  // namespace waggle
