#include "cli/value_json.h"

#include <utility>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/durations.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

constexpr std::size_t kFieldPreviewBytes = 200;

std::string_view type_word(ContentType content) {
  return to_text(content);
}

void add_bytes(Json& out, const std::string& bytes) {
  if (is_utf8(bytes)) {
    out.set("value", bytes);
  } else {
    out.set("base64", to_base64(bytes));
  }
}

void add_register(Json& out, const Register& value) {
  switch (value.content) {
    case ContentType::kText:
      return add_bytes(out, value.bytes);
    case ContentType::kBytes:
      out.set("base64", to_base64(value.bytes));
      return;
    case ContentType::kJson:
      // Waggle stores what it was given, so another writer's may be no JSON at all.
      if (auto parsed = parse_json(value.bytes)) {
        out.set("value", *std::move(parsed));
      } else {
        out.set("base64", to_base64(value.bytes));
      }
      return;
  }
}

void add_scalar(Json& out, const Scalar& scalar) {
  out.set("kind", kind_of(scalar));
  std::visit(Overload{[&](const std::string& bytes) { add_bytes(out, bytes); },
                      [&](const auto number) { out.set("value", number); }},
             scalar);
}

std::string text_of(const Scalar& scalar) {
  return std::visit(Overload{[](const std::string& bytes) { return bytes; },
                             [](const auto number) { return fmt::to_string(number); }},
                    scalar);
}

template <typename Elements>
Json elements_json(const Elements& elements) {
  Json list{Json::Array{}};
  for (const auto& [element, held] : elements) list.push(element_json(element));
  return list;
}

std::vector<std::string> present(const RemoveWinsSet& set) {
  std::vector<std::string> elements;
  for (const auto& [element, dots] : set.elements)
    if (dots.present()) elements.push_back(element);
  return elements;
}

Json list_json(const std::vector<std::string>& elements) {
  Json list{Json::Array{}};
  for (const std::string& element : elements) list.push(element_json(element));
  return list;
}

struct AddValue {
  Json& out;

  void operator()(const Register& value) const { add_register(out, value); }
  void operator()(const Counter& value) const { out.set("value", value.total); }
  void operator()(const OrSet& value) const { out.set("value", elements_json(value.elements)); }
  void operator()(const GrowSet& value) const { out.set("value", elements_json(value.elements)); }
  void operator()(const RemoveWinsSet& value) const { out.set("value", list_json(present(value))); }
  void operator()(const MaxValue& value) const { add_scalar(out, value.value); }
  void operator()(const MinValue& value) const { add_scalar(out, value.value); }
  void operator()(const OnceFlag&) const { out.set("value", true); }
  void operator()(const GrowCounter& value) const { out.set("value", value.total); }
  void operator()(const ResettableCounter& value) const { out.set("value", value.total()); }
  void operator()(const BoundedCounter& value) const {
    out.set("value", value.total()).set("free", value.free);
    Json reserved{Json::Object{}};
    for (const auto& [agent, amount] : value.reserved) reserved.set(agent.value(), amount);
    out.set("reserved", std::move(reserved));
  }
  void operator()(const EnableFlag& value) const { out.set("value", value.on()); }
  void operator()(const DisableFlag& value) const { out.set("value", value.on()); }
  void operator()(const MultiRegister& value) const {
    Json values{Json::Array{}};
    for (const Sibling& sibling : value.siblings) {
      Json one;
      one.set("type", type_word(sibling.value.content));
      add_register(one, sibling.value);
      one.set("writer", sibling.dot.writer.agent.value());
      values.push(std::move(one));
    }
    out.set("values", std::move(values));
  }
  void operator()(const Map& value) const {
    Json fields{Json::Array{}};
    for (const auto& [id, field] : value.fields) fields.push(field_json(id, field));
    out.set("fields", std::move(fields));
  }
  void operator()(const List& value) const {
    out.set("value", list_json(value.sequence.elements()));
  }
  void operator()(const Text& value) const { out.set("value", value.sequence.text()); }
};

std::string joined(const std::vector<std::string>& elements, std::size_t bytes_max) {
  std::string text;
  for (const std::string& element : elements) {
    if (text.size() > bytes_max) break;
    text += (text.empty() ? "" : ", ") + element;
  }
  return text;
}

template <typename Elements>
std::vector<std::string> names_of(const Elements& elements) {
  std::vector<std::string> names;
  for (const auto& [element, held] : elements) names.push_back(element);
  return names;
}

