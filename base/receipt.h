#pragma once

// What a rule chose from, when it chose among two or more concurrent inputs: so that a choice can
// be explained and, as long as its inputs are retained, made again. The receipts of a key form a
// hash chain (resolver/receipt.h).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/small_types.h"

namespace waggle {

struct ReceiptInput {
  AgentId agent;
  Revision version;  // the committed version, or the version an offer was based on
  Hlc hlc;
  Hash128 content;
  bool committed = false;    // the value that stood
  bool ancestor = false;     // what both sides began with, of a three-way merge; not a candidate
  std::uint32_t weight = 0;  // of its votes, where a quorum counted them
  std::optional<Register> value;  // kept up to limits::kReceiptValueBytes, to run the rule again
  friend bool operator==(const ReceiptInput&, const ReceiptInput&) = default;
};
struct Receipt {
  Key key;
  Revision version;  // of the key after the choice
  RoundId round;     // 0: chosen at a mutation
  std::string rule;  // with its parameters: "lww", "quorum(510)"
  std::vector<ReceiptInput> inputs;
  Hash128 output;
  ChainHash previous{};
  std::int64_t wall_millis = 0;
  std::uint64_t electorate = 0;  // votes of the roster, where a quorum counted them
  friend bool operator==(const Receipt&, const Receipt&) = default;
};
struct ReceiptRow {
  SwarmId swarm;
  Revision at;              // the head when it was made
  std::uint32_t index = 0;  // its number among the key's receipts, from 0
  Receipt receipt;
  std::uint32_t keep = 0;  // so many of the key stay, the newest, this one too; 0: all
};

// Where a scan of receipts goes on.
struct ReceiptPlace {
  Key key;
  Revision at;
  std::uint32_t index = 0;
  friend auto operator<=>(const ReceiptPlace&, const ReceiptPlace&) = default;
};
// A page of a swarm's receipts, in an order that does not change: of one key oldest first.
struct ReceiptScan {
  SwarmId swarm;
  Key key;  // empty: of all keys
  std::optional<ReceiptPlace> after;
  std::size_t limit = 0;
};

}  // namespace waggle
