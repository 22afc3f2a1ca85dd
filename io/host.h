#pragma once

// The host loop: runs one core over its ports, the same in production and in the simulator.
//
//   turn():  take what has arrived, at most limits::kEventsPerTurn
//            step each; step a Tick when wake_at is due
//            unless a batch is still on its way to the disk:
//                finish() the open group, start its batch, or send at once when it has none
//            when a batch came back: carry out its sends and deliveries, in order
//
// While one batch is being synced the core goes on stepping: everything it decides is joined into
// the one open group, which is finished when the batch in flight comes back (group commit). So the
// sends of a group leave only after its own batch and every earlier one are durable.
//
// A batch that came back unknown or fenced ends the host: stopped() is set, nothing of the group is
// sent, and only a restart from the store repairs.
//
// One thread owns a host and its core. turn() never waits; the caller waits, until wake_at() or
// until a port has something (io/loop.h in production, virtual time in the simulator).

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/receipt.h"
#include "base/status.h"
#include "base/time.h"

namespace waggle {

// ---- ports -------------------------------------------------------------------------------------

class Transport {
 public:
  virtual ~Transport() = default;
  // Moves at most `max` arrived events to `events`, in order of arrival.
  virtual void receive(std::vector<Event>& events, std::size_t max) = 0;
  // Never waits. What can't be sent is queued within bounds or dropped; a peer whose queue is over
  // its bound is reported by PeerLost.
  virtual void send(const Send& send) = 0;
};

// A store that may commit on another thread. At most one batch is in flight.
class Journal {
 public:
  enum class Progress : std::uint8_t { kIdle, kBusy, kDone, kUnknown, kFenced };
  virtual ~Journal() = default;
  // REQUIRES: no batch is in flight. The batch is over at once (kDone) or poll() tells later.
  [[nodiscard]] virtual Progress start(Batch batch) = 0;
  // kBusy, or once how the batch in flight ended; kIdle when none is.
  [[nodiscard]] virtual Progress poll() = 0;
  [[nodiscard]] virtual std::string failure() const = 0;
  // Reads the store. REQUIRES: no batch is in flight.
  [[nodiscard]] virtual Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Now now() = 0;
};

using DeliverFn = std::function<void(const Delivery&)>;

// ---- the loop ----------------------------------------------------------------------------------

class Host {
 public:
  // Borrows all of them; they outlive the host.
  Host(Core& core, Transport& transport, Journal& journal, Clock& clock, DeliverFn deliver);

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // One turn. True: something was done, so call again before waiting.
  bool turn();
  // An event from the same thread (an application's command), stepped in the next turn.
  void post(Event event);
  // Steps and finishes what is open and carries out what is durable; true when nothing is left.
  bool drained();

  [[nodiscard]] Instant wake_at() const { return wake_at_; }
  [[nodiscard]] bool waiting_for_journal() const { return in_flight_.has_value(); }
  [[nodiscard]] const std::optional<Error>& stopped() const { return stopped_; }

  struct Counters {
    std::uint64_t events = 0;
    std::uint64_t groups = 0;
    std::uint64_t batches = 0;
    std::uint64_t rows = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void close_group();
  void journal_came_back(Journal::Progress progress);
  void carry_out(Actions& actions);
  void answer(const SendReceipts& question);

  Core& core_;
  Transport& transport_;
  Journal& journal_;
  Clock& clock_;
  DeliverFn deliver_;

  std::deque<Event> posted_;
  Actions open_;  // decided, not finished
  bool open_touched_ = false;
  std::optional<Actions> in_flight_;  // its batch is with the journal
  Instant wake_at_{0};                // the first turn steps a Tick
  std::optional<Error> stopped_;
  Counters counters_;
};

}  // namespace waggle
