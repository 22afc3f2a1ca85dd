#include "resolver/merge_type.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/merge_map.h"
#include "resolver/merge_small.h"

namespace waggle {
namespace {

// ---- sets --------------------------------------------------------------------------------------

Verdict add(const SetAddOp& op, OrSet set, bool live, const MergeSetting& s) {
  if (live && op.elements.empty()) return Verdict::nothing();
  for (const std::string& element : op.elements) {
    const Dots* held = set.elements.find(element);
    Dots dots = held != nullptr ? *held : Dots{};
    drop_seen(dots, s.author);
    add_dot(dots, s.dot);
    set.elements.set(element, std::move(dots));
  }
  return Verdict::applies(std::move(set));
}

Verdict add(const SetAddOp& op, GrowSet set, bool live) {
  bool changed = !live;
  for (const std::string& element : op.elements) {
    if (set.elements.contains(element)) continue;
    set.elements.set(element, NoDots{});
    changed = true;
  }
  if (!changed) return Verdict::nothing();
  return Verdict::applies(std::move(set));
}

Verdict remove(const SetRemoveOp& op, OrSet set, const MergeSetting& s) {
  bool changed = false;
  for (const std::string& element : op.elements) {
    const Dots* held = set.elements.find(element);
    if (held == nullptr) continue;
    Dots dots = *held;
    if (!drop_seen(dots, s.author)) continue;
    changed = true;
    if (dots.empty()) {
      set.elements.erase(element);
    } else {
      set.elements.set(element, std::move(dots));
    }
  }
  if (!changed) return Verdict::nothing();
  return Verdict::applies(std::move(set));
}

void place(RemoveWinsSet& set, const std::string& element, AddsAndRemovals dots) {
  const AddsAndRemovals* held = set.elements.find(element);
  if (held != nullptr && !held->present()) --set.removed;
  if (dots.adds.empty() && dots.removals.empty()) {
    set.elements.erase(element);
    return;
  }
  if (!dots.present()) ++set.removed;
  set.elements.set(element, std::move(dots));
}

// Drops what was removed at or below the floor; additions by who had seen less are refused from
// then on. At most once for each floor, since it looks at every element.
void sweep(RemoveWinsSet& set, Revision floor) {
  if (floor <= set.swept || set.removed == 0) return;
  set.swept = floor;
  const auto below = [floor](const Dot& dot) { return dot.revision <= floor; };
  std::vector<std::string> gone;
  for (const auto& [element, dots] : set.elements)
    if (!dots.present() && std::ranges::all_of(dots.removals, below) &&
        std::ranges::all_of(dots.adds, below))
      gone.push_back(element);
  for (const std::string& element : gone) place(set, element, {});
}

// True iff the element is absent, and a removal that the author had not seen may have been dropped.
// An entry that holds a removal from below the author's cursor was not dropped since; one that
// holds only the author's later ones may have been made anew by them.
bool unknown_removal(const RemoveWinsSet& set, const AddsAndRemovals* held, const Author& author) {
  if (author.seen >= set.swept) return false;
  if (held == nullptr) return true;
  return !held->present() && std::ranges::none_of(held->removals, [&](const Dot& dot) {
    return dot.revision <= author.seen;
  });
}

Verdict change(const std::vector<std::string>& elements, bool adds, RemoveWinsSet set,
               const MergeSetting& s) {
  sweep(set, s.floor);
  for (const std::string& element : elements) {
    const AddsAndRemovals* held = set.elements.find(element);
    const bool late = adds && !s.late_applies && unknown_removal(set, held, s.author);
    AddsAndRemovals dots = held != nullptr ? *held : AddsAndRemovals{};
    drop_seen(dots.adds, s.author);
    drop_seen(dots.removals, s.author);
    if (late && dots.removals.empty())
      return Verdict::conflicts(
          ConflictKind::kDeleteUpdate,
          fmt::format("element '{}' is absent, and the writer had last seen revision {}, which is "
                      "below {}, up to which removals were dropped: it may have been removed "
                      "meanwhile; catch up and add it again",
                      element, s.author.seen.value(), set.swept.value()));
    add_dot(adds ? dots.adds : dots.removals, s.dot);
    place(set, element, std::move(dots));
  }
  return Verdict::applies(std::move(set));
}

// ---- list and text -----------------------------------------------------------------------------

Sequence::Author author_of(const Author& author) {
  return {author.seen, [&author](const Dot& dot) { return author.seen_dot(dot); }};
}

template <typename Holder>
Verdict edit(const EditOp& op, Holder holder, const MergeSetting& s) {
  if (!holder.sequence.reaches(s.author.seen))
    return Verdict::rejects(
        Reason::kBaseLost,
        fmt::format("the edit speaks of revision {}, the history is kept from revision {} on; "
                    "read it again and edit what stands now",
                    s.author.seen.value(), holder.sequence.base().value()));
  if (const Status edited = holder.sequence.edit(op.edits, s.dot, author_of(s.author)); !edited)
    return Verdict::rejects(Reason::kOutOfRange, edited.error().text);
  // Nobody below the floor writes here any more, and what is above it is bounded too.
  if (holder.sequence.history_bytes() > limits::kSequenceFoldBytes) holder.sequence.fold(s.floor);
  if (holder.sequence.history_bytes() > limits::kSequenceHistoryBytes)
    holder.sequence.fold(holder.sequence.fold_point(limits::kSequenceHistoryBytes / 2));
  return Verdict::applies(std::move(holder));
}

// ---- one operation -----------------------------------------------------------------------------

template <typename T>
T copy_of(const Value* current) {
  return current != nullptr ? std::get<T>(*current) : T{};
}

struct Merge {
  const Value* current;
  const MergeSetting& s;

