// `waggle conflict ls|show|diff|resolve`: what waits for a person, and how a person settles it.

#include "base/conflict.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "resolver/diff3.h"
#include "resolver/json_merge.h"
#include "resolver/three_way.h"

namespace waggle::cli {
namespace {

constexpr std::size_t kPreviewBytes = 60;

std::string text_of(ConflictId id) {
  return fmt::format("C{}", id.value());
}

// "C12" or "12".
Result<ConflictId> id_of(std::string_view text) {
  const std::string_view digits = text.starts_with('C') ? text.substr(1) : text;
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || at != end || number == 0 || number > limits::kNumberMax)
    return failed(Code::kRejected,
                  fmt::format("expected a conflict such as C12, got '{}'; see waggle conflict ls",
                              printable(text, 64)));
  return ConflictId(number);
}

Json side_json(const ParkedConflict& conflict, std::size_t place) {
  const ConflictSide& side = conflict.sides[place];
  Json out;
  out.set("side", side_name(place)).set("committed", place == 0);
  out.set("agent", side.agent.value()).set("version", side.version.value());
  if (side.hlc.bits != 0)
    out.set("written_at", wall_text(static_cast<std::int64_t>(side.hlc.millis())));
  out.set("exists", side.value.has_value());
  if (side.value) add_value(out, Value(*side.value));
  return out;
}

Json conflict_json(const ParkedConflict& conflict) {
  Json out;
  out.set("conflict", text_of(conflict.id)).set("key", conflict.key.value());
  out.set("kind", to_text(conflict.kind)).set("parked_at", wall_text(conflict.parked_wall_millis));
  if (conflict.round) out.set("round", to_hex(conflict.round.value()));
  Json sides{Json::Array{}};
  for (std::size_t i = 0; i < conflict.sides.size(); ++i) sides.push(side_json(conflict, i));
  if (conflict.ancestor) {
    Json ancestor;
    add_value(ancestor, Value(*conflict.ancestor));
    out.set("ancestor", std::move(ancestor));
  }
  return out.set("sides", std::move(sides));
}

// Of the key when it was parked; 0: it was absent.
Revision shown_version(const ParkedConflict& conflict) {
  const ConflictSide& stood = conflict.sides.front();
  return stood.value ? stood.version : Revision();
}

std::string shown(const std::optional<Register>& value, std::size_t bytes_max) {
  return value ? preview(Value(*value), bytes_max) : "(absent)";
}

Result<ParkedConflict> fetch(RequestClient& client, ConflictId id, std::int64_t timeout_millis) {
  Result<QueryResult> found = client.query(ConflictsQuery{{}, id, {}}, timeout_millis);
  if (!found) return std::unexpected(found.error());
  if (found->conflicts.empty())
    return failed(Code::kInternal, "the coordinator's answer names no conflict");
  return std::move(found->conflicts.front());
}

int list(const CommandLine& line, const Config& config, RequestClient& client) {
  ConflictsQuery ask{line.conflict.glob, {}, {}};
  Json all{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {
      {"CONFLICT", "KEY", "KIND", "SIDES", "PARKED", "STANDS"}};
  while (true) {
    const Result<QueryResult> found = client.query(ask, config.timeout_millis);
    if (!found) return fail(found.error(), line.json);
    for (const ParkedConflict& one : found->conflicts) {
      all.push(conflict_json(one));
      rows.push_back({text_of(one.id), printable(one.key.value(), 64),
                      std::string(to_text(one.kind)), std::to_string(one.sides.size()),
                      wall_text(one.parked_wall_millis),
                      shown(one.sides.front().value, kPreviewBytes)});
      ask.after = one.id;
    }
    if (!found->more || found->conflicts.empty()) break;
  }
  if (line.json) {
    Json out;
    out.set("conflicts", std::move(all));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (rows.size() == 1) {
    say(line.conflict.glob.empty()
            ? fmt::format("no conflict waits in swarm '{}'", config.swarm)
            : fmt::format("no conflict of keys that match '{}' waits in swarm '{}'",
                          printable(line.conflict.glob, 64), config.swarm));
    return kExitDone;
  }
  return print(table(rows)) ? kExitDone : kExitFailure;
}

// What the key has by now, where that is not what the conflict shows; empty: what it shows.
Result<std::string> moved_on(const Config& config, RequestClient& client,
                             const ParkedConflict& conflict) {
  const auto read = client.query(GetQuery{{conflict.key}, {}}, config.timeout_millis);
  if (!read) return std::unexpected(read.error());
  const RecordPtr record = read->changes.empty() ? nullptr : read->changes.front().record;
  const bool live = record && record->live();
  const Revision version = live ? record->version : Revision();
  if (version == shown_version(conflict)) return std::string();
  return fmt::format(
      "'{}' was {} since: {}, version {}; to settle it look at that and add "
      "--if-version {}\n",
      printable(conflict.key.value(), 128), live ? "written" : "deleted",
      live ? preview(*record->value, 2 * kPreviewBytes) : "(absent)", version.value(),
      version.value());
}

int show(const CommandLine& line, const Config& config, RequestClient& client,
         const ParkedConflict& conflict) {
  if (line.json) return print_json(conflict_json(conflict)) ? kExitDone : kExitFailure;
  const Result<std::string> moved = moved_on(config, client, conflict);
  if (!moved) return fail(moved.error(), false);
  std::string text = fmt::format("{} of '{}', {}, parked {}\n", text_of(conflict.id),
                                 printable(conflict.key.value(), 128), to_text(conflict.kind),
                                 wall_text(conflict.parked_wall_millis));
  std::vector<std::vector<std::string>> rows = {{"SIDE", "BY", "VERSION", "WRITTEN", "VALUE"}};
  for (std::size_t i = 0; i < conflict.sides.size(); ++i) {
    const ConflictSide& side = conflict.sides[i];
    rows.push_back(
        {side_name(i) + (i > 0            ? ""
                         : moved->empty() ? " (stands)"
                                          : " (stood)"),
         writer_word(side.agent), std::to_string(side.version.value()),
         side.hlc.bits == 0 ? "-" : wall_text(static_cast<std::int64_t>(side.hlc.millis())),
         shown(side.value, 2 * kPreviewBytes)});
  }
  text += table(rows);
  text += fmt::format("all began from: {}\n", conflict.ancestor
                                                  ? shown(conflict.ancestor, 2 * kPreviewBytes)
                                                  : "(not known, so they can't be merged)");
  text += *moved;
  text += fmt::format("settle it: waggle conflict resolve {} --take A|B|{}dismiss, or --value\n",
                      text_of(conflict.id), conflict.ancestor ? "merged|" : "");
  return print(text) ? kExitDone : kExitFailure;
}

std::string cell(const std::string& json) {
  return json.empty() ? "(absent)" : printable(json, kPreviewBytes);
}

// Where A and another side differ: JSON by path, text by line. With what both began from only where
// both changed it: the rest can be merged.
std::string difference(const Register& a, const Register& b, const std::string& name,
                       const std::optional<Register>& ancestor) {
  const bool json = a.content == ContentType::kJson && b.content == ContentType::kJson;
  const auto base = parse_json_document(ancestor && json ? ancestor->bytes : "{}");
  const auto first = parse_json_document(a.bytes);
  const auto second = parse_json_document(b.bytes);
  if (json && base && first && second) {
    std::vector<std::vector<std::string>> rows = {{"PATH", "A", name}};
    if (ancestor) rows.front().emplace_back("BEGAN FROM");
    for (const JsonConflict& one : merge_json(*base, *first, *second).conflicts) {
      rows.push_back(
          {printable(one.path.empty() ? "/" : one.path, 64), cell(one.ours), cell(one.theirs)});
      if (ancestor) rows.back().push_back(cell(one.base));
    }
    if (rows.size() > 1) return table(rows);
    return ancestor ? "no path was changed by both\n" : "no path has two different values\n";
  }
  TextMergeOptions options;
  options.ours_label = "A";
  options.theirs_label = name;
  const bool lines = ancestor && ancestor->content == ContentType::kText;
  std::string text =
      merge_text(lines ? ancestor->bytes : std::string(), a.bytes, b.bytes, options).text;
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

int diff(const CommandLine& line, const ParkedConflict& conflict) {
  const Register nothing{ContentType::kText, {}};
  std::string text;
  for (std::size_t i = 1; i < conflict.sides.size(); ++i)
    text += fmt::format(
        "A and {}, by {}:\n{}", side_name(i), writer_word(conflict.sides[i].agent),
        difference(conflict.sides[0].value.value_or(nothing),
                   conflict.sides[i].value.value_or(nothing), side_name(i), conflict.ancestor));
  if (!line.json) return print(text) ? kExitDone : kExitFailure;
  Json out = conflict_json(conflict);
  return print_json(out.set("diff", text)) ? kExitDone : kExitFailure;
}

Result<SettleOp> settlement_of(const CommandLine& line, const ParkedConflict& conflict) {
  SettleOp op;
  op.conflict = conflict.id;
  const std::string& take = line.conflict.take;
  if (line.conflict.value) {
    const std::string& given = *line.conflict.value;
    op.how = Settle::kValue;
    const ContentType usual = conflict.sides.front().value
                                  ? conflict.sides.front().value->content
                                  : (is_utf8(given) ? ContentType::kText : ContentType::kBytes);
    op.value = {usual, given};
    if (usual == ContentType::kJson) {
      const auto parsed = parse_json(given);
      if (!parsed) return failed(Code::kRejected, "the value is not JSON: " + parsed.error().text);
      op.value.bytes = parsed->canonical();
    }
    return op;
  }
  if (take == "dismiss") return op;
  if (take == "merged") {
    Result<Register> value = merge_sides(conflict);
    if (!value) return std::unexpected(value.error());
    op.how = Settle::kValue;
    op.value = *std::move(value);
    return op;
  }
  for (std::size_t i = 0; i < conflict.sides.size(); ++i)
    if (take == side_name(i)) {
      op.how = Settle::kSide;
      op.side = static_cast<std::uint32_t>(i);
      return op;
    }
  return failed(Code::kRejected,
                fmt::format("--take: expected A to {}, merged or dismiss, got '{}'; another value "
                            "stands behind --value",
                            side_name(conflict.sides.size() - 1), printable(take, 64)));
}

int settle(const CommandLine& line, const Config& config, RequestClient& client,
           const ParkedConflict& conflict) {
  Result<SettleOp> op = settlement_of(line, conflict);
  if (!op) return fail(op.error(), line.json);
  Entry entry{conflict.key, {}, *std::move(op), {}};
  // A value that nobody was shown is not replaced unawares.
  if (std::get<SettleOp>(entry.op).how != Settle::kDismiss)
    entry.expect = ExpectVersion{shown_version(conflict)};
  if (line.conflict.if_version) entry.expect = ExpectVersion{Revision(*line.conflict.if_version)};
  const Result<Outcome> outcome = client.write({std::move(entry)}, config.timeout_millis);
  if (!outcome) return fail(outcome.error(), line.json);
  if (line.json) {
    Json out;
    out.set("conflict", text_of(conflict.id)).set("key", conflict.key.value());
    add_outcome(out, *outcome);
    return print_json(out) ? exit_code(outcome->code) : kExitFailure;
  }
  if (exit_code(outcome->code) != 0) return fail({outcome->code, outcome->text}, false);
  return print_line(std::to_string(outcome->revision.value())) ? kExitDone : kExitFailure;
}

}  // namespace

int conflict(const CommandLine& line, const Config& config) {
  Result<ConflictId> id = ConflictId();
  if (line.verb != Verb::kConflictList) {
    id = id_of(line.conflict.id);
    if (!id) return fail_usage(id.error().text, line.json);
  }
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  if (line.verb == Verb::kConflictList) return list(line, config, **client);
  const Result<ParkedConflict> found = fetch(**client, *id, config.timeout_millis);
  if (!found) return fail(found.error(), line.json);
  switch (line.verb) {
    case Verb::kConflictShow:
      return show(line, config, **client, *found);
    case Verb::kConflictDiff:
      return diff(line, *found);
    default:
      return settle(line, config, **client, *found);
  }
}

}  // namespace waggle::cli
