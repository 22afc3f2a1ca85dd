#include "base/shape.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
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
  if (const std::size_t size = input_bytes(elements); size > limits::kValueBytes)
    return refused(fmt::format("elements: expected at most {} bytes together, got {}",
                               limits::kValueBytes, size));
  return {};
}

Status check_number(std::string_view what, std::uint64_t number, std::uint64_t least) {
  if (number < least || number > limits::kNumberMax) [[unlikely]]
    return refused(fmt::format("{}: expected {}..2^62, got {}", what, least, number));
  return {};
}

Status check_type(ValueType found, std::initializer_list<ValueType> wanted) {
  if (std::ranges::find(wanted, found) != wanted.end()) return {};
  std::string names;
  for (const ValueType type : wanted)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", to_text(type));
  return refused(
      fmt::format("operation: expected one for {}, got one for {}", names, to_text(found)));
}

Status check_edits(const EditOp& op) {
  if (op.edits.empty()) return refused("edits: expected at least one, got none");
  if (op.edits.size() > limits::kEdits)
    return refused(fmt::format("edits: expected at most {}, got {}; split the write",
                               limits::kEdits, op.edits.size()));
  for (const SequenceEdit& edit : op.edits) {
    if (Status at = check_number("position", edit.at, 0); !at) return at;
    if (Status removed = check_number("length", edit.removed, 0); !removed) return removed;
    if (edit.inserted.empty() && edit.removed == 0)
      return refused("edit: expected something to insert or to remove, got neither");
    if (op.type == ValueType::kList) {
      for (const std::string& element : edit.inserted)
        if (element.size() > limits::kElementBytes)
          return refused(fmt::format("element: expected at most {} bytes, got {}",
                                     limits::kElementBytes, element.size()));
    } else {
      if (edit.inserted.size() > 1)
        return refused(fmt::format("edit of a text: expected one piece of text, got {}",
                                   edit.inserted.size()));
      if (!edit.inserted.empty() && edit.inserted[0].empty())
        return refused("edit of a text: expected text to insert, got an empty one");
      if (!edit.inserted.empty() && !is_utf8(edit.inserted[0]))
        return refused("edit of a text: expected UTF-8, got other bytes");
    }
  }
  return {};
}

Status check_op(const Op& op);

Status check_field(const FieldOp& field) {
  if (field.path.empty() || field.path.size() > limits::kMapDepth)
    return refused(
        fmt::format("path: expected 1..{} names, got {}", limits::kMapDepth, field.path.size()));
  for (const std::string& name : field.path) {
    if (Status length = check_length("field name", name, limits::kElementBytes); !length)
      return length;
    if (!is_utf8(name)) return refused("field name: expected UTF-8, got other bytes");
  }
  const Op& nested = field.op->op;
  if (std::holds_alternative<ClearOp>(nested) || std::holds_alternative<FieldOp>(nested) ||
      std::holds_alternative<SettleOp>(nested))
    return refused("field: expected an operation on one value, got one on many");
  if (field.removed_type && !std::holds_alternative<DeleteOp>(nested))
    return refused("field: expected a type only with a removal");
  return check_op(nested);
}

