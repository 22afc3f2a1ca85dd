#pragma once

// What was decided among concurrent values, and what waits for a person: receipts and parked
// conflicts, as `waggle receipt` and `waggle conflict` show them. See docs/types.md.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/types.h>

namespace waggle {

// ---- custom mergers ----------------------------------------------------------------------------

// For the strategy kCustom: a join of two values. It is tried at registration, with random values
// made of the samples, and refused with the case when it is not deterministic, commutative,
// associative and idempotent, or throws. At least two different samples, of the values as they will
// be. A failure hands over to the next strategy of the rule.
struct CustomMerger {
  std::string name;
  std::function<Expected<std::string>(std::string_view a, std::string_view b)> join;
  std::vector<std::string> samples;
};

// ---- conflicts that wait -----------------------------------------------------------------------

struct RegisterValue {
  ContentKind content = ContentKind::kText;
  std::string bytes;
  friend bool operator==(const RegisterValue&, const RegisterValue&) = default;
};
struct CompetingSide {
  std::string agent;
  std::uint64_t version = 0;           // of the first: the key's; of the others: what they had seen
  std::int64_t stamp_millis = 0;       // when it was written, by its writer's clock; 0: not known
  std::optional<RegisterValue> value;  // empty: the key absent, or deleted
};
struct WaitingConflict {
  std::uint64_t number = 0;
  std::string key;
  std::string kind;  // "concurrent_update", "delete_update", ...
  std::int64_t parked_millis = 0;
  std::uint64_t round = 0;                // 0: parked at a write
  std::vector<CompetingSide> sides;       // the first is what stands
  std::optional<RegisterValue> ancestor;  // what all began from, where that is known
};
// How a conflict is settled: by a side, by another value, or by leaving what stands.
struct ConflictChoice {
  std::optional<std::size_t> side = {};
  std::optional<RegisterValue> value = {};  // neither: what stands stays
  // The version of the key that is replaced; empty: that of the first side. Where the key has
  // another by now, the outcome is the conflict "version_mismatch".
  std::optional<std::uint64_t> at_version = {};
};
// All sides in one value. Failures: kConflict where two of them changed the same, with the place;
// or where a side is a deletion.
[[nodiscard]] Expected<RegisterValue> merged(const WaitingConflict& conflict);

// ---- receipts ----------------------------------------------------------------------------------

struct ReceiptSource {
  std::string agent;
  std::uint64_t version = 0;
  std::int64_t stamp_millis = 0;
  std::string hash;        // of the value, 32 hexadecimal digits
  bool committed = false;  // the value that stood
  bool ancestor = false;   // what both sides of a merge began with; not a candidate
  std::uint32_t votes = 0;
  std::optional<RegisterValue> value;  // kept up to 4 KiB
};
// Why a key has the value that it has, when a rule chose among several.
struct ChoiceReceipt {
  std::string key;
  std::uint64_t version = 0;  // of the key after the choice
  std::uint64_t round = 0;    // 0: chosen at a write
  std::string rule;           // with its parameters: "lww", "quorum(510)"
  std::vector<ReceiptSource> sources;
  std::string output;    // the hash of the value that was chosen
  std::string hash;      // of this receipt, 64 hexadecimal digits
  std::string previous;  // of the key's receipt before it
  std::int64_t decided_millis = 0;
  std::string encoded;  // the whole receipt, to be kept and verified later
};

enum class ReceiptVerdict : std::uint8_t {
  kHolds,       // the rule gives the recorded output
  kNotRun,      // linked, but what the rule needs is not retained, or it was a person's choice
  kDiffers,     // the rule gives another output
  kBrokenLink,  // it does not name the receipt before it: one is missing, or was changed
};
[[nodiscard]] std::string_view name_of(ReceiptVerdict verdict);
struct CheckedReceipts {
  struct One {
    ReceiptVerdict verdict = ReceiptVerdict::kHolds;
    std::string text;  // why, where it is not kHolds
  };
  std::vector<One> receipts;
  bool ends_at_head = true;
  bool sound = false;  // nothing differs, no link is broken, it ends at the head
};
// Runs the rules of a key's receipts again, oldest first; needs no coordinator. `encoded`: of
// ChoiceReceipt. `head`: StateItem::receipt of the key; empty: the end is not checked. `mergers`:
// for rules that name one. Failures: kRejected for what is no receipt; of a merger, as at
// registration.
[[nodiscard]] Expected<CheckedReceipts> verify_receipts(
    const std::vector<std::string>& encoded, const std::string& head = {},
    const std::vector<CustomMerger>& mergers = {});

}  // namespace waggle
