// `waggle snapshot save|verify|info|restore`: backups of a coordinator's store in one file.

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "io/random.h"
#include "io/snapshot_socket.h"
#include "io/system_clock.h"
#include "memory/rocksdb_snapshot.h"
#include "memory/store_directory.h"
#include "resolver/receipt.h"

namespace waggle::cli {
namespace {

constexpr std::chrono::milliseconds kAgain{50};

// ---- saying what is in one ---------------------------------------------------------------------

// Of a whole check there is an audit too, which counted the keys.
Json summary_json(const std::string& file, const SnapshotSummary& summary, const RowAudit* audit) {
  Json out;
  out.set("file", file).set("bytes", summary.bytes).set("digest", to_hex(summary.digest));
  out.set("made", wall_text(summary.head.made_wall_millis)).set("program", summary.head.program);
  out.set("format", kSnapshotFormat).set("store_format", summary.head.store_format);
  out.set("epoch", to_hex(summary.head.epoch.value()));
  Json swarms{Json::Array{}};
  for (const SnapshotSwarm& swarm : summary.head.swarms) {
    Json one;
    one.set("swarm", swarm.swarm.value()).set("revision", swarm.head.value());
    one.set("floor", swarm.floor.value());
    one.set("digest", swarm.digest ? Json(to_hex(*swarm.digest)) : Json());
    if (audit != nullptr) one.set("keys", audit->swarms().at(swarm.swarm).keys);
    swarms.push(std::move(one));
  }
  out.set("swarms", std::move(swarms)).set("rows", summary.rows);
  Json families{Json::Array{}};
  for (const FamilyRows& family : summary.families) {
    Json one;
    families.push(one.set("family", family.family).set("rows", family.rows));
  }
  return out.set("families", std::move(families));
}

std::string swarm_table(const SnapshotSummary& summary, const RowAudit* audit) {
  if (summary.head.swarms.empty()) return "no swarm\n";
  std::vector<std::vector<std::string>> rows = {{"SWARM", "REVISION", "FLOOR", "KEYS", "DIGEST"}};
  for (const SnapshotSwarm& swarm : summary.head.swarms)
    rows.push_back({swarm.swarm.value(), std::to_string(swarm.head.value()),
                    std::to_string(swarm.floor.value()),
                    audit == nullptr ? "-" : std::to_string(audit->swarms().at(swarm.swarm).keys),
                    swarm.digest ? to_hex(*swarm.digest) : "-"});
  return table(rows);
}

std::string summary_text(const std::string& file, const SnapshotSummary& summary) {
  return fmt::format("{}: {}, {} of epoch {}, digest {}", file, size_text(summary.bytes),
                     counted(summary.head.swarms.size(), "swarm"),
                     to_hex(summary.head.epoch.value()), to_hex(summary.digest));
}

// ---- save --------------------------------------------------------------------------------------

// Of the store itself when nobody holds it, else of the process that does. A coordinator that is
// starting holds it before it answers, so both are tried until the time is over.
Status save_to(const std::string& directory, const SnapshotSink& sink, std::int64_t timeout_millis,
               bool& live) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_millis);
  bool began = false;
  const auto watched = [&](std::string_view bytes) {
    began = true;
    return sink(bytes);
  };
  while (true) {
    std::string holder;
    const SnapshotStamp stamp{WAGGLE_VERSION, SystemClock().now().wall_millis};
    live = false;
    const auto saved = save_store(directory, stamp, watched, holder);
    if (saved) return {};
    if (holder.empty()) return std::unexpected(saved.error());
    live = true;
    Status fetched = fetch_snapshot(directory, StoreDirectory::kSocket, watched);
    if (fetched || began || fetched.error().code != Code::kUnavailable) return fetched;
    if (std::chrono::steady_clock::now() >= until)
      return failed(Code::kUnavailable,
                    fmt::format("{}: is in use by {}, and it offers no snapshots ({}); stop it, or "
                                "update it",
                                directory, holder, fetched.error().text));
    std::this_thread::sleep_for(kAgain);
  }
}

int save_to_output(const CommandLine& line, const std::string& directory,
                   std::int64_t timeout_millis) {
  if (output_is_terminal())
    return fail_usage(
        "waggle snapshot save: a snapshot is no text; name a file, or a pipe behind -", line.json);
  bool live = false;
  const auto sink = [](std::string_view bytes) -> Status {
    if (print(bytes)) return {};
    return failed(Code::kUnavailable, "standard output can't be written");
  };
  const Status saved = save_to(directory, sink, timeout_millis, live);
  return saved ? kExitDone : fail(saved.error(), line.json);
}

