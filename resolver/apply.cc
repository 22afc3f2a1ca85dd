#include "resolver/apply.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {
namespace {

using Kind = Verdict::Kind;

Verdict applies(std::optional<Value> value, std::string rule = {}) {
  Verdict verdict;
  verdict.kind = Kind::kApply;
  verdict.value = std::move(value);
  verdict.rule = std::move(rule);
  return verdict;
}

Verdict nothing() {
  return {};
}

Verdict conflict(ConflictKind kind, std::string text, std::string rule = {}) {
  Verdict verdict;
  verdict.kind = Kind::kConflict;
  verdict.conflict = kind;
  verdict.text = std::move(text);
  verdict.rule = std::move(rule);
  return verdict;
}

Verdict reject(Reason reason, std::string text) {
  Verdict verdict;
  verdict.kind = Kind::kReject;
  verdict.reason = reason;
  verdict.text = std::move(text);
  return verdict;
}

// The type that an op needs; none for a delete.
std::optional<ValueType> needed_type(const Op& op) {
  if (std::holds_alternative<PutOp>(op)) return ValueType::kRegister;
  if (std::holds_alternative<IncrOp>(op)) return ValueType::kCounter;
  if (std::holds_alternative<SetAddOp>(op) || std::holds_alternative<SetRemoveOp>(op))
    return ValueType::kOrSet;
  return std::nullopt;
}

struct Situation {
  const Entry& entry;
  const Record* current;
  const Author& author;
  const Policy& policy;
  Revision floor;
  Dot dot;

