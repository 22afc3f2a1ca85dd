#include "base/op.h"

#include <utility>

#include "base/check.h"

namespace waggle {
namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

constexpr std::size_t kNumberBytes = sizeof(std::int64_t);

}  // namespace

bool operator==(const FieldOp& a, const FieldOp& b) {
  return a.path == b.path && a.removed_type == b.removed_type &&
         (a.op == b.op || (a.op && b.op && a.op->op == b.op->op));
}

FieldOp field_op(std::vector<std::string> path, Op op) {
  return {std::move(path), std::make_shared<const NestedOp>(NestedOp{std::move(op)}), {}};
}

std::string_view verb_of(const Op& op) {
  using Word = std::string_view;
  return std::visit(Overload{[](const PutOp&) { return Word("put"); },
                             [](const DeleteOp&) { return Word("delete"); },
                             [](const IncrOp&) { return Word("incr"); },
                             [](const SetAddOp&) { return Word("add"); },
                             [](const SetRemoveOp&) { return Word("remove"); },
                             [](const ClearOp&) { return Word("clear"); },
                             [](const RaiseOp& raise) { return to_text(raise.type); },
                             [](const FlagOp& flag) { return Word(flag.on ? "on" : "off"); },
                             [](const ResetOp&) { return Word("reset"); },
                             [](const EscrowOp& escrow) {
                               return Word(escrow.verb == EscrowVerb::kReserve   ? "reserve"
                                           : escrow.verb == EscrowVerb::kRelease ? "release"
                                                                                 : "handover");
                             },
                             [](const EditOp&) { return Word("edit"); },
                             [](const FieldOp& field) { return verb_of(field.op->op); },
                             [](const SettleOp&) { return Word("settle"); }},
                    op);
}

std::optional<ValueType> type_needed(const Op& op) {
  using Needed = std::optional<ValueType>;
  return std::visit(
      Overload{[](const DeleteOp&) { return Needed(); }, [](const ClearOp&) { return Needed(); },
               [](const SettleOp&) { return Needed(); },
               [](const ResetOp&) { return Needed(ValueType::kResettableCounter); },
               [](const EscrowOp&) { return Needed(ValueType::kBoundedCounter); },
               [](const FieldOp&) { return Needed(ValueType::kMap); },
               [](const auto& typed) { return Needed(typed.type); }},
      op);
}

bool grows(const Op& op) {
  return std::visit(
      Overload{[](const DeleteOp&) { return false; }, [](const ClearOp&) { return false; },
               [](const ResetOp&) { return false; }, [](const SettleOp&) { return false; },
               // A removal of a remove-wins set leaves a tombstone.
               [](const SetRemoveOp& remove) { return remove.type != ValueType::kOrSet; },
               [](const FieldOp& field) { return grows(field.op->op); },
               [](const EditOp& edit) {
                 for (const SequenceEdit& one : edit.edits)
                   if (!one.inserted.empty()) return true;
                 return false;
               },
               [](const auto&) { return true; }},
      op);
}

std::size_t input_bytes(const std::vector<std::string>& elements) {
  // Many tiny ones must not pass for a small request.
  constexpr std::size_t kElementOverhead = 16;
  std::size_t size = 0;
  for (const std::string& element : elements) size += element.size() + kElementOverhead;
  return size;
}

std::size_t input_bytes(const Op& op) {
  return std::visit(
      Overload{
          [](const PutOp& put) { return put.bytes.size(); },
          [](const DeleteOp&) { return std::size_t{0}; },
          [](const ClearOp&) { return std::size_t{0}; },
          [](const SetAddOp& add) { return input_bytes(add.elements); },
          [](const SetRemoveOp& remove) { return input_bytes(remove.elements); },
          [](const RaiseOp& raise) {
            const auto* text = std::get_if<std::string>(&raise.value);
            return text != nullptr ? text->size() : kNumberBytes;
          },
          [](const EscrowOp& escrow) { return kNumberBytes + escrow.to.value().size(); },
          [](const EditOp& edit) {
            std::size_t size = 0;
            for (const SequenceEdit& one : edit.edits)
              size += 2 * kNumberBytes + input_bytes(one.inserted);
            return size;
          },
          [](const SettleOp& settle) { return kNumberBytes + settle.value.bytes.size(); },
          [](const FieldOp& field) { return input_bytes(field.path) + input_bytes(field.op->op); },
          [](const auto&) { return kNumberBytes; }},
      op);
}

}  // namespace waggle
