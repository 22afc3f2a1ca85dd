#include "tests/sim/typed_effects.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle::sim {
namespace {

std::string name_of(const TypedCommit& commit) {
  return fmt::format("{}@{}", commit.key.value(), commit.record.version.value());
}

Dot dot_of(const TypedCommit& commit) {
  return {commit.record.version, 0, commit.author};
}

template <typename T>
const T* value_of(const Record* record) {
  return record != nullptr && record->value ? std::get_if<T>(&*record->value) : nullptr;
}

// ---- told from before and after ----------------------------------------------------------------

std::string joined(const Value& value) {
  if (const auto* text = std::get_if<Text>(&value)) return text->sequence.text();
  std::string joined;
  for (const std::string& element : std::get<List>(value).sequence.elements()) joined += element;
  return joined;
}

std::uint64_t units_of(const EditOp& op, const SequenceEdit& edit) {
  if (op.type == ValueType::kList) return edit.inserted.size();
  std::uint64_t units = 0;
  for (const std::string& text : edit.inserted)
    units += static_cast<std::uint64_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  return units;
}

void check_edit(const EditOp& op, const TypedCommit& commit, const TypedEffects::Found& found) {
  if (!commit.record.value || type_of(*commit.record.value) != op.type) {
    found("edits", name_of(commit) + ": of another type");
    return;
  }
  std::uint64_t inserted = 0, removed = 0;
  for (const SequenceEdit& edit : op.edits) {
    inserted += units_of(op, edit);
    removed += edit.removed;
  }
  const bool was_there = commit.before != nullptr && commit.before->live();
  const std::uint64_t most = (was_there ? count_of(*commit.before->value) : 0) + inserted;
  const std::uint64_t units = count_of(*commit.record.value);
  if (units > most || units + removed < most)
    found("edits", fmt::format("{}: {} units, at most {} were to be removed of {}", name_of(commit),
                               units, removed, most));
  // A later edit of the same write may go between.
  if (op.edits.size() != 1) return;
  const std::vector<std::string>& pieces = op.edits.front().inserted;
  const std::string piece = std::accumulate(pieces.begin(), pieces.end(), std::string());
  if (joined(*commit.record.value).find(piece) == std::string::npos)
    found("edits", fmt::format("{}: {} does not stand there in one piece", name_of(commit), piece));
}

void check_field(const FieldOp& op, const TypedCommit& commit, const TypedEffects::Found& found) {
  const auto* map = value_of<Map>(&commit.record);
  for (std::size_t depth = 0; map != nullptr && depth + 1 < op.path.size(); ++depth) {
    const Field* field = map->fields.find(FieldId{op.path[depth], ValueType::kMap});
    map = field != nullptr ? &std::get<Map>(field->value->value) : nullptr;
  }
  if (std::holds_alternative<DeleteOp>(op.op->op)) {
    for (const ValueType type : kValueTypes) {
      if (map == nullptr || (op.removed_type && *op.removed_type != type)) continue;
      const Field* left = map->fields.find(FieldId{op.path.back(), type});
      if (left != nullptr && std::ranges::any_of(left->updates, commit.had_seen))
        found("fields", fmt::format("{}: {} is left of what its removal had seen", name_of(commit),
                                    op.path.back()));
    }
    return;
  }
  const Field* field =
      map != nullptr ? map->fields.find(FieldId{op.path.back(), *type_needed(op.op->op)}) : nullptr;
  if (field == nullptr || !std::ranges::any_of(field->updates, [&](const Dot& dot) {
        return dot.revision == commit.record.version;
      }))
    found("fields",
          fmt::format("{}: {} does not count the write", name_of(commit), op.path.back()));
}

}  // namespace

// ---- counters ----------------------------------------------------------------------------------

