#include "tests/sim/history.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "base/limits.h"
#include "coordinator/own_keys.h"
#include "resolver/json_document.h"

namespace waggle::sim {

// ---- Chronicle ---------------------------------------------------------------------------------

std::optional<Hash128> Chronicle::digest_at(const Digests& of, Cursor cursor) const {
  if (!cursor.revision) return Hash128{};
  while (cursor.epoch) {
    const auto epoch = of.find(cursor.epoch);
    if (epoch != of.end()) {
      const auto digest = epoch->second.find(cursor.revision);
      if (digest != epoch->second.end()) return digest->second;
    }
    const auto origin = origins.find(cursor.epoch);
    if (origin == origins.end() || cursor.revision > origin->second.last) break;
    cursor.epoch = origin->second.epoch;
  }
  return std::nullopt;
}

RecordPtr Chronicle::record_at(Cursor cursor, const Key& key) const {
  while (cursor.epoch) {
    const auto versions = records.find({cursor.epoch, key});
    if (versions != records.end()) {
      const auto record = versions->second.find(cursor.revision);
      if (record != versions->second.end()) return record->second;
    }
    const auto origin = origins.find(cursor.epoch);
    if (origin == origins.end() || cursor.revision > origin->second.last) break;
    cursor.epoch = origin->second.epoch;
  }
  return nullptr;
}

RecordPtr Chronicle::newest_at(Cursor cursor, const Key& key) const {
  while (cursor.epoch) {
    const auto versions = records.find({cursor.epoch, key});
    if (versions != records.end()) {
      const auto after = versions->second.upper_bound(cursor.revision);
      if (after != versions->second.begin()) return std::prev(after)->second;
    }
    const auto origin = origins.find(cursor.epoch);
    if (origin == origins.end()) break;
    cursor = {origin->second.epoch, std::min(cursor.revision, origin->second.last)};
  }
  return nullptr;
}

Revision Chronicle::translate(Cursor cursor, Epoch epoch) const {
  Revision shared = Revision(limits::kNumberMax);
  for (Epoch at = epoch; at;) {
    if (at == cursor.epoch) return std::min(cursor.revision, shared);
    const auto origin = origins.find(at);
    if (origin == origins.end()) break;
    shared = std::min(shared, origin->second.last);
    at = origin->second.epoch;
  }
  return {};
}

// ---- History -----------------------------------------------------------------------------------

std::optional<Revision> History::committed(const std::string& id) const {
  const auto found = committed_.find(id);
  return found == committed_.end() ? std::nullopt : std::optional(found->second);
}

void History::take(const Batch& batch) {
  for (const Row& row : batch.rows)
    if (const auto* swarm = std::get_if<SwarmRow>(&row)) {
      floor_ = swarm->floor;
    } else if (const auto* store = std::get_if<StoreRow>(&row); store && store->epoch != epoch_) {
      chronicle_->origins[store->epoch] = {epoch_, head_};
      epoch_ = store->epoch;
    }
  made_.clear();
  for (const Row& row : batch.rows) {
    if (const auto* conflict = std::get_if<ConflictRow>(&row)) take_row(*conflict);
    const auto* of_writer = std::get_if<OutcomeRow>(&row);
    if (of_writer == nullptr) continue;
    Writer writer{of_writer->agent, of_writer->incarnation, of_writer->seq};
    for (const Outcome& outcome : of_writer->outcomes) {
      if (outcome.code == Code::kCommitted && outcome.changed) made_[outcome.revision] = writer;
      writer.seq = writer.seq.next();
    }
  }
  std::map<Revision, Writer> clears = clears_of(batch);
  for (const Row& row : batch.rows) {
    if (const auto* record = std::get_if<RecordRow>(&row)) {
      clear_up_to(Revision(record->record->version.value() - 1), clears);
      take_row(*record);
    }
    if (const auto* forget = std::get_if<ForgetRow>(&row))
      take_row(*forget, clears.contains(head_.next()));
  }
  clear_up_to(Revision(limits::kNumberMax), clears);
  for (const auto& [revision, writer] : clears)
    found_("revisions", fmt::format("a clear by {} at {} follows the head {}", writer.agent.value(),
                                    revision.value(), head_.value()));
  for (const Row& row : batch.rows)
    if (const auto* outcome = std::get_if<OutcomeRow>(&row)) take_row(*outcome);
  for (const Row& row : batch.rows) {
    const auto* swarm = std::get_if<SwarmRow>(&row);
    if (swarm != nullptr && swarm->head != head_)
      found_("revisions", fmt::format("the stored head is {}, the commits lead to {}",
                                      swarm->head.value(), head_.value()));
  }
}

std::map<Revision, Writer> History::clears_of(const Batch& batch) const {
  std::map<Revision, Writer> clears;
  for (const Row& row : batch.rows) {
    const auto* of_writer = std::get_if<OutcomeRow>(&row);
    if (of_writer == nullptr) continue;
    Writer writer{of_writer->agent, of_writer->incarnation, of_writer->seq};
    for (const Outcome& outcome : of_writer->outcomes) {
      const Deed* deed = ledger_->of(writer);
      if (deed != nullptr && deed->clears() && outcome.code == Code::kCommitted &&
          !clears.try_emplace(outcome.revision, writer).second)
        found_("revisions", fmt::format("two clears at {}", outcome.revision.value()));
      writer.seq = writer.seq.next();
    }
  }
  return clears;
}

void History::clear_up_to(Revision revision, std::map<Revision, Writer>& due) {
  for (auto next = due.begin();
       next != due.end() && next->first == head_.next() && next->first <= revision;
       next = due.erase(next)) {
    head_ = next->first;
    const std::string what = fmt::format("the clear at {}", head_.value());
    if (!records_.empty())
      found_("effects", fmt::format("{}: {} keys are still there, {} first", what, records_.size(),
                                    records_.begin()->first.value()));
    if (floor_ < head_) found_("effects", fmt::format("{}: the floor is {}", what, floor_.value()));
    records_.clear();
    typed_.forget_all();
    claims_.clear(what, found_);
    decisions_.clear();
    tasks_.clear();
    digest_ = open_digest_ = {};
    chronicle_->digests[epoch_][head_] = digest_;
    chronicle_->open_digests[epoch_][head_] = open_digest_;
    cleared_.insert(head_);
    (void)take_commit(next->second, head_, what);
  }
}

Revision History::cleared_before(Revision revision) const {
  const auto after = cleared_.upper_bound(revision);
  return after == cleared_.begin() ? Revision{} : *std::prev(after);
}

void History::replace(const Key& key, RecordPtr record) {
  RecordPtr& slot = records_[key];
  const auto add = [&](Hash128& digest) {
    if (slot) digest -= digest_part(key, *slot);
    digest += digest_part(key, *record);
  };
  add(digest_);
  if (!is_hidden(key)) add(open_digest_);
  slot = std::move(record);
}

void History::take_row(const RecordRow& row) {
  const Revision version = row.record->version;
  const auto at = records_.find(row.key);
  const RecordPtr before = at == records_.end() ? nullptr : at->second;
  if (version <= head_ && before && before->version == version) {
    // A receipt was added. Nothing else may differ.
    if (before->value != row.record->value || before->writer != row.record->writer)
      found_("revisions",
             fmt::format("{}@{} was given another content", row.key.value(), version.value()));
    at->second = row.record;
    return;
  }
  if (version != head_ && version != head_.next()) {
    found_("revisions", fmt::format("{}@{} follows the head {}", row.key.value(), version.value(),
                                    head_.value()));
    return;
  }
  head_ = version;
  check_effect(row, before.get());
  if (!row.record->live()) typed_.forget(row.key);
  replace(row.key, row.record);
  chronicle_->digests[epoch_][head_] = digest_;
  chronicle_->open_digests[epoch_][head_] = open_digest_;
  chronicle_->records[{epoch_, row.key}][version] = row.record;
}

void History::take_row(const ForgetRow& row, bool clears) {
  const auto at = records_.find(row.key);
  if (at == records_.end() || at->second->version != row.version) {
    found_("revisions", fmt::format("{}@{} was forgotten, which is not there", row.key.value(),
                                    row.version.value()));
    return;
  }
  if (at->second->live() && !clears)
    found_("effects",
           fmt::format("{}@{} was forgotten alive", row.key.value(), row.version.value()));
  if (row.version > floor_)
    found_("revisions", fmt::format("the deletion {}@{} was forgotten above the floor {}",
                                    row.key.value(), row.version.value(), floor_.value()));
  records_.erase(at);
}

void History::take_row(const OutcomeRow& row) {
  Seq seq = row.seq;
  for (const Outcome& outcome : row.outcomes) {
    take_outcome({row.agent, row.incarnation, seq}, outcome);
    seq = seq.next();
  }
}

void History::take_outcome(const Writer& writer, const Outcome& outcome) {
  Deed* deed = ledger_->of(writer);
  if (deed == nullptr) {
    found_("once", fmt::format("an outcome for a write that nobody made: {} seq {}",
                               writer.agent.value(), writer.seq.value()));
    return;
  }
  const std::optional<Revision> revision = committed(deed->id);
  if (outcome.code == Code::kCommitted && outcome.changed) {
    if (revision != outcome.revision)
      found_("effects", fmt::format("{} is said to be committed at {}, and is not", deed->id,
                                    outcome.revision.value()));
  } else if (outcome.code != Code::kCommitted) {
    deed->refused = true;
    if (deed->mutation) StampTruth::check_loser(*deed->mutation, deed->agent, outcome, found_);
    if (outcome.code == Code::kParked) take_parked(*deed, outcome);
    if (!revision) return;
    found_("once", fmt::format("{} was committed at {} and is answered {}", deed->id,
                               revision->value(), to_text(outcome.code)));
  }
}

void History::take_row(const ConflictRow& row) {
  if (row.conflict) {
    conflicts_[row.id] = {*row.conflict, true};
    return;
  }
  const auto conflict = conflicts_.find(row.id);
  if (conflict == conflicts_.end() || !conflict->second.waits) {
    found_("parked", fmt::format("conflict {} was closed, which does not wait", row.id.value()));
  } else {
    conflict->second.waits = false;
  }
}

void History::take_parked(Deed& deed, const Outcome& outcome) {
  chronicle_->ever_parked[deed.id].insert(outcome.parked);
  const auto conflict = conflicts_.find(outcome.parked);
  if (conflict == conflicts_.end()) {
    found_("parked", fmt::format("{} is parked as conflict {}, which nobody knows", deed.id,
                                 outcome.parked.value()));
    return;
  }
  const ParkedConflict& parked = conflict->second.parked;
  const Entry& entry = deed.entries.front();
  const auto* put = std::get_if<PutOp>(&entry.op);
  const auto is_it = [&](const ConflictSide& side) {
    if (side.agent != deed.agent) return false;
    return put != nullptr ? side.value == Register{put->content, put->bytes} : !side.value;
  };
  if (parked.key != entry.key || std::none_of(parked.sides.begin(), parked.sides.end(), is_it))
    found_("parked", fmt::format("{} is parked as conflict {}, and is no side of it", deed.id,
                                 outcome.parked.value()));
}

std::vector<ParkedConflict> History::waiting() const {
  std::vector<ParkedConflict> waiting;
  for (const auto& [id, conflict] : conflicts_)
    if (conflict.waits) waiting.push_back(conflict.parked);
  return waiting;
}

Deed* History::take_commit(const Writer& writer, Revision revision, const std::string& what) {
  Deed* deed = ledger_->of(writer);
  if (deed == nullptr) {
    found_("once", what + " was written by nobody");
    return nullptr;
  }
  const auto [at, fresh] = committed_.try_emplace(deed->id, revision);
  if (!fresh && at->second != revision)
    found_("once",
           fmt::format("{}: {} was committed at {} already", what, deed->id, at->second.value()));
  writers_.insert(writer);
  chronicle_->ever_committed[deed->id] = {epoch_, revision};
  return deed;
}

void History::check_effect(const RecordRow& row, const Record* before) {
  const Record& record = *row.record;
  const std::string what = fmt::format("{}@{}", row.key.value(), record.version.value());
  stamps_.take(what, row.key, record, found_);
  if (is_decision_key(row.key.value())) {
    decisions_.take(row.key, record, found_);
  } else if (!is_own_key(row.key.value())) {
    decisions_.take_write(row.key, record, found_);
    tasks_.take_write(row.key, record, found_);
  }
  if (record.writer.agent == AgentId(kCoordinatorName)) {
    check_own(row, before);
    return;
  }
  const Deed* deed = take_commit(record.writer, record.version, what);
  if (deed == nullptr) return;
  if (deed->mutation) claims_.check_write(what, row.key, &*deed->mutation, found_);
  const auto entry = std::find_if(deed->entries.begin(), deed->entries.end(),
                                  [&](const Entry& e) { return e.key == row.key; });
  if (entry == deed->entries.end()) {
    found_("effects", what + ": its write has no such key");
    return;
  }
  const bool was_live = before != nullptr && before->live();
  if (const auto* expect = std::get_if<ExpectVersion>(&entry->expect);
      expect && expect->version != (was_live ? before->version : Revision{}))
    found_("effects", fmt::format("{}: expected version {}, there was {}", what,
                                  expect->version.value(), was_live ? before->version.value() : 0));
  if (std::holds_alternative<ExpectUnchanged>(entry->expect) && deed->mutation && was_live &&
      !seen_by(*deed)({before->version, 0, before->writer}))
    found_("effects", fmt::format("{}: expected it unchanged since {}, there was {}", what,
                                  deed->mutation->context.seen.value(), before->version.value()));
  if (before != nullptr && deed->mutation &&
      !seen_by(*deed)({before->version, 0, before->writer})) {
    StampTruth::check_winner(what, row.key, *entry, record, *before, found_);
    check_untouched(row, *before, *deed, *entry);
  }
  const auto* put = std::get_if<PutOp>(&entry->op);
  if (put != nullptr && put->type == ValueType::kRegister) {
    // A vote is kept in one form, and looked at by itself.
    const bool same = record.live() && *record.value == Value{Register{put->content, put->bytes}};
    if (!same && !is_decision_key(row.key.value())) found_("effects", what + ": not what was put");
  } else if (std::holds_alternative<DeleteOp>(entry->op)) {
    if (record.live()) found_("effects", what + ": deleted, and still there");
  } else if (type_needed(entry->op) == ValueType::kOrSet) {
    check_set(row, before, *deed, *entry);
  } else if (const auto* incr = std::get_if<IncrOp>(&entry->op);
             incr != nullptr && incr->type == ValueType::kCounter) {
    const auto* counter = record.live() ? std::get_if<Counter>(&*record.value) : nullptr;
    const std::int64_t total = was_live ? std::get<Counter>(*before->value).total : 0;
    if (counter == nullptr || counter->total != total + incr->amount)
      found_("effects", fmt::format("{}: {} + {} made {}", what, total, incr->amount,
                                    counter ? counter->total : 0));
  } else if (!record.live()) {
    found_("effects", what + ": nobody deleted it, and it is gone");
  } else if (deed->mutation) {
    typed_.take({row.key, *entry, record, before, record.writer, seen_by(*deed)}, found_);
  }
}

void History::check_untouched(const RecordRow& row, const Record& before, const Deed& deed,
                              const Entry& entry) {
  const Context& context = deed.mutation->context;
  if (!row.key.value().starts_with("json/") || !before.live() || !row.record->live() ||
      !context.own_through.empty() || !std::holds_alternative<std::monostate>(entry.expect))
    return;
  const std::string what = fmt::format("{}@{}", row.key.value(), row.record->version.value());
  const Revision at = chronicle_->translate({context.epoch, context.seen}, epoch_);
  RecordPtr seen = chronicle_->newest_at({epoch_, at}, row.key);
  if (seen && cleared_before(at) > seen->version) seen = nullptr;
  const auto fields = [](const Record* record) -> std::optional<JsonValue::Object> {
    const std::optional<Register> document = register_of(record);
    if (!document || document->content != ContentType::kJson) return std::nullopt;
    Result<JsonValue> parsed = parse_json_document(document->bytes);
    return parsed && parsed->object() ? std::optional(*parsed->object()) : std::nullopt;
  };
  if (!register_of(seen.get())) {
    found_("effects", what +
                          ": was put over what its writer had not seen, and nothing is known "
                          "that both began from");
    return;
  }
  const auto began = fields(seen.get()), stood = fields(&before), stands = fields(row.record.get());
  if (!began || !stood || !stands) return;
  for (const auto& [name, value] : *began) {
    const auto theirs = stood->find(name), now = stands->find(name);
    if (theirs == stood->end() || now == stands->end() || theirs->second == value) continue;
    if (now->second == value)
      found_("effects", fmt::format("{}: '{}' is back to what it was before {} changed it", what,
                                    name, before.writer.agent.value()));
  }
}

void History::check_ruled(const RecordRow& row, const std::string& what) {
  const std::string& key = row.key.value();
  if (is_claim_key(key)) {
    const std::optional<Claim> claim = claim_of(row.key, *row.record);
    const auto held = claims_.held().find(std::string(pattern_of(key)));
    const bool granted =
        claim && (held == claims_.held().end() || held->second.token != claim->token);
    if (granted && is_task_key(claim->pattern)) tasks_.take_claim(*claim, found_);
    claims_.take(row.key, *row.record, timeline_->now(), found_);
    return;
  }
  // Opened, cancelled, reported by somebody; else it is of the coordinator's own making.
  const auto made = made_.find(row.record->version);
  const Deed* deed = nullptr;
  if (!key.starts_with(kVoteKeys) && made != made_.end())
    deed = take_commit(made->second, row.record->version, what);
  if (!is_task_key(key)) return;
  const auto held = claims_.held().find(key);
  tasks_.take(row.key, *row.record, deed != nullptr && deed->mutation ? &*deed->mutation : nullptr,
              held != claims_.held().end() ? &held->second : nullptr, found_);
}

void History::check_own(const RecordRow& row, const Record* before) {
  const Record& record = *row.record;
  const std::string what = fmt::format("{}@{}", row.key.value(), record.version.value());
  if (is_own_key(row.key.value())) return check_ruled(row, what);
  const bool answers =
      record.metadata.contains("settled") || record.metadata.contains("merged_from");
  if (!answers) claims_.check_write(what, row.key, nullptr, found_);
  if (record.metadata.contains("expired_after_ms")) {
    const std::int64_t lives = std::stoll(record.metadata.at("expired_after_ms"));
    if (record.live() || before == nullptr || !before->live() ||
        record.commit_wall_millis - before->commit_wall_millis < lives)
      found_("effects", what + ": expired before its time");
    return;
  }
  const bool settles = record.metadata.contains("settled");
  const bool merges = record.metadata.contains("merged_from");
  if ((!record.live() && !settles) ||
      (record.live() && !std::holds_alternative<Register>(*record.value)) ||
      (before && before->live() && !std::holds_alternative<Register>(*before->value)))
    found_("effects", what + ": the coordinator wrote something else than a register");
  if (!settles && !merges) return;  // of a round
  const auto made = made_.find(record.version);
  if (made == made_.end()) {
    found_("once", what + ": no write is answered with it");
    return;
  }
  const Deed* deed = take_commit(made->second, record.version, what);
  if (deed == nullptr) return;
  if (deed->mutation) claims_.check_write(what, row.key, &*deed->mutation, found_);
  const char* by = settles ? "settled_by" : "merged_from";
  // Of whoever settles a client's random name is left out.
  const std::string who =
      settles && is_client_agent(deed->agent) ? std::string(kClientPrefix) : deed->agent.value();
  if (!record.metadata.contains(by) || record.metadata.at(by) != who)
    found_("effects", fmt::format("{}: does not say that it is by {}", what, who));
  if (settles) check_settled(row, before, *deed);
}

void History::check_settled(const RecordRow& row, const Record* before, const Deed& deed) {
  const std::string what = fmt::format("{}@{}", row.key.value(), row.record->version.value());
  const auto* settle = std::get_if<SettleOp>(&deed.entries.front().op);
  const auto conflict = settle != nullptr ? conflicts_.find(settle->conflict) : conflicts_.end();
  if (conflict == conflicts_.end() || conflict->second.parked.key != row.key) {
    found_("parked", what + ": settles a conflict that nobody knows");
    return;
  }
  std::optional<Value> expected = before != nullptr ? before->value : std::nullopt;
  if (settle->how == Settle::kValue) expected = settle->value;
  if (settle->how == Settle::kSide) {
    const std::optional<Register>& side = conflict->second.parked.sides.at(settle->side).value;
    expected = side ? std::optional<Value>(*side) : std::nullopt;
  }
  if (row.record->value != expected) found_("effects", what + ": not what was settled");
}

std::function<bool(const Dot&)> History::seen_by(const Deed& deed) const {
  const Context& context = deed.mutation->context;
  const Revision seen = chronicle_->translate({context.epoch, context.seen}, epoch_);
  return [seen, agent = deed.agent, own_through = context.own_through](const Dot& dot) {
    if (dot.revision <= seen) return true;
    if (dot.writer.agent != agent) return false;
    return std::any_of(own_through.begin(), own_through.end(), [&](const OwnThrough& own) {
      return own.incarnation == dot.writer.incarnation && dot.writer.seq <= own.seq;
    });
  };
}

void History::check_set(const RecordRow& row, const Record* before, const Deed& deed,
                        const Entry& entry) {
  const Record& record = *row.record;
  const std::string what = fmt::format("{}@{}", row.key.value(), record.version.value());
  const auto* now = record.live() ? std::get_if<OrSet>(&*record.value) : nullptr;
  if (now == nullptr || !deed.mutation) {
    found_("sets", what + ": not a set");
    return;
  }
  const OrSet was = before && before->live() ? std::get<OrSet>(*before->value) : OrSet{};
  const std::function<bool(const Dot&)> had_seen = seen_by(deed);
  const auto* add = std::get_if<SetAddOp>(&entry.op);
  const auto* remove = std::get_if<SetRemoveOp>(&entry.op);
  std::map<std::string, std::set<Dot>> expected;
  for (const auto& [element, dots] : was.elements) expected[element] = {dots.begin(), dots.end()};
  for (const std::string& element : add ? add->elements : remove->elements) {
    std::erase_if(expected[element], had_seen);
    if (add) expected[element].insert(Dot{record.version, 0, record.writer});
    if (expected[element].empty()) expected.erase(element);
  }
  std::map<std::string, std::set<Dot>> found;
  for (const auto& [element, dots] : now->elements) {
    for (Dot dot : dots) {
      // The place of an entry in its group is the coordinator's choice.
      if (dot.revision == record.version) dot.index = 0;
      found[element].insert(dot);
    }
  }
  if (found != expected)
    found_("sets", fmt::format("{}: {} elements, {} expected by {}", what, found.size(),
                               expected.size(), deed.id));
}

}  // namespace waggle::sim
