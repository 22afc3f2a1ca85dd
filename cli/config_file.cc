// The only file that knows toml++.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include "cli/config.h"

namespace waggle::cli {
namespace {

RawValue raw_of(const toml::node& node) {
  RawValue raw;
  raw.value = std::monostate{};
  if (const auto* text = node.as_string()) {
    raw.value = text->get();
    raw.found = fmt::format("the text \"{}\"", text->get());
  } else if (const auto* whole = node.as_integer()) {
    raw.value = whole->get();
    raw.found = fmt::format("the number {}", whole->get());
  } else if (const auto* real = node.as_floating_point()) {
    raw.value = real->get();
    raw.found = fmt::format("the number {}", real->get());
  } else if (const auto* flag = node.as_boolean()) {
    raw.value = flag->get();
    raw.found = flag->get() ? "true" : "false";
  } else if (const auto* array = node.as_array()) {
    raw.found = "a list";
    std::vector<std::int64_t> numbers;
    std::vector<std::string> texts;
    for (const toml::node& item : *array) {
      if (const auto* one = item.as_integer()) numbers.push_back(one->get());
      if (const auto* word = item.as_string()) texts.push_back(word->get());
    }
    if (numbers.size() == array->size()) {
      raw.value = std::move(numbers);
    } else if (texts.size() == array->size()) {
      raw.value = std::move(texts);
    }
  } else {
    raw.found = node.is_table() ? "a table" : "a date or time";
  }
  return raw;
}

ConfigItem item_of(const toml::key& key, const toml::node& node) {
  return {std::string(key.str()), static_cast<std::uint32_t>(key.source().begin.line),
          raw_of(node)};
}

ConfigSection section_of(std::string_view name, std::uint32_t line, const toml::table& table,
                         bool repeated) {
  ConfigSection section{std::string(name), line, repeated, {}};
  for (const auto& [key, node] : table) section.items.push_back(item_of(key, node));
  return section;
}

}  // namespace

Result<ConfigDocument> read_config_file(const std::string& path) {
  // A directory can be opened, and then reads as nothing.
  std::error_code ignored;
  const bool directory = std::filesystem::is_directory(path, ignored);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (directory || !file ||
      !(content << file.rdbuf() || file.peek() == std::ifstream::traits_type::eof()))
    return failed(Code::kNotFound,
                  fmt::format("the configuration file '{}' can't be read; is it there, a file, and "
                              "readable for you?",
                              path));
  return parse_config(std::move(content).str(), path);
}

Result<ConfigDocument> parse_config(std::string_view text, const std::string& path) {
  toml::table root;
  try {
    root = toml::parse(text, std::string_view(path));
  } catch (const toml::parse_error& error) {
    return failed(Code::kRejected,
                  fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()));
  }
  ConfigDocument document;
  ConfigSection top;
  for (const auto& [key, node] : root) {
    const auto line = static_cast<std::uint32_t>(key.source().begin.line);
    const toml::array* array = node.as_array();
    if (const toml::table* table = node.as_table()) {
      document.push_back(section_of(key.str(), line, *table, false));
    } else if (array != nullptr && array->is_homogeneous<toml::table>()) {
      for (const toml::node& one : *array)
        document.push_back(section_of(
            key.str(), static_cast<std::uint32_t>(one.source().begin.line), *one.as_table(), true));
    } else {
      top.items.push_back(item_of(key, node));
    }
  }
  if (!top.items.empty()) document.insert(document.begin(), std::move(top));
  return document;
}

}  // namespace waggle::cli
