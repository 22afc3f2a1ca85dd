// `waggle delta`: what changed since a cursor, pulled once.

#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"

namespace waggle::cli {
namespace {

constexpr std::size_t kPreviewBytes = 60;

}  // namespace

int delta(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto since = (*client)->parse_cursor(line.follow.cursor);
  if (!since) return fail_usage("--since: " + since.error().text, line.json);
  auto found =
      (*client)->delta(*since, line.follow.prefix, line.follow.or_snapshot, config.timeout_millis);
  if (!found) return fail(found.error(), line.json);
  std::stable_sort(
      found->changes.begin(), found->changes.end(),
      [](const Change& a, const Change& b) { return a.record->version < b.record->version; });
  if (line.json) {
    Json out;
    out.set("from", to_text(found->from)).set("to", to_text(found->to));
    out.set("snapshot", found->snapshot).set("reset", found->reset);
    if (!found->text.empty()) out.set("text", found->text);
    out.set("bytes", found->bytes);
    Json changes{Json::Array{}};
    for (const Change& change : found->changes) changes.push(change_json(change));
    out.set("changes", std::move(changes));
    if (!print_json(out)) return kExitFailure;
    return found->reset ? exit_code(Code::kStale) : kExitDone;
  }
  if (found->reset)
    return fail(
        {Code::kStale, fmt::format("there is no delta from {}: {}. Take the whole state with "
                                   "--or-snapshot",
                                   to_text(*since), found->text)},
        false);
  if (found->snapshot && since->revision)
    say(fmt::format("there is no delta from {}, this is the whole state", to_text(*since)));
  std::vector<std::vector<std::string>> rows = {{"VERSION", "KEY", "TYPE", "VALUE"}};
  for (const Change& change : found->changes) {
    const Record& record = *change.record;
    rows.push_back({std::to_string(record.version.value()), printable(change.key.value()),
                    record.live() ? std::string(type_word(*record.value)) : "deleted",
                    record.live() ? preview(*record.value, kPreviewBytes) : std::string()});
  }
  if (rows.size() > 1 && !print(table(rows))) return kExitFailure;
  say(fmt::format("{}, {}, up to {}", counted(found->changes.size(), "change"),
                  size_text(found->bytes), to_text(found->to)));
  return kExitDone;
}

}  // namespace waggle::cli
