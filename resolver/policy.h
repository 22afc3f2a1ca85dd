#pragma once

// Rules for keys that begin with a prefix. The longest prefix that fits a key is its policy; the
// empty prefix is the default, and exists always.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/message.h"
#include "base/status.h"
#include "base/value.h"
#include "consensus/quorum.h"

namespace waggle {

// How concurrent values of a register are settled. Counters and sets always merge by type. The
// strategies `vector`, `merge`, `manual` and `custom` are kept for the full resolver.
enum class Strategy : std::uint8_t {
  kLww,     // the greater (HLC, agent id) wins, the other is told
  kQuorum,  // in a round: what at least the threshold of the roster holds; else `otherwise`
  kKeep,    // the committed value stays
};
[[nodiscard]] std::string_view to_text(Strategy strategy);
[[nodiscard]] Result<Strategy> strategy_of(std::string_view text);

// What becomes of a write of an absent key when its writer had seen a state older than the floor,
// so that nobody knows any more whether the key was deleted meanwhile.
enum class LateWrite : std::uint8_t { kConflict, kApply };

struct Policy {
  std::string prefix;
  std::optional<ValueType> type;  // fixed for all keys of the prefix
  Strategy strategy = Strategy::kLww;
  Strategy otherwise = Strategy::kKeep;  // of `quorum`; not quorum itself
  Threshold quorum;
  std::optional<std::int64_t> timeout_millis;  // of a round; the longest of its keys counts
  std::optional<Priority> priority;
  LateWrite late_write = LateWrite::kConflict;
  std::optional<std::uint64_t> elements_max;  // of a set, map, list or text (its units)
};

class Policies {
 public:
  Policies();
  // Errors: kRejected for a prefix given twice, or a rule that contradicts itself.
  [[nodiscard]] Status add(Policy policy);
  [[nodiscard]] const Policy& of(std::string_view key) const;

 private:
  std::map<std::string, Policy, std::less<>> by_prefix_;
  bool default_given_ = false;
};

}  // namespace waggle
