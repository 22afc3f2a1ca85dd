#include "tests/sim/typed_writes.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

constexpr std::uint64_t kKeysOfAType = 2;
constexpr std::size_t kFieldDepth = 3;

// Draws operations for one key: `view` is what its agent sees there.
class TypedWrite {
 public:
  TypedWrite(Prng& random, std::optional<Value> view) : random_(random), view_(std::move(view)) {}

  Op of(ValueType type) {
    switch (type) {
      case ValueType::kMax:
      case ValueType::kMin:
        return RaiseOp{scalar(), type};
      case ValueType::kOnceFlag:
        return FlagOp{true, type};
      case ValueType::kEnableFlag:
      case ValueType::kDisableFlag:
        return FlagOp{random_.chance(1, 2), type};
      case ValueType::kGrowCounter:
        // Now and then as much as it can hold: the third of them is to be refused.
        if (random_.chance(1, 8)) return IncrOp{std::numeric_limits<std::int64_t>::max(), type};
        return IncrOp{random_.between(0, 20), type};
      case ValueType::kResettableCounter:
        if (random_.chance(1, 4)) return ResetOp{};
        return IncrOp{random_.between(-5, 20), type};
      case ValueType::kBoundedCounter:
        return bounded();
      case ValueType::kGrowSet:
        return SetAddOp{elements(), type};
      case ValueType::kOrSet:
      case ValueType::kRemoveWinsSet:
        if (random_.chance(2, 5)) return SetRemoveOp{elements(), type};
        return SetAddOp{elements(), type};
      case ValueType::kMultiRegister:
        return PutOp{ContentType::kText, token(), type};
      case ValueType::kMap:
        return field();
      case ValueType::kList:
      case ValueType::kText:
        return edit(type);
      case ValueType::kCounter:
        return IncrOp{random_.between(-5, 20), type};
      case ValueType::kRegister:
        break;
    }
    return PutOp{ContentType::kText, token()};
  }

 private:
  // Now and then another kind than the first write's, which is to be refused.
  Scalar scalar() {
    if (random_.chance(1, 30)) return std::string("other");
    return random_.between(-1'000, 1'000);
  }

  Op bounded() {
    const std::uint64_t amount = random_.below(8) + 1;
    switch (random_.below(6)) {
      case 0:
        return EscrowOp{EscrowVerb::kReserve, amount, {}};
      case 1:
        return EscrowOp{EscrowVerb::kRelease, amount, {}};
      case 2:
        return EscrowOp{EscrowVerb::kHandOver, amount,
                        AgentId(fmt::format("a{}", random_.below(6) + 1))};
      case 3:
        return IncrOp{random_.between(1, 20), ValueType::kBoundedCounter};
      default:
        return IncrOp{-random_.between(1, 12), ValueType::kBoundedCounter};
    }
  }

  std::vector<std::string> elements() {
    std::vector<std::string> elements;
    for (std::uint64_t n = random_.below(3) + 1; n > 0; --n)
      elements.push_back(fmt::format("e{}", random_.below(8)));
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    return elements;
  }

  // Hardly ever the same twice, so that what became of it can be looked for.
  std::string token() { return fmt::format("<{:08x}é>", random_.next() >> 32); }

  std::uint64_t units_seen(ValueType type) const {
    return view_ && type_of(*view_) == type ? count_of(*view_) : 0;
  }

  Op edit(ValueType type) {
    EditOp op;
    op.type = type;
    std::uint64_t units = units_seen(type);
    for (std::uint64_t n = random_.chance(1, 3) ? random_.below(3) + 1 : 1; n > 0; --n) {
      SequenceEdit& edit = op.edits.emplace_back();
      edit.at = random_.chance(1, 3) ? units : random_.below(units + 1);
      if (random_.chance(1, 2)) edit.removed = std::min(random_.below(12), units - edit.at);
      if (edit.removed == 0 || random_.chance(1, 2)) edit.inserted.push_back(token());
      if (type == ValueType::kList && random_.chance(1, 3)) edit.inserted.push_back(token());
      units = units - edit.removed + units_of(edit, type);
      if (random_.chance(1, 50)) edit.at += units + 1;  // beyond the end, to be refused
    }
    return op;
  }

  static std::uint64_t units_of(const SequenceEdit& edit, ValueType type) {
    if (type == ValueType::kList) return edit.inserted.size();
    std::uint64_t units = 0;
    for (const std::string& text : edit.inserted)
      units += static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      }));
    return units;
  }

  // Of a few names, so that agents meet in the same field, and in one name of two types.
  Op field() {
    std::vector<std::string> path;
    const std::optional<Value> map = std::exchange(view_, std::nullopt);
    const Value* at = map ? &*map : nullptr;
    do {
      path.push_back(fmt::format("f{}", random_.below(3)));
      if (path.size() == kFieldDepth || random_.chance(2, 3)) break;
      at = field_of(at, {path.back(), ValueType::kMap});
    } while (true);
    if (random_.chance(1, 5)) {
      FieldOp removal = field_op(std::move(path), DeleteOp{});
      if (random_.chance(1, 2)) removal.removed_type = field_type();
      return removal;
    }
    const ValueType type = field_type();
    if (const Value* held = field_of(at, {path.back(), type})) view_ = *held;
    return field_op(std::move(path), of(type));
  }

  static const Value* field_of(const Value* map, const FieldId& id) {
    const auto* fields = map != nullptr ? std::get_if<Map>(map) : nullptr;
    const Field* field = fields != nullptr ? fields->fields.find(id) : nullptr;
    return field != nullptr ? &field->value->value : nullptr;
  }

  // Maps within maps come by the path.
  ValueType field_type() {
    while (true) {
      const ValueType type = kValueTypes[random_.below(kValueTypes.size())];
      if (type != ValueType::kMap) return type;
    }
  }

  Prng& random_;
  std::optional<Value> view_;
};

constexpr bool is_new_here(ValueType type) {
  return type != ValueType::kRegister && type != ValueType::kCounter && type != ValueType::kOrSet;
}

}  // namespace

Entry typed_write(Prng& random, const Agent& agent) {
  ValueType type = ValueType::kRegister;
  while (!is_new_here(type)) type = kValueTypes[random.below(kValueTypes.size())];
  Entry entry;
  entry.key = Key(fmt::format("t/{}/{}", to_text(type), random.below(kKeysOfAType)));
  if (random.chance(1, 40)) {
    entry.op = DeleteOp{};
    return entry;
  }
  const RecordPtr seen = agent.view(entry.key);
  entry.op = TypedWrite(random, seen ? seen->value : std::nullopt).of(type);
  return entry;
}

}  // namespace waggle::sim
