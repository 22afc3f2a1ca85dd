#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <waggle/decisions.h>

#include "base/conflict.h"
#include "base/shape.h"
#include "capnp/records.h"
#include "include/lib/convert.h"
#include "include/lib/key_rule.h"
#include "include/lib/synchronizer_parts.h"
#include "resolver/receipt.h"
#include "resolver/replay.h"
#include "resolver/three_way.h"

namespace waggle {
namespace {

std::optional<RegisterValue> to_value(const std::optional<Register>& value) {
  if (!value) return std::nullopt;
  return RegisterValue{static_cast<ContentKind>(value->content), value->bytes};
}
std::optional<Register> to_register(const std::optional<RegisterValue>& value) {
  if (!value) return std::nullopt;
  return Register{static_cast<ContentType>(value->content), value->bytes};
}

WaitingConflict to_waiting(const ParkedConflict& parked) {
  WaitingConflict waiting{.number = parked.id.value(),
                          .key = parked.key.value(),
                          .kind = std::string(to_text(parked.kind)),
                          .parked_millis = parked.parked_wall_millis,
                          .round = parked.round.value(),
                          .sides = {},
                          .ancestor = to_value(parked.ancestor)};
  for (const ConflictSide& side : parked.sides)
    waiting.sides.push_back({.agent = side.agent.value(),
                             .version = side.version.value(),
                             .stamp_millis = static_cast<std::int64_t>(side.hlc.millis()),
                             .value = to_value(side.value)});
  return waiting;
}

ChoiceReceipt to_choice(const Receipt& receipt) {
  ChoiceReceipt choice{.key = receipt.key.value(),
                       .version = receipt.version.value(),
                       .round = receipt.round.value(),
                       .rule = receipt.rule,
                       .sources = {},
                       .output = to_hex(receipt.output),
                       .hash = to_hex(hash_of(receipt)),
                       .previous = to_hex(receipt.previous),
                       .decided_millis = receipt.wall_millis,
                       .encoded = encode_stored(receipt)};
  for (const ReceiptInput& input : receipt.inputs)
    choice.sources.push_back({.agent = input.agent.value(),
                              .version = input.version.value(),
                              .stamp_millis = static_cast<std::int64_t>(input.hlc.millis()),
                              .hash = to_hex(input.content),
                              .committed = input.committed,
                              .ancestor = input.ancestor,
                              .votes = input.weight,
                              .value = to_value(input.value)});
  return choice;
}

Result<std::optional<ChainHash>> head_of(const std::string& text) {
  if (text.empty()) return std::optional<ChainHash>();
  ChainHash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const char* at = text.data() + 2 * i;
    if (text.size() != 2 * hash.size() || std::from_chars(at, at + 2, hash[i], 16).ptr != at + 2)
      return failed(Code::kRejected, "the head of a chain: expected 64 hexadecimal digits");
  }
  return std::optional(hash);
}

}  // namespace

Expected<RegisterValue> merged(const WaitingConflict& conflict) {
  ParkedConflict parked;
  parked.ancestor = to_register(conflict.ancestor);
  for (const CompetingSide& side : conflict.sides) {
    parked.sides.emplace_back();
    parked.sides.back().value = to_register(side.value);
  }
  if (parked.sides.empty()) return failure(StatusCode::kRejected, "a conflict without sides");
  Result<Register> value = merge_sides(parked);
  if (!value) return failure_of(value);
  return *to_value(*value);
}

static_assert(static_cast<int>(ReceiptVerdict::kBrokenLink) ==
              static_cast<int>(Verified::kBrokenLink));

std::string_view name_of(ReceiptVerdict verdict) {
  return to_text(static_cast<Verified>(verdict));
}

