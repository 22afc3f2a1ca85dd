#include "base/shape.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {
namespace {

constexpr char32_t kNoCharacter = 0xffffffff;

// The character at `at`, which moves behind it; kNoCharacter where the bytes are not UTF-8.
char32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  if (first < 0x80) {
    ++at;
    return first;
  }
  // The least character of each length refuses overlong forms.
  std::size_t length = 0;
  char32_t least = 0;
  char32_t character = 0;
  if ((first & 0xe0) == 0xc0) {
    length = 2, least = 0x80, character = first & 0x1f;
  } else if ((first & 0xf0) == 0xe0) {
    length = 3, least = 0x800, character = first & 0x0f;
  } else if ((first & 0xf8) == 0xf0) {
    length = 4, least = 0x10000, character = first & 0x07;
  } else {
    return kNoCharacter;
  }
  if (text.size() - at < length) return kNoCharacter;
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kNoCharacter;
    character = (character << 6) | (byte(i) & 0x3f);
  }
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < least || surrogate || character > 0x10ffff) return kNoCharacter;
  at += length;
  return character;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

// Unicode's White_Space beyond the control characters.
bool is_space(char32_t c) {
  return c == 0x20 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

Status refused(std::string text) {
  return failed(Code::kRejected, std::move(text));
}

Status check_length(std::string_view what, std::string_view text, std::size_t max) {
  if (text.empty() || text.size() > max) [[unlikely]]
    return refused(fmt::format("{}: expected 1..{} bytes, got {}", what, max, text.size()));
  return {};
}

Status check_id(std::string_view what, std::string_view id) {
  if (Status length = check_length(what, id, limits::kIdBytes); !length) return length;
  for (std::size_t at = 0; at < id.size();) {
    const std::size_t start = at;
    const char32_t c = next_character(id, at);
    if (c == kNoCharacter)
      return refused(fmt::format("{}: expected UTF-8, byte {} is not", what, start));
    if (is_control(c) || is_space(c) || c == '/')
      return refused(fmt::format(
          "{}: expected no control character, white space or '/', got U+{:04X} at byte {}", what,
          static_cast<std::uint32_t>(c), start));
  }
  return {};
}

Status check_content(ContentType content) {
  if (content < ContentType::kText || content > ContentType::kBytes)
    return refused(
        fmt::format("content type: expected 1..3, got {}", static_cast<unsigned>(content)));
  return {};
}

Status check_bytes(std::string_view bytes) {
  if (bytes.size() > limits::kValueBytes)
    return refused(
        fmt::format("value: expected at most {} bytes, got {}", limits::kValueBytes, bytes.size()));
  return {};
}

std::size_t sum_of(const std::vector<std::string>& elements) {
  // With what each element costs in a frame: many tiny ones must not pass for a small request.
  constexpr std::size_t kElementOverhead = 16;
  std::size_t size = 0;
  for (const std::string& element : elements) size += element.size() + kElementOverhead;
  return size;
}

Status check_elements(const std::vector<std::string>& elements) {
  if (elements.empty()) return refused("elements: expected at least one, got none");
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (Status element = check_element(elements[i]); !element) return element;
    if (i > 0 && elements[i - 1] >= elements[i])
      return refused(
          fmt::format("elements: expected sorted and unique, number {} is not above the "
                      "one before it",
                      i));
  }
  if (const std::size_t size = sum_of(elements); size > limits::kValueBytes)
    return refused(fmt::format("elements: expected at most {} bytes together, got {}",
                               limits::kValueBytes, size));
  return {};
}

Status check_number(std::string_view what, std::uint64_t number, std::uint64_t least) {
  if (number < least || number > limits::kNumberMax) [[unlikely]]
    return refused(fmt::format("{}: expected {}..2^62, got {}", what, least, number));
  return {};
}

Status check_op(const Op& op) {
  if (const auto* put = std::get_if<PutOp>(&op)) {
    if (Status content = check_content(put->content); !content) return content;
    return check_bytes(put->bytes);
  }
  if (const auto* add = std::get_if<SetAddOp>(&op)) return check_elements(add->elements);
  if (const auto* remove = std::get_if<SetRemoveOp>(&op)) return check_elements(remove->elements);
  return {};
}

Status check_expect(const Expect& expect) {
  if (const auto* version = std::get_if<ExpectVersion>(&expect))
    return check_number("expected version", version->version.value(), 0);
  if (const auto* mine = std::get_if<ExpectMine>(&expect))
    return check_number("expected own seq", mine->seq.value(), 1);
  return {};
}

std::size_t op_bytes(const Op& op) {
  if (const auto* put = std::get_if<PutOp>(&op)) return put->bytes.size();
  if (const auto* add = std::get_if<SetAddOp>(&op)) return sum_of(add->elements);
  if (const auto* remove = std::get_if<SetRemoveOp>(&op)) return sum_of(remove->elements);
  return std::holds_alternative<IncrOp>(op) ? sizeof(std::int64_t) : 0;
}

