#pragma once

// One operation on a value of each type, chosen by the bytes of a fuzz input: few names, so that
// authors meet, and amounts at the ends of their ranges.

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/op.h"
#include "tests/fuzz/input.h"

namespace waggle::testing {

inline std::string some_text(Input& input) {
  const std::vector<std::string> texts = {
      "a", "\u20ac", "bee\n", "\U0001f41d", std::string(300, 'w'), "x y", "0"};
  return input.one_of(texts);
}

inline std::vector<std::string> some_elements(Input& input) {
  std::vector<std::string> elements;
  const std::size_t which = 1 + input.below(255);
  for (std::size_t i = 0; i < 8; ++i)
    if ((which >> i & 1U) != 0) elements.push_back("e" + std::to_string(i));
  if (input.rarely(8)) elements.emplace_back("\xff");
  return elements;
}

inline std::int64_t some_amount(Input& input) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> amounts = {1, -1, 7, -3, 0, kMost, -kMost, -kMost - 1};
  return input.one_of(amounts);
}

inline Scalar some_scalar(Input& input) {
  const std::vector<Scalar> scalars = {
      std::int64_t{-3}, std::int64_t{5},       std::uint64_t{3}, 2.5,
      -1e300,           std::string("z\0", 2), std::string()};
  return input.one_of(scalars);
}

inline EditOp some_edit(ValueType type, Input& input) {
  EditOp op{{}, type};
  for (std::size_t edits = 1 + input.below(3); edits > 0; --edits) {
    SequenceEdit edit{input.byte(), input.rarely(3) ? input.below(6) : 0, {}};
    if (edit.removed == 0 || input.flag()) edit.inserted.push_back(some_text(input));
    if (type == ValueType::kList && input.flag()) edit.inserted.push_back(some_text(input));
    op.edits.push_back(std::move(edit));
  }
  return op;
}

inline Op some_op(ValueType type, Input& input);

inline Op some_field_op(Input& input) {
  std::vector<std::string> path(input.below(3), "m");
  path.emplace_back(1, static_cast<char>('m' + input.below(3)));
  const ValueType type = kValueTypes[input.below(kValueTypes.size())];
  if (type != ValueType::kMap) return field_op(std::move(path), some_op(type, input));
  FieldOp removal = field_op(std::move(path), DeleteOp{});
  if (input.flag()) removal.removed_type = kValueTypes[input.below(kValueTypes.size())];
  return removal;
}

inline Op some_op(ValueType type, Input& input) {
  switch (type) {
    case ValueType::kRegister:
    case ValueType::kMultiRegister: {
      std::string bytes;
      for (std::size_t parts = input.below(5); parts > 0; --parts) bytes += some_text(input);
      return PutOp{ContentType::kText, std::move(bytes), type};
    }
    case ValueType::kMax:
    case ValueType::kMin:
      return RaiseOp{some_scalar(input), type};
    case ValueType::kOnceFlag:
      return FlagOp{true, type};
    case ValueType::kEnableFlag:
    case ValueType::kDisableFlag:
      return FlagOp{input.flag(), type};
    case ValueType::kCounter:
    case ValueType::kGrowCounter:
      return IncrOp{some_amount(input), type};
    case ValueType::kResettableCounter:
      if (input.rarely(4)) return ResetOp{};
      return IncrOp{some_amount(input), type};
    case ValueType::kBoundedCounter:
      if (input.flag()) return IncrOp{some_amount(input), type};
      return EscrowOp{static_cast<EscrowVerb>(input.below(3)), input.byte(), AgentId("a")};
    case ValueType::kGrowSet:
      return SetAddOp{some_elements(input), type};
    case ValueType::kOrSet:
    case ValueType::kRemoveWinsSet:
      if (input.flag()) return SetAddOp{some_elements(input), type};
      return SetRemoveOp{some_elements(input), type};
    case ValueType::kList:
    case ValueType::kText:
      return some_edit(type, input);
    case ValueType::kMap:
      return some_field_op(input);
  }
  return PutOp{};
}

}  // namespace waggle::testing