  [[nodiscard]] bool live() const { return current != nullptr && current->live(); }
  [[nodiscard]] bool concurrent() const {
    return current != nullptr && author.concurrent_with(*current);
  }
};

// Empty: the expected version holds or none was given.
std::optional<Verdict> check_expected(const Situation& s) {
  const Revision standing = s.live() ? s.current->version : Revision{};
  if (const auto* expected = std::get_if<ExpectVersion>(&s.entry.expect)) {
    if (expected->version == standing) return std::nullopt;
    return conflict(ConflictKind::kVersionMismatch,
                    fmt::format("expected version {} of '{}', found {}", expected->version.value(),
                                s.entry.key.value(),
                                s.live() ? fmt::to_string(standing.value()) : "no such key"));
  }
  if (const auto* mine = std::get_if<ExpectMine>(&s.entry.expect)) {
    const Writer expected{s.author.agent, s.author.incarnation, mine->seq};
    if (s.current != nullptr && s.current->writer == expected) return std::nullopt;
    return conflict(ConflictKind::kVersionMismatch,
                    fmt::format("expected '{}' as the own write {} had left it, but it was changed "
                                "since or that write was not committed",
                                s.entry.key.value(), mine->seq.value()));
  }
  return std::nullopt;
}

std::optional<Verdict> check_type(const Situation& s) {
  const std::optional<ValueType> needed = needed_type(s.entry.op);
  if (!needed) return std::nullopt;
  if (s.live() && type_of(*s.current->value) != *needed)
    return reject(
        Reason::kTypeMismatch,
        fmt::format("'{}' is a {}, the write is for a {}; delete the key first to change "
                    "its type",
                    s.entry.key.value(), to_text(type_of(*s.current->value)), to_text(*needed)));
  if (s.policy.type && *s.policy.type != *needed)
    return reject(
        Reason::kTypeMismatch,
        fmt::format("the policy for '{}' fixes the type {} for '{}', the write is for a {}",
                    s.policy.prefix, to_text(*s.policy.type), s.entry.key.value(),
                    to_text(*needed)));
  return std::nullopt;
}

// A register's put or delete that meets a concurrent record.
Verdict settle_register(const Situation& s, std::optional<Value> value) {
  const ConflictKind kind =
      s.live() == value.has_value() ? ConflictKind::kConcurrentUpdate : ConflictKind::kDeleteUpdate;
  Strategy strategy = s.policy.strategy;
  if (strategy == Strategy::kQuorum) strategy = s.policy.otherwise;
  if (strategy == Strategy::kLww) {
    const auto theirs = std::tie(s.current->hlc, s.current->writer.agent);
    const auto ours = std::tie(s.author.hlc, s.author.agent);
    if (ours > theirs) return applies(std::move(value), "lww");
    return conflict(kind,
                    fmt::format("'{}' was {} by {} meanwhile at revision {}, and that is the later "
                                "one",
                                s.entry.key.value(), s.live() ? "written" : "deleted",
                                s.current->writer.agent.value(), s.current->version.value()),
                    "lww");
  }
  return conflict(kind,
                  fmt::format("'{}' was {} by {} meanwhile at revision {}; the committed state "
                              "stays by policy",
                              s.entry.key.value(), s.live() ? "written" : "deleted",
                              s.current->writer.agent.value(), s.current->version.value()),
                  "keep");
}

Verdict judge_put(const Situation& s, const PutOp& put, bool expected) {
  Value value = Register{put.content, put.bytes};
  if (!expected && s.concurrent()) return settle_register(s, std::move(value));
  return applies(std::move(value));
}

// True iff the set holds an addition that the author had not seen. The record's writer is only its
// last one, and an author's own merging write may have come after somebody else's.
bool holds_unseen(const Value& value, const Author& author) {
  const auto* set = std::get_if<OrSet>(&value);
  if (set == nullptr) return false;
  for (const auto& [element, dots] : set->elements)
    for (const Dot& dot : dots)
      if (!author.seen_dot(dot)) return true;
  return false;
}

Verdict judge_delete(const Situation& s, bool expected) {
  if (!s.live()) return nothing();
  if (!expected && (s.concurrent() || holds_unseen(*s.current->value, s.author))) {
    if (type_of(*s.current->value) == ValueType::kRegister) return settle_register(s, std::nullopt);
    return conflict(ConflictKind::kDeleteUpdate,
                    fmt::format("'{}' was changed meanwhile, last by {} at revision {}; deleting "
                                "it would drop work that was not seen",
                                s.entry.key.value(), s.current->writer.agent.value(),
                                s.current->version.value()),
                    "keep");
  }
  return applies(std::nullopt);
}

Verdict judge_incr(const Situation& s, const IncrOp& incr) {
  std::int64_t total = s.live() ? std::get<Counter>(*s.current->value).total : 0;
  if (s.live() && incr.amount == 0) return nothing();
  if (__builtin_add_overflow(total, incr.amount, &total))
    return reject(Reason::kOverflow,
                  fmt::format("adding {} to '{}' would pass the range of 64 bits", incr.amount,
                              s.entry.key.value()));
  return applies(Value{Counter{total}});
}

// An author who names what must stand knows of it, even when its cursor is older (a client that
// read one key): a remove with a fulfilled expected version drops the additions of that version.
Author informed_by(const Expect& expect, Author author) {
  if (const auto* expected = std::get_if<ExpectVersion>(&expect))
    author.seen = std::max(author.seen, expected->version);
  if (const auto* mine = std::get_if<ExpectMine>(&expect))
    author.own_through.push_back({author.incarnation, mine->seq});
  return author;
}

// Drops the dots that the author had seen. True iff there were any.
bool drop_seen(std::vector<Dot>& dots, const Author& author) {
  return std::erase_if(dots, [&](const Dot& dot) { return author.seen_dot(dot); }) > 0;
}

Verdict judge_add(const Situation& s, const SetAddOp& add) {
  OrSet set = s.live() ? std::get<OrSet>(*s.current->value) : OrSet{};
  for (const std::string& element : add.elements) {
    std::vector<Dot>& dots = set.elements[element];
    drop_seen(dots, s.author);
    dots.push_back(s.dot);  // the newest revision, so the dots stay sorted
  }
  if (s.live() && add.elements.empty()) return nothing();
  return applies(Value{std::move(set)});
}

Verdict judge_remove(const Situation& s, const SetRemoveOp& remove) {
  if (!s.live()) return nothing();
  OrSet set = std::get<OrSet>(*s.current->value);
  bool changed = false;
  for (const std::string& element : remove.elements) {
    const auto found = set.elements.find(element);
    if (found == set.elements.end()) continue;
    changed |= drop_seen(found->second, s.author);
    if (found->second.empty()) set.elements.erase(found);
  }
  if (!changed) return nothing();
  return applies(Value{std::move(set)});
}

Verdict judge_op(const Situation& s, bool expected) {
  if (const auto* put = std::get_if<PutOp>(&s.entry.op)) return judge_put(s, *put, expected);
  if (std::holds_alternative<DeleteOp>(s.entry.op)) return judge_delete(s, expected);
  if (const auto* incr = std::get_if<IncrOp>(&s.entry.op)) return judge_incr(s, *incr);
  if (const auto* add = std::get_if<SetAddOp>(&s.entry.op)) return judge_add(s, *add);
  if (const auto* remove = std::get_if<SetRemoveOp>(&s.entry.op)) return judge_remove(s, *remove);
  return reject(Reason::kInvalid, "clearing the swarm must stand alone in its mutation");
}

}  // namespace