void TypedEffects::take_incr(Model& model, const IncrOp& op, const TypedCommit& commit,
                             const Found& found) {
  std::optional<std::int64_t> total;
  if (op.type == ValueType::kBoundedCounter) {
    std::int64_t& reserve = model.reserved[commit.author.agent];
    const std::int64_t spent = std::min(std::max<std::int64_t>(-op.amount, 0), reserve);
    reserve -= spent;
    model.free += op.amount + spent;
    take_escrow(model, {EscrowVerb::kReserve, 0, {}}, commit, found);
    return;
  }
  if (const auto* grows = value_of<GrowCounter>(&commit.record)) {
    std::uint64_t sum = 0;
    if (__builtin_add_overflow(static_cast<std::uint64_t>(model.free),
                               static_cast<std::uint64_t>(op.amount), &sum))
      found("counters",
            fmt::format("{}: a counter that was full took {} more", name_of(commit), op.amount));
    model.free = static_cast<std::int64_t>(sum);
    total = static_cast<std::int64_t>(grows->total);
  } else {
    model.free += op.amount;
  }
  if (const auto* resets = value_of<ResettableCounter>(&commit.record)) {
    model.parts.push_back({dot_of(commit), op.amount, {}});
    total = resets->total();
  }
  if (total != model.free)
    found("counters", fmt::format("{}: {} were added, it says {}", name_of(commit), model.free,
                                  total.value_or(0)));
}

void TypedEffects::take_reset(Model& model, const TypedCommit& commit, const Found& found) {
  std::erase_if(model.parts, [&](const Part& part) { return commit.had_seen(part.dot); });
  model.free = 0;
  for (const Part& part : model.parts) model.free += part.amount;
  const auto* counter = value_of<ResettableCounter>(&commit.record);
  if (counter == nullptr || counter->total() != model.free)
    found("counters",
          fmt::format("{}: {} were added that the reset had not seen, it says {}", name_of(commit),
                      model.free, counter != nullptr ? counter->total() : 0));
}

void TypedEffects::take_escrow(Model& model, const EscrowOp& op, const TypedCommit& commit,
                               const Found& found) {
  const auto amount = static_cast<std::int64_t>(op.amount);
  std::int64_t& own = model.reserved[commit.author.agent];
  if (op.verb == EscrowVerb::kHandOver) {
    own -= amount;
    model.reserved[op.to] += amount;
  } else {
    own += op.verb == EscrowVerb::kReserve ? amount : -amount;
    model.free -= op.verb == EscrowVerb::kReserve ? amount : -amount;
  }
  bool short_of_it = model.free < 0;
  for (const auto& [agent, reserve] : model.reserved) short_of_it |= reserve < 0;
  if (short_of_it) found("counters", name_of(commit) + ": more was spent than there was");
  std::map<AgentId, std::uint64_t> reserved;
  for (const auto& [agent, reserve] : model.reserved)
    if (reserve > 0) reserved[agent] = static_cast<std::uint64_t>(reserve);
  const auto* counter = value_of<BoundedCounter>(&commit.record);
  if (counter == nullptr || counter->free != static_cast<std::uint64_t>(model.free) ||
      counter->reserved != reserved)
    found("counters", fmt::format("{}: {} are free, {} expected; {} agents hold reserves, {} "
                                  "expected",
                                  name_of(commit), counter ? counter->free : 0, model.free,
                                  counter ? counter->reserved.size() : 0, reserved.size()));
}

// ---- max, min, flags ---------------------------------------------------------------------------

void TypedEffects::take_raise(Model& model, const RaiseOp& op, const TypedCommit& commit,
                              const Found& found) {
  model.scalars.insert(op.value);
  const auto* greatest = value_of<MaxValue>(&commit.record);
  const auto* least = value_of<MinValue>(&commit.record);
  const bool holds = op.type == ValueType::kMax
                         ? greatest != nullptr && greatest->value == *model.scalars.rbegin()
                         : least != nullptr && least->value == *model.scalars.begin();
  if (!holds) found("extremes", name_of(commit) + ": not the extreme of what was committed");
}

void TypedEffects::take_flag(Model& model, const FlagOp& op, const TypedCommit& commit,
                             const Found& found) {
  if (op.type == ValueType::kOnceFlag) {
    if (value_of<OnceFlag>(&commit.record) == nullptr)
      found("flags", name_of(commit) + ": raised, and is not");
    return;
  }
  const bool enables = op.type == ValueType::kEnableFlag;
  std::erase_if(model.parts, [&](const Part& part) { return commit.had_seen(part.dot); });
  if (op.on == enables) model.parts.push_back({dot_of(commit), 0, {}});
  const auto* enable = value_of<EnableFlag>(&commit.record);
  const auto* disable = value_of<DisableFlag>(&commit.record);
  const bool stands = !model.parts.empty();
  const bool holds = enables ? enable != nullptr && enable->on() == stands
                             : disable != nullptr && disable->on() != stands;
  if (!holds)
    found("flags", fmt::format("{}: {} that nobody had seen who undid them, and it says otherwise",
                               name_of(commit), model.parts.size()));
}

