#pragma once

// A store that no process holds, examined without changing a byte of it: what `waggle doctor`
// tells.
//
//   the directory    a store is there, nothing was cut short
//   the database     opens, every table and log with its checksums; format and families are known
//   the rows         each decodes and fits the others (row_audit.h)
//   the marker       the heads are not behind those that were acknowledged
//   the disk         there is room to go on
//
// Examining goes on behind a finding as far as it can, so that one look tells all.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "memory/row_audit.h"
#include "memory/snapshot_format.h"

namespace waggle {

struct Finding {
  enum class Severity : std::uint8_t {
    kDamage,   // something that was stored is lost, or can't be read
    kWarning,  // all is there, but not for long
  };
  Severity severity = Severity::kDamage;
  std::string file;    // the one to look at, or the directory
  std::string text;    // what was expected, what was found
  std::string remedy;  // what to do
};
[[nodiscard]] std::string_view to_text(Finding::Severity severity);

struct StoreReport {
  std::string kind;          // "coordinator", "agent", "provider"; empty: can't be told
  std::uint64_t format = 0;  // 0: can't be told
  std::vector<FamilyRows> families;
  RowAudit audit;  // epoch and swarms, as far as they could be read
  std::uint64_t free_bytes = 0;
  std::vector<Finding> findings;  // none: it is healthy
};

// `disk_reserve_bytes`: less free space than this is a warning. Errors, when there is nothing to
// examine: kNotFound (no store is there), kUnavailable (a process holds it, its pid is named),
// kRejected (can't be read).
[[nodiscard]] Result<StoreReport> examine_store(const std::string& directory,
                                                std::uint64_t disk_reserve_bytes);

}  // namespace waggle
