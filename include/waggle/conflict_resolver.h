#pragma once

// What a synchronisation decides about one register, as a pure function of values: the same code
// that the coordinator runs. For tests of a policy, and for deciding the same way outside a swarm.
//
//   kLww     the greatest (stamp, agent id) of the offers and the committed value
//   kFww     the committed value, else the least (stamp, agent id)
//   kVector  the offer that was based on a strictly greater version than all others
//   kQuorum  the value that at least the threshold of the roster's votes holds
//   kMerge   three-way with the value that an offer was based on: JSON by path, text by line
//   kManual  nobody's: parked, for a person
//   kCustom  the merger's join of them all
//   kKeep    the committed value, always
//
// A strategy that can't decide hands over to `otherwise`, and that one to `at_last`.
//
// Thread-safe: it holds nothing but its rule.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <waggle/decisions.h>
#include <waggle/types.h>

namespace waggle {

enum class ResolveBy : std::uint8_t {
  kLww,
  kQuorum,
  kKeep,
  kFww,
  kVector,
  kMerge,
  kManual,
  kCustom
};

// With kMerge. Ours is what stands, theirs the write or offer that comes in.
struct MergeSettings {
  enum class Favor : std::uint8_t { kOtherwise, kOurs, kTheirs };
  bool by_token = false;            // texts; else by line
  bool unite = false;               // of texts and arrays that both changed: both
  Favor favor = Favor::kOtherwise;  // where both changed the same: as the next strategy says, or
  bool add_numbers = false;         // whole numbers of JSON that both changed add up
  // Arrays of JSON objects that are told apart by a member, by pointer (RFC 6901); "*" is any item:
  // {"/tasks", "id"}, {"/tasks/*/steps", "name"}.
  std::map<std::string, std::string> array_keys = {};
};

struct ResolverRule {
  ResolveBy strategy = ResolveBy::kLww;
  ResolveBy otherwise = ResolveBy::kKeep;  // where `strategy` can't decide; not kQuorum itself
  ResolveBy at_last = ResolveBy::kKeep;    // where `otherwise` can't either
  std::uint32_t quorum_permille = 510;     // of the roster's votes: 501..1000
  std::map<std::string, std::uint32_t> weights = {};  // votes of an agent; 1 where it isn't named
  std::chrono::milliseconds conflict_window{0};  // stamps no further apart don't say which is later
  std::uint32_t coverage_permille = 0;  // with kQuorum: of the votes that must have answered
  std::string merger = {};              // with kCustom: its name
  MergeSettings merge = {};
};

struct CandidateValue {
  std::string agent;
  std::string bytes;
  ContentKind content = ContentKind::kText;
  std::uint64_t stamp_millis = 0;  // hybrid logical clock: wall milliseconds and a counter
  std::uint16_t stamp_count = 0;
  std::uint64_t version = 0;  // of the committed one: its version; of an offer: what it is based on
  std::optional<std::string> based_on = {};  // of an offer, for kMerge: the value of that version
};

struct Resolution {
  SyncOutcome outcome = SyncOutcome::kUnchanged;
  std::optional<std::size_t> winner;  // index of the offer whose value holds now; empty: the
                                      // committed value stands
  std::optional<std::string> made;    // the value, where it is nobody's offer but made of them
  bool changes = false;               // the outcome differs from what stands
  std::string rule;                   // as the receipt names it: "lww", "quorum(510)"
};

class ConflictResolver {
 public:
  // Failures: kRejected for a rule that contradicts itself, and for a merger that breaks a law.
  [[nodiscard]] static Expected<ConflictResolver> make(
      const ResolverRule& rule, const std::vector<CustomMerger>& mergers = {});

  // `same`: members that hold the committed value and offer nothing; `roster`: members in all, at
  // least the offers and `same` together. At most one offer an agent.
  // Failures: kRejected for numbers that contradict each other.
  [[nodiscard]] Expected<Resolution> resolve(const std::optional<CandidateValue>& committed,
                                             const std::vector<CandidateValue>& offers,
                                             std::uint32_t same, std::uint32_t roster) const;

 private:
  struct Parts;
  explicit ConflictResolver(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace waggle