// ---- siblings, sets ----------------------------------------------------------------------------

void TypedEffects::take_put(Model& model, const PutOp& op, const TypedCommit& commit,
                            const Found& found) {
  std::erase_if(model.parts, [&](const Part& part) { return commit.had_seen(part.dot); });
  model.parts.push_back({dot_of(commit), 0, Register{op.content, op.bytes}});
  const auto* multi = value_of<MultiRegister>(&commit.record);
  if (multi == nullptr) {
    found("siblings", name_of(commit) + ": of another type");
    return;
  }
  // Beyond the limit the least stamp goes: which one is the type's own business.
  if (model.parts.size() > limits::kSiblings)
    std::erase_if(model.parts, [&](const Part& part) {
      return std::ranges::none_of(multi->siblings, [&](const Sibling& sibling) {
        return sibling.dot.revision == part.dot.revision;
      });
    });
  bool holds = multi->siblings.size() == model.parts.size();
  for (std::size_t i = 0; holds && i < model.parts.size(); ++i)
    holds = multi->siblings[i].value == model.parts[i].value;
  if (!holds)
    found("siblings", fmt::format("{}: {} values, {} expected", name_of(commit),
                                  multi->siblings.size(), model.parts.size()));
}

void TypedEffects::take_elements(Model& model, const std::vector<std::string>& elements, bool adds,
                                 const TypedCommit& commit, const Found& found) {
  for (const std::string& name : elements) {
    Element& element = model.elements[name];
    std::erase_if(element.adds, commit.had_seen);
    std::erase_if(element.removals, commit.had_seen);
    (adds ? element.adds : element.removals).push_back(dot_of(commit));
  }
  std::set<std::string> expected, held;
  for (const auto& [name, element] : model.elements)
    if (!element.adds.empty() && element.removals.empty()) expected.insert(name);
  if (const auto* grows = value_of<GrowSet>(&commit.record)) {
    for (const auto& [name, none] : grows->elements) held.insert(name);
    if (held != expected)
      found("unions", fmt::format("{}: {} elements, {} were added", name_of(commit), held.size(),
                                  expected.size()));
    return;
  }
  if (const auto* removes = value_of<RemoveWinsSet>(&commit.record))
    for (const auto& [name, dots] : removes->elements)
      if (dots.present()) held.insert(name);
  if (held != expected)
    found("sets", fmt::format("{}: a remove-wins set of [{}], [{}] expected", name_of(commit),
                              fmt::join(held, " "), fmt::join(expected, " ")));
}

void TypedEffects::take(const TypedCommit& commit, const Found& found) {
  Model& model = models_[commit.key];
  const Op& op = commit.entry.op;
  if (const auto* incr = std::get_if<IncrOp>(&op)) take_incr(model, *incr, commit, found);
  if (std::holds_alternative<ResetOp>(op)) take_reset(model, commit, found);
  if (const auto* escrow = std::get_if<EscrowOp>(&op)) take_escrow(model, *escrow, commit, found);
  if (const auto* raise = std::get_if<RaiseOp>(&op)) take_raise(model, *raise, commit, found);
  if (const auto* flag = std::get_if<FlagOp>(&op)) take_flag(model, *flag, commit, found);
  if (const auto* put = std::get_if<PutOp>(&op)) take_put(model, *put, commit, found);
  if (const auto* add = std::get_if<SetAddOp>(&op))
    take_elements(model, add->elements, true, commit, found);
  if (const auto* remove = std::get_if<SetRemoveOp>(&op))
    take_elements(model, remove->elements, false, commit, found);
  if (const auto* edit = std::get_if<EditOp>(&op)) check_edit(*edit, commit, found);
  if (const auto* field = std::get_if<FieldOp>(&op)) check_field(*field, commit, found);
}

}  // namespace waggle::sim
