#pragma once

// A disk that can lose what was not synced. It holds the state that would be found after the worst
// crash (`durable`) and the batches that were written after it:
//
//   durable | batch batch batch ...   a synced batch makes everything before it durable
//           \-- a crash keeps a random prefix of these
//
// A journal takes its time over a batch and may fail: then the batch is there after reopening, or
// it is not, and nobody knows before.
//
// One thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "io/host.h"
#include "memory/row_table.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

class SimStore {
 public:
  // Told of each batch, in order, at the moment from which no crash can undo it.
  using Observer = std::function<void(const Batch&)>;

  explicit SimStore(Observer observer) : observer_(std::move(observer)) {}

  void write(Batch batch);
  // Power fails: a random prefix of what was not synced stays.
  void crash(Prng& random);
  // Everything that was written stays: the process died and the machine lives on.
  void flush();
  void wipe();
  // Of what was written, synced or not.
  [[nodiscard]] std::vector<ReceiptRow> receipts(const ReceiptScan& scan) const;

  [[nodiscard]] const RowTable& durable() const { return durable_; }
  void replace(RowTable table);

 private:
  void make_durable(std::size_t batches);

  Observer observer_;
  RowTable durable_;
  std::vector<Batch> unsynced_;
};

class SimJournal final : public Journal {
 public:
  struct Habits {
    std::int64_t latency_max = 0;  // 0: every batch is over at once
    bool fail_next = false;        // the next synced batch ends unknown
    bool lies = false;             // says done and does not sync: for planted bugs only
    std::uint64_t batches = 0;     // so far
    std::uint64_t dies_at = 0;     // the batch of that number ends unknown ...
    bool dying_stays = false;      // ... and is on the disk, or is not
  };

  // Borrows all of them. `woken` is called when a batch is over.
  SimJournal(SimStore& store, Timeline& timeline, Prng& random, Habits& habits,
             std::function<void()> woken)
      : store_(store),
        timeline_(timeline),
        random_(random),
        habits_(habits),
        woken_(std::move(woken)) {}

  [[nodiscard]] Progress start(Batch batch) override;
  [[nodiscard]] Progress poll() override;
  [[nodiscard]] std::string failure() const override { return "the simulated disk failed"; }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override;
  // The process is killed: a batch on its way may have reached the disk.
  void kill();

 private:
  [[nodiscard]] Progress end(Batch batch);

  SimStore& store_;
  Timeline& timeline_;
  Prng& random_;
  Habits& habits_;
  std::function<void()> woken_;
  std::optional<Batch> in_flight_;
  std::int64_t over_at_ = 0;
};

}  // namespace waggle::sim