std::string register_preview(const Register& value) {
  if (value.content == ContentType::kBytes || !is_utf8(value.bytes))
    return fmt::format("({} of bytes)", size_text(value.bytes.size()));
  return value.bytes;
}

// The elements of a value that is a collection of them.
std::optional<std::vector<std::string>> elements_of(const Value& value) {
  if (const auto* set = std::get_if<OrSet>(&value)) return names_of(set->elements);
  if (const auto* set = std::get_if<GrowSet>(&value)) return names_of(set->elements);
  if (const auto* set = std::get_if<RemoveWinsSet>(&value)) return present(*set);
  if (const auto* list = std::get_if<List>(&value)) return list->sequence.elements();
  return std::nullopt;
}

// Of the types that are one line.
std::string one_line(const Value& value) {
  return std::visit(
      Overload{[](const Register& reg) { return register_preview(reg); },
               [](const Counter& counter) { return fmt::to_string(counter.total); },
               [](const MaxValue& max) { return text_of(max.value); },
               [](const MinValue& min) { return text_of(min.value); },
               [](const OnceFlag&) { return std::string("true"); },
               [](const GrowCounter& counter) { return fmt::to_string(counter.total); },
               [](const ResettableCounter& counter) { return fmt::to_string(counter.total()); },
               [](const BoundedCounter& counter) { return fmt::to_string(counter.total()); },
               [](const EnableFlag& flag) { return std::string(flag.on() ? "true" : "false"); },
               [](const DisableFlag& flag) { return std::string(flag.on() ? "true" : "false"); },
               [](const Text& text) { return text.sequence.text(); },
               [](const auto&) { return std::string(); }},
      value);
}

}  // namespace

std::string_view type_word(const Value& value) {
  const auto* reg = std::get_if<Register>(&value);
  return reg != nullptr ? type_word(reg->content) : to_text(type_of(value));
}

Json element_json(const std::string& element) {
  if (is_utf8(element)) return element;
  return Json::object({{"base64", to_base64(element)}});
}

Json field_json(const FieldId& id, const Field& field) {
  Json out;
  out.set("name", id.name);
  add_value(out, field.value->value);
  return out.set("writer", field.updates.back().writer.agent.value());
}

void add_value(Json& out, const Value& value) {
  out.set("type", type_word(value));
  std::visit(AddValue{out}, value);
}

std::string preview(const Value& value, std::size_t bytes_max) {
  std::string text;
  if (const auto elements = elements_of(value)) {
    const bool list = std::holds_alternative<List>(value);
    text = (list ? "[" : "{") + joined(*elements, bytes_max) + (list ? "]" : "}");
  } else if (const auto* multi = std::get_if<MultiRegister>(&value)) {
    for (const Sibling& sibling : multi->siblings)
      text += (text.empty() ? "" : " | ") + register_preview(sibling.value);
  } else if (const auto* map = std::get_if<Map>(&value)) {
    for (const auto& [id, field] : map->fields) {
      if (text.size() > bytes_max) break;
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", id.name,
                          preview(field.value->value, bytes_max));
    }
    text = "{" + text + "}";
  } else {
    text = one_line(value);
  }
  return printable(text, bytes_max);
}

std::string plain_text(const Value& value, bool for_terminal) {
  const auto* reg = std::get_if<Register>(&value);
  // As it is; a line end only where a person looks at it.
  if (reg != nullptr)
    return reg->bytes + (for_terminal && reg->content != ContentType::kBytes ? "\n" : "");
  if (const auto* text = std::get_if<Text>(&value))
    return text->sequence.text() + (for_terminal ? "\n" : "");
  const auto line = [&](const std::string& text) {
    return (for_terminal ? printable(text) : text) + '\n';
  };
  std::string lines;
  if (const auto elements = elements_of(value)) {
    for (const std::string& element : *elements) lines += line(element);
  } else if (const auto* multi = std::get_if<MultiRegister>(&value)) {
    for (const Sibling& sibling : multi->siblings) lines += line(sibling.value.bytes);
  } else if (const auto* map = std::get_if<Map>(&value)) {
    for (const auto& [id, field] : map->fields)
      lines += printable(id.name) + '\t' + preview(field.value->value, kFieldPreviewBytes) + '\n';
  } else {
    lines = line(one_line(value));
  }
  return lines;
}

}  // namespace waggle::cli
