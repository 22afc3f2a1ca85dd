#include "resolver/merge_rule.h"

#include <charconv>

#include <fmt/format.h>

namespace waggle {
namespace {

constexpr std::string_view kOpen = "merge(";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && std::string_view("%,=()").find(c) == std::string_view::npos;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      if (!is_plain(text.front())) return std::nullopt;
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    std::uint8_t byte = 0;
    if (text.size() < 3 ||
        std::from_chars(text.data() + 1, text.data() + 3, byte, 16).ptr != text.data() + 3)
      return std::nullopt;
    out += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  return out;
}

bool read_word(std::string_view word, MergeRule& rule) {
  if (word == "token") {
    rule.unit = TextUnit::kToken;
  } else if (word == "union") {
    rule.unite = true;
  } else if (word == "sums") {
    rule.additive_numbers = true;
  } else if (word == "lww" || word == "fww") {
    rule.fields = word;
  } else if (word == "ours" || word == "theirs") {
    rule.favor = word == "ours" ? MergeFavor::kOurs : MergeFavor::kTheirs;
  } else {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return false;
    const auto pointer = unescaped(word.substr(0, equals));
    const auto member = unescaped(word.substr(equals + 1));
    if (!pointer || !member) return false;
    rule.array_keys.insert_or_assign(*pointer, *member);
  }
  return true;
}

}  // namespace

std::string to_text(const MergeRule& rule) {
  std::string words;
  const auto add = [&](std::string_view word) {
    words += words.empty() ? "" : ",";
    words += word;
  };
  if (rule.unit == TextUnit::kToken) add("token");
  if (rule.unite) add("union");
  if (rule.additive_numbers) add("sums");
  if (rule.favor != MergeFavor::kNone) add(rule.favor == MergeFavor::kOurs ? "ours" : "theirs");
  if (!rule.fields.empty()) add(rule.fields);
  for (const auto& [pointer, member] : rule.array_keys)
    add(escaped(pointer) + "=" + escaped(member));
  return words.empty() ? "merge" : fmt::format("{}{})", kOpen, words);
}

std::optional<MergeRule> merge_rule_of(std::string_view text) {
  MergeRule rule;
  if (text == "merge") return rule;
  if (!text.starts_with(kOpen) || !text.ends_with(')')) return std::nullopt;
  std::string_view words = text.substr(kOpen.size(), text.size() - kOpen.size() - 1);
  while (true) {
    const std::size_t end = words.find(',');
    if (!read_word(words.substr(0, end), rule)) return std::nullopt;
    if (end == std::string_view::npos) return rule;
    words.remove_prefix(end + 1);
  }
}

}  // namespace waggle
