#pragma once

// A snapshot in a file: written beside its name and given the name when all of it is on disk, and
// checked without a store or a server.
//
//   FILE.part  --written, synced-->  FILE  --the directory synced--> done
//
// So under its name there is the whole snapshot or what was there before, however the writing ends.
// What is left of a writer that was killed is taken over by the next one.

#include <string>
#include <string_view>

#include "base/status.h"
#include "memory/row_audit.h"
#include "memory/snapshot_format.h"

namespace waggle {

class SnapshotFile {
 public:
  SnapshotFile() = default;
  // Without finish(): what was written is gone.
  ~SnapshotFile();
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;

  // `replace`: a file of that name may be there. Errors: kRejected (it is there, or can't be
  // written), kUnavailable (another process writes it, or the disk is full). REQUIRES: once.
  [[nodiscard]] Status open(const std::string& file, bool replace);
  [[nodiscard]] Status write(std::string_view bytes);
  // What is written so far, for who wants to check it before finish().
  [[nodiscard]] const std::string& part() const { return part_; }
  [[nodiscard]] Status finish();

 private:
  [[nodiscard]] Status take_part();

  std::string file_;
  std::string part_;
  bool replace_ = false;
  int fd_ = -1;
};

// An open file that is read from its beginning.
class SnapshotInput {
 public:
  SnapshotInput() = default;
  ~SnapshotInput();
  SnapshotInput(const SnapshotInput&) = delete;
  SnapshotInput& operator=(const SnapshotInput&) = delete;

  // Errors: kNotFound, kRejected. REQUIRES: once.
  [[nodiscard]] Status open(const std::string& file);
  // Borrows this.
  [[nodiscard]] SnapshotSource source();
  // From the first byte again.
  [[nodiscard]] Status rewind();

 private:
  std::string file_;
  int fd_ = -1;
};

struct CheckedSnapshot {
  SnapshotSummary summary;
  RowAudit audit;
};
// All of it: digests, order and number of rows, that every row decodes, that head, epoch and
// digests of its swarms are what the rows say. Errors: kCorrupt with the place of the first defect,
// kUnsupported for a newer format of the snapshot, the store or a value, those of the source.
[[nodiscard]] Result<CheckedSnapshot> check_snapshot(const std::string& name,
                                                     const SnapshotSource& source);
// The same of a file.
[[nodiscard]] Result<CheckedSnapshot> check_snapshot(const std::string& file);

// A store's format that this Waggle can't read. `name`: of what holds it.
[[nodiscard]] Status check_store_format(const std::string& name, std::uint64_t format);

}  // namespace waggle
