#pragma once

// Who may send how much: one allowance for each sender, made of token buckets.
//
//   agent of a swarm      by its id: a new connection or session brings nothing new
//   client (~client-...)  by its connection, since its name is random, and a share in what all
//                         clients of its swarm have together, since it may connect at will
//   no session yet        by its connection, so that nobody spends what another agent has by
//                         naming it
//
// An allowance that is full again says what a new one would, and is forgotten; so the memory is
// bounded by who sent something of late, and beyond limits::kAllowances by one that the rest
// shares.
//
// What is refused costs nothing, else who comes back in time would never be let in. How often a
// refusal is answered is an allowance too: it is enough for everybody who minds the time that the
// answer names, and whoever does not is ignored.
//
// Thread safety: as an int.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/ids.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "coordinator/agent_limits.h"

namespace waggle {

enum class Limit : std::uint8_t { kMessages = 0, kWrites = 1, kBytes = 2 };

// Whose allowances a message draws on. Empty: nobody counts it.
struct Sender {
  std::string own;
  std::string together;  // clients: what all of the swarm share

  static Sender of_agent(const SwarmId& swarm, const AgentId& agent);
  static Sender of_client(const SwarmId& swarm, const PeerId& peer);
  static Sender of_stranger(const PeerId& peer);
  [[nodiscard]] bool counted() const { return !own.empty(); }
};

class Allowances {
 public:
  // All clients of a swarm have together what so many agents have.
  static constexpr std::uint64_t kClientsShares = 8;

  explicit Allowances(const AgentLimits& limits);

  struct Cost {
    std::uint64_t messages = 0;
    std::uint64_t writes = 0;
    std::uint64_t bytes = 0;
  };
  struct Refusal {
    Limit limit = Limit::kMessages;
    bool together = false;  // what all clients of the swarm share is used up
    std::uint64_t per_second = 0;
    std::uint64_t burst = 0;
    Millis retry;  // then it would pass, and about a tenth of a second's worth behind it
  };
  struct Taken {
    std::uint64_t writes = 0;
    std::optional<Refusal> refusal;  // of the message, or where some writes were taken of the rest
  };
  // Takes it all, or nothing and says why. `divisible`: or as many of its writes as there is room
  // for, the first of them at least.
  [[nodiscard]] Taken take(const Sender& sender, const Cost& cost, Instant now,
                           bool divisible = false);
  // What can't be refused is owed. False: it owes as much as it may already.
  bool owe(const Sender& sender, const Cost& cost, Instant now);
  // Whether one more refusal is to be answered.
  [[nodiscard]] bool answers(const Sender& sender, Instant now);

  // Of one whose refusals are not answered any more: how many it was, once a second.
  struct Ignored {
    bool begins = false;  // it may be thrown away unread for kIgnoredMillis from now on
    std::uint64_t tell = 0;
  };
  static constexpr std::int64_t kIgnoredMillis = 100;
  Ignored ignore(const Sender& sender, Instant now);

  // Those that are full again.
  void forget(Instant now);
  [[nodiscard]] std::size_t size() const { return allowances_.size(); }

 private:
  static constexpr std::size_t kLimits = 3;
  struct Allowance {
    std::array<TokenBucket, kLimits> buckets;
    TokenBucket answers;
    Instant ignored_until{INT64_MIN};
    Instant tell_at{INT64_MIN};
    std::uint64_t ignored = 0;
  };
  struct Drawn {  // `together` may be null
    Allowance* own;
    Allowance* together;
  };
  [[nodiscard]] Allowance& of(const std::string& name, std::uint64_t shares, Instant now);
  [[nodiscard]] Drawn drawn_on(const Sender& sender, Instant now);
  [[nodiscard]] static std::optional<Refusal> judge(const Drawn& drawn, const Cost& cost,
                                                    std::uint64_t writes, Instant now);

  std::array<TokenBucket::Rate, kLimits> rates_;
  // No order of it reaches what the coordinator does.
  std::unordered_map<std::string, Allowance> allowances_;
  Instant swept_{0};
};

}  // namespace waggle
