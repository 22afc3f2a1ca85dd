// usage: memory_store_process COMMAND DIRECTORY
//
//   hold    open the store, say "open", keep it until the input ends
//   commit  commit revision after revision and say each one that was acknowledged, until killed
//   limit   let files grow to 64 KiB only; commit until that fails, say "acknowledged N" and what
//           the failed and the next commit gave

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include <sys/resource.h>

#include "memory/rocksdb_store.h"
#include "tests/memory/rows.h"

namespace {

using waggle::Batch;
using waggle::CommitResult;
using waggle::RocksdbStore;

Batch batch_for(std::uint64_t revision) {
  Batch batch = waggle::test::commit_batch("bees", revision, std::string(200, 'v'));
  if (revision == 1) batch.rows.emplace_back(waggle::StoreRow{waggle::Epoch(7), {}});
  return batch;
}

int hold() {
  std::cout << "open" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) continue;
  return EXIT_SUCCESS;
}

int commit(RocksdbStore& store) {
  for (std::uint64_t revision = 1;; ++revision) {
    if (store.commit(batch_for(revision)) != CommitResult::kDone) return EXIT_FAILURE;
    std::cout << revision << std::endl;
  }
}

int limit(RocksdbStore& store) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 << 10, 64 << 10};
  if (setrlimit(RLIMIT_FSIZE, &small) != 0) return EXIT_FAILURE;
  std::uint64_t revision = 0;
  CommitResult result = CommitResult::kDone;
  while (result == CommitResult::kDone) result = store.commit(batch_for(++revision));
  const CommitResult next = store.commit(batch_for(revision));
  std::cout << "acknowledged " << revision - 1 << "\n"
            << "failed " << (result == CommitResult::kUnknown ? "unknown" : "other") << "\n"
            << "next " << (next == CommitResult::kUnknown ? "unknown" : "other") << "\n"
            << "text " << store.failure() << std::endl;
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  const std::string command = argv[1];
  waggle::RocksdbOptions options;
  options.path = argv[2];
  options.write_buffer_bytes = std::size_t{256} << 10;
  const auto store = waggle::open_rocksdb(options);
  if (!store) {
    std::cout << store.error().text << std::endl;
    return EXIT_FAILURE;
  }
  if (command == "hold") return hold();
  if (command == "commit") return commit(**store);
  if (command == "limit") return limit(**store);
  return EXIT_FAILURE;
}