// Checked before it gets its name: what is there under it can be restored.
int save(const CommandLine& line, const Config& config) {
  const std::string directory = store_directory(line, config);
  if (directory.empty()) return fail_usage(kNoStoreDirectory, line.json);
  const std::string& name = line.store.file;
  if (name == "-") return save_to_output(line, directory, config.timeout_millis);
  SnapshotFile file;
  if (Status opened = file.open(name, line.store.force); !opened)
    return fail(opened.error(), line.json);
  bool live = false;
  const auto sink = [&](std::string_view bytes) { return file.write(bytes); };
  if (Status saved = save_to(directory, sink, config.timeout_millis, live); !saved)
    return fail(saved.error(), line.json);
  const Result<CheckedSnapshot> checked = check_snapshot(file.part());
  if (!checked)
    return fail({checked.error().code, fmt::format("'{}' was read, and what it holds is not whole: "
                                                   "{}; see waggle doctor --store {}",
                                                   directory, checked.error().text, directory)},
                line.json);
  if (Status done = file.finish(); !done) return fail(done.error(), line.json);
  if (line.json) {
    Json out = summary_json(name, checked->summary, &checked->audit);
    return print_json(out.set("live", live)) ? kExitDone : kExitFailure;
  }
  return print_line("saved " + summary_text(name, checked->summary)) ? kExitDone : kExitFailure;
}

// ---- verify, info ------------------------------------------------------------------------------

int verify(const CommandLine& line) {
  const std::string& name = line.store.file;
  const Result<CheckedSnapshot> checked = check_snapshot(name);
  if (!checked) return fail(checked.error(), line.json);
  if (line.json) {
    Json out = summary_json(name, checked->summary, &checked->audit);
    return print_json(out.set("ok", true)) ? kExitDone : kExitFailure;
  }
  return print_line("whole: " + summary_text(name, checked->summary)) ? kExitDone : kExitFailure;
}

int info(const CommandLine& line) {
  const std::string& name = line.store.file;
  SnapshotInput input;
  if (Status opened = input.open(name); !opened) return fail(opened.error(), line.json);
  SnapshotReader reader(name, input.source());
  if (const auto head = reader.begin(); !head) return fail(head.error(), line.json);
  Result<bool> more = true;
  while (more && *more) more = reader.next([](auto, auto, auto) { return Status(); });
  if (!more) return fail(more.error(), line.json);
  const SnapshotSummary& summary = reader.summary();
  if (line.json) return print_json(summary_json(name, summary, nullptr)) ? kExitDone : kExitFailure;
  std::string text = summary_text(name, summary) + '\n';
  text += fmt::format("made {} by waggle {}, store format {}\n",
                      wall_text(summary.head.made_wall_millis), summary.head.program,
                      summary.head.store_format);
  text += swarm_table(summary, nullptr);
  std::vector<std::vector<std::string>> rows = {{"FAMILY", "ROWS"}};
  for (const FamilyRows& family : summary.families)
    rows.push_back({family.family, std::to_string(family.rows)});
  if (rows.size() > 1) text += table(rows);
  return print(text) ? kExitDone : kExitFailure;
}

// ---- restore -----------------------------------------------------------------------------------

int restore(const CommandLine& line, const Config& config) {
  const std::string directory = store_directory(line, config);
  if (directory.empty()) return fail_usage(kNoStoreDirectory, line.json);
  if (Status made = make_parents(directory); !made) return fail(made.error(), line.json);
  RestoreRequest request;
  request.file = line.store.file;
  request.directory = directory;
  while (!request.epoch) request.epoch = Epoch(random_seed());
  const Result<CheckedSnapshot> restored = restore_snapshot(request);
  if (!restored) return fail(restored.error(), line.json);
  if (line.json) {
    Json out = summary_json(request.file, restored->summary, &restored->audit);
    out.set("store", directory).set("new_epoch", to_hex(request.epoch.value()));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  std::string text = fmt::format("restored {} to {}, as the new epoch {}\n",
                                 summary_text(request.file, restored->summary), directory,
                                 to_hex(request.epoch.value()));
  text += swarm_table(restored->summary, &restored->audit);
  return print(text) ? kExitDone : kExitFailure;
}

}  // namespace

int snapshot(const CommandLine& line, const Config& config) {
  switch (line.verb) {
    case Verb::kSnapshotSave:
      return save(line, config);
    case Verb::kSnapshotVerify:
      return verify(line);
    case Verb::kSnapshotInfo:
      return info(line);
    default:
      return restore(line, config);
  }
}

}  // namespace waggle::cli
