#include "include/lib/convert.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/packing.h"
#include "resolver/receipt.h"

namespace waggle {
namespace {

thread_local int callbacks_here = 0;

// The public enumerators are the inner ones under another name.
static_assert(static_cast<int>(StatusCode::kInternal) == static_cast<int>(Code::kInternal));
static_assert(static_cast<int>(StatusCode::kRejected) == static_cast<int>(Code::kRejected));
static_assert(static_cast<int>(StatusCode::kTimeout) == static_cast<int>(Code::kTimeout));
static_assert(static_cast<int>(Durability::kDurable) == static_cast<int>(Level::kDurable));
static_assert(static_cast<int>(ItemType::kSet) == static_cast<int>(ValueType::kOrSet));
static_assert(static_cast<int>(ItemType::kMax) == static_cast<int>(ValueType::kMax));
static_assert(static_cast<int>(ItemType::kText) == static_cast<int>(ValueType::kText));
static_assert(static_cast<int>(ContentKind::kBytes) == static_cast<int>(ContentType::kBytes));
static_assert(static_cast<int>(SyncOutcome::kPartial) == static_cast<int>(RoundOutcome::kPartial));
static_assert(static_cast<int>(SyncPriority::kCritical) == static_cast<int>(Priority::kCritical));

std::vector<std::string> names(const std::vector<AgentId>& agents) {
  std::vector<std::string> names;
  for (const AgentId& agent : agents) names.push_back(agent.value());
  return names;
}

// The parts of an item that are its value.
struct FillItem {
  StateItem& item;

