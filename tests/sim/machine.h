#pragma once

// A machine that runs one core with the real host loop over simulated ports. Its disk and its clock
// outlive the process; everything else goes with it.
//
//   start(core) --> running --(crash, kill, the host stopped)--> down --> start(core) ...
//
// One thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/event.h"
#include "io/host.h"
#include "tests/sim/clock.h"
#include "tests/sim/saboteur.h"
#include "tests/sim/store.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

class Machine {
 public:
  struct Wiring {
    std::function<void(const Send&)> send;
    DeliverFn deliver;
    std::function<void()> turned;   // after turns in which something was done
    std::function<void()> stopped;  // the host ended by itself: a failed batch
  };

  Machine(std::string name, Timeline& timeline, Prng& random, SimStore::Observer observer,
          Wiring wiring, Saboteur* saboteur);

  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // REQUIRES: down.
  void start(std::unique_ptr<Core> core);
  // The process dies. `power` fails too: what was not synced may be gone.
  void stop(bool power);
  void arrive(Event event);  // from the network
  void post(Event event);    // from the application
  void run_soon();

  [[nodiscard]] bool running() const { return process_ != nullptr; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] SimStore& store() { return store_; }
  [[nodiscard]] SimClock& clock() { return clock_; }
  [[nodiscard]] SimJournal::Habits& habits() { return habits_; }
  [[nodiscard]] Host& host() { return *process_->host; }

 private:
  class Wire final : public Transport {
   public:
    Wire(Machine& machine) : machine_(machine) {}
    void receive(std::vector<Event>& events, std::size_t max) override;
    void send(const Send& send) override;
    std::deque<Event> inbox;

   private:
    Machine& machine_;
  };
  // Lets a saboteur at the batches.
  class Ledgered final : public Journal {
   public:
    Ledgered(Machine& machine, SimJournal& journal) : machine_(machine), journal_(journal) {}
    [[nodiscard]] Progress start(Batch batch) override;
    [[nodiscard]] Progress poll() override { return journal_.poll(); }
    [[nodiscard]] std::string failure() const override { return journal_.failure(); }
    [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override {
      return journal_.receipts(scan);
    }

   private:
    Machine& machine_;
    SimJournal& journal_;
  };
  struct Process {
    std::unique_ptr<Core> core;
    std::unique_ptr<Wire> wire;
    std::unique_ptr<SimJournal> journal;
    std::unique_ptr<Ledgered> ledgered;
    std::unique_ptr<Host> host;
  };

  void run();
  void schedule_wake();

  const std::string name_;
  Timeline& timeline_;
  Prng& random_;
  Wiring wiring_;
  Saboteur* saboteur_;  // may be null
  SimStore store_;
  SimClock clock_;
  SimJournal::Habits habits_;
  std::unique_ptr<Process> process_;
  std::uint64_t life_ = 0;
  std::uint64_t wake_number_ = 0;
  std::int64_t wake_at_ = -1;
};

}  // namespace waggle::sim
