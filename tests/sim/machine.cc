#include "tests/sim/machine.h"

#include <algorithm>

#include "base/check.h"

namespace waggle::sim {
namespace {

constexpr int kTurnsAtOnce = 10'000;

}  // namespace

Machine::Machine(std::string name, Timeline& timeline, Prng& random, SimStore::Observer observer,
                 Wiring wiring, Saboteur* saboteur)
    : name_(std::move(name)),
      timeline_(timeline),
      random_(random),
      wiring_(std::move(wiring)),
      saboteur_(saboteur),
      store_(std::move(observer)),
      clock_(timeline) {}

void Machine::start(std::unique_ptr<Core> core) {
  WAGGLE_CHECK(!process_, name_ + " runs already");
  ++life_;
  process_ = std::make_unique<Process>();
  process_->core = std::move(core);
  process_->wire = std::make_unique<Wire>(*this);
  process_->journal =
      std::make_unique<SimJournal>(store_, timeline_, random_, habits_, [this, life = life_] {
        if (running() && life == life_) run();
      });
  process_->ledgered = std::make_unique<Ledgered>(*this, *process_->journal);
  process_->host =
      std::make_unique<Host>(*process_->core, *process_->wire, *process_->ledgered, clock_,
                             [this](const Delivery& delivery) {
                               if (!saboteur_) return wiring_.deliver(delivery);
                               for (const Delivery& told : saboteur_->deliver(name_, delivery))
                                 wiring_.deliver(told);
                             });
  run_soon();
}

void Machine::stop(bool power) {
  WAGGLE_CHECK(running(), name_ + " is down already");
  process_->journal->kill();
  process_.reset();
  if (power) {
    store_.crash(random_);
  } else {
    store_.flush();
  }
  ++life_;
  wake_at_ = -1;
}

void Machine::arrive(Event event) {
  if (!running()) return;
  process_->wire->inbox.push_back(std::move(event));
  run_soon();
}

void Machine::post(Event event) {
  if (!running()) return;
  process_->host->post(std::move(event));
  run_soon();
}

void Machine::run_soon() {
  if (wake_at_ == timeline_.now()) return;
  wake_at_ = timeline_.now();
  timeline_.at(wake_at_, [this, number = ++wake_number_, life = life_] {
    if (running() && life == life_ && number == wake_number_) run();
  });
}

void Machine::run() {
  const std::uint64_t life = life_;
  int turns = 0;
  while (process_->host->turn()) WAGGLE_CHECK(++turns < kTurnsAtOnce, name_ + " never rests");
  if (process_->host->stopped()) {
    wiring_.stopped();
    return;
  }
  WAGGLE_CHECK(life == life_, "stopped inside its own turn");
  wiring_.turned();
  schedule_wake();
}

void Machine::schedule_wake() {
  wake_at_ = -1;
  ++wake_number_;
  const Instant wake = process_->host->wake_at();
  if (wake == Instant::never()) return;
  wake_at_ = std::max(clock_.virtual_time_of(wake), timeline_.now() + 1);
  timeline_.at(wake_at_, [this, number = wake_number_, life = life_] {
    if (running() && life == life_ && number == wake_number_) run();
  });
}

void Machine::Wire::receive(std::vector<Event>& events, std::size_t max) {
  for (; !inbox.empty() && max > 0; --max) {
    events.push_back(std::move(inbox.front()));
    inbox.pop_front();
  }
}

void Machine::Wire::send(const Send& send) {
  Send sent = send;
  if (machine_.saboteur_ && !machine_.saboteur_->send(machine_.name_, sent)) return;
  machine_.wiring_.send(sent);
}

Journal::Progress Machine::Ledgered::start(Batch batch) {
  if (machine_.saboteur_) machine_.saboteur_->store(machine_.name_, batch);
  return journal_.start(std::move(batch));
}

}  // namespace waggle::sim
