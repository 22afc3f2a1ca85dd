#include "tests/sim/client.h"

#include <utility>

namespace waggle::sim {

SimClient::SimClient(Timeline& timeline, Prng& random, Send send, std::string name)
    : timeline_(timeline), random_(random), send_(std::move(send)), agent_(std::move(name)) {
  token_[0] = 1;
}

void SimClient::write(std::vector<Entry> entries, Hlc hlc,
                      std::function<void(const Mutation&)> about_to_send, Done done) {
  // Each write is a run of its own.
  session_ = {};
  busy_ = true;
  compacts_ = false;
  has_context_ = false;
  Mutation& mutation = mutation_.emplace();
  mutation.incarnation = random_.id<Incarnation>();
  mutation.seq = Seq(1);
  mutation.hlc = hlc;
  mutation.entries = std::move(entries);
  about_to_send_ = std::move(about_to_send);
  done_ = std::move(done);
  go_on();
}

void SimClient::compact(Revision floor) {
  busy_ = true;
  compacts_ = true;
  floor_ = floor;
  request_ = random_.id<RequestId>();
  go_on();
}

void SimClient::give_up() {
  busy_ = false;
  ++attempt_;
}

void SimClient::schedule() {
  timeline_.after(random_.between(200, 1'000), [this, attempt = ++attempt_] {
    if (busy_ && attempt == attempt_) go_on();
  });
}

void SimClient::go_on() {
  schedule();
  if (!session_) {
    Hello hello;
    hello.swarm = SwarmId("hive");
    hello.agent = agent_;
    hello.role = Role::kClient;
    hello.token = token_;
    send_(make_message(std::move(hello)));
    return;
  }
  if (compacts_) {
    send_(make_message(CompactRequest{session_, request_, floor_}));
    return;
  }
  send_(make_message(Submit{session_, epoch_, {}, {*mutation_}}));
}

void SimClient::arrive(const Message& message) {
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    session_ = welcome->session;
    epoch_ = welcome->epoch;
    if (!busy_) return;
    // The head of the first welcome is what this writer has seen; it is kept when it asks again.
    if (!compacts_ && !has_context_) {
      has_context_ = true;
      mutation_->context = {welcome->epoch, welcome->head, {}};
      about_to_send_(*mutation_);
    }
    go_on();
    return;
  }
  if (const auto* gone = std::get_if<NoSession>(&message)) {
    if (gone->session != session_) return;
    session_ = {};
    if (busy_) go_on();
    return;
  }
  if (!busy_) return;
  if (const auto* compacted = std::get_if<CompactResult>(&message)) {
    if (compacts_ && compacted->request == request_) give_up();
    return;
  }
  if (compacts_) {
    if (std::holds_alternative<ErrorReply>(message)) give_up();
    return;
  }
  const auto* result = std::get_if<SubmitResult>(&message);
  if (result == nullptr || result->session != session_) return;
  for (const MutationResult& one : result->results) {
    if (one.incarnation != mutation_->incarnation) continue;
    const Code code = one.outcome.code;
    if (code == Code::kStale && one.outcome.reason == Reason::kForeignEpoch) {
      session_ = {};
      return;
    }
    if (one.outcome.reason == Reason::kClockAhead) {
      mutation_->hlc = Hlc::of(one.outcome.coordinator_wall_millis, 0);
      about_to_send_(*mutation_);
    }
    if (code == Code::kOverloaded || code == Code::kUnavailable) return;  // again, later
    give_up();
    done_(one);
    return;
  }
}

}  // namespace waggle::sim