  Verdict operator()(const PutOp& op) const {
    if (op.type == ValueType::kMultiRegister)
      return put_beside(op, copy_of<MultiRegister>(current), s);
    return Verdict::applies(Register{op.content, op.bytes});
  }
  Verdict operator()(const DeleteOp&) const { return Verdict::applies(std::nullopt); }
  Verdict operator()(const ClearOp&) const {
    return Verdict::rejects(Reason::kInvalid,
                            "clearing the swarm must stand alone in its mutation");
  }
  Verdict operator()(const SettleOp&) const {
    return Verdict::rejects(Reason::kInvalid, "a settlement must stand alone in its mutation");
  }
  Verdict operator()(const IncrOp& op) const {
    if (op.amount == 0 && current != nullptr) return Verdict::nothing();
    switch (op.type) {
      case ValueType::kGrowCounter:
        return increment(op.amount, copy_of<GrowCounter>(current));
      case ValueType::kResettableCounter:
        return increment(op.amount, copy_of<ResettableCounter>(current), s);
      case ValueType::kBoundedCounter:
        return increment(op.amount, copy_of<BoundedCounter>(current), s);
      default:
        return increment(op.amount, copy_of<Counter>(current));
    }
  }
  Verdict operator()(const ResetOp&) const {
    if (current == nullptr) return Verdict::nothing();
    return reset(std::get<ResettableCounter>(*current), s);
  }
  Verdict operator()(const EscrowOp& op) const {
    return escrow(op, copy_of<BoundedCounter>(current), s);
  }
  Verdict operator()(const RaiseOp& op) const { return raise(op, current); }
  Verdict operator()(const FlagOp& op) const { return turn(op, current, s); }
  Verdict operator()(const SetAddOp& op) const {
    switch (op.type) {
      case ValueType::kGrowSet:
        return add(op, copy_of<GrowSet>(current), current != nullptr);
      case ValueType::kRemoveWinsSet:
        return change(op.elements, true, copy_of<RemoveWinsSet>(current), s);
      default:
        return add(op, copy_of<OrSet>(current), current != nullptr, s);
    }
  }
  Verdict operator()(const SetRemoveOp& op) const {
    // Nothing is known of it, so nothing was added that a removal could be against: but of a
    // remove-wins set an addition may be on its way.
    if (op.type == ValueType::kRemoveWinsSet)
      return change(op.elements, false, copy_of<RemoveWinsSet>(current), s);
    if (current == nullptr) return Verdict::nothing();
    return remove(op, std::get<OrSet>(*current), s);
  }
  Verdict operator()(const EditOp& op) const {
    if (op.type == ValueType::kList) return edit(op, copy_of<List>(current), s);
    return edit(op, copy_of<Text>(current), s);
  }
  Verdict operator()(const FieldOp& op) const { return merge_field(op, copy_of<Map>(current), s); }
};

// ---- what is left ------------------------------------------------------------------------------

struct WithoutSeen {
  const MergeSetting& s;
  using Left = std::optional<Value>;

