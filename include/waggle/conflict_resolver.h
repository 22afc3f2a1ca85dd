#pragma once

// What a synchronisation decides about one register, as a pure function of values: the same code
// that the coordinator runs. For tests of a policy, and for deciding the same way outside a swarm.
//
//   kLww     the greatest (stamp, agent id) of the offers and the committed value
//   kQuorum  the value that at least the threshold of the roster holds; else `otherwise`
//   kKeep    the committed value, always
//
// Thread-safe: it holds nothing but its rule.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <waggle/types.h>

namespace waggle {

enum class ResolveBy : std::uint8_t { kLww, kQuorum, kKeep };

struct ResolverRule {
  ResolveBy strategy = ResolveBy::kLww;
  ResolveBy otherwise = ResolveBy::kKeep;  // of kQuorum; not kQuorum itself
  std::uint32_t quorum_permille = 510;     // of the roster: 501..1000
};

struct CandidateValue {
  std::string agent;
  std::string bytes;
  ContentKind content = ContentKind::kText;
  std::uint64_t stamp_millis = 0;  // hybrid logical clock: wall milliseconds and a counter
  std::uint16_t stamp_count = 0;
};

struct Resolution {
  SyncOutcome outcome = SyncOutcome::kUnchanged;
  std::optional<std::size_t> winner;  // index of the offer whose value holds now; empty: the
                                      // committed value stands
  bool changes = false;               // the winner differs from what stands
  std::string rule;                   // as the receipt names it: "lww", "quorum(510)"
};

class ConflictResolver {
 public:
  // Failures: kRejected for a rule that contradicts itself.
  [[nodiscard]] static Expected<ConflictResolver> make(const ResolverRule& rule);

  // `same`: members that hold the committed value and offer nothing; `roster`: members in all, at
  // least the offers and `same` together. At most one offer an agent.
  // Failures: kRejected for numbers that contradict each other.
  [[nodiscard]] Expected<Resolution> resolve(const std::optional<CandidateValue>& committed,
                                             const std::vector<CandidateValue>& offers,
                                             std::uint32_t same, std::uint32_t roster) const;

 private:
  explicit ConflictResolver(const ResolverRule& rule) : rule_(rule) {}
  ResolverRule rule_;
};

}  // namespace waggle
