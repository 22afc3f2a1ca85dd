#pragma once

// The types that a key, or a field of a map, can have. A key's type is fixed by its first write or
// by policy; docs/types.md says when to choose which.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace waggle {

// DO NOT CHANGE the numbers: wire, disk and digests carry them.
enum class ValueType : std::uint8_t {
  kRegister = 1,
  kCounter = 2,
  kOrSet = 3,
  kMax = 4,
  kMin = 5,
  kOnceFlag = 6,
  kGrowCounter = 7,
  kResettableCounter = 8,
  kBoundedCounter = 9,
  kEnableFlag = 10,
  kDisableFlag = 11,
  kGrowSet = 12,
  kRemoveWinsSet = 13,
  kMultiRegister = 14,
  kMap = 15,
  kList = 16,
  kText = 17,
};
inline constexpr std::array kValueTypes = {
    ValueType::kRegister,
    ValueType::kCounter,
    ValueType::kOrSet,
    ValueType::kMax,
    ValueType::kMin,
    ValueType::kOnceFlag,
    ValueType::kGrowCounter,
    ValueType::kResettableCounter,
    ValueType::kBoundedCounter,
    ValueType::kEnableFlag,
    ValueType::kDisableFlag,
    ValueType::kGrowSet,
    ValueType::kRemoveWinsSet,
    ValueType::kMultiRegister,
    ValueType::kMap,
    ValueType::kList,
    ValueType::kText,
};

// The name that policies, the program and texts use: "register", "counter", "set", ...
[[nodiscard]] std::string_view to_text(ValueType type);
[[nodiscard]] std::optional<ValueType> value_type_of(std::string_view text);
// Of a number from a wire or disk; none: of a newer Waggle.
[[nodiscard]] std::optional<ValueType> value_type_of(std::uint8_t number);

}  // namespace waggle
