// Deltas, questions, compaction.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"
#include "coordinator/coordinator.h"

namespace waggle {
namespace {

constexpr std::uint64_t kForgottenAtOnce = 1'024;
constexpr std::int64_t kForgetGraceMillis = 10 * 60 * 1000;
constexpr std::size_t kAnswerBytes = std::size_t{1} << 20;

}  // namespace

void Coordinator::on_delta_request(Session& session, const DeltaRequest& request) {
  Swarm* swarm = find(session.swarm);
  DeltaChunk chunk;
  chunk.session = session.id;
  chunk.request = request.request;
  chunk.epoch = store_.epoch;
  if (swarm == nullptr) {
    send_error(session, request.request, Code::kNotFound,
               fmt::format("there is no swarm '{}' here; it begins with its first member or write",
                           session.swarm.value()));
    return;
  }
  const SwarmState& state = swarm->state;
  chunk.head = state.head();
  chunk.floor = state.floor();

  // A cursor of an earlier epoch is good up to that epoch's end in the lineage.
  Revision since = request.cursor.revision;
  if (since && request.cursor.epoch != store_.epoch) {
    const Lineage& lineage = state.row().lineage;
    const auto end = std::find_if(lineage.begin(), lineage.end(), [&](const EpochEnd& e) {
      return e.epoch == request.cursor.epoch;
    });
    if (end == lineage.end() || since > end->last) {
      chunk.reset = true;
      chunk.text =
          end == lineage.end()
              ? fmt::format("epoch {:016x} is not known here", request.cursor.epoch.value())
              : fmt::format("epoch {:016x} ended at revision {} here", request.cursor.epoch.value(),
                            end->last.value());
    }
  }
  if (!chunk.reset && since > state.head()) {
    // Its history went on where ours stopped: this store was rolled back behind our back.
    count("cursors_beyond_head");
    chunk.reset = true;
    chunk.text = fmt::format(
        "revision {} is beyond the head {}: there is no such state here; if "
        "somebody held it, the store of this coordinator was rolled back",
        since.value(), state.head().value());
  }
  if (!chunk.reset && state.floor() > std::max(since, request.base)) {
    chunk.reset = true;
    chunk.text = fmt::format("deletions up to revision {} are forgotten, which is after {}",
                             state.floor().value(), std::max(since, request.base).value());
  }
  chunk.from = since;
  if (chunk.reset) {
    count("delta_resets");
    send(session.peer, make_message(std::move(chunk)));
    return;
  }
  const std::size_t bytes_max = request.bytes_max == 0
                                    ? limits::kChunkBytes
                                    : std::min<std::size_t>(request.bytes_max, limits::kChunkBytes);
  SwarmState::Scan scan = state.changed_since(since, request.prefix, bytes_max, request.holds);
  chunk.to = scan.to;
  chunk.complete = scan.complete;
  chunk.changes = std::move(scan.changes);
  keep_readable(*session.rights, chunk.changes);
  choose_packing(chunk.changes);
  if (chunk.complete) {
    chunk.applied = swarm->writers.through(session.agent);
    swarm->served.insert(chunk.to);
  }
  count("delta_chunks");
  count("delta_changes", chunk.changes.size());
  send(session.peer, make_message(std::move(chunk)));
}

void Coordinator::on_query(Session& session, const Query& query) {
  QueryResult result;
  result.session = session.id;
  result.request = query.request;
  result.level = options_.level;
  result.at.epoch = store_.epoch;
  result.version = options_.version;
  result.writable = writable_;
  result.uptime_millis = (now_.monotonic - started_at_).count;
  Swarm* swarm = find(session.swarm);
  if (swarm != nullptr) result.at.revision = swarm->state.head();

  if (std::holds_alternative<StatusQuery>(query.ask)) {
    answer_status(session, result);
    send(session.peer, make_message(std::move(result)));
    return;
  }
  if (swarm == nullptr) {
    result.code = Code::kNotFound;
    result.text =
        fmt::format("there is no swarm '{}' here; it begins with its first member or write",
                    session.swarm.value());
    send(session.peer, make_message(std::move(result)));
    return;
  }
  const auto enough = [&](Revision at_least) {
    if (at_least <= swarm->state.head()) return true;
    result.code = Code::kStale;
    result.text = fmt::format("revision {} was asked for at least, the head is {}",
                              at_least.value(), swarm->state.head().value());
    return false;
  };
  if (const auto* get = std::get_if<GetQuery>(&query.ask)) {
    for (const Key& key : get->keys)
      if (std::optional<std::string> text = not_allowed(session, Act::kRead, key.value())) {
        answer_denied(session, std::move(result), *std::move(text));
        return;
      }
    if (enough(get->at_least)) {
      std::size_t bytes = 0;
      for (const Key& key : get->keys) {
        RecordPtr record = swarm->state.find(key);
        if (record && !record->live()) record = nullptr;
        if (!record) record = swarm->ephemeral.find(key);
        if (record) bytes += wire_size(key, *record);
        if (bytes > kAnswerBytes && !result.changes.empty()) {
          result.more = true;
          break;
        }
        result.changes.push_back({key, std::move(record)});
      }
    }
  } else if (const auto* list = std::get_if<ListQuery>(&query.ask)) {
    if (enough(list->at_least)) {
      SwarmState::Listing listing = swarm->state.list(
          list->glob, list->after, list->limit == 0 ? SIZE_MAX : list->limit, limits::kChunkBytes);
      result.changes = std::move(listing.changes);
      result.more = listing.more;
      list_ephemeral(*swarm, *list, result);
      keep_readable(*session.rights, result.changes);
    }
  } else if (const auto* conflicts = std::get_if<ConflictsQuery>(&query.ask)) {
    answer_conflicts(*swarm, *conflicts, result);
    std::erase_if(result.conflicts, [&](const ParkedConflict& conflict) {
      return !session.rights->allows(Act::kRead, conflict.key.value());
    });
  } else if (const auto* receipts = std::get_if<ReceiptsQuery>(&query.ask)) {
    if (std::optional<std::string> text =
            receipts->key.empty() ? not_allowed_all(session, Act::kRead, "*")
                                  : not_allowed(session, Act::kRead, receipts->key.value())) {
      answer_denied(session, std::move(result), *std::move(text));
      return;
    }
    const std::size_t page = limits::kReceiptsPage;
    const std::size_t limit =
        receipts->limit == 0 ? page : std::min<std::size_t>(receipts->limit, page);
    actions_->send.emplace_back(SendReceipts{
        session.peer, std::move(result), {session.swarm, receipts->key, receipts->after, limit}});
    return;
  } else if (std::holds_alternative<AgentsQuery>(query.ask)) {
    for (const Session* member : sessions_.of_swarm(session.swarm)) {
      result.agents.push_back(
          {member->agent, member->role, sessions_.health(*member, now_.monotonic), member->attached,
           member->cursor, (now_.monotonic - member->heard).count, member->id, member->over_limit});
    }
  }
  choose_packing(result.changes);
  send(session.peer, make_message(std::move(result)));
}

void Coordinator::answer_denied(const Session& session, QueryResult result, std::string text) {
  result.code = Code::kDenied;
  result.text = std::move(text);
  send(session.peer, make_message(std::move(result)));
}

void Coordinator::answer_status(const Session& session, QueryResult& result) {
  std::size_t ephemeral_keys = 0;
  std::size_t claims = 0;
  for (const auto& [id, swarm] : swarms_) {
    // With keys or rules a swarm is shown to who is in it.
    const bool may_know = access_ == nullptr || id == session.swarm;
    if (!session.inner && (!may_know || (session.who != nullptr && !session.who->enters(id))))
      continue;
    SwarmInfo info;
    info.swarm = id;
    info.head = swarm->state.head();
    info.floor = swarm->state.floor();
    info.digest = swarm->state.digest();
    info.keys = swarm->state.live_keys();
    info.tombstones = swarm->state.tombstones();
    info.state_bytes = swarm->state.bytes();
    ephemeral_keys += swarm->ephemeral.size();
    claims += swarm->claims.size();
    info.agents = sessions_.of_swarm(id).size();
    info.open_rounds = rounds_.open(id);
    info.channel = swarm->channel;
    result.swarms.push_back(std::move(info));
  }
  for (const auto& [name, value] : counters_) result.counters.push_back({name, value});
  result.counters.push_back({"sessions", sessions_.size()});
  result.counters.push_back({"ephemeral_keys", ephemeral_keys});
  result.counters.push_back({"claims", claims});
  result.counters.insert(result.counters.end(), measured_.begin(), measured_.end());
  std::ranges::sort(result.counters, {}, &NamedCount::name);
}

void Coordinator::on_compact(Session& session, const CompactRequest& request) {
  CompactResult result;
  result.session = session.id;
  result.request = request.request;
  Swarm* swarm = find(session.swarm);
  if (swarm == nullptr) {
    result.code = Code::kNotFound;
    result.text = fmt::format("there is no swarm '{}' here", session.swarm.value());
  } else if (std::optional<std::string> text = not_allowed_all(session, Act::kAdminister, "*")) {
    result.code = Code::kDenied;
    result.text = *std::move(text);
  } else if (request.floor > swarm->state.head()) {
    result.code = Code::kRejected;
    result.text = fmt::format("the floor can't be raised to {}, the head is {}",
                              request.floor.value(), swarm->state.head().value());
  } else if (!writable_) {
    result.code = Code::kUnavailable;
    result.text = not_writable_text_;
  } else {
    Revision floor = request.floor;
    if (!floor) {
      // The lowest cursor of those who are attached: none of them needs a snapshot for it.
      floor = swarm->state.head();
      for (const Session* member : sessions_.of_swarm(session.swarm))
        if (member->attached && member->cursor.epoch == store_.epoch)
          floor = std::min(floor, member->cursor.revision);
    }
    if (floor > swarm->state.floor()) {
      result.forgotten = raise_floor(*swarm, floor, UINT64_MAX);
    }
    result.floor = swarm->state.floor();
    note_administered(session, "compact");
  }
  send(session.peer, make_message(std::move(result)));
}

// What is deleted and forgotten has no earlier versions any more. How many keys were.
std::uint64_t Coordinator::raise_floor(Swarm& swarm, Revision floor, std::uint64_t most) {
  std::vector<Row>& rows = actions_->persist.rows;
  const std::vector<Key> forgotten = swarm.state.raise_floor(floor, most, rows);
  for (const Key& key : forgotten) swarm.history.forget(key, rows);
  swarm.row_dirty = true;
  return forgotten.size();
}

void Coordinator::forget_old(Swarm& swarm) {
  if (!writable_) return;
  SwarmState& state = swarm.state;
  std::vector<Row>& rows = actions_->persist.rows;
  if (state.tombstones() > 0) {
    Revision floor = state.floor();
    if (state.tombstones() > options_.tombstones_max)
      floor = state.tombstone_version(state.tombstones() - options_.tombstones_max - 1);
    floor = std::max(floor, state.newest_tombstone_before(
                                now_.wall_millis - options_.tombstone_millis, kForgottenAtOnce));
    if (floor > state.floor()) {
      count("tombstones_forgotten", raise_floor(swarm, floor, kForgottenAtOnce));
    }
  }
  // Members have their time to come back after a start.
  const bool members = now_.monotonic - started_at_ >= Millis{kForgetGraceMillis};
  if (swarm.writers.forget_old(now_.wall_millis, members, state.row(), rows))
    swarm.row_dirty = true;
}

}  // namespace waggle