Status check_context(const Context& context) {
  if (Status seen = check_number("seen revision", context.seen.value(), 0); !seen) return seen;
  if (context.own_through.size() > limits::kOwnThrough)
    return refused(fmt::format("own_through: expected at most {} incarnations, got {}",
                               limits::kOwnThrough, context.own_through.size()));
  for (const OwnThrough& own : context.own_through) {
    if (Status seq = check_number("own_through seq", own.seq.value(), 0); !seq) return seq;
  }
  return {};
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Eight bytes of ASCII at a time.
    while (text.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t block = 0;
      std::memcpy(&block, text.data() + at, sizeof block);
      if ((block & 0x8080808080808080) != 0) break;
      at += sizeof block;
    }
    if (at < text.size() && next_character(text, at) == kNoCharacter) return false;
  }
  return true;
}

Status check_key(std::string_view key) {
  if (Status length = check_length("key", key, limits::kKeyBytes); !length) return length;
  if (!is_utf8(key)) return refused("key: expected UTF-8, got other bytes");
  return {};
}

Status check_agent_id(std::string_view id) {
  return check_id("agent id", id);
}

Status check_swarm_id(std::string_view id) {
  return check_id("swarm id", id);
}

Status check_element(std::string_view element) {
  return check_length("element", element, limits::kElementBytes);
}

Status check_value(const Value& value) {
  if (const auto* reg = std::get_if<Register>(&value)) {
    if (Status content = check_content(reg->content); !content) return content;
    return check_bytes(reg->bytes);
  }
  const auto* set = std::get_if<OrSet>(&value);
  if (set == nullptr) return {};
  for (const auto& [element, dots] : set->elements) {
    if (Status checked = check_element(element); !checked) return checked;
    if (dots.empty()) return refused("set: expected a dot for each element, got none");
    if (std::ranges::adjacent_find(dots, std::greater_equal<>{}) != dots.end())
      return refused("set: expected the dots of an element sorted and unique");
  }
  if (const std::size_t size = size_of(value); size > limits::kValueBytes)
    return refused(
        fmt::format("set: expected at most {} bytes, got {}", limits::kValueBytes, size));
  return {};
}

Status check_metadata(const Metadata& metadata) {
  std::size_t size = 0;
  for (const auto& [name, text] : metadata) {
    if (name.empty()) return refused("metadata: expected a name of 1 or more bytes, got none");
    if (!is_utf8(name) || !is_utf8(text))
      return refused("metadata: expected UTF-8, got other bytes");
    size += name.size() + text.size();
  }
  if (size > limits::kMetadataBytes)
    return refused(fmt::format("metadata: expected at most {} bytes together, got {}",
                               limits::kMetadataBytes, size));
  return {};
}

std::size_t input_bytes(const Entry& entry) {
  std::size_t size = entry.key.value().size() + op_bytes(entry.op);
  for (const auto& [name, text] : entry.metadata) size += name.size() + text.size();
  return size;
}

Status check_entry(const Entry& entry) {
  if (std::holds_alternative<ClearOp>(entry.op)) {
    if (!entry.key.empty()) return refused("clear: expected an empty key; delete clears one key");
    if (!std::holds_alternative<std::monostate>(entry.expect))
      return refused("clear: expected no expected version, a swarm has none");
  } else if (Status key = check_key(entry.key.value()); !key) {
    return key;
  }
  if (Status expect = check_expect(entry.expect); !expect) return expect;
  if (Status op = check_op(entry.op); !op) return op;
  return check_metadata(entry.metadata);
}

Status check_entries(const std::vector<Entry>& entries) {
  if (entries.empty()) return refused("mutation: expected at least one entry, got none");
  if (entries.size() == 1) return check_entry(entries.front());
  if (entries.size() > limits::kGroupEntries)
    return refused(fmt::format("group: expected at most {} entries, got {}; split it",
                               limits::kGroupEntries, entries.size()));
  std::size_t size = 0;
  std::vector<std::string_view> keys;
  keys.reserve(entries.size());
  for (const Entry& entry : entries) {
    if (std::holds_alternative<ClearOp>(entry.op))
      return refused("clear: expected alone in its mutation, got a group");
    if (Status checked = check_entry(entry); !checked) return checked;
    size += input_bytes(entry);
    keys.push_back(entry.key.value());
  }
  if (size > limits::kGroupBytes)
    return refused(fmt::format("group: expected at most {} bytes, got {}; split it",
                               limits::kGroupBytes, size));
  std::ranges::sort(keys);
  if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end())
    return refused(fmt::format("group: expected one entry a key, '{}' has more", *twice));
  return {};
}

Status check_mutation(const Mutation& mutation) {
  if (!mutation.incarnation) return refused("incarnation: expected not 0");
  if (Status seq = check_number("seq", mutation.seq.value(), 1); !seq) return seq;
  if (Status context = check_context(mutation.context); !context) return context;
  return check_entries(mutation.entries);
}

}  // namespace waggle
