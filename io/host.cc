#include "io/host.h"

#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {

Host::Host(Core& core, Transport& transport, Journal& journal, Clock& clock, DeliverFn deliver)
    : core_(core),
      transport_(transport),
      journal_(journal),
      clock_(clock),
      deliver_(std::move(deliver)) {}

bool Host::turn() {
  if (stopped_) return false;
  bool busy = false;

  if (in_flight_) {
    const Journal::Progress progress = journal_.poll();
    if (progress != Journal::Progress::kBusy) {
      journal_came_back(progress);
      if (stopped_) return false;
      busy = true;
    }
  }

  // A group that waits for a slow disk is bounded too: beyond it, what arrives stays in the
  // transport's own bounded queues.
  if (!(in_flight_ && core_.full())) {
    const Now now = clock_.now();
    std::vector<Event> events;
    while (!posted_.empty() && events.size() < limits::kEventsPerTurn) {
      events.push_back(std::move(posted_.front()));
      posted_.pop_front();
    }
    transport_.receive(events, limits::kEventsPerTurn - events.size());
    for (const Event& event : events) {
      core_.step(event, now, open_);
      ++counters_.events;
    }
    // Arrived frames come before timers, so a coordinator that stood still does not declare its
    // agents dead before it has read what they sent.
    if (now.monotonic >= wake_at_) {
      core_.step(Tick{}, now, open_);
      wake_at_ = open_.wake_at;
      open_touched_ = true;
    }
    if (!events.empty()) {
      wake_at_ = open_.wake_at;
      open_touched_ = true;
      busy = true;
    }
  }

  if (!in_flight_ && open_touched_) {
    close_group();
    busy = true;
  }
  return busy && !stopped_;
}

void Host::post(Event event) {
  posted_.push_back(std::move(event));
}

bool Host::drained() {
  turn();
  return stopped_ || (posted_.empty() && !in_flight_ && !open_touched_);
}

void Host::close_group() {
  core_.finish(clock_.now(), open_);
  wake_at_ = open_.wake_at;
  Actions group = std::exchange(open_, Actions{});
  open_touched_ = false;
  ++counters_.groups;
  if (group.persist.empty()) {
    carry_out(group);
    return;
  }
  ++counters_.batches;
  counters_.rows += group.persist.rows.size();
  Batch batch = std::move(group.persist);
  in_flight_ = std::move(group);
  const Journal::Progress progress = journal_.start(std::move(batch));
  if (progress != Journal::Progress::kBusy) journal_came_back(progress);
}

void Host::journal_came_back(Journal::Progress progress) {
  WAGGLE_CHECK(progress != Journal::Progress::kIdle,
               "a batch is in flight but the journal is idle");
  Actions group = std::move(*in_flight_);
  in_flight_.reset();
  if (progress == Journal::Progress::kDone) {
    carry_out(group);
  } else if (progress == Journal::Progress::kFenced) {
    stopped_ = Error{Code::kDenied, "another process owns the store now: " + journal_.failure()};
  } else {
    stopped_ = Error{Code::kUnknown,
                     "a batch could not be made durable, so it is unknown whether it is there; "
                     "start again, recovery settles it: " +
                         journal_.failure()};
  }
}

// Nothing is in flight now, and all that was decided before the question is in the store.
void Host::answer(const SendReceipts& question) {
  QueryResult result = question.result;
  Result<std::vector<ReceiptRow>> receipts = journal_.receipts(question.scan);
  if (receipts) {
    result.more = receipts->size() == question.scan.limit;
    result.receipts = *std::move(receipts);
  } else {
    result.code = receipts.error().code;
    result.text = std::move(receipts.error().text);
  }
  transport_.send(SendTo{question.peer, make_message(std::move(result))});
}

void Host::carry_out(Actions& actions) {
  for (const Send& send : actions.send) {
    if (const auto* question = std::get_if<SendReceipts>(&send)) {
      answer(*question);
    } else {
      transport_.send(send);
    }
  }
  for (const Delivery& delivery : actions.deliver) deliver_(delivery);
}

}  // namespace waggle
