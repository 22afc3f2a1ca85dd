#include "tests/sim/flooder.h"

namespace waggle::sim {
namespace {

constexpr std::uint64_t kAtOnce = 1'200;

}  // namespace

void Flooder::begin(std::int64_t until) {
  until_ = until;
  go_on();
}

void Flooder::go_on() {
  if (timeline_.now() >= until_) return;
  if (!session_) {
    Hello hello;
    hello.swarm = SwarmId("hive");
    hello.agent = AgentId("flood");
    hello.token[0] = 1;
    send_(make_message(std::move(hello)));
  } else {
    for (std::uint64_t n = random_.below(kAtOnce); n > 0; --n) send_(next());
  }
  timeline_.after(random_.between(50, 1'500), [this] { go_on(); });
}

MessagePtr Flooder::next() {
  switch (random_.below(5)) {
    case 0:
      return make_message(Query{session_, random_.id<RequestId>(), StatusQuery{}});
    case 1: {
      DeltaRequest request;
      request.session = session_;
      request.request = random_.id<RequestId>();
      return make_message(std::move(request));
    }
    case 2:
      return make_message(EphemeralRequest{session_, random_.id<RequestId>()});
    default: {
      // Of a writer that nobody knows: its first seq is missing, so nothing of it is ever stepped.
      Submit submit;
      submit.session = session_;
      submit.epoch = epoch_;
      for (std::uint64_t n = random_.below(20) + 1; n > 0; --n) {
        Mutation mutation;
        mutation.incarnation = Incarnation(4);
        mutation.seq = Seq(1'000 - n);
        mutation.context.epoch = epoch_;
        mutation.hlc = Hlc::of(1, n);
        mutation.entries = {Entry{Key("flood"), {}, IncrOp{1}, {}}};
        submit.mutations.push_back(std::move(mutation));
      }
      return make_message(std::move(submit));
    }
  }
}

void Flooder::arrive(const Message& message) {
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    session_ = welcome->session;
    epoch_ = welcome->epoch;
  } else if (std::holds_alternative<NoSession>(message) ||
             std::holds_alternative<Fenced>(message)) {
    session_ = {};
  }
}

}  // namespace waggle::sim
