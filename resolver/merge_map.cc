#include "resolver/merge_map.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace waggle {
namespace {

std::string text_of_path(const std::vector<std::string>& path, std::size_t names) {
  std::string text;
  for (std::size_t i = 0; i < names; ++i) text += '/' + path[i];
  return text;
}

const Value* value_of(const Field* field) {
  return field != nullptr ? &field->value->value : nullptr;
}

// Of a multi-register may be left nothing though an update of it was not seen: one that had to go
// at limits::kSiblings.
bool is_gone(const Value& left) {
  const auto* multi = std::get_if<MultiRegister>(&left);
  return multi != nullptr && multi->siblings.empty();
}

// The field as this write leaves it: its own dot stands for all that it had seen.
Field updated(const Field* field, Value value, Hlc hlc, const MergeSetting& s) {
  Field next;
  next.value = std::make_shared<const Nested>(Nested{std::move(value)});
  next.hlc = hlc;
  if (field != nullptr) next.updates = field->updates;
  drop_seen(next.updates, s.author);
  add_dot(next.updates, s.dot);
  return next;
}

// A write of a register that somebody else wrote meanwhile.
std::optional<Verdict> lost_field(const FieldOp& op, const Field& field, const MergeSetting& s) {
  if (s.author.seen_all(field.updates)) return std::nullopt;
  const AgentId& holder = field.updates.back().writer.agent;
  if (std::tie(s.author.hlc, s.author.agent) > std::tie(field.hlc, holder)) return std::nullopt;
  return Verdict::conflicts(
      ConflictKind::kFieldConflict,
      fmt::format("field {} was written by {} meanwhile, and that is the later one",
                  text_of_path(op.path, op.path.size()), holder.value()),
      "field(lww)");
}

Verdict remove_fields(const FieldOp& op, Map map, const MergeSetting& s) {
  const std::string& name = op.path.back();
  std::vector<FieldId> wanted;
  for (const ValueType type : kValueTypes)
    if ((!op.removed_type || *op.removed_type == type) && map.fields.contains(FieldId{name, type}))
      wanted.push_back({name, type});
  bool changed = false;
  for (const FieldId& id : wanted) {
    const Field& field = *map.fields.find(id);
    if (s.author.seen_all(field.updates)) {
      map.fields.erase(id);
      changed = true;
      continue;
    }
    std::optional<Value> left = without_seen(field.value->value, s);
    if (!left)
      return Verdict::conflicts(
          ConflictKind::kFieldConflict,
          fmt::format("field {} was changed too often since revision {} to say what its removal "
                      "had seen; catch up and remove it again",
                      text_of_path(op.path, op.path.size()), s.author.seen.value()));
    if (is_gone(*left)) {
      map.fields.erase(id);
      changed = true;
      continue;
    }
    Field next{nullptr, field.hlc, field.updates};
    drop_seen(next.updates, s.author);
    if (*left == field.value->value && next.updates == field.updates) continue;
    next.value = std::make_shared<const Nested>(Nested{*std::move(left)});
    map.fields.set(id, std::move(next));
    changed = true;
  }
  if (!changed) return Verdict::nothing();
  return Verdict::applies(std::move(map));
}

// Merges into `map`, which is reached through the first `depth` names.
Verdict merge_at(const FieldOp& op, std::size_t depth, Map map, const MergeSetting& s) {
  const bool last = depth + 1 == op.path.size();
  if (last && std::holds_alternative<DeleteOp>(op.op->op))
    return remove_fields(op, std::move(map), s);
  const FieldId id{op.path[depth], last ? *type_needed(op.op->op) : ValueType::kMap};
  const Field* field = map.fields.find(id);
  if (field == nullptr && !grows(op.op->op) && !last) return Verdict::nothing();
  if (last && field != nullptr && id.type == ValueType::kRegister)
    if (std::optional<Verdict> lost = lost_field(op, *field, s)) return *std::move(lost);

  Verdict inner;
  if (last) {
    inner = merge_op(op.op->op, value_of(field), s);
    if (!inner.text.empty())
      inner.text = fmt::format("field {}: {}", text_of_path(op.path, depth + 1), inner.text);
  } else {
    inner =
        merge_at(op, depth + 1, field != nullptr ? std::get<Map>(field->value->value) : Map{}, s);
  }
  if (inner.kind != Verdict::Kind::kApply) return inner;
  const Hlc hlc = field != nullptr ? std::max(field->hlc, s.author.hlc) : s.author.hlc;
  map.fields.set(id, updated(field, *std::move(inner.value), hlc, s));
  return Verdict::applies(std::move(map), std::move(inner.rule));
}

}  // namespace

Verdict merge_field(const FieldOp& op, Map map, const MergeSetting& setting) {
  return merge_at(op, 0, std::move(map), setting);
}

std::optional<Value> fields_without_seen(const Map& map, const MergeSetting& s) {
  Map left = map;
  for (const auto& [id, field] : map.fields) {
    if (s.author.seen_all(field.updates)) {
      left.fields.erase(id);
      continue;
    }
    std::optional<Value> value = without_seen(field.value->value, s);
    if (!value) return std::nullopt;
    if (is_gone(*value)) {
      left.fields.erase(id);
      continue;
    }
    Field next{std::make_shared<const Nested>(Nested{*std::move(value)}), field.hlc,
               field.updates};
    drop_seen(next.updates, s.author);
    left.fields.set(id, std::move(next));
  }
  return left;
}

}  // namespace waggle