  void operator()(const Register& value) const {
    item.content = static_cast<ContentKind>(value.content);
    item.bytes = value.bytes;
  }
  void operator()(const Counter& value) const { item.number = value.total; }
  void operator()(const OrSet& value) const {
    for (const auto& [element, dots] : value.elements) item.elements.push_back(element);
  }
  void operator()(const MaxValue& value) const { item.comparable = value.value; }
  void operator()(const MinValue& value) const { item.comparable = value.value; }
  void operator()(const OnceFlag&) const { item.on = true; }
  void operator()(const GrowCounter& value) const {
    constexpr std::uint64_t kMost = INT64_MAX;
    item.number = static_cast<std::int64_t>(std::min(value.total, kMost));
  }
  void operator()(const ResettableCounter& value) const { item.number = value.total(); }
  void operator()(const BoundedCounter& value) const {
    item.number = static_cast<std::int64_t>(value.total());
    item.free = value.free;
    for (const auto& [agent, amount] : value.reserved) item.reserved[agent.value()] = amount;
  }
  void operator()(const EnableFlag& value) const { item.on = value.on(); }
  void operator()(const DisableFlag& value) const { item.on = value.on(); }
  void operator()(const GrowSet& value) const {
    for (const auto& [element, none] : value.elements) item.elements.push_back(element);
  }
  void operator()(const RemoveWinsSet& value) const {
    for (const auto& [element, dots] : value.elements)
      if (dots.present()) item.elements.push_back(element);
  }
  void operator()(const MultiRegister& value) const {
    for (const Sibling& sibling : value.siblings)
      item.siblings.push_back({static_cast<ContentKind>(sibling.value.content), sibling.value.bytes,
                               sibling.dot.writer.agent.value()});
  }
  void operator()(const Map& value) const {
    for (const auto& [id, field] : value.fields) {
      StateItem& one = item.fields.emplace_back();
      one.key = id.name;
      one.writer = field.updates.back().writer.agent.value();
      one.exists = true;
      one.type = static_cast<ItemType>(id.type);
      std::visit(FillItem{one}, field.value->value);
    }
  }
  void operator()(const List& value) const { item.elements = value.sequence.elements(); }
  void operator()(const Text& value) const { item.bytes = value.sequence.text(); }
};

}  // namespace

std::string_view name_of(ItemType type) {
  return to_text(static_cast<ValueType>(type));
}
std::string_view name_of(StatusCode code) {
  return to_text(static_cast<Code>(code));
}
std::string_view name_of(Durability level) {
  return to_text(static_cast<Level>(level));
}
std::string_view name_of(SyncOutcome outcome) {
  return to_text(static_cast<RoundOutcome>(outcome));
}
std::string StateVersion::text() const {
  return to_text(to_cursor(*this));
}

Failure to_failure(Error error) {
  return {static_cast<StatusCode>(error.code), std::move(error.text)};
}

StateVersion to_version(const Cursor& cursor) {
  return {cursor.epoch.value(), cursor.revision.value()};
}
Cursor to_cursor(const StateVersion& version) {
  return {Epoch(version.epoch), Revision(version.revision)};
}

StateItem to_item(const Key& key, const Record* record) {
  StateItem item;
  item.key = key.value();
  if (record == nullptr) return item;
  item.version = record->version.value();
  item.writer = record->writer.agent.value();
  item.commit_millis = record->commit_wall_millis;
  item.metadata = record->metadata;
  if (record->receipt != ChainHash{}) item.receipt = to_hex(record->receipt);
  item.exists = record->live();
  item.ephemeral = record->ephemeral;
  if (!record->live()) return item;
  item.type = static_cast<ItemType>(type_of(*record->value));
  std::visit(FillItem{item}, *record->value);
  return item;
}

std::vector<StateItem> to_items(const std::vector<Change>& changes) {
  std::vector<StateItem> items;
  items.reserve(changes.size());
  for (const Change& change : changes) items.push_back(to_item(change.key, change.record.get()));
  return items;
}

WriteResult to_result(const Outcome& outcome) {
  WriteResult result;
  result.code = static_cast<StatusCode>(outcome.code);
  result.level = static_cast<Durability>(outcome.level);
  result.revision = outcome.revision.value();
  result.changed = outcome.changed;
  result.key = outcome.key.value();
  if (outcome.conflict != ConflictKind::kNone) result.conflict = to_text(outcome.conflict);
  if (outcome.reason != Reason::kNone) result.reason = to_text(outcome.reason);
  result.parked = outcome.parked.value();
  if (outcome.committed) result.standing = to_item(outcome.key, outcome.committed.get());
  result.text = outcome.text;
  return result;
}

Expected<SyncResult> to_result(const SyncReport& report) {
  if (report.code != Code::kCommitted)
    return failure(static_cast<StatusCode>(report.code), report.text);
  SyncResult result;
  result.outcome = static_cast<SyncOutcome>(report.outcome);
  result.round = report.round.value();
  result.head = report.head.value();
  result.expected = report.expected;
  result.answered = names(report.answered);
  result.missing = names(report.missing);
  result.late = names(report.late);
  result.elapsed = std::chrono::milliseconds(report.elapsed_millis);
  result.text = report.text;
  for (const KeyReport& key : report.keys) {
    result.keys.push_back({.key = key.key.value(),
                           .outcome = static_cast<SyncOutcome>(key.outcome),
                           .strategy = key.strategy,
                           .version = key.version.value(),
                           .winner = key.winner.value(),
                           .offers = key.offers,
                           .same = key.same,
                           .behind = key.behind,
                           .absent = key.absent,
                           .differs = key.differs});
  }
  return result;
}

std::vector<Key> to_keys(const std::vector<std::string>& keys) {
  std::vector<Key> converted;
  for (const std::string& key : keys) converted.emplace_back(key);
  return converted;
}

InCallback::InCallback() {
  ++callbacks_here;
}
InCallback::~InCallback() {
  --callbacks_here;
}
bool InCallback::here() {
  return callbacks_here > 0;
}

Expected<void> may_block(std::string_view call) {
  if (!InCallback::here()) return {};
  return failure(StatusCode::kRejected,
                 std::string(call) +
                     " is a blocking call within a callback: it would wait for the "
                     "thread that runs the callback. Do it on another thread, after "
                     "the callback");
}

std::optional<std::string> to_text_of(const std::optional<Register>& checkpoint) {
  return checkpoint ? std::optional(checkpoint->bytes) : std::nullopt;
}

Expected<void> outcome_of(const Expected<WriteResult>& written) {
  if (!written) return std::unexpected(written.error());
  if (!written->ok()) return std::unexpected(Failure{written->code, written->text});
  return {};
}

Expected<HeldClaim> to_result(const ClaimResult& result) {
  if (result.code != Code::kCommitted)
    return failure(static_cast<StatusCode>(result.code), result.text);
  return HeldClaim{.pattern = result.pattern,
                   .token = result.token.value(),
                   .ttl = std::chrono::milliseconds(result.ttl_millis),
                   .checkpoint = to_text_of(result.checkpoint),
                   .task_json = to_text_of(result.task)};
}

}  // namespace waggle
