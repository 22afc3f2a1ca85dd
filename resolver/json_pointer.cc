#include "resolver/json_pointer.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace waggle {

std::string json_pointer_below(std::string_view parent, std::string_view name) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

Result<std::vector<std::string>> parse_json_pointer(std::string_view pointer) {
  std::vector<std::string> names;
  if (!pointer.empty() && pointer.front() != '/')
    return failed(Code::kRejected, "a pointer is empty or begins with \"/\"");
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/') {
      names.emplace_back();
    } else if (c != '~') {
      names.back() += c;
    } else {
      ++i;
      if (i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1'))
        return failed(Code::kRejected, "in a pointer \"~\" is followed by \"0\" or \"1\"");
      names.back() += pointer[i] == '0' ? '~' : '/';
    }
  }
  return names;
}

std::optional<std::size_t> to_array_index(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || !std::ranges::all_of(name, is_digit)) return std::nullopt;
  if (name.size() > 1 && name.front() == '0') return std::nullopt;
  std::size_t index = 0;
  if (std::from_chars(name.data(), name.data() + name.size(), index).ec != std::errc())
    return std::nullopt;
  return index;
}

}  // namespace waggle
