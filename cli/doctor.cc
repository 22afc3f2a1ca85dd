// `waggle doctor`: examines a store that no process holds.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "memory/rocksdb_doctor.h"

namespace waggle::cli {
namespace {

Json report_json(const std::string& directory, const StoreReport& report) {
  Json out;
  out.set("store", directory).set("healthy", report.findings.empty());
  out.set("kind", report.kind.empty() ? Json() : Json(report.kind));
  out.set("format", report.format == 0 ? Json() : Json(report.format));
  const Epoch epoch = report.audit.store().epoch;
  out.set("epoch", epoch ? Json(to_hex(epoch.value())) : Json());
  Json swarms{Json::Array{}};
  for (const auto& [id, swarm] : report.audit.swarms()) {
    Json one;
    one.set("swarm", id.value()).set("revision", swarm.row.head.value());
    one.set("floor", swarm.row.floor.value()).set("keys", swarm.keys);
    one.set("tombstones", swarm.tombstones);
    swarms.push(one.set("digest", to_hex(swarm.digest)));
  }
  out.set("swarms", std::move(swarms));
  Json families{Json::Array{}};
  for (const FamilyRows& family : report.families) {
    Json one;
    families.push(one.set("family", family.family).set("rows", family.rows));
  }
  out.set("families", std::move(families)).set("free_bytes", report.free_bytes);
  Json findings{Json::Array{}};
  for (const Finding& finding : report.findings) {
    Json one;
    one.set("severity", to_text(finding.severity)).set("file", finding.file);
    findings.push(one.set("text", finding.text).set("remedy", finding.remedy));
  }
  return out.set("findings", std::move(findings));
}

std::string report_text(const std::string& directory, const StoreReport& report) {
  std::string text = directory + ": ";
  text += report.kind.empty() ? "a store" : "a store of the kind '" + report.kind + "'";
  if (report.format != 0) text += fmt::format(", format {}", report.format);
  if (const Epoch epoch = report.audit.store().epoch; epoch)
    text += fmt::format(", epoch {}", to_hex(epoch.value()));
  text +=
      fmt::format(", {} free: {}\n", size_text(report.free_bytes),
                  report.findings.empty() ? "healthy" : counted(report.findings.size(), "finding"));
  for (const Finding& finding : report.findings)
    text += fmt::format("{}: {}: {}\n  what to do: {}\n", to_text(finding.severity), finding.file,
                        printable(finding.text), finding.remedy);
  std::vector<std::vector<std::string>> rows = {
      {"SWARM", "REVISION", "FLOOR", "KEYS", "DELETED", "DIGEST"}};
  for (const auto& [id, swarm] : report.audit.swarms())
    rows.push_back({id.value(), std::to_string(swarm.row.head.value()),
                    std::to_string(swarm.row.floor.value()), std::to_string(swarm.keys),
                    std::to_string(swarm.tombstones), to_hex(swarm.digest)});
  if (rows.size() > 1) text += table(rows);
  rows = {{"FAMILY", "ROWS"}};
  for (const FamilyRows& family : report.families)
    rows.push_back({family.family, std::to_string(family.rows)});
  if (rows.size() > 1) text += table(rows);
  return text;
}

}  // namespace

std::string store_directory(const CommandLine& line, const Config& config) {
  if (!line.store.directory.empty()) return expand_home(line.store.directory);
  return config.data.empty() ? default_data_directory() : config.data;
}

int doctor(const CommandLine& line, const Config& config) {
  const std::string directory = store_directory(line, config);
  if (directory.empty()) return fail_usage(kNoStoreDirectory, line.json);
  const Result<StoreReport> report = examine_store(directory, config.disk_reserve_bytes);
  if (!report && report.error().code == Code::kUnavailable)
    return fail(
        {report.error().code,
         report.error().text + "; while it runs, `waggle snapshot save FILE` checks every row"},
        line.json);
  if (!report) return fail(report.error(), line.json);
  const bool told = line.json ? print_json(report_json(directory, *report))
                              : print(report_text(directory, *report));
  return told && report->findings.empty() ? kExitDone : kExitFailure;
}

}  // namespace waggle::cli