struct CheckOp {
  Status operator()(const PutOp& put) const {
    using enum ValueType;
    if (Status type = check_type(put.type, {kRegister, kMultiRegister}); !type) return type;
    if (Status content = check_content(put.content); !content) return content;
    return check_bytes(put.bytes);
  }
  Status operator()(const IncrOp& incr) const {
    using enum ValueType;
    if (Status type =
            check_type(incr.type, {kCounter, kGrowCounter, kResettableCounter, kBoundedCounter});
        !type)
      return type;
    if (incr.type == kGrowCounter && incr.amount < 0)
      return refused(
          fmt::format("a grow-counter only rises: expected 0 or more, got {}", incr.amount));
    return {};
  }
  Status operator()(const SetAddOp& add) const {
    using enum ValueType;
    if (Status type = check_type(add.type, {kOrSet, kGrowSet, kRemoveWinsSet}); !type) return type;
    return check_elements(add.elements);
  }
  Status operator()(const SetRemoveOp& remove) const {
    using enum ValueType;
    if (remove.type == kGrowSet)
      return refused("a grow-set only grows: nothing can be removed from it; delete the key");
    if (Status type = check_type(remove.type, {kOrSet, kRemoveWinsSet}); !type) return type;
    return check_elements(remove.elements);
  }
  Status operator()(const RaiseOp& raise) const {
    using enum ValueType;
    if (Status type = check_type(raise.type, {kMax, kMin}); !type) return type;
    if (const auto comparable = checked(raise.value); !comparable)
      return std::unexpected(comparable.error());
    const auto* text = std::get_if<std::string>(&raise.value);
    return text != nullptr ? check_bytes(*text) : Status();
  }
  Status operator()(const FlagOp& flag) const {
    using enum ValueType;
    if (flag.type == kOnceFlag && !flag.on)
      return refused("a once-flag is never lowered; delete the key");
    return check_type(flag.type, {kOnceFlag, kEnableFlag, kDisableFlag});
  }
  Status operator()(const EscrowOp& escrow) const {
    if (escrow.verb > EscrowVerb::kHandOver)
      return refused(
          fmt::format("escrow: expected 0..2, got {}", static_cast<unsigned>(escrow.verb)));
    if (escrow.verb == EscrowVerb::kHandOver) {
      if (Status id = check_agent_id(escrow.to.value()); !id) return id;
    } else if (!escrow.to.empty()) {
      return refused("escrow: expected an agent only where it is handed over");
    }
    return check_number("amount", escrow.amount, 1);
  }
  Status operator()(const EditOp& edit) const {
    using enum ValueType;
    if (Status type = check_type(edit.type, {kText, kList}); !type) return type;
    return check_edits(edit);
  }
  Status operator()(const SettleOp& settle) const {
    if (Status id = check_number("conflict", settle.conflict.value(), 1); !id) return id;
    if (settle.how > Settle::kValue)
      return refused(
          fmt::format("settle: expected 0..2, got {}", static_cast<unsigned>(settle.how)));
    if (settle.how == Settle::kSide && settle.side >= limits::kConflictSides)
      return refused(fmt::format("settle: expected a side below {}, got {}", limits::kConflictSides,
                                 settle.side));
    if (Status content = check_content(settle.value.content); !content) return content;
    return check_bytes(settle.value.bytes);
  }
  Status operator()(const FieldOp& field) const { return check_field(field); }
  Status operator()(const auto&) const { return {}; }
};

Status check_op(const Op& op) {
  return std::visit(CheckOp{}, op);
}

Status check_expect(const Expect& expect) {
  if (const auto* version = std::get_if<ExpectVersion>(&expect))
    return check_number("expected version", version->version.value(), 0);
  if (const auto* mine = std::get_if<ExpectMine>(&expect))
    return check_number("expected own seq", mine->seq.value(), 1);
  return {};
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
  if (const std::size_t size = size_of(value); size > limits::kValueBytes)
    return refused(fmt::format("{}: expected at most {} bytes, got {}", to_text(type_of(value)),
                               limits::kValueBytes, size));
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
  std::size_t size = entry.key.value().size() + input_bytes(entry.op);
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
  if (std::holds_alternative<SettleOp>(entry.op) &&
      !std::holds_alternative<std::monostate>(entry.expect) &&
      !std::holds_alternative<ExpectVersion>(entry.expect))
    return refused("settle: expected a version to stand, or nothing, as its condition");
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
  for (const OwnThrough& own : mutation.context.own_through)
    if (own.incarnation == mutation.incarnation && own.seq >= mutation.seq)
      return refused(fmt::format(
          "own_through: expected writes before this one, which is {}, got those through {}",
          mutation.seq.value(), own.seq.value()));
  return check_entries(mutation.entries);
}

}  // namespace waggle