  Left operator()(const OrSet& set) const {
    OrSet left = set;
    for (const auto& [element, held] : set.elements) {
      Dots dots = held;
      if (!drop_seen(dots, s.author)) continue;
      if (dots.empty()) {
        left.elements.erase(element);
      } else {
        left.elements.set(element, std::move(dots));
      }
    }
    return left;
  }
  Left operator()(const RemoveWinsSet& set) const {
    RemoveWinsSet left = set;
    for (const auto& [element, held] : set.elements) {
      AddsAndRemovals dots = held;
      const bool adds = drop_seen(dots.adds, s.author);
      if (drop_seen(dots.removals, s.author) || adds) place(left, element, std::move(dots));
    }
    return left;
  }
  Left operator()(const EnableFlag& flag) const {
    EnableFlag left = flag;
    drop_seen(left.enabled, s.author);
    return left;
  }
  Left operator()(const DisableFlag& flag) const {
    DisableFlag left = flag;
    drop_seen(left.disabled, s.author);
    return left;
  }
  Left operator()(const MultiRegister& multi) const {
    MultiRegister left = multi;
    std::erase_if(left.siblings, [this](const Sibling& one) { return s.author.seen_dot(one.dot); });
    return left;
  }
  Left operator()(const ResettableCounter& counter) const {
    const Verdict verdict = reset(counter, s);
    if (verdict.kind == Verdict::Kind::kConflict) return std::nullopt;
    return verdict.kind == Verdict::Kind::kApply ? verdict.value : Left(counter);
  }
  Left operator()(const Map& map) const { return fields_without_seen(map, s); }
  Left operator()(const List& list) const { return of_sequence(list); }
  Left operator()(const Text& text) const { return of_sequence(text); }
  Left operator()(const auto& whole) const { return whole; }

 private:
  template <typename Holder>
  Left of_sequence(Holder holder) const {
    if (!holder.sequence.reaches(s.author.seen)) return std::nullopt;
    holder.sequence.remove_seen(author_of(s.author), s.dot);
    return holder;
  }
};

}  // namespace

Verdict merge_op(const Op& op, const Value* current, const MergeSetting& setting) {
  return std::visit(Merge{current, setting}, op);
}

std::optional<Value> without_seen(const Value& value, const MergeSetting& setting) {
  return std::visit(WithoutSeen{setting}, value);
}

bool holds_unseen(const Value& value, const MergeSetting& setting) {
  const std::optional<Value> left = without_seen(value, setting);
  if (!left) return true;
  if (const auto* flag = std::get_if<EnableFlag>(&*left)) return !flag->enabled.empty();
  if (const auto* flag = std::get_if<DisableFlag>(&*left)) return !flag->disabled.empty();
  if (const auto* counter = std::get_if<ResettableCounter>(&*left)) return !counter->shares.empty();
  if (const auto* set = std::get_if<RemoveWinsSet>(&*left)) return !set->elements.empty();
  switch (type_of(*left)) {
    case ValueType::kOrSet:
    case ValueType::kMultiRegister:
    case ValueType::kMap:
    case ValueType::kList:
    case ValueType::kText:
      return count_of(*left) > 0;
    default:
      return false;
  }
}

}  // namespace waggle
