// Updates, holes, catch-up by staged pulls, digest.

#include <algorithm>
#include <utility>

#include "agent/agent.h"
#include "base/check.h"
#include "consensus/claim_record.h"

namespace waggle {
namespace {

constexpr std::int64_t kPullJitterMillis = 100;
constexpr std::uint64_t kBehindChunks = 64;  // beyond the first head: the link is too slow

std::size_t size_of(const StateUpdate& update) {
  std::size_t size = 64;
  for (const Change& change : update.changes) size += wire_size(change);
  return size;
}

}  // namespace

void Agent::on_update(const MessagePtr& message) {
  const auto& update = std::get<StateUpdate>(*message);
  if (!welcomed()) {
    count("ignored_before_welcome");
    return;
  }
  if (update.start != start_) {
    rejoin(Code::kUnavailable, "the coordinator was restarted");
    return;
  }
  broadcast_ = std::max(broadcast_, update.broadcast);
  if (update.epoch != epoch_) {
    count("ignored_foreign_epoch");
    return;
  }
  head_ = std::max(head_, update.to);
  if (pull_ || !replica_.holds_state() || replica_.cursor().epoch != epoch_) {
    hold(message);
    return;
  }
  if (!apply_update(update)) {
    count(update.from > replica_.cursor().revision ? "holes" : "private_updates");
    hold(message);
    want_pull();
    return;
  }
  apply_held();
}

bool Agent::apply_update(const StateUpdate& update) {
  const Cursor from = replica_.cursor();
  if (update.to <= from.revision) return true;
  if (update.from > from.revision) return false;
  // Some of it goes only to those who may read it, and is pulled.
  if (private_keys_ && update.elided > 0) return false;
  StateChanged change;
  change.from = from;
  change.to = {epoch_, update.to};
  change.round = update.round;
  change.cleared = update.cleared;
  for (const Change& one : update.changes) {
    // Of an update that reaches below the cursor only what is above it is news.
    if (one.record->version <= from.revision) continue;
    Result<Change> whole = completed(one, replica_.find(one.key).get());
    if (!whole) {
      miss_base(whole.error());
      return false;
    }
    change.changes.push_back(*std::move(whole));
  }
  if (update.cleared) {
    replica_.clear();
    keep_cursor(change.to, true);
  }
  std::vector<WriteOverruled> overruled;
  for (const Change& one : change.changes) {
    note_overruled(one, overruled);
    replica_.apply(one);
    keep_record(one);
  }
  for (const Applied& applied : update.applied)
    if (applied.agent == options_.agent)
      outbox_.reflected(applied.incarnation, applied.seq_through, update.to);
  moved(std::move(change));
  for (WriteOverruled& one : overruled) tell(std::move(one));
  return true;
}

void Agent::note_overruled(const Change& change, std::vector<WriteOverruled>& overruled) const {
  const Choice* const choice = change.record->choice.get();
  if (choice == nullptr || choice->writer.agent != options_.agent || !replica_.holds_state())
    return;
  const RecordPtr held = replica_.find(change.key);
  if (held && held->version == change.record->version) return;
  overruled.push_back(
      {change.key, choice->writer.incarnation, choice->writer.seq, choice->over, change.record});
}

// A delta is against a value that this agent does not hold, or gives another one than it promises:
// the next pull asks for whole records, and where the state held is at fault, for all of them.
void Agent::miss_base(const Error& error) {
  count("delta_bases_missed");
  whole_records_ = true;
  if (error.code != Code::kCorrupt) return;
  count("deltas_damaged");
  snapshot_wanted_ = true;
}

// The committed state is at a new revision: the cursor follows, and whoever waited for it.
void Agent::moved(StateChanged change) {
  replica_.advance(change.to);
  moved_in_ = start_;
  keep_cursor(change.to, false);
  outbox_.drop_reflected(change.to.revision);
  std::vector<Change> claims;
  for (const Change& one : change.changes)
    if (is_claim_key(one.key.value())) claims.push_back(one);
  tell(std::move(change));
  for (const Change& one : claims) on_claim_record(one);
  serve_reads();
}

void Agent::keep_record(const Change& change) {
  if (!options_.stored) return;
  rows().emplace_back(ReplicaRow{change.key, change.record->live() ? change.record : nullptr});
}

void Agent::keep_cursor(const Cursor& cursor, bool wiped) {
  if (options_.stored) rows().emplace_back(ReplicaCursorRow{cursor, wiped, held_view_});
}

void Agent::hold(const MessagePtr& message) {
  held_.push_back(message);
  held_bytes_ += size_of(std::get<StateUpdate>(*message));
  while (held_bytes_ > limits::kHeldUpdateBytes && held_.size() > 1) {
    held_bytes_ -= size_of(std::get<StateUpdate>(*held_.front()));
    held_.pop_front();
    count("held_updates_dropped");
  }
}

void Agent::apply_held() {
  // Broadcasts may come reordered: go through them by where they begin.
  std::stable_sort(held_.begin(), held_.end(), [](const MessagePtr& a, const MessagePtr& b) {
    return std::get<StateUpdate>(*a).from < std::get<StateUpdate>(*b).from;
  });
  while (!held_.empty()) {
    const MessagePtr message = held_.front();
    const auto& update = std::get<StateUpdate>(*message);
    if (update.epoch == epoch_ && update.start == start_ && !apply_update(update)) {
      want_pull();
      return;
    }
    held_bytes_ -= size_of(update);
    held_.pop_front();
  }
}

// ---- catch-up ----------------------------------------------------------------------------------

// Soon, with jitter: what one agent missed a thousand may have missed at the same moment.
void Agent::want_pull() {
  if (pull_ || pull_at_ != Instant::never()) return;
  pull_at_ = in(random_.between(0, kPullJitterMillis));
}

void Agent::begin_pull(bool snapshot) {
  pull_at_ = Instant::never();
  snapshot = std::exchange(snapshot_wanted_, false) || snapshot || !same_view();
  Pull pull;
  pull.snapshot = snapshot;
  pull.holds = !std::exchange(whole_records_, false);
  pull.from = replica_.cursor();
  if (snapshot) {
    pull.base = head_;
    count("snapshots");
  } else {
    pull.since = replica_.cursor().revision;
    count("deltas");
  }
  pull_ = std::move(pull);
  ask_chunk();
}

void Agent::ask_chunk() {
  pull_->request = random_.id<RequestId>();
  pull_->resend_at = in(jittered(pull_->resend_millis));
  DeltaRequest request;
  request.session = session_;
  request.request = pull_->request;
  // Until the first chunk came, a held state's cursor may be of an earlier epoch.
  const bool first = !pull_->snapshot && pull_->chunks == 0;
  request.cursor = {first ? pull_->from.epoch : epoch_, pull_->since};
  request.base = pull_->base;
  request.bytes_max = options_.chunk_bytes;
  request.holds = pull_->holds;
  up(make_message(request));
}

void Agent::on_chunk(const DeltaChunk& chunk) {
  if (!pull_ || chunk.request != pull_->request || chunk.epoch != epoch_) {
    count("ignored_old_chunk");
    return;
  }
  head_ = std::max(head_, chunk.head);
  if (chunk.reset) {
    count("resets");
    head_ = chunk.head;
    begin_pull(true);
    return;
  }
  if (chunk.from != pull_->since || chunk.to < chunk.from) {
    count("ignored_odd_chunk");
    return;
  }
  std::vector<Change> whole;
  whole.reserve(chunk.changes.size());
  for (const Change& change : chunk.changes) {
    Result<Change> one = completed(change, staged_or_held(change.key).get());
    if (!one) {
      miss_base(one.error());
      begin_pull(pull_->snapshot);
      return;
    }
    whole.push_back(*std::move(one));
    pull_->bytes += wire_size(change);
  }
  ++pull_->chunks;
  pull_->resend_millis = 1'000;
  for (Change& change : whole) {
    ++pull_->changes;
    if (pull_->snapshot && !change.record->live()) {
      pull_->staged.erase(change.key);
    } else {
      pull_->staged.insert_or_assign(change.key, std::move(change.record));
    }
  }
  pull_->since = chunk.to;
  if (chunk.complete) {
    complete_pull(chunk);
    return;
  }
  if (pull_->chunks > kBehindChunks && pull_->since >= pull_->base && !pull_->told_behind) {
    pull_->told_behind = true;
    set_link(Link::kBehind, Code::kOverloaded,
             "the changes come faster than they can be fetched; the old state is kept until then");
  }
  ask_chunk();
}

// What the pull has of a key so far: staged, else, when it goes on from a held state, that.
RecordPtr Agent::staged_or_held(const Key& key) const {
  const auto staged = pull_->staged.find(key);
  if (staged != pull_->staged.end()) return staged->second;
  return pull_->snapshot ? nullptr : replica_.find(key);
}

void Agent::complete_pull(const DeltaChunk& chunk) {
  Pull pull = *std::exchange(pull_, std::nullopt);
  const bool first_state = !replica_.holds_state();
  const bool new_epoch = !first_state && replica_.cursor().epoch != epoch_;
  StateChanged change;
  change.from = replica_.cursor();
  change.to = {epoch_, chunk.to};
  change.source = pull.snapshot ? ChangeSource::kSnapshot : ChangeSource::kDelta;
  std::vector<WriteOverruled> overruled;
  for (const auto& [key, record] : pull.staged) note_overruled({key, record}, overruled);
  if (pull.snapshot) {
    // Told as what changed: keys that are gone come as tombstones.
    for (const auto& [key, held] : replica_.records()) {
      if (pull.staged.contains(key)) continue;
      auto gone = std::make_shared<Record>();
      gone->version = chunk.to;
      change.changes.push_back({key, std::move(gone)});
    }
    for (const auto& [key, record] : pull.staged) {
      const RecordPtr held = replica_.find(key);
      if (!held || held->version != record->version || held->content != record->content)
        change.changes.push_back({key, record});
    }
    replica_.clear();
    held_view_ = view_;
    keep_cursor(change.to, true);
  }
  for (const auto& [key, record] : pull.staged) {
    replica_.apply({key, record});
    keep_record({key, record});
    if (!pull.snapshot) change.changes.push_back({key, record});
  }
  // Not before: that it answers shows that the welcome was of a session that lives.
  if (std::exchange(rolled_back_, false))
    tell_lost([&](const Acknowledged& one) {
      return one.at.epoch == epoch_ && one.at.revision > rolled_back_to_;
    });
  if (new_epoch || awaits_new_epoch_) {
    replica_.advance(change.to);
    epoch_changed(chunk.applied);
  }
  for (const OwnThrough& applied : chunk.applied)
    outbox_.reflected(applied.incarnation, applied.seq, chunk.to);

  CaughtUp caught_up;
  caught_up.from = pull.from;
  caught_up.to = change.to;
  caught_up.snapshot = pull.snapshot;
  caught_up.changes = pull.changes;
  caught_up.bytes = pull.bytes;
  if (first_state && options_.start_from_head) change.changes.clear();
  moved(std::move(change));
  for (WriteOverruled& one : overruled) tell(std::move(one));
  give_contexts();
  submit_wanted_ = true;
  caught_up.state_bytes = replica_.bytes();
  // The coordinator lists every member with what it holds: not as late as the first beat.
  if (heartbeat_number_ == 0) next_beat_ = now_.monotonic;
  if (link_ == Link::kBehind) set_link(Link::kAttached, Code::kCommitted, {});
  std::vector<RequestId> asked = std::exchange(catch_ups_, {});
  if (asked.empty()) asked.emplace_back();
  for (const RequestId request : asked) {
    caught_up.request = request;
    tell(caught_up);
  }
  apply_held();
}

void Agent::check_digest(Revision head, const Hash128& digest) {
  if (pull_ || !replica_.holds_state() || replica_.cursor() != Cursor{epoch_, head}) return;
  if (digest == replica_.digest()) {
    count("digests_equal");
    return;
  }
  count("digest_mismatches");
  tell(DigestMismatch{head});
  begin_pull(true);
}

}  // namespace waggle
