// `waggle receipt ls|show|verify` and `waggle what-if`.

#include "resolver/receipt.h"

#include <map>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "resolver/replay.h"

namespace waggle::cli {
namespace {

constexpr std::size_t kPreviewBytes = 48;

// All receipts of a key, or with an empty one of the swarm, page by page.
Result<std::vector<ReceiptRow>> fetch(RequestClient& client, const std::string& key,
                                      std::int64_t timeout_millis) {
  std::vector<ReceiptRow> all;
  ReceiptsQuery ask{Key(key), {}, 0};
  while (true) {
    Result<QueryResult> page = client.query(ask, timeout_millis);
    if (!page) return std::unexpected(page.error());
    for (ReceiptRow& row : page->receipts) all.push_back(std::move(row));
    if (!page->more || page->receipts.empty()) return all;
    const ReceiptRow& last = all.back();
    ask.after = ReceiptPlace{last.receipt.key, last.at, last.index};
  }
}

Json input_json(const ReceiptInput& input) {
  Json out;
  out.set("agent", input.agent.value()).set("version", input.version.value());
  out.set("stamp", wall_text(static_cast<std::int64_t>(input.hlc.millis())));
  out.set("hash", to_hex(input.content)).set("committed", input.committed);
  if (input.ancestor) out.set("ancestor", true);
  if (input.weight != 0) out.set("votes", input.weight);
  if (input.value) add_value(out, Value(*input.value));
  return out;
}

Json receipt_json(const ReceiptRow& row) {
  const Receipt& receipt = row.receipt;
  Json out;
  out.set("key", receipt.key.value()).set("number", row.index).set("at", row.at.value());
  out.set("version", receipt.version.value()).set("rule", receipt.rule);
  if (receipt.round) out.set("round", to_hex(receipt.round.value()));
  out.set("decided_at", wall_text(receipt.wall_millis));
  if (receipt.electorate != 0) out.set("electorate", receipt.electorate);
  Json inputs{Json::Array{}};
  for (const ReceiptInput& input : receipt.inputs) inputs.push(input_json(input));
  out.set("inputs", std::move(inputs)).set("output", to_hex(receipt.output));
  return out.set("hash", to_hex(hash_of(receipt))).set("previous", to_hex(receipt.previous));
}

std::string who_won(const Receipt& receipt) {
  for (const ReceiptInput& input : receipt.inputs)
    if (!input.ancestor && input.content == receipt.output) return writer_word(input.agent);
  return "(made of them)";
}

int list(const CommandLine& line, const std::vector<ReceiptRow>& receipts) {
  if (line.json) {
    Json all{Json::Array{}};
    for (const ReceiptRow& row : receipts) all.push(receipt_json(row));
    Json out;
    return print_json(out.set("receipts", std::move(all))) ? kExitDone : kExitFailure;
  }
  std::vector<std::vector<std::string>> rows = {
      {"KEY", "NUMBER", "VERSION", "DECIDED", "RULE", "INPUTS", "STANDS"}};
  for (const ReceiptRow& row : receipts)
    rows.push_back({printable(row.receipt.key.value(), 64), std::to_string(row.index),
                    std::to_string(row.receipt.version.value()), wall_text(row.receipt.wall_millis),
                    row.receipt.rule, std::to_string(row.receipt.inputs.size()),
                    who_won(row.receipt)});
  return print(table(rows)) ? kExitDone : kExitFailure;
}

int show(const CommandLine& line, const std::vector<ReceiptRow>& receipts) {
  std::string text;
  for (const ReceiptRow& row : receipts) {
    if (line.json) {
      if (!print_json(receipt_json(row))) return kExitFailure;
      continue;
    }
    const Receipt& receipt = row.receipt;
    text += fmt::format("receipt {} of '{}': {} at version {}, {}\n", row.index,
                        printable(receipt.key.value(), 128), receipt.rule, receipt.version.value(),
                        wall_text(receipt.wall_millis));
    std::vector<std::vector<std::string>> rows = {{"INPUT", "BY", "VERSION", "STAMP", "VALUE"}};
    for (const ReceiptInput& input : receipt.inputs)
      rows.push_back(
          {input.ancestor    ? "ancestor"
           : input.committed ? "committed"
                             : "write",
           writer_word(input.agent), std::to_string(input.version.value()),
           wall_text(static_cast<std::int64_t>(input.hlc.millis())),
           (input.value                  ? preview(Value(*input.value), kPreviewBytes)
            : input.content == Hash128() ? std::string("(absent)")
                                         : "(" + to_hex(input.content).substr(0, 12) + ")") +
               (input.content == receipt.output && !input.ancestor ? "  <- stands" : "")});
    text += table(rows);
  }
  return line.json || print(text) ? kExitDone : kExitFailure;
}

int check(const CommandLine& line, const Config& config, RequestClient& client,
          const std::vector<ReceiptRow>& receipts) {
  const Result<QueryResult> read =
      client.query(GetQuery{{Key(line.receipt.key)}, {}}, config.timeout_millis);
  if (!read) return fail(read.error(), line.json);
  std::optional<ChainHash> head;
  if (!read->changes.empty() && read->changes.front().record)
    head = read->changes.front().record->receipt;
  std::vector<Receipt> chain;
  for (const ReceiptRow& row : receipts) chain.push_back(row.receipt);
  const CheckedChain checked = verify(chain, head, config.policies);
  Json all{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {{"NUMBER", "VERSION", "RULE", "RESULT"}};
  std::size_t held = 0;
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    const CheckedReceipt& one = checked.receipts[i];
    held += one.verified == Verified::kHolds ? 1 : 0;
    Json item;
    item.set("number", receipts[i].index).set("version", receipts[i].receipt.version.value());
    item.set("rule", receipts[i].receipt.rule).set("result", to_text(one.verified));
    if (!one.text.empty()) item.set("text", one.text);
    all.push(std::move(item));
    rows.push_back(
        {std::to_string(receipts[i].index), std::to_string(receipts[i].receipt.version.value()),
         receipts[i].receipt.rule,
         std::string(to_text(one.verified)) + (one.text.empty() ? "" : ": " + one.text)});
  }
  const int exit = checked.sound() ? kExitDone : exit_code(Code::kCorrupt);
  if (line.json) {
    Json out;
    out.set("key", line.receipt.key).set("sound", checked.sound());
    out.set("ends_at_head", checked.ends_at_head).set("receipts", std::move(all));
    return print_json(out) ? exit : kExitFailure;
  }
  if (!print(table(rows))) return kExitFailure;
  say(fmt::format("{} of {} were run again and hold; the chain {}", held, receipts.size(),
                  !checked.ends_at_head ? "does not end where the key's record says"
                  : checked.sound()     ? "is whole"
                                        : "is NOT sound"));
  return exit;
}

}  // namespace

int receipt(const CommandLine& line, const Config& config) {
  if (line.verb != Verb::kReceiptList || !line.receipt.key.empty())
    if (const Status shape = check_key(line.receipt.key); !shape)
      return fail_usage(shape.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto receipts = fetch(**client, line.receipt.key, config.timeout_millis);
  if (!receipts) return fail(receipts.error(), line.json);
  if (receipts->empty() && !line.receipt.key.empty())
    return fail({Code::kNotFound,
                 fmt::format("'{}' has no receipts: nothing was ever chosen among values of it",
                             printable(line.receipt.key, 128))},
                line.json);
  switch (line.verb) {
    case Verb::kReceiptList:
      return list(line, *receipts);
    case Verb::kReceiptShow:
      return show(line, *receipts);
    default:
      return check(line, config, **client, *receipts);
  }
}

int what_if(const CommandLine& line, const Config& config) {
  const Result<Config> other = load_config(std::optional(line.receipt.policy));
  if (!other) return fail_usage(other.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto receipts = fetch(**client, {}, config.timeout_millis);
  if (!receipts) return fail(receipts.error(), line.json);

  std::size_t looked_at = 0;
  std::size_t unknown = 0;
  Json all{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {
      {"KEY", "VERSION", "WAS", "WOULD BE", "STANDS", "WOULD STAND"}};
  for (const ReceiptRow& row : *receipts) {
    const Receipt& was = row.receipt;
    if (row.at.value() < line.receipt.since || !policy_of_rule(was.rule)) continue;
    ++looked_at;
    const Replay would = replay(was, other->policies.of(was.key.value()), other->policies);
    if (!would.output) {
      ++unknown;
      continue;
    }
    if (*would.output == was.output && !would.parked) continue;
    std::string stands = "(made of them)";
    for (const ReceiptInput& input : was.inputs)
      if (!input.ancestor && input.content == *would.output) stands = writer_word(input.agent);
    Json one;
    one.set("key", was.key.value()).set("version", was.version.value()).set("rule", was.rule);
    one.set("would", would.rule).set("parked", would.parked);
    one.set("output", to_hex(was.output)).set("would_output", to_hex(*would.output));
    all.push(std::move(one));
    rows.push_back({printable(was.key.value(), 64), std::to_string(was.version.value()), was.rule,
                    would.rule, who_won(was), would.parked ? "parked, " + stands : stands});
  }
  if (line.json) {
    Json out;
    out.set("looked_at", looked_at).set("changed", rows.size() - 1).set("unknown", unknown);
    return print_json(out.set("changes", std::move(all))) ? kExitDone : kExitFailure;
  }
  if (rows.size() > 1 && !print(table(rows))) return kExitFailure;
  say(
      fmt::format("{} of {} choices would come out another way; of {} it can't be said, since "
                  "what that takes is not in their receipts",
                  rows.size() - 1, looked_at, unknown));
  return kExitDone;
}

}  // namespace waggle::cli
