// Ephemeral keys: a write, its result, what ends with a session, updates, the state for who asks.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/shape.h"
#include "consensus/claim_record.h"
#include "coordinator/coordinator.h"
#include "coordinator/own_keys.h"

namespace waggle {
namespace {

// Cuts changes where they grow too large for a frame; `each` gets a run and whether it is the last.
template <typename Each>
void in_pieces(std::vector<Change> changes, const Each& each) {
  std::vector<Change> piece;
  std::size_t bytes = 0;
  for (Change& change : changes) {
    const std::size_t size = wire_size(change.key, *change.record);
    if (!piece.empty() && bytes + size > limits::kUpdateBytes) {
      each(std::exchange(piece, {}), false);
      bytes = 0;
    }
    bytes += size;
    piece.push_back(std::move(change));
  }
  each(std::move(piece), true);
}

}  // namespace

void Coordinator::on_ephemeral_write(Session& session, const EphemeralWrite& write) {
  Swarm* swarm = writable_by(session);
  if (swarm == nullptr) return;
  if (write.number == session.ephemeral_number && session.ephemeral_result) {
    count("ephemeral_writes_repeated");
    send(session.peer, session.ephemeral_result);
    return;
  }
  // Overtaken by its own repetition, or of a peer that doesn't wait for its results.
  if (write.number != session.ephemeral_number + 1) {
    count("ignored_ephemeral_writes");
    return;
  }
  EphemeralResult result;
  result.session = session.id;
  result.number = session.ephemeral_number = write.number;
  for (const EphemeralEntry& entry : write.entries)
    if (std::optional<EphemeralRefusal> refused = write_ephemeral(*swarm, session, entry))
      result.refused.push_back(*std::move(refused));
  result.at = swarm->ephemeral.at();
  session.ephemeral_result = make_message(std::move(result));
  send(session.peer, session.ephemeral_result);
}

std::optional<EphemeralRefusal> Coordinator::write_ephemeral(Swarm& swarm, const Session& session,
                                                             const EphemeralEntry& entry) {
  const auto refused = [&](Code code, Reason reason, std::string text) {
    count("ephemeral_writes_refused");
    return EphemeralRefusal{entry.key, code, reason, std::move(text)};
  };
  if (is_own_key(entry.key.value()))
    return refused(
        Code::kRejected, Reason::kReserved,
        fmt::format("'{}' is of the coordinator's own keys, and durable", entry.key.value()));
  if (std::optional<std::string> text = not_allowed(session, Act::kWrite, entry.key.value()))
    return refused(Code::kDenied, Reason::kNotAllowed, *std::move(text));
  if (!all_may_read(swarm, entry.key))
    return refused(
        Code::kDenied, Reason::kNotAllowed,
        fmt::format("an ephemeral key goes to everybody, and by the coordinator's access "
                    "file not everybody may read '{}'",
                    entry.key.value()));
  // An entry brings no token: of a claim only the holder itself may write.
  const Claim* claim = swarm.claims.over(entry.key.value());
  if (claim != nullptr && claim->holder != Claimant{session.agent, session.process})
    return refused(Code::kDenied, Reason::kClaimed,
                   *claimed(swarm, entry.key.value(), FenceToken()));
  const Policy& policy = options_.policies.of(entry.key.value());
  if (!policy.ephemeral)
    return refused(Code::kRejected, Reason::kWrongClass,
                   fmt::format("'{}' is durable by its policy; write it without `ephemeral`, or "
                               "give a prefix of it `class = \"ephemeral\"`",
                               entry.key.value()));
  if (const RecordPtr standing = swarm.state.find(entry.key); standing && standing->live())
    return refused(Code::kRejected, Reason::kWrongClass,
                   fmt::format("'{}' is a durable key from before its policy said ephemeral; "
                               "delete it without `ephemeral` first",
                               entry.key.value()));
  const Writer writer{session.agent, session.process, {}};
  if (!entry.value) {
    swarm.ephemeral.erase(entry.key, writer, now_.wall_millis);
    return std::nullopt;
  }
  const bool owned = session.role == Role::kMember;
  if (!owned && !policy.live_millis)
    return refused(Code::kRejected, Reason::kInvalid,
                   fmt::format("an ephemeral key goes with the session of its writer, which ends "
                               "here with the command; give the policy of '{}' a `time_to_live`, "
                               "or write it from an agent that stays",
                               policy.prefix));
  if (entry.value->bytes.size() > limits::kEphemeralValueBytes)
    return refused(Code::kRejected, Reason::kTooLarge,
                   fmt::format("the value has {} bytes, an ephemeral one has at most {}",
                               entry.value->bytes.size(), limits::kEphemeralValueBytes));
  if (std::optional<std::string> text = too_large(entry.key, &*entry.value))
    return refused(Code::kRejected, Reason::kTooLarge, *std::move(text));
  const std::int64_t left = policy.live_millis.value_or(0) - entry.age_millis;
  if (policy.live_millis && left <= 0)
    return refused(Code::kStale, Reason::kNone,
                   fmt::format("it was written {} ms ago, and lives for {} ms", entry.age_millis,
                               *policy.live_millis));
  Record record;
  record.value = *entry.value;
  record.commit_wall_millis = now_.wall_millis;
  record.writer = writer;
  record.metadata = entry.metadata;
  record.content = content_hash(*record.value);
  const RecordPtr before = swarm.ephemeral.find(entry.key);
  const std::size_t others = swarm.ephemeral.bytes() - (before ? wire_size(entry.key, *before) : 0);
  if (others + wire_size(entry.key, record) > limits::kEphemeralBytes)
    return refused(Code::kOverloaded, Reason::kStateFull,
                   fmt::format("the swarm's ephemeral keys have {} bytes, at most {} are allowed; "
                               "delete some, or make them durable",
                               swarm.ephemeral.bytes(), limits::kEphemeralBytes));
  count("ephemeral_writes");
  group_bytes_ += wire_size(entry.key, record);
  swarm.ephemeral.put(entry.key, std::move(record), owned ? session.id : SessionId(),
                      policy.live_millis ? now_.monotonic + Millis{left} : Instant::never());
  return std::nullopt;
}

// `successor`: another session of the same process, which keeps what that one had.
void Coordinator::end_ephemeral(Swarm& swarm, const Session& ended, const Session* successor) {
  if (successor != nullptr) {
    swarm.ephemeral.hand_over(ended.id, successor->id);
  } else {
    swarm.ephemeral.end(ended.id, now_.wall_millis);
  }
}

void Coordinator::publish_ephemeral(Swarm& swarm) {
  std::optional<EphemeralKeys::News> news = swarm.ephemeral.take_news();
  if (!news) return;
  choose_packing(news->changes);
  Revision from = news->from;
  in_pieces(std::move(news->changes), [&](std::vector<Change> changes, bool last) {
    EphemeralUpdate update;
    update.swarm = swarm.state.id();
    update.start = start_;
    update.broadcast = swarm.broadcast = swarm.broadcast.next();
    update.from = from;
    update.to = last ? news->to : changes.back().record->version;
    from = update.to;
    update.changes = std::move(changes);
    actions_->send.emplace_back(Broadcast{update.swarm, make_message(std::move(update))});
  });
}

void Coordinator::on_ephemeral_request(Session& session, const EphemeralRequest& request) {
  EphemeralState state;
  state.session = session.id;
  state.request = request.request;
  std::vector<Change> all;
  if (const Swarm* swarm = find(session.swarm)) {
    state.at = swarm->ephemeral.at();
    all = swarm->ephemeral.list({}, {}, std::nullopt, SIZE_MAX);
  }
  choose_packing(all);
  count("ephemeral_states_sent");
  in_pieces(std::move(all), [&](std::vector<Change> changes, bool last) {
    state.last = last;
    state.changes = std::move(changes);
    send(session.peer, make_message(state));
    ++state.piece;
  });
}

// Adds the ephemeral keys to a page of durable ones.
void Coordinator::list_ephemeral(const Swarm& swarm, const ListQuery& list, QueryResult& result) {
  if (swarm.ephemeral.size() == 0) return;
  const std::size_t limit = list.limit == 0 ? SIZE_MAX : list.limit;
  std::optional<Key> last;
  if (result.more && !result.changes.empty()) last = result.changes.back().key;
  std::vector<Change> more = swarm.ephemeral.list(list.glob, list.after, last, limit);
  std::size_t bytes = 0;
  for (const Change& change : result.changes) bytes += wire_size(change.key, *change.record);
  std::vector<Change> both;
  both.reserve(result.changes.size() + more.size());
  std::ranges::merge(result.changes, more, std::back_inserter(both), {}, &Change::key,
                     &Change::key);
  std::size_t taken = std::min(limit, both.size());
  // Bound: a page of each; at least one key.
  std::size_t page = 0;
  for (std::size_t i = 0; i < taken; ++i) {
    page += wire_size(both[i].key, *both[i].record);
    if (i > 0 && page > bytes + limits::kChunkBytes) taken = i;
  }
  if (both.size() > taken) {
    both.resize(taken);
    result.more = true;
  }
  result.changes = std::move(both);
}

}  // namespace waggle
