// What is more than its sender may send: judged before it is looked at, refused or ignored. The
// accounts are in allowances.h.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "coordinator/coordinator.h"

namespace waggle {
namespace {

// Keep who sends them in the swarm, its rounds and its claims, or end that: not refused to anybody
// who behaves at all.
bool is_control(const Message& message) {
  const auto* claim = std::get_if<ClaimRequest>(&message);
  if (claim != nullptr && claim->verb != ClaimVerb::kTake) return true;
  return std::holds_alternative<AgentHeartbeat>(message) || std::holds_alternative<Bye>(message) ||
         std::holds_alternative<StateResponse>(message);
}

std::uint64_t writes_in(const Message& message) {
  if (const auto* submit = std::get_if<Submit>(&message)) return submit->mutations.size();
  if (const auto* ephemeral = std::get_if<EphemeralWrite>(&message))
    return ephemeral->entries.size();
  return 0;
}

RequestId request_of(const Message& message) {
  RequestId request;
  std::visit(
      [&](const auto& m) {
        if constexpr (requires { m.request; }) request = m.request;
      },
      message);
  return request;
}

struct Worded {
  const char* unit;
  const char* setting;
  const char* counter;
};
Worded worded(Limit limit) {
  switch (limit) {
    case Limit::kMessages:
      return {"messages", "limits.messages_per_second", "over_limit_messages"};
    case Limit::kWrites:
      return {"writes", "limits.writes_per_second", "over_limit_writes"};
    case Limit::kBytes:
      return {"bytes", "limits.bytes_per_second", "over_limit_bytes"};
  }
  return {"", "", ""};
}

}  // namespace

std::string Coordinator::over_limit_text(std::string_view who, const Allowances::Refusal& refusal,
                                         const Allowances::Cost& cost, std::uint64_t taken) const {
  const Worded words = worded(refusal.limit);
  std::string came;
  if (refusal.limit == Limit::kWrites) {
    came = taken > 0 ? fmt::format("{} writes came together, {} of them too soon", cost.writes,
                                   cost.writes - taken)
                     : fmt::format("{} more came too soon", cost.writes);
  } else if (refusal.limit == Limit::kBytes) {
    came = fmt::format("a message of {} bytes came too soon", cost.bytes);
  } else {
    came = "one more came too soon";
  }
  return fmt::format(
      "{} may send {} {} a second, and {} at once ({}); {}: come back in {} ms",
      refusal.together ? std::string_view("all clients of this swarm together") : who,
      refusal.per_second, words.unit, refusal.burst, words.setting, came, refusal.retry.count);
}

// Of one who has no session: by its connection.
bool Coordinator::admits_stranger(const Received& received) {
  if (received.bytes == 0 || !options_.limits.bound_rates()) return true;
  const auto* hello = std::get_if<Hello>(received.message.get());
  Sender sender = Sender::of_stranger(received.peer);
  if (hello != nullptr && hello->role == Role::kClient)
    sender = Sender::of_client(hello->swarm, received.peer);
  const Allowances::Cost cost{.messages = 1, .bytes = received.bytes};
  const std::optional<Allowances::Refusal> refusal =
      allowances_.take(sender, cost, now_.monotonic).refusal;
  if (!refusal) return true;
  count(worded(refusal->limit).counter);
  if (!allowances_.answers(sender, now_.monotonic)) {
    ignore(sender, received.peer, nullptr);
  } else if (hello != nullptr) {
    refuse(received.peer, Code::kOverloaded, over_limit_text("this connection", *refusal, cost, 0),
           std::max<std::int64_t>(refusal->retry.count, 1));
  }
  return false;
}

// How many writes of the message may be stepped; nothing: none of it, which was said if it was not
// ignored. What of its writes is too much is told when they are stepped.
std::optional<Coordinator::Admitted> Coordinator::admits(Session& session,
                                                         const Received& received) {
  if (received.bytes == 0 || !options_.limits.bound_rates()) return Admitted{};
  const Message& message = *received.message;
  const Allowances::Cost cost{1, writes_in(message), received.bytes};
  if (is_control(message)) {
    if (allowances_.owe(session.sender, cost, now_.monotonic)) return Admitted{};
    count("over_limit_messages");
    ++session.over_limit;
    ignore(session.sender, received.peer, &session);
    return std::nullopt;
  }
  const bool submit = std::holds_alternative<Submit>(message);
  const Allowances::Taken taken = allowances_.take(session.sender, cost, now_.monotonic, submit);
  if (!taken.refusal) return Admitted{};
  const std::uint64_t refused = std::max<std::uint64_t>(cost.writes - taken.writes, 1);
  count(worded(taken.refusal->limit).counter, taken.refusal->limit == Limit::kWrites ? refused : 1);
  session.over_limit += refused;
  if (!allowances_.answers(session.sender, now_.monotonic)) {
    ignore(session.sender, received.peer, &session);
    return std::nullopt;
  }
  const std::string who = session.role == Role::kClient
                              ? std::string("this client")
                              : fmt::format("agent '{}'", session.agent.value());
  Admitted admitted;
  admitted.writes = taken.writes;
  admitted.refused.code = Code::kOverloaded;
  admitted.refused.reason = Reason::kRateLimit;
  admitted.refused.retry_millis = std::max<std::int64_t>(taken.refusal->retry.count, 1);
  admitted.refused.text = over_limit_text(who, *taken.refusal, cost, taken.writes);
  if (submit && taken.writes > 0) return admitted;
  if (submit && cost.writes > 0) {
    // By its first write, as if that had been looked at: it closes the window.
    const Mutation& first = std::get<Submit>(message).mutations.front();
    if (const Swarm* swarm = find(session.swarm)) admitted.refused.revision = swarm->state.head();
    Waiting& waiting = results_[session.id];
    waiting.peer = session.peer;
    waiting.results.push_back({first.incarnation, first.seq, std::move(admitted.refused)});
    return std::nullopt;
  }
  send(received.peer,
       make_message(ErrorReply{session.id, request_of(message), Code::kOverloaded,
                               std::move(admitted.refused.text), admitted.refused.retry_millis}));
  return std::nullopt;
}

// It does not mind what it is told. Told once a second, and read only now and then.
void Coordinator::ignore(const Sender& sender, const PeerId& peer, const Session* session) {
  count("over_limit_ignored");
  const Allowances::Ignored ignored = allowances_.ignore(sender, now_.monotonic);
  if (ignored.begins) actions_->send.emplace_back(IgnorePeer{peer, Allowances::kIgnoredMillis});
  if (ignored.tell == 0 || session == nullptr) return;
  ErrorReply reply;
  reply.session = session->id;
  reply.code = Code::kOverloaded;
  reply.retry_millis = Allowances::kIgnoredMillis;
  reply.text = fmt::format(
      "{} messages over the limits of this agent were not answered any more, and others were not "
      "even read: mind the time to come back that earlier answers named",
      ignored.tell);
  send(peer, make_message(std::move(reply)));
}

// Of new keys. Nothing: there is room.
std::optional<std::string> Coordinator::keys_full(const Swarm& swarm, const Session& session,
                                                  std::uint64_t fresh) const {
  if (!session.sender.counted() || options_.limits.keys == 0 || fresh == 0) return std::nullopt;
  const std::uint64_t shares = session.role == Role::kClient ? Allowances::kClientsShares : 1;
  const std::uint64_t most = std::min(options_.limits.keys, TokenBucket::kMax) * shares;
  const std::uint64_t owned = swarm.state.owned_by(session.agent);
  if (owned + fresh <= most) return std::nullopt;
  return fmt::format(
      "{} made {} of this swarm's keys as they are now, and {} more would be above its limit of {} "
      "(limits.keys); delete some first",
      session.role == Role::kClient ? std::string("clients")
                                    : fmt::format("agent '{}'", session.agent.value()),
      owned, fresh, most);
}

std::string Coordinator::too_large_text(const Key& key, std::size_t bytes) const {
  return fmt::format("'{}' would have {} bytes, a value has at most {} here (limits.value_bytes)",
                     key.value(), bytes, options_.limits.value_bytes);
}

// Nothing: it is not.
std::optional<std::string> Coordinator::too_large(const Key& key, const Register* value) const {
  if (value == nullptr || value->bytes.size() <= options_.limits.value_bytes) return std::nullopt;
  return too_large_text(key, value->bytes.size());
}

std::uint32_t Coordinator::history_kept(const Key& key) const {
  return std::min(options_.policies.of(key.value()).history_kept(), options_.limits.history);
}

}  // namespace waggle