bool Author::own(const Writer& writer) const {
  if (writer.agent != agent) return false;
  return std::any_of(own_through.begin(), own_through.end(), [&](const OwnThrough& through) {
    return through.incarnation == writer.incarnation && writer.seq <= through.seq;
  });
}

bool Author::seen_dot(const Dot& dot) const {
  return dot.revision <= seen || own(dot.writer);
}

bool Author::concurrent_with(const Record& record) const {
  return record.version > seen && !own(record.writer);
}

Verdict judge(const Entry& entry, const Record* current, const Author& author, const Policy& policy,
              Revision floor, Revision next, std::uint32_t index) {
  const bool expected = !std::holds_alternative<std::monostate>(entry.expect);
  Author informed;
  if (expected) informed = informed_by(entry.expect, author);
  const Situation s{
      entry,  current, expected ? informed : author,
      policy, floor,   Dot{next, index, {author.agent, author.incarnation, author.seq}}};
  if (std::optional<Verdict> verdict = check_expected(s)) return *std::move(verdict);
  if (std::optional<Verdict> verdict = check_type(s)) return *std::move(verdict);

  // Below the floor nobody knows any more whether an absent key was deleted meanwhile, unless its
  // tombstone is the writer's own.
  const bool creates =
      !std::holds_alternative<DeleteOp>(entry.op) && !std::holds_alternative<SetRemoveOp>(entry.op);
  if (!expected && creates && !s.live() && (current == nullptr || s.concurrent()) &&
      author.seen < floor && policy.late_write == LateWrite::kConflict) {
    return conflict(
        ConflictKind::kDeleteUpdate,
        fmt::format("'{}' is absent, and the writer had last seen revision {}, which is "
                    "below the floor {}: the key may have been deleted meanwhile",
                    entry.key.value(), author.seen.value(), floor.value()));
  }

  Verdict verdict = judge_op(s, expected);
  const bool shrinks = std::holds_alternative<SetRemoveOp>(entry.op);
  if (verdict.kind == Kind::kApply && verdict.value && !shrinks &&
      size_of(*verdict.value) > limits::kValueBytes) {
    return reject(Reason::kTooLarge,
                  fmt::format("'{}' would have {} bytes, a value has at most {}", entry.key.value(),
                              size_of(*verdict.value), limits::kValueBytes));
  }
  return verdict;
}

std::optional<Value> apply_locally(const Op& op, std::optional<Value> value, const Writer& writer) {
  if (std::holds_alternative<DeleteOp>(op)) return std::nullopt;
  const std::optional<ValueType> needed = needed_type(op);
  if (!needed || (value && type_of(*value) != *needed)) return value;
  if (const auto* put = std::get_if<PutOp>(&op)) return Register{put->content, put->bytes};
  if (const auto* incr = std::get_if<IncrOp>(&op)) {
    Counter counter = value ? std::get<Counter>(*value) : Counter{};
    if (__builtin_add_overflow(counter.total, incr->amount, &counter.total)) return value;
    return counter;
  }
  if (const auto* add = std::get_if<SetAddOp>(&op)) {
    OrSet set = value ? std::get<OrSet>(*std::move(value)) : OrSet{};
    // The coordinator gives the real dot; until then the greatest possible revision stands for it.
    for (const std::string& element : add->elements)
      set.elements[element] = {Dot{Revision(limits::kNumberMax), 0, writer}};
    return set;
  }
  if (!value) return value;
  OrSet set = std::get<OrSet>(*std::move(value));
  for (const std::string& element : std::get<SetRemoveOp>(op).elements) set.elements.erase(element);
  return set;
}

}  // namespace waggle
