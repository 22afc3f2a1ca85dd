#include "resolver/apply.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/concurrent.h"
#include "resolver/merge_type.h"

namespace waggle {
namespace {

using Kind = Verdict::Kind;

struct Situation {
  const Entry& entry;
  const Standing& standing;
  const Author& author;
  const Policies& policies;
  const Policy& policy;
  Dot dot;

  [[nodiscard]] const Record* current() const { return standing.record; }
  [[nodiscard]] bool live() const { return current() != nullptr && current()->live(); }
  [[nodiscard]] bool concurrent() const {
    return current() != nullptr && author.concurrent_with(*current());
  }
  [[nodiscard]] MergeSetting merging() const {
    return {author, dot, standing.floor, policy.late_write == LateWrite::kApply};
  }
};

// Of typed values also an addition behind which the author's own later write stands.
std::optional<Verdict> check_unchanged(const Situation& s) {
  const std::string& key = s.entry.key.value();
  if (s.current() == nullptr) {
    if (s.author.seen >= s.standing.floor) return std::nullopt;
    return Verdict::conflicts(
        ConflictKind::kVersionMismatch,
        fmt::format("expected '{}' unchanged, but nobody knows any more what became of it since "
                    "revision {}: deletions are remembered from revision {} on",
                    key, s.author.seen.value(), s.standing.floor.value()));
  }
  if (!s.concurrent() && !(s.live() && holds_unseen(*s.current()->value, s.merging())))
    return std::nullopt;
  return Verdict::conflicts(
      ConflictKind::kVersionMismatch,
      fmt::format("expected '{}' unchanged since revision {}, found it {} by {} at revision {}",
                  key, s.author.seen.value(), s.live() ? "written" : "deleted",
                  s.current()->writer.agent.value(), s.current()->version.value()));
}

// Empty: the expected version holds or none was given.
std::optional<Verdict> check_expected(const Situation& s) {
  const Revision standing = s.live() ? s.current()->version : Revision{};
  if (const auto* expected = std::get_if<ExpectVersion>(&s.entry.expect)) {
    if (expected->version == standing) return std::nullopt;
    return Verdict::conflicts(
        ConflictKind::kVersionMismatch,
        fmt::format("expected version {} of '{}', found {}", expected->version.value(),
                    s.entry.key.value(),
                    s.live() ? fmt::to_string(standing.value()) : "no such key"));
  }
  if (const auto* mine = std::get_if<ExpectMine>(&s.entry.expect)) {
    const Writer expected{s.author.agent, s.author.incarnation, mine->seq};
    if (s.current() != nullptr && s.current()->writer == expected) return std::nullopt;
    return Verdict::conflicts(
        ConflictKind::kVersionMismatch,
        fmt::format("expected '{}' as the own write {} had left it, but it was changed "
                    "since or that write was not committed",
                    s.entry.key.value(), mine->seq.value()));
  }
  if (std::holds_alternative<ExpectUnchanged>(s.entry.expect)) return check_unchanged(s);
  return std::nullopt;
}

std::optional<Verdict> check_type(const Situation& s) {
  const std::optional<ValueType> needed = type_needed(s.entry.op);
  if (!needed) return std::nullopt;
  if (s.live() && type_of(*s.current()->value) != *needed)
    return Verdict::rejects(
        Reason::kTypeMismatch,
        fmt::format("'{}' is of type {}, the write is for {}; delete the key first to change "
                    "its type",
                    s.entry.key.value(), to_text(type_of(*s.current()->value)), to_text(*needed)));
  if (s.policy.type && *s.policy.type != *needed)
    return Verdict::rejects(
        Reason::kTypeMismatch,
        fmt::format("the policy for '{}' fixes the type {} for '{}', the write is for {}",
                    s.policy.prefix, to_text(*s.policy.type), s.entry.key.value(),
                    to_text(*needed)));
  return std::nullopt;
}

// A register's put or delete that meets a concurrent record.
Verdict settle_register(const Situation& s, std::optional<Register> value) {
  return settle_concurrent({s.entry.key, *s.current(), std::move(value), s.author, s.policy,
                            s.policies, s.standing.ancestor, s.standing.alone});
}

Verdict judge_put(const Situation& s, const PutOp& put, bool expected) {
  Register value{put.content, put.bytes};
  if (!expected && s.concurrent()) return settle_register(s, std::move(value));
  if (!expected && s.live() && s.policy.strategy == Strategy::kFww)
    return Verdict::conflicts(
        ConflictKind::kConcurrentUpdate,
        fmt::format("'{}' was written first by {} at revision {}, and that stays by policy; delete "
                    "it to write it anew",
                    s.entry.key.value(), s.current()->writer.agent.value(),
                    s.current()->version.value()));
  // A change made of what stands, that comes to what stands: nothing to tell anybody.
  if (std::holds_alternative<ExpectUnchanged>(s.entry.expect) && s.entry.metadata.empty() &&
      register_of(s.current()) == value)
    return Verdict::nothing();
  return Verdict::applies(std::move(value));
}

Verdict judge_delete(const Situation& s, bool expected) {
  if (!s.live()) return Verdict::nothing();
  if (!expected && (s.concurrent() || holds_unseen(*s.current()->value, s.merging()))) {
    if (type_of(*s.current()->value) == ValueType::kRegister)
      return settle_register(s, std::nullopt);
    return Verdict::conflicts(
        ConflictKind::kDeleteUpdate,
        fmt::format("'{}' was changed meanwhile, last by {} at revision {}; deleting "
                    "it would drop work that was not seen",
                    s.entry.key.value(), s.current()->writer.agent.value(),
                    s.current()->version.value()),
        fmt::format("type({})", to_text(type_of(*s.current()->value))));
  }
  return Verdict::applies(std::nullopt);
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

Verdict judge_op(const Situation& s, bool expected) {
  const auto* put = std::get_if<PutOp>(&s.entry.op);
  if (put != nullptr && put->type == ValueType::kRegister) return judge_put(s, *put, expected);
  if (std::holds_alternative<DeleteOp>(s.entry.op)) return judge_delete(s, expected);
  Verdict verdict = merge_op(s.entry.op, s.live() ? &*s.current()->value : nullptr, s.merging());
  if (!verdict.text.empty())
    verdict.text = fmt::format("'{}': {}", s.entry.key.value(), verdict.text);
  return verdict;
}

}  // namespace

Verdict judge(const Entry& entry, const Standing& standing, const Author& author,
              const Policies& policies) {
  const bool expected = !std::holds_alternative<std::monostate>(entry.expect);
  const Policy& policy = policies.of(entry.key.value());
  Author informed;
  if (expected) informed = informed_by(entry.expect, author);
  const Situation s{entry,    standing, expected ? informed : author,
                    policies, policy,   Dot{standing.next, standing.index, author.writer()}};
  if (std::optional<Verdict> verdict = check_expected(s)) return *std::move(verdict);
  if (std::optional<Verdict> verdict = check_type(s)) return *std::move(verdict);

  // Below the floor nobody knows any more whether an absent key was deleted meanwhile, unless its
  // tombstone is the writer's own.
  if (!expected && grows(entry.op) && !s.live() && (s.current() == nullptr || s.concurrent()) &&
      author.seen < standing.floor && policy.late_write == LateWrite::kConflict) {
    return Verdict::conflicts(
        ConflictKind::kDeleteUpdate,
        fmt::format("'{}' is absent, and the writer had last seen revision {}, which is "
                    "below the floor {}: the key may have been deleted meanwhile",
                    entry.key.value(), author.seen.value(), standing.floor.value()));
  }

  Verdict verdict = judge_op(s, expected);
  if (verdict.kind != Kind::kApply || !verdict.value || !grows(entry.op)) return verdict;
  if (policy.elements_max && count_of(*verdict.value) > *policy.elements_max &&
      (!s.live() || count_of(*verdict.value) > count_of(*s.current()->value))) {
    return Verdict::rejects(
        Reason::kTooLarge,
        fmt::format("'{}' would hold {} elements, the policy for '{}' allows {}", entry.key.value(),
                    count_of(*verdict.value), policy.prefix, *policy.elements_max));
  }
  if (size_of(*verdict.value) > limits::kValueBytes) {
    return Verdict::rejects(
        Reason::kTooLarge,
        fmt::format("'{}' would have {} bytes, a value has at most {}", entry.key.value(),
                    size_of(*verdict.value), limits::kValueBytes));
  }
  return verdict;
}

std::optional<Value> apply_locally(const Op& op, std::optional<Value> value, const Author& author,
                                   std::uint32_t place) {
  if (std::holds_alternative<DeleteOp>(op)) return std::nullopt;
  const std::optional<ValueType> needed = type_needed(op);
  if (!needed || (value && type_of(*value) != *needed)) return value;
  const Dot dot{Revision(limits::kNumberMax), place, author.writer()};
  Verdict verdict = merge_op(op, value ? &*value : nullptr, {author, dot, {}, true});
  return verdict.kind == Kind::kApply ? std::move(verdict.value) : std::move(value);
}

}  // namespace waggle
