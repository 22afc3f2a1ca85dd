#include "agent/ephemeral_copy.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/glob.h"
#include "base/limits.h"

namespace waggle {
namespace {

std::size_t size_of(const EphemeralUpdate& update) {
  std::size_t size = 64;
  for (const Change& change : update.changes) size += wire_size(change);
  return size;
}

RecordPtr tombstone(Revision version) {
  auto record = std::make_shared<Record>();
  record->ephemeral = true;
  record->version = version;
  return record;
}

}  // namespace

// ---- the swarm's keys --------------------------------------------------------------------------

void EphemeralCopy::attached(StartId start, Revision at, std::vector<Change>& changed) {
  if (start != start_) {
    start_ = start;
    at_ = {};
    known_ = at;
    if (!at) replace({}, {}, changed);
    // Until the state comes, what the earlier start had stays in view.
    behind_ = static_cast<bool>(at);
  } else {
    known_ = std::max(known_, at);
    behind_ = false;
  }
  live_ = true;
  apply_held(changed);
  live_ = !behind_;
}

void EphemeralCopy::heard_of(Revision at) {
  known_ = std::max(known_, at);
  behind_ = behind_ || known_ > at_;
}

void EphemeralCopy::lose_link() {
  live_ = false;
  behind_ = false;
  held_.clear();
  held_bytes_ = 0;
  staged_.clear();
  next_piece_ = 0;
}

void EphemeralCopy::on_update(const MessagePtr& message, std::vector<Change>& changed) {
  const auto& update = std::get<EphemeralUpdate>(*message);
  if (live_ && !behind_ && update.start == start_ && apply(update, changed)) return;
  // Before the attachment, or with a hole: it waits for what is missing.
  if (live_) heard_of(update.to);
  held_.push_back(message);
  held_bytes_ += size_of(update);
  while (held_bytes_ > limits::kHeldUpdateBytes && held_.size() > 1) {
    held_bytes_ -= size_of(std::get<EphemeralUpdate>(*held_.front()));
    held_.pop_front();
  }
}

bool EphemeralCopy::apply(const EphemeralUpdate& update, std::vector<Change>& changed) {
  if (update.to <= at_) return true;
  if (update.from > at_) return false;
  const Revision before = at_;
  at_ = update.to;
  for (const Change& change : update.changes)
    if (change.record->version > before) set(change.key, change.record, changed);
  return true;
}

void EphemeralCopy::apply_held(std::vector<Change>& changed) {
  if (!live_ || behind_) return;
  std::ranges::stable_sort(held_, {}, [](const MessagePtr& message) {
    return std::get<EphemeralUpdate>(*message).from;
  });
  while (!held_.empty()) {
    const MessagePtr message = held_.front();
    const auto& update = std::get<EphemeralUpdate>(*message);
    if (update.start == start_ && !apply(update, changed)) {
      heard_of(update.to);
      return;
    }
    held_bytes_ -= size_of(update);
    held_.pop_front();
  }
  if (known_ > at_) behind_ = true;
}

void EphemeralCopy::on_state(const EphemeralState& state, RequestId request,
                             std::vector<Change>& changed) {
  if (!behind_ || state.request != request || (state.piece != 0 && state.piece != next_piece_))
    return;
  if (state.piece == 0) staged_.clear();
  next_piece_ = state.piece + 1;
  for (const Change& change : state.changes)
    if (change.record->live()) staged_.insert_or_assign(change.key, change.record);
  if (!state.last) return;
  next_piece_ = 0;
  replace(state.at, std::exchange(staged_, {}), changed);
  known_ = std::max(known_, at_);
  live_ = true;
  behind_ = false;
  apply_held(changed);
}

void EphemeralCopy::replace(Revision at, std::map<Key, RecordPtr> keys,
                            std::vector<Change>& changed) {
  at_ = at;
  std::vector<Key> gone;
  for (const auto& [key, record] : keys_)
    if (!keys.contains(key)) gone.push_back(key);
  for (const Key& key : gone) set(key, tombstone(at), changed);
  for (auto& [key, record] : keys) {
    const auto held = keys_.find(key);
    if (held == keys_.end() || !(*held->second == *record)) set(key, record, changed);
  }
  // Own ones that are gone while they were not looked at.
  for (auto own = own_.begin(); own != own_.end();) forget_overtaken((own++)->first);
}

void EphemeralCopy::set(const Key& key, RecordPtr record, std::vector<Change>& changed) {
  if (record->live()) {
    keys_.insert_or_assign(key, record);
  } else {
    keys_.erase(key);
  }
  forget_overtaken(key);
  // Of a write whose answer was lost, and that was refused when it was said again.
  if (record->live() && record->writer == self_ && !own_.contains(key)) {
    Own& own = own_[key];
    own.waits = false;
    keep(own, record);
  }
  changed.push_back({key, std::move(record)});
}

void EphemeralCopy::keep(Own& own, RecordPtr record) {
  own_bytes_ -= own.bytes();
  own.record = std::move(record);
  own_bytes_ += own.bytes();
}

// An own value that stood is no longer what stands.
void EphemeralCopy::forget_overtaken(const Key& key) {
  const auto own = own_.find(key);
  if (own == own_.end() || own->second.on_its_way || at_ < own->second.at) return;
  const auto held = keys_.find(key);
  const bool there = held != keys_.end();
  if (there && held->second->writer == self_) {
    if (!own->second.waits) keep(own->second, held->second);
    return;
  }
  // One that is to be said anew in this session was overtaken only by what another one wrote.
  if (own->second.waits && (!own->second.asked.empty() || !there)) return;
  forget(own);
}

void EphemeralCopy::forget(std::map<Key, Own>::iterator own) {
  own_bytes_ -= own->second.bytes();
  own_.erase(own);
}

RecordPtr EphemeralCopy::find(const Key& key) const {
  const auto own = own_.find(key);
  if (own != own_.end() && (own->second.pending() || at_ < own->second.at))
    return own->second.record;
  const auto held = keys_.find(key);
  return held == keys_.end() ? nullptr : held->second;
}

std::vector<Change> EphemeralCopy::list(std::string_view glob) const {
  std::map<Key, RecordPtr> all = keys_;
  for (const auto& [key, own] : own_) all[key] = find(key);
  std::vector<Change> changes;
  for (auto& [key, record] : all)
    if (record && (glob.empty() || glob_match(glob, key.value())))
      changes.push_back({key, std::move(record)});
  return changes;
}

bool EphemeralCopy::pending(const Key& key) const {
  const auto own = own_.find(key);
  return own != own_.end() && own->second.pending();
}

std::vector<Change> EphemeralCopy::own() const {
  std::vector<Change> changes;
  for (const auto& [key, own] : own_)
    if (own.record) changes.push_back({key, own.record});
  return changes;
}

bool EphemeralCopy::idle() const {
  return std::ranges::none_of(own_, [](const auto& own) { return own.second.pending(); });
}

// ---- the own keys ------------------------------------------------------------------------------

std::size_t EphemeralCopy::Own::bytes() const {
  return record ? std::get<Register>(*record->value).bytes.size() : 0;
}

Status EphemeralCopy::write(EphemeralCommand command, const Now& now) {
  const auto before = own_.find(command.key);
  const std::size_t others = own_bytes_ - (before != own_.end() ? before->second.bytes() : 0);
  const std::size_t bytes = command.value ? command.value->bytes.size() : 0;
  if (others + bytes > limits::kEphemeralBytes)
    return failed(Code::kOverloaded,
                  fmt::format("the ephemeral keys of this agent have {} bytes, {} more would be "
                              "above {}; delete some",
                              others, bytes, limits::kEphemeralBytes));
  if (asked_ >= limits::kWaitingRequests)
    return failed(Code::kOverloaded,
                  fmt::format("{} ephemeral writes wait for the coordinator, which is the limit; "
                              "try again when it answers",
                              asked_));
  Own& own = own_[command.key];
  own.written = now.monotonic;
  own.waits = true;
  own.asked.push_back(command.request);
  own.record = nullptr;
  if (command.value) {
    auto record = std::make_shared<Record>();
    record->value = *std::move(command.value);
    record->commit_wall_millis = now.wall_millis;
    record->writer = self_;
    record->metadata = std::move(command.metadata);
    record->content = content_hash(*record->value);
    record->ephemeral = true;
    own.record = std::move(record);
  }
  own_bytes_ = others + bytes;
  ++asked_;
  return {};
}

std::optional<EphemeralWrite> EphemeralCopy::next(Instant now) {
  if (!live_ || on_its_way() != nullptr) return std::nullopt;
  std::size_t bytes = 0;
  for (auto& [key, own] : own_) {
    if (!own.waits) continue;
    const std::size_t size = key.value().size() + own.bytes() + 64;
    if (!sent_.entries.empty() && bytes + size > limits::kUpdateBytes) break;
    bytes += size;
    sent_.entries.push_back({key, register_of(own.record.get()),
                             own.record ? own.record->metadata : Metadata(),
                             std::max<std::int64_t>((now - own.written).count, 0)});
    own.waits = false;
    own.on_its_way = true;
    own.asked_on_way = std::exchange(own.asked, {});
  }
  if (sent_.entries.empty()) return std::nullopt;
  sent_.number = ++number_;
  return sent_;
}

std::vector<EphemeralSettled> EphemeralCopy::on_result(const EphemeralResult& result) {
  std::vector<EphemeralSettled> settled;
  if (sent_.entries.empty() || result.number != sent_.number) return settled;
  std::map<Key, const EphemeralRefusal*> refused;
  for (const EphemeralRefusal& one : result.refused) refused.emplace(one.key, &one);
  for (const EphemeralEntry& entry : std::exchange(sent_.entries, {})) {
    const auto own = own_.find(entry.key);
    if (own == own_.end()) continue;
    const auto why = refused.find(entry.key);
    EphemeralSettled one;
    one.key = entry.key;
    if (why != refused.end()) {
      one.code = why->second->code;
      one.reason = why->second->reason;
      one.text = why->second->text;
    }
    // Said again and refused: nobody asked, but its writer has to know that it is gone.
    if (why != refused.end() && own->second.asked_on_way.empty()) settled.push_back(one);
    for (const RequestId request : std::exchange(own->second.asked_on_way, {})) {
      one.request = request;
      settled.push_back(one);
      --asked_;
    }
    own->second.on_its_way = false;
    if (why == refused.end()) own->second.at = result.at;
    if (own->second.waits) continue;  // written again meanwhile
    // A deletion that is done is nothing to keep; of a refused write it is what stands, if that is
    // an earlier one of this agent. Where it is not known yet, set() takes it up.
    const auto held = keys_.find(entry.key);
    const bool stands = held != keys_.end() && held->second->writer == self_;
    if (why != refused.end() && stands) {
      keep(own->second, held->second);
    } else if (why != refused.end() || !entry.value) {
      forget(own);
    } else {
      forget_overtaken(entry.key);
    }
  }
  return settled;
}

void EphemeralCopy::begin_session() {
  number_ = 0;
  sent_ = {};
  for (auto& [key, own] : own_) {
    own.asked.insert(own.asked.begin(), own.asked_on_way.begin(), own.asked_on_way.end());
    own.asked_on_way.clear();
    own.on_its_way = false;
    own.waits = true;
    own.at = {};
  }
}

std::vector<RequestId> EphemeralCopy::end() {
  std::vector<RequestId> asked;
  for (const auto& [key, own] : std::exchange(own_, {})) {
    asked.insert(asked.end(), own.asked_on_way.begin(), own.asked_on_way.end());
    asked.insert(asked.end(), own.asked.begin(), own.asked.end());
  }
  sent_ = {};
  own_bytes_ = 0;
  asked_ = 0;
  return asked;
}

}  // namespace waggle
