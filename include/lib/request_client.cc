#include "include/lib/request_client.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/prng.h"
#include "base/shape.h"
#include "include/lib/message_port.h"
#include "io/random.h"
#include "io/system_clock.h"

namespace waggle {
namespace {

constexpr std::int64_t kResendMillis = 250;
constexpr std::int64_t kResendMillisMax = 2'000;
constexpr std::int64_t kStopMillis = 100;
constexpr std::int64_t kWorthWaitingMillis = 1'000;  // of a line that was left too early

std::int64_t next_delay(std::int64_t millis) {
  return std::min(millis * 2, kResendMillisMax);
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

struct RequestClient::Parts {
  Parts(std::unique_ptr<MessagePort> the_port, SwarmId the_swarm)
      : port(std::move(the_port)), swarm(std::move(the_swarm)), random(random_seed()) {
    agent = AgentId(
        fmt::format("{}-{}{}", kClientPrefix, to_hex(random.next()), to_hex(random.next())));
    process = incarnation = random.id<Incarnation>();
  }
  ~Parts() {
    if (session) static_cast<void>(port->send(Bye{session}));
  }

  std::unique_ptr<MessagePort> port;
  SwarmId swarm;
  Prng random;
  SystemClock clock;
  AgentId agent;

  Welcome welcome;     // the newest
  SessionId session;   // 0: hello has to be said
  bool heard = false;  // a coordinator answered, ever

  Incarnation process;  // names this client as a claimant

  std::function<bool()> stop;  // may be empty

  // As a writer.
  FenceToken fence;
  Incarnation incarnation;
  Seq last;      // answered for good
  Cursor known;  // the newest state that this client was told of: what its writes have seen
  HlcClock hlc;
  std::int64_t clock_shift = 0;
  SessionId ephemeral_within;  // the session that counts the ephemeral writes
  std::uint64_t ephemeral_number = 0;

  [[nodiscard]] std::uint64_t next_ephemeral() {
    if (std::exchange(ephemeral_within, session) != session) ephemeral_number = 0;
    return ++ephemeral_number;
  }

  [[nodiscard]] Instant in(std::int64_t millis) const {
    return monotonic_now() + Millis{std::max<std::int64_t>(millis, 0)};
  }
  // What was sent as this writer and not answered is left alone: its seq may be consumed.
  void renew_writer() {
    incarnation = random.id<Incarnation>();
    last = {};
  }
  [[nodiscard]] Hlc stamp() { return hlc.tick(clock.now().wall_millis + clock_shift); }
  void learn(const Cursor& at) {
    if (at.epoch == known.epoch) {
      known.revision = std::max(known.revision, at.revision);
    } else if (at.epoch == welcome.epoch) {
      known = at;
    }
  }

  [[nodiscard]] Result<MessagePtr> next(Instant until);
  [[nodiscard]] Status join(Instant deadline);

  // What a message means for the question that waits.
  enum class Heard : std::uint8_t { kNothing, kAnswer, kSendAgain, kSendLater, kJoinAgain };
  using Take = std::function<Heard(const Message&)>;
  struct Asking {
    std::function<Message()> build;  // called for each sending, in the present session
    Take take;
    std::optional<RequestId> request;  // as an error names it; none: `take` reads errors itself
    std::uint64_t sendings = 0;        // given to the port
    std::int64_t later_millis = 0;     // with kSendLater: not before
    Error refused;                     // what was said of that
  };
  // An answer that says not now, but then. kNothing: it is no such answer to that request.
  [[nodiscard]] static Heard heard_later(const Message& message, Asking& asking);
  // Sends until `take` says kAnswer. Errors: no session in time; kTimeout, no answer in time;
  // kOverloaded when it may come back only after the deadline.
  [[nodiscard]] Status ask(Asking& asking, Instant deadline);
  [[nodiscard]] Error no_answer(std::string_view to) const;
};

Result<MessagePtr> RequestClient::Parts::next(Instant until) {
  const Millis left = until - monotonic_now();
  return port->receive(std::chrono::milliseconds(std::max<std::int64_t>(left.count, 0)));
}

Status RequestClient::Parts::join(Instant deadline) {
  Hello hello;
  hello.swarm = swarm;
  hello.agent = agent;
  hello.role = Role::kClient;
  hello.incarnations = {process};
  std::int64_t delay = kResendMillis;
  std::optional<Error> refused;
  while (true) {
    const Status sent = port->send(hello);
    if (!sent && sent.error().code == Code::kRejected) return sent;
    Instant again = std::min(deadline, in(delay));
    delay = next_delay(delay);
    while (monotonic_now() < again) {
      if (port->closed())
        return failed(Code::kUnavailable, fmt::format("{} is shut down", port->name()));
      if (stop && stop()) return failed(Code::kUnavailable, "interrupted");
      Result<MessagePtr> message = next(stop ? std::min(again, in(kStopMillis)) : again);
      if (!message) {
        if (message.error().code == Code::kUnsupported || message.error().code == Code::kDenied)
          return std::unexpected(std::move(message.error()));
        continue;
      }
      if (*message == nullptr) continue;
      if (const auto* answer = std::get_if<Welcome>(message->get())) {
        welcome = *answer;
        session = answer->session;
        // Safety: what this client has seen is as old as its first welcome and what it was told in
        // answers. A later welcome may know of this client's own write, so a repetition that took
        // its head would look like a new write.
        if (!std::exchange(heard, true)) known = {answer->epoch, answer->head};
        return {};
      }
      if (const auto* refusal = std::get_if<Refused>(message->get())) {
        refused = Error{refusal->code, refusal->text};
        if (refusal->retry_millis <= 0) return std::unexpected(*refused);
        again = std::min(deadline, in(refusal->retry_millis));
      }
    }
    if (monotonic_now() >= deadline) break;
  }
  if (refused) return std::unexpected(*refused);
  return failed(Code::kUnavailable,
                fmt::format("no coordinator answers at {}; is `waggle serve` running there, and is "
                            "it the endpoint of its ready line?",
                            port->name()));
}

Error RequestClient::Parts::no_answer(std::string_view to) const {
  return {Code::kTimeout, fmt::format("{} did not answer {} in time", port->name(), to)};
}

RequestClient::Parts::Heard RequestClient::Parts::heard_later(const Message& message,
                                                              Asking& asking) {
  const auto* error = std::get_if<ErrorReply>(&message);
  if (error == nullptr || error->request != asking.request.value_or(RequestId()) ||
      error->code != Code::kOverloaded || error->retry_millis <= 0)
    return Heard::kNothing;
  asking.later_millis = error->retry_millis;
  asking.refused = Error{error->code, error->text};
  return Heard::kSendLater;
}

Status RequestClient::Parts::ask(Asking& asking, Instant deadline) {
  std::int64_t delay = kResendMillis;
  while (true) {
    if (!session)
      if (Status joined = join(deadline); !joined) return joined;
    const Status sent = port->send(asking.build());
    if (sent) {
      ++asking.sendings;
    } else if (sent.error().code == Code::kRejected) {
      return sent;
    }
    Instant again = std::min(deadline, in(delay));
    delay = next_delay(delay);
    while (session && monotonic_now() < again) {
      if (port->closed())
        return failed(Code::kUnavailable, fmt::format("{} is shut down", port->name()));
      if (stop && stop()) return failed(Code::kUnavailable, "interrupted");
      Result<MessagePtr> message = next(stop ? std::min(again, in(kStopMillis)) : again);
      if (!message || *message == nullptr) continue;
      if (const auto* gone = std::get_if<NoSession>(message->get())) {
        if (gone->session == session) session = {};
      } else if (const auto* fenced = std::get_if<Fenced>(message->get())) {
        if (fenced->session == session) session = {};
      } else if (const auto* later = std::get_if<Welcome>(message->get())) {
        // The answer to a hello that was sent twice: the later session holds.
        welcome = *later;
        session = later->session;
        again = monotonic_now();
      } else {
        Heard meant = asking.request ? heard_later(**message, asking) : Heard::kNothing;
        if (meant == Heard::kNothing) meant = asking.take(**message);
        switch (meant) {
          case Heard::kNothing:
            break;
          case Heard::kAnswer:
            return {};
          case Heard::kSendAgain:
            again = monotonic_now();
            break;
          case Heard::kSendLater:
            again = in(asking.later_millis);
            if (again < deadline) break;
            return std::unexpected(asking.refused);
          case Heard::kJoinAgain:
            session = {};
            break;
        }
      }
    }
    if (monotonic_now() >= deadline) return failed(Code::kTimeout, {});
  }
}

// ---- opening -----------------------------------------------------------------------------------

Result<std::unique_ptr<RequestClient>> RequestClient::dial(const std::string& coordinator,
                                                           const SwarmId& swarm,
                                                           std::int64_t timeout_millis,
                                                           const LinkKeysPtr& keys) {
  Result<std::unique_ptr<MessagePort>> port = dial_port(coordinator, keys);
  if (!port) return std::unexpected(std::move(port.error()));
  return over(std::move(*port), swarm, timeout_millis);
}

Result<std::unique_ptr<RequestClient>> RequestClient::over(std::unique_ptr<LocalPort> port,
                                                           const SwarmId& swarm,
                                                           std::int64_t timeout_millis) {
  return over(port_over(std::move(port)), swarm, timeout_millis);
}

Result<std::unique_ptr<RequestClient>> RequestClient::over(std::unique_ptr<MessagePort> port,
                                                           const SwarmId& swarm,
                                                           std::int64_t timeout_millis) {
  if (Status shape = check_swarm_id(swarm.value()); !shape)
    return std::unexpected(std::move(shape.error()));
  auto parts = std::make_unique<Parts>(std::move(port), swarm);
  if (Status joined = parts->join(parts->in(timeout_millis)); !joined)
    return std::unexpected(std::move(joined.error()));
  return std::unique_ptr<RequestClient>(new RequestClient(std::move(parts)));
}

RequestClient::RequestClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RequestClient::~RequestClient() = default;

const Welcome& RequestClient::welcome() const {
  return parts_->welcome;
}

// ---- questions ---------------------------------------------------------------------------------

namespace {

Status check_revision(std::string_view what, Revision revision) {
  if (revision.value() <= limits::kNumberMax) return {};
  return failed(Code::kRejected, fmt::format("{}: expected a revision of at most {}, got {}", what,
                                             limits::kNumberMax, revision.value()));
}

Status check_question(const Ask& ask) {
  if (const auto* get = std::get_if<GetQuery>(&ask)) {
    if (get->keys.size() > limits::kRoundKeys)
      return failed(Code::kRejected, fmt::format("{} keys were named, one question has at most {}",
                                                 get->keys.size(), limits::kRoundKeys));
    for (const Key& key : get->keys)
      if (Status shape = check_key(key.value()); !shape) return shape;
    return check_revision("at least", get->at_least);
  } else if (const auto* list = std::get_if<ListQuery>(&ask)) {
    if (list->glob.size() > limits::kKeyBytes || !is_utf8(list->glob))
      return failed(Code::kRejected, fmt::format("the pattern: expected at most {} bytes of UTF-8",
                                                 limits::kKeyBytes));
    if (!list->after.empty())
      if (Status shape = check_key(list->after.value()); !shape) return shape;
    return check_revision("at least", list->at_least);
  }
  return {};
}

}  // namespace

Result<QueryResult> RequestClient::query(Ask ask, std::int64_t timeout_millis) {
  if (Status shape = check_question(ask); !shape) return std::unexpected(std::move(shape.error()));
  Parts& p = *parts_;
  const RequestId id = p.random.id<RequestId>();
  std::optional<Result<QueryResult>> answer;
  Parts::Asking asking;
  asking.request = id;
  asking.build = [&] { return Query{p.session, id, ask}; };
  asking.take = [&](const Message& message) {
    if (const auto* result = std::get_if<QueryResult>(&message); result && result->request == id) {
      answer = result->code == Code::kCommitted ? Result<QueryResult>(*result)
                                                : failed(result->code, result->text);
      if (result->code == Code::kCommitted) p.learn(result->at);
    } else if (const auto* error = std::get_if<ErrorReply>(&message);
               error && error->request == id) {
      answer = failed(error->code, error->text);
    }
    return answer ? Parts::Heard::kAnswer : Parts::Heard::kNothing;
  };
  Status asked = p.ask(asking, p.in(timeout_millis));
  if (answer) return std::move(*answer);
  if (asked.error().code == Code::kTimeout) return std::unexpected(p.no_answer("the question"));
  return std::unexpected(std::move(asked.error()));
}

Result<std::optional<EphemeralRefusal>> RequestClient::write_ephemeral(
    EphemeralEntry entry, std::int64_t timeout_millis) {
  if (Status shape = check_key(entry.key.value()); !shape)
    return std::unexpected(std::move(shape.error()));
  Parts& p = *parts_;
  std::optional<Result<std::optional<EphemeralRefusal>>> answer;
  SessionId within;
  std::uint64_t number = 0;
  Parts::Asking asking;
  asking.request = RequestId();
  // Each session counts its own from 1; the same number again is the same write.
  asking.build = [&] {
    if (within != p.session) number = p.next_ephemeral();
    within = p.session;
    return EphemeralWrite{p.session, number, {entry}};
  };
  asking.take = [&](const Message& message) {
    if (const auto* result = std::get_if<EphemeralResult>(&message);
        result && result->number == number) {
      answer = result->refused.empty() ? std::nullopt : std::optional(result->refused.front());
    } else if (const auto* error = std::get_if<ErrorReply>(&message)) {
      answer = failed(error->code, error->text);
    }
    return answer ? Parts::Heard::kAnswer : Parts::Heard::kNothing;
  };
  Status asked = p.ask(asking, p.in(timeout_millis));
  if (answer) return *std::move(answer);
  if (asked.error().code == Code::kTimeout) return std::unexpected(p.no_answer("the write"));
  return std::unexpected(std::move(asked.error()));
}

void RequestClient::stop_when(std::function<bool()> stop) {
  parts_->stop = std::move(stop);
}

void RequestClient::write_under(FenceToken fence) {
  parts_->fence = fence;
}

Result<ClaimResult> RequestClient::claim(ClaimRequest request, std::int64_t timeout_millis,
                                         const std::function<void(const ClaimResult&)>& waits) {
  Parts& p = *parts_;
  if (!request.request) request.request = p.random.id<RequestId>();
  const bool taking = request.verb == ClaimVerb::kTake;
  std::optional<Result<ClaimResult>> answer;
  std::uint32_t place = 0;
  Parts::Asking asking;
  asking.request = request.request;
  asking.build = [&] {
    request.session = p.session;
    return request;
  };
  asking.take = [&](const Message& message) {
    if (const auto* result = std::get_if<ClaimResult>(&message);
        result && result->request == request.request) {
      if (result->place == 0) {
        answer = *result;
      } else if (std::exchange(place, result->place) != result->place && waits) {
        waits(*result);
      }
    } else if (const auto* error = std::get_if<ErrorReply>(&message)) {
      answer = failed(error->code, error->text);
    }
    return answer ? Parts::Heard::kAnswer : Parts::Heard::kNothing;
  };
  const std::int64_t wait = taking ? std::min(request.wait_millis, limits::kClaimMillisMax) : 0;
  const Instant until = p.in(wait);
  const auto left = [&] { return (until - p.in(0)).count; };
  const auto wait_again = [&] {
    ClaimRequest again = request;
    again.wait_millis = std::max<std::int64_t>(left(), 1);
    return claim(std::move(again), timeout_millis, waits);
  };
  Status asked = p.ask(asking, p.in(timeout_millis + wait));
  if (!answer) {
    if (asked.error().code == Code::kTimeout)
      return std::unexpected(p.no_answer("about the claim"));
    return std::unexpected(std::move(asked.error()));
  }
  // An earlier sending of the same request may have ended the claim, and its answer was lost.
  if (*answer && (*answer)->reason == Reason::kStaleToken && asking.sendings > 1) {
    if (request.verb == ClaimVerb::kRelease) (*answer)->code = Code::kCommitted;
    if (request.verb == ClaimVerb::kHandover)
      return failed(Code::kUnknown,
                    "the claim may have been handed over by this or not at all; "
                    "see who holds it: " +
                        (*answer)->text);
  }
  // It stood still and lost its place in line.
  if (taking && *answer && (*answer)->code == Code::kTimeout && left() > kWorthWaitingMillis)
    return wait_again();
  // What was granted in line is held for a short time only, until its holder shows that it lives.
  if (place > 0 && *answer && (*answer)->code == Code::kCommitted) {
    ClaimRequest confirm;
    confirm.verb = ClaimVerb::kRenew;
    confirm.pattern = (*answer)->pattern;
    confirm.token = (*answer)->token;
    Result<ClaimResult> confirmed = claim(std::move(confirm), timeout_millis);
    // This process stood still for longer than the grant lasts. Asked again, under the same number:
    // it may have been granted once more meanwhile.
    if (confirmed && confirmed->reason == Reason::kStaleToken && left() > 0) return wait_again();
    // What the grant says of a task is not said again.
    if (confirmed && confirmed->code == Code::kCommitted) confirmed->task = (*answer)->task;
    return confirmed;
  }
  return *std::move(answer);
}

Result<CompactResult> RequestClient::compact(Revision floor, std::int64_t timeout_millis) {
  if (Status shape = check_revision("floor", floor); !shape)
    return std::unexpected(std::move(shape.error()));
  Parts& p = *parts_;
  const RequestId id = p.random.id<RequestId>();
  std::optional<Result<CompactResult>> answer;
  Parts::Asking asking;
  asking.request = id;
  asking.build = [&] { return CompactRequest{p.session, id, floor}; };
  asking.take = [&](const Message& message) {
    if (const auto* result = std::get_if<CompactResult>(&message);
        result && result->request == id) {
      answer = result->code == Code::kCommitted ? Result<CompactResult>(*result)
                                                : failed(result->code, result->text);
    } else if (const auto* error = std::get_if<ErrorReply>(&message);
               error && error->request == id) {
      answer = failed(error->code, error->text);
    }
    return answer ? Parts::Heard::kAnswer : Parts::Heard::kNothing;
  };
  Status asked = p.ask(asking, p.in(timeout_millis));
  if (answer) return std::move(*answer);
  if (asked.error().code == Code::kTimeout) return std::unexpected(p.no_answer("the compaction"));
  return std::unexpected(std::move(asked.error()));
}

Result<SyncReport> RequestClient::synchronise(const SyncRequest& request,
                                              std::int64_t timeout_millis) {
  if (request.keys.size() > limits::kRoundKeys)
    return failed(Code::kRejected, fmt::format("{} keys were named, one round has at most {}; ask "
                                               "for all, or in parts",
                                               request.keys.size(), limits::kRoundKeys));
  for (const Key& key : request.keys)
    if (Status shape = check_key(key.value()); !shape)
      return std::unexpected(std::move(shape.error()));
  Parts& p = *parts_;
  SyncRequest sent = request;
  sent.request = p.random.id<RequestId>();
  std::optional<Result<SyncReport>> answer;
  Parts::Asking asking;
  asking.request = sent.request;
  asking.build = [&] {
    sent.session = p.session;
    return sent;
  };
  asking.take = [&](const Message& message) {
    if (const auto* report = std::get_if<SyncReport>(&message);
        report && report->request == sent.request) {
      answer = *report;
    } else if (const auto* error = std::get_if<ErrorReply>(&message);
               error && error->request == sent.request) {
      answer = failed(error->code, error->text);
    }
    return answer ? Parts::Heard::kAnswer : Parts::Heard::kNothing;
  };
  Status asked = p.ask(asking, p.in(timeout_millis));
  if (answer) return std::move(*answer);
  if (asked.error().code == Code::kTimeout)
    return std::unexpected(p.no_answer("the synchronisation"));
  return std::unexpected(std::move(asked.error()));
}

// ---- writing -----------------------------------------------------------------------------------

Result<Outcome> RequestClient::write(std::vector<Entry> entries, std::int64_t timeout_millis,
                                     const std::optional<Cursor>& seen) {
  if (Status shape = check_entries(entries); !shape)
    return std::unexpected(std::move(shape.error()));
  Parts& p = *parts_;
  const Instant deadline = p.in(timeout_millis);
  Mutation mutation;
  mutation.incarnation = p.incarnation;
  mutation.seq = p.last.next();
  const bool earlier = seen && (seen->epoch != p.known.epoch || seen->revision < p.known.revision);
  const Cursor& speaks_of = earlier ? *seen : p.known;
  mutation.context.epoch = speaks_of.epoch;
  mutation.context.seen = speaks_of.revision;
  // An earlier state need not hold what this client wrote since.
  if (p.last && !earlier) mutation.context.own_through = {{p.incarnation, p.last}};
  mutation.hlc = p.stamp();
  mutation.entries = std::move(entries);
  mutation.fence = p.fence;

  std::optional<Outcome> answer;
  std::optional<Outcome> passing;  // the newest that consumed nothing
  std::optional<Error> refused;
  bool unsettled = false;  // the last sending was not answered
  bool restamped = false;
  Parts::Asking asking;
  asking.build = [&] {
    unsettled = true;
    Submit submit;
    submit.session = p.session;
    submit.epoch = p.welcome.epoch;
    if (mutation.seq > Seq(1))
      submit.confirmed = {{mutation.incarnation, Seq(mutation.seq.value() - 1)}};
    submit.mutations = {mutation};
    return submit;
  };
  const auto on_outcome = [&](const Outcome& outcome, Epoch epoch) {
    unsettled = false;
    if (outcome.final() || outcome.code == Code::kDuplicate) {
      answer = outcome;
      p.last = mutation.seq;
      p.learn({epoch, outcome.revision});
      return Parts::Heard::kAnswer;
    }
    if (outcome.code == Code::kStale && outcome.reason == Reason::kForeignEpoch)
      return Parts::Heard::kJoinAgain;
    if ((outcome.code == Code::kStale && asking.sendings == 1) || outcome.code == Code::kGap) {
      // This writer was forgotten, and this write surely was not applied: go on as a new writer. An
      // earlier sending of it could have been applied and forgotten too; then it is unknown.
      p.renew_writer();
      mutation.incarnation = p.incarnation;
      mutation.seq = Seq(1);
      asking.sendings = 0;
      return Parts::Heard::kSendAgain;
    }
    if (outcome.code == Code::kOverloaded || outcome.code == Code::kUnavailable) {
      passing = outcome;
      if (outcome.retry_millis > 0) {
        asking.later_millis = outcome.retry_millis;
        asking.refused = Error{outcome.code, outcome.text};
        return Parts::Heard::kSendLater;
      }
      if (outcome.reason != Reason::kClockAhead) return Parts::Heard::kNothing;
      p.clock_shift =
          static_cast<std::int64_t>(outcome.coordinator_wall_millis) - p.clock.now().wall_millis;
      p.hlc = HlcClock();
      mutation.hlc = p.stamp();
      return std::exchange(restamped, true) ? Parts::Heard::kNothing : Parts::Heard::kSendAgain;
    }
    answer = outcome;
    answer->code = Code::kUnknown;
    p.renew_writer();
    return Parts::Heard::kAnswer;
  };
  asking.take = [&](const Message& message) {
    if (const auto* error = std::get_if<ErrorReply>(&message);
        error && error->session == p.session && !error->request) {
      unsettled = false;
      if (error->code != Code::kOverloaded && error->code != Code::kUnavailable) {
        refused = Error{error->code, error->text};
        return Parts::Heard::kAnswer;
      }
      passing = Outcome{};
      passing->code = error->code;
      passing->text = error->text;
      return p.heard_later(message, asking);
    } else if (const auto* result = std::get_if<SubmitResult>(&message)) {
      for (const MutationResult& one : result->results)
        if (one.incarnation == mutation.incarnation && one.seq == mutation.seq)
          return on_outcome(one.outcome, result->epoch);
    }
    return Parts::Heard::kNothing;
  };
  const Status asked = p.ask(asking, deadline);
  if (refused) return std::unexpected(std::move(*refused));
  if (answer) return std::move(*answer);
  if (asking.sendings == 0) {
    if (asked.error().code != Code::kTimeout) return std::unexpected(asked.error());
    return failed(Code::kTimeout, fmt::format("{} could not be reached in time; the write was not "
                                              "sent",
                                              p.port->name()));
  }
  if (passing && !unsettled) return std::move(*passing);
  p.renew_writer();  // this seq may be consumed
  return failed(Code::kTimeout,
                fmt::format("unknown: the write was sent to {} and not answered in time; it may or "
                            "may not be applied, so read before you write it again",
                            p.port->name()));
}

// ---- deltas ------------------------------------------------------------------------------------

Result<RequestClient::Delta> RequestClient::delta(const Cursor& since, const std::string& prefix,
                                                  bool or_snapshot, std::int64_t timeout_millis) {
  if (prefix.size() > limits::kKeyBytes || !is_utf8(prefix))
    return failed(Code::kRejected,
                  fmt::format("the prefix: expected at most {} bytes of UTF-8", limits::kKeyBytes));
  if (since.revision.value() > limits::kNumberMax)
    return failed(Code::kRejected,
                  fmt::format("revision {} is beyond what can be counted", since.revision.value()));
  Parts& p = *parts_;
  const Instant deadline = p.in(timeout_millis);
  Delta delta;
  delta.from = since;
  // From nothing is a snapshot too: deletions before it mean nothing to its reader.
  bool snapshot = !since.revision;
  Cursor at = snapshot ? Cursor{p.welcome.epoch, {}} : since;
  Revision base = snapshot ? p.welcome.head : Revision{};
  std::map<Key, RecordPtr> latest;
  while (true) {
    const RequestId id = p.random.id<RequestId>();
    std::optional<Result<DeltaChunk>> answer;
    Parts::Asking asking;
    asking.request = id;
    asking.build = [&] {
      DeltaRequest request;
      request.session = p.session;
      request.request = id;
      request.cursor = at;
      request.base = base;
      request.prefix = prefix;
      return request;
    };
    asking.take = [&](const Message& message) {
      if (const auto* chunk = std::get_if<DeltaChunk>(&message); chunk && chunk->request == id) {
        answer = *chunk;
      } else if (const auto* error = std::get_if<ErrorReply>(&message);
                 error && error->request == id) {
        answer = failed(error->code, error->text);
      }
      return answer ? Parts::Heard::kAnswer : Parts::Heard::kNothing;
    };
    if (Status asked = p.ask(asking, deadline); !asked) {
      if (asked.error().code == Code::kTimeout)
        return std::unexpected(p.no_answer("the question for changes"));
      return std::unexpected(std::move(asked.error()));
    }
    if (!*answer) return std::unexpected(std::move(answer->error()));
    const DeltaChunk& chunk = **answer;
    const bool moved_on = at.revision && chunk.epoch != at.epoch && !latest.empty();
    if (chunk.reset || moved_on) {
      latest.clear();
      delta.text = chunk.text;
      if (!or_snapshot && !snapshot) {
        delta.reset = true;
        delta.to = {chunk.epoch, chunk.head};
        return delta;
      }
      snapshot = true;
      at = {chunk.epoch, {}};
      base = chunk.head;
      continue;
    }
    for (const Change& change : chunk.changes) {
      // A client holds nothing, and said so.
      if (change.delta)
        return failed(Code::kInternal, fmt::format("the coordinator answered with a change to a "
                                                   "version of '{}' that is not held here",
                                                   change.key.value()));
      if (snapshot && !change.record->live()) {
        latest.erase(change.key);
      } else {
        latest.insert_or_assign(change.key, change.record);
      }
    }
    at = {chunk.epoch, chunk.to};
    if (chunk.complete) break;
  }
  delta.to = at;
  delta.snapshot = snapshot;
  p.learn(at);
  for (auto& [key, record] : latest) {
    delta.bytes += wire_size(key, *record);
    delta.changes.push_back({key, std::move(record)});
  }
  // In the order of the commits, and of the keys within one.
  std::ranges::stable_sort(delta.changes, {},
                           [](const Change& change) { return change.record->version; });
  return delta;
}

Result<Cursor> RequestClient::parse_cursor(const std::string& text) const {
  const Welcome& welcome = parts_->welcome;
  const std::size_t at = text.find('@');
  const std::string epoch = at == std::string::npos ? std::string() : text.substr(0, at);
  const std::string revision = at == std::string::npos ? text : text.substr(at + 1);
  const auto refuse = [&](std::string_view why) {
    return failed(Code::kRejected,
                  fmt::format("'{}' is no cursor: {}; expected EPOCH@REVISION, a beginning of the "
                              "epoch will do, or a REVISION of the present epoch, for instance {}",
                              text, why, to_text(Cursor{welcome.epoch, welcome.head})));
  };
  Cursor cursor;
  cursor.epoch = welcome.epoch;
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(revision.data(), revision.data() + revision.size(), number);
  if (error != std::errc() || end != revision.data() + revision.size())
    return refuse("the revision is no number");
  if (number > limits::kNumberMax) return refuse("the revision is too large");
  cursor.revision = Revision(number);
  if (epoch.empty()) return cursor;
  if (epoch.size() > 16 || !is_hex(epoch))
    return refuse("an epoch has at most 16 digits of 0-9 and a-f");
  std::vector<Epoch> found;
  const auto consider = [&](Epoch one) {
    if (to_hex(one.value()).starts_with(epoch) && std::ranges::find(found, one) == found.end())
      found.push_back(one);
  };
  consider(welcome.epoch);
  for (const EpochEnd& end_of : welcome.lineage) consider(end_of.epoch);
  if (found.size() > 1) return refuse("more than one epoch begins so");
  if (found.size() == 1) {
    cursor.epoch = found.front();
  } else if (epoch.size() == 16) {
    // Of another coordinator or a lost history: the answer to it will be a reset.
    std::uint64_t foreign = 0;
    std::from_chars(epoch.data(), epoch.data() + epoch.size(), foreign, 16);
    cursor.epoch = Epoch(foreign);
  } else {
    return refuse("no epoch of this coordinator begins so");
  }
  return cursor;
}

Status RequestClient::check_known(const Cursor& cursor) const {
  const Welcome& welcome = parts_->welcome;
  Revision last = welcome.head;
  bool known = cursor.epoch == welcome.epoch;
  for (const EpochEnd& end_of : welcome.lineage) {
    if (end_of.epoch != cursor.epoch) continue;
    known = true;
    last = end_of.last;
  }
  if (!known)
    return failed(Code::kStale,
                  fmt::format("epoch {} is not known here", to_hex(cursor.epoch.value())));
  if (cursor.revision > last)
    return failed(Code::kStale, fmt::format("revision {} is beyond {}, the last of its epoch here",
                                            cursor.revision.value(), last.value()));
  return {};
}

}  // namespace waggle
