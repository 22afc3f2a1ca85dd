#include "cli/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <sodium/utils.h>

#include "base/shape.h"

namespace waggle::cli {
namespace {

void write_text(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  const bool whole = is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    switch (byte) {
      case '"':
        out += "\\\"";
        continue;
      case '\\':
        out += "\\\\";
        continue;
      case '\n':
        out += "\\n";
        continue;
      case '\r':
        out += "\\r";
        continue;
      case '\t':
        out += "\\t";
        continue;
      default:
        break;
    }
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else if (byte >= 0x80 && !whole) {
      out += "\\ufffd";
    } else {
      out += text[i];
    }
  }
  out += '"';
}

template <typename T>
void write_number(std::string& out, T value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

bool Json::integer(std::int64_t& out) const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return out = *value, true;
  const auto* value = std::get_if<std::uint64_t>(&value_);
  if (value == nullptr || *value > static_cast<std::uint64_t>(INT64_MAX)) return false;
  out = static_cast<std::int64_t>(*value);
  return true;
}

bool Json::natural(std::uint64_t& out) const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return out = *value, true;
  const auto* value = std::get_if<std::int64_t>(&value_);
  if (value == nullptr || *value < 0) return false;
  out = static_cast<std::uint64_t>(*value);
  return true;
}

const Json* Json::find(std::string_view name) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  const auto at = std::find_if(members->begin(), members->end(),
                               [&](const Member& member) { return member.first == name; });
  return at == members->end() ? nullptr : &at->second;
}

Json& Json::set(std::string name, Json value) {
  if (is_null()) value_ = Object{};
  std::get<Object>(value_).emplace_back(std::move(name), std::move(value));
  return *this;
}

Json& Json::add_all(Json object) {
  for (Member& member : std::get<Object>(object.value_))
    set(std::move(member.first), std::move(member.second));
  return *this;
}

void Json::push(Json value) {
  if (is_null()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
}

std::string_view Json::kind() const {
  if (is_null()) return "null";
  if (boolean() != nullptr) return "a boolean";
  if (text() != nullptr) return "a string";
  if (array() != nullptr) return "an array";
  if (object() != nullptr) return "an object";
  return "a number";
}

std::string Json::dump() const {
  std::string out;
  write(out, false);
  return out;
}

std::string Json::canonical() const {
  std::string out;
  write(out, true);
  return out;
}

void Json::write(std::string& out, bool sorted) const {
  if (is_null()) {
    out += "null";
  } else if (const auto* flag = boolean()) {
    out += *flag ? "true" : "false";
  } else if (const auto* whole = std::get_if<std::int64_t>(&value_)) {
    write_number(out, *whole);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&value_)) {
    write_number(out, *natural);
  } else if (const auto* real = std::get_if<double>(&value_)) {
    if (std::isfinite(*real)) {
      write_number(out, *real);
    } else {
      out += "null";
    }
  } else if (const auto* number = std::get_if<Number>(&value_)) {
    out += number->text;
  } else if (const auto* string = text()) {
    write_text(out, *string);
  } else if (const auto* items = array()) {
    out += '[';
    for (const Json& item : *items) {
      if (&item != items->data()) out += ',';
      item.write(out, sorted);
    }
    out += ']';
  } else if (const auto* members = object()) {
    std::vector<const Member*> order;
    order.reserve(members->size());
    for (const Member& member : *members) order.push_back(&member);
    if (sorted)
      std::sort(order.begin(), order.end(),
                [](const Member* a, const Member* b) { return a->first < b->first; });
    out += '{';
    for (const Member* member : order) {
      if (member != order.front()) out += ',';
      write_text(out, member->first);
      out += ':';
      member->second.write(out, sorted);
    }
    out += '}';
  }
}

std::string to_base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the terminating zero
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  // The library takes bytes of 128 and more for '/'.
  const auto high = std::ranges::find_if(text, [](char c) { return (c & 0x80) != 0; });
  if (high != text.end()) {
    end = text.data() + (high - text.begin());
  } else if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                               text.data(), text.size(), nullptr, &size, &end,
                               sodium_base64_VARIANT_ORIGINAL) == 0 &&
             end == text.data() + text.size()) {
    bytes.resize(size);
    return bytes;
  }
  return failed(Code::kRejected,
                "expected base64 with padding (letters, digits, '+', '/', '='), found something "
                "else at byte " +
                    std::to_string(end == nullptr ? 0 : end - text.data()));
}

}  // namespace waggle::cli
