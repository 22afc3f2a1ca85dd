#include "memory/memory_store.h"

namespace waggle {

Result<CoordinatorState> MemoryStore::load_coordinator() {
  return table_.load_coordinator();
}

Result<AgentState> MemoryStore::load_agent() {
  return table_.load_agent();
}

CommitResult MemoryStore::commit(const Batch& batch) {
  table_.apply(batch);
  return CommitResult::kDone;
}

Result<std::vector<ReceiptRow>> MemoryStore::receipts(const ReceiptScan& scan) {
  return table_.receipts(scan);
}

}  // namespace waggle
