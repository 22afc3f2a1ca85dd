#pragma once

// A store that lives as long as its process: for examples, tests and swarms that may be lost. Its
// level is kMemory, and every answer to a write says so.

#include <string>
#include <utility>
#include <vector>

#include "memory/commit_store.h"
#include "memory/row_table.h"

namespace waggle {

class MemoryStore final : public CommitStore {
 public:
  MemoryStore() = default;
  // Goes on from what another store held.
  explicit MemoryStore(RowTable table) : table_(std::move(table)) {}

  [[nodiscard]] Result<CoordinatorState> load_coordinator() override;
  [[nodiscard]] Result<AgentState> load_agent() override;
  [[nodiscard]] CommitResult commit(const Batch& batch) override;
  [[nodiscard]] std::string failure() const override { return {}; }
  [[nodiscard]] Level level() const override { return Level::kMemory; }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override;

  [[nodiscard]] const RowTable& table() const { return table_; }

 private:
  RowTable table_;
};

}  // namespace waggle
