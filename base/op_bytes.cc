#include "base/op_bytes.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/scalar_bytes.h"

namespace waggle {
namespace {

constexpr std::uint8_t kFormat = 1;

// DO NOT CHANGE the numbers.
enum class Verb : std::uint8_t {
  kPut = 0,
  kIncr = 1,
  kAdd = 2,
  kRemove = 3,
  kRaise = 4,
  kFlag = 5,
  kReset = 6,
  kEscrow = 7,
  kEdit = 8,
  kField = 9,
  kDelete = 10,
  kSettle = 11,
};

struct WriteOp {
  ByteWriter& out;

  void begin(Verb verb) const { out.u8(static_cast<std::uint8_t>(verb)); }
  void begin(Verb verb, ValueType type) const {
    begin(verb);
    out.u8(static_cast<std::uint8_t>(type));
  }
  void strings(const std::vector<std::string>& strings) const {
    out.number(strings.size());
    for (const std::string& one : strings) out.string(one);
  }

  void operator()(const PutOp& op) const {
    begin(Verb::kPut, op.type);
    write_register(out, {op.content, op.bytes});
  }
  void operator()(const DeleteOp&) const { begin(Verb::kDelete); }
  void operator()(const IncrOp& op) const {
    begin(Verb::kIncr, op.type);
    out.signed_number(op.amount);
  }
  void operator()(const SetAddOp& op) const {
    begin(Verb::kAdd, op.type);
    strings(op.elements);
  }
  void operator()(const SetRemoveOp& op) const {
    begin(Verb::kRemove, op.type);
    strings(op.elements);
  }
  void operator()(const ClearOp&) const { WAGGLE_CHECK(false, "a clear has no bytes"); }
  void operator()(const RaiseOp& op) const {
    begin(Verb::kRaise, op.type);
    write_scalar(out, op.value);
  }
  void operator()(const FlagOp& op) const {
    begin(Verb::kFlag, op.type);
    out.u8(op.on ? 1 : 0);
  }
  void operator()(const ResetOp&) const { begin(Verb::kReset); }
  void operator()(const EscrowOp& op) const {
    begin(Verb::kEscrow);
    out.u8(static_cast<std::uint8_t>(op.verb));
    out.number(op.amount);
    out.string(op.to.value());
  }
  void operator()(const EditOp& op) const {
    begin(Verb::kEdit, op.type);
    out.number(op.edits.size());
    for (const SequenceEdit& edit : op.edits) {
      out.number(edit.at);
      out.number(edit.removed);
      strings(edit.inserted);
    }
  }
  void operator()(const SettleOp& op) const {
    begin(Verb::kSettle);
    out.number(op.conflict.value());
    out.u8(static_cast<std::uint8_t>(op.how));
    out.number(op.side);
    write_register(out, op.value);
  }
  void operator()(const FieldOp& op) const {
    begin(Verb::kField);
    strings(op.path);
    out.u8(op.removed_type ? static_cast<std::uint8_t>(*op.removed_type) : 0);
    std::visit(*this, op.op->op);
  }
};

class OpReader {
 public:
  explicit OpReader(std::string_view bytes) : in_("operation", bytes) {}

  Result<Op> read() {
    if (const std::uint8_t format = in_.u8(); !in_.failed() && format != kFormat)
      unsupported(fmt::format("format {}", format));
    Op op = one(0);
    Status finished = in_.finish();
    if (!unsupported_.empty())
      return failed(Code::kUnsupported,
                    fmt::format("operation: {} is of a newer Waggle", unsupported_));
    if (!finished) return std::unexpected(std::move(finished.error()));
    return op;
  }

 private:
  void unsupported(std::string what) {
    if (unsupported_.empty()) unsupported_ = std::move(what);
    in_.fail("of a newer Waggle");
  }

  ValueType type() {
    const std::uint8_t number = in_.u8();
    if (const auto type = value_type_of(number)) return *type;
    if (!in_.failed()) unsupported(fmt::format("type {}", number));
    return ValueType::kRegister;
  }

  std::vector<std::string> strings(std::size_t max) {
    const std::size_t count = in_.count(1);
    std::vector<std::string> strings;
    for (std::size_t i = 0; i < count && !in_.failed(); ++i) strings.emplace_back(in_.string(max));
    return strings;
  }

  bool boolean() {
    const std::uint8_t number = in_.u8();
    if (number > 1) in_.fail(fmt::format("expected 0 or 1, got {}", number));
    return number == 1;
  }

  EditOp edit() {
    EditOp op;
    op.type = type();
    const std::size_t count = in_.count(3);
    for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
      SequenceEdit& one = op.edits.emplace_back();
      one.at = in_.number();
      one.removed = in_.number();
      one.inserted = strings(limits::kFrameBytes);
    }
    return op;
  }

  FieldOp field(std::size_t depth) {
    if (depth > 0) in_.fail("expected a field of one path, got fields within each other");
    FieldOp op;
    op.path = strings(limits::kElementBytes);
    const std::uint8_t removed = in_.u8();
    if (removed != 0) {
      op.removed_type = value_type_of(removed);
      if (!op.removed_type) unsupported(fmt::format("type {}", removed));
    }
    op.op = std::make_shared<const NestedOp>(NestedOp{in_.failed() ? Op{} : one(depth + 1)});
    return op;
  }

  Op one(std::size_t depth) {
    const std::uint8_t verb = in_.u8();
    if (in_.failed()) return {};
    switch (static_cast<Verb>(verb)) {
      case Verb::kPut: {
        const ValueType wanted = type();
        Register value = read_register(in_);
        return PutOp{value.content, std::move(value.bytes), wanted};
      }
      case Verb::kIncr: {
        const ValueType wanted = type();
        return IncrOp{in_.signed_number(), wanted};
      }
      case Verb::kAdd: {
        const ValueType wanted = type();
        return SetAddOp{strings(limits::kElementBytes), wanted};
      }
      case Verb::kRemove: {
        const ValueType wanted = type();
        return SetRemoveOp{strings(limits::kElementBytes), wanted};
      }
      case Verb::kRaise: {
        const ValueType wanted = type();
        return RaiseOp{read_scalar(in_), wanted};
      }
      case Verb::kFlag: {
        const ValueType wanted = type();
        return FlagOp{boolean(), wanted};
      }
      case Verb::kReset:
        return ResetOp{};
      case Verb::kEscrow: {
        EscrowOp op;
        op.verb = static_cast<EscrowVerb>(in_.u8());
        op.amount = in_.number();
        op.to = AgentId(in_.string(limits::kIdBytes));
        return op;
      }
      case Verb::kEdit:
        return edit();
      case Verb::kField:
        return field(depth);
      case Verb::kSettle: {
        SettleOp op;
        op.conflict = ConflictId(in_.number(limits::kNumberMax));
        op.how = static_cast<Settle>(in_.u8());
        op.side = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
        op.value = read_register(in_);
        return op;
      }
      case Verb::kDelete:
        if (depth == 0) in_.fail("expected a removal only of a field");
        return DeleteOp{};
    }
    unsupported(fmt::format("verb {}", verb));
    return {};
  }

  ByteReader in_;
  std::string unsupported_;
};

}  // namespace

std::string encode_op(const Op& op) {
  ByteWriter out(input_bytes(op) + 32);
  out.u8(kFormat);
  std::visit(WriteOp{out}, op);
  return out.take();
}

Result<Op> decode_op(std::string_view bytes) {
  return OpReader(bytes).read();
}

}  // namespace waggle
