#include "bench/disk.h"
#include "bench/process.h"
#include "bench/rows.h"

namespace waggle::bench {

void measure_disk(Run& run) {
  if (!run.wanted("disk")) return;
  run.report.section("disk",
                     "One append of 300 bytes and fdatasync(); one RocksDB batch of 300 bytes with "
                     "its log synced. What any durable write must wait for.");
  const ScratchDirectory scratch;
  BareDisk disk(scratch.path("disk"));
  Samples append;
  Samples batch;
  for (int i = 0; i < (run.quick ? 200 : 1'000); ++i) {
    append.push_back(disk.append(300));
    batch.push_back(disk.batch(300));
  }
  run.report.add({.name = "disk.append", .value = summarise(append), .unit = "us"});
  run.report.add({.name = "disk.batch", .value = summarise(batch), .unit = "us"});
}

}  // namespace waggle::bench
