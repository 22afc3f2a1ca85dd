#include "base/value_type.h"

namespace waggle {

std::string_view to_text(ValueType type) {
  switch (type) {
    case ValueType::kRegister:
      return "register";
    case ValueType::kCounter:
      return "counter";
    case ValueType::kOrSet:
      return "set";
    case ValueType::kMax:
      return "max";
    case ValueType::kMin:
      return "min";
    case ValueType::kOnceFlag:
      return "once";
    case ValueType::kGrowCounter:
      return "grow-counter";
    case ValueType::kResettableCounter:
      return "resettable-counter";
    case ValueType::kBoundedCounter:
      return "bounded-counter";
    case ValueType::kEnableFlag:
      return "enable-flag";
    case ValueType::kDisableFlag:
      return "disable-flag";
    case ValueType::kGrowSet:
      return "grow-set";
    case ValueType::kRemoveWinsSet:
      return "remove-wins-set";
    case ValueType::kMultiRegister:
      return "multi-register";
    case ValueType::kMap:
      return "map";
    case ValueType::kList:
      return "list";
    case ValueType::kText:
      return "shared-text";
  }
  return "unrecognised";
}

std::optional<ValueType> value_type_of(std::string_view text) {
  for (const ValueType type : kValueTypes)
    if (to_text(type) == text) return type;
  return std::nullopt;
}

std::optional<ValueType> value_type_of(std::uint8_t number) {
  for (const ValueType type : kValueTypes)
    if (static_cast<std::uint8_t>(type) == number) return type;
  return std::nullopt;
}

}  // namespace waggle