Expected<CheckedReceipts> verify_receipts(const std::vector<std::string>& encoded,
                                          const std::string& head,
                                          const std::vector<CustomMerger>& mergers) {
  Policies policies;
  if (Status added = add_mergers(mergers, policies); !added) return failure_of(added);
  const Result<std::optional<ChainHash>> end = head_of(head);
  if (!end) return std::unexpected(to_failure(end.error()));
  std::vector<Receipt> chain;
  for (const std::string& bytes : encoded) {
    Result<Receipt> receipt = decode_stored<Receipt>(bytes);
    if (!receipt)
      return failure(StatusCode::kRejected,
                     fmt::format("receipt {}: {}", chain.size(), receipt.error().text));
    chain.push_back(*std::move(receipt));
  }
  const CheckedChain checked = verify(chain, *end, policies);
  CheckedReceipts result;
  result.ends_at_head = checked.ends_at_head;
  result.sound = checked.sound();
  for (const CheckedReceipt& one : checked.receipts)
    result.receipts.push_back({static_cast<ReceiptVerdict>(one.verified), one.text});
  return result;
}

// ---- what a synchronizer knows -----------------------------------------------------------------

Expected<std::vector<WaitingConflict>> StateSynchronizer::conflicts(const std::string& swarm,
                                                                    const std::string& pattern) {
  return parts_->with_client<std::vector<WaitingConflict>>(
      swarm, "conflicts()", [&](RequestClient& client) -> Result<std::vector<WaitingConflict>> {
        std::vector<WaitingConflict> all;
        ConflictsQuery ask{pattern == "*" ? std::string() : pattern, {}, {}};
        while (true) {
          Result<QueryResult> page = client.query(ask, kAnswerMillis);
          if (!page) return std::unexpected(std::move(page.error()));
          for (const ParkedConflict& one : page->conflicts) {
            all.push_back(to_waiting(one));
            ask.after = one.id;
          }
          if (!page->more || page->conflicts.empty()) return all;
        }
      });
}

Expected<WriteResult> StateSynchronizer::settle(const std::string& swarm,
                                                const WaitingConflict& conflict,
                                                const ConflictChoice& choice) {
  if (choice.side && choice.value)
    return failure(StatusCode::kRejected,
                   "a choice: expected a side, a value or neither, got both");
  SettleOp op;
  op.conflict = ConflictId(conflict.number);
  if (choice.side) {
    op.how = Settle::kSide;
    op.side = static_cast<std::uint32_t>(std::min<std::size_t>(*choice.side, UINT32_MAX));
  } else if (choice.value) {
    op.how = Settle::kValue;
    op.value = *to_register(choice.value);
  }
  Entry entry{Key(conflict.key), {}, std::move(op), {}};
  if (choice.side || choice.value) {
    if (conflict.sides.empty()) return failure(StatusCode::kRejected, "a conflict without sides");
    const CompetingSide& stood = conflict.sides.front();
    entry.expect =
        ExpectVersion{Revision(choice.at_version.value_or(stood.value ? stood.version : 0))};
  }
  if (const Status shape = check_entry(entry); !shape)
    return std::unexpected(to_failure(shape.error()));
  const Expected<Outcome> outcome = parts_->with_client<Outcome>(
      swarm, "settle()",
      [&](RequestClient& client) { return client.write({entry}, kAnswerMillis); });
  if (!outcome) return std::unexpected(outcome.error());
  return to_result(*outcome);
}

Expected<std::vector<ChoiceReceipt>> StateSynchronizer::receipts(const std::string& swarm,
                                                                 const std::string& key) {
  return parts_->with_client<std::vector<ChoiceReceipt>>(
      swarm, "receipts()", [&](RequestClient& client) -> Result<std::vector<ChoiceReceipt>> {
        std::vector<ChoiceReceipt> all;
        ReceiptsQuery ask{Key(key), {}, 0};
        while (true) {
          Result<QueryResult> page = client.query(ask, kAnswerMillis);
          if (!page) return std::unexpected(std::move(page.error()));
          for (const ReceiptRow& row : page->receipts) {
            all.push_back(to_choice(row.receipt));
            ask.after = ReceiptPlace{row.receipt.key, row.at, row.index};
          }
          if (!page->more || page->receipts.empty()) return all;
        }
      });
}

}  // namespace waggle
